//! external-dns's webhook protocol: how it talks to DNS providers that are programs of their
//! own. [`Server`] serves any [`Provider`](crate::Provider) to a stock external-dns;
//! [`provider::webhook`](crate::provider::webhook) is the other side.
//!
//! # What the server decides where the protocol is silent
//!
//! - external-dns ends when it is answered with a status outside of 200 and 500 to 510, or not
//!   at all for 15 seconds. So trouble of the provider is always a 500 or a 503, and what takes
//!   longer than [`Settings::patience`] is answered with 503 while it goes on: changes
//!   that were begun are never broken off. A 4xx says that the request itself is wrong.
//! - The domain filter is what [`Settings::filter`] says. It is not derived from the
//!   provider's zones: external-dns asks for it once, ends when it gets no answer, and would
//!   silently leave out what belongs to a zone that comes later.
//! - A name outside every zone is a failure that the answer names, again in every pass, until
//!   a filter keeps it away (external-dns's `--domain-filter`, or ours) or a zone is
//!   there for it. Everything else of the change set is made.
//! - All changes of one owner name are one [`Group`](crate::Group), with its ownership TXT
//!   records: those with the label `ownedRecord`, or named as the default of external-dns names
//!   them, with or without a prefix. Records of one group that lie in different zones cannot
//!   change at once: ownership records are written before the records that they are for, and
//!   removed after them.
//! - What external-dns takes for the old side of a change is compared with what the zone holds,
//!   and the latter is handed to the provider. Ownership records, which external-dns makes anew,
//!   are the same when they name the same owner; one in the zone that only a key can read is
//!   taken for the same.
//! - Labels do not reach the provider: zones have no place for them, and ownership stands in
//!   TXT records.
//!
//! # What of the reference server's ways is kept
//!
//! Keys in any case, unknown keys, `null` for an empty list, and any `Accept` and `Content-Type`
//! are taken; a body that is no JSON is a 400, one over the limit a 413. Not kept: unknown paths
//! are 404 and other methods 405, for they are mistakes of whoever set the client up.
//!
//! # Sizes
//!
//! 200,000 records are about 30 MB of JSON. They are encoded while they are sent. external-dns
//! after v0.22.0 reads no more than 32 MiB unless its `--webhook-provider-max-body-size` says
//! otherwise (0 is no limit).

mod application;
mod body;
mod groups;
mod ownership;
mod protocol;
mod server;
mod zone_view;

pub use body::{Body, Oversized};
pub use protocol::{ADJUST_ENDPOINTS, ChangeSet, MEDIA_TYPE, RECORDS, decode};
pub use server::{Server, Settings};

pub(crate) use crate::ownership::label::OWNED_RECORD;
pub(crate) use body::append;
