//! `records serve`: the program, real DNS servers behind it, and clients before it that show
//! certificates.

mod bad_input;
mod cluster;
mod edge;
mod election;
mod files;
mod outage;
mod pods;
mod provider_away;
mod rollout;
mod shutdown;
pub mod stage;
