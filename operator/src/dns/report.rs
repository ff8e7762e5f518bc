//! What is told of a reconcile: in the status, to the cluster's administrators, and
//! in Events.

use api::{CorefileStatus, DnsStatus, SpecInForce};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::time::Duration;

use super::ca_bundle::CaBundles;
use super::config::{Config, InvalidSpec};
use super::drift::{Cause, last_writer};
use super::inputs::{Inputs, Remark};
use super::names::{COREFILE_KEY, DNS, DNS_DEFAULT, NAMESPACE, NODE_RESOLVER};
use super::notice::{Notice, Published};
use super::objects::{Desired, ObjectKey};
use super::observe::{self, StoredDns};
use super::status::{self, InForce, Observation, Rollout};
use super::{Failures, Reconciler};
use crate::cluster_operator;
use crate::difference::replacement;
use crate::resources::{cluster_operator_key, config_map_key, daemon_set_key, default_dns_key};
use crate::upstreams::report::Report;

/// How long passes fail before the status says so: most failures are over with the
/// next pass, and a condition that flaps rouses people for nothing.
const FAILURE_TOLERANCE: SignedDuration = SignedDuration::from_secs(10);

/// How often the status is written for its details alone.
const DETAIL_INTERVAL: Duration = Duration::from_secs(5);

/// A status that was written.
pub(super) struct StatusWritten {
    /// As it was sent: times are cut to what is written of them.
    wanted: Value,
    /// What the API server made of it.
    stored: DnsStatus,
    at: Timestamp,
}

impl Reconciler {
    /// Writes what came of a pass into the DNS; tells when to look again.
    pub(super) async fn write_status(
        &mut self,
        dns: &StoredDns,
        checked: Result<&Config, &InvalidSpec>,
        bundles: &CaBundles,
        failures: &mut Failures,
        now: Timestamp,
    ) -> Option<Duration> {
        let old = dns.status();
        let service_address = observe::service_address(&self.cache);
        let lasting = self.lasting_failures(failures, now);
        let remarks = observe::remarks(&self.cache, &self.setup, self.served.borrow().as_ref());
        self.tell_of_remarks(&remarks);
        let upstreams = self.report_of_upstreams(&old);
        let observation = Observation {
            now,
            old: &old.conditions,
            unmanaged: dns.is_unmanaged(),
            service_address,
            dns: observe::dns_rollout(&self.cache),
            node_resolver: observe::node_resolver_rollout(&self.cache),
            placement: checked
                .ok()
                .or(self.last_good.as_ref().map(|good| &good.config))
                .map(|config| &config.placement),
            invalid: checked.err(),
            failures: &lasting,
            bundles,
            remarks: &remarks,
            upstreams: &upstreams,
        };
        let assessment = observation.assess();
        let corefile = observe::corefile(&self.cache);
        let rendered = self.in_force.as_ref();
        let rendered = rendered.filter(|rendered| corefile.as_deref() == Some(&*rendered.corefile));
        let in_force = corefile.as_deref().map(|corefile| InForce {
            corefile,
            written: observe::corefile_written(&self.cache),
            rendered_from: rendered.and_then(|rendered| rendered.generation),
            old: old.corefile.as_ref(),
            spec: dns.spec(),
            is_current: rendered.is_some_and(|rendered| rendered.generation == dns.generation()),
            refused: checked.is_err(),
            unmanaged: dns.is_unmanaged(),
        });
        let status = DnsStatus {
            cluster_domain: self.setup.cluster.cluster_domain.clone(),
            cluster_ip: service_address
                .map(|address| address.to_string())
                .unwrap_or_default(),
            conditions: assessment.conditions,
            corefile: in_force.map(|in_force| in_force.corefile(now)),
            effective_cache: in_force.map(|in_force| in_force.cache()),
            nodes: observation.dns.as_ref().map(Rollout::nodes),
            observed_generation: dns.generation(),
        };
        let current = |corefile: &CorefileStatus| corefile.spec_in_force == SpecInForce::Current;
        let current = status.corefile.as_ref().is_some_and(current);
        let metrics = &self.setup.vitals.metrics;
        metrics.config_in_force((!dns.is_unmanaged()).then_some(current));
        let wait = Box::pin(self.put_status(dns, &old, status, failures, now)).await;
        wait.into_iter().chain(assessment.look_again).min()
    }

