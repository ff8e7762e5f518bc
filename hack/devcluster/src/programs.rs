//! The Go programs of the cluster, built once and kept outside the clone.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use sha2::{Digest, Sha256};

use crate::progress::Progress;

/// Programs whose requirements agree: one go.mod below `hack/tools`.
#[derive(Debug, PartialEq, Eq)]
struct Family {
    folder: &'static str,
    /// What of their source is ours, in that folder.
    sources: &'static [&'static str],
    flags: &'static [&'static str],
    cgo: &'static str,
}

static KUBERNETES: Family = Family {
    folder: "kubernetes",
    sources: &[],
    // Without a version the server calls itself v0.0.0 and clients complain; the second one is what
    // the programs call themselves in their requests.
    flags: &[
        "-ldflags",
        "-s -w -X k8s.io/component-base/version.gitVersion=v1.36.3 \
         -X k8s.io/client-go/pkg/version.gitVersion=v1.36.3",
    ],
    cgo: "0",
};
static ETCD: Family = Family {
    folder: "etcd",
    sources: &[],
    flags: &["-ldflags", "-s -w"],
    cgo: "0",
};
static COREDNS: Family = Family {
    folder: "coredns",
    sources: &[],
    flags: &["-ldflags", "-s -w"],
    cgo: "0",
};
static NODE: Family = Family {
    folder: "node",
    sources: &[],
    flags: &["-ldflags", "-s -w", "-tags", "no_btrfs,no_devmapper,no_zfs"],
    cgo: "1",
};

static PROMETHEUS: Family = Family {
    folder: "prometheus",
    sources: &[],
    // Clouds bring most of what there is to compile, and targets are named in a file here.
    flags: &["-ldflags", "-s -w", "-tags", "remove_all_sd"],
    cgo: "0",
};

static STOCK_EXTERNAL_DNS: Family = Family {
    folder: "external-dns",
    sources: &[],
    flags: &[
        "-ldflags",
        "-s -w -X sigs.k8s.io/external-dns/pkg/apis/externaldns.Version=v0.21.0",
    ],
    cgo: "0",
};

static EXTERNAL_DNS_PARTS: Family = Family {
    folder: "external-dns",
    sources: &["planner/main.go"],
    flags: &["-ldflags", "-s -w"],
    cgo: "0",
};

/// One program.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    family: &'static Family,
    package: &'static str,
    /// What `go build` calls it.
    name: &'static str,
}

const fn kubernetes(package: &'static str, name: &'static str) -> Program {
    Program {
        family: &KUBERNETES,
        package,
        name,
    }
}

const fn node(package: &'static str, name: &'static str) -> Program {
    Program {
        family: &NODE,
        package,
        name,
    }
}

/// The API server.
pub const KUBE_APISERVER: Program = kubernetes("k8s.io/kubernetes/cmd/kube-apiserver", "kube-apiserver");
/// The controller manager.
pub const KUBE_CONTROLLER_MANAGER: Program = kubernetes(
    "k8s.io/kubernetes/cmd/kube-controller-manager",
    "kube-controller-manager",
);
/// The scheduler.
pub const KUBE_SCHEDULER: Program = kubernetes("k8s.io/kubernetes/cmd/kube-scheduler", "kube-scheduler");
/// The node's agent.
pub const KUBELET: Program = kubernetes("k8s.io/kubernetes/cmd/kubelet", "kubelet");
/// What makes service addresses answer.
pub const KUBE_PROXY: Program = kubernetes("k8s.io/kubernetes/cmd/kube-proxy", "kube-proxy");
/// The command line client.
pub const KUBECTL: Program = kubernetes("k8s.io/kubernetes/cmd/kubectl", "kubectl");
/// The store behind the API server.
pub const ETCD_SERVER: Program = Program {
    family: &ETCD,
    package: "go.etcd.io/etcd/server/v3",
    name: "server",
};
/// etcd's client.
pub const ETCDCTL: Program = Program {
    family: &ETCD,
    package: "go.etcd.io/etcd/etcdctl/v3",
    name: "etcdctl",
};
/// The DNS server that the operator rolls out.
pub const COREDNS_SERVER: Program = Program {
    family: &COREDNS,
    package: "github.com/coredns/coredns",
    name: "coredns",
};
/// The container runtime.
pub const CONTAINERD: Program = node("github.com/containerd/containerd/v2/cmd/containerd", "containerd");
/// What containerd starts for each pod.
pub const SHIM: Program = node(
    "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
    "containerd-shim-runc-v2",
);
/// containerd's client.
pub const CTR: Program = node("github.com/containerd/containerd/v2/cmd/ctr", "ctr");
/// The CNI plugins: a pair of interfaces a pod, its address, its loopback.
pub const CNI: [Program; 3] = [
    node("github.com/containernetworking/plugins/plugins/main/ptp", "ptp"),
    node(
        "github.com/containernetworking/plugins/plugins/ipam/host-local",
        "host-local",
    ),
    node(
        "github.com/containernetworking/plugins/plugins/main/loopback",
        "loopback",
    ),
];

