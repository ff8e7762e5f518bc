//! The operator itself: built by cargo, and put into an image.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, bail};
use sha2::{Digest, Sha256};

use crate::images::Image;
use crate::progress::Progress;

/// The program that people start.
const NAME: &str = "dns-operator";
/// What it becomes for external records; it lies beside it.
const RECORDS: &str = "dns-operator-records";

/// Builds the operator for release and returns where it lies, with what it becomes for external
/// records beside it. It is linked statically, so that its image needs nothing else, and the
/// same build serves as a process.
pub fn build(progress: &Progress) -> Result<PathBuf> {
    progress.say("building the operator");
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--release", "--package", "operator", "--bins"]);
    command.arg("--message-format=json-render-diagnostics");
    // Naming the target keeps the flag away from build scripts and macros.
    command
        .arg("--target")
        .arg(format!("{}-unknown-linux-gnu", std::env::consts::ARCH));
    command.env("RUSTFLAGS", "-C target-feature=+crt-static");
    // Cargo tells the program it runs what package that is. Build scripts (ring's) take
    // another package there for a reason to build everything again.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    let output = command
        .current_dir(workspace)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("running cargo to build the operator")?;
    if !output.status.success() {
        bail!("building the operator ended with {}", output.status);
    }
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .find(|program| program.ends_with(NAME))
        .ok_or_else(|| anyhow!("cargo did not say where the operator lies"))
}

/// The operator's image, with the program of external records if that lies beside the
/// operator. Its tag is taken from its content, so that a changed operator is rolled out.
pub fn image(program: &Path) -> Result<Image> {
    let beside = program.with_file_name(RECORDS);
    let mut files = vec![(program.to_owned(), format!("/usr/bin/{NAME}"))];
    if beside.is_file() {
        files.push((beside, format!("/usr/bin/{RECORDS}")));
    }
    let mut digest = Sha256::new();
    for (path, _) in &files {
        digest.update(fs::read(path).with_context(|| format!("reading {}", path.display()))?);
    }
    let digest = format!("{:x}", digest.finalize());
    Ok(Image {
        name: format!("localhost/dns-operator:{}", &digest[..12]),
        entrypoint: vec![format!("/usr/bin/{NAME}")],
        files,
    })
}
