//! HTTP/2 with bounds on what a connection can hold and cost.

use std::time::Duration;

use tonic::transport::Server;

/// The requests of a connection that are on their way, streams that go on included.
const STREAMS: u32 = 128;
/// The requests of a connection that are worked on; further ones wait, and are not read.
const REQUESTS: usize = 32;
/// The octets of a request's headers.
const HEADERS: u32 = 16 * 1024;
/// The requests that a client takes back before anybody has looked at them. With one more the
/// connection ends: CVE-2023-44487.
const TAKEN_BACK: usize = 20;
/// The requests that are refused for what is wrong with them. With one more the connection
/// ends.
const REFUSED: usize = 256;
/// How often a connection on which nothing is heard is tried, and for how long.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// What serves [`super::Services`] on the connections of a [`super::listener`], which last so
/// long at most.
pub(super) fn transport(age: Option<Duration>) -> Server {
    let server = Server::builder()
        .max_concurrent_streams(STREAMS)
        .concurrency_limit_per_connection(REQUESTS)
        .http2_max_header_list_size(HEADERS)
        .http2_max_pending_accept_reset_streams(Some(TAKEN_BACK))
        .http2_max_local_error_reset_streams(Some(REFUSED))
        .http2_keepalive_interval(Some(KEEP_ALIVE))
        .http2_keepalive_timeout(Some(KEEP_ALIVE_TIMEOUT));
    match age {
        Some(age) => server.max_connection_age(age),
        None => server,
    }
}
