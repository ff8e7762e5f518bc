//! What a list or a watch is about, and how events reach a watch.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;

use super::faults::Order;
use super::kinds::Kind;
use super::store::{Happened, Id};

/// Somebody who is told what happens.
pub struct Watch {
    pub selection: Selection,
    pub events: UnboundedSender<Value>,
    /// The event before, or one that is held back.
    pub held: Option<Value>,
}

/// Which objects a list or a watch is about.
#[derive(Clone)]
pub struct Selection {
    pub kind: &'static Kind,
    pub namespace: Option<String>,
    pub query: BTreeMap<String, String>,
}

impl Selection {
    pub fn contains(&self, id: &Id, object: &Value) -> bool {
        let selector = |name: &str| self.query.get(name).map(String::as_str).unwrap_or_default();
        let metadata = &object["metadata"];
        let fields = selector("fieldSelector")
            .split(',')
            .all(|term| match term.split_once('=') {
                Some(("metadata.name", name)) => name == id.name,
                _ => term.is_empty(),
            });
        let labels = selector("labelSelector")
            .split(',')
            .all(|term| match term.split_once('=') {
                Some((label, value)) => metadata["labels"][label] == value,
                None => term.is_empty() || metadata["labels"][term].is_string(),
            });
        let namespace = self.namespace.is_none() || self.namespace == id.namespace;
        *id.kind == *self.kind && namespace && fields && labels
    }
}

impl Watch {
    pub fn tell(&mut self, happened: &Happened, order: Order) {
        if !self.selection.contains(&happened.id, &happened.object) {
            return;
        }
        let event = json!({ "type": happened.what, "object": happened.object });
        // Nobody may listen any more.
        let send = |event: &Value| {
            let _ = self.events.send(event.clone());
        };
        match order {
            Order::AsTheyCome => send(&event),
            Order::Twice => {
                let before = self.held.replace(event.clone());
                [Some(&event), before.as_ref(), Some(&event)]
                    .into_iter()
                    .flatten()
                    .for_each(send);
            }
            Order::Swapped => match self.held.take() {
                Some(before) => [&event, &before].into_iter().for_each(send),
                None => self.held = Some(event),
            },
        }
    }
}
