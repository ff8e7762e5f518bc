//! What the DNS resource says of itself: conditions, and when to look again.
//!
//! Pure: what was observed and the time go in.

mod daemon_set;
mod in_force;

use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use api::{DnsStatus, OperatorCondition};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::dns::ca_bundle::CaBundles;
use crate::dns::config::{InvalidSpec, Placement};
use crate::dns::corefile::LAMEDUCK_SECONDS;
use crate::dns::inputs::Remark;
use crate::upstreams::report::Report;

pub use daemon_set::Rollout;
pub use in_force::{COREDNS_FLOOR, InForce};

/// How long a condition that just turned good stays so although its cause is
/// back: twice the time a stopping pod goes on answering.
pub const TOLERANCE: Duration = Duration::from_secs(2 * LAMEDUCK_SECONDS as u64);

/// Up to one in this many DNS pods may be unavailable.
const UNAVAILABLE_SHARE: i64 = 10;

const CA_BUNDLES_READY: &str = "CABundlesReady";
const CLUSTER_CONFIG_READY: &str = "ClusterConfigReady";
const UPSTREAMS_HEALTHY: &str = "UpstreamsHealthy";
const AVAILABLE: &str = "Available";
const DEGRADED: &str = "Degraded";
const PROGRESSING: &str = "Progressing";
const UPGRADEABLE: &str = "Upgradeable";

const AS_EXPECTED: &str = "AsExpected";
const NO_ADDRESS: &str = "No IP address is assigned to the DNS service.";
const NO_DAEMON_SET: &str = "The DNS daemonset does not exist.";

/// What the conditions are told from.
#[derive(Clone, Debug)]
pub struct Observation<'a> {
    /// The time of the observation.
    pub now: Timestamp,
    /// The conditions as they are written.
    pub old: &'a [OperatorCondition],
    /// Whether the operator is told to keep its hands off.
    pub unmanaged: bool,
    /// The address of the DNS service.
    pub service_address: Option<IpAddr>,
    /// The DNS pods, when their DaemonSet exists.
    pub dns: Option<Rollout>,
    /// The node-resolver pods, when their DaemonSet exists.
    pub node_resolver: Option<Rollout>,
    /// Where the DNS pods should run, while that is known.
    pub placement: Option<&'a Placement>,
    /// Why the specification is not in force.
    pub invalid: Option<&'a InvalidSpec>,
    /// What goes wrong on the way to what should be.
    pub failures: &'a [String],
    /// The CA bundles that the configuration asks for.
    pub bundles: &'a CaBundles,
    /// What of the cluster's configuration cannot be followed.
    pub remarks: &'a [Remark],
    /// What there is to say of the upstreams.
    pub upstreams: &'a Report,
}

/// The conditions to write.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    /// Progressing, Available, Upgradeable and Degraded, then those of others.
    pub conditions: Vec<OperatorCondition>,
    /// When a condition that was held back has to be looked at again.
    pub look_again: Option<Duration>,
}

/// A condition without its time.
struct Verdict {
    kind: &'static str,
    status: bool,
    reason: String,
    message: String,
}

impl Verdict {
    fn new(kind: &'static str, status: bool, reason: &str, message: impl Into<String>) -> Self {
        Self {
            kind,
            status,
            reason: reason.into(),
            message: message.into(),
        }
    }
}

/// What was last told of the upstreams that fail.
#[must_use]
pub fn told_of_upstreams(conditions: &[OperatorCondition]) -> &str {
    let condition = conditions
        .iter()
        .find(|condition| condition.kind == UPSTREAMS_HEALTHY);
    condition
        .and_then(|condition| condition.message.as_deref())
        .unwrap_or_default()
}

