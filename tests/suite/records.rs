//! External records.

mod admission;
mod definitions;
mod dns_endpoints;
mod selector;
mod status;
//! The record engine against real servers.

mod rfc2136;
