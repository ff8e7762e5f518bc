//! The test suite: one binary, linked once.
//!
//! `tests/README.md` says what each module needs and shows.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed test is a panic"
)]

mod admission;
mod api_faults;
mod api_server;
mod api_server_parity;
mod ca_bundles;
mod check;
mod cluster_operator;
mod command_line;
mod control_plane;
mod diff;
mod dns_client;
mod dns_server;
mod documentation;
mod durations;
mod events;
mod explain;
mod faults;
mod golden;
mod in_force;
mod in_memory;
mod leadership;
mod manifests;
mod monitoring;
mod name_lookups;
mod name_resolver;
mod names;
mod node;
mod node_resolver;
mod nodes;
mod permissions;
mod properties;
mod reconcile_cases;
mod records;
mod scenario;
mod serving;
mod status_cases;
mod takeover;
mod upstreams;
mod verdicts;
