//! What a DNSProvider is told of its account.

use std::collections::BTreeSet;
use std::fmt::Display;

use api::{DnsProviderError, DnsProviderSpec, DnsProviderStatus, DnsRateLimit, DnsSelectionStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::problem::Problem;
use super::selection::Selection;
use crate::records::status::Status;

/// The state of an account that can be used.
pub const READY: &str = "Ready";
/// What is told of it, in Gardener's words.
const OPERATIONAL: &str = "provider operational";
/// The TTL, in seconds, of records that come without one, where nothing else is said:
/// Gardener's.
const DEFAULT_TTL: i64 = 300;
/// How many letters a message has at most.
const LONGEST_MESSAGE: usize = 1024;

/// What has become of a DNSProvider.
#[derive(Clone, Copy, Debug)]
pub struct Verdict<'a> {
    /// The generation of the specification.
    pub generation: i64,
    /// The specification; none where it cannot be understood.
    pub spec: Option<&'a DnsProviderSpec>,
    /// How often the account is called at most; none where nothing is known of it, or nothing
    /// holds it back.
    pub rate_limit: Option<DnsRateLimit>,
    /// What is used of the account, as far as that is known.
    pub selection: Option<&'a Selection>,
    /// Why the account cannot be used; none if it can.
    pub problem: Option<&'a Problem>,
}

/// The status after a verdict. While a problem lasts, the zones and domains stay as they were.
#[must_use]
pub fn status(old: &DnsProviderStatus, verdict: &Verdict<'_>, now: Timestamp) -> DnsProviderStatus {
    // The API server keeps whole seconds.
    let now = Time(Timestamp::from_second(now.as_second()).unwrap_or(now));
    let (domains, zones) = match verdict.selection {
        Some(selection) => (
            Some(lists(&selection.included_domains, &selection.excluded_domains)),
            Some(lists(
                selection.included_zones.iter().map(|id| &id.0),
                selection.excluded_zones.iter().map(|id| &id.0),
            )),
        ),
        None => (old.domains.clone(), old.zones.clone()),
    };
    let spec = verdict.spec;
    let mut next = DnsProviderStatus {
        default_ttl: spec
            .map(|spec| spec.default_ttl.unwrap_or(DEFAULT_TTL))
            .or(old.default_ttl),
        domains,
        last_error: verdict.problem.map(|problem| told(problem, old, &now)),
        last_operation: old.last_operation.clone(),
        last_update_time: old.last_update_time.clone(),
        message: Some(message(verdict)),
        observed_generation: Some(verdict.generation),
        rate_limit: verdict.rate_limit.or(verdict.problem.and(old.rate_limit)),
        state: Some(verdict.problem.map_or(READY, Problem::state).into()),
        zones,
    };
    if next.differs(old) {
        next.last_update_time = Some(now);
    }
    next
}

/// The error with the time since when it is so.
fn told(problem: &Problem, old: &DnsProviderStatus, now: &Time) -> DnsProviderError {
    let description = bounded(problem);
    let same = old
        .last_error
        .as_ref()
        .filter(|old| old.description == description);
    let since = same.and_then(|old| old.last_update_time.clone());
    DnsProviderError {
        description,
        last_update_time: Some(since.unwrap_or_else(|| now.clone())),
    }
}

fn message(verdict: &Verdict<'_>) -> String {
    if let Some(problem) = verdict.problem {
        return bounded(problem);
    }
    let foreign = verdict.selection.map(|selection| &selection.foreign);
    match foreign.filter(|foreign| !foreign.is_empty()) {
        None => OPERATIONAL.into(),
        Some(foreign) => {
            let names: Vec<&str> = foreign.iter().map(records::Name::as_str).collect();
            let names = names.join(", ");
            bounded(&format!("{OPERATIONAL}; in no zone of the account: {names}"))
        }
    }
}

fn bounded(text: &impl Display) -> String {
    let text = text.to_string();
    match text.char_indices().nth(LONGEST_MESSAGE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn lists<T: Display>(
    included: impl IntoIterator<Item = T>,
    excluded: impl IntoIterator<Item = T>,
) -> DnsSelectionStatus {
    DnsSelectionStatus {
        excluded: sorted(excluded),
        included: sorted(included),
    }
}

/// A sorted list; none of nothing.
fn sorted(texts: impl IntoIterator<Item = impl Display>) -> Option<Vec<String>> {
    let texts: BTreeSet<String> = texts.into_iter().map(|text| text.to_string()).collect();
    (!texts.is_empty()).then(|| texts.into_iter().collect())
}

impl Status for DnsProviderStatus {
    fn has_ours(&self) -> bool {
        self.state.is_some()
    }

    /// Times are no difference, nor is what Gardener's controller did.
    fn differs(&self, other: &Self) -> bool {
        let said = |status: &Self| {
            let error = status.last_error.clone();
            Self {
                last_error: error.map(|error| DnsProviderError {
                    last_update_time: None,
                    ..error
                }),
                last_operation: None,
                last_update_time: None,
                // Nothing is the same as no lists.
                domains: Some(status.domains.clone().unwrap_or_default()),
                zones: Some(status.zones.clone().unwrap_or_default()),
                ..status.clone()
            }
        };
        said(self) != said(other)
    }

    fn patch(&self) -> Value {
        let lists = |lists: &Option<DnsSelectionStatus>| {
            let lists = lists.clone().unwrap_or_default();
            json!({ "excluded": lists.excluded, "included": lists.included })
        };
        let error = self.last_error.as_ref().map(
            |error| json!({ "description": error.description, "lastUpdateTime": error.last_update_time }),
        );
        json!({
            "defaultTTL": self.default_ttl,
            "domains": lists(&self.domains),
            "lastError": error,
            "lastUpdateTime": self.last_update_time,
            "message": self.message,
            "observedGeneration": self.observed_generation,
            "rateLimit": self.rate_limit,
            "state": self.state,
            "zones": lists(&self.zones),
        })
    }
}
