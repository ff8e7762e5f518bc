//! A hundred changes of a zone at Cloudflare.

use anyhow::{Result, ensure};
use devcluster::Progress;
use serde_json::Value;
use tests::cloudflare::Kind;

use super::account::Account;
use super::external_dns::{ExternalDns, PATIENCE};
use super::ours::Ours;
use super::spent::{Both, Spent};
use super::wishes::hundred;
use crate::sheet::{Figure, number};

/// The most operations of a batch, of both by default.
const BATCH: usize = 200;

/// Measures in a zone of so many records.
pub async fn figures(count: usize, external_dns: &ExternalDns, progress: &Progress) -> Result<Vec<Figure>> {
    progress.say(format!("100 changes of a zone of {count} records: ours"));
    let ours = ours(count).await?;
    progress.say(format!("100 changes of a zone of {count} records: external-dns"));
    let theirs = theirs(count, external_dns).await?;
    let [cold, warm] = [0, 1].map(|place| Both {
        ours: ours.spent[place].clone(),
        theirs: theirs[place].clone(),
    });
    let label = |state| format!("{count} records, 100 changes, {state}: calls");
    let mut figures = cold.figures(label("cold"));
    let mut warm = warm.figures(label("warm"));
    if let Some(calls) = warm.first_mut() {
        calls.target = Some(number(ours.operations.div_ceil(BATCH)));
    }
    figures.append(&mut warm);
    Ok(figures)
}

struct Measured {
    /// Cold and warm.
    spent: [Spent; 2],
    /// How many operations the warm changes were.
    operations: usize,
}

async fn ours(count: usize) -> Result<Measured> {
    let [before, after] = hundred();
    let cold = {
        let account = Account::holding(count, &before).await?;
        let (_, took) = Ours::new(&account)?.pass(&after).await?;
        ensure!(account.holds(&after), "the changes were not made");
        Spent {
            took,
            ..account.take()
        }
    };
    let account = Account::holding(count, &before).await?;
    let ours = Ours::new(&account)?;
    ours.pass(&before).await?;
    let spent = account.take();
    ensure!(
        spent.of(&[Kind::Batch, Kind::Single]) == 0,
        "there was something to do"
    );
    account.0.account().take_batches();
    let (_, took) = ours.pass(&after).await?;
    ensure!(account.holds(&after), "the changes were not made");
    let batches = account.0.account().take_batches();
    let lists = batches.iter().filter_map(Value::as_object);
    let operations = lists.flat_map(|lists| lists.values().filter_map(Value::as_array));
    Ok(Measured {
        spent: [
            cold,
            Spent {
                took,
                ..account.take()
            },
        ],
        operations: operations.map(Vec::len).sum(),
    })
}

async fn theirs(count: usize, external_dns: &ExternalDns) -> Result<[Spent; 2]> {
    let [before, after] = hundred();
    external_dns.want(&after).await?;
    let account = Account::holding(count, &before).await?;
    let cold = external_dns.once(&account, PATIENCE).await?;
    ensure!(account.holds(&after), "external-dns did not make the changes");
    external_dns.want(&before).await?;
    let account = Account::holding(count, &before).await?;
    let mut process = external_dns.stay(&account).await?;
    let warm = external_dns.follow(&account, &mut process, &after).await?;
    Ok([cold, warm])
}
