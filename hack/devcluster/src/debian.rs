//! Programs that come from Debian packages.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail};

use crate::children::run;
use crate::progress::Progress;

/// A file that must be there, and the package that has it.
#[derive(Debug, Clone, Copy)]
pub struct Need {
    program: &'static str,
    package: &'static str,
}

const fn need(program: &'static str, package: &'static str) -> Need {
    Need { program, package }
}

/// What a node needs.
pub const NODE: [Need; 7] = [
    // One built without libseccomp refuses every pod.
    need("runc", "runc"),
    need("nft", "nftables"),
    need("conntrack", "conntrack"),
    need("ip", "iproute2"),
    need("dig", "bind9-dnsutils"),
    KNOT[0],
    KNOT[1],
];

/// What a DNS server that counts its queries needs.
pub const KNOT: [Need; 2] = [need("knotd", "knot"), need("dnstap.so", "knot-module-dnstap")];

/// What a DNS server of another make needs.
pub const BIND: [Need; 1] = [need("named", "bind9")];

/// What programs of Python, and their installation, need.
pub const PYTHON: [Need; 2] = [need("python3", "python3"), need("pip3", "python3-pip")];

/// One installation at a time; others that want the same find it done.
static INSTALLING: Mutex<()> = Mutex::new(());

/// Installs what is missing, or says what is missing if that takes root.
pub fn provide(needs: &[Need], progress: &Progress) -> Result<()> {
    let _turn = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let missing: Vec<&Need> = needs.iter().filter(|need| find(need.program).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    let list = packages.join(" ");
    if !rustix::process::geteuid().is_root() {
        bail!("these Debian packages are missing and installing them takes root: {list}");
    }
    progress.say(format!("installing Debian packages: {list}"));
    let _guard = NoServices::new()?;
    let install = || {
        let mut command = Command::new("apt-get");
        command
            // Another program may be installing something.
            .args([
                "install",
                "--yes",
                "--no-install-recommends",
                "--option=DPkg::Lock::Timeout=300",
            ])
            .args(&packages);
        run(command
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("RUNLEVEL", "1"))
    };
    if install().is_err() {
        // The package lists may be old, or not there at all.
        run(Command::new("apt-get").arg("update"))?;
        install()?;
    }
    if let Some(need) = missing.iter().find(|need| find(need.program).is_none()) {
        bail!(
            "the Debian package {} was installed and {} is not there",
            need.package,
            need.program
        );
    }
    Ok(())
}

/// Where a program or a module of Knot lies.
#[must_use]
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let modules =
        Path::new("/usr/lib").join(format!("{}-linux-gnu/knot/modules-3.2", std::env::consts::ARCH));
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin", "/usr/bin"].map(PathBuf::from))
        .chain([modules])
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

/// Keeps Debian's packages from starting their services while it lives.
struct NoServices {
    made: Option<PathBuf>,
}

impl NoServices {
    fn new() -> Result<Self> {
        let path = PathBuf::from("/usr/sbin/policy-rc.d");
        if path.exists() {
            return Ok(Self { made: None });
        }
        fs::write(&path, "#!/bin/sh\nexit 101\n").with_context(|| format!("writing {}", path.display()))?;
        let guard = Self {
            made: Some(path.clone()),
        };
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
            .with_context(|| format!("making {} executable", path.display()))?;
        Ok(guard)
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if let Some(path) = &self.made {
            let _ = fs::remove_file(path);
        }
    }
}
