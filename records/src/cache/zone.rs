//! What is known of one zone.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex as Turn;

use super::age::{Moment, Times, ZoneState};
use super::settings::Settings;
use super::snapshot::{self, ByName};
use super::store::{Row, StoredTimes, StoredZone, ZoneWrite};
use crate::record_list::Builder;
use crate::{Name, Zone, ZoneRecords};

/// Above so many doubtful names the zone is read whole: a page of a list has as many.
const MOST_DOUBTFUL: usize = 300;
/// And above one name in so many record sets.
const DOUBTFUL_SHARE: usize = 20;

/// One zone: what readers see of it, and the turn of those who ask the provider.
pub(super) struct CachedZone {
    /// Which zone.
    pub zone: Zone,
    /// Whoever asks the provider or writes to it holds this: one at a time.
    pub turn: Turn<Unsaved>,
    knowledge: Mutex<Knowledge>,
}

/// What is not on disk yet.
#[derive(Debug, Default)]
pub(super) struct Unsaved {
    /// Whether that is everything.
    pub all: bool,
    /// The names, where it is not.
    pub names: BTreeSet<Name>,
    /// Whether anything of the zone may be on disk, and believed after a restart.
    pub on_disk: bool,
    /// The epoch of the store that this is about.
    pub epoch: u64,
}

/// What is known of a zone now. The lock is held for moments only.
#[derive(Clone, Debug, Default)]
pub(super) struct Knowledge {
    /// The records, in order; swapped whole, so that who has them keeps what he has.
    pub records: Option<Arc<ZoneRecords>>,
    /// When what happened.
    pub times: Times,
    /// Names that may hold anything.
    pub doubtful: BTreeSet<Name>,
    /// Names whose records are newer than the version of the zone.
    pub patched: BTreeSet<Name>,
    /// Whether the zone is to be read again before it is served again.
    pub reset: bool,
}

/// What has to be done before a zone can be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// Nothing.
    Nothing,
    /// To read the doubtful names.
    Names,
    /// To ask what has changed.
    Confirm,
    /// To read all of it.
    Read,
}

impl CachedZone {
    /// A zone of which nothing is known.
    pub fn new(zone: Zone) -> Self {
        let unsaved = Unsaved {
            all: true,
            ..Unsaved::default()
        };
        Self {
            zone,
            turn: Turn::new(unsaved),
            knowledge: Mutex::default(),
        }
    }

    /// A zone as an earlier process kept it.
    pub fn restored(stored: StoredZone, now: Duration, wall: Duration) -> Self {
        let unsaved = Unsaved {
            on_disk: true,
            ..Unsaved::default()
        };
        let zone = stored.zone.clone();
        let knowledge = Mutex::new(Knowledge::restored(stored, now, wall));
        Self {
            zone,
            turn: Turn::new(unsaved),
            knowledge,
        }
    }

    /// What is known now.
    pub fn knowledge(&self) -> MutexGuard<'_, Knowledge> {
        self.knowledge.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The records, if they can be served without asking anybody.
    pub fn serve(&self, now: Duration, settings: &Settings) -> Option<Arc<ZoneRecords>> {
        let knowledge = self.knowledge();
        (knowledge.need(now, settings) == Need::Nothing).then(|| knowledge.records.clone())?
    }
}

impl Knowledge {
    /// What was kept. A time in the future shows that the clock was or is wrong: then the
    /// zone is of no known age.
    fn restored(stored: StoredZone, now: Duration, wall: Duration) -> Self {
        let moment = |at: Option<Duration>| {
            let age = wall.checked_sub(at?)?;
            Some(Moment::of_age(now, age))
        };
        let sound = stored.times.stored <= wall;
        let full_read = moment(stored.times.full_read).filter(|_| sound);
        let times = Times {
            full_read,
            confirmed: None,
            patched: moment(stored.times.patched),
        };
        let (mut doubtful, mut patched, mut records) = (BTreeSet::new(), BTreeSet::new(), Builder::default());
        for (place, row) in stored.rows {
            records.append(&row.records);
            if (row.doubtful || row.patched)
                && let Ok(name) = Name::parse(&place)
            {
                doubtful.extend(row.doubtful.then(|| name.clone()));
                patched.extend(row.patched.then_some(name));
            }
        }
        let mut records = records.finish();
        records.sort();
        let records = Some(Arc::new(ZoneRecords {
            records,
            version: stored.version,
        }));
        Self {
            records,
            times,
            doubtful,
            patched,
            reset: false,
        }
    }

