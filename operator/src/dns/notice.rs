//! What a person would want to be told of: each becomes an Event on the DNS and a
//! line of the log.

use std::fmt::Write as _;

use crate::dns::config::{Finding, InvalidSpec};
use crate::dns::digest::revision;
use crate::dns::names::DNS;
use crate::dns::objects::ObjectKey;

/// Something that was decided or has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Whether it should be looked at.
    pub warning: bool,
    /// One word for it, for programs.
    pub reason: &'static str,
    /// What the operator did, in one word.
    pub action: &'static str,
    /// What there is to say.
    pub note: String,
    /// The object it is about beside the DNS.
    pub related: Option<ObjectKey>,
}

/// The most that an Event's note may hold, in octets (events.k8s.io/v1).
const LONGEST_NOTE: usize = 1024;

impl Notice {
    fn new(warning: bool, reason: &'static str, action: &'static str, mut note: String) -> Self {
        if note.len() > LONGEST_NOTE {
            let end = (0..=LONGEST_NOTE - "…".len())
                .rev()
                .find(|at| note.is_char_boundary(*at));
            note.truncate(end.unwrap_or_default());
            note.push('…');
        }
        Self {
            warning,
            reason,
            action,
            note,
            related: None,
        }
    }

    fn about(mut self, object: &ObjectKey) -> Self {
        self.related = Some(object.clone());
        self
    }

    /// The specification is refused.
    #[must_use]
    pub fn spec_refused(invalid: &InvalidSpec) -> Self {
        let note = format!("The last good configuration stays in force:\n{invalid}");
        Self::new(true, "InvalidSpec", "KeepConfiguration", note)
    }

    /// A specification that was refused has been mended.
    #[must_use]
    pub fn spec_mended() -> Self {
        let note = "The specification is valid again and in force".to_owned();
        Self::new(false, "ValidSpec", "Reconcile", note)
    }

    /// Zones of servers take names away from the cluster.
    #[must_use]
    pub fn cluster_domain_shadowed(findings: &[Finding]) -> Self {
        let lines: Vec<String> = findings.iter().map(Finding::as_warning).collect();
        Self::new(true, "ClusterDomainShadowed", "Reconcile", lines.join("\n"))
    }

    /// A TTL was cut to what a DNS server can count.
    #[must_use]
    pub fn ttl_capped(field: &str, typed: &str) -> Self {
        let note = format!("{field}: {typed} is cut to {} seconds, the longest TTL", u32::MAX);
        Self::new(true, "TTLCapped", "Reconcile", note)
    }

    /// CA bundles that are wanted are not there, or not what they should be.
    #[must_use]
    pub fn bundles_unusable(reason: &'static str, note: String) -> Self {
        Self::new(true, reason, "UseOtherAuthorities", note)
    }

    /// All CA bundles that are wanted are there again.
    #[must_use]
    pub fn bundles_usable() -> Self {
        let note = "All CA bundles are there and readable".to_owned();
        Self::new(false, "CABundlesReady", "Reconcile", note)
    }

    /// Something of the cluster's configuration cannot be followed.
    #[must_use]
    pub fn config_not_followed(reason: &'static str, note: String) -> Self {
        Self::new(true, reason, "Reconcile", note)
    }

    /// Upstreams do not answer, or not as they should.
    #[must_use]
    pub fn upstreams_failing(lines: &[String]) -> Self {
        Self::new(true, "UpstreamsFailing", "ProbeUpstreams", lines.join("\n"))
    }

    /// All upstreams answer again.
    #[must_use]
    pub fn upstreams_healthy() -> Self {
        let note = "All upstreams answer".to_owned();
        Self::new(false, "UpstreamsHealthy", "ProbeUpstreams", note)
    }

    /// There are DNSes that the operator does not act on.
    #[must_use]
    pub fn others_ignored(names: &[&str]) -> Self {
        let note = format!("DNS {names:?} is ignored: the operator acts on {DNS:?} alone");
        Self::new(true, "DNSIgnored", "Ignore", note)
    }

