//! The server: it alone talks to the providers, for all clients.

mod peer;

pub use peer::Peer;
