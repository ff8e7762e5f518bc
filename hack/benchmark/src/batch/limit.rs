//! A thousand changes where an account may be called 1,200 times in five minutes.

use std::time::Duration;

use anyhow::Result;
use devcluster::Progress;

use super::account::Account;
use super::external_dns::ExternalDns;
use super::ours::Ours;
use super::spent::{Both, Spent};
use super::wishes::{hosts, is_good, with_bad};
use crate::sheet::{Figure, figure, number};

const CHANGES: usize = 1_000;
/// The most calls that are answered.
const MOST: usize = 1_200;
/// How long external-dns may take: called too often, it tries each record again and again.
pub const LONGEST: Duration = Duration::from_secs(180);

/// Measures one pass in a zone of so many records, with good records alone and with some bad
/// ones.
pub async fn figures(count: usize, external_dns: &ExternalDns, progress: &Progress) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for bad in [0, 10] {
        progress.say(format!("{CHANGES} changes, {bad} of them bad"));
        let wanted = with_bad(hosts(0, CHANGES), bad);
        let account = limited(count).await?;
        let (_, took) = Ours::new(&account)?.pass(&wanted).await?;
        let ours = Spent {
            took,
            ..account.take()
        };
        let landed = account.landed(&wanted);
        external_dns.want(&wanted).await?;
        let account = limited(count).await?;
        let theirs = external_dns.once(&account, LONGEST).await?;
        let both = Both { ours, theirs };
        let good = number(wanted.iter().filter(|endpoint| is_good(endpoint)).count());
        let missing = |landed: usize| good - number(landed);
        figures.extend([
            both.figure(format!("{CHANGES} changes, {bad} of them bad: calls"), Spent::all)
                .at_most(number(MOST)),
            both.figure("  of them not answered, for there were too many", |spent| {
                spent.all().saturating_sub(MOST)
            })
            .at_most(0.0),
            figure("  good records that are not in place", 0, missing(landed))
                .beside(missing(account.landed(&wanted)))
                .at_most(0.0),
        ]);
    }
    Ok(figures)
}

async fn limited(count: usize) -> Result<Account> {
    let account = Account::with(count).await?;
    let mut fake = account.0.account();
    fake.most_calls = MOST;
    fake.set_time(Duration::ZERO);
    drop(fake);
    Ok(account)
}
