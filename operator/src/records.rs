//! External records: what stands around the engine of the crate `records`.
//!
//! [`command`] is where `dns-operator records` begins. [`sources`] gathers what is wanted,
//! from files and from a cluster ([`source`]); [`daemon`] makes pass after pass;
//! [`dns_endpoint`] tells the objects what has become of their records, by [`status`].
//! [`dns_provider`] makes accounts of DNSProviders, and [`serve`] serves their zones to other
//! clusters.

mod backend;
pub mod cli;
pub mod command;
mod daemon;
pub mod dns_endpoint;
pub mod dns_provider;
mod metrics;
pub mod objects;
pub mod report;
pub mod selector;
pub mod serve;
mod settings;
mod show;
pub mod source;
mod sources;
pub mod status;
mod webhook;
