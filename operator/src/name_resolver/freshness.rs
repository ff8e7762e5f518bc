//! How long resolved addresses are good, and what is left when they are not.

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// For how long an address stays after it has expired: the lookup that is sent
/// then may still confirm it.
pub const GRACE: SignedDuration = SignedDuration::from_secs(5);

/// What is known of a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// How many addresses it has.
    pub addresses: usize,
    /// When the first of them expires.
    pub expiry: Option<Timestamp>,
}

impl Known {
    /// What two objects know of the same name.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            addresses: self.addresses.max(other.addresses),
            expiry: earlier(self.expiry, other.expiry),
        }
    }
}

/// A DNSNameResolver, as far as it matters when its addresses expire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// The name it is for and every name that was resolved for it: a wildcard is
    /// asked for like any other name.
    pub names: Vec<(String, Known)>,
    /// When the first address has to go.
    pub stale_at: Option<Timestamp>,
}

impl Resolved {
    /// Reads it from the object.
    #[must_use]
    pub fn of(object: &Value) -> Self {
        let mut resolved = Self::default();
        if let Some(name) = object["spec"]["name"].as_str() {
            resolved.names.push((name.to_owned(), Known::default()));
        }
        for entry in entries(object) {
            let Some(name) = entry["dnsName"].as_str() else {
                continue;
            };
            let mut known = Known::default();
            for address in addresses(entry) {
                known.addresses += 1;
                known.expiry = earlier(known.expiry, expiry(address));
            }
            resolved.stale_at = earlier(resolved.stale_at, known.expiry.map(stale_at));
            resolved.names.push((name.to_owned(), known));
        }
        resolved
    }
}

/// The `status.resolvedNames` that is left of an object without the addresses whose
/// grace is over. Nothing when all may stay; a name without addresses stays too.
#[must_use]
pub fn without_stale(object: &Value, now: Timestamp) -> Option<Value> {
    let is_stale = |address: &Value| expiry(address).is_some_and(|expiry| stale_at(expiry) <= now);
    if !entries(object).flat_map(addresses).any(is_stale) {
        return None;
    }
    let mut names = object["status"]["resolvedNames"].clone();
    for entry in names.as_array_mut().into_iter().flatten() {
        if let Some(addresses) = entry.get_mut("resolvedAddresses").and_then(Value::as_array_mut) {
            addresses.retain(|address| !is_stale(address));
        }
    }
    Some(names)
}

fn entries(object: &Value) -> impl Iterator<Item = &Value> {
    object["status"]["resolvedNames"].as_array().into_iter().flatten()
}

fn addresses(entry: &Value) -> impl Iterator<Item = &Value> {
    entry["resolvedAddresses"].as_array().into_iter().flatten()
}

/// When an address expires.
fn expiry(address: &Value) -> Option<Timestamp> {
    let looked_up: Timestamp = address["lastLookupTime"].as_str()?.parse().ok()?;
    let ttl = SignedDuration::from_secs(address["ttlSeconds"].as_i64()?);
    Some(looked_up.checked_add(ttl).unwrap_or(Timestamp::MAX))
}

/// When an address has to go.
fn stale_at(expiry: Timestamp) -> Timestamp {
    expiry.checked_add(GRACE).unwrap_or(Timestamp::MAX)
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
