//! Route 53's resource record sets and endpoints, from the one to the other and back.

use std::num::NonZeroU32;

use aws_sdk_route53::types::{AliasTarget, ResourceRecord, ResourceRecordSet, RrType};

use super::routing::{self, property, value};
use super::{presentation, service_zones};
use crate::{Endpoint, Name, Property, RecordType, ZoneId};

/// The TTL of records that are wanted without one, and the one that is told of alias
/// records, which have none: external-dns's, in seconds.
pub(super) const DEFAULT_TTL: u32 = 300;

/// Says that a set is an alias.
pub(super) const ALIAS: &str = "alias";
/// Whether an alias heeds the health of its target.
pub(super) const EVALUATE_TARGET_HEALTH: &str = "aws/evaluate-target-health";
/// The hosted zone of an alias's target.
pub(super) const TARGET_HOSTED_ZONE: &str = "aws/target-hosted-zone";

/// Why an endpoint is no record set of Route 53.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unwritable(pub String);

/// How endpoints become record sets of a zone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Writing<'a> {
    /// The zone's id; aliases without a zone have their target there.
    pub zone: &'a ZoneId,
    /// Whether aliases that do not say heed the health of their targets.
    pub evaluate_target_health: bool,
}

/// A set that Route 53 lists, as an endpoint. None of what nobody may change: the SOA
/// record, sets of a traffic policy, and names that the engine cannot have.
pub(super) fn listed(set: &ResourceRecordSet, zone: &ZoneId) -> Option<Endpoint> {
    if *set.r#type() == RrType::Soa || set.traffic_policy_instance_id().is_some() {
        return None;
    }
    let dns_name = presentation::name(set.name());
    Name::parse(&dns_name).ok()?;
    let mut properties = routing::properties(set);
    let ttl = set.ttl().and_then(|ttl| u32::try_from(ttl).ok());
    let mut ttl = ttl.and_then(NonZeroU32::new);
    let targets: Box<[Box<str>]> = if let Some(alias) = set.alias_target() {
        ttl = NonZeroU32::new(DEFAULT_TTL);
        properties.extend(alias_properties(alias, zone));
        let name = presentation::name(alias.dns_name()).to_ascii_lowercase();
        [name.into()].into()
    } else {
        let records = set.resource_records().iter();
        records.map(|record| record.value().into()).collect()
    };
    properties.sort_unstable();
    Some(Endpoint {
        dns_name: dns_name.into(),
        targets,
        record_type: RecordType::from(set.r#type().as_str()),
        set_identifier: set.set_identifier().unwrap_or_default().into(),
        ttl,
        provider_specific: properties.into(),
        ..Endpoint::default()
    })
}

/// What tells of an alias beside its name. Its hosted zone, only where that does not go
/// without saying: external-dns tells it nowhere.
fn alias_properties(alias: &AliasTarget, zone: &ZoneId) -> Vec<Property> {
    let health = alias.evaluate_target_health().to_string();
    let mut properties = vec![property(ALIAS, "true"), property(EVALUATE_TARGET_HEALTH, &health)];
    let stated = alias.hosted_zone_id();
    if stated != service_zones::zone_of(alias.dns_name()).unwrap_or(&zone.0) {
        properties.push(property(TARGET_HOSTED_ZONE, stated));
    }
    properties
}

impl Writing<'_> {
    /// The set that a wanted endpoint becomes.
    pub fn wanted(&self, endpoint: &Endpoint) -> Result<ResourceRecordSet, Unwritable> {
        routing::check(endpoint)?;
        if endpoint.targets.is_empty() {
            return Err(Unwritable("targets: at least one is required".into()));
        }
        self.set(endpoint, DEFAULT_TTL)
    }

    /// The set that a listed endpoint was, to the letter: one without a TTL has that of 0.
    pub fn known(&self, endpoint: &Endpoint) -> Result<ResourceRecordSet, Unwritable> {
        self.set(endpoint, 0)
    }

    fn set(&self, endpoint: &Endpoint, unset_ttl: u32) -> Result<ResourceRecordSet, Unwritable> {
        let record_type = endpoint.record_type.as_str();
        if !RrType::values().contains(&record_type) {
            return Err(Unwritable(format!(
                "recordType is {record_type:?}: Route 53 has {}",
                RrType::values().join(", ")
            )));
        }
        let name = endpoint.name().map_err(|error| Unwritable(error.to_string()))?;
        let identifier = &*endpoint.set_identifier;
        let mut set = ResourceRecordSet::builder()
            .name(name.as_str())
            .r#type(record_type.into())
            .set_set_identifier((!identifier.is_empty()).then(|| identifier.into()));
        set = routing::routed(endpoint, set)?;
        set = if is_alias(endpoint) {
            set.alias_target(self.alias(endpoint)?)
        } else {
            let ttl = endpoint.ttl.map_or(unset_ttl, NonZeroU32::get);
            set.ttl(ttl.into()).set_resource_records(Some(records(endpoint)?))
        };
        set.build().map_err(|error| Unwritable(error.to_string()))
    }

    fn alias(&self, endpoint: &Endpoint) -> Result<AliasTarget, Unwritable> {
        let [target] = &*endpoint.targets else {
            return Err(Unwritable("targets: an alias has one".into()));
        };
        let stated = value(endpoint, TARGET_HOSTED_ZONE).map(bare_zone_id);
        let zone = stated.or_else(|| service_zones::zone_of(target));
        let health = value(endpoint, EVALUATE_TARGET_HEALTH);
        let health = health.map_or(self.evaluate_target_health, is_true);
        let alias = AliasTarget::builder()
            .hosted_zone_id(zone.unwrap_or(&self.zone.0))
            .dns_name(&**target)
            .evaluate_target_health(health);
        alias.build().map_err(|error| Unwritable(error.to_string()))
    }
}

/// Whether an endpoint is an alias. Ownership records copy their record's properties, and
/// are none.
pub(super) fn is_alias(endpoint: &Endpoint) -> bool {
    endpoint.record_type != RecordType::Txt && value(endpoint, ALIAS).is_some_and(is_true)
}

/// Whether a property is true.
pub(super) fn is_true(text: &str) -> bool {
    text == "true"
}

/// A zone's id without what stands before it in lists.
pub(super) fn bare_zone_id(id: &str) -> &str {
    id.strip_prefix("/hostedzone/").unwrap_or(id)
}

fn records(endpoint: &Endpoint) -> Result<Vec<ResourceRecord>, Unwritable> {
    let is_text = matches!(endpoint.record_type.as_str(), "TXT" | "SPF");
    let records = endpoint.targets.iter().map(|target| {
        let value = if is_text {
            presentation::value(target)
        } else {
            String::from(&**target)
        };
        ResourceRecord::builder().value(value).build()
    });
    let records: Result<_, _> = records.collect();
    records.map_err(|error| Unwritable(error.to_string()))
}
