//! The server: it alone talks to the providers, for all clients.
//!
//! A [`Catalogue`] tells which zones each namespace may use. A zone is published as its cache
//! holds it, and changed in the order of a queue in which namespaces take turns; both
//! protocols, `gardener` and `zones`, read from the one and write through the other.
//! [`Services`] is what a listener serves, or [`Standby`] while another server does.

mod account;
pub mod admission;
mod catalogue;
mod central;
pub mod credentials;
mod gardener;
pub mod listener;
mod metrics;
mod pacing;
pub mod peer;
pub mod publication;
mod queue;
mod quota;
mod services;
mod standby;
mod status;
pub mod token;
mod transport;
mod zone;
mod zones;

pub use account::Account;
pub use admission::Admission;
pub use catalogue::{Awaited, Catalogue, Namespace, NamespaceZone, Offer, OfferedZone};
pub use central::{Central, Settings};
pub use credentials::Credentials;
pub use metrics::{Figures, NamespaceFigures};
pub use peer::Peer;
pub use queue::{Limits, Overload, Work};
pub use quota::Quota;
pub use services::Services;
pub use standby::Standby;
pub use token::Tokens;
pub use zone::ServedZone;
