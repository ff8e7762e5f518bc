//! Where wanted records come from.
//!
//! Whatever the source, endpoints are read by the same rules, and one that breaks them is
//! rejected by itself. Several sources, or several objects of one, may want the same record
//! set: [`merge`] makes one of them.

pub mod file;
mod merge;

use std::fmt;

use serde_json::Value;

use crate::endpoint::Strict;
use crate::{Endpoint, RESOURCE_LABEL, RecordType};

pub use merge::{Merged, Remark, RemarkKind, merge};

/// What a source wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The record sets, each with the label [`RESOURCE_LABEL`]; several may have one key.
    pub endpoints: Vec<Endpoint>,
    /// What cannot be taken as it is written. It is not that nothing is wanted at those
    /// names: what stands there is best left alone until the endpoint is mended.
    pub rejected: Vec<Rejection>,
}

/// Where endpoints are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The value of [`RESOURCE_LABEL`].
    pub resource: Box<str>,
    /// The file, where there is one, and which of its documents, counted from 1 without
    /// the empty ones.
    pub file: Option<(Box<str>, usize)>,
}

/// An endpoint that cannot be taken as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Where the list is that it stands in.
    pub origin: Origin,
    /// Its place in that list, counted from 0.
    pub index: usize,
    /// Its `dnsName`; empty if that is no text.
    pub dns_name: Box<str>,
    /// Its `recordType`, likewise.
    pub record_type: Box<str>,
    /// Its `setIdentifier`, likewise.
    pub set_identifier: Box<str>,
    /// The field, the value and what is allowed.
    pub reason: String,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some((file, document)) => write!(formatter, "{file}, document {document}"),
            None => formatter.write_str(&self.resource),
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            origin,
            index,
            dns_name,
            reason,
            ..
        } = self;
        write!(formatter, "{origin}: endpoints[{index}] ({dns_name:?}): {reason}")
    }
}

impl Wanted {
    /// Takes in a list of endpoints. Entries that are null are left out, as external-dns
    /// does.
    pub fn take(&mut self, list: &[Value], origin: &Origin) {
        for (index, value) in list.iter().enumerate().filter(|(_, value)| !value.is_null()) {
            match decode(value, &origin.resource).and_then(admit) {
                Ok(endpoint) => self.endpoints.push(endpoint),
                Err(reason) => self.rejected.push(Rejection {
                    origin: origin.clone(),
                    index,
                    dns_name: text(value, "dnsName"),
                    record_type: text(value, "recordType"),
                    set_identifier: text(value, "setIdentifier"),
                    reason,
                }),
            }
        }
    }

    /// Takes in what another one wants.
    pub fn extend(&mut self, other: Self) {
        self.endpoints.extend(other.endpoints);
        self.rejected.extend(other.rejected);
    }
}

/// The one place where an endpoint of any source is looked at before it counts as wanted:
/// the endpoint, or the field, the value and what is allowed.
///
/// Final dots are as in external-dns's source `crd`: in the data of a NAPTR record there
/// must be one, CNAME, DNAME, MX, SRV and TXT may have one, all others must not.
pub fn admit(endpoint: Endpoint) -> Result<Endpoint, String> {
    if endpoint.dns_name.is_empty() {
        return Err("dnsName: is missing".into());
    }
    endpoint.key().map_err(|error| format!("dnsName: {error}"))?;
    if endpoint.targets.is_empty() {
        return Err("targets: at least one is needed".into());
    }
    let with_dot = match endpoint.record_type {
        RecordType::Cname | RecordType::Dname | RecordType::Mx | RecordType::Srv | RecordType::Txt => None,
        RecordType::Naptr => Some(true),
        _ => Some(false),
    };
    if let Some(with_dot) = with_dot
        && let Some(index) = endpoint
            .targets
            .iter()
            .position(|target| target.ends_with('.') != with_dot)
    {
        let must = if with_dot { "must" } else { "must not" };
        return Err(format!(
            "targets[{index}]: {:?} {must} end with a dot in a record of type {}",
            endpoint.targets[index], endpoint.record_type
        ));
    }
    let faults = endpoint.check().err().unwrap_or_default();
    if !faults.is_empty() {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        return Err(faults.join("; "));
    }
    Ok(endpoint)
}

fn decode(value: &Value, resource: &str) -> Result<Endpoint, String> {
    let Strict(mut endpoint) = serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let error = error.into_inner();
        // What is wrong with the endpoint as a whole names the field, if it is of one.
        if path == "." {
            error.to_string()
        } else {
            format!("{path}: {error}")
        }
    })?;
    endpoint.labels.insert(RESOURCE_LABEL.into(), resource.into());
    Ok(endpoint)
}

fn text(value: &Value, field: &str) -> Box<str> {
    value[field].as_str().unwrap_or_default().into()
}
