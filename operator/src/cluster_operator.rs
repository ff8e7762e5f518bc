//! What OpenShift's administrators, its console and its version operator see of
//! the DNS: ClusterOperator `dns`.
//!
//! Pure: what was observed goes in, the status comes out. The same facts give the
//! same text, in the same order: a status that changes for nothing would be
//! written for ever.

use std::collections::BTreeMap;

use api::OperatorCondition;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use crate::dns::names::{NAMESPACE, OPERATOR_NAMESPACE};
use crate::dns::status::Rollout;
use crate::images::Images;

const AVAILABLE: &str = "Available";
const DEGRADED: &str = "Degraded";
const PROGRESSING: &str = "Progressing";
const UPGRADEABLE: &str = "Upgradeable";

const COREDNS: &str = "coredns";
const KUBE_RBAC_PROXY: &str = "kube-rbac-proxy";
const OPENSHIFT_CLI: &str = "openshift-cli";
const OPERATOR: &str = "operator";
/// A version that was never reached.
const UNKNOWN: &str = "unknown";

/// What the status is told from.
#[derive(Clone, Debug)]
pub struct Observation<'a> {
    /// The time of the observation.
    pub now: Timestamp,
    /// The status as it is written; null when there is none.
    pub old: &'a Value,
    /// The conditions of the DNS `default`, if that exists.
    pub dns: Option<&'a [OperatorCondition]>,
    /// The release that the operator belongs to.
    pub release: &'a str,
    /// The images of the release.
    pub images: &'a Images,
    /// The DNS pods, when their DaemonSet exists.
    pub dns_pods: Option<&'a Rollout>,
    /// The node-resolver pods, when their DaemonSet exists.
    pub node_resolver_pods: Option<&'a Rollout>,
    /// Whether the namespace of the pods exists.
    pub has_namespace: bool,
}

/// A condition without its time.
struct Verdict {
    kind: &'static str,
    status: &'static str,
    reason: String,
    message: String,
}

impl Verdict {
    fn new(kind: &'static str, status: &'static str, reason: &str, message: impl Into<String>) -> Self {
        Self {
            kind,
            status,
            reason: reason.into(),
            message: message.into(),
        }
    }
}

/// How far each part of the release is.
struct Versions {
    old: BTreeMap<&'static str, String>,
    current: BTreeMap<&'static str, String>,
    new: BTreeMap<&'static str, String>,
}

impl Versions {
    /// Whether a part is not yet what the release has.
    fn upgrading(&self) -> bool {
        self.current != self.new
    }

    fn messages(&self) -> Vec<String> {
        let mut messages = Vec::new();
        for (name, new) in &self.new {
            let current = &self.current[name];
            if self.old[name] != *current {
                messages.push(format!("Upgraded {name} to {current:?}."));
            }
            if current != new {
                messages.push(format!("Upgrading {name} to {new:?}."));
            }
        }
        messages
    }
}

