//! What is done to the cluster, drawn at random: the same for a seed.

use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{ConfigMap, Service, ServiceAccount};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding};
use operator::dns::names::{DNS_DEFAULT, NAMESPACE, NODE_RESOLVER, SERVICE_ACCOUNT};
use operator::dns::objects::ObjectKey;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};

use crate::specification::{self, Template};

/// One change of the cluster.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A specification that is put into force.
    Edit(Value),
    /// One that the operator refuses.
    Refused(Value),
    /// One that the API server refuses.
    NotAdmitted(Value),
    /// A field that is nobody's business but must stay.
    Mark(ObjectKey, Value),
    /// A field that the operator has to repair.
    Drift(ObjectKey, Value),
    /// A line more in the Corefile, which CoreDNS would load.
    Scribble,
    /// An object goes.
    Delete(ObjectKey),
    /// A DaemonSet goes and leaves its pods behind, for the next one to adopt. With
    /// its pods, the only node would be without DNS.
    Orphan(ObjectKey),
    /// The DNS Service goes, which the node's proxy notices too.
    DeleteService,
    /// The CA bundle comes, or has other certificates.
    SetBundle,
    /// The CA bundle goes.
    RemoveBundle,
}

/// Changes without end. Those that start pods or stop the traffic come seldom and
/// in turn, the others at random between them.
#[derive(Debug)]
pub struct Changes {
    random: StdRng,
    marked: Vec<ObjectKey>,
    between: u32,
    number: u32,
    seldom: usize,
    template: Template,
    /// What belongs to the last change and comes at once.
    next: Option<Change>,
}

/// What comes seldom.
#[derive(Clone, Copy)]
enum Seldom {
    Bundle,
    NoBundle,
    Placement,
    Rotation,
    OrphanDns,
    OrphanNodeResolver,
    Service,
}

const SELDOM: [Seldom; 9] = [
    Seldom::Bundle,
    Seldom::Placement,
    Seldom::OrphanDns,
    Seldom::Rotation,
    Seldom::Service,
    Seldom::Placement,
    Seldom::Rotation,
    Seldom::OrphanNodeResolver,
    Seldom::NoBundle,
];

impl Changes {
    /// Changes from a seed. Marks are put on some objects; so many changes lie
    /// between two that are seldom.
    #[must_use]
    pub fn new(seed: u64, marked: Vec<ObjectKey>, between: u32) -> Self {
        Self {
            random: StdRng::seed_from_u64(seed),
            marked,
            between: between.max(1),
            number: 0,
            seldom: 0,
            template: Template::default(),
            next: None,
        }
    }

    /// The next change.
    pub fn draw(&mut self) -> Change {
        if let Some(change) = self.next.take() {
            return change;
        }
        self.number += 1;
        if self.number.is_multiple_of(self.between) {
            let kind = SELDOM[self.seldom % SELDOM.len()];
            self.seldom += 1;
            return self.seldom(kind);
        }
        self.frequent()
    }

    /// An edit to end with: everything settles on it.
    pub fn last(&mut self) -> Change {
        Change::Edit(specification::good(&mut self.random, self.template))
    }

    fn seldom(&mut self, kind: Seldom) -> Change {
        match kind {
            Seldom::Bundle => {
                self.template.bundle = true;
                self.next = Some(self.last());
                Change::SetBundle
            }
            Seldom::NoBundle => {
                self.template.bundle = false;
                self.next = Some(Change::RemoveBundle);
                self.last()
            }
            Seldom::Placement => {
                self.template.place(&mut self.random);
                self.last()
            }
            Seldom::Rotation => Change::SetBundle,
            Seldom::OrphanDns => Change::Orphan(key::<DaemonSet>(DNS_DEFAULT)),
            Seldom::OrphanNodeResolver => Change::Orphan(key::<DaemonSet>(NODE_RESOLVER)),
            Seldom::Service => Change::DeleteService,
        }
    }

    fn frequent(&mut self) -> Change {
        let random = &mut self.random;
        match random.random_range(0..100) {
            0..60 => self.last(),
            60..63 => Change::Refused(specification::refused(random, self.template)),
            63..65 => Change::NotAdmitted(specification::not_admitted(random, self.template)),
            65..82 => self.mark(),
            82..92 => drift(random),
            92..94 => Change::Scribble,
            _ => {
                let deleted = deletable();
                deleted
                    .choose(random)
                    .map_or(Change::Scribble, |key| Change::Delete(key.clone()))
            }
        }
    }

