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
mod door;
mod fairness;
mod gardener;
mod gardener_messages;
mod intruders;
mod messages;
mod publication;
mod reading;
mod revision;
mod tokens;
mod watching;
mod world;
