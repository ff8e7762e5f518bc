//! `dns-operator diff`: what a DNS would change, without changing it.

mod changes;
mod cluster;

use std::fmt;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use crate::candidate::{Candidate, CandidateError};
use crate::cli::{ClusterArgs, FileArgs};
use crate::dns::config::InvalidSpec;
use crate::dns::corefile::Templates;
use crate::dns::objects::{self, Desired};
use crate::documents::{DocumentError, Documents};
use crate::output::{Format, OutputError};
use crate::schema::SchemaError;

use changes::{Action, Changes};

/// What to compare, and how to tell.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// Where the new DNS is.
    #[command(flatten)]
    pub files: FileArgs,
    /// A file with the old DNS, instead of a cluster; may be given more than once.
    /// What else of the cluster the new files do not hold is taken from it.
    #[arg(long, value_name = "FILE")]
    pub old: Vec<PathBuf>,
    /// The cluster to compare with, without --old; the one the program runs in when
    /// not given.
    #[arg(long, value_name = "FILE", env = "KUBECONFIG")]
    pub kubeconfig: Option<PathBuf>,
    /// How to print it. JSON and YAML have `corefile`, a unified diff, missing when
    /// it stays; `objects`, each with `apiVersion`, `kind`, `namespace`, `name`,
    /// `action` (created, changed or deleted) and `fields` (`field`, `old`, `new`,
    /// and `drift` where the present DNS asks for the same); `restarts`, the
    /// DaemonSets whose pods are replaced; and `notes`.
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    pub output: Format,
    /// What is known of the cluster from outside.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

/// Why nothing was compared.
#[derive(Debug, thiserror::Error)]
pub enum DiffFailure {
    /// A file could not be read or is not what it should be.
    #[error(transparent)]
    Documents(#[from] DocumentError),
    /// The new DNS would not be put into force.
    #[error("{0}")]
    Refused(#[from] InvalidSpec),
    /// The old DNS would not be put into force.
    #[error("the old DNS: {0}")]
    Old(CandidateError),
    /// The cluster could not be read.
    #[error("{0:#}")]
    Cluster(anyhow::Error),
    /// It could not be printed.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A defect of the program.
    #[error("{0}")]
    Defect(String),
}

impl From<CandidateError> for DiffFailure {
    fn from(error: CandidateError) -> Self {
        match error {
            CandidateError::Documents(error) => error.into(),
            CandidateError::InvalidSpec(error) => error.into(),
            CandidateError::Schema(error) => error.into(),
        }
    }
}

impl From<SchemaError> for DiffFailure {
    fn from(error: SchemaError) -> Self {
        Self::Defect(error.to_string())
    }
}

fn defect(error: impl fmt::Display) -> DiffFailure {
    DiffFailure::Defect(error.to_string())
}

/// Compares and prints; whether there is a difference. What people should know of
/// the new DNS goes to `warnings`, a line each.
pub fn diff(args: &DiffArgs, output: &mut dyn Write, warnings: &mut dyn Write) -> Result<bool, DiffFailure> {
    let mut documents = Documents::read(&args.files.files)?;
    let changes = if args.old.is_empty() {
        for warning in &documents.warnings {
            writeln!(warnings, "warning: {}", warning.as_warning()).map_err(OutputError::from)?;
        }
        cluster::changes(&documents, args.kubeconfig.as_deref(), &args.cluster)?
    } else {
        let old = Documents::read(&args.old)?;
        documents.complete_from(&old);
        let new = Candidate::of(&documents, &args.cluster)?;
        for warning in &new.warnings {
            writeln!(warnings, "warning: {}", warning.as_warning()).map_err(OutputError::from)?;
        }
        let old = Candidate::of(&old, &args.cluster).map_err(DiffFailure::Old)?;
        between(&old, &new)?
    };
    args.output.print(&changes, output)?;
    Ok(!changes.is_empty())
}

/// What becomes of one DNS's objects under another.
fn between(old: &Candidate, new: &Candidate) -> Result<Changes, DiffFailure> {
    let (before, after) = (wanted(old)?, wanted(new)?);
    let live = |key: &objects::ObjectKey| {
        let known = before.iter().find(|object| object.key == *key);
        known.map(|object| object.value.clone())
    };
    let gone = before
        .iter()
        .map(|object| &object.key)
        .filter(|key| !after.iter().any(|object| object.key == **key));
    Ok(Changes::of(&after, live, gone.cloned(), &[]))
}

fn wanted(candidate: &Candidate) -> Result<Vec<Desired>, DiffFailure> {
    let Candidate { config, inputs, .. } = candidate;
    let corefile = Templates::new()
        .and_then(|templates| templates.render(config, inputs))
        .map_err(defect)?;
    objects::desired(config, Some(corefile), inputs, &[]).map_err(defect)
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(corefile) = &self.corefile {
            write!(f, "{corefile}")?;
        }
        for object in &self.objects {
            writeln!(f, "{} {}", object.action, object.key())?;
            // The diff above shows it.
            let shown = |field: &&changes::Field| !(object.is_corefile() && field.path == "data");
            for field in object.fields.iter().filter(shown) {
                writeln!(f, "  {field}")?;
            }
        }
        for restart in &self.restarts {
            writeln!(f, "{restart}")?;
        }
        let published = self.corefile.is_some()
            && (self.objects.iter()).any(|object| object.is_corefile() && object.action == Action::Changed);
        if published && self.restarts.is_empty() {
            writeln!(f, "running pods take the Corefile over without a restart")?;
        }
        for note in &self.notes {
            writeln!(f, "{note}")?;
        }
        if self.is_empty() {
            writeln!(f, "no difference")?;
        }
        Ok(())
    }
}
