//! A listener in front of what answers requests.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use records::webhook::Server;
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet, spawn};

/// Dropping it ends it and its connections, as the end of a process would.
pub struct Listener {
    pub address: SocketAddr,
    task: AbortHandle,
}

impl Listener {
    /// Serves at a free port.
    pub async fn start(server: Server) -> Self {
        Self::start_at((Ipv4Addr::LOCALHOST, 0).into(), server).await
    }

    /// Serves at an address.
    pub async fn start_at(address: SocketAddr, server: Server) -> Self {
        let server = Arc::new(server);
        Self::answering(address, move |request| {
            let server = Arc::clone(&server);
            async move { server.respond(request).await }
        })
        .await
    }

    /// Answers requests at an address by a function.
    pub async fn answering<A, F, B>(address: SocketAddr, answer: A) -> Self
    where
        A: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response<B>> + Send + 'static,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let answer = answer.clone();
                connections.spawn(async move {
                    let service = service_fn(|request| {
                        let answer = answer(request);
                        async { Ok::<_, Infallible>(answer.await) }
                    });
                    // A client may leave as it likes.
                    let _ = http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self {
            address,
            task: task.abort_handle(),
        }
    }

    /// Where clients find it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}
