//! The server: it alone talks to the providers, for all clients.

pub mod credentials;
pub mod listener;
pub mod peer;
pub mod token;

pub use credentials::Credentials;
pub use peer::Peer;
pub use token::Tokens;
