//! The figures as a table for people, beside what is aimed at.
//!
//! The aims come from OpenShift's operator in Go, which took, without nodes and
//! with 5,000: 42 requests for one edit; a median of 31 and 57 ms from edit to
//! ConfigMap, a 99th percentile of 49 and 206 ms; 20 requests a minute at rest;
//! 72 and 251 MB; 37 and 190 ms of processor time for one edit; 1.5 s from start
//! to Corefile.

use std::fmt::Write as _;

use crate::audit::Requests;
use crate::figures::{Edits, Figures, Heartbeats};

/// The most requests for one edit.
pub const REQUESTS: f64 = 2.0;
/// How much slower than the bare client an edit may be.
const LATENCY_RATIO: f64 = 1.3;
/// The most resident memory without nodes and with them, in MB.
pub const MEMORY: [f64; 2] = [12.0, 20.0];
/// The most processor time for one edit, in milliseconds.
pub const PROCESSOR: f64 = 2.0;
/// The most time from start to Corefile, in seconds.
const START: f64 = 0.3;

/// One line: a figure of each program.
pub struct Row {
    /// What it is, with its unit.
    pub label: String,
    /// How many digits after the point are shown.
    pub digits: usize,
    /// The most that is aimed at.
    pub target: Option<f64>,
    /// The figure of each program.
    pub values: Vec<f64>,
}

/// The figures of each program, as a table for each number of nodes.
pub fn text(programs: &[Vec<Figures>]) -> String {
    let Some(first) = programs.first() else {
        return String::new();
    };
    let mut text = String::new();
    for (index, figures) in first.iter().enumerate() {
        let side_by_side: Vec<&Figures> = programs.iter().filter_map(|all| all.get(index)).collect();
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "\n{} nodes, {} edits\n\n",
            figures.nodes, figures.edits.count
        );
        text.push_str(&lines(&header(&side_by_side), &rows(&side_by_side)));
        for figures in side_by_side {
            text.push_str(&details(figures));
        }
    }
    text
}

fn header(figures: &[&Figures]) -> Vec<String> {
    let mut cells = vec![String::new(), "target".into()];
    cells.extend(figures.iter().map(|figures| figures.subject.to_owned()));
    if figures.len() > 1 {
        cells.push("ratio".into());
    }
    cells.push(String::new());
    cells
}

fn rows(figures: &[&Figures]) -> Vec<Row> {
    let mut rows = latency(figures);
    rows.extend(cost(figures));
    rows.extend(starts(figures));
    rows.extend(heartbeats(figures));
    rows
}

fn row(
    figures: &[&Figures],
    label: &str,
    digits: usize,
    target: Option<f64>,
    value: impl Fn(&Figures) -> f64,
) -> Row {
    Row {
        label: label.to_owned(),
        digits,
        target,
        values: figures.iter().map(|figures| value(figures)).collect(),
    }
}

fn latency(all: &[&Figures]) -> Vec<Row> {
    let mut rows = Vec::new();
    for (label, percent) in [("median", 50), ("99th percentile", 99)] {
        let own = move |f: &Figures| f.edits.latency_ms.percentile(percent);
        let bare = move |f: &Figures| f.bare.latency_ms.percentile(percent);
        let ratio = move |f: &Figures| own(f) / bare(f);
        rows.push(row(all, &format!("edit to ConfigMap, {label}, ms"), 2, None, own));
        rows.push(row(all, "  of the bare client", 2, None, bare));
        rows.push(row(all, "  times the bare client", 2, Some(LATENCY_RATIO), ratio));
    }
    rows
}

fn cost(all: &[&Figures]) -> Vec<Row> {
    let nodes = all.iter().any(|figures| figures.nodes > 0);
    let memory = MEMORY[usize::from(nodes)];
    let requests = |f: &Figures| f64::from(f.edits.requests.but_leases()) / f64::from(f.edits.count);
    let at_rest = |f: &Figures| a_minute(f.rest.requests.but_leases(), f.rest.seconds);
    let leases = |f: &Figures| a_minute(f.rest.requests.of_leases(), f.rest.seconds);
    let watches = |f: &Figures| a_minute(f.rest.requests.watches_opened(), f.rest.seconds);
    let resting = |f: &Figures| f.rest.processor_ms * 60.0 / f64::from(f.rest.seconds);
    vec![
        row(
            all,
            "requests for one edit but for the Lease",
            2,
            Some(REQUESTS),
            requests,
        ),
        row(
            all,
            "requests a minute at rest but for the Lease",
            1,
            Some(0.0),
            at_rest,
        ),
        row(all, "  for the Lease", 1, None, leases),
        row(all, "  watches opened a minute", 1, None, watches),
        row(all, "processor time for one edit, ms", 2, Some(PROCESSOR), |f| {
            for_one(&f.edits)
        }),
        row(all, "  of the bare client", 2, None, |f| for_one(&f.bare)),
        row(all, "processor time a minute at rest, ms", 1, None, resting),
        row(all, "resident memory, MB", 1, Some(memory), |f| {
            megabytes(f.rest.resident_kb)
        }),
        row(all, "  of that heap and stacks", 1, None, |f| {
            megabytes(f.rest.anonymous_kb)
        }),
        row(all, "  at most", 1, None, |f| megabytes(f.rest.peak_kb)),
        row(all, "  of the bare client", 1, None, |f| {
            megabytes(f.bare.resident_kb)
        }),
    ]
}

