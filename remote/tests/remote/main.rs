//! Tests of the remote provider: what is pure, and the server in memory.

#![allow(
    clippy::unwrap_in_result,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed test is a panic"
)]

mod applying;
mod catalogue;
mod fairness;
mod gardener;
mod gardener_messages;
mod messages;
mod publication;
mod reading;
mod revision;
mod watching;
mod world;
