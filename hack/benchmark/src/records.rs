//! `hack/bench records`: what keeping a large zone costs.

mod knot;
mod lists;
mod pass;

use std::num::NonZeroU32;

use anyhow::{Context as _, Result};
use devcluster::Progress;
use records::{Endpoint, Name, RESOURCE_LABEL, Zone, ZoneId};

use crate::cli::RecordsArgs;
use crate::sheet::Sheet;

/// The zone.
const ZONE: &str = "example.test";

/// Measures and prints.
pub async fn run(args: &RecordsArgs) -> Result<()> {
    let progress = Progress::shown();
    let count = usize::try_from(args.records)?;
    progress.say("lists of a zone in memory, by a simulated clock");
    let mut figures = lists::figures(count).await?;
    progress.say("a pass over a zone in memory");
    figures.extend(pass::figures(count).await?);
    progress.say("Knot");
    figures.extend(knot::figures(count, &progress).await?);
    let sheet = Sheet {
        peer: None,
        title: format!("a zone of {count} records, half of them tell who owns the others"),
        figures,
        notes: vec![format!(
            "lists are counted in calls of {} records, as Route 53 has them",
            lists::PAGE
        )],
    };
    sheet.print(args.output)
}

fn name(text: &str) -> Result<Name> {
    Name::parse(text).with_context(|| format!("{text} is no name"))
}

fn zone() -> Result<Zone> {
    Ok(Zone {
        id: ZoneId(ZONE.into()),
        name: name(ZONE)?,
    })
}

/// A wanted record, of as many as there are.
fn wanted(number: usize) -> Endpoint {
    let resource = format!("service/team-{}/web-{number}", number % 500);
    Endpoint {
        dns_name: format!("web-{number}.team-{}.{ZONE}", number % 500).into(),
        targets: [format!("10.{}.{}.{}", number >> 16, (number >> 8) & 255, number & 255).into()].into(),
        ttl: NonZeroU32::new(300),
        labels: [(RESOURCE_LABEL.into(), resource.into())].into(),
        ..Endpoint::default()
    }
}
