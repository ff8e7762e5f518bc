//! Tests of the record engine that need no server: one binary, linked once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed test is a panic"
)]

mod endpoint;
mod filter;
mod guard;
mod name;
mod plan_cases;
mod plan_properties;
mod target;
