//! etcd, the API server and their controllers.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::json;

use crate::certificates::{Authority, signing_key};
use crate::children::{Launcher, Process, run, wait_until};
use crate::programs::{self, Program};
use crate::progress::Progress;
use crate::{kubeconfig, sandbox};

/// The range of service addresses, as OpenShift has it.
pub const SERVICE_RANGE: &str = "172.30.0.0/16";

/// The administrator's token. The API server listens on loopback or inside this
/// machine only, and no other cluster takes it.
const TOKEN: &str = "devcluster-admin";

/// A running control plane.
#[derive(Debug)]
pub struct ControlPlane {
    launcher: Launcher,
    progress: Progress,
    address: IpAddr,
    port: u16,
    etcd_port: u16,
    audit: bool,
    etcd: Process,
    server: Option<Process>,
    controllers: Vec<Process>,
}

impl ControlPlane {
    /// Starts etcd and the API server, on loopback or inside the sandbox, and waits until they answer.
    pub async fn start(launcher: &Launcher, on_node: bool, audit: bool, progress: &Progress) -> Result<Self> {
        let state = launcher.state();
        let (address, port, etcd_port, peer_port) = if on_node {
            (IpAddr::V4(sandbox::NODE_ADDRESS), 6443, 2379, 2380)
        } else {
            (
                IpAddr::V4(Ipv4Addr::LOCALHOST),
                free_port()?,
                free_port()?,
                free_port()?,
            )
        };
        let pki = state.join("pki");
        write_pki(&pki)?;
        let server = format!("https://{}", SocketAddr::new(address, port));
        kubeconfig::write(&state.join("kubeconfig"), &server, &pki.join("ca.crt"), TOKEN)?;
        let etcd = start_etcd(launcher, etcd_port, peer_port, progress)?;
        let mut plane = Self {
            launcher: launcher.clone(),
            progress: progress.clone(),
            address,
            port,
            etcd_port,
            audit,
            etcd,
            server: None,
            controllers: Vec::new(),
        };
        plane.start_server().await?;
        Ok(plane)
    }

    /// The administrator's kubeconfig.
    #[must_use]
    pub fn kubeconfig(&self) -> PathBuf {
        self.launcher.state().join("kubeconfig")
    }

    /// Starts the API server, again if it was stopped, and waits until it is ready.
    pub async fn start_server(&mut self) -> Result<()> {
        if self.server.is_some() {
            return Ok(());
        }
        let command = self.server_command()?;
        let mut server = self.launcher.start("kube-apiserver", &command)?;
        let kubeconfig = self.kubeconfig();
        wait_until(
            "the API server",
            Duration::from_secs(90),
            &mut [&mut self.etcd, &mut server],
            async || {
                let client = kubeconfig::client(&kubeconfig).await?;
                let request = http::Request::get("/readyz")
                    .body(Vec::new())
                    .context("asking for /readyz")?;
                client
                    .request_text(request)
                    .await
                    .context("asking the API server whether it is ready")?;
                Ok(())
            },
        )
        .await?;
        self.server = Some(server);
        Ok(())
    }

    /// Ends the API server at once, as a crash would; etcd keeps what it holds.
    pub fn stop_server(&mut self) {
        self.server = None;
    }

    /// Starts the controller manager, and the scheduler if pods shall run.
    pub fn start_controllers(&mut self, scheduler: bool) -> Result<()> {
        let kubeconfig = self.kubeconfig();
        let pki = self.launcher.state().join("pki");
        let mut command = self.program(programs::KUBE_CONTROLLER_MANAGER)?;
        command
            .arg(flag("--kubeconfig", &kubeconfig))
            .args(["--leader-elect=false", "--secure-port=0"]);
        command.arg(flag("--root-ca-file", &pki.join("ca.crt")));
        command.arg(flag(
            "--service-account-private-key-file",
            &pki.join("service-account.key"),
        ));
        self.controllers
            .push(self.launcher.start("kube-controller-manager", &command)?);
        if scheduler {
            let mut command = self.program(programs::KUBE_SCHEDULER)?;
            command
                .arg(flag("--kubeconfig", &kubeconfig))
                .args(["--leader-elect=false", "--secure-port=0"]);
            self.controllers
                .push(self.launcher.start("kube-scheduler", &command)?);
        }
        Ok(())
    }

    /// Stores a value under a key, past the API server and its checks.
    pub fn etcd_put(&self, key: &str, value: &str) -> Result<()> {
        self.etcdctl(&["put", "--", key, value]).map(drop)
    }

    /// The value under a key; none if there is no such key.
    pub fn etcd_get(&self, key: &str) -> Result<Option<String>> {
        let mut value = self.etcdctl(&["get", "--print-value-only", "--", key])?;
        // etcdctl ends a value with a line feed of its own, and prints nothing for none.
        Ok(value.pop().map(|_| value))
    }

    fn etcdctl(&self, arguments: &[&str]) -> Result<String> {
        let program = programs::ETCDCTL.path(&self.progress)?;
        let endpoint = format!("--endpoints=http://127.0.0.1:{}", self.etcd_port);
        run(self.launcher.command(program).arg(endpoint).args(arguments))
    }

