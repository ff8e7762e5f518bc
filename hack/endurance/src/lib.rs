//! What is behind `hack/soak`: a real cluster is changed without a pause, by
//! [`change`]s drawn at random and carried out by a [`hand`], while a [`load`] of
//! queries goes on and the [`vitals`] of the operator are taken. In the [`end`]
//! everything must be as the last specification says. [`soak`] reads as that.
//!
//! And a [`comparison`] of the operator with CoreDNS: [`specs`] drawn at random get
//! [`verdicts`] of both, for which a [`corefile`] is read back and tried in a room of
//! [`coredns`]. [`stricter`] lists where the operator refuses what CoreDNS would load.
//!
//! And [`plans`] of the record engine beside those of external-dns, and [`messages`] that no
//! client of the remote provider would send.

pub mod change;
pub mod cli;
pub mod comparison;
pub mod coredns;
pub mod coredns_log;
pub mod corefile;
pub mod end;
pub mod hand;
pub mod load;
pub mod messages;
pub mod names;
pub mod plans;
pub mod report;
pub mod soak;
pub mod specification;
pub mod specs;
pub mod stricter;
pub mod verdicts;
pub mod vitals;
