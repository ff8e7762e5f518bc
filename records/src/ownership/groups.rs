//! Planned changes in groups, with the changes to the ownership records.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::holdings::Holdings;
use super::index::{Entry, Index, Subject};
use super::label::{OWNED_RECORD, OWNER};
use super::name_of;
use super::refusal::{Refusal, Rejected};
use super::registry::Registry;
use crate::{Change, Endpoint, Group, Labels, Name, RecordKey, RecordType, Zone};

/// Puts changes into groups; without a registry as they are.
pub(super) fn group(
    registry: Option<&Registry>,
    zone: &Zone,
    changes: Vec<Change>,
    holdings: &Holdings,
) -> (Vec<Group>, Vec<Rejected>) {
    let mut rejected = Vec::new();
    let mut names: BTreeMap<Name, Vec<Change>> = BTreeMap::new();
    let repairs = repairs(&changes, holdings);
    for change in changes.into_iter().chain(repairs) {
        match name_of(&change) {
            Ok(name) => names.entry(name).or_default().push(change),
            Err(reason) => rejected.push(Rejected {
                change,
                reason: reason.into(),
            }),
        }
    }
    let mut grouping = registry.map(|registry| Grouping::new(registry, &zone.name, holdings, &names));
    let mut groups = Vec::with_capacity(names.len());
    for (name, changes) in names {
        let changes = match &mut grouping {
            Some(grouping) => grouping.changes(changes, &mut rejected),
            None => changes,
        };
        if !changes.is_empty() {
            groups.push(Group { name, changes });
        }
    }
    (groups, rejected)
}

/// The repairs of records that are not changed anyway: updates to themselves.
fn repairs(changes: &[Change], holdings: &Holdings) -> Vec<Change> {
    let sides = changes
        .iter()
        .filter_map(|change| change.before().or(change.after()));
    let keys: HashSet<RecordKey> = sides.filter_map(|side| side.key().ok()).collect();
    let left = holdings
        .repairs
        .iter()
        .filter(|record| record.key().is_ok_and(|key| !keys.contains(&key)));
    left.map(|record| Change::Update {
        old: record.clone(),
        new: record.clone(),
    })
    .collect()
}

struct Grouping<'a> {
    registry: &'a Registry,
    zone: &'a Name,
    holdings: &'a Holdings,
    /// Of the records that change those that had labels when they were read, as they were.
    labelled: HashMap<RecordKey, Endpoint>,
    /// The records whose new ownership record would be in the way of something.
    blocked: HashMap<RecordKey, Refusal>,
    /// The ownership records that are written.
    written: HashSet<RecordKey>,
    /// Where names are written.
    text: String,
}

impl<'a> Grouping<'a> {
    fn new(
        registry: &'a Registry,
        zone: &'a Name,
        holdings: &'a Holdings,
        names: &BTreeMap<Name, Vec<Change>>,
    ) -> Self {
        let after = || names.values().flatten().filter_map(Change::after);
        // By the name of the ownership record that is new: the records it would be for.
        let mut fresh: HashMap<Box<str>, Vec<RecordKey>> = HashMap::new();
        for key in after().filter_map(|record| record.key().ok()) {
            let Ok(txt) = registry.txt_key(zone, &key) else {
                continue;
            };
            if entry(&holdings.index, &txt).is_none() {
                fresh.entry(txt.name.as_str().into()).or_default().push(key);
            }
        }
        let before = names.values().flatten().filter_map(Change::before);
        let before = before.filter_map(|record| record.key().ok()).collect();
        let mut grouping = Self {
            registry,
            zone,
            holdings,
            labelled: holdings.labelled(&before),
            blocked: HashMap::new(),
            written: HashSet::new(),
            text: String::new(),
        };
        if !fresh.is_empty() {
            let held = holdings.held().filter_map(|record| record.packed.key().ok());
            held.for_each(|key| grouping.block(&key, &fresh, true));
            let after = after().filter_map(|record| record.key().ok());
            after.for_each(|key| grouping.block(&key, &fresh, false));
        }
        grouping
    }

    /// Blocks the new ownership records that cannot be beside a record: no others are
    /// beside a CNAME, texts that others wrote are left alone, and a record that is
    /// `there` would be taken for ours if its ownership record had the same name.
    fn block(&mut self, key: &RecordKey, fresh: &HashMap<Box<str>, Vec<RecordKey>>, there: bool) {
        if matches!(key.record_type, RecordType::Txt | RecordType::Cname)
            && let Some(wanted) = fresh.get(key.name.as_str())
        {
            let taken = wanted
                .iter()
                .map(|wanted| (wanted.clone(), Refusal::Taken(key.name.clone())));
            self.blocked.extend(taken);
        }
        if !there {
            return;
        }
        self.registry
            .affix
            .write_txt_name(self.zone, &key.name, &key.record_type, &mut self.text);
        let same = fresh.get(self.text.as_str()).into_iter().flatten();
        let others = same.filter(|wanted| *wanted != key && wanted.set_identifier == key.set_identifier);
        for wanted in others {
            if let Ok(txt) = self.registry.txt_key(self.zone, wanted) {
                self.blocked.insert(wanted.clone(), Refusal::Shared(txt.name));
            }
        }
    }

