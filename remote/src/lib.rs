//! The remote provider: a server that alone talks to a DNS provider and keeps its zones,
//! and the clients that many clusters have of it. Knows no Kubernetes.

pub mod client;
pub mod protocol;
pub mod revision;
pub mod server;
