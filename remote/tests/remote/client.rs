//! The client against the real server, over mutual TLS on real ports.

mod adjusting;
mod changes;
mod faults;
mod gardeners;
mod lists;
mod nonsense;
mod secrets;
mod stage;
mod standby;
mod states;
mod wire;