    /// The changes of one name, with those to the ownership records.
    fn changes(&mut self, wanted: Vec<Change>, rejected: &mut Vec<Rejected>) -> Vec<Change> {
        let (mut kept, mut refused) = (Vec::new(), Vec::new());
        for change in wanted {
            match self.expand(&change) {
                Ok(changes) => kept.push((change, changes)),
                Err(reason) => refused.push(Rejected { change, reason }),
            }
        }
        let foreign = refused
            .iter()
            .any(|refused| matches!(refused.reason, Refusal::NotOurs { .. }));
        let missing = refused
            .iter()
            .any(|refused| matches!(refused.change, Change::Create(_)));
        let waits = |change: &Change| foreign || missing && matches!(change, Change::Delete(_));
        let (waiting, kept): (Vec<_>, Vec<_>) = kept.into_iter().partition(|(change, _)| waits(change));
        let held = waiting.into_iter().map(|(change, _)| Rejected {
            change,
            reason: Refusal::HeldBack,
        });
        rejected.extend(refused.into_iter().chain(held));

        let gone = kept
            .iter()
            .filter(|(change, _)| matches!(change, Change::Delete(_)));
        let former = self.former_removals(gone.filter_map(|(change, _)| change.before()));
        let mut changes: Vec<_> = kept.into_iter().flat_map(|(_, changes)| changes).collect();
        for removal in former {
            let key = |change: &Change| change.before().and_then(|before| before.key().ok());
            if changes.iter().all(|change| key(change) != key(&removal)) {
                changes.push(removal);
            }
        }
        changes
    }

    fn expand(&mut self, change: &Change) -> Result<Vec<Change>, Refusal> {
        match change {
            Change::Create(new) => self.create(new),
            Change::Update { old, new } => self.update(old, new),
            Change::Delete(old) => self.delete(old),
        }
    }

    fn create(&mut self, new: &Endpoint) -> Result<Vec<Change>, Refusal> {
        let new = self.stamped(new)?;
        let key = new.key()?;
        let index = &self.holdings.index;
        if matches!(new.record_type, RecordType::Txt | RecordType::Cname)
            && index.find(key.name.as_str(), &new.set_identifier).is_some()
        {
            return Err(Refusal::Taken(key.name));
        }
        let txt = self.registry.txt_key(self.zone, &key)?;
        let left = entry(index, &txt);
        if left.is_some_and(|left| left.claims > 0) {
            return Err(Refusal::Shared(txt.name));
        }
        if let Some(left) = left.filter(|left| !left.is_ours()) {
            let texts = index.records.at(left.txt).targets();
            let labels = self.registry.labels_in(texts).unwrap_or_default();
            let owner = labels.get(OWNER).unwrap_or_default().into();
            return Err(Refusal::Claimed { txt: txt.name, owner });
        }
        let other_properties =
            left.is_some_and(|left| index.txt(left).provider_specific != new.provider_specific);
        let companion = self.companion(txt, &new, other_properties)?;
        Ok([Change::Create(new)].into_iter().chain(companion).collect())
    }

    fn update(&mut self, old: &Endpoint, new: &Endpoint) -> Result<Vec<Change>, Refusal> {
        self.check_owner(old)?;
        let old = self.raw(old)?;
        let new = self.stamped(new)?;
        let txt = self.registry.txt_key(self.zone, &new.key()?)?;
        let companion = self.companion(txt, &new, old.provider_specific != new.provider_specific)?;
        let same = unlabelled(&old) == unlabelled(&new);
        let record = (!same).then_some(Change::Update { old, new });
        Ok(record.into_iter().chain(companion).collect())
    }

    fn delete(&self, old: &Endpoint) -> Result<Vec<Change>, Refusal> {
        self.check_owner(old)?;
        let key = old.key()?;
        let txt = self.registry.txt_key(self.zone, &key).ok();
        let companion = txt.and_then(|txt| entry(&self.holdings.index, &txt));
        let record = Change::Delete(self.raw(old)?);
        Ok([record]
            .into_iter()
            .chain(companion.map(|companion| self.removal(companion)))
            .collect())
    }