/// What scrapes metrics, records and alerts.
pub const PROMETHEUS_SERVER: Program = Program {
    family: &PROMETHEUS,
    package: "github.com/prometheus/prometheus/cmd/prometheus",
    name: "prometheus",
};
/// Prometheus's client, which checks and tests rules too.
pub const PROMTOOL: Program = Program {
    family: &PROMETHEUS,
    package: "github.com/prometheus/prometheus/cmd/promtool",
    name: "promtool",
};

/// What keeps records at DNS providers, and speaks the webhook protocol from both sides.
pub const EXTERNAL_DNS_CONTROLLER: Program = Program {
    family: &STOCK_EXTERNAL_DNS,
    package: "sigs.k8s.io/external-dns",
    name: "external-dns",
};

/// The planner of external-dns alone.
pub const EXTERNAL_DNS_PLANNER: Program = Program {
    family: &EXTERNAL_DNS_PARTS,
    package: "./planner",
    name: "planner",
};

/// What the control plane needs.
pub const CONTROL_PLANE: [Program; 6] = [
    ETCD_SERVER,
    ETCDCTL,
    KUBE_APISERVER,
    KUBE_CONTROLLER_MANAGER,
    KUBE_SCHEDULER,
    KUBECTL,
];
/// What a node needs beside the control plane.
pub const WHOLE_NODE: [Program; 9] = [
    KUBELET,
    KUBE_PROXY,
    COREDNS_SERVER,
    CONTAINERD,
    SHIM,
    CTR,
    CNI[0],
    CNI[1],
    CNI[2],
];

/// What the record engine is compared with.
pub const EXTERNAL_DNS: [Program; 2] = [EXTERNAL_DNS_CONTROLLER, EXTERNAL_DNS_PLANNER];

/// What looks at a cluster from outside.
pub const MONITORING: [Program; 2] = [PROMETHEUS_SERVER, PROMTOOL];

impl Program {
    /// Where it lies, after building it if it does not exist yet.
    pub fn path(self, progress: &Progress) -> Result<PathBuf> {
        build(&[self], progress)?;
        Ok(self.family.cache()?.join(self.name))
    }
}

impl Family {
    fn source(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../tools")
            .join(self.folder)
    }

    /// The folder of its programs: another one as soon as a version or a flag changes.
    fn cache(&self) -> Result<PathBuf> {
        let mut hash = Sha256::new();
        for name in ["go.mod", "go.sum"].iter().chain(self.sources) {
            let path = self.source().join(name);
            hash.update(fs::read(&path).with_context(|| format!("reading {}", path.display()))?);
        }
        hash.update(format!("{:?} {}", self.flags, self.cgo));
        let digest = format!("{:x}", hash.finalize());
        Ok(cache_folder()?
            .join("bin")
            .join(format!("{}-{}", self.folder, &digest[..12])))
    }
}

