//! The webhook protocol against a stock external-dns.

pub mod external_dns;
mod knot;
mod large_zone;
#[path = "../../../records/tests/engine/webhook/listener.rs"]
pub mod listener;
mod our_client;
mod our_server;
mod policies;
pub mod program;
mod wanted;
#[path = "../../../records/tests/engine/webhook/zones.rs"]
#[allow(dead_code, reason = "the tests of the engine use all of it")]
mod zones;
