//! The node: containerd, kubelet and kube-proxy.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use k8s_openapi::api::core::v1::Node as NodeObject;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::children::{Launcher, Process, run, wait_until};
use crate::control_plane::flag;
use crate::images::{Image, PAUSE};
use crate::progress::Progress;
use crate::sandbox::{NODE_ADDRESS, POD_RANGE};
use crate::{images, kubeconfig, programs};

/// The name of the node.
pub const NAME: &str = "devcluster";

/// A running node. Dropping it ends its daemons; its pods end with the sandbox.
#[derive(Debug)]
pub struct Node {
    kubelet: Process,
    proxy: Process,
    containerd: Process,
    launcher: Launcher,
    ctr: PathBuf,
}

impl Node {
    /// Starts the daemons, imports the images and waits until the node is ready.
    pub async fn start(
        launcher: &Launcher,
        kubeconfig: &Path,
        images: &[Image],
        progress: &Progress,
    ) -> Result<Self> {
        let state = launcher.state();
        let mut containerd = start_containerd(launcher, progress)?;
        let ctr = programs::CTR.path(progress)?;
        wait_until(
            "containerd",
            Duration::from_secs(30),
            &mut [&mut containerd],
            async || run(client(launcher, &ctr).arg("version")).map(drop),
        )
        .await?;
        progress.say("importing images");
        let mut all = Image::standard()?;
        all.extend_from_slice(images);
        import(launcher, &ctr, &all)?;
        let kubelet = start_kubelet(launcher, kubeconfig, progress)?;
        let mut proxy = Command::new(programs::KUBE_PROXY.path(progress)?);
        proxy
            .arg(flag("--kubeconfig", kubeconfig))
            .arg(format!("--hostname-override={NAME}"));
        // The machine lets nobody set the limits of conntrack.
        proxy.args(["--proxy-mode=nftables", "--conntrack-max-per-core=0"]);
        proxy.args([
            "--conntrack-tcp-timeout-established=0",
            "--conntrack-tcp-timeout-close-wait=0",
        ]);
        proxy.arg(format!("--cluster-cidr={POD_RANGE}"));
        let proxy = launcher.start("kube-proxy", &proxy)?;
        let mut node = Self {
            kubelet,
            proxy,
            containerd,
            launcher: launcher.clone(),
            ctr,
        };
        progress.say(format!(
            "waiting for the node (logs in {})",
            state.join("log").display()
        ));
        node.wait(kubeconfig).await?;
        Ok(node)
    }

    async fn wait(&mut self, kubeconfig: &Path) -> Result<()> {
        let nodes: Api<NodeObject> = Api::all(kubeconfig::client(kubeconfig).await?);
        let mut processes = [&mut self.kubelet, &mut self.proxy, &mut self.containerd];
        wait_until("the node", Duration::from_secs(120), &mut processes, async || {
            let node = nodes.get(NAME).await.context("reading the node")?;
            let conditions = node
                .status
                .and_then(|status| status.conditions)
                .unwrap_or_default();
            let ready = conditions.iter().find(|condition| condition.type_ == "Ready");
            let ready = ready.ok_or_else(|| anyhow!("the node has no condition Ready yet"))?;
            if ready.status == "True" {
                Ok(())
            } else {
                Err(anyhow!("{}", ready.message.clone().unwrap_or_default()))
            }
        })
        .await?;
        // The kubelet may not give itself these, and OpenShift's nodes have them.
        let labels = json!({"metadata": {"labels": {
            "node-role.kubernetes.io/control-plane": "",
            "node-role.kubernetes.io/master": "",
            "node-role.kubernetes.io/worker": "",
        }}});
        nodes
            .patch(NAME, &PatchParams::default(), &Patch::Merge(labels))
            .await
            .context("labelling the node")?;
        Ok(())
    }

    /// Gives the node an image; pods find it by its name without a pull.
    pub fn import_image(&self, image: &Image) -> Result<()> {
        import(&self.launcher, &self.ctr, std::slice::from_ref(image))
    }

    /// Errors if one of its daemons has ended by itself.
    pub fn check(&mut self) -> Result<()> {
        [&mut self.kubelet, &mut self.proxy, &mut self.containerd]
            .into_iter()
            .try_for_each(Process::check)
    }

    /// Leaves the daemons running after this value is dropped.
    pub fn keep(&mut self) {
        for process in [&mut self.kubelet, &mut self.proxy, &mut self.containerd] {
            process.keep();
        }
    }
}

fn client(launcher: &Launcher, ctr: &Path) -> Command {
    let mut command = launcher.command(ctr);
    command
        .arg("--address")
        .arg(launcher.state().join("containerd.sock"))
        .args(["--namespace", "k8s.io"]);
    command
}

