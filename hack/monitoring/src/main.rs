//! The program that `hack/generate` runs.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;
use monitoring::Source;

/// Makes the alerts and the dashboard from manifests/monitoring/source.yaml.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    /// The folder with monitoring/source.yaml.
    #[arg(long, value_name = "DIR", default_value = "manifests")]
    manifests: PathBuf,
    /// Where the files go; beside the source when not given.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    let folder = cli.dir.as_ref().unwrap_or(&cli.manifests);
    for (file, text) in monitoring::files(&Source::read(&cli.manifests)?)? {
        let path = folder.join(file);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
        }
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}