    /// Writes the status, if it is another one. Details may wait a little: with thousands
    /// of nodes the counts of a rollout change all the time, and upstreams that fail
    /// together are found one after the other.
    async fn put_status(
        &mut self,
        dns: &StoredDns,
        old: &DnsStatus,
        status: DnsStatus,
        failures: &mut Failures,
        now: Timestamp,
    ) -> Option<Duration> {
        if status == *old && !dns.value()["status"].is_null() {
            return None;
        }
        let wanted = json!(status);
        if let Some(written) = &self.status_written {
            // A definition of the resource that lacks fields has them dropped.
            if written.wanted == wanted && written.stored == *old {
                return None;
            }
            let age = now.duration_since(written.at).unsigned_abs();
            if status::gist(&status) == status::gist(old)
                && let Some(left) = DETAIL_INTERVAL.checked_sub(age).filter(|left| !left.is_zero())
            {
                return Some(left);
            }
        }
        let patch = replacement(&wanted, &json!(old));
        let written = self.applier.patch_status(&default_dns_key(), patch).await;
        if written.is_ok() {
            let stored = StoredDns::observe(&self.cache).map(|dns| dns.status());
            self.status_written = Some(StatusWritten {
                wanted,
                stored: stored.unwrap_or_default(),
                at: now,
            });
        }
        failures.note(written);
        None
    }

    /// What has gone wrong for so long that it will not pass by itself.
    fn lasting_failures(&mut self, failures: &Failures, now: Timestamp) -> Vec<String> {
        if failures.messages.is_empty() {
            self.failing_since = None;
            return Vec::new();
        }
        let since = *self.failing_since.get_or_insert(now);
        if now.duration_since(since) < FAILURE_TOLERANCE {
            return Vec::new();
        }
        failures.messages.clone()
    }

    /// Tells OpenShift's administrators, where there is OpenShift.
    pub(super) async fn write_cluster_operator(&self, failures: &mut Failures, now: Timestamp) {
        let key = cluster_operator_key();
        let is_served = self
            .served
            .borrow()
            .as_ref()
            .is_some_and(|served| served.has(&key));
        if !is_served {
            return;
        }
        if self.cache.get(&key).is_none() {
            let object = Desired::with_spec(key.clone(), &json!({}));
            let created = self.applier.create(&object).await;
            let failed = created.is_err();
            failures.note(created);
            if failed {
                return;
            }
        }
        let Some(live) = self.cache.get(&key) else {
            return;
        };
        let dns = StoredDns::observe(&self.cache).map(|dns| dns.status());
        let dns_pods = observe::dns_rollout(&self.cache);
        let node_resolver_pods = observe::node_resolver_rollout(&self.cache);
        let observation = cluster_operator::Observation {
            now,
            old: &live["status"],
            dns: dns.as_ref().map(|status| status.conditions.as_slice()),
            release: &self.setup.cluster.release_version,
            images: &self.setup.images,
            dns_pods: dns_pods.as_ref(),
            node_resolver_pods: node_resolver_pods.as_ref(),
            has_namespace: observe::has_namespace(&self.cache),
        };
        let status = observation.status();
        let fields = status.as_object().into_iter().flatten();
        if fields
            .into_iter()
            .any(|(field, value)| live["status"][field] != *value)
        {
            failures.note(self.applier.patch_status(&key, status).await);
        }
    }

    /// Tells that a trouble is there, or over; each once.
    fn tell_state(&mut self, topic: &'static str, trouble: Option<Notice>, over: Option<Notice>) {
        match trouble {
            Some(notice) if self.told.get(topic) != Some(&notice.note) => {
                self.told.insert(topic, notice.note.clone());
                self.events.tell(notice);
            }
            Some(_) => {}
            None => {
                let was_there = self.told.remove(topic).is_some();
                if let Some(over) = over.filter(|_| was_there) {
                    self.events.tell(over);
                }
            }
        }
    }

    pub(super) fn tell_of_config(
        &mut self,
        dns: &StoredDns,
        checked: &Result<Config, InvalidSpec>,
        inputs: &Inputs,
    ) {
        let refused = checked.as_ref().err().map(Notice::spec_refused);
        self.tell_state("spec", refused, Some(Notice::spec_mended()));
        let warnings = checked
            .as_ref()
            .map(|config| config.warnings(inputs))
            .unwrap_or_default();
        let shadowed = (!warnings.is_empty()).then(|| Notice::cluster_domain_shadowed(&warnings));
        self.tell_state("cluster domain", shadowed, None);
        let cache = checked.as_ref().ok().map(|config| config.cache);
        let limits = [
            ("positiveTTL", cache.map(|cache| cache.positive)),
            ("negativeTTL", cache.map(|cache| cache.negative)),
        ];
        for (field, ttl) in limits {
            let typed = dns.spec()["cache"][field].as_str().unwrap_or_default();
            let capped = ttl == Some(u32::MAX) && !typed.is_empty();
            let notice = capped.then(|| Notice::ttl_capped(&format!("spec.cache.{field}"), typed));
            self.tell_state(field, notice, None);
        }
    }

