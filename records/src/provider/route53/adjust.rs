//! Wanted records as the zones will list them: what external-dns's provider makes of them.

use super::record_set::{
    ALIAS, EVALUATE_TARGET_HEALTH, TARGET_HOSTED_ZONE, Writing, bare_zone_id, is_true, listed,
};
use super::routing::value;
use super::{presentation, service_zones};
use crate::{Endpoint, RecordType, Zone, ZoneId};

/// By which rules.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules<'a> {
    /// Whether names of AWS's services stay CNAME records (`--aws-prefer-cname`).
    pub prefer_cname: bool,
    /// Whether aliases that do not say heed the health of their targets
    /// (`--aws-evaluate-target-health`).
    pub evaluate_target_health: bool,
    /// The zones, as far as they are known.
    pub zones: &'a [Zone],
}

/// Wanted records as they are listed once they are written. One that cannot be written
/// stays as it is: writing it tells why.
pub(super) fn adjusted(wanted: Vec<Endpoint>, rules: Rules<'_>) -> Vec<Endpoint> {
    wanted
        .into_iter()
        .flat_map(|endpoint| aliased(endpoint, rules.prefer_cname))
        .map(|endpoint| rules.canonical(endpoint))
        .collect()
}

/// Record sets that a wanted one becomes: a CNAME record that is an alias is two of
/// addresses.
fn aliased(mut endpoint: Endpoint, prefer_cname: bool) -> Vec<Endpoint> {
    let stated = value(&endpoint, ALIAS).map(ToOwned::to_owned);
    match endpoint.record_type {
        RecordType::A | RecordType::Aaaa if stated.as_deref().is_some_and(is_true) => return vec![endpoint],
        RecordType::Cname => {
            let service = endpoint
                .targets
                .first()
                .and_then(|target| service_zones::zone_of(target));
            let types: &[RecordType] = match stated.as_deref() {
                Some("A") => &[RecordType::A],
                Some("AAAA") => &[RecordType::Aaaa],
                Some("true") => &[RecordType::A, RecordType::Aaaa],
                None if service.is_some() && !prefer_cname => &[RecordType::A, RecordType::Aaaa],
                _ => &[],
            };
            if !types.is_empty() {
                let alias = |record_type: &RecordType| with_alias(&endpoint, record_type);
                return types.iter().map(alias).collect();
            }
        }
        _ => {}
    }
    // Nothing of an alias has a meaning for it.
    let mut properties = endpoint.provider_specific.into_vec();
    properties
        .retain(|property| ![ALIAS, EVALUATE_TARGET_HEALTH, TARGET_HOSTED_ZONE].contains(&&*property.name));
    endpoint.provider_specific = properties.into();
    vec![endpoint]
}

fn with_alias(endpoint: &Endpoint, record_type: &RecordType) -> Endpoint {
    let mut alias = endpoint.clone();
    alias.record_type = record_type.clone();
    let mut properties = alias.provider_specific.into_vec();
    properties.retain(|property| &*property.name != ALIAS);
    properties.push(super::routing::property(ALIAS, "true"));
    alias.provider_specific = properties.into();
    alias
}

impl Rules<'_> {
    fn canonical(&self, mut endpoint: Endpoint) -> Endpoint {
        if endpoint.record_type == RecordType::Txt {
            let targets = endpoint.targets.iter();
            let texts: Option<Box<[Box<str>]>> = targets
                .map(|target| presentation::text(target).map(Into::into))
                .collect();
            endpoint.targets = texts.unwrap_or(endpoint.targets);
        }
        // What is said of a target's zone is compared with the zone of the name.
        let stated = value(&endpoint, TARGET_HOSTED_ZONE).map(bare_zone_id);
        let own = endpoint.name().ok().and_then(|name| {
            let at_home = |zone: &&Zone| name.is_within(&zone.name) && stated == Some(&zone.id.0);
            self.zones.iter().find(at_home)
        });
        let nowhere = ZoneId(Box::default());
        let zone = own.map_or(&nowhere, |zone| &zone.id);
        let writing = Writing {
            zone,
            evaluate_target_health: self.evaluate_target_health,
        };
        // What has no TTL stays without, so that none of theirs is changed for it.
        let ttl = endpoint.ttl;
        let set = writing.wanted(&endpoint).ok();
        match set.and_then(|set| listed(&set, zone)) {
            Some(canonical) => Endpoint {
                labels: endpoint.labels,
                ttl: ttl.and(canonical.ttl),
                ..canonical
            },
            None => endpoint,
        }
    }
}
