//! DNSProviders: what is made of them and of their Secrets, and the controller on a real API
//! server with a real Knot.

mod controller;
mod last_good;
mod listing;
mod object;
mod remote;
mod selection;
mod settings;
mod stage;
mod status;
mod zone_union;
