//! What goes over the wire; the sources are under `proto/`.

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
