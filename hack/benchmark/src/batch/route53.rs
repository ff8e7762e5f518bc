//! A hundred new records in a large zone at Route 53.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use devcluster::{Progress, moto};
use records::Endpoint;
use records::cache::{self, Cached, SystemClock};
use records::engine::Engine;
use records::provider::route53::{AccessKey, Identity, Route53, Settings};
use tests::route53::{StandIn, xml};

use super::external_dns::{ExternalDns, PATIENCE};
use super::ours::{engine, pass};
use super::wishes::{ZONE, hosts};
use crate::figures::milliseconds;
use crate::sheet::{Figure, figure, number};

/// The id of the zone.
const ID: &str = "Z1";
/// How many records come.
const CHANGES: usize = 100;
/// How many of them go after a restart.
const GONE: usize = 20;
/// How many sets Route 53 lists with one call.
const PAGE: usize = 300;
/// How long the cache is used.
const CACHE_TIME: Duration = Duration::from_secs(3_600);

/// Calls by operation, and time.
#[derive(Default)]
struct Spent {
    calls: BTreeMap<String, usize>,
    took: Duration,
}

/// Measures in a zone of so many records.
pub async fn figures(count: usize, external_dns: &ExternalDns, progress: &Progress) -> Result<Vec<Figure>> {
    progress.say(format!(
        "Route 53: {CHANGES} changes of a zone of {count} records"
    ));
    let wanted = hosts(0, CHANGES);
    let folder = tempfile::tempdir()?;
    let cold = {
        let stand_in = filled(count).await?;
        spent(&stand_in, &ours(&stand_in, None)?, &wanted).await?
    };
    external_dns.want(&wanted).await?;
    let theirs = {
        let stand_in = filled(count).await?;
        let took = external_dns
            .run_once(&mut at(external_dns, &stand_in), PATIENCE)
            .await?;
        ensure!(
            stand_in.sets(ID).len() == count / 2 * 2 + 2 * CHANGES,
            "external-dns did not make the changes"
        );
        Spent {
            took,
            ..taken(&stand_in)
        }
    };
    let stand_in = filled(count).await?;
    let stays = ours(&stand_in, Some(folder.path()))?;
    spent(&stand_in, &stays, &[]).await?;
    let warm = spent(&stand_in, &stays, &wanted).await?;
    drop(stays);
    let again = ours(&stand_in, Some(folder.path()))?;
    let restarted = spent(&stand_in, &again, &wanted[GONE..]).await?;
    let label = |state| format!("Route 53, {count} records, {CHANGES} come, {state}: calls");
    // Two sets more: the SOA record and the name servers.
    let lists = number((count + 2).div_ceil(PAGE));
    let mut figures = rows(
        &label("cold"),
        &cold,
        Some(&theirs),
        ("ListResourceRecordSets", lists),
    );
    // Both list the zones in each pass.
    figures.extend(rows(&label("warm"), &warm, None, ("ListResourceRecordSets", 0.0)));
    let label = format!("Route 53, {GONE} go, the first pass after a restart: calls");
    figures.extend(rows(&label, &restarted, None, ("ListResourceRecordSets", 1.0)));
    Ok(figures)
}

/// All calls, those of each operation, of which one has a target, and the time.
fn rows(label: &str, ours: &Spent, theirs: Option<&Spent>, target: (&str, f64)) -> Vec<Figure> {
    let row = |label: &str, value: &dyn Fn(&Spent) -> f64| {
        let row = figure(label, 0, value(ours));
        match theirs {
            Some(theirs) => row.beside(value(theirs)),
            None => row,
        }
    };
    let mut figures = vec![row(label, &|spent| number(spent.calls.values().sum::<usize>()))];
    let all = theirs.into_iter().chain([ours]);
    let mut operations: BTreeSet<&str> = all
        .flat_map(|spent| spent.calls.keys().map(String::as_str))
        .collect();
    operations.insert(target.0);
    for operation in operations {
        let calls = |spent: &Spent| number(spent.calls.get(operation).copied().unwrap_or_default());
        let figure = row(&format!("  {operation}"), &calls);
        figures.push(if operation == target.0 {
            figure.at_most(target.1)
        } else {
            figure
        });
    }
    figures.push(row("  ms", &|spent| milliseconds(spent.took)));
    figures
}

/// A zone with so many sets of others, half of which tell who owns the other half.
async fn filled(count: usize) -> Result<StandIn> {
    let stand_in = StandIn::with(&[(ID, ZONE)])
        .await
        .context("starting the stand-in for Route 53")?;
    for number in 0..count / 2 {
        let name = format!("web-{number}.team-{}.{ZONE}.", number % 500);
        let address = format!("10.{}.{}.{}", number >> 16, (number >> 8) & 255, number & 255);
        stand_in.put(ID, &xml::simple(&name, "A", 300, &[&address]));
        let owner = "\"heritage=external-dns,external-dns/owner=other\"";
        stand_in.put(ID, &xml::simple(&format!("a-{name}"), "TXT", 300, &[owner]));
    }
    Ok(stand_in)
}

/// An engine with its cache, that knows what its folder has kept.
fn ours(stand_in: &StandIn, folder: Option<&Path>) -> Result<Engine> {
    let settings = Settings {
        identity: Identity {
            key: Some(AccessKey {
                id: "example".into(),
                secret: "example".into(),
                session_token: None,
            }),
            ..Identity::default()
        },
        endpoint: Some(stand_in.url().parse()?),
        ..Settings::default()
    };
    let cache = cache::Settings {
        time: CACHE_TIME,
        patch_on_apply: true,
        directory: folder.map(Path::to_owned),
        ..cache::Settings::default()
    };
    let provider = Arc::new(Route53::new(settings)?);
    engine(Arc::new(Cached::open(
        provider,
        cache,
        Arc::new(SystemClock::default()),
    )?))
}

/// external-dns at the stand-in.
fn at(external_dns: &ExternalDns, stand_in: &StandIn) -> Command {
    let mut command = external_dns.command("aws");
    command
        .envs(moto::ENVIRONMENT)
        .env("AWS_ENDPOINT_URL", stand_in.url());
    command
}

/// Makes one pass.
async fn spent(stand_in: &StandIn, engine: &Engine, wanted: &[Endpoint]) -> Result<Spent> {
    let (result, took) = pass(engine, wanted).await?;
    ensure!(result.is_complete(), "not all is in place: {:?}", result.verdicts);
    Ok(Spent {
        took,
        ..taken(stand_in)
    })
}

/// The calls since this was last asked.
fn taken(stand_in: &StandIn) -> Spent {
    let mut spent = Spent::default();
    for call in stand_in.calls() {
        let operation = call.split(' ').next().unwrap_or_default().to_owned();
        *spent.calls.entry(operation).or_default() += 1;
    }
    spent
}
