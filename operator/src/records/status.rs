//! Writes statuses of objects, each when it has to say something else.
//!
//! A definition may lack fields of the status, and the API server then drops them: what was
//! written is compared with what was written before, and what is there with what the API
//! server made of it.

use std::collections::{BTreeMap, BTreeSet};

use kube::Client;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::apply::{self, ApplyError};
use crate::dns::objects::ObjectKey;

/// A status of which some fields are ours.
pub trait Status: Clone + Default + DeserializeOwned {
    /// Whether it has fields of ours.
    fn has_ours(&self) -> bool;

    /// Whether the fields of ours say different things.
    fn differs(&self, other: &Self) -> bool;

    /// The fields of ours as a patch: what it does not have goes.
    fn patch(&self) -> Value;
}

/// An object that is told something, as the watch has it.
pub struct Subject<'a, S> {
    /// Which one.
    pub key: &'a ObjectKey,
    /// What tells it from a later one of its name.
    pub uid: &'a str,
    /// The version that this is, of `metadata.resourceVersion`.
    pub version: &'a str,
    /// Its status.
    pub status: &'a S,
}

/// Writes the statuses of objects of a kind.
pub struct StatusWriter<S> {
    client: Client,
    /// By the object's uid.
    written: BTreeMap<String, Written<S>>,
}

struct Written<S> {
    /// What was asked for.
    desired: S,
    /// What came of it.
    stored: S,
    /// The version that was there before.
    replaced: String,
}

impl<S: Status> StatusWriter<S> {
    /// Writes through `client`.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self {
            client,
            written: BTreeMap::new(),
        }
    }

    /// Forgets the objects that are not there any more.
    pub fn retain<'a>(&mut self, uids: impl Iterator<Item = &'a str>) {
        let present: BTreeSet<&str> = uids.collect();
        self.written.retain(|uid, _| present.contains(&**uid));
    }

    /// Writes what is to be told of an object, given its status before, if that is something
    /// else; tells whether it was.
    pub async fn write(
        &mut self,
        subject: &Subject<'_, S>,
        told: impl FnOnce(&S) -> S,
    ) -> Result<bool, ApplyError> {
        match self.due(subject, told) {
            Some(desired) => self.write_one(subject, desired).await.map(|()| true),
            None => Ok(false),
        }
    }

    /// The status to write, if there is one.
    fn due(&self, subject: &Subject<'_, S>, told: impl FnOnce(&S) -> S) -> Option<S> {
        let written = self.written.get(subject.uid);
        // The watch may not have told of the last write yet.
        let seen = written.is_none_or(|written| subject.version != written.replaced);
        let old = match written {
            Some(written) if !seen || !subject.status.has_ours() => &written.desired,
            _ => subject.status,
        };
        let desired = told(old);
        let due = match written {
            Some(written) => {
                desired.differs(&written.desired) || seen && subject.status.differs(&written.stored)
            }
            None => desired.differs(subject.status),
        };
        due.then_some(desired)
    }

    async fn write_one(&mut self, subject: &Subject<'_, S>, desired: S) -> Result<(), ApplyError> {
        let version = Value::from(subject.version);
        let write = apply::write_status(&self.client, subject.key, &version, desired.patch());
        let stored = match write.await {
            Ok(stored) => S::deserialize(&stored.data["status"]).unwrap_or_default(),
            // The watch will tell how it is.
            Err(ApplyError::Outdated { .. }) => return Ok(()),
            // It is gone, or its definition has no status: nobody can be told.
            Err(error) if error.is_not_found() => subject.status.clone(),
            Err(error) => return Err(error),
        };
        let written = Written {
            desired,
            stored,
            replaced: subject.version.to_owned(),
        };
        self.written.insert(subject.uid.to_owned(), written);
        Ok(())
    }
}
