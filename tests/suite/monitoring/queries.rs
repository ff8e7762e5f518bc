//! Every query of rules and panels, and whether a Prometheus has data for it.

use std::time::{Duration, Instant};

use devcluster::Prometheus;
use monitoring::Source;

/// How long it may take until all queries have data.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the alerts compare, each by itself: with everything well, the comparison has no
/// answer, and that is what it is for.
pub fn of_alerts(source: &Source) -> impl Iterator<Item = String> {
    let words = [" unless ", " and "];
    source.alerts.iter().flat_map(move |alert| {
        let expr = alert.expr.split_whitespace().collect::<Vec<&str>>().join(" ");
        let parts = words.iter().fold(vec![expr], |parts, word| {
            let split = parts.iter().flat_map(|part| part.split(word));
            split.map(ToOwned::to_owned).collect()
        });
        parts.into_iter().map(|part| {
            let compared = [" >= ", " == ", " > "]
                .iter()
                .find_map(|sign| part.split_once(sign));
            let (left, right) = compared.unwrap_or_else(|| panic!("no comparison in {part}"));
            assert!(right.parse::<f64>().is_ok(), "not compared with a number: {part}");
            left.to_owned()
        })
    })
}

/// What the panels ask.
pub fn of_panels(source: &Source) -> impl Iterator<Item = String> {
    let panels = source.dashboard.rows.iter().flat_map(|row| &row.panels);
    panels
        .flat_map(|panel| &panel.queries)
        .map(|query| query.expr.clone())
}

/// Every query: what is recorded as it is and by its name, what alerts compare, and what
/// panels ask.
pub fn all(source: &Source) -> Vec<String> {
    let series = source.series.iter();
    let series = series.flat_map(|series| [series.expr.clone(), series.record.clone()]);
    series.chain(of_alerts(source)).chain(of_panels(source)).collect()
}

/// Waits until each of the queries has a number for an answer, while there is a load:
/// called again and again with the number of the round.
pub async fn answered(prometheus: &Prometheus, mut queries: Vec<String>, mut load: impl AsyncFnMut(usize)) {
    let begun = Instant::now();
    for round in 0.. {
        load(round).await;
        queries.retain(|query| {
            let samples = prometheus.query(query).unwrap();
            !samples.iter().any(|sample| sample.value.is_finite())
        });
        if queries.is_empty() {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "no data for {queries:#?}");
    }
}
