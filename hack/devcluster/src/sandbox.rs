//! The node's namespaces: PIDs, mounts and network of its own, joined to the
//! machine by one pair of interfaces.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};

use crate::children::{Launcher, Process, children_of, run, wait_until};

/// The node, its API server and its upstream resolver.
pub const NODE_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 128, 0, 1);
/// The machine, as pods see it.
pub const MACHINE_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 128, 0, 254);
/// Pods and node.
pub const POD_RANGE: &str = "10.128.0.0/24";
/// The machine's end of the pair. There is one node a machine: its addresses are fixed.
pub const INTERFACE: &str = "dns-operator0";

/// What the kubelet sets for the whole machine, to be put back afterwards.
const SYSCTLS: [&str; 6] = [
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
];

/// The first process of the namespaces. When it ends, everything in them ends:
/// processes, mounts, interfaces, packet rules.
#[derive(Debug)]
pub struct Sandbox {
    process: Process,
    init: u32,
}

impl Sandbox {
    /// Makes the namespaces and joins them to the machine.
    pub async fn start(launcher: &Launcher) -> Result<Self> {
        save_sysctls(launcher.state())?;
        let hosts = launcher.state().join("hosts");
        fs::copy("/etc/hosts", &hosts).context("copying /etc/hosts for the node")?;
        let ready = launcher.state().join("sandbox-ready");
        let mut command = Command::new("unshare");
        command.args([
            "--pid",
            "--fork",
            "--kill-child",
            "--mount",
            "--net",
            "--mount-proc",
            "--propagation",
            "private",
        ]);
        command.args(["sh", "-euc", INIT, "sh"]).arg(&hosts).arg(&ready);
        let mut process = launcher.start("sandbox", &command)?;
        wait_until(
            "the node's namespaces",
            Duration::from_secs(10),
            &mut [&mut process],
            async || {
                if ready.exists() {
                    Ok(())
                } else {
                    Err(anyhow!("its first process has not begun"))
                }
            },
        )
        .await?;
        let [init] = children_of(process.id())[..] else {
            bail!("the node's namespaces have no first process")
        };
        let sandbox = Self { process, init };
        sandbox.join(launcher).await?;
        Ok(sandbox)
    }

    /// The process id of its first process, as the machine sees it.
    #[must_use]
    pub fn init(&self) -> u32 {
        self.init
    }

    /// Leaves it running after this value is dropped.
    pub fn keep(&mut self) {
        self.process.keep();
    }

    async fn join(&self, launcher: &Launcher) -> Result<()> {
        let init = self.init.to_string();
        let pair = [
            "link", "add", INTERFACE, "type", "veth", "peer", "name", "machine", "netns", &init,
        ];
        // The interface of a node that has just ended goes a moment after its last process.
        wait_until(
            "the interface dns-operator0",
            Duration::from_secs(5),
            &mut [],
            async || ip(&pair),
        )
        .await
        .context("joining the node to the machine: is another one-node cluster up? hack/down stops it")?;
        let (node, machine) = (NODE_ADDRESS.to_string(), MACHINE_ADDRESS.to_string());
        let inside =
            |arguments: &[&str]| run(launcher.inside(self.init).command("ip").args(arguments)).map(drop);
        inside(&["addr", "add", &node, "peer", &machine, "dev", "machine"])?;
        inside(&["link", "set", "machine", "up"])?;
        ip(&["addr", "add", &machine, "peer", &node, "dev", INTERFACE])?;
        ip(&["link", "set", INTERFACE, "up"])?;
        ip(&["route", "add", POD_RANGE, "via", &node, "dev", INTERFACE])?;
        ip(&[
            "route",
            "add",
            crate::control_plane::SERVICE_RANGE,
            "via",
            &node,
            "dev",
            INTERFACE,
        ])
    }
}

/// What the first process does: hide the folders whose paths Kubernetes has
/// hard-coded, give the node a hosts file of its own, and reap orphans for ever.
const INIT: &str = r#"
mount --make-rshared /
for folder in /run /var/lib /var/log; do mount -t tmpfs node "$folder"; done
mount --bind "$1" /etc/hosts
ip link set lo up
: >"$2"
while :; do sleep 3600 & wait $!; done
"#;

fn ip(arguments: &[&str]) -> Result<()> {
    run(Command::new("ip").args(arguments)).map(drop)
}

fn save_sysctls(state: &Path) -> Result<()> {
    let mut saved = String::new();
    for name in SYSCTLS {
        let path = format!("/proc/sys/{name}");
        let value = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
        saved.push_str(&format!("{name} {value}"));
    }
    fs::write(state.join("sysctls"), saved).context("keeping the machine's settings")
}

/// Removes what outlives the namespaces: settings of the machine, and empty control groups of pods.
pub fn sweep(state: &Path) -> Result<()> {
    let Ok(saved) = fs::read_to_string(state.join("sysctls")) else {
        return Ok(());
    };
    for line in saved.lines() {
        let (name, value) = line
            .split_once(' ')
            .ok_or_else(|| anyhow!("the kept settings are broken: {line}"))?;
        let path = format!("/proc/sys/{name}");
        if fs::read_to_string(&path).is_ok_and(|now| now.trim() != value) {
            fs::write(&path, value).with_context(|| format!("putting {path} back"))?;
        }
    }
    let groups = fs::read_dir("/sys/fs/cgroup").context("reading /sys/fs/cgroup")?;
    for group in groups.flatten().map(|entry| entry.path()) {
        for folder in [group.join("kubepods"), group.join("k8s.io")] {
            remove_empty(&folder);
        }
        if group.ends_with("kubepods") {
            remove_empty(&group);
        }
    }
    Ok(())
}

/// Removes a tree of control groups; one that is in use stays, with those above it.
fn remove_empty(group: &Path) {
    let Ok(entries) = fs::read_dir(group) else { return };
    for entry in entries.flatten().filter(|entry| entry.path().is_dir()) {
        remove_empty(&entry.path());
    }
    let _ = fs::remove_dir(group);
}
