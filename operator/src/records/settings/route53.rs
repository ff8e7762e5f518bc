//! From the command line to the settings of Amazon Route 53.

use records::ZoneIdFilter;
use records::batch;
use records::provider::route53::{Identity, InvalidSettings, Route53, Settings, TagFilter};

use super::super::cli::ProviderArgs;

/// The account that the command line names.
pub(super) fn route53(args: &ProviderArgs) -> Result<Route53, InvalidSettings> {
    let aws = &args.route53;
    Route53::new(Settings {
        identity: Identity {
            profile: aws.aws_profile.clone(),
            role: aws.aws_assume_role.clone(),
            external_id: aws.aws_assume_role_external_id.clone(),
            key: None,
            region: None,
        },
        zone_ids: ZoneIdFilter::new(args.zone_ids.iter().map(String::as_str)),
        zone_type: aws.aws_zone_type,
        zone_tags: TagFilter::new(&aws.aws_zone_tags),
        zones_cache: aws.aws_zones_cache_duration,
        prefer_cname: aws.aws_prefer_cname,
        evaluate_target_health: aws.aws_evaluate_target_health && !aws.no_aws_evaluate_target_health,
        batch: batch::Settings {
            size: aws.aws_batch_change_size,
            interval: aws.aws_batch_change_interval,
        },
        batch_octets: aws.aws_batch_change_size_bytes,
        batch_values: aws.aws_batch_change_size_values,
        retries: aws.aws_api_retries,
        ..Settings::default()
    })
}
