//! From the command line to the settings of Amazon Route 53.

use records::ZoneIdFilter;
use records::batch;
use records::provider::route53::{Identity, InvalidSettings, Route53, Settings, TagFilter};

use super::super::cli::{ProviderArgs, Route53Args};

/// The account that the command line names.
pub(super) fn route53(args: &ProviderArgs) -> Result<Route53, InvalidSettings> {
    let Route53Args {
        zone_type,
        zone_tags,
        zones_cache,
        profile,
        assume_role,
        assume_role_external_id,
        batch_change_size,
        batch_change_size_bytes,
        batch_change_size_values,
        batch_change_interval,
        evaluate_target_health,
        no_evaluate_target_health,
        prefer_cname,
        api_retries,
    } = &args.route53;
    Route53::new(Settings {
        identity: Identity {
            profile: profile.clone(),
            role: assume_role.clone(),
            external_id: assume_role_external_id.clone(),
            key: None,
        },
        zone_ids: ZoneIdFilter::new(args.zone_ids.iter().map(String::as_str)),
        zone_type: *zone_type,
        zone_tags: TagFilter::new(zone_tags),
        zones_cache: *zones_cache,
        prefer_cname: *prefer_cname,
        evaluate_target_health: *evaluate_target_health && !no_evaluate_target_health,
        batch: batch::Settings {
            size: *batch_change_size,
            interval: *batch_change_interval,
        },
        batch_octets: *batch_change_size_bytes,
        batch_values: *batch_change_size_values,
        retries: *api_retries,
        ..Settings::default()
    })
}
