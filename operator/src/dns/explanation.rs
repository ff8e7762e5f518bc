//! What becomes of a question that a client asks CoreDNS: which server block takes
//! it, who answers it, and how long the answer is kept. The rules are those of
//! CoreDNS 1.15, with the plugins of our Corefile in the order CoreDNS runs them.

mod cluster_zones;

use std::fmt;

use hickory_proto::rr::RecordType;
use serde::Serialize;

use super::config::{CacheLimits, Config, Endpoint, Forward, Policy, Transport};
use super::domain_name::DomainName;
use super::inputs::Inputs;
use super::status::COREDNS_FLOOR;

use cluster_zones::Verdict;

/// The zone whose server block tells clients which pod they talk to.
pub const POD_ZONE: &str = "hostname.bind.";
/// How long CoreDNS keeps a server's failure, in seconds.
const FAILURE_TTL: u32 = 5;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The name.
    pub name: DomainName,
    /// The type.
    pub record_type: RecordType,
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.name)?;
        match self.record_type {
            RecordType::Unknown(number) => write!(f, "TYPE{number}"),
            known => write!(f, "{known}"),
        }
    }
}

/// What becomes of a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The question: a fully qualified name and a type.
    pub question: String,
    /// The server block that takes it.
    pub server_block: ServerBlock,
    /// Who answers.
    pub answered_by: AnsweredBy,
    /// Where it is forwarded to; none when it never is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forward: Option<Forwarding>,
    /// How long answers are kept; none when they are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<Caching>,
    /// Why all this is so.
    pub reasons: Vec<String>,
}

/// A server block of the Corefile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerBlock {
    /// The zone that matched, as CoreDNS compares it.
    pub zone: String,
    /// Which part of the specification makes the block; none for the operator's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Which part of the specification names the zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone_field: Option<String>,
    /// The server's name for people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
}

/// Who answers a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum AnsweredBy {
    /// One of the upstreams.
    Upstreams,
    /// The cluster's services and pods, alone.
    Cluster,
    /// The cluster's services and pods and, where those know nothing, an upstream.
    ClusterThenUpstreams,
    /// The DNS pod itself.
    Pod,
}

/// Where a question is forwarded to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Forwarding {
    /// In which order the upstreams are asked.
    pub policy: &'static str,
    /// The upstreams.
    pub upstreams: Vec<Endpoint>,
    /// The ConfigMap of `openshift-config` with the authorities that may have signed
    /// the upstreams' certificates; the image's own when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_bundle: Option<String>,
}

/// How long answers are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Caching {
    /// Answers with records.
    pub positive: Limits,
    /// Denials: no such name, or no such records.
    pub negative: Limits,
    /// Failures of servers, in seconds.
    pub failure: u32,
}

/// The TTLs that clients see, whatever the server gave, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// A shorter TTL is lengthened to this.
    pub least: u32,
    /// A longer TTL is shortened to this.
    pub most: u32,
}

impl Limits {
    /// A longest TTL shorter than the shortest wins over it.
    fn up_to(most: u32) -> Self {
        Self {
            least: COREDNS_FLOOR.min(most),
            most,
        }
    }
}

impl Caching {
    /// What the limits of a specification come to.
    #[must_use]
    pub fn of(limits: CacheLimits) -> Self {
        Self {
            positive: Limits::up_to(limits.positive),
            negative: Limits::up_to(limits.negative),
            failure: FAILURE_TTL,
        }
    }
}

/// A zone that holds the name.
struct Match<'a> {
    zone: &'a str,
    /// The server of the specification and which of its zones; none for the block of
    /// [`POD_ZONE`].
    place: Option<(usize, usize)>,
}

impl Match<'_> {
    fn field(&self) -> String {
        self.place.map_or_else(
            || "the operator's own".into(),
            |(server, zone)| format!("spec.servers[{server}].zones[{zone}]"),
        )
    }
}

impl Explanation {
    /// What becomes of a question under a configuration in a cluster.
    #[must_use]
    pub fn of(config: &Config, inputs: &Inputs, question: &Question) -> Self {
        let name = question.name.to_lower_case();
        let zones = zones_around(config, &name);
        let is_ds = question.record_type == RecordType::DS;
        // CoreDNS goes on looking for a block of the parent, and takes the last it
        // finds; the default block is not among them.
        let matched = if is_ds { zones.last() } else { zones.first() };
        let mut reasons = Vec::new();
        tell_of_zones(&zones, is_ds, &mut reasons);
        let Some(matched) = matched else {
            return Self::of_default_block(config, inputs, question, reasons);
        };
        let zone = matched.zone.to_owned();
        let Some((index, _)) = matched.place else {
            reasons.push(
                "that block answers 'CH TXT hostname.bind' with the name of the pod, and fails for \
                 everything else"
                    .into(),
            );
            return Self {
                question: question.to_string(),
                server_block: ServerBlock {
                    zone,
                    field: None,
                    zone_field: None,
                    name: String::new(),
                },
                answered_by: AnsweredBy::Pod,
                forward: None,
                cache: None,
                reasons,
            };
        };
        let server = config.servers.get(index);
        let forward = server.map_or(&config.upstreams, |server| &server.forward);
        tell_of_forwarder(forward, Policy::Random, &mut reasons);
        tell_of_cache(config.cache, &mut reasons);
        Self {
            question: question.to_string(),
            server_block: ServerBlock {
                zone,
                field: Some(format!("spec.servers[{index}]")),
                zone_field: Some(matched.field()),
                name: server.map(|server| server.name.to_string()).unwrap_or_default(),
            },
            answered_by: AnsweredBy::Upstreams,
            forward: Some(Forwarding::of(forward)),
            cache: Some(Caching::of(config.cache)),
            reasons,
        }
    }

