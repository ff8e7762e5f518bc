//! Primary servers that take dynamic updates (RFC 2136): Knot and BIND.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};

use crate::children::{Launcher, Lifetime, Process, wait_until};
use crate::debian;
use crate::progress::Progress;

/// The secret of all keys, in base64.
pub const SECRET: &str = "b25lIHNlY3JldCBmb3IgYWxsIG9mIHRoZSBrZXlzLi4=";
/// The algorithms of keys. Each has a key that is named after it.
pub const ALGORITHMS: [&str; 5] = [
    "hmac-sha1",
    "hmac-sha224",
    "hmac-sha256",
    "hmac-sha384",
    "hmac-sha512",
];
/// A label: names with it at the top of a zone on BIND take no updates.
pub const LOCKED: &str = "locked";

/// Who makes a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Make {
    /// Knot DNS.
    Knot,
    /// ISC's BIND 9.
    Bind,
}

/// Certificate files, for DNS over TLS; BIND only.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The port.
    pub port: u16,
    /// The server's certificate.
    pub certificate: PathBuf,
    /// The certificate's key.
    pub key: PathBuf,
    /// Who signs for clients, which must have certificates then.
    pub client_authorities: Option<PathBuf>,
}

/// A running server. Dropping it ends it.
#[derive(Debug)]
pub struct Primary {
    make: Make,
    process: Process,
    folder: PathBuf,
    listen: SocketAddr,
    zones: Vec<String>,
    tls: Option<TlsFiles>,
}

impl Primary {
    /// Starts a server with zones and the lines of their files, and waits until it answers for
    /// them. Its files lie in `folder`; it ends with this process.
    pub async fn start(
        make: Make,
        folder: &Path,
        listen: SocketAddr,
        zones: &[(&str, String)],
        tls: Option<TlsFiles>,
    ) -> Result<Self> {
        let needs: &[_] = match make {
            Make::Knot => &debian::KNOT,
            Make::Bind => &debian::BIND,
        };
        debian::provide(needs, &Progress::shown())?;
        for (zone, lines) in zones {
            write_zone(folder, zone, 1, lines)?;
        }
        let names: Vec<String> = zones.iter().map(|(name, _)| (*name).to_owned()).collect();
        let process = launch(make, folder, listen, &names, tls.as_ref())?;
        let mut primary = Self {
            make,
            process,
            folder: folder.to_owned(),
            listen,
            zones: names,
            tls,
        };
        primary.wait().await?;
        Ok(primary)
    }

    /// Ends it, forgets what it was told since it started, and starts it with another copy of
    /// a zone.
    pub async fn restore(&mut self, zone: &str, serial: u32, lines: &str) -> Result<()> {
        self.process.stop();
        let journals = [
            self.folder.join("database"),
            zone_file(&self.folder, zone).with_extension("zone.jnl"),
        ];
        for path in journals {
            if path.is_dir() {
                fs::remove_dir_all(&path)
            } else if path.exists() {
                fs::remove_file(&path)
            } else {
                Ok(())
            }
            .with_context(|| format!("removing {}", path.display()))?;
        }
        write_zone(&self.folder, zone, serial, lines)?;
        self.process = launch(
            self.make,
            &self.folder,
            self.listen,
            &self.zones,
            self.tls.as_ref(),
        )?;
        self.wait().await
    }

    /// The address it listens on.
    #[must_use]
    pub fn listen(&self) -> SocketAddr {
        self.listen
    }

    async fn wait(&mut self) -> Result<()> {
        let (listen, zones) = (self.listen, self.zones.clone());
        wait_until(
            "the primary server",
            Duration::from_secs(20),
            &mut [&mut self.process],
            async || zones.iter().try_for_each(|zone| ask_for(listen, zone)),
        )
        .await
    }
}

fn launch(
    make: Make,
    folder: &Path,
    listen: SocketAddr,
    zones: &[String],
    tls: Option<&TlsFiles>,
) -> Result<Process> {
    let (program, name, text) = match make {
        Make::Knot => ("knotd", "knot.conf", knot_config(folder, listen, zones)),
        Make::Bind => ("named", "named.conf", bind_config(folder, listen, zones, tls)),
    };
    // Knot takes no updates without the folder of its journal.
    let journal = folder.join("database");
    fs::create_dir_all(&journal).with_context(|| format!("making {}", journal.display()))?;
    let path = folder.join(name);
    fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    let mut command =
        Command::new(debian::find(program).ok_or_else(|| anyhow!("{program} is not installed"))?);
    match make {
        Make::Knot => command.arg("--config").arg(&path),
        Make::Bind => command.args(["-g", "-n", "1", "-c"]).arg(&path),
    };
    Launcher::new(folder, Lifetime::Process)?.start(program, &command)
}

fn zone_file(folder: &Path, zone: &str) -> PathBuf {
    folder.join("zones").join(format!("{zone}.zone"))
}

