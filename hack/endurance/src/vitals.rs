//! The operator's memory, whether its container or one of the DNS pods' was
//! started again, and whether CoreDNS took every Corefile over.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use benchmark::figures::Distribution;
use benchmark::process::{Memory, memory};
use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use kube::{Api, Client};
use operator::dns::names::NAMESPACE;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::coredns_log::Logs;

/// The namespace of the operator.
const OPERATOR_NAMESPACE: &str = "openshift-dns-operator";
/// The labels of the operator's pods and of the DNS pods.
const OPERATOR: &str = "name=dns-operator";
const DNS: &str = "dns.operator.openshift.io/daemonset-dns=default";
/// The operator's container.
const CONTAINER: &str = "dns-operator";
/// The time between two looks.
const PERIOD: Duration = Duration::from_secs(1);

/// What was seen so far.
#[derive(Clone, Debug, Default)]
pub struct Vitals {
    /// When, since the beginning, and how much memory the operator had resident,
    /// in kB of 1024 bytes.
    pub resident: Vec<(Duration, u32)>,
    /// The most that was ever resident, in kB.
    pub peak: u32,
    /// Containers that were started again, and why the one before ended.
    pub restarts: BTreeSet<String>,
    /// What CoreDNS logged when it could not take a Corefile over.
    pub refusals: Vec<String>,
    /// The operator's pods.
    pub operator_pods: BTreeSet<String>,
    /// The DNS pods, of all rollouts.
    pub dns_pods: BTreeSet<String>,
    /// Looks that failed.
    pub blind: Vec<String>,
}

/// Who looks after them.
#[derive(Debug)]
pub struct Watch {
    seen: Arc<Mutex<Vitals>>,
    task: JoinHandle<()>,
}

impl Watch {
    /// Begins to look, once a second. The pods' logs lie in the cluster's state
    /// folder.
    #[must_use]
    pub fn start(client: &Client, state: &Path, begun: Instant) -> Self {
        let seen = Arc::new(Mutex::new(Vitals::default()));
        let logs = Logs::new(state);
        let task = tokio::spawn(keep_looking(client.clone(), logs, begun, Arc::clone(&seen)));
        Self { seen, task }
    }

    /// What was seen so far.
    #[must_use]
    pub fn seen(&self) -> Vitals {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn keep_looking(client: Client, mut logs: Logs, begun: Instant, seen: Arc<Mutex<Vitals>>) {
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let look = look(&client, &mut logs).await;
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        match look {
            Ok(look) => seen.note(begun.elapsed(), look),
            Err(error) => seen.blind.push(format!("{error:#}")),
        }
    }
}

/// What one look has seen.
struct Look {
    refusals: Vec<String>,
    memory: Memory,
    operator_pods: Vec<Pod>,
    dns_pods: Vec<Pod>,
}

async fn look(client: &Client, logs: &mut Logs) -> Result<Look> {
    let list = async |namespace: &str, label: &str| -> Result<Vec<Pod>> {
        let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
        // From the API server's memory, not from etcd.
        let parameters = ListParams::default().labels(label).match_any();
        let list = pods.list(&parameters).await;
        Ok(list
            .with_context(|| format!("failed to list the pods of {namespace}"))?
            .items)
    };
    let operator_pods = list(OPERATOR_NAMESPACE, OPERATOR).await?;
    let dns_pods = list(NAMESPACE, DNS).await?;
    let container = operator_pods
        .iter()
        .flat_map(|pod| pod.status.iter())
        .flat_map(|status| status.container_statuses.iter().flatten())
        .filter(|status| status.name == CONTAINER)
        .find_map(|status| status.container_id.as_deref())
        .and_then(|id| id.strip_prefix("containerd://"));
    let process = container
        .and_then(process_of)
        .context("the operator's container runs no process")?;
    Ok(Look {
        refusals: logs.refusals()?,
        memory: memory(process)?,
        operator_pods,
        dns_pods,
    })
}

/// The first process of a container: the kernel tells each process its control
/// group, and the kubelet names that after the container.
fn process_of(container: &str) -> Option<u32> {
    let entries = fs::read_dir("/proc").ok()?;
    let mut processes: Vec<u32> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|id| {
            fs::read_to_string(format!("/proc/{id}/cgroup")).is_ok_and(|text| text.contains(container))
        })
        .collect();
    processes.sort_unstable();
    processes.first().copied()
}

impl Vitals {
    fn note(&mut self, at: Duration, look: Look) {
        self.resident.push((at, look.memory.resident));
        self.peak = self.peak.max(look.memory.peak);
        self.refusals.extend(look.refusals);
        for pod in look.operator_pods.iter().chain(&look.dns_pods) {
            self.restarts.extend(restarts(pod));
        }
        let names = |pods: Vec<Pod>| pods.into_iter().filter_map(|pod| pod.metadata.name);
        self.operator_pods.extend(names(look.operator_pods));
        self.dns_pods.extend(names(look.dns_pods));
    }

    /// The median resident memory between two times, in kB; NaN if there was no
    /// look.
    #[must_use]
    pub fn median(&self, from: Duration, until: Duration) -> f64 {
        let between = self.resident.iter().filter(|(at, _)| (from..until).contains(at));
        Distribution::new(between.map(|(_, resident)| f64::from(*resident)).collect()).median()
    }
}

fn restarts(pod: &Pod) -> Vec<String> {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let statuses = pod
        .status
        .iter()
        .flat_map(|status| status.container_statuses.iter().flatten());
    statuses
        .filter(|status| status.restart_count > 0)
        .map(|status| {
            let before = status
                .last_state
                .as_ref()
                .and_then(|state| state.terminated.as_ref());
            let why = before.map_or_else(String::new, |ended| {
                format!(
                    " after exit code {}: {}",
                    ended.exit_code,
                    ended.message.as_deref().unwrap_or_default().trim()
                )
            });
            format!(
                "container {} of pod {name} was started again ({} times){why}",
                status.name, status.restart_count
            )
        })
        .collect()
}
