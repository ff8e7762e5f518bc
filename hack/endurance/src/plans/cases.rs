//! What plans are made from, drawn at random: few names, types and targets, so that they
//! meet, in every way in which people write them.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use records::plan::{Policy, Rules};
use records::{
    DomainFilter, Endpoint, Labels, ManagedTypes, OWNER_LABEL, Property, RESOURCE_LABEL, RecordType,
};
use serde::Serialize;

/// Who plans.
const OWNER: &str = "me";
/// Whose records may be taken over.
const OLD_OWNER: &str = "former";
/// Names, some of them the same.
const NAMES: [&str; 9] = [
    "a.example.com",
    "a.example.com",
    "A.Example.com.",
    "b.example.com",
    "*.example.com",
    "_x._tcp.example.com",
    "bücher.example.com",
    "xn--bcher-kva.example.com",
    "example.net",
];
/// How many record sets a case has on each side, at most.
const MOST: usize = 6;

/// What a plan is made from, with the JSON names of `hack/tools/external-dns/planner`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Case {
    /// Which kinds of changes are made.
    pub policy: Policy,
    /// Whose records are ours; empty where nothing tells.
    pub owner: String,
    /// Whose records become ours; empty for nobody's.
    pub old_owner: String,
    /// The types that are looked at.
    pub managed: Vec<RecordType>,
    /// Types that are not.
    pub excluded: Vec<RecordType>,
    /// The names that are looked at: those that all of these take.
    pub domain_filters: Vec<DomainFilter>,
    /// What the zones hold.
    pub current: Vec<Endpoint>,
    /// What is wanted.
    pub desired: Vec<Endpoint>,
}

impl Case {
    /// The case of a number, the same each time.
    #[must_use]
    pub fn draw(number: u64) -> Self {
        let mut random = StdRng::seed_from_u64(number);
        let has_owner = random.random_ratio(7, 8);
        let migrates = has_owner && random.random_ratio(1, 6);
        let text = |holds: bool, text: &str| if holds { text.to_owned() } else { String::new() };
        let mut case = Self {
            policy: *pick(
                &mut random,
                &[Policy::Sync, Policy::UpsertOnly, Policy::CreateOnly],
            ),
            owner: text(has_owner, OWNER),
            old_owner: text(migrates, OLD_OWNER),
            managed: managed(&mut random),
            excluded: Vec::new(),
            domain_filters: filters(&mut random),
            current: Vec::new(),
            desired: Vec::new(),
        };
        if random.random_ratio(1, 8) {
            case.excluded.push(record_type(&mut random));
        }
        for _ in 0..random.random_range(0..=MOST) {
            let mut record = endpoint(&mut random);
            let owner = match random.random_range(0..8) {
                0 => Some(OLD_OWNER),
                1 => Some("other"),
                2 => None,
                _ => Some(OWNER),
            };
            if let Some(owner) = owner {
                record.labels.insert(OWNER_LABEL.into(), owner.into());
            }
            case.current.push(record);
        }
        // That somebody lists a name in several spellings is rare.
        if random.random_ratio(7, 8) {
            let mut keys = BTreeSet::new();
            case.current.retain(|record| keys.insert(record.key().ok()));
        }
        for _ in 0..random.random_range(0..=MOST) {
            let wanted = match case.current.choose(&mut random) {
                Some(record) if random.random_ratio(2, 3) => edited(record, &mut random),
                _ => endpoint(&mut random),
            };
            // Only what is sound is ever planned.
            if wanted.check().is_ok() {
                case.desired.push(wanted);
            }
        }
        case
    }

    /// What the zones hold, as the engine's planner takes it.
    #[must_use]
    pub fn held(&self) -> Vec<Arc<Endpoint>> {
        self.current.iter().cloned().map(Arc::new).collect()
    }

    /// What the engine's planner is told beside the records.
    #[must_use]
    pub fn rules(&self) -> Rules {
        let some = |text: &str| (!text.is_empty()).then(|| text.into());
        Rules {
            policy: self.policy,
            owner: some(&self.owner),
            old_owner: some(&self.old_owner),
            managed: ManagedTypes::new(self.managed.iter().cloned(), &self.excluded),
            domain_filters: self.domain_filters.clone(),
        }
    }

    /// Cases with a bit less than this one.
    #[must_use]
    pub fn smaller(&self) -> Vec<Self> {
        let mut smaller = Vec::new();
        let mut add = |holds: bool, less: &dyn Fn(&mut Self)| {
            if holds {
                let mut case = self.clone();
                less(&mut case);
                smaller.push(case);
            }
        };
        for place in 0..self.current.len() {
            add(true, &|case| drop(case.current.remove(place)));
        }
        for place in 0..self.desired.len() {
            add(true, &|case| drop(case.desired.remove(place)));
        }
        let is_filtered = !self.domain_filters.is_empty();
        add(is_filtered, &|case| case.domain_filters.clear());
        add(!self.excluded.is_empty(), &|case| case.excluded = Vec::new());
        add(!self.old_owner.is_empty(), &|case| case.old_owner = String::new());
        add(self.policy != Policy::Sync, &|case| case.policy = Policy::Sync);
        for (place, endpoint) in self.endpoints().enumerate() {
            let plain = |edit: &dyn Fn(&mut Endpoint)| {
                let mut plain = endpoint.clone();
                edit(&mut plain);
                plain
            };
            let without_target = |target| {
                let mut targets = endpoint.targets.to_vec();
                targets.remove(target);
                plain(&|endpoint| endpoint.targets = targets.clone().into())
            };
            let mut simpler = vec![
                plain(&|endpoint| endpoint.ttl = None),
                plain(&|endpoint| endpoint.provider_specific = Box::default()),
                plain(&|endpoint| drop(endpoint.labels.remove(RESOURCE_LABEL))),
            ];
            if endpoint.targets.len() > 1 {
                simpler.extend((0..endpoint.targets.len()).map(without_target));
            }
            for simple in simpler.into_iter().filter(|simple| simple != endpoint) {
                add(true, &|case| case.put(place, simple.clone()));
            }
        }
        smaller
    }

    fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.current.iter().chain(&self.desired)
    }

    fn put(&mut self, place: usize, endpoint: Endpoint) {
        let mut endpoints = self.current.iter_mut().chain(&mut self.desired);
        if let Some(there) = endpoints.nth(place) {
            *there = endpoint;
        }
    }
}

/// One of some; of none there is nothing to draw.
fn pick<'a, T>(random: &mut StdRng, some: &'a [T]) -> &'a T {
    &some[random.random_range(0..some.len())]
}

fn managed(random: &mut StdRng) -> Vec<RecordType> {
    let types: &[&str] = if random.random() {
        &["A", "AAAA", "CNAME"]
    } else {
        &["A", "AAAA", "CNAME", "MX", "NS", "SRV", "TXT"]
    };
    types.iter().copied().map(RecordType::from).collect()
}

fn record_type(random: &mut StdRng) -> RecordType {
    let types = ["A", "A", "AAAA", "CNAME", "CNAME", "MX", "NS", "SRV", "TXT"];
    RecordType::from(*pick(random, &types))
}

/// The user's filter and the provider's, as there may be.
fn filters(random: &mut StdRng) -> Vec<DomainFilter> {
    let domains = |include: &[&str], exclude: &[&str]| DomainFilter::domains(include, exclude).ok();
    let kinds = [
        domains(&["example.com"], &[]),
        domains(&[".example.com"], &["b.example.com"]),
        domains(&["EXAMPLE.net.", "Bücher.example.com"], &[]),
        domains(&[], &["example.net"]),
        DomainFilter::patterns(r"^[ab]\.", "").ok(),
        DomainFilter::patterns("", r"^b|ü").ok(),
    ];
    let count = *pick(random, &[0, 0, 0, 0, 0, 0, 1, 2]);
    (0..count).filter_map(|_| pick(random, &kinds).clone()).collect()
}

fn endpoint(random: &mut StdRng) -> Endpoint {
    let record_type = record_type(random);
    let resource = *pick(
        random,
        &[
            None,
            Some("ingress/x/1"),
            Some("ingress/x/2"),
            Some("service/x/3"),
        ],
    );
    let labels: Labels = resource
        .into_iter()
        .map(|resource| (RESOURCE_LABEL.into(), resource.into()))
        .collect();
    Endpoint {
        dns_name: (*pick(random, &NAMES)).into(),
        targets: targets(random, &record_type),
        set_identifier: (*pick(random, &["", "", "", "one"])).into(),
        ttl: ttl(random),
        labels,
        provider_specific: properties(random),
        record_type,
    }
}

/// What may be wanted in the place of a record.
fn edited(record: &Endpoint, random: &mut StdRng) -> Endpoint {
    let mut wanted = record.clone();
    wanted.labels.remove(OWNER_LABEL);
    match random.random_range(0..5) {
        0 => wanted.ttl = ttl(random),
        1 => wanted.targets = targets(random, &wanted.record_type),
        2 => wanted.provider_specific = properties(random),
        3 => wanted.targets.reverse(),
        _ => {}
    }
    wanted
}

fn ttl(random: &mut StdRng) -> Option<NonZeroU32> {
    NonZeroU32::new(*pick(random, &[0, 0, 60, 300]))
}

fn properties(random: &mut StdRng) -> Box<[Property]> {
    let property = |name: &str, value: &str| Property {
        name: name.into(),
        value: value.into(),
    };
    let (one, two) = (property("webhook/a", "1"), property("webhook/b", "2"));
    let some = [
        vec![],
        vec![],
        vec![one.clone()],
        vec![property("webhook/a", "2")],
        vec![one.clone(), two.clone()],
        vec![two, one],
    ];
    pick(random, &some).clone().into()
}

fn targets(random: &mut StdRng, record_type: &RecordType) -> Box<[Box<str>]> {
    let (some, most): (&[&str], _) = match record_type {
        RecordType::A => (&["192.0.2.1", "192.0.2.2", "9.9.9.9", "10.0.0.1"], 3),
        RecordType::Aaaa => (
            &[
                "2001:db8::1",
                "2001:db8::2",
                "2001:db8::10",
                "2001:DB8:0::1",
                "2001:db8::3",
            ],
            3,
        ),
        RecordType::Cname => (
            &[
                "a.example.org",
                "b.example.org",
                "B.example.org",
                "b.example.org.",
                "192.0.2.1",
            ],
            1,
        ),
        RecordType::Mx => (&["10 a.example.org", "10 B.example.org", "20 b.example.org"], 2),
        RecordType::Ns => (
            &[
                "a.example.org",
                "B.example.org",
                "b.example.org",
                "a.example.org.",
            ],
            2,
        ),
        RecordType::Srv => (
            &[
                "0 0 53 a.example.org.",
                "0 0 53 B.example.org.",
                "0 0 80 a.example.org.",
            ],
            2,
        ),
        _ => (&["text", "Text", "more text"], 2),
    };
    let count = random.random_range(1..=most);
    (0..count).map(|_| Box::from(*pick(random, some))).collect()
}
