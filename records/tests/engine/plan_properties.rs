//! Rules that hold for any plan.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use records::engine::{Demand, Engine, Settings, ZoneProspect};
use records::ownership::Ownership;
use records::plan::{Guard, Policy, Rules};
use records::provider::memory::Memory;
use records::source::{Wanted, merge};
use records::{
    Change, DomainFilter, Endpoint, ManagedTypes, Name, OWNER_LABEL, RESOURCE_LABEL, RecordKey, RecordType,
    plan,
};

const OWNER: &str = "me";
const OLD_OWNER: &str = "before";

/// Few names and targets, so that endpoints meet.
fn endpoint(owners: &'static [Option<&'static str>]) -> impl Strategy<Value = Endpoint> {
    let names = [
        "a.example.com",
        "A.example.com.",
        "b.example.com",
        "c.example.org",
    ];
    let types = ["A", "A", "AAAA", "CNAME", "TXT"];
    (
        select(names.to_vec()),
        select(types.to_vec()),
        prop::collection::vec(0_u8..3, 1..3),
        select(vec!["", "", "set"]),
        select(vec![None, Some(60), Some(300)]),
        select(owners),
        select(vec![None, Some("service/x/one"), Some("service/x/two")]),
        select(vec![None, Some("true"), Some("false")]),
    )
        .prop_map(
            |(name, record_type, numbers, set, ttl, owner, resource, proxied)| {
                let record_type = RecordType::from(record_type);
                let target = |number: &u8| match record_type {
                    RecordType::A => format!("192.0.2.{number}").into(),
                    RecordType::Aaaa => format!("2001:db8::{number}").into(),
                    _ => format!("target-{number}.example.net").into(),
                };
                let labels = [(OWNER_LABEL, owner), (RESOURCE_LABEL, resource)];
                let proxied = proxied.map(|value| records::Property {
                    name: "test/proxied".into(),
                    value: value.into(),
                });
                Endpoint {
                    dns_name: name.into(),
                    targets: numbers.iter().map(target).collect(),
                    record_type,
                    set_identifier: set.into(),
                    ttl: ttl.and_then(std::num::NonZeroU32::new),
                    labels: labels
                        .into_iter()
                        .filter_map(|(label, value)| Some((label.into(), value?.into())))
                        .collect(),
                    provider_specific: proxied.into_iter().collect(),
                }
            },
        )
}

fn key(endpoint: &Endpoint) -> RecordKey {
    endpoint.key().unwrap()
}

/// What a zone may hold: one record set of each key.
fn current() -> impl Strategy<Value = Vec<Arc<Endpoint>>> {
    let owners = &[None, Some("them"), Some(OWNER), Some(OWNER), Some(OLD_OWNER)];
    prop::collection::vec(endpoint(owners), 0..8).prop_map(|endpoints| {
        let zone: BTreeMap<_, _> = endpoints.into_iter().map(|e| (key(&e), Arc::new(e))).collect();
        zone.into_values().collect()
    })
}

fn wanted() -> impl Strategy<Value = Vec<Endpoint>> {
    prop::collection::vec(endpoint(&[None]), 0..8)
}

fn rules() -> impl Strategy<Value = Rules> {
    (
        select(vec![Policy::Sync, Policy::UpsertOnly, Policy::CreateOnly]),
        select(vec![Some(OWNER), Some(OWNER), None]),
        select(vec![None, Some(OLD_OWNER)]),
        subsequence(vec!["A", "AAAA", "CNAME", "TXT"], 2..=4),
        select(vec![vec![], vec!["example.com"]]),
    )
        .prop_map(|(policy, owner, old_owner, managed, domains)| Rules {
            policy,
            owner: owner.map(Into::into),
            old_owner: old_owner.map(Into::into),
            managed: ManagedTypes::new(managed.into_iter().map(RecordType::from), &[]),
            domain_filters: vec![DomainFilter::domains(&domains, &[]).unwrap()],
        })
}

/// The zone after the changes, as a provider and the registry make it: a change of a record
/// that is not there, or a creation of one that is, fails the test.
fn apply(current: &[Arc<Endpoint>], changes: &[Change], rules: &Rules) -> Vec<Arc<Endpoint>> {
    let mut zone: BTreeMap<_, _> = current.iter().map(|e| (key(e), e.clone())).collect();
    for old in changes.iter().filter_map(Change::before) {
        let there = zone.remove(&key(old));
        assert_eq!(there.as_deref(), Some(old), "the old side is what is there");
    }
    for change in changes {
        let Some(mut new) = change.after().cloned() else {
            continue;
        };
        if let (Change::Create(_), Some(owner)) = (change, &rules.owner) {
            new.labels.insert(OWNER_LABEL.into(), owner.clone());
        }
        let replaced = zone.insert(key(&new), Arc::new(new));
        assert_eq!(replaced, None, "what is created is not there yet");
    }
    zone.into_values().collect()
}

fn is_cname(endpoint: &Endpoint) -> bool {
    endpoint.record_type == RecordType::Cname
}

