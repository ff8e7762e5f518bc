//! External records: what stands around the engine of the crate `records` in a cluster.
//!
//! [`source`] follows the objects that want records, [`dns_endpoint`] tells them what has
//! become of those.

pub mod dns_endpoint;
pub mod selector;
pub mod source;
