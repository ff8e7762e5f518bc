//! A stand-in for Cloudflare's API v4: zones, records, batches as transactions, limits,
//! rights, custom and regional hostnames. It answers as far as external-dns and the record
//! engine ask.
//!
//! Its codes and words are those that people have reported of Cloudflare. Nobody has told
//! how Cloudflare words a batch of too many operations: here it is [`Account::too_many`].

mod account;
mod batch;
mod faults;
mod hostnames;
mod http_server;
mod listing;
mod record;
mod request;
mod zone;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::AbortHandle;

pub use self::account::{Account, Plan, TOKEN};
pub use self::faults::Fault;
pub use self::record::Record;
pub use self::request::Kind;

/// The stand-in, served at a port. Dropping it ends it.
pub struct Cloudflare {
    address: SocketAddr,
    account: Arc<Mutex<Account>>,
    task: AbortHandle,
}

impl Cloudflare {
    /// Serves an account with zones, at an address; port 0 is any that is free.
    pub async fn start_at(address: SocketAddr, zones: &[(&str, Plan)]) -> io::Result<Self> {
        let account = Arc::new(Mutex::new(Account::new(zones)));
        let (address, task) = http_server::start(address, Arc::clone(&account)).await?;
        Ok(Self {
            address,
            account,
            task,
        })
    }

    /// Serves an account with zones.
    pub async fn start(zones: &[(&str, Plan)]) -> io::Result<Self> {
        Self::start_at(([127, 0, 0, 1], 0).into(), zones).await
    }

    /// Where it is, as `CLOUDFLARE_BASE_URL` has it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/client/v4/", self.address)
    }

    /// What is there; nobody is answered while this is held.
    pub fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Cloudflare {
    fn drop(&mut self) {
        self.task.abort();
    }
}
