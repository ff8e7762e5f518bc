//! A DNS from files, as it would come into force.

use std::path::PathBuf;

use crate::cli::ClusterArgs;
use crate::dns::config::{Config, Finding, InvalidSpec};
use crate::dns::inputs::Inputs;
use crate::documents::{DocumentError, Documents};
use crate::images::Images;
use crate::schema::{DnsSchema, SchemaError};

/// A checked DNS and the cluster around it.
pub struct Candidate {
    /// The specification.
    pub config: Config,
    /// The cluster's facts.
    pub inputs: Inputs,
    /// What people should know but need not stop for.
    pub warnings: Vec<Finding>,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum CandidateError {
    /// A file could not be read or is not what it should be.
    #[error(transparent)]
    Documents(#[from] DocumentError),
    /// The API server would not take the DNS, or the operator not put it into force.
    #[error(transparent)]
    InvalidSpec(#[from] InvalidSpec),
    /// A defect of the program.
    #[error(transparent)]
    Schema(#[from] SchemaError),
}

impl Candidate {
    /// Reads and checks the DNS of files; `-` is standard input.
    pub fn read(files: &[PathBuf], cluster: &ClusterArgs) -> Result<Self, CandidateError> {
        Self::of(&Documents::read(files)?, cluster)
    }

    /// Checks the DNS of documents.
    pub fn of(documents: &Documents, cluster: &ClusterArgs) -> Result<Self, CandidateError> {
        let admitted = DnsSchema::new()?.admit(documents.dns.clone())?;
        let inputs = documents.inputs(cluster, Images::from_env_or_placeholders());
        let config = Config::decode(&admitted.dns["spec"])?.for_cluster(&inputs)?;
        let mut warnings = documents.warnings.clone();
        warnings.extend(admitted.unknown_fields);
        warnings.extend(config.warnings(&inputs));
        warnings.extend(documents.missing_bundles(&config));
        Ok(Self {
            config,
            inputs,
            warnings,
        })
    }
}
