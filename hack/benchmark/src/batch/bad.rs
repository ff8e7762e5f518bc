//! Records that the provider refuses, among good ones.

use std::time::Duration;

use anyhow::{Result, ensure};
use devcluster::Progress;
use tests::cloudflare::Kind;

use super::account::Account;
use super::external_dns::{ExternalDns, PATIENCE};
use super::ours::Ours;
use super::spent::{Both, Spent};
use super::wishes::{hosts, with_bad};
use crate::sheet::Figure;

/// How many records are wanted.
const WANTED: usize = 200;
/// The most calls that write, by how many records are bad.
const MOST: [(usize, f64); 2] = [(1, 17.0), (2, 33.0)];
/// The time between two passes.
const INTERVAL: Duration = Duration::from_secs(60);

/// Measures in a zone of so many records; one bad record stands for so many passes.
pub async fn figures(
    count: usize,
    syncs: u32,
    external_dns: &ExternalDns,
    progress: &Progress,
) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (bad, most) in MOST {
        progress.say(format!("{bad} bad among {WANTED} records"));
        let both = both(count, bad, 1, external_dns).await?;
        let label = format!("{bad} bad among {WANTED} records: calls that write");
        let figure = both.figure(label, |spent| spent.of(&[Kind::Batch, Kind::Single]));
        figures.push(figure.at_most(most));
    }
    progress.say(format!("a bad record stands for {syncs} passes"));
    let both = both(count, 1, syncs, external_dns).await?;
    let label = format!("1 bad among {WANTED} records for {syncs} passes: calls");
    figures.extend(both.figures(label));
    // How long simulated minutes take tells nothing.
    figures.pop();
    Ok(figures)
}

async fn both(count: usize, bad: usize, syncs: u32, external_dns: &ExternalDns) -> Result<Both> {
    let wanted = with_bad(hosts(0, WANTED), bad);
    let account = Account::with(count).await?;
    let ours = Ours::new(&account)?;
    for _ in 0..syncs {
        ours.pass(&wanted).await?;
        ours.wait(INTERVAL);
    }
    ensure!(account.holds(&wanted), "the good records were not written");
    let ours = account.take();
    external_dns.want(&wanted).await?;
    let account = Account::with(count).await?;
    let mut theirs = Spent::default();
    for _ in 0..syncs {
        theirs.add(&external_dns.once(&account, PATIENCE).await?);
    }
    ensure!(
        account.holds(&wanted),
        "external-dns did not write the good records"
    );
    Ok(Both { ours, theirs })
}
