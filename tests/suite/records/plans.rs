//! What the engine plans is what external-dns does, but for what is listed.

use std::fs;

use devcluster::Progress;
use endurance::plans;
use endurance::plans::kinds::KINDS;
use tests::program;

#[test]
fn plans_are_external_dns_s_but_for_what_is_listed() {
    let plans = plans::compare(1, 5000, &Progress::hidden()).unwrap();
    assert!(plans.disagreements.is_empty(), "{plans}");
    assert!(plans.alike > 4000, "{plans}");
    let listed: Vec<&str> = plans.listed.keys().copied().collect();
    let mut titles = KINDS.map(|kind| kind.title);
    titles.sort_unstable();
    assert_eq!(listed, titles, "each kind is there: {plans}");
}

#[test]
fn the_list_is_documented() {
    let documented = fs::read_to_string(program::workspace().join("docs/external-records.md")).unwrap();
    for kind in KINDS {
        assert!(
            documented.contains(&format!("\n| {} |", kind.title)),
            "{}",
            kind.title
        );
    }
}
