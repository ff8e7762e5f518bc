//! The hosted zones of an account.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_route53::types::{HostedZone, HostedZoneConfig, TagResourceType};

use super::account::Account;
use super::failure::Failure;
use super::presentation;
use super::record_set::bare_zone_id;
use super::settings::{Settings, ZoneType};
use crate::{Name, ProviderError, Zone, ZoneId};

/// How many zones are asked for their tags at once (Route 53, ListTagsForResources).
const TAG_PAGE: usize = 10;

/// The zones that are kept, as they were listed last.
#[derive(Clone, Debug, Default)]
pub(super) struct Zones {
    /// All of them.
    pub zones: Vec<Zone>,
    /// Names that several zones have, and why none of those is kept.
    pub twins: BTreeMap<Name, String>,
}

impl Zones {
    /// Why a zone cannot be kept; none if it can.
    pub(super) fn trouble(&self, zone: &Zone) -> Option<ProviderError> {
        let reason = self.twins.get(&zone.name)?;
        Some(ProviderError::Denied(reason.clone()))
    }
}

/// Lists the zones that the filters let through.
pub(super) async fn list(account: &Account, settings: &Settings) -> Result<Zones, Failure> {
    let mut kept: Vec<HostedZone> = all(account).await?;
    kept.retain(|zone| passes(zone, settings));
    if !settings.zone_tags.is_empty() {
        kept = tagged(account, settings, kept).await?;
    }
    let mut found: Vec<(Zone, bool)> = Vec::with_capacity(kept.len());
    for zone in &kept {
        match Name::parse(&presentation::name(zone.name())) {
            Ok(name) => found.push((
                Zone {
                    id: ZoneId(bare_zone_id(zone.id()).into()),
                    name,
                },
                is_private(zone),
            )),
            Err(error) => tracing::warn!(zone = zone.id(), "the zone is left out: {error}"),
        }
    }
    Ok(Zones {
        twins: twins(&found),
        zones: found.into_iter().map(|(zone, _)| zone).collect(),
    })
}

/// All zones of the account.
pub(super) async fn all(account: &Account) -> Result<Vec<HostedZone>, Failure> {
    let mut zones = Vec::new();
    let mut marker = None::<String>;
    loop {
        let page = account
            .read(|client| {
                let call = client.list_hosted_zones().set_marker(marker.clone());
                Box::pin(call.send())
            })
            .await?;
        zones.extend(page.hosted_zones);
        match page.next_marker {
            Some(next) if page.is_truncated => marker = Some(next),
            None if page.is_truncated => return Err(Failure::Garbled("the list of zones is cut off".into())),
            _ => return Ok(zones),
        }
    }
}

fn passes(zone: &HostedZone, settings: &Settings) -> bool {
    let id = ZoneId(zone.id().into());
    let seen = if is_private(zone) {
        ZoneType::Private
    } else {
        ZoneType::Public
    };
    settings.zone_ids.matches(&id) && settings.zone_type.is_none_or(|wanted| wanted == seen)
}

fn is_private(zone: &HostedZone) -> bool {
    zone.config().is_some_and(HostedZoneConfig::private_zone)
}

/// Those of the zones that have the tags.
async fn tagged(
    account: &Account,
    settings: &Settings,
    zones: Vec<HostedZone>,
) -> Result<Vec<HostedZone>, Failure> {
    let mut tagged = BTreeSet::new();
    for some in zones.chunks(TAG_PAGE) {
        let ids: Vec<String> = some
            .iter()
            .map(|zone| bare_zone_id(zone.id()).to_owned())
            .collect();
        let answer = account
            .read(|client| {
                let call = client
                    .list_tags_for_resources()
                    .resource_type(TagResourceType::Hostedzone)
                    .set_resource_ids(Some(ids.clone()));
                Box::pin(call.send())
            })
            .await?;
        for set in answer.resource_tag_sets() {
            let tags = set.tags().iter();
            let tags = tags.map(|tag| {
                let text = |part: Option<&str>| part.unwrap_or_default().to_owned();
                (text(tag.key()), text(tag.value()))
            });
            if settings.zone_tags.matches(&tags.collect()) {
                tagged.extend(set.resource_id().map(ToOwned::to_owned));
            }
        }
    }
    let is_tagged = |zone: &HostedZone| tagged.contains(bare_zone_id(zone.id()));
    Ok(zones.into_iter().filter(is_tagged).collect())
}

/// The names of several zones. A record has one zone here, so that the other's records would
/// be taken for unwanted.
fn twins(zones: &[(Zone, bool)]) -> BTreeMap<Name, String> {
    let mut by_name = BTreeMap::<&Name, Vec<String>>::new();
    for (zone, private) in zones {
        let kind = if *private { "private" } else { "public" };
        let shown = format!("{} ({kind})", zone.id.0);
        by_name.entry(&zone.name).or_default().push(shown);
    }
    let several = by_name.into_iter().filter(|(_, ids)| ids.len() > 1);
    several
        .map(|(name, ids)| {
            let reason = format!(
                "{name} is several zones, {}: name one with --aws-zone-type or --zone-id-filter, and keep each \
                 with a process of its own",
                ids.join(" and ")
            );
            (name.clone(), reason)
        })
        .collect()
}
