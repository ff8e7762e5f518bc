//! External records against real servers: API servers, DNS servers, external-dns.

mod admission;
mod batches;
mod cloudflare;
mod definitions;
mod dns_endpoints;
mod guide;
mod plans;
mod rfc2136;
mod route53;
mod selector;
mod status;
mod webhook;
