//! Plans, case by case. `cases/plan.jsonl` has what is there, what is wanted, and what is
//! to change; `differs` says where external-dns does otherwise, and why we do not.

use std::sync::Arc;

use records::plan::{Policy, Rules};
use records::{Change, DomainFilter, Endpoint, ManagedTypes, RecordType, plan};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    name: String,
    policy: String,
    #[serde(default)]
    owner: Option<Box<str>>,
    #[serde(default)]
    old_owner: Option<Box<str>>,
    #[serde(default)]
    managed: Option<Vec<RecordType>>,
    #[serde(default)]
    excluded: Vec<RecordType>,
    #[serde(default)]
    domain_filter: Option<DomainFilter>,
    current: Vec<Endpoint>,
    desired: Vec<Endpoint>,
    want: Changes,
    #[serde(default)]
    remarks: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Changes {
    create: Vec<Endpoint>,
    update_old: Vec<Endpoint>,
    update_new: Vec<Endpoint>,
    delete: Vec<Endpoint>,
}

fn rules(case: &Case) -> Rules {
    let managed = case.managed.clone().map_or_else(ManagedTypes::default, |types| {
        ManagedTypes::new(types, &case.excluded)
    });
    Rules {
        policy: case.policy.parse().unwrap(),
        owner: case.owner.clone(),
        old_owner: case.old_owner.clone(),
        managed,
        domain_filters: case.domain_filter.clone().into_iter().collect(),
    }
}

/// What a change is compared by, in a text to read and to sort.
fn describe(kind: &str, endpoint: &Endpoint) -> String {
    let mut targets = endpoint.targets.to_vec();
    targets.sort();
    format!(
        "{kind} {} {} {:?} {targets:?} ttl {:?} owner {:?}",
        endpoint.dns_name,
        endpoint.record_type,
        endpoint.set_identifier,
        endpoint.ttl,
        endpoint.owner()
    )
}

fn wanted_changes(want: &Changes) -> Vec<String> {
    let sides =
        |kind, endpoints: &[Endpoint]| endpoints.iter().map(|e| describe(kind, e)).collect::<Vec<_>>();
    assert_eq!(want.update_old.len(), want.update_new.len());
    let updates = std::iter::zip(&want.update_old, &want.update_new)
        .map(|(old, new)| format!("{} => {}", describe("update", old), describe("", new)));
    let mut changes = sides("create", &want.create);
    changes.extend(sides("delete", &want.delete));
    changes.extend(updates);
    changes.sort();
    changes
}

fn planned_changes(changes: &[Change]) -> Vec<String> {
    let mut changes: Vec<_> = changes
        .iter()
        .map(|change| match change {
            Change::Create(new) => describe("create", new),
            Change::Delete(old) => describe("delete", old),
            Change::Update { old, new } => {
                format!("{} => {}", describe("update", old), describe("", new))
            }
        })
        .collect();
    changes.sort();
    changes
}

#[test]
fn plans_are_as_in_the_cases() {
    let cases = include_str!("../cases/plan.jsonl");
    for line in cases.lines() {
        let case: Case = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let current: Vec<_> = case.current.iter().cloned().map(Arc::new).collect();
        let plan = plan(&current, &case.desired, &rules(&case));
        assert_eq!(
            planned_changes(&plan.changes),
            wanted_changes(&case.want),
            "{}",
            case.name
        );
        if let Some(remarks) = &case.remarks {
            let told: Vec<_> = plan.remarks.iter().map(ToString::to_string).collect();
            assert_eq!(&told, remarks, "{}", case.name);
        }
    }
}

#[test]
fn changes_are_sorted_by_name_type_and_set_identifier() {
    let endpoint = |name: &str, record_type: &str, set: &str| Endpoint {
        dns_name: name.into(),
        targets: ["192.0.2.1".into()].into(),
        record_type: record_type.into(),
        set_identifier: set.into(),
        ..Endpoint::default()
    };
    let wanted = [
        endpoint("b.example.com", "A", ""),
        endpoint("a.example.com", "AAAA", ""),
        endpoint("A.example.com", "A", "2"),
        endpoint("a.example.com.", "A", "1"),
    ];
    let current = [Arc::new(endpoint("aa.example.com", "A", ""))];
    let rules = Rules {
        policy: "sync".parse().unwrap(),
        owner: None,
        old_owner: None,
        managed: ManagedTypes::default(),
        domain_filters: Vec::new(),
    };
    let changes = plan(&current, &wanted, &rules).changes;
    let names: Vec<_> = changes
        .iter()
        .map(|change| change.after().or(change.before()).unwrap())
        .map(|endpoint| (&*endpoint.dns_name, endpoint.record_type.as_str()))
        .collect();
    assert_eq!(
        names,
        [
            ("a.example.com.", "A"),
            ("A.example.com", "A"),
            ("a.example.com", "AAAA"),
            ("aa.example.com", "A"),
            ("b.example.com", "A"),
        ]
    );
}

#[test]
fn an_unknown_policy_is_told_with_those_that_there_are() {
    let error = "upsert".parse::<Policy>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the policy \"upsert\" is none of: sync, upsert-only, create-only"
    );
}
