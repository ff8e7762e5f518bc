//! Tests of the remote provider: what is pure, and the server in memory and behind TLS.

#![allow(
    clippy::unwrap_in_result,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::too_many_lines,
    reason = "a failed test is a panic, and a table is long"
)]

mod access;
mod admission;
mod applying;
mod catalogue;
mod certificates;
mod client;
mod conflicts;
mod crowds;
mod door;
mod fairness;
mod faults;
mod gardener;
mod gardener_exchange;
mod gardener_messages;
mod hostile_messages;
mod intruders;
mod ledger;
mod limits;
mod messages;
mod protobuf;
mod publication;
mod reading;
mod revision;
mod slow_readers;
mod tokens;
mod watching;
mod wire;
mod world;
