//! Every query of rules and panels, and whether a Prometheus has data for it.

use std::time::{Duration, Instant};

use devcluster::Prometheus;
use monitoring::Source;

use super::source;

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

/// Those of the queries that have no number for an answer.
pub fn unanswered(prometheus: &Prometheus, queries: &[String]) -> Vec<String> {
    let is_unanswered = |query: &&String| {
        let samples = prometheus.query(query).unwrap();
        !samples.iter().any(|sample| sample.value.is_finite())
    };
    queries.iter().filter(is_unanswered).cloned().collect()
}

/// Waits until all queries of rules and panels have data, while there is a load: called
/// again and again with the number of the round.
pub async fn answered(prometheus: &Prometheus, mut load: impl AsyncFnMut(usize)) {
    let source = source();
    let rules = source.series.iter();
    // What is recorded is asked for as it is and by its name.
    let rules = rules.flat_map(|series| [series.expr.clone(), series.record.clone()]);
    let mut left: Vec<String> = rules
        .chain(of_alerts(&source))
        .chain(of_panels(&source))
        .collect();
    assert!(left.len() > 50);
    let begun = Instant::now();
    for round in 0.. {
        load(round).await;
        left = unanswered(prometheus, &left);
        if left.is_empty() {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "no data for {left:#?}");
    }
}
