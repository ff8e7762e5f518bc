//! A record cache on a real file system that is too small. Needs root, for a mount of its own.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use devcluster::Lifetime;
use devcluster::children::{Launcher, Process, run};
use devcluster::control_plane::free_port;
use devcluster::primary::{Make, Primary, SECRET};
use records::provider::rfc2136::{Rfc2136, Settings};
use records::{Name, Provider as _, RecordType, Zone, ZoneId};

use super::super::daemon::{Daemon, command};
use super::super::rfc2136::settings;
use crate::control_plane::eventually;

const ZONE: &str = "example.com";
/// More than the disk holds: each has some hundred octets in the cache, and its owner's
/// record too.
const MANY: usize = 600;
const FAILED: &str = "external_dns_records_cache_disk_failed";
const READS: &str = "external_dns_records_provider_calls_total{operation=\"read\"}";

/// A disk in memory that only those see who are launched beside it; gone with this process.
struct Disk {
    holder: Process,
    folder: PathBuf,
}

impl Disk {
    fn mount(launcher: &Launcher, folder: &Path, size: &str) -> Self {
        fs::create_dir(folder).unwrap();
        let shown = folder.display();
        let script = format!(
            "mount -t tmpfs -o size={size} disk {shown} && touch {shown}/mounted && exec sleep infinity"
        );
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation=private", "sh", "-c", &script]);
        let holder = launcher.start("disk", &command).unwrap();
        Self {
            holder,
            folder: folder.to_owned(),
        }
    }

    /// What starts programs that see it.
    fn launcher(&self, outside: &Launcher) -> Launcher {
        outside.inside(self.holder.id())
    }

    /// Where a file of it is for those who do not.
    fn file(&self, name: &str) -> PathBuf {
        let inside = self.folder.join(name);
        let root = PathBuf::from(format!("/proc/{}/root", self.holder.id()));
        root.join(inside.strip_prefix("/").unwrap())
    }

    /// Writes a file until there is no room.
    fn fill(&self) -> PathBuf {
        let filler = self.file("filler");
        let mut file = File::create(&filler).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
        filler
    }

    fn resize(&self, outside: &Launcher, size: &str) {
        let options = format!("remount,size={size}");
        let mut command = self.launcher(outside).command("mount");
        run(command.args(["-o", &options]).arg(&self.folder)).unwrap();
    }
}

/// So many endpoints, as a file.
fn write(file: &Path, count: usize) {
    let endpoints = (0..count)
        .map(|number| format!("- {{dnsName: n{number}.{ZONE}, recordType: A, targets: [192.0.2.1]}}\n"));
    let text = endpoints.fold("endpoints:\n".to_owned(), |text, endpoint| text + &endpoint);
    // Whole or not at all.
    let new = file.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::rename(new, file).unwrap();
}

/// How many names have an address that we gave them.
async fn names(server: SocketAddr) -> usize {
    let name = Name::parse(ZONE).unwrap();
    let settings = Settings {
        zones: vec![name.clone()],
        ..settings(server)
    };
    let id = ZoneId(ZONE.into());
    let read = Rfc2136::new(&settings).unwrap();
    let records = read.read(&Zone { id, name }).await.unwrap().records;
    let addresses = records
        .iter()
        .filter(|record| record.record_type == RecordType::A);
    // The zone's own name server has one too.
    addresses.count() - 1
}

fn keeping(file: &Path, server: SocketAddr, cache: &Path) -> Command {
    let arguments = [
        "run".to_owned(),
        "--policy=sync".into(),
        "--interval=1s".into(),
        format!("--file={}", file.display()),
        "--provider=rfc2136".into(),
        format!("--rfc2136-host={}", server.ip()),
        format!("--rfc2136-port={}", server.port()),
        format!("--rfc2136-zone={ZONE}"),
        "--rfc2136-tsig-keyname=hmac-sha256".into(),
        format!("--rfc2136-tsig-secret={SECRET}"),
        // Short, so that it is soon tried again to keep the zone.
        "--provider-cache-time=1s".into(),
        "--provider-cache-patch-on-apply".into(),
        format!("--record-cache-dir={}", cache.display()),
    ];
    command(&arguments)
}

#[tokio::test]
async fn a_full_disk_stops_nothing_and_is_told_until_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let launcher = Launcher::new(folder.path(), Lifetime::Process).unwrap();
    let disk = Disk::mount(&launcher, &folder.path().join("disk"), "300k");
    eventually("the disk", async || disk.file("mounted").exists()).await;
    let listen: SocketAddr = (Ipv4Addr::LOCALHOST, free_port().unwrap()).into();
    let primary = folder.path().join("server");
    fs::create_dir(&primary).unwrap();
    let zones = [(ZONE, String::new())];
    let _primary = Primary::start(Make::Knot, &primary, listen, &zones, None)
        .await
        .unwrap();
    let file = folder.path().join("records.yaml");
    write(&file, 5);
    let beside = disk.launcher(&launcher);
    let run = keeping(&file, listen, &disk.folder);
    let filler = disk.fill();
    let mut none = beside.command(run.get_program());
    let refused = none.args(run.get_args()).output().unwrap();
    let told = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{told}");
    assert!(
        told.contains("--record-cache-dir: ") && told.contains("No space left on device"),
        "{told}"
    );
    fs::remove_file(filler).unwrap();

    let daemon = Daemon::launch(&beside, "run", &run).await;
    eventually("the first records", async || names(listen).await == 5).await;
    assert_eq!(daemon.metric(FAILED).await, Some(0.0));
    assert!(disk.file("zones.redb").exists());

    write(&file, MANY);
    eventually("all records", async || names(listen).await == MANY).await;
    eventually("it is counted", async || daemon.metric(FAILED).await == Some(1.0)).await;
    let log = daemon.log();
    assert!(log.contains("the record cache goes on in memory"), "{log}");
    assert!(log.contains("No space left on device"), "{log}");
    assert!(!log.contains("is kept on disk again"), "{log}");
    daemon.kill();

    // What is on disk is older than the zone, and not believed beyond that.
    let mut daemon = Daemon::launch(&beside, "run", &run).await;
    daemon.passes(2).await;
    assert_eq!(names(listen).await, MANY);
    write(&file, MANY - 1);
    eventually("a deletion", async || names(listen).await == MANY - 1).await;
    eventually("it is counted", async || daemon.metric(FAILED).await == Some(1.0)).await;

    disk.resize(&launcher, "16m");
    eventually("there is room", async || daemon.metric(FAILED).await == Some(0.0)).await;
    assert!(daemon.log().contains("the record cache is kept on disk again"));
    daemon.kill();
    let mut daemon = Daemon::launch(&beside, "run", &run).await;
    daemon.passes(2).await;
    assert_eq!(daemon.metric(READS).await, Some(0.0), "{}", daemon.log());
    assert_eq!(names(listen).await, MANY - 1);
}
