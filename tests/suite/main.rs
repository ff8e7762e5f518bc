//! The test suite: one binary, linked once.
//!
//! From the outside in: `command_line` and `golden` need nothing; `admission`,
//! `manifests`, `permissions`, `scenario`, `serving`, `name_lookups` and `faults` start an
//! API server each; `node` starts a whole node with pods and needs root.

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
mod cluster_operator;
mod command_line;
mod control_plane;
mod dns_client;
mod dns_server;
mod durations;
mod events;
mod faults;
mod golden;
mod in_memory;
mod leadership;
mod manifests;
mod name_lookups;
mod name_resolver;
mod node;
mod node_resolver;
mod nodes;
mod permissions;
mod properties;
mod reconcile_cases;
mod scenario;
mod serving;
mod status_cases;
mod takeover;
