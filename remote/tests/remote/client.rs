//! The client against the real server, over mutual TLS on real ports.

mod changes;
mod faults;
mod gardeners;
mod lists;
mod secrets;
mod stage;
mod standby;
mod states;
