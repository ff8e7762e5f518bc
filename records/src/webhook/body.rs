//! Bodies of requests and answers.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::Frame;
use thiserror::Error;

use crate::{Endpoint, RECORD_IDS_LABEL};

/// How much of a listing is encoded at a time, in octets.
const CHUNK: usize = 64 * 1024;

/// The body of an answer. Endpoints are encoded as they are sent: a zone's JSON is never in
/// memory as a whole.
pub struct Body(Content);

enum Content {
    Whole(Bytes),
    Listing(Box<dyn Iterator<Item = Arc<Endpoint>> + Send>, Place),
}

/// How far a listing is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    Within,
    End,
}

impl Body {
    pub(super) fn whole(content: impl Into<Bytes>) -> Self {
        Self(Content::Whole(content.into()))
    }

    /// A JSON array.
    pub(super) fn listing(endpoints: impl Iterator<Item = Arc<Endpoint>> + Send + 'static) -> Self {
        Self(Content::Listing(Box::new(endpoints), Place::Start))
    }
}

/// The next piece of a JSON array; empty after its end.
fn piece(endpoints: &mut dyn Iterator<Item = Arc<Endpoint>>, place: &mut Place) -> serde_json::Result<Bytes> {
    let mut text = Vec::new();
    while *place != Place::End && text.len() < CHUNK {
        let next = endpoints.next();
        match (&next, *place) {
            (Some(_), Place::Start) => text.push(b'['),
            (Some(_), _) => text.push(b','),
            (None, Place::Start) => text.extend(b"[]\n"),
            (None, _) => text.extend(b"]\n"),
        }
        match next {
            Some(endpoint) => {
                serde_json::to_writer(&mut text, &*told(endpoint))?;
                *place = Place::Within;
            }
            None => *place = Place::End,
        }
    }
    Ok(text.into())
}

/// A record set without what is the provider's own: external-dns would take it for a label
/// of the record.
fn told(endpoint: Arc<Endpoint>) -> Arc<Endpoint> {
    if !endpoint.labels.contains_key(RECORD_IDS_LABEL) {
        return endpoint;
    }
    let mut endpoint = Arc::unwrap_or_clone(endpoint);
    endpoint.labels.remove(RECORD_IDS_LABEL);
    Arc::new(endpoint)
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = serde_json::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let piece = match &mut self.get_mut().0 {
            Content::Whole(content) => Ok(std::mem::take(content)),
            Content::Listing(endpoints, place) => piece(endpoints.as_mut(), place),
        };
        Poll::Ready(match piece {
            Ok(piece) if piece.is_empty() => None,
            Ok(piece) => Some(Ok(Frame::data(piece))),
            Err(error) => Some(Err(error)),
        })
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Content::Whole(content) => content.is_empty(),
            Content::Listing(_, place) => *place == Place::End,
        }
    }

    fn size_hint(&self) -> http_body::SizeHint {
        match &self.0 {
            Content::Whole(content) => http_body::SizeHint::with_exact(content.len() as u64),
            Content::Listing(..) => http_body::SizeHint::default(),
        }
    }
}

/// A body that is longer than is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the body is longer than {limit} octets")]
pub struct Oversized {
    /// What is allowed, in octets.
    pub limit: usize,
}

/// Adds a piece to a body that is read, unless it becomes too long.
pub(crate) fn append(body: &mut Vec<u8>, piece: &[u8], limit: usize) -> Result<(), Oversized> {
    if piece.len() > limit.saturating_sub(body.len()) {
        return Err(Oversized { limit });
    }
    body.extend_from_slice(piece);
    Ok(())
}
