//! Knot DNS: the upstream resolver of tests, which tells what it was asked.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

pub use crate::dnstap::Query;

use crate::children::{Launcher, Lifetime, Process, run, wait_until};
use crate::debian;
use crate::dnstap::Tap;
use crate::progress::Progress;

/// The end of the names that this module asks for itself.
const MARKER: &str = ".marker.invalid.";

/// A zone and what is in it.
#[derive(Debug, Clone)]
pub struct Zone {
    /// Its name, such as `example.test`.
    pub name: String,
    /// How long resolvers may keep that a name is not there, in seconds: the SOA record's minimum and TTL.
    pub negative_ttl: u32,
    /// Lines of a zone file, such as `www 300 A 192.0.2.1`; names without a dot at the end are below the zone.
    pub records: Vec<String>,
}

impl Zone {
    /// An example to look at: `www.example.test`.
    #[must_use]
    pub fn example() -> Self {
        Self {
            name: "example.test".into(),
            negative_ttl: 300,
            records: [
                "www 300 A 192.0.2.1",
                "www 300 AAAA 2001:db8::1",
                "@ 300 TXT \"from the upstream resolver\"",
            ]
            .map(String::from)
            .to_vec(),
        }
    }

    fn text(&self, serial: u32) -> String {
        let negative = self.negative_ttl;
        let mut text = format!("$ORIGIN {}.\n", self.name.trim_end_matches('.'));
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "@ {negative} SOA ns hostmaster {serial} 3600 600 86400 {negative}"
        );
        text.push_str("@ 3600 NS ns\nns 3600 A 192.0.2.53\n");
        for record in &self.records {
            text.push_str(record);
            text.push('\n');
        }
        text
    }
}

/// A running Knot. Dropping it ends it.
#[derive(Debug)]
pub struct Knot {
    process: Process,
    tap: Tap,
    launcher: Launcher,
    folder: PathBuf,
    listen: SocketAddr,
    zones: Vec<String>,
    serial: u32,
    markers: AtomicU32,
}

impl Knot {
    /// Starts Knot on an address, as root or not, and waits until it answers. Its files lie in
    /// `folder`; it ends with this process. `knotd` must be installed if this is not root.
    pub async fn start(folder: &Path, listen: SocketAddr, zones: &[Zone]) -> Result<Self> {
        debian::provide(&debian::KNOT, &Progress::shown())?;
        Self::start_with(&Launcher::new(folder, Lifetime::Process)?, listen, zones).await
    }

    /// Starts Knot as part of a cluster.
    pub async fn start_with(launcher: &Launcher, listen: SocketAddr, zones: &[Zone]) -> Result<Self> {
        let folder = launcher.state().join("knot");
        fs::create_dir_all(folder.join("zones")).with_context(|| format!("making {}", folder.display()))?;
        let names: Vec<String> = zones.iter().map(|zone| zone.name.clone()).collect();
        write_config(&folder, listen, &names)?;
        for zone in zones {
            write_zone(&folder, zone, 1)?;
        }
        let program = debian::find("knotd").ok_or_else(|| anyhow!("knotd is not installed"))?;
        let mut command = Command::new(program);
        command.arg("--config").arg(folder.join("knot.conf"));
        // Knot looks for the socket when it starts, and then every few seconds only.
        let tap = Tap::listen(&folder.join("queries.sock"))?;
        let process = launcher.start("knot", &command)?;
        let mut knot = Self {
            process,
            tap,
            launcher: launcher.clone(),
            folder,
            listen,
            zones: names,
            serial: 1,
            markers: AtomicU32::new(0),
        };
        knot.wait().await?;
        Ok(knot)
    }

    async fn wait(&mut self) -> Result<()> {
        let (launcher, folder) = (self.launcher.clone(), self.folder.clone());
        wait_until(
            "Knot",
            Duration::from_secs(20),
            &mut [&mut self.process],
            async || control(&launcher, &folder, &["status"]).map(drop),
        )
        .await
    }

    /// The address it listens on.
    #[must_use]
    pub fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// Puts a zone in place of the one of that name, or adds it.
    pub fn set_zone(&mut self, zone: &Zone) -> Result<()> {
        self.serial += 1;
        write_zone(&self.folder, zone, self.serial)?;
        if self.zones.contains(&zone.name) {
            control(
                &self.launcher,
                &self.folder,
                &["--blocking", "zone-reload", &zone.name],
            )?;
        } else {
            self.zones.push(zone.name.clone());
            write_config(&self.folder, self.listen, &self.zones)?;
            control(&self.launcher, &self.folder, &["--blocking", "reload"])?;
        }
        Ok(())
    }

