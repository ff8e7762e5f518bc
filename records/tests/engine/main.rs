//! Tests of the record engine that need no server but those they start themselves.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::too_many_lines,
    reason = "a failed test is a panic, and a table is long"
)]

mod batch;
mod cache;
mod cloudflare;
mod endpoint;
mod files;
mod filter;
mod fixtures;
mod guard;
mod kept_names;
mod memory;
mod merging;
mod name;
mod ownership;
mod passes;
mod plan_cases;
mod plan_properties;
mod record_list;
mod route53;
mod sources;
mod target;
mod verdicts;
mod webhook;
