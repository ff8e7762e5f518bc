//! What an endpoint must be to become a record.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde::Serialize;
use thiserror::Error;

use super::record_data::{naptr_replacement, numbers_and_name, string_lengths};
use super::{ALIAS_PROPERTY, Endpoint, MAX_TTL, Property};
use crate::zone_file::MAX_STRING;
use crate::{Name, RecordType};

/// Why an endpoint cannot become a record.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize)]
#[error("{field} is {value:?}: {allowed}")]
pub struct Fault {
    /// The field by its JSON name, such as `targets[1]`.
    pub field: String,
    /// What it is.
    pub value: String,
    /// What it may be.
    pub allowed: String,
}

impl Fault {
    fn new(field: impl Into<String>, value: impl Into<String>, allowed: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            value: value.into(),
            allowed: allowed.into(),
        }
    }
}

impl Endpoint {
    /// Whether it can become a record; everything that is wrong with it if not.
    pub fn check(&self) -> Result<(), Vec<Fault>> {
        let mut faults = Vec::new();
        faults.extend(self.name_fault());
        if self.record_type.is_unset() {
            faults.push(Fault::new("recordType", "", "it must be a type, such as A"));
        }
        if let Some(ttl) = self.ttl.filter(|ttl| ttl.get() > MAX_TTL) {
            let allowed = format!("at most {MAX_TTL} seconds are allowed");
            faults.push(Fault::new("recordTTL", ttl.to_string(), allowed));
        }
        faults.extend(self.property_fault());
        faults.extend(self.alias_fault());
        faults.extend(self.target_count_fault());
        faults.extend((0..self.targets.len()).filter_map(|index| self.target_fault(index)));
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    fn name_fault(&self) -> Option<Fault> {
        let fault = |allowed: &str| Some(Fault::new("dnsName", &*self.dns_name, allowed));
        match self.name() {
            Err(error) => fault(&error.to_string()),
            Ok(name) if name.is_root() => fault("it must be a domain name below the root"),
            Ok(_) if !is_printable(&self.dns_name) => {
                fault("white space and control characters are not allowed")
            }
            Ok(_) => None,
        }
    }

    fn property_fault(&self) -> Option<Fault> {
        let nameless = |property: &Property| property.name.is_empty();
        let position = self.provider_specific.iter().position(nameless)?;
        let field = format!("providerSpecific[{position}].name");
        Some(Fault::new(field, "", "a property must have a name"))
    }

    fn alias_fault(&self) -> Option<Fault> {
        let position = self
            .provider_specific
            .iter()
            .position(|p| &*p.name == ALIAS_PROPERTY)?;
        let has_alias = matches!(
            self.record_type,
            RecordType::A | RecordType::Aaaa | RecordType::Cname
        );
        (!has_alias).then(|| {
            Fault::new(
                format!("providerSpecific[{position}]"),
                ALIAS_PROPERTY,
                format!(
                    "only records of the types A, AAAA and CNAME have it, not {}",
                    self.record_type
                ),
            )
        })
    }

    fn target_count_fault(&self) -> Option<Fault> {
        let is_single = matches!(self.record_type, RecordType::Cname | RecordType::Dname);
        let allowed = match self.targets.len() {
            0 => "there must be one at least".to_owned(),
            2.. if is_single => format!("a record of the type {} has one target", self.record_type),
            _ => return None,
        };
        Some(Fault::new("targets", self.targets.join(", "), allowed))
    }

    fn target_fault(&self, index: usize) -> Option<Fault> {
        let target = &*self.targets[index];
        let allowed = if target.is_empty() {
            "it must not be empty".to_owned()
        } else if target.contains(['\n', '\r', '\0']) {
            "line ends are not allowed".to_owned()
        } else {
            self.check_target(target).err()?
        };
        Some(Fault::new(format!("targets[{index}]"), target, allowed))
    }

    /// Whether a target is data of the record's type; what is allowed if not.
    fn check_target(&self, target: &str) -> Result<(), String> {
        match self.record_type {
            RecordType::A | RecordType::Aaaa if self.is_alias() => check_host(target),
            RecordType::A => must(
                target.parse::<Ipv4Addr>().is_ok(),
                "it must be an IPv4 address, such as 192.0.2.1",
            ),
            RecordType::Aaaa => must(
                target.parse::<Ipv6Addr>().is_ok(),
                "it must be an IPv6 address, such as 2001:db8::1",
            ),
            RecordType::Cname => {
                check_host(target)?;
                must(
                    Name::parse(target) != self.name(),
                    "it must not be the record's own name",
                )
            }
            RecordType::Dname | RecordType::Ns | RecordType::Ptr => check_host(target),
            RecordType::Mx => match numbers_and_name::<1>(target) {
                Some((_, host)) => check_host(host),
                None => must(
                    false,
                    "it must be a preference of 0 to 65535 and a host, such as 10 mail.example.com",
                ),
            },
            RecordType::Srv => match numbers_and_name::<3>(target) {
                Some((_, host)) if host.ends_with('.') => check_host(host),
                _ => must(
                    false,
                    "it must be priority, weight and port of 0 to 65535 and a host with a final dot, such as \
                     10 5 5060 sip.example.com.",
                ),
            },
            RecordType::Naptr => match naptr_replacement(target) {
                Some(name) => check_host(&name),
                None => must(
                    false,
                    "it must be order, preference, flags, service, expression and replacement, such as \
                     100 10 \"u\" \"E2U+sip\" \"!^.*$!sip:a@example.com!\" .",
                ),
            },
            RecordType::Txt => check_text(target),
            RecordType::Other(_) => Ok(()),
        }
    }

    /// Whether its addresses are those of other names.
    pub(crate) fn is_alias(&self) -> bool {
        self.provider_specific
            .iter()
            .any(|property| &*property.name == ALIAS_PROPERTY && &*property.value != "false")
    }
}

fn check_host(host: &str) -> Result<(), String> {
    Name::parse(host).map_err(|error| error.to_string())?;
    must(
        is_printable(host),
        "white space and control characters are not allowed in a name",
    )
}

fn check_text(text: &str) -> Result<(), String> {
    let Some(lengths) = string_lengths(text) else {
        return must(
            false,
            "after a quotation mark it must be quoted strings, with white space between them",
        );
    };
    let longest = lengths.into_iter().max().unwrap_or_default();
    if longest > MAX_STRING {
        return Err(format!(
            "a string of {longest} octets; at most {MAX_STRING} are allowed, more as \"several\" \"strings\""
        ));
    }
    Ok(())
}

fn must(holds: bool, allowed: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(allowed.to_owned()) }
}

fn is_printable(name: &str) -> bool {
    !name.contains(|letter: char| letter.is_whitespace() || letter.is_control())
}
