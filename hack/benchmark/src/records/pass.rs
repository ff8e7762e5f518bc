//! What a pass over a zone costs.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use records::cache::{Cached, Settings, SystemClock};
use records::engine::{self, Demand, Engine};
use records::ownership::{Affix, Ownership, Registry, heritage, label};
use records::plan::{Guard, Policy, Rules, plan};
use records::provider::memory::Memory;
use records::source::Wanted;
use records::{Endpoint, ManagedTypes, Provider, RecordType};

use super::{name, wanted};
use crate::figures::milliseconds;
use crate::process::memory;
use crate::sheet::{Figure, figure};

/// The longest that a plan of 100,000 records with nothing to do may take, in milliseconds.
const PLAN: f64 = 50.0;
/// The most memory for a record beside its text, in octets.
const MEMORY: f64 = 200.0;
/// How often what is quick is measured.
const TIMES: usize = 20;

fn rules() -> Rules {
    Rules {
        policy: Policy::Sync,
        owner: Some("default".into()),
        old_owner: None,
        managed: ManagedTypes::default(),
        domain_filters: Vec::new(),
    }
}

/// Measures.
pub async fn figures(count: usize) -> Result<Vec<Figure>> {
    let demand = || Demand {
        wanted: Wanted {
            endpoints: (0..count / 2).map(wanted).collect(),
            rejected: Vec::new(),
        },
        unread: Vec::new(),
    };
    let registry = Registry::new("default", Affix::new("", "", "")?)?;
    let settings = engine::Settings {
        ownership: Ownership::from(registry),
        rules: rules(),
        guard: Guard::default(),
    };
    let provider = Arc::new(Memory::new([name(super::ZONE)?]));
    let text = fill(&provider, count / 2)?;
    let before = resident()?;
    let cached = Cached::open(
        Arc::clone(&provider) as Arc<dyn Provider>,
        Settings {
            time: Duration::from_secs(3600),
            patch_on_apply: true,
            ..Settings::default()
        },
        Arc::new(SystemClock::default()),
    )?;
    let engine = Engine::new(Arc::new(cached), settings);
    reset_peak()?;
    let begun = Instant::now();
    let prospect = engine.prospect(demand()).await?;
    let took = begun.elapsed();
    ensure!(prospect.is_empty(), "there is something to do");
    let peak = memory(std::process::id())?.peak;
    let used = f64::from(peak.saturating_sub(before)) * 1024.0;
    let records = f64::from(u32::try_from(count)?);
    let over = used / records - f64::from(u32::try_from(text)?) / records;
    Ok(vec![
        figure(
            "plan of half as many against as many, nothing to do, median, ms",
            1,
            plan_time(count / 2)?,
        )
        .at_most(PLAN),
        figure("a whole pass, nothing to do, ms", 0, milliseconds(took)),
        figure("  memory at most, for a record beside its text, octets", 0, over).at_most(MEMORY),
    ])
}

/// Puts what a pass would have written into a provider, one record after the other: memory
/// that a pass had freed would be taken again without being counted. How much text it is.
fn fill(provider: &Memory, count: usize) -> Result<usize> {
    let mut octets = 0;
    for number in 0..count {
        let mut record = wanted(number);
        record
            .labels
            .insert(records::OWNER_LABEL.into(), "default".into());
        let text = heritage::write(&record.labels)?;
        let companion = Endpoint {
            dns_name: format!("a-{}", record.dns_name).into(),
            targets: [format!("\"{text}\"").into()].into(),
            record_type: RecordType::Txt,
            ttl: None,
            labels: [(label::OWNED_RECORD.into(), record.dns_name.clone())].into(),
            ..Endpoint::default()
        };
        octets += text_of(&record) + text_of(&companion);
        provider.put(companion);
        provider.put(record);
    }
    Ok(octets)
}

/// How long a plan takes whose two sides are the same.
fn plan_time(count: usize) -> Result<f64> {
    let wanted: Vec<Endpoint> = (0..count).map(wanted).collect();
    let owned = |endpoint: &Endpoint| {
        let mut endpoint = endpoint.clone();
        endpoint
            .labels
            .insert(records::OWNER_LABEL.into(), "default".into());
        Arc::new(endpoint)
    };
    let current: Vec<Arc<Endpoint>> = wanted.iter().map(owned).collect();
    let mut times = Vec::new();
    for _ in 0..TIMES {
        let begun = Instant::now();
        let plan = plan(&current, &wanted, &rules());
        times.push(begun.elapsed());
        ensure!(plan.changes.is_empty(), "there is something to do");
    }
    times.sort_unstable();
    Ok(milliseconds(times[TIMES / 2]))
}

/// The text of a record: what no way of keeping it can do without.
fn text_of(endpoint: &Endpoint) -> usize {
    let targets: usize = endpoint.targets.iter().map(|target| target.len()).sum();
    endpoint.dns_name.len() + targets
}

fn resident() -> Result<u32> {
    Ok(memory(std::process::id())?.resident)
}

/// Has the kernel forget the most memory that was ever resident.
fn reset_peak() -> Result<()> {
    fs::write("/proc/self/clear_refs", "5").context("failed to write /proc/self/clear_refs")
}
