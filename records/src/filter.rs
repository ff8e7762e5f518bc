//! What is looked at and what is left alone: names, types and zones.

mod domain;
mod record_types;
mod zone_id;

pub use domain::{DomainFilter, Domains, InvalidFilter};
pub use record_types::ManagedTypes;
pub use zone_id::ZoneIdFilter;
