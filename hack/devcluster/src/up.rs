//! What `devcluster up` does: a cluster with the operator on it, left running.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::children::{Launcher, Lifetime, children_of, recorded, run};
use crate::images::{self, Image};
use crate::install::{self, Images};
use crate::knot::Zone;
use crate::progress::Progress;
use crate::state::{self, State};
use crate::{Cluster, Distribution, Options, node, operator_program, programs};

/// The address of the cluster's DNS service.
const DNS: &str = "172.30.0.10";

/// Where the operator shall work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A node with pods, on this machine.
    Node,
    /// A control plane without nodes, on this machine; the operator is a process.
    ControlPlane,
    /// The cluster of a kubeconfig; the operator is a process.
    Existing(PathBuf),
}

/// Brings everything up and prints what is to be seen. If something like it
/// runs already, only the operator and its manifests are renewed.
pub async fn up(place: &Place, progress: &Progress) -> Result<()> {
    match place {
        Place::Node => up_node(progress).await,
        Place::ControlPlane => {
            let program = operator_program::build(progress)?;
            let options = Options {
                state: Some(state::of_up()),
                lifetime: Lifetime::Detached,
                distribution: Distribution::OpenShift,
                ..Options::default()
            };
            let cluster = Cluster::start(options, progress).await?;
            let kubeconfig = cluster.kubeconfig().to_owned();
            install::beside(cluster.launcher(), &kubeconfig, &program, progress).await?;
            cluster.keep();
            progress
                .say("without a node: no pods, so no CoreDNS answers, and the DaemonSets stay unavailable");
            show(&kubeconfig, false, progress)
        }
        Place::Existing(kubeconfig) => {
            let program = operator_program::build(progress)?;
            let mut state = State::take(&state::of_up())?;
            let launcher = Launcher::new(state.path(), Lifetime::Detached)?;
            install::beside(&launcher, kubeconfig, &program, progress).await?;
            state.keep();
            show(kubeconfig, false, progress)
        }
    }
}

async fn up_node(progress: &Progress) -> Result<()> {
    let program = operator_program::build(progress)?;
    let operator = operator_program::image(&program)?;
    let chosen = Images::local(&operator.name);
    if let Some((launcher, _held)) = running()? {
        progress.say("a node is up already: renewing the operator on it");
        let kubeconfig = launcher.state().join("kubeconfig");
        node::import(&launcher, &programs::CTR.path(progress)?, &[operator])?;
        install::on_node(&launcher, &kubeconfig, &chosen, progress).await?;
        return show(&kubeconfig, true, progress);
    }
    let options = Options {
        state: Some(state::of_up()),
        node: true,
        lifetime: Lifetime::Detached,
        distribution: Distribution::OpenShift,
        images: vec![Image::coredns(progress)?, operator],
        zones: vec![Zone::example()],
        ..Options::default()
    };
    let cluster = Cluster::start(options, progress).await?;
    let kubeconfig = cluster.kubeconfig().to_owned();
    install::on_node(cluster.launcher(), &kubeconfig, &chosen, progress).await?;
    cluster.keep();
    show(&kubeconfig, true, progress)
}

/// What starts programs on the node that an earlier `up` has left running; none if there is none.
fn running() -> Result<Option<(Launcher, State)>> {
    let path = state::of_up();
    let processes = recorded(&path);
    let Some((_, sandbox)) = processes.iter().find(|(name, _)| name == "sandbox") else {
        return Ok(None);
    };
    // Half a cluster is not worth renewing.
    if !["etcd", "kube-apiserver", "kubelet", "containerd"]
        .iter()
        .all(|name| processes.iter().any(|p| p.0 == *name))
    {
        return Ok(None);
    }
    let mut held = State::hold(&path)?;
    held.keep();
    let [init] = children_of(*sandbox)[..] else {
        return Ok(None);
    };
    Ok(Some((
        Launcher::new(&path, Lifetime::Detached)?.inside(init),
        held,
    )))
}

/// Prints the Corefile, answers, and what to try next, to standard output.
fn show(kubeconfig: &Path, answers: bool, progress: &Progress) -> Result<()> {
    let kubectl = programs::KUBECTL.path(progress)?;
    let corefile = run(Command::new(&kubectl).env("KUBECONFIG", kubeconfig).args([
        "--namespace=openshift-dns",
        "get",
        "configmap/dns-default",
        "--output=jsonpath={.data.Corefile}",
    ]))?;
    let mut text = vec![String::new(), "# The Corefile".into(), corefile];
    if answers {
        text.push("# Answers from CoreDNS".into());
        for name in ["www.example.test", "kubernetes.default.svc.cluster.local"] {
            let question = [
                &format!("@{DNS}"),
                name,
                "+noall",
                "+answer",
                "+tries=3",
                "+time=2",
            ];
            text.push(run(Command::new("dig").args(question))?.trim_end().into());
        }
        text.push(String::new());
    }
    text.push("# To try next".into());
    text.push(format!("export KUBECONFIG={}", kubeconfig.display()));
    text.push(format!("alias kubectl={}", kubectl.display()));
    text.extend(TO_TRY.map(String::from));
    if answers {
        text.push("kubectl get pods -A".into());
        text.push(format!(
            "dig @{DNS} www.example.test   # the TTL follows, once CoreDNS has reloaded"
        ));
    }
    text.push("hack/down\n".into());
    print(&text.join("\n"))
}

const TO_TRY: [&str; 3] = [
    "kubectl edit dns.operator/default   # spec: {cache: {positiveTTL: 10s}}",
    r#"kubectl patch dns.operator/default --type=merge -p '{"spec":{"cache":{"positiveTTL":"10s"}}}'"#,
    "kubectl -n openshift-dns get configmap/dns-default -o jsonpath='{.data.Corefile}'",
];

/// Prints what runs, to standard output.
pub fn status() -> Result<()> {
    let state = state::of_up();
    let processes = recorded(&state);
    if processes.is_empty() {
        return print("nothing runs\n");
    }
    let logs = state.join("log");
    let mut text: Vec<String> = processes
        .into_iter()
        .map(|(name, id)| format!("{name}: process {id}, log {}/{name}.log", logs.display()))
        .collect();
    let kubeconfig = state.join("kubeconfig");
    // Beside an existing cluster there is none of ours.
    if kubeconfig.exists() {
        text.push(format!("export KUBECONFIG={}", kubeconfig.display()));
    }
    text.push(String::new());
    print(&text.join("\n"))
}

fn print(text: &str) -> Result<()> {
    let mut output = std::io::stdout().lock();
    output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush())
        .context("writing the result")
}

impl Images {
    /// The images of this machine, with an operator of a certain name.
    #[must_use]
    pub fn local(operator: &str) -> Self {
        Self {
            release: install::RELEASE.into(),
            operator: operator.to_owned(),
            coredns: images::COREDNS.into(),
            cli: images::CLI.into(),
            kube_rbac_proxy: images::WAITING.into(),
        }
    }
}
