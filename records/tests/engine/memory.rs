//! The provider in memory compares before it writes, and tells what has changed.

use records::provider::memory::Memory;
use records::provider::{Calls, Confirmation, Operation};
use records::{Change, Group, Outcome, Provider, ProviderError};

use crate::fixtures::{a, name, zone};

fn group(changes: &[Change]) -> Group {
    Group {
        name: name("group.example.com"),
        changes: changes.to_vec(),
    }
}

async fn apply_one(memory: &Memory, changes: &[Change]) -> Outcome {
    memory
        .apply(&zone("example.com"), &[group(changes)])
        .await
        .remove(0)
}

#[tokio::test]
async fn writes_are_compared() {
    let memory = Memory::new([name("example.com"), name("sub.example.com")]);
    let (old, new) = (
        a("www.example.com", "192.0.2.1"),
        a("WWW.example.com.", "192.0.2.2"),
    );
    assert!(matches!(
        apply_one(&memory, &[Change::Delete(old.clone())]).await,
        Outcome::Conflict { .. }
    ));
    assert!(matches!(
        apply_one(&memory, &[Change::Create(old.clone())]).await,
        Outcome::Applied { .. }
    ));
    assert!(matches!(
        apply_one(&memory, &[Change::Create(new.clone())]).await,
        Outcome::Conflict { .. }
    ));
    assert!(matches!(
        apply_one(&memory, &[Change::Delete(new.clone())]).await,
        Outcome::Conflict { .. }
    ));
    let update = Change::Update {
        old,
        new: new.clone(),
    };
    assert!(matches!(
        apply_one(&memory, &[update]).await,
        Outcome::Applied { .. }
    ));
    assert_eq!(memory.records(&zone("example.com").id), [new]);
    memory.put(a("x.sub.example.com", "192.0.2.3"));
    assert_eq!(memory.records(&zone("sub.example.com").id).len(), 1);
}

#[tokio::test]
async fn a_group_is_written_whole_or_not_at_all() {
    let memory = Memory::new([name("example.com")]);
    let good = Change::Create(a("www.example.com", "192.0.2.1"));
    let missing = Change::Delete(a("other.example.com", "192.0.2.1"));
    assert!(matches!(
        apply_one(&memory, &[good.clone(), missing]).await,
        Outcome::Conflict { .. }
    ));
    let outside = Change::Create(a("www.example.org", "192.0.2.1"));
    assert!(matches!(
        apply_one(&memory, &[good.clone(), outside]).await,
        Outcome::Rejected { .. }
    ));
    let twice = [good.clone(), good];
    assert!(matches!(
        apply_one(&memory, &twice).await,
        Outcome::Rejected { .. }
    ));
    assert!(memory.records(&zone("example.com").id).is_empty());
}

#[tokio::test]
async fn what_has_changed_is_told() {
    let memory = Memory::new([name("example.com")]);
    let zone = zone("example.com");
    memory.put(a("stays.example.com", "192.0.2.1"));
    memory.put(a("goes.example.com", "192.0.2.1"));
    let known = memory.read(&zone).await.unwrap();
    assert_eq!(memory.confirm(&zone, &known).await, Ok(Confirmation::Same));
    memory.remove(&a("goes.example.com", "").key().unwrap());
    memory.put(a("comes.example.com", "192.0.2.1"));
    let Ok(Confirmation::Changed { names, .. }) = memory.confirm(&zone, &known).await else {
        panic!()
    };
    assert_eq!(names.len(), 2);
    assert!(names[&name("goes.example.com")].is_empty());
    assert_eq!(
        names[&name("comes.example.com")],
        [a("comes.example.com", "192.0.2.1")]
    );
    memory.set_forgetful(true);
    assert_eq!(memory.confirm(&zone, &known).await, Ok(Confirmation::ReadAgain));
    assert_eq!(memory.read(&zone).await.unwrap().version, None);
    memory.remove_zone(&zone.id);
    assert!(matches!(
        memory.read(&zone).await,
        Err(ProviderError::NoSuchZone(_))
    ));
    assert_eq!(calls(memory.calls()), [0, 3, 0, 3, 0, 0]);
}

fn calls(calls: &Calls) -> [u64; 6] {
    Operation::ALL.map(|operation| calls.of(operation))
}
