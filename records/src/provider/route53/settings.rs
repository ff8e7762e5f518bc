//! What must be told of an account to keep its zones.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;
use url::Url;

use crate::ZoneIdFilter;
use crate::batch;
use crate::pace::Rate;

/// The most octets of values in a batch (Route 53, quotas on ChangeResourceRecordSets).
const MAX_OCTETS: usize = 32_000;
/// The most values in a batch.
const MAX_VALUES: usize = 1000;

/// Which zones of which account are kept, and how. The defaults are external-dns's.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who we are.
    pub identity: Identity,
    /// Where Route 53 is; none is where AWS has it, or `AWS_ENDPOINT_URL_ROUTE_53` says.
    pub endpoint: Option<Url>,
    /// Which zones, by their ids (`--zone-id-filter`).
    pub zone_ids: ZoneIdFilter,
    /// Which zones, by who sees them (`--aws-zone-type`); none is all.
    pub zone_type: Option<ZoneType>,
    /// Which zones, by their tags (`--aws-zone-tags`).
    pub zone_tags: TagFilter,
    /// How long the list of zones is used (`--aws-zones-cache-duration`); zero lists them
    /// each time.
    pub zones_cache: Duration,
    /// Whether names of AWS's services stay CNAME records (`--aws-prefer-cname`).
    pub prefer_cname: bool,
    /// Whether aliases that do not say heed the health of their targets
    /// (`--aws-evaluate-target-health`).
    pub evaluate_target_health: bool,
    /// The most changes of a batch (`--aws-batch-change-size`), and the time between two
    /// (`--aws-batch-change-interval`).
    pub batch: batch::Settings,
    /// The most octets of values in a batch (`--aws-batch-change-size-bytes`).
    pub batch_octets: usize,
    /// The most values in a batch (`--aws-batch-change-size-values`).
    pub batch_values: usize,
    /// How often a read is tried again (`--aws-api-retries`). Writes never are: what came of
    /// them is looked up first.
    pub retries: u32,
    /// How often the account may be called.
    pub rate: Rate,
    /// How long a call may take.
    pub timeout: Duration,
}

/// Who we are to AWS.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// The profile of AWS's own files (`--aws-profile`); none is the one that the
    /// environment names.
    pub profile: Option<String>,
    /// The role that is taken on (`--aws-assume-role`), by its ARN.
    pub role: Option<String>,
    /// What the role asks for beside (`--aws-assume-role-external-id`).
    pub external_id: Option<String>,
    /// A key; none is what AWS's chain of providers finds: environment, files, web identity
    /// (IRSA), pod identity, instance metadata.
    pub key: Option<AccessKey>,
    /// The region whose part of AWS the account is in, such as `cn-north-1`; none is what
    /// AWS's chain of providers finds, or with a key the part that most are in.
    pub region: Option<String>,
}

/// A key for requests. Never printed.
#[derive(Clone)]
pub struct AccessKey {
    /// What it is known by.
    pub id: String,
    /// What nobody else may know.
    pub secret: String,
    /// What a key that ends soon comes with (`AWS_SESSION_TOKEN`).
    pub session_token: Option<String>,
}

/// Who sees a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZoneType {
    /// Everybody.
    Public,
    /// The networks that it is for.
    Private,
}

/// Which tags a zone must have: all of these, a key without a value with any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagFilter(BTreeMap<String, Option<String>>);

/// What is wrong with settings.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidSettings {
    /// A number that Route 53 does not take.
    #[error("{field} is {value}: it must be a number from 1 to {most}")]
    Number {
        /// The flag.
        field: &'static str,
        /// What it was given.
        value: usize,
        /// The most that it takes.
        most: usize,
    },
    /// A text that is none of those that are allowed.
    #[error("aws-zone-type is {0:?}: it must be public or private")]
    ZoneType(String),
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            identity: Identity::default(),
            endpoint: None,
            zone_ids: ZoneIdFilter::default(),
            zone_type: None,
            zone_tags: TagFilter::default(),
            zones_cache: Duration::ZERO,
            prefer_cname: false,
            evaluate_target_health: true,
            batch: batch::Settings {
                size: MAX_VALUES,
                interval: Duration::from_secs(1),
            },
            batch_octets: MAX_OCTETS,
            batch_values: MAX_VALUES,
            retries: 3,
            // What AWS gives an account.
            rate: Rate {
                burst: 50,
                calls: 10,
                period: Duration::from_secs(1),
            },
            timeout: Duration::from_secs(30),
        }
    }
}

impl Settings {
    /// Whether Route 53 takes what these settings allow.
    pub(super) fn check(&self) -> Result<(), InvalidSettings> {
        let numbers = [
            ("aws-batch-change-size", self.batch.size, 10 * MAX_VALUES),
            ("aws-batch-change-size-bytes", self.batch_octets, MAX_OCTETS),
            ("aws-batch-change-size-values", self.batch_values, MAX_VALUES),
        ];
        for (field, value, most) in numbers {
            if !(1..=most).contains(&value) {
                return Err(InvalidSettings::Number { field, value, most });
            }
        }
        Ok(())
    }
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "AccessKey({})", self.id)
    }
}

impl FromStr for ZoneType {
    type Err = InvalidSettings;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "public" => Ok(Self::Public),
            "private" => Ok(Self::Private),
            _ => Err(InvalidSettings::ZoneType(text.to_owned())),
        }
    }
}

impl TagFilter {
    /// The tags of texts such as `team=dns`, or `team` for any value.
    #[must_use]
    pub fn new<T: AsRef<str>>(tags: &[T]) -> Self {
        let tags = tags.iter().map(|tag| {
            let (key, value) = tag.as_ref().split_once('=').unwrap_or((tag.as_ref(), ""));
            let value = value.trim();
            (
                key.trim().to_owned(),
                (!value.is_empty()).then(|| value.to_owned()),
            )
        });
        Self(tags.filter(|(key, _)| !key.is_empty()).collect())
    }

    /// Whether it lets every zone through.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a zone has all the tags.
    #[must_use]
    pub fn matches(&self, tags: &BTreeMap<String, String>) -> bool {
        let has = |(key, value): (&String, &Option<String>)| {
            let found = tags.get(key);
            found.is_some_and(|found| value.as_ref().is_none_or(|value| value == found))
        };
        self.0.iter().all(has)
    }
}
