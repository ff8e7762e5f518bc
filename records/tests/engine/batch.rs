//! Many changes in one call.

mod answers;
mod desk;
mod pace;
mod packing;
mod passes;
mod quarantine;
mod search;
