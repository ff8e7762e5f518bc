//! `dns-operator check`: everything that can be said against a DNS before it is
//! applied.

mod warnings;

use std::fmt;
use std::io::Write;

use clap::Args;
use serde::Serialize;

use crate::cli::{ClusterArgs, FileArgs};
use crate::dns::config::{Config, Finding};
use crate::documents::{DocumentError, Documents};
use crate::images::Images;
use crate::output::{Format, OutputError};
use crate::schema::{DnsSchema, SchemaError};

/// What to check, and how to tell.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Where the DNS is.
    #[command(flatten)]
    pub files: FileArgs,
    /// How to print the findings. JSON and YAML have `errors` and `warnings`, the
    /// numbers of both; `findings`, each with `severity` (error or warning), `field`,
    /// `value` (as JSON, missing where a field is) and `message`; and `notChecked`,
    /// what the files do not tell.
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    pub output: Format,
    /// Exit with 1 on warnings too.
    #[arg(long)]
    pub strict: bool,
    /// What is known of the cluster from outside.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

/// Why nothing was checked.
#[derive(Debug, thiserror::Error)]
pub enum CheckFailure {
    /// A file could not be read or is not what it should be.
    #[error(transparent)]
    Documents(#[from] DocumentError),
    /// It could not be printed.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A defect of the program.
    #[error(transparent)]
    Schema(#[from] SchemaError),
}

/// Everything found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// How many of the findings are errors.
    pub errors: usize,
    /// How many are warnings.
    pub warnings: usize,
    /// The findings, errors first.
    pub findings: Vec<Judged>,
    /// What the files do not tell.
    pub not_checked: Vec<String>,
}

/// A finding and what comes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Judged {
    /// What comes of it.
    pub severity: Severity,
    /// Where, what and why.
    #[serde(flatten)]
    pub finding: Finding,
}

/// What comes of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The DNS is not put into force.
    Error,
    /// It is, but may not do what is meant.
    Warning,
}

/// Checks the DNS of files and prints what was found; whether it passes.
pub fn check(args: &CheckArgs, output: &mut dyn Write) -> Result<bool, CheckFailure> {
    let documents = Documents::read(&args.files.files)?;
    let report = Report::of(&documents, &args.cluster)?;
    args.output.print(&report, output)?;
    Ok(report.errors == 0 && !(args.strict && report.warnings > 0))
}

impl Report {
    /// Everything there is to say about a DNS.
    pub fn of(documents: &Documents, cluster: &ClusterArgs) -> Result<Self, SchemaError> {
        let (admitted, mut errors) = DnsSchema::new()?.look_at(documents.dns.clone());
        let mut warnings = documents.warnings.clone();
        warnings.extend(admitted.unknown_fields);
        let mut not_checked = Vec::new();
        let inputs = documents.inputs(cluster, Images::from_env_or_placeholders());
        let config = Config::decode(&admitted.dns["spec"]);
        match config.and_then(|config| config.for_cluster(&inputs)) {
            Ok(config) => {
                let mut asked = warnings::Asked {
                    spec: &admitted.dns["spec"],
                    config: &config,
                    inputs: &inputs,
                    documents,
                    findings: Vec::new(),
                };
                asked.look();
                warnings.append(&mut asked.findings);
                not_checked = asked.not_checked();
            }
            // What the API server has against a field is enough.
            Err(invalid) => {
                let known: Vec<String> = errors.iter().map(|error| error.field.clone()).collect();
                let others = invalid.findings.into_iter();
                errors.extend(others.filter(|finding| !known.contains(&finding.field)));
                not_checked.push("what is only a warning, beside unknown fields: there are errors".into());
            }
        }
        let judged = |severity| move |finding| Judged { severity, finding };
        Ok(Self {
            errors: errors.len(),
            warnings: warnings.len(),
            findings: (errors.into_iter().map(judged(Severity::Error)))
                .chain(warnings.into_iter().map(judged(Severity::Warning)))
                .collect(),
            not_checked,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (severity, heading) in [(Severity::Error, "errors"), (Severity::Warning, "warnings")] {
            let findings = self.findings.iter().filter(|judged| judged.severity == severity);
            for (number, Judged { finding, .. }) in findings.enumerate() {
                if number == 0 {
                    writeln!(f, "{heading}")?;
                }
                match severity {
                    Severity::Error => writeln!(f, "  {finding}")?,
                    Severity::Warning => writeln!(f, "  {}", finding.as_warning())?,
                }
            }
        }
        for (number, what) in self.not_checked.iter().enumerate() {
            let heading = if number == 0 { "not checked\n" } else { "" };
            writeln!(f, "{heading}  {what}")?;
        }
        let counted = |count, what| match count {
            1 => format!("1 {what}"),
            count => format!("{count} {what}s"),
        };
        writeln!(
            f,
            "{}, {}",
            counted(self.errors, "error"),
            counted(self.warnings, "warning")
        )
    }
}
