//! External records against real servers: API servers, DNS servers, external-dns.

mod admission;
mod cloudflare;
mod definitions;
mod dns_endpoints;
mod guide;
mod rfc2136;
mod selector;
mod status;
mod webhook;