    /// Every query that Knot has told of so far, oldest first. It tells some seconds late:
    /// [`Knot::settled_queries`] waits for it.
    #[must_use]
    pub fn queries(&self) -> Vec<Query> {
        let mut queries = self.tap.queries();
        queries.retain(|query| !query.name.ends_with(MARKER));
        queries.sort_by_key(|query| query.at);
        queries
    }

    /// Every query that came before this call, oldest first. It takes some seconds.
    pub async fn settled_queries(&self) -> Result<Vec<Query>> {
        // Knot tells of what came by one transport in the order in which it came, so a marker by
        // each, told of, means that everything before has been told of.
        let number = self.markers.fetch_add(1, Ordering::Relaxed);
        let name = format!("{number}{MARKER}");
        mark(self.listen, name.trim_end_matches('.')).context("asking Knot for a marker")?;
        let deadline = Instant::now() + Duration::from_secs(20);
        while self
            .tap
            .queries()
            .iter()
            .filter(|query| query.name == name)
            .count()
            < 2
        {
            if Instant::now() > deadline {
                bail!(
                    "Knot has not told of its queries for 20 s; its log ends with:\n{}",
                    self.process.log_tail()
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(self.queries())
    }

    /// How often a name was asked for with a type, by number, so far: see [`Knot::queries`].
    #[must_use]
    pub fn query_count(&self, name: &str, qtype: u16) -> usize {
        let name = format!("{}.", name.trim_end_matches('.').to_ascii_lowercase());
        self.queries()
            .iter()
            .filter(|query| query.name == name && query.qtype == qtype)
            .count()
    }

    /// Leaves it running after this value is dropped.
    pub fn keep(&mut self) {
        self.process.keep();
    }
}

/// Asks for a name once by UDP and once by TCP.
fn mark(server: SocketAddr, name: &str) -> std::io::Result<()> {
    const PATIENCE: Duration = Duration::from_secs(5);
    // A header with one question, and the question: the labels, their end, type A, class IN.
    let mut message = vec![0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        message.push(u8::try_from(label.len()).map_err(std::io::Error::other)?);
        message.extend(label.as_bytes());
    }
    message.extend([0, 0, 1, 0, 1]);
    let unspecified: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((unspecified, 0))?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.connect(server)?;
    socket.send(&message)?;
    socket.recv(&mut [0; 512])?;
    let mut stream = TcpStream::connect_timeout(&server, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let length = u16::try_from(message.len()).map_err(std::io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes()[..], &message].concat())?;
    stream.read_exact(&mut [0; 2])
}

fn control(launcher: &Launcher, folder: &Path, arguments: &[&str]) -> Result<String> {
    let program = debian::find("knotc").ok_or_else(|| anyhow!("knotc is not installed"))?;
    run(launcher
        .command(program)
        .arg("--socket")
        .arg(folder.join("knot.sock"))
        .args(arguments))
}

fn write_zone(folder: &Path, zone: &Zone, serial: u32) -> Result<()> {
    let path = folder
        .join("zones")
        .join(format!("{}.zone", zone.name.trim_end_matches('.')));
    fs::write(&path, zone.text(serial)).with_context(|| format!("writing {}", path.display()))
}

fn write_config(folder: &Path, listen: SocketAddr, zones: &[String]) -> Result<()> {
    let (shown, address, port) = (folder.display(), listen.ip(), listen.port());
    let mut text = format!(
        "server:\n  rundir: \"{shown}\"\n  listen: {address}@{port}\n  udp-workers: 1\n  tcp-workers: 1\n  pidfile: knot.pid\n\
         control:\n  listen: knot.sock\n\
         log:\n- target: stderr\n  any: info\n\
         database:\n  storage: \"{shown}/database\"\n\
         mod-dnstap:\n- id: queries\n  sink: \"unix:{shown}/queries.sock\"\n  log-queries: on\n  log-responses: off\n\
         template:\n- id: default\n  storage: \"{shown}/zones\"\n  global-module: mod-dnstap/queries\n  \
         zonefile-sync: -1\n  zonefile-load: whole\n  journal-content: none\n\
         zone:\n"
    );
    for zone in zones {
        let _ = writeln!(text, "- domain: {zone}");
    }
    let path = folder.join("knot.conf");
    fs::write(&path, text).with_context(|| format!("writing {}", path.display()))
}
