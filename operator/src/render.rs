//! `dns-operator render`: what the operator would keep for a DNS, from files
//! and without a cluster.

mod documents;

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::cli::{OutputFormat, RenderArgs};
use crate::difference::without_nulls;
use crate::dns::config::Config;
use crate::dns::corefile::Templates;
use crate::dns::inputs::Inputs;
use crate::dns::objects;
use crate::images::Images;
use crate::schema::DnsSchema;

use documents::Documents;

/// Why nothing was rendered. Each message stands on its own and ends the program
/// with 1.
#[derive(Debug, thiserror::Error)]
pub enum RenderFailure {
    /// A file could not be read or is not what it should be.
    #[error(transparent)]
    Documents(#[from] documents::DocumentError),
    /// The API server would not take the DNS.
    #[error("{}", .0.join("\n"))]
    NotAdmitted(Vec<String>),
    /// The operator would not put the DNS into force.
    #[error(transparent)]
    InvalidSpec(#[from] crate::dns::config::InvalidSpec),
    /// The output could not be written.
    #[error("failed to write the output: {0}")]
    Output(#[from] io::Error),
    /// A defect of the program.
    #[error("{0}")]
    Defect(String),
}

/// Reads, checks and renders; findings that do not stop it go to `warnings`, a
/// line each.
pub fn render(
    args: &RenderArgs,
    output: &mut dyn Write,
    warnings: &mut dyn Write,
) -> Result<(), RenderFailure> {
    let documents = Documents::read(&args.files)?;
    let schema = DnsSchema::new().map_err(defect)?;
    let admitted = schema
        .admit(documents.dns.clone())
        .map_err(RenderFailure::NotAdmitted)?;
    for warning in &documents.warnings {
        writeln!(warnings, "warning: {warning}")?;
    }
    for field in &admitted.unknown_fields {
        writeln!(
            warnings,
            "warning: {field}: the API server does not know this field and drops it"
        )?;
    }
    let inputs = documents.inputs(args, Images::from_env_or_placeholders());
    let config = Config::decode(&admitted.dns["spec"])?.for_cluster(&inputs)?;
    for finding in config.warnings(&inputs) {
        writeln!(warnings, "warning: {}", finding.as_warning())?;
    }
    for name in config
        .ca_bundles()
        .filter(|name| !inputs.ca_bundles.contains_key(*name))
    {
        writeln!(
            warnings,
            "warning: source ca bundle configmap {name} does not exist"
        )?;
    }
    let corefile = Templates::new()
        .and_then(|templates| templates.render(&config, &inputs))
        .map_err(defect)?;
    match args.output {
        OutputFormat::Corefile => output.write_all(corefile.as_bytes())?,
        OutputFormat::Json => {
            serde_json::to_writer_pretty(&mut *output, &list(&config, corefile, &inputs)?).map_err(defect)?;
            writeln!(output)?;
        }
        OutputFormat::Yaml => {
            output.write_all(to_yaml(&list(&config, corefile, &inputs)?)?.as_bytes())?;
        }
    }
    output.flush()?;
    Ok(())
}

/// A value as a YAML document.
pub fn to_yaml(value: &Value) -> Result<String, RenderFailure> {
    serde_saphyr::to_string(value).map_err(defect)
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

/// A value from a YAML document.
pub fn from_yaml(text: &str) -> Result<Value, RenderFailure> {
    serde_saphyr::from_str(text).map_err(defect)
}