    /// No node would take a DNS pod as it is wanted.
    #[must_use]
    pub fn placement_refused(set: &ObjectKey) -> Self {
        let note = "spec.nodePlacement: updated daemonset's node placement parameters match 0 schedulable \
            nodes; the DNS pods stay where they are"
            .to_owned();
        Self::new(true, "UnsafeNodePlacement", "KeepNodePlacement", note).about(set)
    }

    /// A Corefile has been published.
    #[must_use]
    pub fn corefile_published(old: Option<&Published>, new: &Published, map: &ObjectKey) -> Self {
        let mut note = format!("Corefile {}", new.revision);
        if let Some(old) = old {
            // Writing to a string cannot fail.
            let _ = write!(note, " replaces {}", old.revision);
        }
        let ttl = |old: Option<Option<u32>>, new: Option<u32>| {
            let text = |ttl: Option<u32>| ttl.map_or("unknown".into(), |ttl| format!("{ttl} s"));
            match old.filter(|old| *old != new) {
                Some(old) => format!("{} instead of {}", text(new), text(old)),
                None => text(new),
            }
        };
        let _ = write!(
            note,
            ": answers are cached for up to {}, denials for up to {}",
            ttl(old.map(|old| old.positive_ttl), new.positive_ttl),
            ttl(old.map(|old| old.negative_ttl), new.negative_ttl),
        );
        Self::new(false, "CorefilePublished", "PublishCorefile", note).about(map)
    }

    /// Somebody's change to an object was taken back.
    #[must_use]
    pub fn drift_repaired(object: &ObjectKey, fields: &[String], writer: Option<&str>) -> Self {
        let by = writer
            .map(|writer| format!(", changed by {writer}"))
            .unwrap_or_default();
        let note = format!("Repaired {object}: {}{by}", fields.join(", "));
        Self::new(false, "DriftRepaired", "Repair", note).about(object)
    }

    /// An object that somebody deleted was made again.
    #[must_use]
    pub fn deletion_repaired(object: &ObjectKey) -> Self {
        let note = format!("Made {object} again, which was deleted");
        Self::new(false, "DriftRepaired", "Repair", note).about(object)
    }

    /// Somebody undoes repairs as fast as they are made.
    #[must_use]
    pub fn repairs_undone(object: &ObjectKey, fields: &[String], writer: Option<&str>) -> Self {
        let by = writer.map(|writer| format!(" by {writer}")).unwrap_or_default();
        let what = if fields.is_empty() {
            "deleted again and again".to_owned()
        } else {
            format!("changed again and again{by} ({})", fields.join(", "))
        };
        let note = format!("{object} is {what}: it is repaired once a second from now on");
        Self::new(true, "RepairsUndone", "RepairLessOften", note).about(object)
    }

    /// Every pod of a DaemonSet is of the present template.
    #[must_use]
    pub fn rollout_finished(set: &ObjectKey, pods: i64) -> Self {
        let note = format!("All {pods} pods of {set} are up to date and available");
        Self::new(false, "RolloutFinished", "RollOut", note).about(set)
    }
}

/// What can be told of a Corefile that is in force, or was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The first eight hexadecimal digits of the Corefile's SHA-256.
    pub revision: String,
    /// The limit for answers, in seconds.
    pub positive_ttl: Option<u32>,
    /// The limit for denials, in seconds.
    pub negative_ttl: Option<u32>,
}

impl Published {
    /// What a Corefile of the operator says.
    #[must_use]
    pub fn of(corefile: &str) -> Self {
        let (positive_ttl, negative_ttl) = Self::limits(corefile);
        Self {
            revision: revision(corefile),
            positive_ttl,
            negative_ttl,
        }
    }

    /// The limits that a Corefile of the operator says, for answers and for denials, in
    /// seconds.
    #[must_use]
    pub fn limits(corefile: &str) -> (Option<u32>, Option<u32>) {
        let number = |directive: &str, at: usize| {
            let mut lines = corefile.lines().map(str::trim);
            let line = lines.find(|line| line.starts_with(directive))?;
            line.split_whitespace().nth(at)?.parse().ok()
        };
        (number("cache ", 1), number("denial ", 2))
    }
}
