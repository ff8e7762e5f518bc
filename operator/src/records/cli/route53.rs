//! The command line of Amazon Route 53.

use std::time::Duration;

use clap::{ArgAction, Args};
use records::provider::route53::ZoneType;

use super::batch::interval;
use super::duration;

/// Amazon Route 53. Keys come from where AWS's own tools have them: the environment, files,
/// web identity (IRSA), pod identity, instance metadata. `AWS_ENDPOINT_URL_ROUTE_53` leads
/// elsewhere.
#[derive(Debug, Args)]
#[command(next_help_heading = "Provider aws")]
pub struct Route53Args {
    /// Only zones that everybody sees (public), or only those of private networks (private).
    #[arg(long, value_name = "TYPE")]
    pub aws_zone_type: Option<ZoneType>,
    /// Only zones with this tag; may be given more than once.
    #[arg(long, value_name = "KEY[=VALUE]")]
    pub aws_zone_tags: Vec<String>,
    /// How long the list of zones is used; 0s lists them at each pass.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub aws_zones_cache_duration: Duration,
    /// The profile of AWS's own files.
    #[arg(long, value_name = "NAME")]
    pub aws_profile: Option<String>,
    /// The role to take on, by its ARN.
    #[arg(long, value_name = "ARN")]
    pub aws_assume_role: Option<String>,
    /// What the role asks for beside.
    #[arg(long, value_name = "ID", requires = "aws_assume_role")]
    pub aws_assume_role_external_id: Option<String>,
    /// The most changes of a batch, from 1 to 10000; --batch-change-size is not for Route 53.
    #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
    pub aws_batch_change_size: usize,
    /// The most octets of record data in a batch, from 1 to 32000.
    #[arg(long, value_name = "NUMBER", default_value_t = 32_000)]
    pub aws_batch_change_size_bytes: usize,
    /// The most values of records in a batch, from 1 to 1000.
    #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
    pub aws_batch_change_size_values: usize,
    /// The time between two batches, from 0s to 10m.
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = interval)]
    pub aws_batch_change_interval: Duration,
    /// Let alias records that do not say heed the health of their targets;
    /// --no-aws-evaluate-target-health lets them not.
    #[arg(
        long,
        value_name = "BOOL",
        action = ArgAction::Set,
        num_args = 0..=1,
        require_equals = true,
        default_value_t = true,
        default_missing_value = "true"
    )]
    pub aws_evaluate_target_health: bool,
    /// Let them not.
    #[arg(long, hide = true, conflicts_with = "aws_evaluate_target_health")]
    pub no_aws_evaluate_target_health: bool,
    /// Write CNAME records for names of load balancers and the like, not aliases.
    #[arg(long)]
    pub aws_prefer_cname: bool,
    /// How often a read is tried again.
    #[arg(long, value_name = "NUMBER", default_value_t = 3)]
    pub aws_api_retries: u32,
}