impl Observation<'_> {
    /// Draws the conditions from what was observed.
    #[must_use]
    pub fn assess(&self) -> Assessment {
        let mut look_again = None;
        let progressing = self.settle(self.progressing(), &mut look_again);
        let degraded = self.degraded(progressing.status == "True", &mut look_again);
        let mut conditions = vec![
            progressing,
            self.stamp(self.available()),
            self.stamp(self.upgradeable()),
            degraded,
        ];
        let further = [self.bundles_ready(), self.cluster_config_ready()];
        conditions.extend(further.into_iter().flatten().map(|verdict| self.stamp(verdict)));
        conditions.extend(self.upstreams_healthy());
        let ours = [
            PROGRESSING,
            AVAILABLE,
            UPGRADEABLE,
            DEGRADED,
            CA_BUNDLES_READY,
            CLUSTER_CONFIG_READY,
            UPSTREAMS_HEALTHY,
        ];
        conditions.extend(
            self.old
                .iter()
                .filter(|old| !ours.contains(&old.kind.as_str()))
                .cloned(),
        );
        Assessment {
            conditions,
            look_again,
        }
    }

    fn old(&self, kind: &str) -> Option<&OperatorCondition> {
        self.old.iter().find(|condition| condition.kind == kind)
    }

    /// The condition, with the time its status last changed.
    fn stamp(&self, verdict: Verdict) -> OperatorCondition {
        let status = if verdict.status { "True" } else { "False" };
        let since = self
            .old(verdict.kind)
            .filter(|old| old.status == status)
            .map_or_else(|| Time(self.now), |old| old.last_transition_time.clone());
        OperatorCondition {
            last_transition_time: since,
            message: Some(verdict.message),
            reason: Some(verdict.reason),
            status: status.into(),
            kind: verdict.kind.into(),
        }
    }

    /// The condition, or the old one while that turned good only just now.
    fn settle(&self, verdict: Verdict, look_again: &mut Option<Duration>) -> OperatorCondition {
        if verdict.status
            && let Some(old) = self.old(verdict.kind).filter(|old| old.status == "False")
            && let Some(left) = self.left_of_tolerance(old)
        {
            *look_again = Some(look_again.map_or(left, |other: Duration| other.min(left)));
            return old.clone();
        }
        self.stamp(verdict)
    }

    fn left_of_tolerance(&self, condition: &OperatorCondition) -> Option<Duration> {
        let age = self.now.duration_since(condition.last_transition_time.0);
        let age = (age >= SignedDuration::ZERO).then(|| age.unsigned_abs())?;
        // A moment more, so that the next look finds the time over.
        TOLERANCE
            .checked_sub(age)
            .map(|left| left + Duration::from_millis(100))
    }

    fn progressing(&self) -> Verdict {
        let mut messages = Vec::new();
        if self.service_address.is_none() {
            messages.push(NO_ADDRESS.to_owned());
        }
        match &self.dns {
            None => messages.push(NO_DAEMON_SET.to_owned()),
            Some(rollout) => {
                if rollout.is_rolling() {
                    messages.push(format!(
                        "Have {} up-to-date DNS pods, want {}.",
                        rollout.updated, rollout.desired
                    ));
                }
                if let Some(placement) = self.placement {
                    messages.extend(rollout.misplacement(placement));
                }
            }
        }
        match &self.node_resolver {
            None => messages.push("The node-resolver daemonset does not exist.".to_owned()),
            Some(rollout) if rollout.is_rolling() => messages.push(format!(
                "Have {} up-to-date node-resolver pods, want {}.",
                rollout.updated, rollout.desired
            )),
            Some(_) => {}
        }
        if messages.is_empty() {
            let message =
                "All DNS and node-resolver pods are updated, and the DNS service has a cluster IP address.";
            return Verdict::new(PROGRESSING, false, AS_EXPECTED, message);
        }
        Verdict::new(PROGRESSING, true, "Reconciling", messages.join("\n"))
    }

    fn available(&self) -> Verdict {
        let mut reason = String::new();
        let mut messages = Vec::new();
        match &self.dns {
            None => {
                reason.push_str("NoDaemonSet");
                messages.push(NO_DAEMON_SET);
            }
            Some(rollout) if rollout.available == 0 => {
                reason.push_str("NoDaemonSetPods");
                messages.push("The DNS daemonset has no pods available.");
            }
            Some(_) => {}
        }
        if self.service_address.is_none() {
            reason.push_str("NoService");
            messages.push(NO_ADDRESS);
        }
        if messages.is_empty() {
            let message =
                "The DNS daemonset has available pods, and the DNS service has a cluster IP address.";
            return Verdict::new(AVAILABLE, true, AS_EXPECTED, message);
        }
        Verdict::new(AVAILABLE, false, &reason, messages.join("\n"))
    }

    fn upgradeable(&self) -> Verdict {
        if self.unmanaged {
            let message = "Cannot upgrade while managementState is Unmanaged";
            return Verdict::new(UPGRADEABLE, false, "OperatorUnmanaged", message);
        }
        Verdict::new(UPGRADEABLE, true, AS_EXPECTED, "DNS Operator can be upgraded")
    }

    /// Only where CA bundles are asked for. A missing one keeps no name that is
    /// known to the image's authorities from being resolved: nothing is degraded.
    fn bundles_ready(&self) -> Option<Verdict> {
        let troubles = self.bundles.troubles();
        if self.bundles.usable.is_empty() && troubles.is_empty() {
            return None;
        }
        if troubles.is_empty() {
            let message = "All CA bundles are there and readable.";
            return Some(Verdict::new(CA_BUNDLES_READY, true, AS_EXPECTED, message));
        }
        let reason = self.bundles.reason();
        Some(Verdict::new(CA_BUNDLES_READY, false, reason, troubles.join("\n")))
    }

    /// Only while there is something to say: OpenShift's conditions are four.
    fn cluster_config_ready(&self) -> Option<Verdict> {
        let reason = self.remarks.first()?.reason;
        let messages: Vec<&str> = self
            .remarks
            .iter()
            .map(|remark| remark.message.as_str())
            .collect();
        Some(Verdict::new(
            CLUSTER_CONFIG_READY,
            false,
            reason,
            messages.join("\n"),
        ))
    }

    /// Only where upstreams are probed. While too little is known of them, what was
    /// known before stays. One that fails degrades nothing: it is not the cluster's.
    fn upstreams_healthy(&self) -> Option<OperatorCondition> {
        let verdict = match self.upstreams {
            Report::Nothing => return None,
            Report::Pending => return self.old(UPSTREAMS_HEALTHY).cloned(),
            Report::Healthy => Verdict::new(UPSTREAMS_HEALTHY, true, AS_EXPECTED, "All upstreams answer."),
            Report::Failing(lines) => {
                Verdict::new(UPSTREAMS_HEALTHY, false, "UpstreamsFailing", lines.join("\n"))
            }
        };
        Some(self.stamp(verdict))
    }

    fn degraded(&self, progressing: bool, look_again: &mut Option<Duration>) -> OperatorCondition {
        if let Some(verdict) = self.refused_or_failed() {
            return self.stamp(verdict);
        }
        let causes = self.degrading_causes();
        if causes.is_empty() || progressing {
            let message = "Enough DNS pods are available, and the DNS service has a cluster IP address.";
            let good = Verdict::new(DEGRADED, false, AS_EXPECTED, message);
            let recent = self
                .old(DEGRADED)
                .filter(|old| !causes.is_empty() && old.status == "False")
                .filter(|old| self.left_of_tolerance(old).is_some());
            return recent.cloned().unwrap_or_else(|| self.stamp(good));
        }
        let mut list = String::new();
        for (reason, message) in &causes {
            let separator = if list.is_empty() { "" } else { ", " };
            // Writing to a string cannot fail.
            let _ = write!(list, "{separator}{reason}=True ({reason}: {message})");
        }
        let message = format!("One or more other status conditions indicate a degraded state: {list}");
        self.settle(
            Verdict::new(DEGRADED, true, "DegradedConditions", message),
            look_again,
        )
    }

    /// What a person has to mend: it does not go away by waiting.
    fn refused_or_failed(&self) -> Option<Verdict> {
        if let Some(invalid) = self.invalid {
            let message =
                format!("The specification is not put into force, the last good one stays:\n{invalid}");
            return Some(Verdict::new(DEGRADED, true, "InvalidSpec", message));
        }
        if self.failures.is_empty() {
            return None;
        }
        Some(Verdict::new(
            DEGRADED,
            true,
            "ReconcileFailed",
            self.failures.join("\n"),
        ))
    }

    fn degrading_causes(&self) -> Vec<(&'static str, String)> {
        let mut causes = Vec::new();
        if self.service_address.is_none() {
            causes.push(("NoService", NO_ADDRESS.to_owned()));
        }
        match &self.dns {
            None => causes.push(("NoDNSDaemonSet", NO_DAEMON_SET.to_owned())),
            Some(rollout) => causes.extend(lack_of_pods(rollout)),
        }
        causes
    }
}

/// A status without what may wait a little: the counts of a rollout's pods, and which
/// upstreams beside the first one fail.
#[must_use]
pub fn gist(status: &DnsStatus) -> DnsStatus {
    let mut gist = status.clone();
    gist.nodes = None;
    for condition in &mut gist.conditions {
        if [PROGRESSING, UPSTREAMS_HEALTHY].contains(&condition.kind.as_str()) {
            condition.message = None;
        }
    }
    gist
}

fn lack_of_pods(rollout: &Rollout) -> Option<(&'static str, String)> {
    if rollout.desired == 0 {
        let message = "No DNS pods are desired; this could mean all nodes are tainted or unschedulable.";
        return Some(("NoDNSPodsDesired", message.into()));
    }
    if rollout.available == 0 {
        return Some(("NoDNSPodsAvailable", "No DNS pods are available.".into()));
    }
    let unavailable = rollout.desired - rollout.available;
    let most = (rollout.desired + UNAVAILABLE_SHARE - 1) / UNAVAILABLE_SHARE;
    (unavailable > most).then(|| {
        (
            "MaxUnavailableDNSPodsExceeded",
            format!("Too many DNS pods are unavailable ({unavailable} > {most} max unavailable)."),
        )
    })
}