fn starts(all: &[&Figures]) -> Vec<Row> {
    let mut rows = vec![row(all, "start to Corefile, median, s", 3, Some(START), |f| {
        f.starts_s.median()
    })];
    if all.iter().any(|figures| figures.first_start_s.is_some()) {
        rows.push(row(all, "  the first, on an empty cluster", 3, None, |f| {
            f.first_start_s.unwrap_or(f64::NAN)
        }));
    }
    rows
}

fn heartbeats(all: &[&Figures]) -> Vec<Row> {
    let Some(beats) = all.first().and_then(|figures| figures.heartbeats.as_ref()) else {
        return Vec::new();
    };
    let requests = format!("requests while {} nodes report", beats.count);
    let processor = format!("processor time while {} nodes report, ms", beats.count);
    let of = |f: &Figures, value: fn(&Heartbeats) -> f64| f.heartbeats.as_ref().map_or(f64::NAN, value);
    vec![
        row(all, &requests, 0, None, |f| {
            of(f, |beats| beats.requests.count().into())
        }),
        row(all, &processor, 1, None, |f| of(f, |beats| beats.processor_ms)),
    ]
}

fn for_one(edits: &Edits) -> f64 {
    edits.processor_ms / f64::from(edits.count)
}

fn a_minute(count: u32, seconds: u32) -> f64 {
    f64::from(count) * 60.0 / f64::from(seconds)
}

/// Megabytes of a million bytes, from the kernel's kB of 1024.
pub fn megabytes(kilobytes: u32) -> f64 {
    f64::from(kilobytes) * 1024.0 / 1e6
}

/// Rows below a header, in columns.
pub fn lines(header: &[String], rows: &[Row]) -> String {
    let mut cells = vec![header.to_vec()];
    cells.extend(rows.iter().map(Row::cells));
    aligned(&cells)
}

impl Row {
    fn cells(&self) -> Vec<String> {
        let digits = self.digits;
        let mut cells = vec![self.label.clone()];
        cells.push(self.target.map(|most| format!("<= {most}")).unwrap_or_default());
        let shown = |value: &f64| {
            if value.is_nan() {
                "-".into()
            } else {
                format!("{value:.digits$}")
            }
        };
        cells.extend(self.values.iter().map(shown));
        if let [own, peer] = self.values[..] {
            let ratio = peer / own;
            cells.push(if ratio.is_finite() {
                format!("{ratio:.1}")
            } else {
                "-".into()
            });
        }
        // As it is printed: half a unit of the last digit is no miss.
        let shown: f64 = cells[2].parse().unwrap_or(f64::NAN);
        cells.push(match self.target {
            Some(most) if shown <= most => "met".into(),
            Some(_) => "MISSED".into(),
            None => String::new(),
        });
        cells
    }
}

/// Cells in columns: the first to the left, the others to the right.
pub fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
        })
        .collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            // Writing to a String cannot fail.
            let _ = match column {
                0 => write!(line, "{cell:width$}"),
                _ => write!(line, "  {cell:>width$}"),
            };
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// What the requests of a program were.
fn details(figures: &Figures) -> String {
    format!(
        "\nrequests of the {} for {} edits: {}\nrequests of the {} in {} s at rest: {}\n",
        figures.subject,
        figures.edits.count,
        parts(&figures.edits.requests),
        figures.subject,
        figures.rest.seconds,
        parts(&figures.rest.requests),
    )
}

/// Requests by kind, as a sentence.
pub fn parts(requests: &Requests) -> String {
    let all = requests.answered.iter().chain(&requests.watches);
    let parts: Vec<String> = all.map(|(what, count)| format!("{count} {what}")).collect();
    if parts.is_empty() {
        "none".into()
    } else {
        parts.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_tells_whether_the_target_is_met() {
        let row = |target, values: &[f64]| Row {
            label: "x".into(),
            digits: 2,
            target,
            values: values.to_vec(),
        };
        assert_eq!(row(Some(2.0), &[2.004]).cells(), ["x", "<= 2", "2.00", "met"]);
        assert_eq!(row(Some(1.3), &[1.4]).cells(), ["x", "<= 1.3", "1.40", "MISSED"]);
        assert_eq!(
            row(None, &[2.0, 42.0]).cells(),
            ["x", "", "2.00", "42.00", "21.0", ""]
        );
        assert_eq!(
            row(Some(0.0), &[0.0, 20.0]).cells(),
            ["x", "<= 0", "0.00", "20.00", "-", "met"]
        );
        assert_eq!(
            row(None, &[1.0, f64::NAN]).cells(),
            ["x", "", "1.00", "-", "-", ""]
        );
    }

    #[test]
    fn columns_line_up() {
        let rows = [vec!["a".into(), "10".into()], vec!["bcd".into(), "1".into()]];
        assert_eq!(aligned(&rows), "a    10\nbcd   1\n");
    }
}