/// What a pass over a zone of everything is about to do.
fn prospect(current: &[Arc<Endpoint>], wanted: Vec<Endpoint>, rules: Rules) -> ZoneProspect {
    let memory = Memory::new([Name::default()]);
    for record in current {
        memory.put(Endpoint::clone(record));
    }
    let guard = Guard {
        min_records: usize::MAX,
        ..Guard::default()
    };
    let settings = Settings {
        ownership: Ownership::Noop,
        rules,
        guard,
    };
    let wanted = Wanted {
        endpoints: wanted,
        rejected: Vec::new(),
    };
    let demand = Demand {
        wanted,
        unread: Vec::new(),
    };
    let engine = Engine::new(Arc::new(memory), settings);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let prospect = runtime.block_on(engine.prospect(demand)).unwrap();
    prospect.zones.into_iter().next().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// What a pass leaves out before it plans makes no difference.
    #[test]
    fn a_pass_plans_what_a_plan_of_everything_is(current in current(), wanted in wanted(), rules in rules()) {
        let merged = merge(wanted.clone()).endpoints;
        let expected = plan(&current, &merged, &rules);
        let found = prospect(&current, wanted, rules);
        let changes: Vec<Change> = found.groups.into_iter().flat_map(|group| group.changes).collect();
        prop_assert_eq!(changes, expected.changes);
        prop_assert_eq!(found.remarks, expected.remarks);
    }

    #[test]
    fn the_order_of_what_is_there_and_wanted_does_not_matter(
        (current, shuffled_current) in current().prop_flat_map(|it| (Just(it.clone()), Just(it).prop_shuffle())),
        (wanted, shuffled_wanted) in wanted().prop_flat_map(|it| (Just(it.clone()), Just(it).prop_shuffle())),
        rules in rules(),
    ) {
        prop_assert_eq!(
            plan(&current, &wanted, &rules),
            plan(&shuffled_current, &shuffled_wanted, &rules)
        );
    }

    #[test]
    fn a_plan_that_is_carried_out_leaves_nothing_to_do(
        current in current(), wanted in wanted(), rules in rules(),
    ) {
        let first = plan(&current, &wanted, &rules);
        let after = apply(&current, &first.changes, &rules);
        prop_assert_eq!(plan(&after, &wanted, &rules).changes, []);
    }

    #[test]
    fn what_is_not_ours_or_not_looked_at_stays(current in current(), wanted in wanted(), rules in rules()) {
        for old in plan(&current, &wanted, &rules).changes.iter().filter_map(Change::before) {
            if rules.owner.is_some() {
                let is_ours = old.owner() == Some(OWNER)
                    || (rules.old_owner.is_some() && old.owner() == Some(OLD_OWNER));
                prop_assert!(is_ours, "{:?}", old);
            }
            prop_assert!(rules.managed.contains(&old.record_type));
            prop_assert!(rules.domain_filters.iter().all(|filter| filter.matches(&old.name().unwrap())));
        }
    }

    #[test]
    fn policies_delete_only_to_make_room(current in current(), wanted in wanted(), rules in rules()) {
        let changes = plan(&current, &wanted, &rules).changes;
        let creates: Vec<_> = changes.iter().filter(|change| change.before().is_none()).collect();
        for change in &changes {
            let Change::Delete(old) = change else { continue };
            prop_assert_ne!(rules.policy, Policy::CreateOnly);
            let makes_room = creates.iter().filter_map(|change| change.after()).any(|new| {
                old.name() == new.name()
                    && old.set_identifier == new.set_identifier
                    && (is_cname(old) || is_cname(new))
            });
            prop_assert!(rules.policy == Policy::Sync || makes_room, "{:?}", changes);
        }
    }

    #[test]
    fn no_cname_is_created_beside_others(current in current(), wanted in wanted(), rules in rules()) {
        let changes = plan(&current, &wanted, &rules).changes;
        let after = apply(&current, &changes, &rules);
        for change in &changes {
            let Change::Create(new) = change else { continue };
            let beside = after.iter().filter(|other| {
                rules.managed.contains(&other.record_type)
                    && other.name() == new.name()
                    && other.set_identifier == new.set_identifier
                    && other.record_type != new.record_type
            });
            for other in beside {
                prop_assert!(!is_cname(new) && !is_cname(other), "{:?} beside {:?}", new, other);
            }
        }
    }
}

#[test]
fn of_two_spellings_in_a_zone_the_one_that_is_not_ours_counts() {
    let spelled = |name: &str, owner: &str| {
        Arc::new(Endpoint {
            dns_name: name.into(),
            targets: ["192.0.2.1".into()].into(),
            labels: [(OWNER_LABEL.into(), owner.into())].into(),
            ..Endpoint::default()
        })
    };
    let current = [
        spelled("www.example.com", OWNER),
        spelled("WWW.example.com", "them"),
    ];
    let rules = Rules {
        policy: Policy::Sync,
        owner: Some(OWNER.into()),
        old_owner: None,
        managed: ManagedTypes::default(),
        domain_filters: Vec::new(),
    };
    assert_eq!(plan(&current, &[], &rules).changes, []);
}
