//! Cluster DNS: from a DNS resource to running pods.

pub mod cluster;
pub mod config;
pub mod corefile;
pub mod inputs;
pub mod names;
pub mod objects;
pub mod tls_profile;
