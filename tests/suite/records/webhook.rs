//! The webhook protocol against a stock external-dns.

pub mod external_dns;
#[path = "../../../records/tests/engine/webhook/listener.rs"]
mod listener;
mod our_client;
mod our_server;
#[path = "../../../records/tests/engine/webhook/zones.rs"]
#[allow(dead_code, reason = "the tests of the engine use all of it")]
mod zones;