    pub(super) fn tell_of_bundles(&mut self, bundles: &CaBundles) {
        let troubles = bundles.troubles();
        let notice =
            (!troubles.is_empty()).then(|| Notice::bundles_unusable(bundles.reason(), troubles.join("\n")));
        self.tell_state("CA bundles", notice, Some(Notice::bundles_usable()));
    }

    fn tell_of_remarks(&mut self, remarks: &[Remark]) {
        let messages: Vec<&str> = remarks.iter().map(|remark| remark.message.as_str()).collect();
        let first = remarks.first();
        let notice = first.map(|first| Notice::config_not_followed(first.reason, messages.join("\n")));
        self.tell_state("cluster config", notice, None);
    }

    /// What is known of the upstreams, which people are told.
    fn report_of_upstreams(&mut self, old: &DnsStatus) -> Report {
        let report = self.upstreams.report(status::told_of_upstreams(&old.conditions));
        let (trouble, over) = match &report {
            Report::Pending => return report,
            Report::Nothing => (None, None),
            Report::Healthy => (None, Some(Notice::upstreams_healthy())),
            Report::Failing(lines) => (Some(Notice::upstreams_failing(lines)), None),
        };
        self.tell_state("upstreams", trouble, over);
        report
    }

    pub(super) fn tell_of_placement(&mut self, refused: bool) {
        let notice = refused.then(|| Notice::placement_refused(&daemon_set_key(DNS_DEFAULT)));
        self.tell_state("placement", notice, None);
    }

    /// Only the resource `default` counts; who makes another one is told so, once.
    pub(super) fn tell_of_others(&mut self) {
        let dnses = self.cache.of_kind("DNS");
        let names = dnses.iter().filter_map(|dns| dns["metadata"]["name"].as_str());
        let others: Vec<&str> = names.filter(|name| *name != DNS).collect();
        let notice = (!others.is_empty()).then(|| Notice::others_ignored(&others));
        self.tell_state("other DNSes", notice, None);
    }

    /// Tells of a write: what was published, or who had changed what. `live` is
    /// how the object was, and the fields that were repaired.
    pub(super) fn tell_of_change(
        &mut self,
        desired: &Desired,
        live: Option<(&Value, &[String])>,
        now: Timestamp,
    ) {
        let key = &desired.key;
        match (self.repairs.note(desired, now), live) {
            (Cause::NewWish, _) => {}
            (Cause::Drift, None) => self.events.tell(Notice::deletion_repaired(key)),
            (Cause::Drift, Some((live, fields))) => {
                self.events
                    .tell(Notice::drift_repaired(key, fields, last_writer(live)));
            }
            (Cause::Dispute, live) => {
                let fields = live.map(|(_, fields)| fields).unwrap_or_default();
                let writer = live.and_then(|(live, _)| last_writer(live));
                self.events.tell(Notice::repairs_undone(key, fields, writer));
            }
        }
        if *key == config_map_key(NAMESPACE, DNS_DEFAULT) {
            self.tell_of_corefile(key, &desired.value, live.map(|(live, _)| live));
        }
    }

    fn tell_of_corefile(&self, key: &ObjectKey, new: &Value, old: Option<&Value>) {
        let published = |map: &Value| {
            let corefile = map["data"][COREFILE_KEY].as_str()?;
            Some(Published::of(corefile))
        };
        let old = old.and_then(published);
        if let Some(new) = published(new).filter(|new| old.as_ref() != Some(new)) {
            self.events
                .tell(Notice::corefile_published(old.as_ref(), &new, key));
        }
    }

    pub(super) fn tell_of_rollouts(&mut self) {
        let rollouts = [
            (DNS_DEFAULT, observe::dns_rollout(&self.cache)),
            (NODE_RESOLVER, observe::node_resolver_rollout(&self.cache)),
        ];
        for (name, rollout) in rollouts {
            let Some(rollout) = rollout else {
                continue;
            };
            if rollout.is_rolling() && rollout.current > 0 {
                self.rolling.insert(name, true);
            } else if rollout.is_complete() && self.rolling.insert(name, false) == Some(true) {
                let notice = Notice::rollout_finished(&daemon_set_key(name), rollout.desired);
                self.events.tell(notice);
            }
        }
    }
}