    /// How far it is to be believed.
    pub fn state(&self, now: Duration, settings: &Settings) -> ZoneState {
        match self.records {
            None => ZoneState::Cold,
            Some(_) => self.times.state(now, settings.max_age),
        }
    }

    /// What has to be done before it can be served.
    pub fn need(&self, now: Duration, settings: &Settings) -> Need {
        match self.state(now, settings) {
            ZoneState::Cold | ZoneState::Expired => Need::Read,
            _ if self.reset => Need::Read,
            ZoneState::Restored => Need::Confirm,
            ZoneState::Live if !self.times.fresh(now, settings.time) => Need::Confirm,
            ZoneState::Live if self.doubtful.is_empty() => Need::Nothing,
            ZoneState::Live => Need::Names,
        }
    }

    /// Whether to read all of it costs less than to read the doubtful names.
    pub fn too_doubtful(&self) -> bool {
        let records = self.records.as_ref().map_or(0, |zone| zone.records.len());
        self.doubtful.len() > MOST_DOUBTFUL || self.doubtful.len() * DOUBTFUL_SHARE > records
    }

    /// All of the zone, in order, read now.
    pub fn take_all(&mut self, read: ZoneRecords, now: Duration) {
        self.records = Some(Arc::new(read));
        self.times.full_read = Some(Moment::now(now));
        self.times.confirmed = Some(Moment::now(now));
        self.doubtful.clear();
        self.patched.clear();
        self.reset = false;
    }

    /// What stands at some names now, in place of what was known of them.
    pub fn put(&mut self, names: ByName) {
        let Some(known) = &self.records else { return };
        let replaced = ZoneRecords {
            records: snapshot::replace(&known.records, names),
            version: known.version.clone(),
        };
        self.records = Some(Arc::new(replaced));
    }

    /// What is to be kept of what is not yet on disk. The names of `intents` are about to
    /// be written to at the provider.
    pub fn unsaved(
        &self,
        unsaved: &Unsaved,
        intents: &BTreeSet<Name>,
        now: Duration,
        wall: Duration,
    ) -> Option<ZoneWrite> {
        let known = self.records.as_ref()?;
        let stored = |moment: Option<Moment>| moment.map(|moment| wall.saturating_sub(moment.age(now)));
        let doubtful: BTreeSet<&str> = self.doubtful.iter().chain(intents).map(Name::as_str).collect();
        let patched: BTreeSet<&str> = self.patched.iter().map(Name::as_str).collect();
        let row = |name: &str| Row {
            records: known.records.at_place(name).into_iter().collect(),
            doubtful: doubtful.contains(name),
            patched: patched.contains(name),
        };
        let names: BTreeSet<Cow<'_, str>> = if unsaved.all {
            let marked = doubtful.union(&patched).map(|name| Cow::Borrowed(*name));
            known
                .records
                .places()
                .map(|(_, record)| record.place())
                .chain(marked)
                .collect()
        } else {
            unsaved
                .names
                .union(intents)
                .map(|name| Cow::Borrowed(name.as_str()))
                .collect()
        };
        Some(ZoneWrite {
            version: known.version.clone(),
            times: StoredTimes {
                full_read: stored(self.times.full_read),
                patched: stored(self.times.patched),
                stored: wall,
            },
            whole: unsaved.all,
            rows: names.iter().map(|name| (Box::from(&**name), row(name))).collect(),
        })
    }
}
