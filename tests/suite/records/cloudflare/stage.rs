//! A stand-in for Cloudflare, and the engine in front of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use records::batch;
use records::cache::{self, Cached, SystemClock};
use records::engine::{Demand, Engine, PassResult, Settings as EngineSettings};
use records::ownership::{Affix, Ownership, Registry};
use records::pace::Rate;
use records::plan::{Guard, Policy, Rules};
use records::provider::cloudflare::{Cloudflare, Credentials, Settings};
use records::source::Wanted;
use records::{
    DomainFilter, Endpoint, Labels, ManagedTypes, Property, Provider, RESOURCE_LABEL, RecordType, Zone,
};
use tests::cloudflare::{Cloudflare as Fake, Kind, Plan, Record, TOKEN};

pub const ZONE: &str = "example.com";

/// A stand-in with one zone that somebody pays for.
pub async fn fake() -> Fake {
    Fake::start(&[(ZONE, Plan::Paid)]).await.unwrap()
}

/// The settings that most tests have.
pub fn settings(fake: &Fake) -> Settings {
    Settings {
        base_url: fake.url().parse().unwrap(),
        credentials: Credentials::token(TOKEN),
        zone_ids: Vec::new(),
        zones_time: Duration::ZERO,
        per_page: 5_000,
        proxied: false,
        comment: Box::default(),
        custom_hostnames: None,
        region_key: None,
        rate: Rate {
            burst: 100_000,
            calls: 100_000,
            period: Duration::from_secs(1),
        },
        batch: batch::Settings {
            size: 200,
            interval: Duration::ZERO,
        },
    }
}

pub fn provider(settings: Settings) -> Arc<Cloudflare> {
    Arc::new(Cloudflare::new(settings).unwrap())
}

/// A cache before the provider; on disk where there is a folder.
pub fn cached(provider: Arc<Cloudflare>, folder: Option<&Path>) -> Arc<Cached> {
    let settings = cache::Settings {
        time: Duration::from_secs(3_600),
        patch_on_apply: true,
        directory: folder.map(Into::into),
        max_age: Some(Duration::from_secs(7_200)),
        dry_run: false,
        identity: "the account".to_owned(),
    };
    Arc::new(Cached::open(provider, settings, Arc::new(SystemClock::default())).unwrap())
}

/// Makes zones agree, with ownership in TXT records.
pub fn engine(provider: Arc<dyn Provider>) -> Engine {
    let registry = Registry::new("us", Affix::new("", "", "").unwrap()).unwrap();
    let types = ["A", "AAAA", "CNAME", "MX", "SRV", "TXT", "NS", "CAA"];
    let settings = EngineSettings {
        ownership: Ownership::Txt(Box::new(registry)),
        rules: Rules {
            policy: Policy::Sync,
            owner: Some("us".into()),
            old_owner: None,
            managed: ManagedTypes::new(types.map(RecordType::from), &[]),
            domain_filters: vec![DomainFilter::default()],
        },
        guard: Guard {
            max_percent: 100,
            ..Guard::default()
        },
    };
    Engine::new(provider, settings)
}

/// One pass over what is wanted.
pub async fn pass(engine: &Engine, wanted: &[Endpoint]) -> PassResult {
    let demand = Demand {
        wanted: Wanted {
            endpoints: wanted.to_vec(),
            rejected: Vec::new(),
        },
        unread: Vec::new(),
    };
    let prospect = engine.prospect(demand).await.unwrap();
    engine.apply(prospect).await
}

/// What is not in place after a pass, as `name TYPE Reason: message`.
pub fn told(result: &PassResult) -> Vec<String> {
    let verdicts = result.verdicts.iter();
    verdicts
        .map(|verdict| {
            let (key, state) = (&verdict.key, &verdict.state);
            format!(
                "{} {} {}: {}",
                key.name,
                key.record_type,
                state.reason(),
                state.message()
            )
        })
        .collect()
}

pub fn endpoint(name: &str, record_type: &str, targets: &[&str]) -> Endpoint {
    Endpoint {
        dns_name: name.into(),
        record_type: RecordType::from(record_type),
        targets: targets.iter().map(|target| Box::from(*target)).collect(),
        labels: Labels::from([(RESOURCE_LABEL.into(), "crd/default/it".into())]),
        ..Endpoint::default()
    }
}

pub fn with_ttl(endpoint: Endpoint, ttl: u32) -> Endpoint {
    Endpoint {
        ttl: ttl.try_into().ok(),
        ..endpoint
    }
}

/// The endpoint with more properties.
pub fn with(mut endpoint: Endpoint, properties: &[(&str, &str)]) -> Endpoint {
    let properties = properties.iter().map(|(name, value)| Property {
        name: (*name).into(),
        value: (*value).into(),
    });
    endpoint.provider_specific = endpoint
        .provider_specific
        .iter()
        .cloned()
        .chain(properties)
        .collect();
    endpoint
}

/// So many addresses, each at a name of its own.
pub fn hosts(count: usize, address: &str) -> Vec<Endpoint> {
    (0..count)
        .map(|number| endpoint(&format!("host-{number:04}.{ZONE}"), "A", &[address]))
        .collect()
}

/// The records of a zone but those that tell ownership, in order.
pub fn lines(fake: &Fake, zone: &str) -> Vec<String> {
    let account = fake.account();
    let mut lines: Vec<String> = account
        .records(zone)
        .map(Record::line)
        .filter(|line| !line.contains("heritage="))
        .collect();
    lines.sort();
    lines
}

/// How many records of a zone tell ownership.
pub fn owners(fake: &Fake, zone: &str) -> usize {
    let account = fake.account();
    account
        .records(zone)
        .filter(|record| record.content.contains("heritage="))
        .count()
}

/// The calls since the last time this was asked.
pub fn calls(fake: &Fake) -> BTreeMap<Kind, usize> {
    fake.account().take_counts()
}

pub fn counted<const N: usize>(calls: [(Kind, usize); N]) -> BTreeMap<Kind, usize> {
    calls.into()
}

/// A zone as the provider lists it.
pub async fn zone(provider: &dyn Provider, name: &str) -> Zone {
    let zones = provider.zones().await.unwrap();
    zones.into_iter().find(|zone| zone.name.as_str() == name).unwrap()
}
