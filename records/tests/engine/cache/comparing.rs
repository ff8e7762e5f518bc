//! A provider that holds all that is known beside the zone: then no zone is read whole for
//! its age, for doubt or for what was written.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use records::cache::Cached;
use records::provider::memory::{FaultKind, Memory};
use records::provider::{Confirmation, Operation};
use records::{Endpoint, Group, Name, Outcome, Provider, ProviderError, Zone, ZoneRecords, ZoneVersion};

use super::world::{MAX_AGE, TIME, World, a, create};

/// The provider in memory, which compares.
struct Comparing {
    memory: Arc<Memory>,
    /// How old it says that the zone is, in seconds.
    age: AtomicU64,
}

impl Provider for Comparing {
    fn name(&self) -> &'static str {
        "comparing"
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
        async {
            let mut names = BTreeMap::<Name, Vec<Endpoint>>::new();
            let mut before = BTreeMap::<Name, Vec<Endpoint>>::new();
            for record in self.memory.records(&zone.id) {
                names.entry(record.name().unwrap()).or_default().push(record);
            }
            for record in &known.records {
                before.entry(record.name().unwrap()).or_default().push(record);
            }
            for name in before.keys() {
                names.entry(name.clone()).or_default();
            }
            names.retain(|name, records| before.get(name) != Some(records));
            Ok(Confirmation::Compared {
                names,
                version: ZoneVersion("compared".into()),
                age: Duration::from_secs(self.age.load(Ordering::Relaxed)),
            })
        }
        .boxed()
    }

    fn compares(&self) -> bool {
        true
    }

    fn apply<'a>(&'a self, zone: &'a Zone, groups: &'a [Group]) -> BoxFuture<'a, Vec<Outcome>> {
        self.memory.apply(zone, groups)
    }

    fn adjust(&self, wanted: Vec<Endpoint>) -> BoxFuture<'_, Result<Vec<Endpoint>, ProviderError>> {
        self.memory.adjust(wanted)
    }
}

fn comparing(world: &World) -> Arc<Comparing> {
    Arc::new(Comparing {
        memory: world.memory.clone(),
        age: AtomicU64::new(0),
    })
}

#[tokio::test]
async fn a_zone_is_read_whole_once() {
    for patch_on_apply in [true, false] {
        let mut world = World::new(100);
        world.settings.patch_on_apply = patch_on_apply;
        let cache = world.open_before(comparing(&world));
        let same = async |cache: &Cached| world.read(cache).await == world.truth();
        assert!(same(&cache).await);
        let new = |number: usize| create(a(&format!("new{number}.example.com"), "192.0.2.9"));
        world.apply(&cache, &[new(0)]).await;
        assert!(same(&cache).await);
        // Too many doubtful names to be read by themselves.
        world.fail(Operation::Apply, FaultKind::LostReply { written: 5 });
        let groups: Vec<Group> = (1..11).map(new).collect();
        world.apply(&cache, &groups).await;
        assert!(same(&cache).await);
        world.memory.put(a("host1.example.com", "192.0.2.7"));
        world.clock.advance(MAX_AGE * 2);
        assert!(same(&cache).await);
        world.memory.put(a("host2.example.com", "192.0.2.7"));
        cache.confirm_one().await.unwrap().1.unwrap();
        assert!(same(&cache).await);
        drop(cache);
        world.memory.put(a("host3.example.com", "192.0.2.7"));
        world.clock.advance(MAX_AGE * 2);
        let cache = world.open_before(comparing(&world));
        assert!(same(&cache).await);
        assert_eq!(cache.status().zones[0].doubtful, 0);
        assert_eq!(world.calls(Operation::Read), 1, "{patch_on_apply}");
        assert_eq!(world.calls(Operation::ReadNames), 0, "{patch_on_apply}");
    }
}

/// The zone is as old as the provider says, and asked for again until it is younger.
#[tokio::test]
async fn a_zone_is_as_old_as_the_provider_says() {
    let world = World::new(10);
    let provider = comparing(&world);
    let cache = world.open_before(provider.clone());
    world.read(&cache).await;
    provider.age.store(5_000, Ordering::Relaxed);
    world.clock.advance(TIME * 2);
    world.read(&cache).await;
    assert_eq!(cache.status().zones[0].age, Some(Duration::from_secs(5_000)));
    assert_eq!(cache.status().zones[0].confirmed, Some(Duration::ZERO));
}