/// Where builds are kept: `DNS_OPERATOR_CACHE`, or `dns-operator` in the user's cache folder.
pub fn cache_folder() -> Result<PathBuf> {
    let variable = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    variable("DNS_OPERATOR_CACHE")
        .or_else(|| Some(variable("XDG_CACHE_HOME")?.join("dns-operator")))
        .or_else(|| Some(variable("HOME")?.join(".cache/dns-operator")))
        .ok_or_else(|| {
            anyhow!("none of DNS_OPERATOR_CACHE, XDG_CACHE_HOME and HOME says where to keep builds")
        })
}

/// Builds those of the programs that do not exist yet.
pub fn build(programs: &[Program], progress: &Progress) -> Result<()> {
    let families = [
        &ETCD,
        &KUBERNETES,
        &COREDNS,
        &NODE,
        &PROMETHEUS,
        &STOCK_EXTERNAL_DNS,
        &EXTERNAL_DNS_PARTS,
    ];
    for family in families {
        let folder = family.cache()?;
        let missing = |programs: &[Program]| -> Vec<Program> {
            programs
                .iter()
                .filter(|p| p.family == family && !folder.join(p.name).exists())
                .copied()
                .collect()
        };
        if missing(programs).is_empty() {
            continue;
        }
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        let lock = folder.join(".lock");
        let lock = File::create(&lock).with_context(|| format!("opening {}", lock.display()))?;
        if lock.try_lock().is_err() {
            progress.say(format!("waiting for another build of {}", family.folder));
            lock.lock().context("waiting for another build")?;
        }
        // Whoever held the lock may have built them.
        let missing = missing(programs);
        if !missing.is_empty() {
            compile(family, &missing, &folder, progress)?;
        }
    }
    Ok(())
}

fn compile(family: &Family, programs: &[Program], folder: &Path, progress: &Progress) -> Result<()> {
    let names: Vec<&str> = programs.iter().map(|program| program.name).collect();
    let names = names.join(", ");
    progress.say(format!("building {names} (minutes when this is the first time)"));
    let begun = Instant::now();
    let fresh = tempfile::tempdir_in(folder).context("making a folder to build in")?;
    let log = File::create(fresh.path().join("log")).context("making a build log")?;
    let mut output = fresh.path().as_os_str().to_owned();
    output.push("/");
    let mut command = Command::new(go()?);
    command
        .args(["build", "-trimpath", "-o"])
        .arg(output)
        .args(family.flags);
    command.args(programs.iter().map(|program| program.package));
    command
        .current_dir(family.source())
        .env("CGO_ENABLED", family.cgo)
        .env("GOFLAGS", "-buildvcs=false");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    let mut child = command
        .spawn()
        .with_context(|| format!("running go build for {names}"))?;
    let mut told = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().context("waiting for go build")? {
            break status;
        }
        if told.elapsed() > Duration::from_secs(15) {
            told = Instant::now();
            progress.say(format!("still building {names}: {} s", begun.elapsed().as_secs()));
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    if !status.success() {
        let log = fs::read_to_string(fresh.path().join("log")).unwrap_or_default();
        bail!("go build of {names} ended with {status}:\n{log}");
    }
    for program in programs {
        fs::rename(fresh.path().join(program.name), folder.join(program.name))
            .with_context(|| format!("moving {} to {}", program.name, folder.display()))?;
    }
    progress.say(format!("built {names} in {} s", begun.elapsed().as_secs()));
    Ok(())
}

/// The Go tool: from the path, or where Go's own archive puts it.
fn go() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/local/go/bin")])
        .map(|folder| folder.join("go"))
        .find(|go| go.is_file())
        .ok_or_else(|| anyhow!("no `go` on the PATH: the local cluster is built with Go 1.26 or newer"))
}
