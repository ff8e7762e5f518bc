//! The record engine against real servers.

mod rfc2136;
