//! Clients do not wait for each other's changes.

use std::sync::{Arc, Mutex};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use records::provider::Confirmation;
use records::provider::memory::Memory;
use records::{Change, Endpoint, Group, Name, Outcome, Provider, ProviderError, Zone, ZoneRecords};
use remote::protocol::v2::{ApplyResponse, WatchZonesRequest};
use remote::server::{Limits, Settings};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tonic::{Code, Status};

use super::world::{World, a, apply, delay, group, name, words};

/// Makes a batch whenever it is allowed to, and keeps what was in it.
struct Gate {
    memory: Arc<Memory>,
    open: Semaphore,
    batches: Mutex<Vec<Vec<String>>>,
}

impl Gate {
    fn batches(&self) -> Vec<Vec<String>> {
        self.batches.lock().unwrap().clone()
    }

    /// Waits until so many batches have come to the gate.
    async fn reached(&self, count: usize) {
        while self.batches().len() < count {
            tokio::task::yield_now().await;
        }
    }
}

impl Provider for Gate {
    fn name(&self) -> &'static str {
        "gate"
    }

    fn zones(&self) -> BoxFuture<'_, Result<Vec<Zone>, ProviderError>> {
        self.memory.zones()
    }

    fn read<'a>(&'a self, zone: &'a Zone) -> BoxFuture<'a, Result<ZoneRecords, ProviderError>> {
        self.memory.read(zone)
    }

    fn read_names<'a>(
        &'a self,
        zone: &'a Zone,
        names: &'a [Name],
    ) -> BoxFuture<'a, Result<Vec<Endpoint>, ProviderError>> {
        self.memory.read_names(zone, names)
    }

    fn confirm<'a>(
        &'a self,
        zone: &'a Zone,
        known: &'a ZoneRecords,
    ) -> BoxFuture<'a, Result<Confirmation, ProviderError>> {
        self.memory.confirm(zone, known)
    }

    fn apply<'a>(&'a self, zone: &'a Zone, groups: &'a [Group]) -> BoxFuture<'a, Vec<Outcome>> {
        async move {
            let names = groups.iter().map(|group| group.name.to_string()).collect();
            self.batches.lock().unwrap().push(names);
            self.open.acquire().await.unwrap().forget();
            self.memory.apply(zone, groups).await
        }
        .boxed()
    }

    fn adjust(&self, wanted: Vec<Endpoint>) -> BoxFuture<'_, Result<Vec<Endpoint>, ProviderError>> {
        self.memory.adjust(wanted)
    }
}

fn world(limits: Limits) -> (World, Arc<Gate>) {
    let memory = Arc::new(Memory::new([name("example.com")]));
    let gate = Arc::new(Gate {
        memory: memory.clone(),
        open: Semaphore::new(0),
        batches: Mutex::default(),
    });
    (
        World::before(memory, gate.clone(), Settings::default(), limits),
        gate,
    )
}

/// Has records of a client created, and waits elsewhere.
async fn create(
    world: &World,
    namespace: &'static str,
    names: Vec<String>,
) -> JoinHandle<Result<ApplyResponse, Status>> {
    let groups = names
        .iter()
        .map(|text| group(Change::Create(a(text, "192.0.2.1"))));
    let request = apply(namespace, groups.collect());
    let mut client = world.zones(namespace).await;
    tokio::spawn(async move { client.apply(request).await.map(tonic::Response::into_inner) })
}

fn many(client: &str, count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("{client}{number}.example.com"))
        .collect()
}

/// Lets what is on its way arrive.
async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_single_change_waits_for_one_batch_at_most() {
    let (world, gate) = world(Limits::default());
    let flood = create(&world, "blue", many("blue", 10_000)).await;
    gate.reached(1).await;
    let single = create(&world, "red", many("red", 1)).await;
    settle().await;
    gate.open.add_permits(2);
    let made = single.await.unwrap().unwrap();
    assert_eq!(words(&made), ["applied"]);
    gate.reached(3).await;
    let batches = gate.batches();
    assert_eq!(batches.len(), 3, "the third one is still at the gate");
    assert_eq!(batches[0].len(), 100);
    assert!(batches[1].contains(&"red0.example.com".to_owned()));
    assert_eq!(batches[1].len(), 100, "the others fill it up");
    gate.open.add_permits(200);
    let made = flood.await.unwrap().unwrap();
    assert!(words(&made).iter().all(|word| *word == "applied"));
    // 10,001 changes in batches of 100.
    assert_eq!(gate.batches().len(), 101);
}

