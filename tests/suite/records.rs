//! External records.

mod admission;
mod definitions;
mod dns_endpoints;
mod selector;
mod status;
