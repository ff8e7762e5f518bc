//! Writes the code of the remote provider's protocols from their .proto files. A compiler
//! in Rust reads them, so that nobody needs protoc.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Parser;

/// Write the code of the remote provider's protocols.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where to write it.
    #[arg(long, value_name = "DIR", default_value = "remote/src/generated")]
    dir: PathBuf,
}

const SOURCES: &str = "remote/proto";
const FILES: [&str; 2] = ["remote.proto", "records/remote/v2/zones.proto"];

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    fs::create_dir_all(&arguments.dir)
        .with_context(|| format!("failed to create {}", arguments.dir.display()))?;
    let files = protox::compile(FILES, [SOURCES]).context("failed to read the .proto files")?;
    tonic_prost_build::configure()
        .out_dir(&arguments.dir)
        // Records and zones come in maps whose order is then the same everywhere.
        .btree_map(".")
        .compile_fds(files)
        .context("failed to write the code")
}
