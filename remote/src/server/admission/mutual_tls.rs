//! Clients are who their certificates say.

use std::sync::Arc;

use records::cache::Clock;
use tonic::Extensions;

use super::{Admission, Refusal, Session};
use crate::server::peer::Peer;
use crate::server::token::Tokens;

/// Lets in whom the certificate of a connection stands for, as long as it is believed, and
/// takes tokens from the certificates that they were given to.
pub struct MutualTls {
    tokens: Tokens,
    clock: Arc<dyn Clock>,
}

impl MutualTls {
    /// With these tokens, which end by this clock.
    #[must_use]
    pub fn new(tokens: Tokens, clock: Arc<dyn Clock>) -> Self {
        Self { tokens, clock }
    }
}

impl Admission for MutualTls {
    fn admit(&self, extensions: &Extensions, namespace: &str) -> Result<(), Refusal> {
        peer(extensions)?.admit(namespace)
    }

    fn login(&self, extensions: &Extensions, session: &Session) -> Result<String, Refusal> {
        self.tokens.login(peer(extensions)?, session, self.clock.wall())
    }

    fn session(&self, extensions: &Extensions, token: &str) -> Result<Session, Refusal> {
        self.tokens.check(peer(extensions)?, token, self.clock.wall())
    }
}

fn peer(extensions: &Extensions) -> Result<&Peer, Refusal> {
    let unknown = || Refusal::Unknown("the client shows no certificate".to_owned());
    extensions.get().ok_or_else(unknown)
}