impl Observation<'_> {
    /// The fields of the status that are the operator's.
    #[must_use]
    pub fn status(&self) -> Value {
        let versions = self.versions();
        let verdicts = [
            self.available(),
            self.progressing(&versions),
            self.degraded(&versions),
            self.upgradeable(),
        ];
        let current: Vec<Value> = versions
            .current
            .iter()
            .map(|(name, version)| json!({ "name": name, "version": version }))
            .collect();
        json!({
            "conditions": self.merge(verdicts),
            "versions": self.in_old_order("versions", current),
            "relatedObjects": self.related_objects(),
        })
    }

    /// A list whose order has no meaning is left in the order it is in.
    fn in_old_order(&self, field: &str, new: Vec<Value>) -> Value {
        let old = self.old[field].as_array();
        let same = old.is_some_and(|old| old.len() == new.len() && new.iter().all(|item| old.contains(item)));
        if same { self.old[field].clone() } else { new.into() }
    }

    fn versions(&self) -> Versions {
        let new = BTreeMap::from([
            (COREDNS, self.images.coredns.clone()),
            (KUBE_RBAC_PROXY, self.images.kube_rbac_proxy.clone()),
            (OPENSHIFT_CLI, self.images.openshift_cli.clone()),
            (OPERATOR, self.release.to_owned()),
        ]);
        let reported = self.old["versions"].as_array();
        let old_version = |name: &str| {
            let mut reported = reported.into_iter().flatten();
            let version = reported.find(|version| version["name"] == name);
            let version = version.and_then(|version| version["version"].as_str());
            version.unwrap_or(UNKNOWN).to_owned()
        };
        let old: BTreeMap<&str, String> = new.keys().map(|name| (*name, old_version(name))).collect();
        let dns = runs(
            self.dns_pods,
            &[
                ("dns", &self.images.coredns),
                (KUBE_RBAC_PROXY, &self.images.kube_rbac_proxy),
            ],
        );
        let node_resolver = runs(
            self.node_resolver_pods,
            &[("dns-node-resolver", &self.images.openshift_cli)],
        );
        let reached = |name: &str| match name {
            COREDNS | KUBE_RBAC_PROXY => dns,
            OPENSHIFT_CLI => node_resolver,
            _ => dns && node_resolver,
        };
        let current = new
            .iter()
            .map(|(name, new)| {
                let version = if reached(name) { new } else { &old[name] };
                (*name, version.clone())
            })
            .collect();
        Versions { old, current, new }
    }

    fn dns_condition(&self, kind: &str) -> Option<&OperatorCondition> {
        self.dns?.iter().find(|condition| condition.kind == kind)
    }

    fn available(&self) -> Verdict {
        if self.dns.is_none() {
            return Verdict::new(
                AVAILABLE,
                "False",
                "DNSDoesNotExist",
                "DNS \"default\" does not exist.",
            );
        }
        match self.dns_condition(AVAILABLE) {
            Some(condition) if condition.status == "True" => {
                Verdict::new(AVAILABLE, "True", "AsExpected", "DNS \"default\" is available.")
            }
            _ => Verdict::new(
                AVAILABLE,
                "False",
                "DNSUnavailable",
                "DNS \"default\" is unavailable.",
            ),
        }
    }

    fn progressing(&self, versions: &Versions) -> Verdict {
        let mut causes = Vec::new();
        let mut status = "False";
        if self.dns.is_none() {
            status = "True";
            causes.push(("DNSDoesNotExist", "DNS \"default\" does not exist".to_owned()));
        } else if let Some(condition) = self.dns_condition(PROGRESSING) {
            let reports = |status: &str| {
                let message = condition.message.as_deref().unwrap_or_default();
                format!("DNS \"default\" reports Progressing={status}: {message:?}")
            };
            match condition.status.as_str() {
                "True" => {
                    status = "True";
                    causes.push(("DNSReportsProgressingIsTrue", reports("True")));
                }
                "False" => {}
                _ => {
                    status = "Unknown";
                    causes.push(("DNSReportsProgressingIsUnknown", reports("Unknown")));
                }
            }
        } else {
            status = "Unknown";
            let message = "DNS \"default\" is not reporting a Progressing status condition";
            causes.push(("DNSDoesNotReportProgressingStatus", message.to_owned()));
        }
        if versions.upgrading() {
            status = "True";
            causes.push(("Upgrading", versions.messages().join("\n")));
        }
        if causes.is_empty() {
            let message = "Desired and current number of DNSes are equal";
            return Verdict::new(PROGRESSING, status, "AsExpected", message);
        }
        let (reasons, messages): (Vec<&str>, Vec<String>) = causes.into_iter().unzip();
        Verdict::new(PROGRESSING, status, &reasons.join("And"), messages.join("\n"))
    }

    fn degraded(&self, versions: &Versions) -> Verdict {
        if self.dns.is_none() {
            return Verdict::new(
                DEGRADED,
                "True",
                "DNSDoesNotExist",
                "DNS \"default\" does not exist.",
            );
        }
        let degraded = self
            .dns_condition(DEGRADED)
            .filter(|condition| condition.status == "True");
        match degraded.filter(|_| !versions.upgrading()) {
            Some(condition) => {
                let message = condition.message.as_deref().unwrap_or_default();
                let message = format!("DNS default is degraded: {message}");
                Verdict::new(DEGRADED, "True", "DNSDegraded", message)
            }
            None => Verdict::new(DEGRADED, "False", "DNSNotDegraded", ""),
        }
    }

    fn upgradeable(&self) -> Verdict {
        let condition = self.dns_condition(UPGRADEABLE);
        let message = condition.and_then(|condition| condition.message.as_deref());
        let message = message.filter(|message| !message.is_empty());
        let tail = message.map(|message| format!(": {message}")).unwrap_or_default();
        // Without a DNS there is no name: people's scripts know the text so.
        let name = self.dns.map_or("", |_| "default");
        if condition.is_none_or(|condition| condition.status == "True") {
            let message = format!("DNS {name} is upgradeable{tail}");
            return Verdict::new(UPGRADEABLE, "True", "DNSUpgradeable", message);
        }
        let message = format!("DNS {name} is not upgradeable{tail}");
        Verdict::new(UPGRADEABLE, "False", "DNSNotUpgradeable", message)
    }

    /// The old conditions with the new ones in their places, and those of others.
    fn merge(&self, verdicts: [Verdict; 4]) -> Vec<OperatorCondition> {
        let old = serde_json::from_value::<Vec<OperatorCondition>>(self.old["conditions"].clone());
        let mut conditions = old.unwrap_or_default();
        for verdict in verdicts {
            let known = conditions
                .iter()
                .position(|condition| condition.kind == verdict.kind);
            let since = known
                .and_then(|at| conditions.get(at))
                .filter(|old| old.status == verdict.status)
                .map_or(Time(self.now), |old| old.last_transition_time.clone());
            let condition = OperatorCondition {
                last_transition_time: since,
                message: Some(verdict.message).filter(|message| !message.is_empty()),
                reason: Some(verdict.reason),
                status: verdict.status.into(),
                kind: verdict.kind.into(),
            };
            match known.and_then(|at| conditions.get_mut(at)) {
                Some(place) => *place = condition,
                None => conditions.push(condition),
            }
        }
        conditions
    }

    /// What `oc adm inspect` and must-gather look at when the DNS is in trouble.
    fn related_objects(&self) -> Value {
        let policies = |namespace: &str| {
            json!({
                "group": "networking.k8s.io", "resource": "networkpolicies",
                "name": "", "namespace": namespace,
            })
        };
        let object = |group: &str, resource: &str, name: &str| json!({ "group": group, "resource": resource, "name": name });
        let rbac = "rbac.authorization.k8s.io";
        let mut objects = vec![
            object("", "namespaces", OPERATOR_NAMESPACE),
            object("operator.openshift.io", "dnses", "default"),
            object(rbac, "clusterroles", OPERATOR_NAMESPACE),
            object(rbac, "clusterrolebindings", OPERATOR_NAMESPACE),
            policies(OPERATOR_NAMESPACE),
        ];
        if self.has_namespace {
            objects.push(object("", "namespaces", NAMESPACE));
            objects.push(policies(NAMESPACE));
        }
        self.in_old_order("relatedObjects", objects)
    }
}

/// Whether every pod runs these images: container and image.
fn runs(pods: Option<&Rollout>, images: &[(&str, &String)]) -> bool {
    pods.is_some_and(|pods| {
        let has = |(container, image): &(&str, &String)| pods.images.get(*container) == Some(*image);
        pods.is_complete() && images.iter().all(has)
    })
}
