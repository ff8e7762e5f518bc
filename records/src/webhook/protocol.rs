//! What is sent: media type, paths and bodies.

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};

use crate::Endpoint;
use crate::json::{Keyed, Keys};

/// The one media type of the protocol; clients compare it to the letter.
pub const MEDIA_TYPE: &str = "application/external.dns.webhook+json;version=1";
/// Where records are read (GET) and changed (POST).
pub const RECORDS: &str = "/records";
/// Where wanted records are made into what the provider would list.
pub const ADJUST_ENDPOINTS: &str = "/adjustendpoints";

/// The changes of one pass, as external-dns plans them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeSet<E = Endpoint> {
    /// What is to be there and is not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub create: Vec<E>,
    /// What is there and is to become something else.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub update_old: Vec<E>,
    /// What becomes of each record set of `update_old`, in the same order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub update_new: Vec<E>,
    /// What is there and is to go.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub delete: Vec<E>,
}

impl<E> Default for ChangeSet<E> {
    fn default() -> Self {
        Self {
            create: Vec::new(),
            update_old: Vec::new(),
            update_new: Vec::new(),
            delete: Vec::new(),
        }
    }
}

/// A change set as it may be written. `null` is an empty list.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, expecting = "a change set")]
struct Written {
    create: Option<Vec<Endpoint>>,
    update_old: Option<Vec<Endpoint>>,
    update_new: Option<Vec<Endpoint>>,
    delete: Option<Vec<Endpoint>>,
}

impl<'de> Deserialize<'de> for ChangeSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // external-dns before v0.17.0 sent `Create`.
        let written = Written::deserialize(Keyed(Keys::InAnyCase, deserializer))?;
        let changes = Self {
            create: written.create.unwrap_or_default(),
            update_old: written.update_old.unwrap_or_default(),
            update_new: written.update_new.unwrap_or_default(),
            delete: written.delete.unwrap_or_default(),
        };
        let (old, new) = (changes.update_old.len(), changes.update_new.len());
        if old != new {
            return Err(D::Error::custom(format_args!(
                "updateOld has {old} endpoints and updateNew {new}: they go in pairs"
            )));
        }
        Ok(changes)
    }
}

/// Decodes a body of the protocol: a [`ChangeSet`], a list of endpoints, or a domain filter.
/// `null` is an empty one.
pub fn decode<T: DeserializeOwned + Default>(json: &[u8]) -> serde_json::Result<T> {
    let body: Option<T> = serde_json::from_slice(json)?;
    Ok(body.unwrap_or_default())
}
