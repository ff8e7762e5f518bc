//! Nodes as kubelets report them, about 10 kB each.

use anyhow::{Context as _, Result, bail};
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};
use std::time::Duration;

use devcluster::Progress;

/// How many are created at once.
const AT_ONCE: usize = 16;
/// How often the creation is told of.
const TELL_EVERY: u32 = 1000;
/// The pause between reports of nodes: 50 a second, as 500 nodes do that report
/// every ten seconds.
const BETWEEN_REPORTS: Duration = Duration::from_millis(20);
/// How many images a node holds; kubelets report up to 50.
const IMAGES: u32 = 38;

/// Creates the nodes from `first` up to, and without, `end`.
pub async fn create(client: &Client, first: u32, end: u32, progress: &Progress) -> Result<()> {
    let api: Api<Node> = Api::all(client.clone());
    progress.say(format!("creating {} nodes", end.saturating_sub(first)));
    let created = stream::iter(first..end)
        .map(|index| {
            let api = api.clone();
            async move {
                let node: Node = serde_json::from_value(node(index)).context("failed to make a node")?;
                api.create(&PostParams::default(), &node)
                    .await
                    .with_context(|| format!("failed to create node {}", name(index)))
            }
        })
        .buffer_unordered(AT_ONCE);
    created
        .enumerate()
        .map(|(index, node)| node.map(|_| index))
        .try_for_each(async |index| {
            let count = u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1);
            if count.is_multiple_of(TELL_EVERY) {
                progress.say(format!("{count} nodes created"));
            }
            Ok(())
        })
        .await
}

/// Creates so many nodes at a steady pace, the last one when the time is over.
pub async fn join(client: &Client, count: u32, within: Duration, progress: &Progress) -> Result<()> {
    let api: Api<Node> = Api::all(client.clone());
    let mut ticks = tokio::time::interval(within / count.max(1));
    for index in 0..count {
        ticks.tick().await;
        let node: Node = serde_json::from_value(node(index)).context("failed to make a node")?;
        api.create(&PostParams::default(), &node)
            .await
            .with_context(|| format!("failed to create node {}", name(index)))?;
        if (index + 1).is_multiple_of(TELL_EVERY) {
            progress.say(format!("{} nodes have joined", index + 1));
        }
    }
    Ok(())
}

/// Lets nodes report their status once each, one after the other; begins again
/// at the first after `existing`.
pub async fn report(client: &Client, existing: u32, reports: u32) -> Result<()> {
    if existing == 0 {
        bail!("there are no nodes to report");
    }
    let api: Api<Node> = Api::all(client.clone());
    for index in 0..reports {
        let name = name(index % existing);
        let status = json!({ "status": { "conditions": conditions(&Timestamp::now().to_string()) } });
        api.patch_status(&name, &PatchParams::default(), &Patch::Strategic(&status))
            .await
            .with_context(|| format!("failed to report the status of node {name}"))?;
        tokio::time::sleep(BETWEEN_REPORTS).await;
    }
    Ok(())
}

fn name(index: u32) -> String {
    format!("bench-node-{index:05}")
}

fn node(index: u32) -> Value {
    let name = name(index);
    let address = format!("10.{}.{}.{}", 128 + index / 65536, index / 256 % 256, index % 256);
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                "node-role.kubernetes.io/worker": "",
                "topology.kubernetes.io/zone": format!("zone-{}", index % 3),
            },
            "annotations": {
                "volumes.kubernetes.io/controller-managed-attach-detach": "true",
            },
        },
        "spec": { "podCIDR": format!("10.{}.{}.0/24", 128 + index / 256 % 64, index % 256) },
        "status": {
            "addresses": [
                { "type": "InternalIP", "address": address },
                { "type": "Hostname", "address": name },
            ],
            "capacity": resources("8", "32774532Ki"),
            "allocatable": resources("7500m", "31623556Ki"),
            "conditions": conditions(&Timestamp::now().to_string()),
            "daemonEndpoints": { "kubeletEndpoint": { "Port": 10250 } },
            "images": (0..IMAGES).map(|image| image_of(index, image)).collect::<Vec<Value>>(),
            "nodeInfo": {
                "architecture": "amd64",
                "bootID": format!("3ad79dd2-56f4-45c4-8a1e-{index:012x}"),
                "containerRuntimeVersion": "containerd://2.1.0",
                "kernelVersion": "6.12.0-100.x86_64",
                "kubeProxyVersion": "",
                "kubeletVersion": "v1.36.3",
                "machineID": format!("{index:032x}"),
                "operatingSystem": "linux",
                "osImage": "Enterprise Linux CoreOS 9.6",
                "systemUUID": format!("ec2a1bdf-9a5e-0b0c-5f6e-{index:012x}"),
            },
        },
    })
}

fn resources(processors: &str, memory: &str) -> Value {
    json!({
        "cpu": processors,
        "memory": memory,
        "ephemeral-storage": "125238252Ki",
        "hugepages-1Gi": "0",
        "hugepages-2Mi": "0",
        "pods": "250",
    })
}

fn conditions(now: &str) -> Value {
    let condition = |kind: &str, status: &str, reason: &str, message: &str| {
        json!({
            "type": kind,
            "status": status,
            "reason": reason,
            "message": message,
            "lastHeartbeatTime": now,
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        })
    };
    json!([
        condition(
            "MemoryPressure",
            "False",
            "KubeletHasSufficientMemory",
            "kubelet has sufficient memory available"
        ),
        condition(
            "DiskPressure",
            "False",
            "KubeletHasNoDiskPressure",
            "kubelet has no disk pressure"
        ),
        condition(
            "PIDPressure",
            "False",
            "KubeletHasSufficientPID",
            "kubelet has sufficient PID available"
        ),
        condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
    ])
}

/// An image under its digest and its tag; digests differ from node to node, so
/// that nothing is smaller than it would be.
fn image_of(node: u32, image: u32) -> Value {
    let repository = format!("images.example/platform/component-{image:03}");
    json!({
        "names": [
            format!("{repository}@sha256:{:064x}", u64::from(node) << 32 | u64::from(image)),
            format!("{repository}:v4.{}", image % 20),
        ],
        "sizeBytes": 300_000_000 + u64::from(image) * 1_234_567,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_has_about_ten_kilobytes() {
        let node: Node = serde_json::from_value(node(4999)).unwrap();
        let size = serde_json::to_vec(&node).unwrap().len();
        assert!((9_000..=11_000).contains(&size), "{size} bytes");
    }
}
