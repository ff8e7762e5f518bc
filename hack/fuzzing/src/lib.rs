//! Messages that no client would send to a remote provider's server, nor a server to its
//! client, and what may come of them: for the tests of the protocols, and for `hack/soak
//! messages`, which tries them by the million.
//!
//! [`octets`] draws octets at random and valid messages of which some octets are others.
//! [`judge`] hands them to all decoders of both protocols.

mod changes;
mod judgement;
mod messages;
pub mod octets;
mod zones;

pub use judgement::{Tally, judge};
