//! The zone cache, before a provider in memory.

mod counting;
mod disk;
mod faults;
mod killed;
mod model;
mod objections;
mod rotation;
mod traps;
pub mod world;
