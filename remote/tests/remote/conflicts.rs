//! Two clients that change one name at the same time, in all pairs of protocols.
//!
//! Whoever comes first has its change made. What the second is told depends on its own protocol
//! alone: ours tells what it expects to be there, Gardener's cannot.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use records::{Change, Endpoint};
use remote::protocol::v1::ExecuteRequest;
use remote::protocol::v1::change_response::State;
use remote::protocol::v2;
use remote::revision::Digests;

use super::faults::request;
use super::world::{World, a, apply, group, login, words, zone};

/// What a client has done to the name, of which both know what is there.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wish {
    Create,
    Update,
    Delete,
}

#[derive(Clone, Copy, Debug)]
enum Protocol {
    /// Gardener's.
    V1,
    /// Ours.
    V2,
}

/// What becomes of the change of the second.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Second {
    /// It is made, or there is nothing to be done for it any more.
    Made,
    /// It is told of the conflict, and what the first has made stays.
    Told,
}

/// What two wish at the same time, and what becomes of the second by its protocol: ours,
/// Gardener's.
const TABLE: [(Wish, Wish, Second, Second); 5] = [
    (Wish::Create, Wish::Create, Second::Told, Second::Told),
    // Gardener's update is put in place of what is there, whatever that is.
    (Wish::Update, Wish::Update, Second::Told, Second::Made),
    // It deletes what it tells, and nothing else.
    (Wish::Update, Wish::Delete, Second::Told, Second::Told),
    (Wish::Delete, Wish::Update, Second::Told, Second::Made),
    // What is gone already is as Gardener's client wants it.
    (Wish::Delete, Wish::Delete, Second::Told, Second::Made),
];

/// A client that is told of the conflict learns what is there now.
#[derive(Debug, PartialEq)]
enum Answer {
    Made,
    Conflict(Learnt),
}

#[derive(Debug, PartialEq)]
enum Learnt {
    /// Of our protocol: the revision to read from.
    Revision(Vec<u8>),
    /// Of Gardener's: a text.
    Text(String),
}

struct Writer {
    protocol: Protocol,
    wish: Wish,
    namespace: &'static str,
    /// What it wants to be there, unless it deletes.
    new: Endpoint,
}

fn set(addresses: [&str; 2]) -> Endpoint {
    Endpoint {
        targets: addresses.map(Into::into).into(),
        ..a("www.example.com", "")
    }
}

/// What both have seen.
fn seen() -> Endpoint {
    set(["192.0.2.1", "192.0.2.101"])
}

impl Writer {
    fn change(&self) -> Change {
        match self.wish {
            Wish::Create => Change::Create(self.new.clone()),
            Wish::Update => Change::Update {
                old: seen(),
                new: self.new.clone(),
            },
            Wish::Delete => Change::Delete(seen()),
        }
    }

    /// What is there once its change is made.
    fn leaves(&self) -> Vec<Endpoint> {
        self.change().after().cloned().into_iter().collect()
    }

    /// Connects; what it gives back writes.
    async fn ready(&self, world: &World) -> BoxFuture<'static, Answer> {
        match self.protocol {
            Protocol::V1 => self.ready_v1(world).await,
            Protocol::V2 => self.ready_v2(world).await,
        }
    }

    async fn ready_v1(&self, world: &World) -> BoxFuture<'static, Answer> {
        let mut client = world.gardener(self.namespace).await;
        let execute = ExecuteRequest {
            token: login(&mut client, self.namespace, 1).await,
            zoneid: "example.com".to_owned(),
            change_request: vec![request(&self.change())],
        };
        async move {
            let made = client.execute(execute).await.unwrap().into_inner();
            let response = &made.change_response[0];
            let text = response.error_message.clone();
            match response.state() {
                State::Succeeded => Answer::Made,
                State::Failed if text.starts_with("www.example.com A: conflict: ") => {
                    Answer::Conflict(Learnt::Text(text))
                }
                _ => panic!("{response:?}"),
            }
        }
        .boxed()
    }

    async fn ready_v2(&self, world: &World) -> BoxFuture<'static, Answer> {
        let mut client = world.zones(self.namespace).await;
        let apply = apply(self.namespace, vec![group(self.change())]);
        async move {
            let made: v2::ApplyResponse = client.apply(apply).await.unwrap().into_inner();
            match words(&made)[0] {
                "applied" => Answer::Made,
                "conflict" => Answer::Conflict(Learnt::Revision(made.revision)),
                _ => panic!("{made:?}"),
            }
        }
        .boxed()
    }
}

/// What the table has for one that comes second.
fn rule(first: Wish, second: &Writer) -> Second {
    let row = TABLE
        .iter()
        .find(|(one, other, ..)| (*one, *other) == (first, second.wish));
    let (_, _, ours, gardeners) = row.unwrap();
    match second.protocol {
        Protocol::V1 => *gardeners,
        Protocol::V2 => *ours,
    }
}

/// Whether it has come as the table says, if `first` was the first.
fn is_in_order(first: (&Writer, &Answer), second: (&Writer, &Answer), truth: &[Endpoint]) -> bool {
    if *first.1 != Answer::Made {
        return false;
    }
    match (rule(first.0.wish, second.0), second.1) {
        (Second::Made, Answer::Made) => truth == second.0.leaves(),
        (Second::Told, Answer::Conflict(learnt)) => {
            truth == first.0.leaves() && is_what_is_there(learnt, truth)
        }
        _ => false,
    }
}

/// Whether a client that was told of a conflict can know what there is.
fn is_what_is_there(learnt: &Learnt, truth: &[Endpoint]) -> bool {
    match learnt {
        Learnt::Revision(revision) => *revision == Digests::of(truth).revision().to_octets(),
        Learnt::Text(text) => truth
            .iter()
            .all(|record| text.ends_with(&record.targets.join(", "))),
    }
}

/// Has both write at the same time. Either may come first.
async fn race(blue: &Writer, red: &Writer) {
    let world = World::new();
    if blue.wish != Wish::Create {
        world.memory.put(seen());
    }
    let (blue_writes, red_writes) = (blue.ready(&world).await, red.ready(&world).await);
    let (blue_told, red_told) = tokio::join!(blue_writes, red_writes);
    let truth = world.memory.records(&zone("example.com").id);
    let (one, other) = ((blue, &blue_told), (red, &red_told));
    assert!(
        is_in_order(one, other, &truth) || is_in_order(other, one, &truth),
        "{:?} {:?}: {blue_told:?}; {:?} {:?}: {red_told:?}; {truth:?}",
        blue.protocol,
        blue.wish,
        red.protocol,
        red.wish
    );
}

#[tokio::test]
async fn what_two_do_to_one_name_at_once_is_done_one_after_the_other() {
    let all = [Protocol::V1, Protocol::V2];
    let pairs = all.iter().flat_map(|one| all.map(|other| (*one, other)));
    for (one, other) in pairs {
        for (wish, another, ..) in TABLE {
            let blue = Writer {
                protocol: one,
                wish,
                namespace: "blue",
                new: set(["192.0.2.2", "192.0.2.102"]),
            };
            let red = Writer {
                protocol: other,
                wish: another,
                namespace: "red",
                new: set(["192.0.2.3", "192.0.2.103"]),
            };
            race(&blue, &red).await;
            race(&red, &blue).await;
        }
    }
}
