//! Any existing external-dns webhook provider as a [`Provider`].
//!
//! The protocol knows no zones, so all records are in one zone whose name is the root. It
//! tells no outcome of single changes: a set that is refused (a 4xx status) is halved until
//! what is refused stands alone; after anything else but 204 nobody knows what was written.
//! Nor does it tell whether anything has changed, so only a full read confirms a zone. A
//! provider that answers 204 for what it passed over is believed until then.

mod exchange;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::BoxFuture;
use thiserror::Error;
use tokio::sync::OnceCell;
use tokio::time::sleep;
use url::Url;

use crate::provider::Confirmation;
use crate::webhook::{ADJUST_ENDPOINTS, ChangeSet, MEDIA_TYPE, OWNED_RECORD, RECORDS, decode};
use crate::{
    Change, DomainFilter, Endpoint, Group, Name, Outcome, Provider, ProviderError, RecordType, Zone, ZoneId,
    ZoneRecords,
};

use exchange::Exchange;

/// How often the negotiation is tried, as external-dns does.
const TRIES: u32 = 5;

/// What the client is told. The defaults are external-dns's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where the provider is, `--webhook-provider-url`. A path is kept, as a base.
    pub url: Url,
    /// `--webhook-provider-read-timeout`; a request may take this and the next together.
    pub read_timeout: Duration,
    /// `--webhook-provider-write-timeout`.
    pub write_timeout: Duration,
    /// The longest answer that is read, in octets: `--webhook-provider-max-body-size`. None is no
    /// limit.
    pub max_body_size: Option<usize>,
    /// The first pause between two tries to negotiate; each is half as long again as the one
    /// before.
    pub retry_pause: Duration,
}

impl Settings {
    /// The defaults, for a provider at an address such as `http://localhost:8888`.
    #[must_use]
    pub fn new(url: Url) -> Self {
        Self {
            url,
            read_timeout: Duration::from_secs(5),
            write_timeout: Duration::from_secs(10),
            max_body_size: Some(32 * 1024 * 1024),
            retry_pause: Duration::from_millis(500),
        }
    }
}

/// Why there is no client.
#[derive(Debug, Error)]
pub enum InvalidSettings {
    /// Another scheme than HTTP, or no host.
    #[error("{0} is not the address of a webhook provider: http://HOST or https://HOST is needed")]
    Address(Url),
    /// No HTTP client can be made on this machine.
    #[error("making an HTTP client: {0}")]
    Client(#[from] reqwest::Error),
}

/// An external-dns webhook provider.
pub struct Webhook {
    exchange: Exchange,
    retry_pause: Duration,
    zone: Zone,
    filter: OnceCell<DomainFilter>,
}

impl Webhook {
    /// A client. Nothing is sent before it is first asked.
    pub fn new(settings: &Settings) -> Result<Self, InvalidSettings> {
        let exchange = Exchange::new(settings)?;
        Ok(Self {
            zone: Zone {
                id: ZoneId(exchange.address().into()),
                name: Name::default(),
            },
            exchange,
            retry_pause: settings.retry_pause,
            filter: OnceCell::new(),
        })
    }

    /// Which names the provider takes. It is asked once; when it does not answer, or with
    /// a 5xx status, up to five times, and then again with the next call.
    pub async fn domain_filter(&self) -> Result<&DomainFilter, ProviderError> {
        self.filter.get_or_try_init(async || self.negotiate().await).await
    }

    async fn negotiate(&self) -> Result<DomainFilter, ProviderError> {
        let mut pause = self.retry_pause;
        let mut tries = 1;
        let answer = loop {
            match self.exchange.get("").await {
                Err(failure) if failure.passes() && tries < TRIES => {
                    sleep(pause).await;
                    pause = pause * 3 / 2;
                    tries += 1;
                }
                answer => break answer?,
            }
        };
        if answer.media_type.as_deref() != Some(MEDIA_TYPE) {
            let found = answer.media_type.unwrap_or_else(|| "none".into());
            return Err(ProviderError::Malformed(format!(
                "{} speaks no webhook protocol that is known here: its Content-Type is {found}, not {MEDIA_TYPE}",
                self.exchange.address()
            )));
        }
        let filter = decode(&answer.body);
        filter.map_err(|error| ProviderError::Malformed(format!("its domain filter cannot be read: {error}")))
    }

    async fn records(&self) -> Result<Vec<Endpoint>, ProviderError> {
        self.domain_filter().await?;
        let answer = self.exchange.get(RECORDS).await?;
        let records = decode(&answer.body);
        records.map_err(|error| ProviderError::Malformed(format!("its records cannot be read: {error}")))
    }

