//! The client: the zones of a server, as a provider.

pub mod access;
mod connection;

pub use access::Access;
pub use connection::connect;
