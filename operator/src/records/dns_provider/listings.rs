//! What is known of the zones of each account that is used, and which of them are being asked.

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use records::{ProviderError, Zone};
use tokio::sync::watch as channel;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

use super::account::Account;
use super::listing::Listing;

/// The zones of the accounts that are used, by the names of these.
pub(super) struct Listings {
    listed: BTreeMap<String, Listed>,
    news: JoinSet<News>,
    /// How often each account is asked.
    interval: Duration,
    start: Instant,
}

/// What there is to be heard of an account, by its name.
enum News {
    /// Its zones.
    Answer(String, Result<Vec<Zone>, ProviderError>),
    /// That its server tells by itself what changes, or does so no more.
    Heard(String, channel::Receiver<bool>),
}

/// The zones of an account.
struct Listed {
    account: Arc<Account>,
    listing: Listing,
    /// When what is used was known for certain, while the account cannot be asked.
    known_at: Option<Timestamp>,
    asking: Option<AbortHandle>,
    hearing: Option<AbortHandle>,
}

impl Drop for Listed {
    fn drop(&mut self) {
        for task in [&self.asking, &self.hearing].into_iter().flatten() {
            task.abort();
        }
    }
}

impl Listings {
    pub fn new(interval: Duration) -> Self {
        Self {
            listed: BTreeMap::new(),
            news: JoinSet::new(),
            interval,
            start: Instant::now(),
        }
    }

    /// What is known of an account; one that is new has what was kept of it, and is to be asked.
    pub fn of(&mut self, account: &Arc<Account>) -> &Listing {
        let (news, now) = (&mut self.news, self.start.elapsed());
        let listed = self.listed.entry(account.name.clone());
        let listed = listed.or_insert_with(|| Listed {
            account: Arc::clone(account),
            listing: Listing::new(account.last_zones(), now),
            known_at: None,
            asking: None,
            hearing: account
                .heard()
                .map(|heard| hear(news, account.name.clone(), heard)),
        });
        &listed.listing
    }

    /// The zones of an account, as far as they are known.
    pub fn zones(&self, account: &str) -> Option<Arc<[Zone]>> {
        self.listed.get(account)?.listing.zones.clone()
    }

    /// Why the zones of an account cannot be listed, and how old then is what is used; none if
    /// they can.
    pub fn failure(&self, account: &str) -> Option<String> {
        let listed = self.listed.get(account)?;
        let failure = listed.listing.failure.as_ref()?;
        Some(match (&listed.listing.zones, listed.known_at) {
            (None, _) => failure.to_string(),
            (Some(_), None) => format!("{failure}; what was known before stays in use"),
            (Some(_), Some(at)) => format!("{failure}; what was known at {at} stays in use"),
        })
    }

    /// Has an account be asked at once, unless it wants to be left alone.
    pub fn hasten(&mut self, account: &str) {
        let now = self.start.elapsed();
        if let Some(listed) = self.listed.get_mut(account) {
            listed.listing.hasten(now);
        }
    }

    /// Forgets the accounts that are not among these.
    pub fn retain(&mut self, used: &BTreeSet<String>) {
        self.listed.retain(|account, _| used.contains(account));
    }

    /// Asks the accounts whose time it is.
    pub fn ask(&mut self) {
        let now = self.start.elapsed();
        for listed in self.listed.values_mut() {
            if listed.asking.is_none() && listed.listing.due() <= now {
                let account = Arc::clone(&listed.account);
                let asking = async move { News::Answer(account.name.clone(), account.zones().await) };
                listed.asking = Some(self.news.spawn(asking));
            }
        }
    }

    /// When the next account is to be asked; none if none is.
    pub fn due(&self) -> Option<Instant> {
        let idle = self.listed.values().filter(|listed| listed.asking.is_none());
        idle.map(|listed| self.start + listed.listing.due()).min()
    }

    /// Waits for news, and takes them in.
    pub async fn change(&mut self) {
        match self.news.join_next().await {
            Some(Ok(News::Answer(account, answer))) => self.take(&account, answer),
            Some(Ok(News::Heard(account, heard))) => self.take_heard(account, heard),
            // One that was given up says nothing.
            Some(Err(_)) => {}
            None => pending().await,
        }
    }

    /// Takes in what an account said.
    fn take(&mut self, account: &str, answer: Result<Vec<Zone>, ProviderError>) {
        if let Err(error) = &answer {
            tracing::warn!(account, "the zones cannot be listed: {error}");
        }
        let Some(listed) = self.listed.get_mut(account) else {
            return;
        };
        listed.known_at = match &answer {
            Ok(_) => None,
            // It is told once: at rest nothing else is to be told.
            Err(_) if listed.listing.failure.is_some() => listed.known_at,
            Err(_) => listed.account.age().and_then(ago),
        };
        listed.asking = None;
        listed.listing.take(answer, self.start.elapsed(), self.interval);
    }

    /// A server that is not heard any more may be away, and one that is heard is back.
    fn take_heard(&mut self, account: String, mut heard: channel::Receiver<bool>) {
        let is_heard = *heard.borrow_and_update();
        let now = self.start.elapsed();
        let Some(listed) = self.listed.get_mut(&account) else {
            return;
        };
        if !is_heard || listed.listing.failure.is_some() {
            // What it is about to say may be of before.
            if let Some(asking) = listed.asking.take() {
                asking.abort();
            }
            listed.listing.hasten(now);
        }
        listed.hearing = Some(hear(&mut self.news, account, heard));
    }
}

/// Waits for an account to be heard, or to be heard no more.
fn hear(news: &mut JoinSet<News>, account: String, mut heard: channel::Receiver<bool>) -> AbortHandle {
    news.spawn(async move {
        if heard.changed().await.is_err() {
            // The account is given up, and so will this be.
            pending::<()>().await;
        }
        News::Heard(account, heard)
    })
}

/// A moment of the past in whole seconds, none that is later.
fn ago(age: Duration) -> Option<Timestamp> {
    let moment = Timestamp::now().checked_sub(age).ok()?;
    Timestamp::from_second(moment.as_second()).ok()
}