    /// Refuses what is not ours by the ownership records.
    fn check_owner(&self, record: &Endpoint) -> Result<(), Refusal> {
        let subject = Subject::of_endpoint(record)?;
        let index = &self.holdings.index;
        let current = index.current(self.registry, self.zone, &subject, &mut String::new());
        let former = || {
            index
                .former(self.registry, self.zone, &subject)
                .into_iter()
                .flatten()
                .next()
        };
        let ours = current
            .or_else(former)
            .map(|place| &index.entries[place])
            .is_some_and(|entry| entry.is_ours() && !entry.ambiguous && entry.claims + entry.readers > 0);
        let owner = self.registry.owner().into();
        if ours {
            Ok(())
        } else {
            let name = subject.name;
            Err(Refusal::NotOurs { name, owner })
        }
    }

    /// The record as it was read, without what its ownership record tells.
    fn raw(&self, record: &Endpoint) -> Result<Endpoint, Refusal> {
        let labelled = self.labelled.get(&record.key()?);
        Ok(labelled.cloned().unwrap_or_else(|| unlabelled(record)))
    }

    /// The record with our id, unless it poses as an ownership record.
    fn stamped(&self, new: &Endpoint) -> Result<Endpoint, Refusal> {
        if self.registry.labels_of(new).is_some() {
            return Err(Refusal::Reserved);
        }
        let mut new = new.clone();
        new.labels.insert(OWNER.into(), self.registry.owner().into());
        Ok(new)
    }

    /// The change that makes an ownership record tell what a record's labels are, if any
    /// is needed.
    fn companion(
        &mut self,
        txt: RecordKey,
        record: &Endpoint,
        other_properties: bool,
    ) -> Result<Option<Change>, Refusal> {
        if self.written.contains(&txt) {
            return Err(Refusal::Shared(txt.name));
        }
        let change = match entry(&self.holdings.index, &txt) {
            Some(left) => {
                let old = self.holdings.index.txt(left);
                self.rewrite(&txt, &old, record, other_properties)?
            }
            None => match self.blocked.get(&record.key()?) {
                Some(reason) => return Err(reason.clone()),
                None => Some(Change::Create(self.registry.companion(&txt, record)?)),
            },
        };
        self.written.insert(txt);
        Ok(change)
    }

    fn rewrite(
        &self,
        txt: &RecordKey,
        old: &Endpoint,
        record: &Endpoint,
        other_properties: bool,
    ) -> Result<Option<Change>, Refusal> {
        let told = self.registry.labels_of(old).unwrap_or_default();
        let mut new = old.clone();
        if !self.registry.is_current(&told, &record.labels) {
            let mut texts = self.registry.other_texts(old);
            texts.push(self.registry.text(txt, &record.labels)?);
            new.targets = texts.into();
        }
        if other_properties {
            new.provider_specific.clone_from(&record.provider_specific);
        }
        if new == *old {
            return Ok(None);
        }
        new.labels.insert(OWNED_RECORD.into(), record.dns_name.clone());
        Ok(Some(Change::Update {
            old: old.clone(),
            new,
        }))
    }

    /// Takes an ownership text away, and leaves other texts of its record set alone.
    fn removal(&self, entry: &Entry) -> Change {
        let old = self.holdings.index.txt(entry);
        let rest = self.registry.other_texts(&old);
        if rest.is_empty() {
            return Change::Delete(old);
        }
        let new = Endpoint {
            targets: rest.into(),
            ..old.clone()
        };
        Change::Update { old, new }
    }

    /// Takes away the ownership records under names of former days that nothing reads any
    /// more once some records are gone: they would make whatever comes next ours.
    fn former_removals<'b>(&self, gone: impl Iterator<Item = &'b Endpoint>) -> Vec<Change> {
        let index = &self.holdings.index;
        let mut readers: HashMap<usize, u32> = HashMap::new();
        for record in gone {
            let Ok(subject) = Subject::of_endpoint(record) else {
                continue;
            };
            for place in index
                .former(self.registry, self.zone, &subject)
                .into_iter()
                .flatten()
            {
                *readers.entry(place).or_default() += 1;
            }
        }
        let mut last: Vec<_> = readers.into_iter().collect();
        last.sort_unstable();
        let entries = last
            .into_iter()
            .map(|(place, count)| (&index.entries[place], count));
        let unread =
            entries.filter(|(entry, count)| entry.is_ours() && !entry.ambiguous && *count >= entry.readers);
        unread.map(|(entry, _)| self.removal(entry)).collect()
    }
}

/// The ownership record set of a key.
fn entry<'a>(index: &'a Index, txt: &RecordKey) -> Option<&'a Entry> {
    index
        .find(txt.name.as_str(), &txt.set_identifier)
        .map(|place| &index.entries[place])
}

fn unlabelled(record: &Endpoint) -> Endpoint {
    Endpoint {
        labels: Labels::new(),
        ..record.clone()
    }
}
