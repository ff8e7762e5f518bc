//! The script of the node-resolver pods, with the nodes' hosts file and the answers
//! of `dig` stood in for. Needs root, for a mount of its own.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

const SCRIPT: &str = include_str!("../../templates/node-resolver.sh");
const MARK: &str = "# openshift-generated-node-resolver";
const HOSTS: &str = "127.0.0.1 localhost\n# kept # openshift-generated-node-resolver-not\n";

/// Runs the script's first round with `dig` printing `answers`, and gives the hosts
/// file after it.
fn after_a_round(hosts: &str, dig: &str, nameserver: Option<&str>) -> String {
    let folder = TempDir::new().unwrap();
    let place = |name: &str| folder.path().join(name);
    fs::write(place("hosts"), hosts).unwrap();
    write_program(
        &place("dig"),
        &format!("#!/bin/bash\ntouch {}\n{dig}\n", place("asked").display()),
    );
    write_program(
        &place("sleep"),
        "#!/bin/bash\ntouch $OUT/done\nexec /bin/sleep 60\n",
    );
    fs::write(place("script"), SCRIPT).unwrap();
    let mounts = "mount --bind $OUT/hosts /etc/hosts && exec bash -c \"$(cat $OUT/script)\"";
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "--fork", "--kill-child", "bash", "-c", mounts])
        .env(
            "PATH",
            format!("{}:/usr/bin:/bin:/usr/sbin:/sbin", folder.path().display()),
        )
        .env("OUT", folder.path())
        .env("SERVICES", "image-registry.openshift-image-registry.svc")
        .env("CLUSTER_DOMAIN", "cluster.local")
        .env_remove("NAMESERVER")
        .stdout(Stdio::null())
        .stderr(File::create(place("errors")).unwrap());
    if let Some(nameserver) = nameserver {
        command.env("NAMESERVER", nameserver);
    }
    let mut child = command.spawn().unwrap();
    let begun = Instant::now();
    while !place("done").exists() {
        let errors = fs::read_to_string(place("errors")).unwrap();
        assert!(
            child.try_wait().unwrap().is_none(),
            "the script has ended: {errors}"
        );
        assert!(begun.elapsed() < Duration::from_secs(20), "no round: {errors}");
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(place("asked").exists(), nameserver.is_some());
    fs::read_to_string(place("hosts")).unwrap()
}

fn write_program(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn entry(address: &str) -> String {
    let service = "image-registry.openshift-image-registry.svc";
    format!("{address} {service} {service}.cluster.local {MARK}\n")
}

#[test]
fn addresses_are_kept_in_the_hosts_file() {
    let answers = "case \"$*\" in *' A '*) echo 172.30.9.9; echo 172.30.9.10;; esac";
    let once = after_a_round(HOSTS, answers, Some("172.30.0.10"));
    assert_eq!(
        once,
        format!("{HOSTS}{}{}", entry("172.30.9.9"), entry("172.30.9.10"))
    );
    let other = "case \"$*\" in *AAAA*) echo fd02::9;; esac";
    let twice = after_a_round(&once, other, Some("172.30.0.10"));
    assert_eq!(twice, format!("{HOSTS}{}", entry("fd02::9")));
}

#[test]
fn what_is_no_address_is_not_written() {
    let before = format!("{HOSTS}{}", entry("172.30.9.9"));
    for answer in [
        "echo ';; connection timed out; no servers could be reached'",
        "echo cafe.",
        "echo 'dig: couldn'\\''t get address'",
        "exit 9",
    ] {
        let after = after_a_round(&before, answer, Some("172.30.0.10"));
        assert_eq!(after, before, "stale addresses are better than none: {answer}");
    }
}

#[test]
fn without_a_nameserver_the_file_stays() {
    let before = format!("{HOSTS}{}", entry("172.30.9.9"));
    assert_eq!(after_a_round(&before, "echo 172.30.1.1", None), before);
}
