//! `dns-operator render`: what the operator would keep for a DNS, from files
//! and without a cluster.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::candidate::{Candidate, CandidateError};
use crate::cli::{OutputFormat, RenderArgs};
use crate::difference::without_nulls;
use crate::dns::config::Config;
use crate::dns::corefile::Templates;
use crate::dns::inputs::Inputs;
use crate::dns::objects;
use crate::output::{OutputError, to_json, to_yaml};

/// Why nothing was rendered. Each message stands on its own and ends the program
/// with 1.
#[derive(Debug, thiserror::Error)]
pub enum RenderFailure {
    /// There is no DNS to render.
    #[error(transparent)]
    Candidate(#[from] CandidateError),
    /// The output could not be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A defect of the program.
    #[error("{0}")]
    Defect(String),
}

impl From<io::Error> for RenderFailure {
    fn from(error: io::Error) -> Self {
        OutputError::from(error).into()
    }
}

/// Reads, checks and renders; findings that do not stop it go to `warnings`, a
/// line each.
pub fn render(
    args: &RenderArgs,
    output: &mut dyn Write,
    warnings: &mut dyn Write,
) -> Result<(), RenderFailure> {
    let candidate = Candidate::read(&args.files.files, &args.cluster)?;
    for warning in &candidate.warnings {
        writeln!(warnings, "warning: {}", warning.as_warning())?;
    }
    let Candidate { config, inputs, .. } = candidate;
    let corefile = Templates::new()
        .and_then(|templates| templates.render(&config, &inputs))
        .map_err(defect)?;
    let text = match args.output {
        OutputFormat::Corefile => corefile,
        OutputFormat::Json => to_json(&list(&config, corefile, &inputs)?)?,
        OutputFormat::Yaml => to_yaml(&list(&config, corefile, &inputs)?)?,
    };
    output.write_all(text.as_bytes())?;
    output.flush()?;
    Ok(())
}

fn list(config: &Config, corefile: String, inputs: &Inputs) -> Result<Value, RenderFailure> {
    let objects = objects::desired(config, Some(corefile), inputs, &[]).map_err(defect)?;
    let items: Vec<Value> = objects
        .iter()
        .map(|object| without_nulls(&object.value))
        .collect();
    Ok(json!({ "apiVersion": "v1", "kind": "List", "items": items }))
}

fn defect(error: impl std::fmt::Display) -> RenderFailure {
    RenderFailure::Defect(error.to_string())
}
