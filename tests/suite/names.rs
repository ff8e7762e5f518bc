//! What `dns-operator explain` says of names is what CoreDNS does with them.

use devcluster::Progress;
use endurance::names;

#[test]
fn explanations_agree_with_coredns() {
    let names = names::compare(1, 300, &Progress::hidden()).unwrap();
    assert!(names.disagreements.is_empty(), "{names}");
    assert_eq!(names.count(), 300);
    // Every kind of answer is among them.
    assert_eq!(names.explained.len(), 4, "{names}");
}
