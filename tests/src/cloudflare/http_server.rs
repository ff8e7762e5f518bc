//! The account over HTTP.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{Response, StatusCode};
use http_body::Frame;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet, spawn};

use super::Account;
use super::request::{Reply, Request, Transfer};

/// The body of an answer: a piece, and perhaps an end before its time.
struct Body {
    piece: Option<Bytes>,
    breaks: bool,
    waited: bool,
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(piece) = self.piece.take() {
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        if !self.breaks {
            return Poll::Ready(None);
        }
        if !self.waited {
            // What was sent so far is on its way before the connection ends.
            self.waited = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into())))
    }
}

/// Serves an account at an address.
pub(super) async fn start(
    address: SocketAddr,
    account: Arc<Mutex<Account>>,
) -> io::Result<(SocketAddr, AbortHandle)> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let task = spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            connections.spawn(serve(stream, Arc::clone(&account)));
        }
    });
    Ok((address, task.abort_handle()))
}

async fn serve(stream: TcpStream, account: Arc<Mutex<Account>>) {
    let service = service_fn(|request: http::Request<Incoming>| {
        let account = Arc::clone(&account);
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.map(http_body_util::Collected::to_bytes);
            let request = Request::new(&head, &body.unwrap_or_default());
            let mut account = account.lock().unwrap_or_else(PoisonError::into_inner);
            let reply = account.answer(&request);
            drop(account);
            // A service that fails ends the connection without an answer.
            if reply.transfer == Transfer::Lost {
                return Err(io::Error::from(io::ErrorKind::ConnectionReset));
            }
            Ok(response(reply))
        }
    });
    // A client may leave as it likes.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

fn response(reply: Reply) -> Response<Body> {
    let cut_off = reply.transfer == Transfer::CutOff;
    let mut piece = Bytes::from(reply.body);
    if cut_off {
        piece.truncate(piece.len() / 2);
    }
    let mut response = Response::new(Body {
        piece: Some(piece),
        breaks: cut_off,
        waited: false,
    });
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, http::HeaderValue::from_static(reply.media_type));
    if let Some(seconds) = reply.retry_after {
        headers.insert(RETRY_AFTER, seconds.into());
    }
    response
}
