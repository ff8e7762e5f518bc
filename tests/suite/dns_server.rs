//! A DNS server that has no records, and remembers what it was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use hickory_proto::op::Message;
use hickory_proto::rr::RecordType;
use tokio::net::UdpSocket;
use tokio::task::{AbortHandle, spawn};

/// No answer to a question for this name has the question's number.
pub const ASTRAY: &str = "astray.example.com.";

/// Names and types, in the order they were asked for.
type Queries = Arc<Mutex<Vec<(String, RecordType)>>>;

/// The server; stopped when dropped.
pub struct DnsServer {
    pub address: SocketAddr,
    queries: Queries,
    task: AbortHandle,
}

impl DnsServer {
    /// Answers at an address over UDP.
    pub async fn start(address: SocketAddr) -> Self {
        let socket = UdpSocket::bind(address).await.unwrap();
        let queries = Queries::default();
        Self {
            address: socket.local_addr().unwrap(),
            queries: Arc::clone(&queries),
            task: spawn(answer(socket, queries)).abort_handle(),
        }
    }

    /// What it was asked so far.
    pub fn queries(&self) -> Vec<(String, RecordType)> {
        self.queries.lock().unwrap().clone()
    }
}

impl Drop for DnsServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(socket: UdpSocket, queries: Queries) {
    let mut buffer = [0; 512];
    loop {
        let (length, client) = socket.recv_from(&mut buffer).await.unwrap();
        let query = Message::from_vec(&buffer[..length]).unwrap();
        assert!(query.metadata.recursion_desired);
        let question = &query.queries[0];
        queries
            .lock()
            .unwrap()
            .push((question.name().to_ascii(), question.query_type()));
        let mut answer = Message::response(query.metadata.id.wrapping_add(1), query.metadata.op_code);
        answer.add_query(question.clone());
        socket.send_to(b"?", client).await.unwrap();
        socket.send_to(&answer.to_vec().unwrap(), client).await.unwrap();
        if question.name().to_ascii() != ASTRAY {
            answer.metadata.id = query.metadata.id;
            socket.send_to(&answer.to_vec().unwrap(), client).await.unwrap();
        }
    }
}
