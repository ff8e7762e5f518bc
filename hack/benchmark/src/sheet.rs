//! The figures of one program in one situation, for people or for programs.

use std::io::{self, Write as _};

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::cli::OutputFormat;
use crate::table::{self, Row};

/// Figures with a title and what else is to be told.
#[derive(Debug, Serialize)]
pub struct Sheet {
    /// The situation.
    pub title: String,
    /// The program that the operator is compared with, if it is with one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<&'static str>,
    /// The figures.
    pub figures: Vec<Figure>,
    /// Sentences below them.
    pub notes: Vec<String>,
}

/// One figure.
#[derive(Debug, Serialize)]
pub struct Figure {
    /// What it is, with its unit.
    pub label: String,
    /// How much.
    pub value: f64,
    /// How much of the program that the operator is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<f64>,
    /// The most that is aimed at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<f64>,
    /// How many digits after the point are shown.
    #[serde(skip)]
    pub digits: usize,
}

/// A figure at which nothing is aimed.
pub fn figure(label: impl Into<String>, digits: usize, value: f64) -> Figure {
    Figure {
        label: label.into(),
        value,
        peer: None,
        target: None,
        digits,
    }
}

/// A count as a figure has it.
pub fn number(count: impl TryInto<u32>) -> f64 {
    count.try_into().map_or(f64::INFINITY, f64::from)
}

impl Figure {
    /// The same, with that of the program that the operator is compared with.
    pub fn beside(self, peer: f64) -> Self {
        Self {
            peer: Some(peer),
            ..self
        }
    }

    /// The same, with the most that is aimed at.
    pub fn at_most(self, target: f64) -> Self {
        Self {
            target: Some(target),
            ..self
        }
    }
}

impl Sheet {
    /// Prints it to standard output.
    pub fn print(&self, format: OutputFormat) -> Result<()> {
        let text = match format {
            OutputFormat::Table => self.text(),
            OutputFormat::Json => {
                let json = serde_json::to_string_pretty(self).context("failed to encode the figures")?;
                format!("{json}\n")
            }
        };
        io::stdout()
            .write_all(text.as_bytes())
            .context("failed to write to standard output")
    }

    fn text(&self) -> String {
        let rows: Vec<Row> = self
            .figures
            .iter()
            .map(|figure| Row {
                label: figure.label.clone(),
                digits: figure.digits,
                target: figure.target,
                values: match self.peer {
                    Some(_) => vec![figure.value, figure.peer.unwrap_or(f64::NAN)],
                    None => vec![figure.value],
                },
            })
            .collect();
        let mut header = vec!["", "target", "operator"];
        header.extend(self.peer.into_iter().flat_map(|peer| [peer, "ratio"]));
        header.push("");
        let header: Vec<String> = header.into_iter().map(String::from).collect();
        let mut text = format!("\n{}\n\n{}", self.title, table::lines(&header, &rows));
        for note in &self.notes {
            text.extend(["\n", note, "\n"]);
        }
        text
    }
}
