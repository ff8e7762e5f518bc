//! How many connections there are, and whose.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use thiserror::Error;

use super::Bounds;

/// The SHA-256 of a client's certificate.
type Fingerprint = [u8; 32];

/// The connections that there are.
#[derive(Debug)]
pub(super) struct Crowd {
    bounds: Bounds,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    /// None is 0.
    of_certificates: BTreeMap<Fingerprint, usize>,
}

/// What a connection holds for as long as it is there.
#[derive(Debug)]
pub(super) struct Place {
    crowd: Arc<Crowd>,
    fingerprint: Fingerprint,
}

/// There is no place for a connection.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(super) enum Full {
    #[error("there are {0} connections, which is the most")]
    All(usize),
    #[error("there are {0} connections with this certificate, which is the most")]
    OfCertificate(usize),
}

impl Crowd {
    pub fn new(bounds: Bounds) -> Arc<Self> {
        Arc::new(Self {
            bounds,
            counts: Mutex::default(),
        })
    }

    /// A place for a connection with this certificate.
    pub fn enter(self: &Arc<Self>, fingerprint: Fingerprint) -> Result<Place, Full> {
        let mut counts = self.counts();
        if counts.all >= self.bounds.connections {
            return Err(Full::All(counts.all));
        }
        let of_certificate = counts.of_certificates.entry(fingerprint).or_default();
        if *of_certificate >= self.bounds.of_certificate {
            return Err(Full::OfCertificate(*of_certificate));
        }
        *of_certificate += 1;
        counts.all += 1;
        Ok(Place {
            crowd: Arc::clone(self),
            fingerprint,
        })
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.crowd.counts();
        counts.all -= 1;
        if let Some(count) = counts.of_certificates.get_mut(&self.fingerprint) {
            *count -= 1;
            if *count == 0 {
                counts.of_certificates.remove(&self.fingerprint);
            }
        }
    }
}