    fn mark(&mut self) -> Change {
        let (random, number) = (&mut self.random, self.number);
        if random.random_bool(0.1) {
            let set = key::<DaemonSet>(DNS_DEFAULT);
            return Change::Mark(
                set,
                json!({ "spec": { "revisionHistoryLimit": 10 + number % 10 } }),
            );
        }
        let place = if random.random_bool(0.5) {
            "annotations"
        } else {
            "labels"
        };
        let name = format!("soak.example/{}", random.random_range(0..5));
        match self.marked.choose(random) {
            Some(key) => Change::Mark(
                key.clone(),
                json!({ "metadata": { place: { name: number.to_string() } } }),
            ),
            None => Change::Scribble,
        }
    }
}

/// What may go at any time. The pods' ServiceAccount may not: their tokens die
/// with it, and CoreDNS hears no more of the cluster until the kubelet has brought
/// a new one. Nor may the namespace, and the pods with it.
fn deletable() -> [ObjectKey; 7] {
    [
        key::<ConfigMap>(DNS_DEFAULT),
        key::<ServiceAccount>(NODE_RESOLVER),
        key::<NetworkPolicy>(DNS_DEFAULT),
        key::<NetworkPolicy>("openshift-dns-deny-all"),
        ObjectKey::of::<ClusterRole>(None, "openshift-dns"),
        ObjectKey::of::<ClusterRoleBinding>(None, "openshift-dns"),
        ObjectKey::of::<Service>(Some("default"), "openshift"),
    ]
}

/// Fields of the operator with other values. None of them reaches a pod or the
/// traffic in the moment until it is repaired, as another Service port would.
fn drift(random: &mut StdRng) -> Change {
    let owner = "dns.operator.openshift.io/owning-dns";
    let rolling = |field: &str, value: Value| json!({ "spec": { "updateStrategy": { "rollingUpdate": { field: value } } } });
    let label = json!({ "metadata": { "labels": { owner: null } } });
    let orphan = json!({ "metadata": { "ownerReferences": null } });
    let (key, patch) = match random.random_range(0..12) {
        0 => (key::<ConfigMap>(DNS_DEFAULT), json!({ "data": { "more": "x" } })),
        1 => (key::<ConfigMap>(DNS_DEFAULT), orphan),
        2 => (key::<DaemonSet>(DNS_DEFAULT), orphan),
        3 => (key::<DaemonSet>(DNS_DEFAULT), label),
        4 => (
            key::<DaemonSet>(DNS_DEFAULT),
            json!({ "spec": { "minReadySeconds": 8 } }),
        ),
        5 => (
            key::<DaemonSet>(NODE_RESOLVER),
            rolling("maxUnavailable", json!(1)),
        ),
        6 => (key::<Service>(DNS_DEFAULT), label),
        7 => (
            key::<Service>(DNS_DEFAULT),
            json!({ "metadata": { "annotations": { "service.beta.openshift.io/serving-cert-secret-name": "x" } } }),
        ),
        8 => (
            key::<NetworkPolicy>(DNS_DEFAULT),
            json!({ "spec": { "podSelector": { "matchLabels": { "a": "b" } } } }),
        ),
        9 => (
            ObjectKey::of::<ClusterRole>(None, "openshift-dns"),
            json!({ "rules": [{ "apiGroups": [""], "resources": ["pods"], "verbs": ["get"] }] }),
        ),
        10 => (
            ObjectKey::of::<ClusterRoleBinding>(None, "openshift-dns"),
            json!({ "subjects": [{ "kind": "ServiceAccount", "name": SERVICE_ACCOUNT, "namespace": "default" }] }),
        ),
        _ => (
            ObjectKey::of::<Service>(Some("default"), "openshift"),
            json!({ "spec": { "externalName": "elsewhere.example" } }),
        ),
    };
    Change::Drift(key, patch)
}

fn key<K: k8s_openapi::Resource>(name: &str) -> ObjectKey {
    ObjectKey::of::<K>(Some(NAMESPACE), name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(seed: u64, count: usize) -> Vec<Change> {
        let mut changes = Changes::new(seed, deletable().to_vec(), 20);
        (0..count).map(|_| changes.draw()).collect()
    }

    #[test]
    fn a_seed_tells_the_changes() {
        assert_eq!(drawn(1, 300), drawn(1, 300));
        assert_ne!(drawn(1, 300), drawn(2, 300));
    }

    #[test]
    fn a_bundle_is_there_while_it_is_used() {
        let mut there = false;
        for change in drawn(3, 2000) {
            match change {
                Change::SetBundle => there = true,
                Change::RemoveBundle => there = false,
                Change::Edit(spec) => {
                    let used = spec.to_string().contains(specification::BUNDLE);
                    assert!(there || !used, "{spec}");
                }
                _ => {}
            }
        }
    }
}
