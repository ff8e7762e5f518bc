//! The stand-in for Cloudflare: one zone with records of other people.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use records::Endpoint;
use tests::cloudflare::{Cloudflare, Plan, Record};

use super::ours::Ours;
use super::spent::Spent;
use super::wishes::{ZONE, is_good};

/// An account that takes any number of calls.
pub struct Account(pub Cloudflare);

impl Account {
    /// A zone with so many records of others, half of which tell who owns the other half.
    pub async fn with(count: usize) -> Result<Self> {
        let fake = Cloudflare::start(&[(ZONE, Plan::Paid)]).await;
        let fake = fake.context("starting the stand-in for Cloudflare")?;
        {
            let mut account = fake.account();
            account.most_calls = usize::MAX;
            let owner = "\"heritage=external-dns,external-dns/owner=other\"";
            for number in 0..count / 2 {
                let name = format!("web-{number}.team-{}.{ZONE}", number % 500);
                let address = format!("10.{}.{}.{}", number >> 16, (number >> 8) & 255, number & 255);
                account.put(ZONE, Record::plain(&name, "A", &address));
                account.put(ZONE, Record::plain(&format!("a-{name}"), "TXT", owner));
            }
        }
        Ok(Self(fake))
    }

    /// The same, with records that are wanted already, as both programs would have written
    /// them.
    pub async fn holding(count: usize, wanted: &[Endpoint]) -> Result<Self> {
        let account = Self::with(count).await?;
        Ours::new(&account)?.pass(wanted).await?;
        ensure!(account.holds(wanted), "the zone could not be filled");
        account.take();
        Ok(account)
    }

    /// The calls since this was last asked.
    pub fn take(&self) -> Spent {
        Spent {
            calls: self.0.account().take_counts(),
            took: Duration::ZERO,
        }
    }

    /// How many of the wanted records are in place.
    pub fn landed(&self, wanted: &[Endpoint]) -> usize {
        let account = self.0.account();
        let mut there: Vec<(&str, &str)> = account
            .records(ZONE)
            .filter(|record| record.record_type == "A" && record.name.starts_with("host-"))
            .map(|record| (record.name.as_str(), record.content.as_str()))
            .collect();
        there.sort_unstable();
        let is_there = |endpoint: &&Endpoint| {
            let mut targets = endpoint.targets.iter();
            targets.all(|target| there.binary_search(&(&*endpoint.dns_name, &**target)).is_ok())
        };
        wanted.iter().filter(is_there).count()
    }

    /// Whether all that can be written is in place, and nothing else of ours.
    pub fn holds(&self, wanted: &[Endpoint]) -> bool {
        let good = wanted.iter().filter(|endpoint| is_good(endpoint)).count();
        let ours = self
            .0
            .account()
            .records(ZONE)
            .filter(|record| record.record_type == "A" && record.name.starts_with("host-"))
            .count();
        (self.landed(wanted), ours) == (good, good)
    }
}
