//! External records against real servers: API servers, DNS servers, external-dns.

mod accounts;
mod admission;
mod bad_input;
mod batches;
mod central;
mod cloudflare;
mod daemon;
mod definitions;
mod dns_endpoints;
mod dns_provider;
mod guide;
mod metrics;
mod plans;
mod pod;
mod rfc2136;
mod route53;
mod run;
mod selector;
mod serve;
mod show;
mod status;
mod webhook;