    fn of_default_block(
        config: &Config,
        inputs: &Inputs,
        question: &Question,
        mut reasons: Vec<String>,
    ) -> Self {
        let (verdict, why) =
            cluster_zones::judge(&question.name, question.record_type, &inputs.cluster_domain);
        reasons.extend(why);
        let answered_by = match verdict {
            Verdict::Unknown => AnsweredBy::Upstreams,
            Verdict::Answered => AnsweredBy::Cluster,
            Verdict::MayBeKnown => AnsweredBy::ClusterThenUpstreams,
        };
        let forwarded = answered_by != AnsweredBy::Cluster;
        if forwarded {
            tell_of_forwarder(&config.upstreams, Policy::Sequential, &mut reasons);
        }
        tell_of_cache(config.cache, &mut reasons);
        Self {
            question: question.to_string(),
            server_block: ServerBlock {
                zone: ".".into(),
                field: Some("spec.upstreamResolvers".into()),
                zone_field: None,
                name: String::new(),
            },
            answered_by,
            forward: forwarded.then(|| Forwarding::of(&config.upstreams)),
            cache: Some(Caching::of(config.cache)),
            reasons,
        }
    }
}

impl Forwarding {
    fn of(forward: &Forward) -> Self {
        Self {
            policy: forward.policy.as_str(),
            upstreams: forward.endpoints(),
            ca_bundle: forward.ca_bundle().map(ToString::to_string),
        }
    }
}

/// The zones that hold a name, the longest first.
fn zones_around<'a>(config: &Config, name: &'a DomainName) -> Vec<Match<'a>> {
    let place = |parent: &str| {
        let mut servers = config.servers.iter().enumerate();
        servers.find_map(|(index, server)| {
            let holds = |zone: &super::config::Zone| zone.names().iter().any(|name| name == parent);
            Some((index, server.zones.iter().position(holds)?))
        })
    };
    name.and_parents()
        .filter_map(|parent| {
            let place = place(parent);
            let known = place.is_some() || parent == POD_ZONE;
            known.then_some(Match { zone: parent, place })
        })
        .collect()
}

fn tell_of_zones(zones: &[Match<'_>], is_ds: bool, reasons: &mut Vec<String>) {
    let told = |found: &Match<'_>| format!("{} ({})", found.zone, found.field());
    match zones {
        [] => {
            reasons.push("no zone of spec.servers holds the name: the default server block takes it".into());
        }
        [only] => reasons.push(format!("{} is the only zone that holds the name", told(only))),
        [others @ .., shortest] if is_ds => {
            reasons.push(format!(
                "{} is the shortest zone that holds the name: records of type DS are looked for in the \
                 zones above",
                told(shortest)
            ));
            for other in others {
                reasons.push(format!("{} holds it too, and is longer", told(other)));
            }
        }
        [longest, others @ ..] => {
            reasons.push(format!(
                "{} is the longest zone that holds the name",
                told(longest)
            ));
            for other in others {
                reasons.push(format!("{} holds it too, and is shorter", told(other)));
            }
        }
    }
}

fn tell_of_forwarder(forward: &Forward, default: Policy, reasons: &mut Vec<String>) {
    if forward.policy == default {
        reasons.push(format!("the policy {} is the default here", default.as_str()));
    }
    if matches!(forward.transport, Transport::Tls { ca_bundle: None, .. }) {
        reasons.push(
            "no CA bundle is named: certificates are checked against the authorities of the image".into(),
        );
    }
}

fn tell_of_cache(limits: CacheLimits, reasons: &mut Vec<String>) {
    let default = CacheLimits::default();
    if limits.positive == default.positive {
        reasons.push(format!("answers for up to {} s is the default", default.positive));
    }
    if limits.negative == default.negative {
        reasons.push(format!("denials for up to {} s is the default", default.negative));
    }
    if limits.positive.min(limits.negative) < COREDNS_FLOOR {
        reasons.push(format!(
            "a limit of less than {COREDNS_FLOOR} s is what every answer is kept for, longer TTL or shorter"
        ));
    }
}
