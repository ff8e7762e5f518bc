//! Zones at Cloudflare, as its stand-in has it.

mod bad_input;
mod batches;
mod hostnames;
mod lists;
mod stage;
mod writes;
