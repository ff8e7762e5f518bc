//! The controller of DNSProviders, Gardener's accounts at DNS providers
//! (`dns.gardener.cloud/v1alpha1`).
//!
//! The objects are followed as all are, their Secrets by [`secrets`], or both are in [`files`]
//! ([`origin`]). Of a specification and a Secret [`settings`] makes those of a provider of the
//! engine; [`account`] calls it, with a cache before it, for its zones, when [`listing`] says;
//! [`selection`] tells which of them are used, and [`status`] what the object is told. What was
//! known of an account stays in [`listings`] while it cannot be asked, and settings that could
//! be used in [`last_good`] while others cannot. [`controller`] has [`inspector`] do it all again
//! whenever something changes, and hands out the accounts that can be used: to the central
//! server, and by [`zone_union`] to the engine.

pub mod account;
pub mod cli;
pub mod controller;
pub mod files;
mod finding;
mod inspector;
mod journal;
mod last_good;
mod leftovers;
pub mod listing;
mod listings;
pub mod object;
mod origin;
pub mod place;
pub mod problem;
mod routes;
pub mod secret;
mod secrets;
pub mod selection;
pub mod settings;
pub mod status;
pub mod usable;
pub mod zone_union;
