//! Names of a zone that a provider does not keep: nothing is done there.

use std::sync::Arc;

use futures::future::BoxFuture;
use records::engine::Engine;
use records::provider::Confirmation;
use records::provider::memory::Memory;
use records::{
    DomainFilter, Endpoint, Group, Name, Outcome, Provider, ProviderError, Zone, ZoneId, ZoneRecords,
};

use crate::fixtures::{name, record};
use crate::passes::{a, demand, settings, told};

/// The provider in memory, which keeps some names alone.
struct Partial {
    memory: Memory,
    filter: DomainFilter,
}

impl Provider for Partial {
    fn name(&self) -> &'static str {
        "partial"
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
        self.memory.apply(zone, groups)
    }

    fn adjust(&self, wanted: Vec<Endpoint>) -> BoxFuture<'_, Result<Vec<Endpoint>, ProviderError>> {
        self.memory.adjust(wanted)
    }

    fn domain_filters(&self, zone: &Zone) -> Vec<DomainFilter> {
        let is_partial = zone.name.as_str() == "example.com";
        is_partial.then(|| self.filter.clone()).into_iter().collect()
    }
}

#[tokio::test]
async fn names_that_a_provider_does_not_keep_are_left_alone() {
    let memory = Memory::new([name("example.com"), name("other.test")]);
    let owner = "\"heritage=external-dns,external-dns/owner=us,external-dns/resource=crd/default/it\"";
    for host in ["gone", "gone.private"] {
        memory.put(record(&format!("{host}.example.com"), "A", "192.0.2.1"));
        memory.put(record(&format!("a-{host}.example.com"), "TXT", owner));
    }
    let partial = Arc::new(Partial {
        memory,
        filter: DomainFilter::domains(&[""], &["private.example.com"]).unwrap(),
    });
    let engine = Engine::new(Arc::clone(&partial) as Arc<dyn Provider>, settings());
    let wanted = [
        a("www.example.com", "192.0.2.2"),
        a("www.private.example.com", "192.0.2.3"),
        a("www.private.other.test", "192.0.2.4"),
    ];

    let prospect = engine.prospect(demand(&wanted)).await.unwrap();
    let result = engine.apply(prospect).await;

    let held = |zone: &str| -> Vec<String> {
        let records = partial.memory.records(&ZoneId(zone.into())).into_iter();
        let addresses =
            records.filter(|record| record.targets.iter().any(|target| target.starts_with("192.")));
        let mut names: Vec<String> = addresses.map(|record| record.dns_name.to_string()).collect();
        names.sort();
        names
    };
    assert_eq!(
        held("example.com"),
        ["gone.private.example.com", "www.example.com"]
    );
    assert_eq!(held("other.test"), ["www.private.other.test"]);
    assert_eq!(
        told(&result.verdicts),
        ["www.private.example.com ExcludedBySettings"]
    );
}
