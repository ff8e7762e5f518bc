//! External records: what stands around the engine of the crate `records`.
//!
//! [`command`] is where `dns-operator records` begins. [`sources`] gathers what is wanted,
//! from files and from a cluster ([`source`]); [`daemon`] makes pass after pass;
//! [`dns_endpoint`] tells the objects what has become of their records.

pub mod cli;
pub mod command;
mod daemon;
pub mod dns_endpoint;
mod metrics;
pub mod report;
pub mod selector;
mod settings;
mod show;
pub mod source;
mod sources;
mod webhook;
