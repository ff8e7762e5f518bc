//! The zone cache, before a provider in memory.

mod comparing;
mod counting;
mod disk;
mod faults;
mod killed;
mod large;
mod listing;
mod model;
mod objections;
mod rotation;
mod traps;
pub mod world;
