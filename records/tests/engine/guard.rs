//! The guard against the deletion of much of a zone.

use std::sync::Arc;

use records::plan::{Acknowledgement, Guard, Policy, Rules};
use records::{Change, Endpoint, ManagedTypes, OWNER_LABEL, Plan, RecordType, Zone, plan};

use crate::fixtures::{a, zone};

fn owned(name: &str, owner: Option<&str>) -> Endpoint {
    Endpoint {
        labels: owner
            .map(|owner| (OWNER_LABEL.into(), owner.into()))
            .into_iter()
            .collect(),
        ..a(name, "192.0.2.1")
    }
}

/// So many records of ours in a zone.
fn records(zone: &str, count: usize) -> Vec<Endpoint> {
    (0..count)
        .map(|number| owned(&format!("r{number}.{zone}"), Some("me")))
        .collect()
}

fn zones(names: &[&str]) -> Vec<Zone> {
    names.iter().map(|name| zone(name)).collect()
}

fn rules() -> Rules {
    Rules {
        policy: Policy::Sync,
        owner: Some("me".into()),
        old_owner: None,
        managed: ManagedTypes::default(),
        domain_filters: Vec::new(),
    }
}

/// The plan for what is wanted, after the guard; and what the guard says.
fn guarded(
    guard: &Guard,
    zone_names: &[&str],
    current: &[Endpoint],
    wanted: &[Endpoint],
) -> (Plan, Vec<String>) {
    let current: Vec<_> = current.iter().cloned().map(Arc::new).collect();
    let mut plan = plan(&current, wanted, &rules());
    let refusals = guard.check(&mut plan, &zones(zone_names), &current, &rules());
    (plan, refusals.iter().map(ToString::to_string).collect())
}

#[test]
fn up_to_30_percent_of_a_zone_may_go() {
    let current = records("example.com", 10);
    let guard = Guard::default();
    let (plan, refusals) = guarded(&guard, &["example.com"], &current, &current[3..]);
    assert_eq!((plan.changes.len(), refusals), (3, vec![]));
    let (plan, refusals) = guarded(&guard, &["example.com"], &current, &current[4..]);
    assert_eq!(plan.changes, []);
    assert_eq!(
        refusals,
        [
            "4 of 10 owned records of the zone example.com would be deleted in one pass, and at most 30 % may be: \
          none of them is; if they are to go, acknowledge it with example.com=4"
        ]
    );
}

#[test]
fn small_zones_are_not_guarded() {
    let current = records("example.com", 9);
    let (plan, refusals) = guarded(&Guard::default(), &["example.com"], &current, &[]);
    assert_eq!((plan.changes.len(), refusals), (9, vec![]));
}

#[test]
fn records_of_others_do_not_make_a_zone_larger() {
    let mut current = records("example.com", 10);
    current.extend((0..90).map(|number| owned(&format!("other{number}.example.com"), Some("them"))));
    let (_, refusals) = guarded(&Guard::default(), &["example.com"], &current, &current[4..10]);
    assert_eq!(refusals.len(), 1);
}

#[test]
fn zones_are_guarded_one_by_one_and_a_name_counts_for_the_inner_one() {
    let mut current = records("example.com", 20);
    current.extend(records("sub.example.com", 10));
    let wanted = [&current[2..20], &current[25..]].concat();
    let (plan, refusals) = guarded(
        &Guard::default(),
        &["example.com", "sub.example.com"],
        &current,
        &wanted,
    );
    assert_eq!(plan.changes.len(), 2);
    assert_eq!(refusals.len(), 1);
    assert!(
        refusals[0].starts_with("5 of 10 owned records of the zone sub.example.com "),
        "{refusals:?}"
    );
}

#[test]
fn creations_and_updates_go_on_when_deletions_are_refused() {
    let current = records("example.com", 10);
    let mut updated = current[0].clone();
    updated.targets = ["192.0.2.9".into()].into();
    let wanted = [updated, owned("new.example.com", None)];
    let (plan, refusals) = guarded(&Guard::default(), &["example.com"], &current, &wanted);
    assert_eq!(refusals.len(), 1);
    assert!(matches!(
        &plan.changes[..],
        [Change::Create(_), Change::Update { .. }]
    ));
}

#[test]
fn a_change_of_type_deletes_nothing() {
    let current = records("example.com", 10);
    let wanted: Vec<_> = current
        .iter()
        .map(|record| Endpoint {
            record_type: RecordType::Cname,
            targets: ["lb.example.net".into()].into(),
            ..record.clone()
        })
        .collect();
    let (plan, refusals) = guarded(&Guard::default(), &["example.com"], &current, &wanted);
    assert_eq!((plan.changes.len(), refusals), (20, vec![]));
}

#[test]
fn an_acknowledgement_is_for_one_zone_and_so_many_records() {
    let current = records("example.com", 10);
    let cases = [
        ("example.com=4", true),
        ("Example.com.=9", true),
        ("example.com=3", false),
        ("com=4", false),
    ];
    for (acknowledgement, passes) in cases {
        let guard = Guard {
            acknowledged: vec![acknowledgement.parse().unwrap()],
            ..Guard::default()
        };
        let (plan, refusals) = guarded(&guard, &["example.com"], &current, &current[4..]);
        assert_eq!(
            plan.changes.len(),
            if passes { 4 } else { 0 },
            "{acknowledgement}"
        );
        assert_eq!(refusals.is_empty(), passes, "{acknowledgement}");
    }
    for text in ["example.com", "example.com=", "example.com=many", "a..b=4"] {
        let error = text.parse::<Acknowledgement>().unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the acknowledgement {text:?} is not of the form ZONE=NUMBER, such as example.com=40")
        );
    }
}

#[test]
fn the_share_is_a_setting() {
    let current = records("example.com", 10);
    let guard = |max_percent| Guard {
        max_percent,
        ..Guard::default()
    };
    let refusals = |max_percent| {
        guarded(&guard(max_percent), &["example.com"], &current, &current[9..])
            .1
            .len()
    };
    assert_eq!((refusals(100), refusals(90), refusals(89)), (0, 0, 1));
}
