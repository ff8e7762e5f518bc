//! The test suite: one binary, linked once.
//!
//! From the outside in: `command_line`, `golden` and `manifests` need nothing;
//! `admission`, `scenario` and `faults` start an API server each; `node` starts
//! a whole node with pods and needs root.

mod admission;
mod command_line;
mod control_plane;
mod dns_client;
mod durations;
mod faults;
mod golden;
mod manifests;
mod node;
mod properties;
mod scenario;
