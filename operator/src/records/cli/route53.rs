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
    #[arg(long = "aws-zone-type", value_name = "TYPE")]
    pub zone_type: Option<ZoneType>,
    /// Only zones with this tag; may be given more than once.
    #[arg(long = "aws-zone-tags", value_name = "KEY[=VALUE]")]
    pub zone_tags: Vec<String>,
    /// How long the list of zones is used; 0s lists them at each pass.
    #[arg(long = "aws-zones-cache-duration", value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub zones_cache: Duration,
    /// The profile of AWS's own files.
    #[arg(long = "aws-profile", value_name = "NAME")]
    pub profile: Option<String>,
    /// The role to take on, by its ARN.
    #[arg(long = "aws-assume-role", value_name = "ARN")]
    pub assume_role: Option<String>,
    /// What the role asks for beside.
    #[arg(
        long = "aws-assume-role-external-id",
        value_name = "ID",
        requires = "assume_role"
    )]
    pub assume_role_external_id: Option<String>,
    /// The most changes of a batch, from 1 to 10000; --batch-change-size is not for Route 53.
    #[arg(long = "aws-batch-change-size", value_name = "NUMBER", default_value_t = 1000)]
    pub batch_change_size: usize,
    /// The most octets of record data in a batch, from 1 to 32000.
    #[arg(
        long = "aws-batch-change-size-bytes",
        value_name = "NUMBER",
        default_value_t = 32_000
    )]
    pub batch_change_size_bytes: usize,
    /// The most values of records in a batch, from 1 to 1000.
    #[arg(
        long = "aws-batch-change-size-values",
        value_name = "NUMBER",
        default_value_t = 1000
    )]
    pub batch_change_size_values: usize,
    /// The time between two batches, from 0s to 10m.
    #[arg(long = "aws-batch-change-interval", value_name = "DURATION", default_value = "1s", value_parser = interval)]
    pub batch_change_interval: Duration,
    /// Let alias records that do not say heed the health of their targets;
    /// --no-aws-evaluate-target-health lets them not.
    #[arg(
        long = "aws-evaluate-target-health",
        value_name = "BOOL",
        action = ArgAction::Set,
        num_args = 0..=1,
        require_equals = true,
        default_value_t = true,
        default_missing_value = "true"
    )]
    pub evaluate_target_health: bool,
    /// Let them not.
    #[arg(
        long = "no-aws-evaluate-target-health",
        hide = true,
        conflicts_with = "evaluate_target_health"
    )]
    pub no_evaluate_target_health: bool,
    /// Write CNAME records for names of load balancers and the like, not aliases.
    #[arg(long = "aws-prefer-cname")]
    pub prefer_cname: bool,
    /// How often a read is tried again.
    #[arg(long = "aws-api-retries", value_name = "NUMBER", default_value_t = 3)]
    pub api_retries: u32,
}