    /// Sends the changes of some groups in one set.
    async fn send(&self, groups: &[Group]) -> Outcome {
        let body = match serde_json::to_vec(&change_set(groups)) {
            Ok(body) => body,
            Err(error) => {
                return Outcome::Rejected {
                    reason: error.to_string(),
                };
            }
        };
        match self.exchange.post(RECORDS, body).await {
            Ok(answer) if answer.status == 204 => Outcome::Applied { written: None },
            Ok(answer) => Outcome::Unknown {
                reason: format!("status {}, not 204", answer.status),
            },
            Err(failure) => failure.outcome(),
        }
    }

    async fn apply_halving(&self, groups: &[Group]) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(groups.len());
        // What is still to be sent, the first on top.
        let mut pending = vec![groups];
        while let Some(set) = pending.pop() {
            match self.send(set).await {
                Outcome::Rejected { .. } if set.len() > 1 => {
                    let (first, second) = set.split_at(set.len() / 2);
                    pending.extend([second, first]);
                }
                outcome => {
                    let down = matches!(outcome, Outcome::Postponed { .. } | Outcome::Unknown { .. });
                    outcomes.extend(std::iter::repeat_n(outcome, set.len()));
                    if down {
                        break;
                    }
                }
            }
        }
        outcomes.resize_with(groups.len(), || {
            Outcome::postponed("the provider failed before its turn")
        });
        outcomes
    }
}

impl Provider for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn zones(&self) -> BoxFuture<'_, Result<Vec<Zone>, ProviderError>> {
        Box::pin(async {
            self.domain_filter().await?;
            Ok(vec![self.zone.clone()])
        })
    }

    fn read<'a>(&'a self, _: &'a Zone) -> BoxFuture<'a, Result<ZoneRecords, ProviderError>> {
        Box::pin(async {
            let records = self.records().await?;
            Ok(ZoneRecords {
                records: records.into_iter().collect(),
                version: None,
            })
        })
    }

    fn read_names<'a>(
        &'a self,
        _: &'a Zone,
        names: &'a [Name],
    ) -> BoxFuture<'a, Result<Vec<Endpoint>, ProviderError>> {
        Box::pin(async move {
            let names: BTreeSet<&Name> = names.iter().collect();
            let mut records = self.records().await?;
            records.retain(|record| record.name().is_ok_and(|name| names.contains(&name)));
            Ok(records)
        })
    }

    fn confirm<'a>(
        &'a self,
        _: &'a Zone,
        _: &'a ZoneRecords,
    ) -> BoxFuture<'a, Result<Confirmation, ProviderError>> {
        Box::pin(async { Ok(Confirmation::ReadAgain) })
    }

    fn apply<'a>(&'a self, _: &'a Zone, groups: &'a [Group]) -> BoxFuture<'a, Vec<Outcome>> {
        Box::pin(async move {
            if groups.is_empty() {
                return Vec::new();
            }
            match self.domain_filter().await {
                Ok(_) => self.apply_halving(groups).await,
                Err(error) => vec![Outcome::postponed_by(&error, error.to_string()); groups.len()],
            }
        })
    }

    fn adjust(&self, wanted: Vec<Endpoint>) -> BoxFuture<'_, Result<Vec<Endpoint>, ProviderError>> {
        Box::pin(async move {
            self.domain_filter().await?;
            let body = serde_json::to_vec(&wanted);
            drop(wanted);
            let body = body.map_err(|error| ProviderError::Malformed(error.to_string()))?;
            let answer = self.exchange.post(ADJUST_ENDPOINTS, body).await?;
            if answer.status != 200 {
                return Err(ProviderError::Malformed(format!(
                    "{ADJUST_ENDPOINTS} is answered with status {}, not 200",
                    answer.status
                )));
            }
            let adjusted = decode(&answer.body);
            adjusted.map_err(|error| {
                ProviderError::Malformed(format!("its adjusted endpoints cannot be read: {error}"))
            })
        })
    }
}

fn change_set(groups: &[Group]) -> ChangeSet<Cow<'_, Endpoint>> {
    let mut set = ChangeSet::default();
    for group in groups {
        for change in &group.changes {
            match change {
                Change::Create(new) => set.create.push(with_owner(new, &group.name)),
                Change::Update { old, new } => {
                    set.update_old.push(with_owner(old, &group.name));
                    set.update_new.push(with_owner(new, &group.name));
                }
                Change::Delete(old) => set.delete.push(with_owner(old, &group.name)),
            }
        }
    }
    set
}

/// Tells of a group's ownership records what they are for, as external-dns does: providers keep
/// them in one batch.
fn with_owner<'a>(endpoint: &'a Endpoint, owner: &Name) -> Cow<'a, Endpoint> {
    let is_companion = endpoint.record_type == RecordType::Txt
        && !endpoint.labels.contains_key(OWNED_RECORD)
        && endpoint.name().is_ok_and(|name| name != *owner);
    if !is_companion {
        return Cow::Borrowed(endpoint);
    }
    let mut endpoint = endpoint.clone();
    endpoint.labels.insert(OWNED_RECORD.into(), owner.as_str().into());
    Cow::Owned(endpoint)
}