    /// Errors if one of its processes has ended by itself.
    pub fn check(&mut self) -> Result<()> {
        self.etcd.check()?;
        self.server
            .iter_mut()
            .chain(&mut self.controllers)
            .try_for_each(Process::check)
    }

    /// Leaves the processes running after this value is dropped.
    pub fn keep(&mut self) {
        self.etcd.keep();
        self.server
            .iter_mut()
            .chain(&mut self.controllers)
            .for_each(Process::keep);
    }

    fn program(&self, program: Program) -> Result<Command> {
        Ok(Command::new(program.path(&self.progress)?))
    }

    fn server_command(&self) -> Result<Command> {
        let state = self.launcher.state();
        let pki = state.join("pki");
        let mut command = self.program(programs::KUBE_APISERVER)?;
        command.arg(format!("--etcd-servers=http://127.0.0.1:{}", self.etcd_port));
        command
            .arg(format!("--bind-address={}", self.address))
            .arg(format!("--secure-port={}", self.port));
        command.arg(format!("--advertise-address={}", self.address));
        command.arg(format!("--service-cluster-ip-range={SERVICE_RANGE}"));
        for (name, file) in [
            ("--tls-cert-file", "server.crt"),
            ("--tls-private-key-file", "server.key"),
            ("--client-ca-file", "ca.crt"),
            ("--token-auth-file", "tokens.csv"),
            ("--service-account-key-file", "service-account.pub"),
            ("--service-account-signing-key-file", "service-account.key"),
            ("--kubelet-client-certificate", "kubelet-client.crt"),
            ("--kubelet-client-key", "kubelet-client.key"),
        ] {
            command.arg(flag(name, &pki.join(file)));
        }
        command.args([
            "--service-account-issuer=https://kubernetes.default.svc",
            "--authorization-mode=Node,RBAC",
            "--allow-privileged=true",
            "--kubelet-preferred-address-types=InternalIP",
            // As on OpenShift: an owner is set by those who may delete the object.
            "--enable-admission-plugins=OwnerReferencesPermissionEnforcement",
        ]);
        if self.address.is_loopback() {
            // An endpoint on loopback is refused, and nothing would use it.
            command.arg("--endpoint-reconciler-type=none");
        }
        if self.audit {
            let policy = state.join("audit-policy.json");
            write_audit_policy(&policy)?;
            command.arg(flag("--audit-policy-file", &policy));
            command.arg(flag("--audit-log-path", &state.join("audit.log")));
        }
        Ok(command)
    }
}

/// `NAME=PATH`, as every Go program here reads its flags.
#[must_use]
pub fn flag(name: &str, path: &Path) -> String {
    format!("{name}={}", path.display())
}

fn start_etcd(launcher: &Launcher, port: u16, peer_port: u16, progress: &Progress) -> Result<Process> {
    let mut command = Command::new(programs::ETCD_SERVER.path(progress)?);
    let (client, peer) = (
        format!("http://127.0.0.1:{port}"),
        format!("http://127.0.0.1:{peer_port}"),
    );
    command.args(["--name", "devcluster", "--log-level", "warn"]);
    // The data is thrown away with the cluster; waiting for the disk gains nothing.
    command
        .arg("--unsafe-no-fsync")
        .arg("--data-dir")
        .arg(launcher.state().join("etcd"));
    command.args([
        "--listen-client-urls",
        &client,
        "--advertise-client-urls",
        &client,
    ]);
    command.args([
        "--listen-peer-urls",
        &peer,
        "--initial-advertise-peer-urls",
        &peer,
    ]);
    command.arg(format!("--initial-cluster=devcluster={peer}"));
    launcher.start("etcd", &command)
}

fn write_pki(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    let authority = Authority::new()?;
    let node = sandbox::NODE_ADDRESS.to_string();
    let names = [
        "127.0.0.1",
        &node,
        "172.30.0.1",
        "localhost",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
    ];
    authority.server(&names)?.write(folder, "server")?;
    authority
        .client("kube-apiserver-kubelet-client", "system:masters")?
        .write(folder, "kubelet-client")?;
    let tokens = format!("{TOKEN},admin,admin,system:masters\n");
    let (private, public) = signing_key()?;
    for (name, text) in [
        ("ca.crt", authority.certificate()),
        ("service-account.key", &private),
        ("service-account.pub", &public),
        ("tokens.csv", &tokens),
    ] {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

fn write_audit_policy(path: &Path) -> Result<()> {
    let policy = json!({
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [{"level": "Metadata"}],
    });
    fs::write(path, policy.to_string()).with_context(|| format!("writing {}", path.display()))
}

/// A port on loopback that nothing listens on. The kernel gives ports of this
/// range to nobody, so it is still free when a stopped server comes back.
pub fn free_port() -> Result<u16> {
    const FIRST: u16 = 20000;
    const COUNT: u16 = 12000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Processes that run at once begin at different places.
    let offset =
        u16::try_from(std::process::id().wrapping_mul(37) % u32::from(COUNT)).context("choosing a port")?;
    for _ in 0..COUNT {
        let port = FIRST + (offset + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT) % COUNT;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!(anyhow!("no free port between {FIRST} and {}", FIRST + COUNT))
}
