//! Tests of the remote provider that need no server but those they start themselves.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::too_many_lines,
    reason = "a failed test is a panic, and a table is long"
)]

mod access;
mod certificates;
mod intruders;
mod tokens;
mod world;
