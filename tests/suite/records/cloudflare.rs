//! Cloudflare, as its stand-in has it: for the engine and for a stock external-dns.

mod bad_input;
mod batches;
mod external_dns;
mod hostnames;
mod lists;
mod stage;
mod writes;
