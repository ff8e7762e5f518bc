//! `hack/bench batch`: what changes cost at providers that take them in batches.

mod account;
mod bad;
mod cloudflare;
mod external_dns;
mod limit;
mod ours;
mod route53;
mod spent;
mod wishes;

use anyhow::Result;
use devcluster::Progress;

use crate::cli::BatchArgs;
use crate::sheet::{Figure, Sheet};
use external_dns::ExternalDns;

/// Measures and prints.
pub async fn run(args: &BatchArgs) -> Result<()> {
    let progress = Progress::shown();
    let external_dns = ExternalDns::set_up(&progress).await?;
    let mut figures = Vec::new();
    for count in &args.records {
        figures.extend(cloudflare::figures(usize::try_from(*count)?, &external_dns, &progress).await?);
    }
    let smallest = args.records.iter().min().copied().unwrap_or_default();
    let smallest = usize::try_from(smallest)?;
    figures.extend(bad::figures(smallest, args.syncs, &external_dns, &progress).await?);
    figures.extend(limit::figures(smallest, &external_dns, &progress).await?);
    let large = usize::try_from(args.route53_records)?;
    figures.extend(route53::figures(large, &external_dns, &progress).await?);
    external_dns.strike()?;
    sheet(figures, smallest).print(args.output)
}

fn sheet(figures: Vec<Figure>, smallest: usize) -> Sheet {
    let notes = [
        "cold: a process that knows nothing yet, one pass; warm: it has made a pass and keeps its cache \
         (--provider-cache-time), counted until it rests again"
            .to_owned(),
        "a hundred changes: 40 records come, 40 get another address, 20 go; ownership records on top".to_owned(),
        format!("bad records, and 1,000 changes: all of them new, in a zone of {smallest} records of others"),
        "times: a second lies between two batches of either; those of cold passes of external-dns have its start \
         in them"
            .to_owned(),
        format!(
            "1,000 changes: the clock of the stand-in stands still, as if all came within the five minutes; \
             external-dns is ended after {} s",
            limit::LONGEST.as_secs()
        ),
    ];
    Sheet {
        title: "changes in batches, by calls".to_owned(),
        peer: Some("external-dns"),
        figures,
        notes: notes.into(),
    }
}