/// Imports images into the containerd of a state folder.
pub fn import(launcher: &Launcher, ctr: &Path, images: &[Image]) -> Result<()> {
    let archive = tempfile::Builder::new()
        .suffix(".tar")
        .tempfile_in(launcher.state());
    let archive = archive.context("making a file for images")?;
    images::write_archive(images, archive.path())?;
    let mut command = client(launcher, ctr);
    command.args(["images", "import", "--local"]).arg(archive.path());
    run(&mut command).context("importing images").map(drop)
}

fn start_containerd(launcher: &Launcher, progress: &Progress) -> Result<Process> {
    let state = launcher.state();
    let plugins = programs::SHIM.path(progress)?;
    let plugins = plugins
        .parent()
        .ok_or_else(|| anyhow!("the shim lies in no folder"))?;
    let network = state.join("cni");
    fs::create_dir_all(&network).with_context(|| format!("making {}", network.display()))?;
    let shown = state.display();
    let list = json!({
        "cniVersion": "1.0.0",
        "name": "pods",
        "plugins": [{
            "type": "ptp",
            "ipam": {
                "type": "host-local",
                "dataDir": state.join("addresses"),
                "ranges": [[{
                    "subnet": POD_RANGE, "gateway": NODE_ADDRESS,
                    "rangeStart": "10.128.0.10", "rangeEnd": "10.128.0.250",
                }]],
                "routes": [{"dst": "0.0.0.0/0"}],
            },
        }],
    });
    let config = format!(
        "version = 3\nroot = '{shown}/containerd'\nstate = '{shown}/containerd-run'\n\
         disabled_plugins = ['io.containerd.internal.v1.opt', 'io.containerd.nri.v1.nri']\n\
         [grpc]\naddress = '{shown}/containerd.sock'\n\
         [plugins.'io.containerd.cri.v1.images']\nsnapshotter = 'overlayfs'\n\
         [plugins.'io.containerd.cri.v1.images'.pinned_images]\nsandbox = '{PAUSE}'\n\
         [plugins.'io.containerd.cri.v1.runtime']\nrestrict_oom_score_adj = true\n\
         [plugins.'io.containerd.cri.v1.runtime'.cni]\nbin_dirs = ['{}']\nconf_dir = '{}'\n\
         [plugins.'io.containerd.cri.v1.runtime'.containerd]\ndefault_runtime_name = 'runc'\n\
         [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]\nruntime_type = 'io.containerd.runc.v2'\n\
         [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]\nSystemdCgroup = false\n",
        plugins.display(),
        network.display(),
    );
    let path = state.join("containerd.toml");
    for (path, text) in [
        (network.join("10-pods.conflist"), list.to_string()),
        (path.clone(), config),
    ] {
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    let mut command = Command::new(programs::CONTAINERD.path(progress)?);
    command.arg("--config").arg(path);
    let mut search = plugins.as_os_str().to_owned();
    search.push(":/usr/sbin:/usr/bin:/sbin:/bin");
    command.env("PATH", search);
    launcher.start("containerd", &command)
}

fn start_kubelet(launcher: &Launcher, kubeconfig: &Path, progress: &Progress) -> Result<Process> {
    let state = launcher.state();
    let resolver = state.join("resolv.conf");
    fs::write(&resolver, format!("nameserver {NODE_ADDRESS}\n")).context("writing the node's resolv.conf")?;
    let config = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": false},
            "webhook": {"enabled": true},
            "x509": {"clientCAFile": state.join("pki/ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "clusterDNS": ["172.30.0.10"],
        "clusterDomain": "cluster.local",
        "containerRuntimeEndpoint": format!("unix://{}", state.join("containerd.sock").display()),
        "enforceNodeAllocatable": [],
        "evictionHard": {"imagefs.available": "0%", "nodefs.available": "0%", "memory.available": "1Mi"},
        "failCgroupV1": false,
        "failSwapOn": false,
        // Images come from nowhere a second time.
        "imageGCHighThresholdPercent": 100,
        "localStorageCapacityIsolation": false,
        "makeIPTablesUtilChains": false,
        "nodeStatusUpdateFrequency": "5s",
        "podLogsDir": state.join("pod-logs"),
        "resolvConf": resolver,
        // An edited ConfigMap reaches its pod sooner than in the usual minute.
        "syncFrequency": "5s",
        "volumePluginDir": state.join("volume-plugins"),
    });
    let path = state.join("kubelet.json");
    fs::write(&path, format!("{config:#}\n")).with_context(|| format!("writing {}", path.display()))?;
    let mut command = Command::new(programs::KUBELET.path(progress)?);
    command
        .arg(flag("--config", &path))
        .arg(flag("--kubeconfig", kubeconfig));
    command
        .arg(flag("--root-dir", &state.join("kubelet")))
        .arg(flag("--cert-dir", &state.join("kubelet-pki")));
    command
        .arg(format!("--hostname-override={NAME}"))
        .arg(format!("--node-ip={NODE_ADDRESS}"));
    launcher.start("kubelet", &command)
}
