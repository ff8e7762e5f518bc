//! The record engine: given records, makes the zones at a DNS provider agree with them.
//!
//! The path of data: wanted [`Endpoint`]s and what a zone holds are planned into
//! [`Change`]s, which are put into [`Group`]s and handed to a [`Provider`]; the
//! [`Outcome`] of each goes into the zone cache. Knows no Kubernetes.

pub mod batch;
pub mod cache;
mod change;
mod endpoint;
pub mod engine;
mod filter;
mod json;
mod labels;
mod name;
pub mod ownership;
pub mod pace;
pub mod plan;
pub mod provider;
pub mod record_list;
mod record_type;
pub mod source;
pub mod target;
pub mod verdict;
pub mod webhook;
mod zone;
mod zone_file;

pub use change::{Change, Group, Outcome};
pub use endpoint::{Endpoint, Fault, OWNER_LABEL, Property, RECORD_IDS_LABEL, RESOURCE_LABEL, RecordKey};
pub use filter::{DomainFilter, Domains, InvalidFilter, ManagedTypes, ZoneIdFilter};
pub use labels::Labels;
pub use name::{InvalidName, Name};
pub use plan::{Plan, plan};
pub use provider::{Provider, ProviderError};
pub use record_list::RecordList;
pub use record_type::RecordType;
pub use zone::{Zone, ZoneId, ZoneRecords, ZoneVersion};
