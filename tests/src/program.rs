//! The program under test.

use std::env;
use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, ensure};

/// The images the tests run the operator with.
pub const IMAGES: [(&str, &str); 3] = [
    ("IMAGE", "quay.io/test/coredns:v1"),
    ("OPENSHIFT_CLI_IMAGE", "quay.io/test/cli:v1"),
    ("KUBE_RBAC_PROXY_IMAGE", "quay.io/test/kube-rbac-proxy:v1"),
];

/// The workspace's root folder.
#[must_use]
pub fn workspace() -> &'static Path {
    // The crate is a folder of the workspace, so it has a parent.
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."))
}

/// The `dns-operator` program, built from the workspace on first use.
pub fn path() -> Result<&'static Path> {
    static PROGRAM: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    match PROGRAM.get_or_init(|| build().map_err(|error| format!("{error:#}"))) {
        Ok(path) => Ok(path),
        Err(error) => anyhow::bail!("{error}"),
    }
}

fn build() -> Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // What cargo tells a test of itself would make it build libraries anew.
    for (name, _) in env::vars_os().filter(|(name, _)| tells_of_package(name)) {
        command.env_remove(name);
    }
    let status = command
        .args(["build", "--package", "operator"])
        .current_dir(workspace())
        .status()
        .context("failed to start cargo")?;
    ensure!(status.success(), "failed to build the operator");
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from);
    Ok(target.join("debug").join("dns-operator"))
}

fn tells_of_package(variable: &OsStr) -> bool {
    let name = variable.to_string_lossy();
    name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
}

/// What a run of the program came to.
#[derive(Debug)]
pub struct Output {
    /// The exit code.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// Runs a command of the program with the tests' images.
pub fn run(arguments: &[&str], input: &str) -> Result<Output> {
    let mut child = Command::new(path()?)
        .args(arguments)
        .envs(IMAGES)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("failed to start dns-operator")?;
    if let Some(mut stdin) = child.stdin.take() {
        // The program may end without reading all of it.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child
        .wait_with_output()
        .context("failed to wait for dns-operator")?;
    Ok(Output {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).context("standard output is not UTF-8")?,
        stderr: String::from_utf8(output.stderr).context("standard error is not UTF-8")?,
    })
}
