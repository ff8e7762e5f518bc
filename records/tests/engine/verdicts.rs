//! What has become of a record set is found by what it is and who wants it.

use records::verdict::{State, Verdict, Verdicts};
use records::{Name, RecordKey, RecordType};

fn key(name: &str) -> RecordKey {
    RecordKey {
        name: Name::parse(name).unwrap(),
        record_type: RecordType::Cname,
        set_identifier: "".into(),
    }
}

#[test]
fn ones_own_verdict_comes_before_that_of_others() {
    let verdict = |name: &str, resource: &str, state: State| Verdict {
        key: key(name),
        resource: resource.into(),
        state,
    };
    let verdicts: Verdicts = [
        verdict("a", "crd/a/a", State::InPlace),
        verdict("a", "crd/a/b", State::OutsideZones),
    ]
    .into_iter()
    .collect();
    assert_eq!(verdicts.of(&key("a"), "crd/a/a"), Some(&State::InPlace));
    assert_eq!(verdicts.of(&key("a"), "crd/a/b"), Some(&State::OutsideZones));
    assert_eq!(
        verdicts.of(&key("A."), "crd/a/c"),
        Some(&State::InPlace),
        "merged into the first"
    );
    assert_eq!(verdicts.of(&key("b"), "crd/a/a"), None);
}
