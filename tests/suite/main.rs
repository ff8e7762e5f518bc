//! The test suite: one binary, linked once.

mod command_line;
mod durations;
mod golden;
mod manifests;
mod properties;