#[tokio::test]
async fn many_with_little_share_one_batch() {
    let (world, gate) = world(Limits::default());
    let first = create(&world, "blue", many("blue", 1)).await;
    gate.reached(1).await;
    let mut others = Vec::new();
    for number in 0..20 {
        let namespace = ["blue", "red"][number % 2];
        others.push(create(&world, namespace, vec![format!("other{number}.example.com")]).await);
    }
    settle().await;
    gate.open.add_permits(2);
    for call in others.into_iter().chain([first]) {
        assert_eq!(words(&call.await.unwrap().unwrap()), ["applied"]);
    }
    assert_eq!(gate.batches().len(), 2);
}

#[tokio::test]
async fn two_changes_of_one_name_are_never_in_one_batch() {
    let (world, gate) = world(Limits::default());
    let first = create(&world, "blue", many("blue", 1)).await;
    gate.reached(1).await;
    let blue = create(&world, "blue", vec!["www.example.com".to_owned()]).await;
    settle().await;
    let red = create(
        &world,
        "red",
        vec!["www.example.com".to_owned(), "z.example.com".to_owned()],
    )
    .await;
    settle().await;
    gate.open.add_permits(10);
    assert_eq!(words(&blue.await.unwrap().unwrap()), ["applied"]);
    assert_eq!(words(&red.await.unwrap().unwrap()), ["conflict", "applied"]);
    first.await.unwrap().unwrap();
    assert_eq!(
        gate.batches()[1..],
        [vec!["www.example.com"], vec!["z.example.com"]]
    );
}

/// What was begun is finished, what was not is dropped.
#[tokio::test]
async fn who_goes_away_takes_the_rest_back() {
    let (world, gate) = world(Limits::default());
    let flood = create(&world, "blue", many("blue", 1_000)).await;
    gate.reached(1).await;
    flood.abort();
    settle().await;
    gate.open.add_permits(100);
    let after = create(&world, "red", many("red", 1)).await;
    assert_eq!(words(&after.await.unwrap().unwrap()), ["applied"]);
    let sizes: Vec<usize> = gate.batches().iter().map(Vec::len).collect();
    assert_eq!(sizes, [100, 1]);
    assert_eq!(
        gate.memory.records(&super::world::zone("example.com").id).len(),
        101
    );
}

#[tokio::test]
async fn what_waits_is_bounded() {
    let limits = Limits {
        batch: 10,
        waiting_of_one: 50,
        waiting: 60,
    };
    let (world, gate) = world(limits);
    let fits = create(&world, "blue", many("blue", 50)).await;
    gate.reached(1).await;
    let too_many = create(&world, "blue", many("more", 20))
        .await
        .await
        .unwrap()
        .unwrap_err();
    assert_eq!(too_many.code(), Code::ResourceExhausted);
    assert!(delay(&too_many).as_secs() >= 1);
    let all = create(&world, "red", many("red", 30))
        .await
        .await
        .unwrap()
        .unwrap_err();
    assert!(
        all.message()
            .contains("70 groups of changes would wait for the zone; at most 60 may"),
        "{all}"
    );
    let some = create(&world, "red", many("red", 5)).await;
    settle().await;
    gate.open.add_permits(100);
    fits.await.unwrap().unwrap();
    some.await.unwrap().unwrap();
    assert_eq!(world.central.figures().namespaces["blue"].overloads, 1);
}

#[tokio::test]
async fn a_server_that_goes_down_finishes_its_batch_and_answers_for_the_rest() {
    let (world, gate) = world(Limits {
        batch: 2,
        ..Limits::default()
    });
    let all = create(&world, "blue", many("blue", 5)).await;
    gate.reached(1).await;
    let mut client = world.zones("blue").await;
    let namespace = "blue".to_owned();
    let mut watch = client.watch_zones(WatchZonesRequest { namespace }).await.unwrap();
    watch.get_mut().message().await.unwrap().unwrap();

    world.central.close();
    let ended = loop {
        // What was told before comes first.
        match watch.get_mut().message().await {
            Ok(message) => assert!(message.is_some(), "it ends with an error"),
            Err(status) => break status,
        }
    };
    assert_eq!(ended.code(), Code::Unavailable);
    assert!(!delay(&ended).is_zero());
    let late = create(&world, "blue", many("late", 1)).await.await.unwrap();
    assert_eq!(late.unwrap_err().code(), Code::Unavailable);

    gate.open.add_permits(1);
    world.central.idle().await;
    let told = all.await.unwrap().unwrap();
    assert_eq!(
        words(&told),
        ["applied", "applied", "postponed", "postponed", "postponed"]
    );
    assert_eq!(gate.batches().len(), 1);
}
