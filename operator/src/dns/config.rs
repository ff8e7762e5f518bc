//! The checked specification: whatever a [`Config`] holds, CoreDNS loads and
//! nothing of it can leave its place in the Corefile.
//!
//! [`Config::check`] is the one way to get one. It reports every finding, not
//! only the first, each with the field, its value and what is allowed. Whether it
//! may be put into force in a cluster, [`Config::for_cluster`] tells.

mod address;
mod cluster;
mod endpoint;
mod forward;
mod placement;
mod ttl;
mod word;
mod zone;

use std::fmt;

use api::{DnsSpec, LogLevel};
use serde::{Serialize, Serializer};
use serde_json::Value;

pub use address::RESOLV_CONF;
pub use endpoint::{Endpoint, Protocol};
pub use forward::{CaBundleName, Forward, Policy, Transport};
pub use placement::Placement;
pub use ttl::{CacheLimits, DEFAULT_NEGATIVE_TTL, DEFAULT_POSITIVE_TTL};
pub use word::CommentText;
pub use zone::Zone;

/// What the operator is to do, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// How long answers are kept, in every server block.
    pub cache: CacheLimits,
    /// What CoreDNS logs.
    pub log_level: LogLevel,
    /// The server blocks of `spec.servers`, in their order.
    pub servers: Vec<ServerBlock>,
    /// Where the default block forwards to.
    pub upstreams: Forward,
    /// Where the pods run.
    pub placement: Placement,
}

/// One entry of `spec.servers`.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerBlock {
    /// For people: a comment.
    pub name: CommentText,
    /// The zones it answers for. Without any, CoreDNS reads the block and
    /// never uses it.
    pub zones: Vec<Zone>,
    /// Where their queries go.
    pub forward: Forward,
}

/// One thing wrong with a specification, or worth knowing about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Where, as a path such as `spec.servers[0].zones[1]`.
    pub field: String,
    /// The value there, as JSON; none where a value is missing.
    #[serde(serialize_with = "as_json", skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What is wrong, or what is allowed.
    pub message: String,
}

/// The value itself instead of its text.
#[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
fn as_json<S: Serializer>(value: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    let value = value.as_deref().map(serde_json::from_str::<Value>);
    value.and_then(Result::ok).serialize(serializer)
}

impl Finding {
    fn new(field: impl Into<String>, value: Option<&str>, message: impl Into<String>) -> Self {
        let value = value.map(|value| Value::from(value).to_string());
        Self {
            field: field.into(),
            value,
            message: message.into(),
        }
    }

    /// The words for people where the value is put into force all the same.
    #[must_use]
    pub fn as_warning(&self) -> String {
        let value = self
            .value
            .as_deref()
            .map(|value| format!("{value} "))
            .unwrap_or_default();
        format!("{}: {value}{}", self.field, self.message)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{}: Invalid value: {value}: {}", self.field, self.message),
            None => write!(f, "{}: {}", self.field, self.message),
        }
    }
}

/// A specification that is not put into force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidSpec {
    /// Everything found, in the order of the specification. Never empty.
    pub findings: Vec<Finding>,
}

impl fmt::Display for InvalidSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.findings.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{finding}")?;
        }
        Ok(())
    }
}

impl std::error::Error for InvalidSpec {}

/// Collects findings while the rest of the specification is still looked at.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, field: impl Into<String>, value: Option<&str>, message: impl Into<String>) {
        self.0.push(Finding::new(field, value, message));
    }

    /// The value, or a finding about `field` in its stead.
    fn keep<T>(&mut self, field: &str, value: &str, checked: Result<T, String>) -> Option<T> {
        checked
            .map_err(|message| self.add(field, Some(value), message))
            .ok()
    }
}

impl Config {
    /// Decodes and checks the `spec` of a DNS as the API server stores it.
    pub fn decode(spec: &Value) -> Result<Self, InvalidSpec> {
        let spec = match spec {
            Value::Null => DnsSpec::default(),
            spec => serde_path_to_error::deserialize(spec).map_err(|error| InvalidSpec {
                findings: vec![undecodable(spec, &error)],
            })?,
        };
        Self::check(&spec)
    }

    /// Checks a specification.
    pub fn check(spec: &DnsSpec) -> Result<Self, InvalidSpec> {
        let mut findings = Findings::default();
        let cache = ttl::check(spec.cache.as_ref(), &mut findings);
        let placement = placement::check(spec.node_placement.as_ref());
        let servers = spec
            .servers
            .iter()
            .flatten()
            .enumerate()
            .filter_map(|(index, server)| check_server(index, server, &mut findings))
            .collect::<Vec<_>>();
        zone::check_distinct(spec.servers.iter().flatten(), &mut findings);
        let upstreams = forward::check_resolvers(spec.upstream_resolvers.as_ref(), &mut findings);
        match (cache, upstreams) {
            (Some(cache), Some(upstreams)) if findings.0.is_empty() => Ok(Self {
                cache,
                log_level: spec.log_level.unwrap_or_default(),
                servers,
                upstreams,
                placement,
            }),
            _ => Err(InvalidSpec { findings: findings.0 }),
        }
    }

    /// The CA bundles that the forwarders need, each once.
    pub fn ca_bundles(&self) -> impl Iterator<Item = &CaBundleName> {
        let mut seen = Vec::new();
        self.forwards()
            .filter_map(Forward::ca_bundle)
            .filter(move |name| {
                let new = !seen.contains(name);
                seen.push(*name);
                new
            })
    }

    /// Every forwarder: the default block's first, then those of the servers.
    pub fn forwards(&self) -> impl Iterator<Item = &Forward> {
        std::iter::once(&self.upstreams).chain(self.servers.iter().map(|server| &server.forward))
    }
}

fn check_server(index: usize, server: &api::Server, findings: &mut Findings) -> Option<ServerBlock> {
    let field = format!("spec.servers[{index}]");
    let name = server.name.as_deref().unwrap_or_default();
    let name = findings.keep(&format!("{field}.name"), name, CommentText::check(name));
    let zones = server
        .zones
        .iter()
        .flatten()
        .enumerate()
        .filter_map(|(at, zone)| findings.keep(&format!("{field}.zones[{at}]"), zone, Zone::check(zone)))
        .collect::<Vec<_>>();
    let forward = forward::check_server(&field, server, findings);
    Some(ServerBlock {
        name: name?,
        zones,
        forward: forward?,
    })
}

/// A finding for a value that has not even the right shape, as can be stored
/// when the resource definition was once another.
fn undecodable(spec: &Value, error: &serde_path_to_error::Error<serde_json::Error>) -> Finding {
    let path = error.path();
    let mut value = Some(spec);
    let mut field = String::from("spec");
    for segment in path {
        use serde_path_to_error::Segment;
        match segment {
            Segment::Seq { index } => {
                field = format!("{field}[{index}]");
                value = value.and_then(|value| value.get(index));
            }
            Segment::Map { key } => {
                field.push('.');
                field.push_str(key);
                value = value.and_then(|value| value.get(key));
            }
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    Finding {
        field,
        value: value.map(Value::to_string),
        message: error.inner().to_string(),
    }
}
