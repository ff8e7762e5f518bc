//! What the operator knows of the cluster's nodes.
//!
//! A cluster may have thousands of them, each some ten kilobytes of JSON. Kept is
//! what decisions are made from, and every text only once: labels and taints
//! repeat from node to node.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1::Taint;

use crate::dns::cluster::{self, Worker};
use crate::dns::config::Placement;
use crate::dns::node::{Node, is_label};

/// The nodes by name.
#[derive(Default)]
pub struct Nodes {
    by_name: BTreeMap<Box<str>, Kept>,
    /// Each as `key=value`.
    labels: BTreeSet<Arc<str>>,
    taints: Vec<Arc<Taint>>,
    zones: BTreeSet<Arc<str>>,
    /// None before all nodes are known.
    topology_hints: Option<bool>,
    watched_closely: bool,
}

#[derive(PartialEq)]
struct Kept {
    version: u64,
    labels: Box<[Arc<str>]>,
    taints: Box<[Arc<Taint>]>,
    worker: Option<Worker<Arc<str>>>,
}

impl Nodes {
    /// Puts in a node, and tells whether anything that matters is new.
    pub fn put(&mut self, node: &Node) -> bool {
        let Some(name) = node.metadata.name.as_deref() else {
            return false;
        };
        let version = node.version();
        let known = self.by_name.get(name);
        if known.is_some_and(|known| known.version >= version) {
            return false;
        }
        let labels = node.labels().map(|label| self.label(label)).collect();
        let taints = node.taints().map(|taint| self.taint(taint)).collect();
        let worker = node.worker().map(|worker| Worker {
            zone: worker.zone.map(|zone| self.zone(zone)),
        });
        let new = Kept {
            version,
            labels,
            taints,
            worker,
        };
        let old = self.by_name.insert(name.into(), new);
        old.is_none_or(|old| {
            self.by_name.get(name).is_none_or(|new| {
                (&old.labels, &old.taints, &old.worker) != (&new.labels, &new.taints, &new.worker)
            })
        })
    }

    /// Draws the conclusions from what was put in and taken out; tells whether
    /// there is something to do about it.
    pub fn conclude(&mut self) -> bool {
        let hints = Some(cluster::topology_hints(self.workers()));
        let turned = std::mem::replace(&mut self.topology_hints, hints) != hints;
        turned || self.watched_closely
    }

    /// Whether every new fact is something to do about, as long as a placement
    /// waits for a node.
    pub fn watch_closely(&mut self, closely: bool) {
        self.watched_closely = closely;
    }

    /// Whether the nodes are fit for routing by zone, once all of them are known.
    #[must_use]
    pub fn topology_hints(&self) -> Option<bool> {
        self.topology_hints
    }

    /// Takes out a node that has gone, and tells whether it was known.
    pub fn remove(&mut self, name: &str) -> bool {
        let known = self.by_name.remove(name).is_some();
        self.forget_unused();
        known
    }

    /// Takes out what a complete list did not have.
    pub fn retain(&mut self, listed: &BTreeSet<String>) {
        self.by_name.retain(|name, _| listed.contains(&**name));
        self.forget_unused();
    }

    fn workers(&self) -> impl Iterator<Item = &Worker<Arc<str>>> {
        self.by_name.values().filter_map(|node| node.worker.as_ref())
    }

    /// Whether all nodes are known.
    #[must_use]
    pub fn are_known(&self) -> bool {
        self.topology_hints.is_some()
    }

    /// Whether a DNS pod of this placement finds a node. Where there are no nodes,
    /// no pod can be lost by it.
    #[must_use]
    pub fn admit(&self, placement: &Placement) -> bool {
        self.by_name.is_empty()
            || self.by_name.values().any(|node| {
                let has = |key: &str, value: &str| {
                    let mut labels = node.labels.iter();
                    labels.any(|label| is_label(label, key, value))
                };
                placement.admits(has, node.taints.iter().map(AsRef::as_ref))
            })
    }

    fn label(&mut self, label: &str) -> Arc<str> {
        if let Some(known) = self.labels.get(label) {
            return Arc::clone(known);
        }
        let label: Arc<str> = label.into();
        self.labels.insert(Arc::clone(&label));
        label
    }

    fn taint(&mut self, taint: &Taint) -> Arc<Taint> {
        // When it was set decides nothing.
        let taint = Taint {
            time_added: None,
            ..taint.clone()
        };
        if let Some(known) = self.taints.iter().find(|known| ***known == taint) {
            return Arc::clone(known);
        }
        let taint = Arc::new(taint);
        self.taints.push(Arc::clone(&taint));
        taint
    }

    fn zone(&mut self, zone: &str) -> Arc<str> {
        if let Some(known) = self.zones.get(zone) {
            return Arc::clone(known);
        }
        let zone: Arc<str> = zone.into();
        self.zones.insert(Arc::clone(&zone));
        zone
    }

    /// Nodes come and go under new names for years.
    fn forget_unused(&mut self) {
        self.labels.retain(|label| Arc::strong_count(label) > 1);
        self.taints.retain(|taint| Arc::strong_count(taint) > 1);
        self.zones.retain(|zone| Arc::strong_count(zone) > 1);
    }
}
