//! What becomes of octets in the decoders.

use std::fmt::Debug;
use std::ops::AddAssign;

use prost::Message;
use records::{Fault, Name};
use remote::protocol::{v1, v2};

use super::{changes, zones};

/// What became of octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Kinds of messages that they are.
    pub decoded: u64,
    /// Kinds of messages that they are not.
    pub undecodable: u64,
    /// Parts of messages that were understood: changes, groups, outcomes, record sets, revisions.
    pub accepted: u64,
    /// Those that were refused, and the field was named.
    pub refused: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.decoded += other.decoded;
        self.undecodable += other.undecodable;
        self.accepted += other.accepted;
        self.refused += other.refused;
    }
}

/// Hands octets to all decoders, for changes to the zone `example.com`. What they are must come
/// back with the same meaning from what it is encoded to, and what is refused must name its
/// field. What is wrong if not; a decoder that panics does.
pub fn judge(octets: &[u8]) -> Result<Tally, String> {
    let zone = Name::parse("example.com").map_err(|error| error.to_string())?;
    let mut judge = Judge {
        octets,
        zone,
        tally: Tally::default(),
    };
    judge.requests()?;
    judge.answers()?;
    Ok(judge.tally)
}

/// Octets, and what has become of them so far.
pub(super) struct Judge<'a> {
    octets: &'a [u8],
    pub zone: Name,
    tally: Tally,
}

impl Judge<'_> {
    fn requests(&mut self) -> Result<(), String> {
        self.message::<v1::LoginRequest>()?;
        self.message::<v1::GetZonesRequest>()?;
        self.message::<v1::GetZoneStateRequest>()?;
        let execute: Option<v1::ExecuteRequest> = self.message()?;
        for request in execute.into_iter().flat_map(|execute| execute.change_request) {
            changes::gardeners(self, request)?;
        }
        self.message::<v2::ListZonesRequest>()?;
        self.message::<v2::WatchZonesRequest>()?;
        if let Some(read) = self.message::<v2::ReadZoneRequest>()? {
            zones::known(self, &read)?;
        }
        let apply: Option<v2::ApplyRequest> = self.message()?;
        for group in apply.into_iter().flat_map(|apply| apply.groups) {
            changes::ours(self, group)?;
        }
        let adjust: Option<v2::AdjustRequest> = self.message()?;
        for set in adjust.into_iter().flat_map(|adjust| adjust.record_sets) {
            zones::record_set(self, set)?;
        }
        Ok(())
    }

    fn answers(&mut self) -> Result<(), String> {
        self.message::<v1::LoginResponse>()?;
        self.message::<v1::Zones>()?;
        if let Some(state) = self.message::<v1::ZoneState>()? {
            zones::state(self, state)?;
        }
        self.message::<v1::ExecuteResponse>()?;
        self.message::<v2::ListZonesResponse>()?;
        let told: Option<v2::WatchZonesResponse> = self.message()?;
        for zone in told.into_iter().flat_map(|told| told.zones) {
            zones::revision(self, "revision", &zone.revision)?;
        }
        if let Some(answer) = self.message::<v2::ReadZoneResponse>()? {
            zones::piece(self, answer)?;
        }
        let made: Option<v2::ApplyResponse> = self.message()?;
        for outcome in made.into_iter().flat_map(|made| made.outcomes) {
            changes::outcome(self, outcome)?;
        }
        let adjusted: Option<v2::AdjustResponse> = self.message()?;
        for set in adjusted.into_iter().flat_map(|adjusted| adjusted.record_sets) {
            zones::record_set(self, set)?;
        }
        Ok(())
    }

    /// The octets as a message, if they are one: what it is encoded to is that message too.
    fn message<T: Message + Default + PartialEq + Debug>(&mut self) -> Result<Option<T>, String> {
        let Ok(message) = T::decode(self.octets) else {
            self.tally.undecodable += 1;
            return Ok(None);
        };
        self.tally.decoded += 1;
        let octets = message.encode_to_vec();
        same("encoded", &T::decode(&*octets).as_ref(), &Ok(&message))?;
        Ok(Some(message))
    }

    /// Takes note of what was understood.
    pub fn accept(&mut self) {
        self.tally.accepted += 1;
    }

    /// Takes note of what was refused. It must name one of these fields, or what is in one of
    /// them, and say what is allowed.
    pub fn refuse(&mut self, fault: &Fault, fields: &[&str]) -> Result<(), String> {
        self.tally.refused += 1;
        let is_known = |field: &&str| {
            let rest = fault.field.strip_prefix(*field);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        if fields.iter().any(is_known) && !fault.allowed.is_empty() {
            return Ok(());
        }
        Err(format!("refused without a field or what is allowed: {fault}"))
    }
}

/// Something that has come back must be what it was.
pub(super) fn same<T, U>(what: &str, back: &T, was: &U) -> Result<(), String>
where
    T: PartialEq<U> + Debug,
    U: Debug,
{
    if back == was {
        return Ok(());
    }
    Err(format!("{what} it is another one:\n{back:?}\nwas\n{was:?}"))
}