fn write_zone(folder: &Path, zone: &str, serial: u32, lines: &str) -> Result<()> {
    let path = zone_file(folder, zone);
    let text = format!(
        "$ORIGIN {zone}.\n$TTL 300\n@ SOA ns hostmaster {serial} 3600 600 86400 300\n@ NS ns\nns A 192.0.2.53\n{lines}\n"
    );
    fs::create_dir_all(folder.join("zones"))
        .and_then(|()| fs::write(&path, text))
        .with_context(|| format!("writing {}", path.display()))
}

/// Knot keeps changes in its journal, from which it makes incremental transfers.
fn knot_config(folder: &Path, listen: SocketAddr, zones: &[String]) -> String {
    let (shown, address, port) = (folder.display(), listen.ip(), listen.port());
    let mut text = format!(
        "server:\n  rundir: \"{shown}\"\n  listen: {address}@{port}\n  udp-workers: 1\n  tcp-workers: 1\n  pidfile: knot.pid\n\
         control:\n  listen: knot.sock\n\
         log:\n- target: stderr\n  any: warning\n\
         database:\n  storage: \"{shown}/database\"\n\
         key:\n"
    );
    // Writing to a String cannot fail.
    for algorithm in ALGORITHMS {
        let _ = writeln!(
            text,
            "- id: {algorithm}\n  algorithm: {algorithm}\n  secret: {SECRET}"
        );
    }
    let keys = ALGORITHMS.join(", ");
    let _ = write!(
        text,
        "acl:\n- id: updater\n  key: [{keys}]\n  action: [transfer, update]\n\
         template:\n- id: default\n  storage: \"{shown}/zones\"\n  acl: updater\n  zonefile-sync: -1\n\
         zone:\n"
    );
    for zone in zones {
        let _ = writeln!(text, "- domain: {zone}");
    }
    text
}

fn bind_config(folder: &Path, listen: SocketAddr, zones: &[String], tls: Option<&TlsFiles>) -> String {
    let (shown, address, port) = (folder.display(), listen.ip(), listen.port());
    let mut text = String::new();
    let mut listeners = format!("listen-on port {port} {{ {address}; }};");
    if let Some(tls) = tls {
        let (certificate, key) = (tls.certificate.display(), tls.key.display());
        let authorities = tls.client_authorities.as_ref();
        let authorities =
            authorities.map_or_else(String::new, |path| format!("ca-file \"{}\";", path.display()));
        let _ = writeln!(
            text,
            "tls own {{ cert-file \"{certificate}\"; key-file \"{key}\"; {authorities} }};"
        );
        let _ = write!(
            listeners,
            " listen-on port {} tls own {{ {address}; }};",
            tls.port
        );
    }
    for algorithm in ALGORITHMS {
        let _ = writeln!(
            text,
            "key \"{algorithm}\" {{ algorithm {algorithm}; secret \"{SECRET}\"; }};"
        );
    }
    let keys = for_each_key(|key| format!("key {key}; "));
    let _ = writeln!(
        text,
        "controls {{}};\noptions {{ directory \"{shown}\"; {listeners} listen-on-v6 {{ none; }};\n\
         pid-file none; session-keyfile none; recursion no; dnssec-validation no; notify no;\n\
         empty-zones-enable no; check-names primary ignore; allow-transfer {{ {keys} }}; }};"
    );
    for zone in zones {
        let grants = for_each_key(|key| format!("grant {key} zonesub ANY; "));
        let denials = for_each_key(|key| format!("deny {key} name {LOCKED}.{zone} ANY; "));
        let file = zone_file(folder, zone);
        let _ = writeln!(
            text,
            "zone \"{zone}\" {{ type primary; file \"{}\"; update-policy {{ {denials}{grants} }}; }};",
            file.display()
        );
    }
    text
}

fn for_each_key(text: impl Fn(&str) -> String) -> String {
    ALGORITHMS.map(text).concat()
}

/// Asks for the SOA record of a zone by TCP.
fn ask_for(server: SocketAddr, zone: &str) -> Result<()> {
    const PATIENCE: Duration = Duration::from_secs(5);
    // A header with one question, and the question: the labels, their end, type SOA, class IN.
    let mut message = vec![0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in zone.split('.') {
        message.push(u8::try_from(label.len())?);
        message.extend(label.as_bytes());
    }
    message.extend([0, 0, 6, 0, 1]);
    let mut stream = TcpStream::connect_timeout(&server, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let length = u16::try_from(message.len())?;
    stream.write_all(&[&length.to_be_bytes()[..], &message].concat())?;
    let mut answer = [0; 6];
    stream.read_exact(&mut answer)?;
    let code = answer[5] & 15;
    ensure!(code == 0, "{zone}: response code {code}");
    Ok(())
}
