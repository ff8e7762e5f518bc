//! Names, zones and records.

use records::{Endpoint, Name, RecordType, Zone, ZoneId};

pub fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// A zone whose provider calls it by its name.
pub fn zone(text: &str) -> Zone {
    Zone {
        id: ZoneId(text.into()),
        name: name(text),
    }
}

pub fn record(name: &str, record_type: &str, target: &str) -> Endpoint {
    Endpoint {
        dns_name: name.into(),
        targets: [target.into()].into(),
        record_type: RecordType::from(record_type),
        ..Endpoint::default()
    }
}

/// An address.
pub fn a(name: &str, address: &str) -> Endpoint {
    record(name, "A", address)
}
