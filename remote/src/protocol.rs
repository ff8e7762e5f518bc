//! What goes over the wire; the sources are under `proto/`.

pub mod gardener;
pub mod zones;

/// Gardener's protocol.
#[allow(missing_docs, clippy::pedantic, unused_qualifications, reason = "generated")]
#[rustfmt::skip]
#[path = "generated/remote.rs"]
pub mod v1;

/// Ours.
#[allow(missing_docs, clippy::pedantic, unused_qualifications, reason = "generated")]
#[rustfmt::skip]
#[path = "generated/records.remote.v2.rs"]
pub mod v2;

/// Why a field of a message is not taken.
fn fault(field: impl Into<String>, value: impl Into<String>, allowed: impl Into<String>) -> records::Fault {
    records::Fault {
        field: field.into(),
        value: value.into(),
        allowed: allowed.into(),
    }
}

/// A name as both protocols have it: without a final dot, `*` for `\052`.
fn wire_name(record: &records::Endpoint) -> String {
    record.place().into_owned()
}
