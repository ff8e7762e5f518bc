//! The CoreDNS program itself, one at a time in a [`Room`]: whether it loads a
//! Corefile of the operator, and a place to ask it questions.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use devcluster::children::{Launcher, Process};
use devcluster::control_plane::free_port;
use hickory_proto::op::{Message, Query};
use hickory_proto::rr::{DNSClass, Name, RecordType};
use operator::dns::ca_bundle::BUNDLES_FOLDER;
use operator::dns::corefile::PORT;

/// How long a CoreDNS may take to answer or to give up: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long to wait before looking again, and for an answer on loopback.
const PAUSE: Duration = Duration::from_millis(5);
const RESOLV_CONF: &str = "/etc/resolv.conf";
/// The name that every Corefile of the operator answers for.
const ANSWERED: &str = "hostname.bind.";

/// What CoreDNS made of a Corefile.
#[derive(Debug)]
pub enum Outcome {
    /// It loaded it and answers.
    Serves(Serving),
    /// It ended, with the end of what it said.
    Refuses(String),
}

/// A CoreDNS that answers. Dropping it ends it.
#[derive(Debug)]
pub struct Serving {
    /// Where it listens.
    pub address: SocketAddr,
    process: Process,
}

impl Serving {
    /// An error with the end of its log if it has ended.
    pub fn check(&mut self) -> Result<()> {
        self.process.check()
    }
}

/// Ports and files for one CoreDNS at a time. Several rooms are used at once.
#[derive(Debug)]
pub struct Room {
    program: PathBuf,
    launcher: Launcher,
    name: String,
    folder: PathBuf,
    /// Of DNS, metrics, health and readiness.
    ports: [u16; 4],
}

impl Room {
    /// A room below the launcher's state folder. Only one may have the name.
    pub fn new(program: &Path, launcher: &Launcher, name: &str) -> Result<Self> {
        let folder = launcher.state().join(name);
        fs::create_dir_all(&folder).with_context(|| format!("failed to make {}", folder.display()))?;
        let resolv_conf = folder.join("resolv.conf");
        fs::write(&resolv_conf, "nameserver 192.0.2.53\n")
            .with_context(|| format!("failed to write {}", resolv_conf.display()))?;
        Ok(Self {
            program: program.to_owned(),
            launcher: launcher.clone(),
            name: name.to_owned(),
            folder,
            ports: [free_port()?, free_port()?, free_port()?, free_port()?],
        })
    }

    /// Where the metrics are served.
    #[must_use]
    pub fn metrics(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.ports[1]).into()
    }

    /// The Corefile that CoreDNS reads.
    #[must_use]
    pub fn corefile(&self) -> PathBuf {
        self.folder.join("Corefile")
    }

    /// Starts CoreDNS with a Corefile of the operator and waits until it answers or
    /// ends. `bundles` are the contents of the CA bundles by their paths in it.
    pub fn start(&self, corefile: &str, bundles: &BTreeMap<String, String>) -> Result<Outcome> {
        for (path, content) in bundles {
            self.write(Path::new(&self.local_path(path)), content)?;
        }
        let path = self.corefile();
        self.write(&path, &self.localized(corefile))?;
        let log = self
            .launcher
            .state()
            .join("log")
            .join(format!("{}.log", self.name));
        if let Err(error) = fs::remove_file(&log)
            && error.kind() != ErrorKind::NotFound
        {
            return Err(error).with_context(|| format!("failed to remove {}", log.display()));
        }
        let mut command = Command::new(&self.program);
        // The port of zones that name none, which no Corefile of ours has.
        let port = self.ports[0].to_string();
        command
            .arg("-conf")
            .arg(&path)
            .args(["-dns.port", &port])
            .current_dir(&self.folder);
        self.wait(self.launcher.start(&self.name, &command)?)
    }

    fn wait(&self, mut process: Process) -> Result<Outcome> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.ports[0]));
        let deadline = Instant::now() + PATIENCE;
        loop {
            if process.check().is_err() {
                return Ok(Outcome::Refuses(process.log_tail()));
            }
            if answers(address)? {
                return Ok(Outcome::Serves(Serving { address, process }));
            }
            if Instant::now() > deadline {
                let log = process.log_tail();
                bail!(
                    "CoreDNS neither answered nor ended within {} s; its log ends with:\n{log}",
                    PATIENCE.as_secs()
                );
            }
        }
    }

    /// The Corefile with every listener on loopback and a port of the room's own, the
    /// files in its folder, and an API server that need not be there.
    fn localized(&self, corefile: &str) -> String {
        let [_, metrics, health, readiness] =
            self.ports.map(|port| format!("{}:{port}", Ipv4Addr::LOCALHOST));
        let header = format!(":{PORT} {{");
        let mut text = String::with_capacity(corefile.len() + 512);
        for line in corefile.split_inclusive('\n') {
            let line = match line {
                "    prometheus 127.0.0.1:9153\n" => format!("    prometheus {metrics}\n"),
                "    health {\n" => format!("    health {health} {{\n"),
                "    ready\n" => format!("    ready {readiness}\n"),
                line if line.starts_with("    kubernetes ") && line.ends_with(" {\n") => {
                    format!("{line}        endpoint http://127.0.0.1:1\n        startup_timeout 1ms\n")
                }
                line if line.trim_end().ends_with(&header) && !line.starts_with(['#', ' ']) => {
                    let header = line.replace(&format!(":{PORT} "), &format!(":{} ", self.ports[0]));
                    format!("{header}    bind {}\n", Ipv4Addr::LOCALHOST)
                }
                line => line.to_owned(),
            };
            text.push_str(&line);
        }
        let resolv_conf = self.folder.join("resolv.conf");
        text.replace(BUNDLES_FOLDER, &self.local_path(BUNDLES_FOLDER))
            .replace(RESOLV_CONF, &resolv_conf.display().to_string())
    }

    /// Where a file of the pods is here: below the room's folder, whatever the name.
    fn local_path(&self, path: &str) -> String {
        let below = path.strip_prefix(BUNDLES_FOLDER).unwrap_or(path);
        format!("{}/pki/{below}", self.folder.display())
    }

    fn write(&self, path: &Path, content: &str) -> Result<()> {
        let folder = path.parent().unwrap_or(&self.folder);
        fs::create_dir_all(folder).with_context(|| format!("failed to make {}", folder.display()))?;
        fs::write(path, content).with_context(|| format!("failed to write {}", path.display()))
    }
}

/// Whether a server answers, whatever it says.
fn answers(server: SocketAddr) -> Result<bool> {
    let mut query = Query::query(Name::from_ascii(ANSWERED)?, RecordType::TXT);
    query.set_query_class(DNSClass::CH);
    let mut message = Message::query();
    message.add_query(query);
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).context("failed to open a socket")?;
    socket
        .set_read_timeout(Some(PAUSE))
        .context("failed to set a limit to a socket")?;
    socket.connect(server).context("failed to set a socket's peer")?;
    // Nobody listens yet: the kernel says so at once, to the sender or to the reader.
    let answered = socket.send(&message.to_vec()?).is_ok() && socket.recv(&mut [0; 512]).is_ok();
    if !answered {
        thread::sleep(PAUSE);
    }
    Ok(answered)
}
