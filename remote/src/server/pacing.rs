//! Answers in pieces, as fast as their readers take them. Who takes nothing for a time is
//! given up, and what was meant for it is let go: HTTP/2 alone would hold it for as long as
//! the connection lasts.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::unfold;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::timeout;
use tonic::body::Body;
use tonic::codegen::http;
use tonic::{Response, Status};

/// The octets of a piece.
const PIECE: usize = 64 * 1024;

/// Marks a response whose body is paced; it holds its room until it is sent or given up.
#[derive(Clone, Debug)]
struct Paced {
    _room: Option<Arc<OwnedSemaphorePermit>>,
}

/// What the task that tells sends.
enum Sent {
    Frame(Frame<Bytes>),
    Failure(Status),
    /// Without it, the frames are not all.
    End,
}

/// Marks an answer that may be large.
pub(super) fn large<T>(message: T, room: Option<OwnedSemaphorePermit>) -> Response<T> {
    let mut response = Response::new(message);
    response.extensions_mut().insert(Paced {
        _room: room.map(Arc::new),
    });
    response
}

/// Paces an answer that is marked.
pub(super) fn pace(mut response: http::Response<Body>, patience: Duration) -> http::Response<Body> {
    let Some(paced) = response.extensions_mut().remove::<Paced>() else {
        return response;
    };
    response.map(|body| {
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(async move {
            tell(body, &sender, patience).await;
            drop(paced);
        });
        Body::new(StreamBody::new(unfold(Some(receiver), next)))
    })
}

/// Sends all frames as the reader takes them.
async fn tell(mut body: Body, frames: &mpsc::Sender<Sent>, patience: Duration) {
    let send = |sent| async { matches!(timeout(patience, frames.send(sent)).await, Ok(Ok(()))) };
    while let Some(frame) = body.frame().await {
        let frame = match frame {
            Ok(frame) => frame,
            Err(status) => {
                send(Sent::Failure(status)).await;
                return;
            }
        };
        let mut data = match frame.into_data() {
            Ok(data) => data,
            Err(trailers) => {
                if !send(Sent::Frame(trailers)).await {
                    return;
                }
                continue;
            }
        };
        while !data.is_empty() {
            let piece = data.split_to(data.len().min(PIECE));
            if !send(Sent::Frame(Frame::data(piece))).await {
                return;
            }
        }
    }
    send(Sent::End).await;
}

/// The next frame. An answer that is broken off ends with an error.
async fn next(
    receiver: Option<mpsc::Receiver<Sent>>,
) -> Option<(Result<Frame<Bytes>, Status>, Option<mpsc::Receiver<Sent>>)> {
    let mut receiver = receiver?;
    match receiver.recv().await {
        Some(Sent::Frame(frame)) => Some((Ok(frame), Some(receiver))),
        Some(Sent::Failure(status)) => Some((Err(status), None)),
        Some(Sent::End) => None,
        None => {
            let status = Status::deadline_exceeded("the answer was read too slowly");
            Some((Err(status), None))
        }
    }
}
