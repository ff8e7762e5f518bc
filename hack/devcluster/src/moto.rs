//! moto: a stand-in for AWS, with Route 53 among its services.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::children::{Launcher, Lifetime, Process, run, wait_until};
use crate::control_plane::free_port;
use crate::debian;
use crate::programs::cache_folder;
use crate::progress::Progress;

/// What every client must have in its environment: any key will do.
pub const ENVIRONMENT: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "example"),
    ("AWS_SECRET_ACCESS_KEY", "example"),
    ("AWS_REGION", "us-east-1"),
];

/// Calls AWS by boto3: `python3 -c CLIENT URL OPERATION ARGUMENTS`, the arguments as JSON.
const CLIENT: &str = "import boto3, json, sys
client = boto3.client('route53', endpoint_url=sys.argv[1], region_name='us-east-1')
answer = getattr(client, sys.argv[2])(**json.loads(sys.argv[3]))
print(json.dumps(answer, default=str))";

/// A running moto, without zones. Dropping it ends it.
#[derive(Debug)]
pub struct Moto {
    process: Process,
    listen: SocketAddr,
    packages: PathBuf,
}

impl Moto {
    /// Starts it at a free port of loopback, and waits until it answers. Its log lies in
    /// `folder`; it ends with this process.
    pub async fn start(folder: &Path) -> Result<Self> {
        let packages = packages(&Progress::shown())?;
        let listen: SocketAddr = (Ipv4Addr::LOCALHOST, free_port()?).into();
        let launcher = Launcher::new(folder, Lifetime::Process)?;
        let mut command = python(&packages)?;
        command.args(["-m", "moto.server", "-H", &listen.ip().to_string(), "-p"]);
        command.arg(listen.port().to_string());
        let process = launcher.start("moto", &command)?;
        let mut moto = Self {
            process,
            listen,
            packages,
        };
        wait_until(
            "moto",
            Duration::from_secs(60),
            &mut [&mut moto.process],
            async || TcpStream::connect(listen).map(drop).context("connecting"),
        )
        .await?;
        Ok(moto)
    }

    /// Where it listens.
    #[must_use]
    pub fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// Where clients find it: `AWS_ENDPOINT_URL`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.listen)
    }

    /// Calls an operation of Route 53, such as `list_hosted_zones`, as another client: boto3
    /// by its names, at this or another address.
    pub fn call(&self, url: &str, operation: &str, arguments: &Value) -> Result<Value> {
        let mut command = python(&self.packages)?;
        command.args(["-c", CLIENT, url, operation, &arguments.to_string()]);
        let answer = run(command.envs(ENVIRONMENT))?;
        serde_json::from_str(&answer).with_context(|| format!("reading what {operation} answers"))
    }
}

fn python(packages: &Path) -> Result<Command> {
    let program = debian::find("python3").ok_or_else(|| anyhow!("python3 is not installed"))?;
    let mut command = Command::new(program);
    command
        .env("PYTHONPATH", packages)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    Ok(command)
}

/// Where moto and what it needs lie, after installing them if they are not there yet.
fn packages(progress: &Progress) -> Result<PathBuf> {
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools/moto/requirements.txt");
    let text = fs::read(&requirements).with_context(|| format!("reading {}", requirements.display()))?;
    let digest = format!("{:x}", Sha256::digest(&text));
    let cache = cache_folder()?.join("python");
    let folder = cache.join(format!("moto-{}", &digest[..12]));
    debian::provide(&debian::PYTHON, progress)?;
    if folder.exists() {
        return Ok(folder);
    }
    fs::create_dir_all(&cache).with_context(|| format!("making {}", cache.display()))?;
    let lock = File::create(cache.join(".lock")).context("opening a lock")?;
    lock.lock().context("waiting for another installation")?;
    // Whoever held the lock may have installed it.
    if folder.exists() {
        return Ok(folder);
    }
    progress.say("installing moto (some minutes when this is the first time)");
    let fresh = tempfile::tempdir_in(&cache).context("making a folder to install in")?;
    let mut command = python(Path::new(""))?;
    command
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args([
            "--no-deps",
            "--require-hashes",
            "--only-binary=:all:",
            "--requirement",
        ])
        .arg(&requirements)
        .arg("--target")
        .arg(fresh.path().join("packages"));
    run(&mut command).context("installing moto")?;
    fs::rename(fresh.path().join("packages"), &folder)
        .with_context(|| format!("moving to {}", folder.display()))?;
    Ok(folder)
}
