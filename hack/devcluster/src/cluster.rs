//! A cluster: the control plane, and the node if asked for.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};

use crate::children::{Launcher, Lifetime};
use crate::control_plane::ControlPlane;
use crate::images::Image;
use crate::knot::{Knot, Zone};
use crate::node::Node;
use crate::programs;
use crate::progress::Progress;
use crate::sandbox::Sandbox;
use crate::state::{self, State};

/// What a cluster is beside Kubernetes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distribution {
    /// Nothing else.
    Kubernetes,
    /// OpenShift's APIs and what its other operators make; see [`crate::openshift`].
    OpenShift,
}

/// What to bring up.
#[derive(Debug, Clone)]
pub struct Options {
    /// The state folder: cleared at the start. None: a fresh one, removed at the end.
    pub state: Option<PathBuf>,
    /// A node that runs pods: kubelet, containerd, kube-proxy, CNI, Knot. Needs root.
    pub node: bool,
    /// An audit log of every request.
    pub audit: bool,
    /// The controller manager, which a node always gets: garbage collection, namespaces, service accounts.
    pub controllers: bool,
    /// What the operator finds beside Kubernetes.
    pub distribution: Distribution,
    /// How long the processes live.
    pub lifetime: Lifetime,
    /// Images that are there before the kubelet starts.
    pub images: Vec<Image>,
    /// Zones that the node's upstream resolver serves.
    pub zones: Vec<Zone>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            state: None,
            node: false,
            audit: true,
            controllers: true,
            distribution: Distribution::Kubernetes,
            lifetime: Lifetime::Process,
            images: Vec::new(),
            zones: Vec::new(),
        }
    }
}

/// A running cluster. Dropping it ends it.
#[derive(Debug)]
pub struct Cluster {
    // Dropped in this order: what stands on something goes before it.
    node: Option<Node>,
    knot: Option<Knot>,
    plane: ControlPlane,
    sandbox: Option<Sandbox>,
    kubeconfig: PathBuf,
    audit_log: PathBuf,
    launcher: Launcher,
    state: State,
}

impl Cluster {
    /// Brings a cluster up and waits until it is ready. Nothing is left of it if that fails.
    pub async fn start(options: Options, progress: &Progress) -> Result<Self> {
        programs::build(&programs::CONTROL_PLANE, progress)?;
        if options.node {
            if !rustix::process::geteuid().is_root() {
                return Err(anyhow!("a node with pods needs root"));
            }
            programs::build(&programs::WHOLE_NODE, progress)?;
            crate::debian::provide(&crate::debian::NODE, progress)?;
        }
        state::clear_abandoned()?;
        let state = match &options.state {
            Some(path) => State::take(path)?,
            None => State::fresh()?,
        };
        let outside = Launcher::new(state.path(), options.lifetime)?;
        let sandbox = if options.node {
            Some(Sandbox::start(&outside).await?)
        } else {
            None
        };
        let launcher = sandbox
            .as_ref()
            .map_or_else(|| outside.clone(), |sandbox| outside.inside(sandbox.init()));
        progress.say("starting etcd and the API server");
        let mut plane = ControlPlane::start(&launcher, options.node, options.audit, progress).await?;
        if options.controllers || options.node {
            plane.start_controllers(options.node)?;
        }
        let mut cluster = Self {
            node: None,
            knot: None,
            kubeconfig: plane.kubeconfig(),
            audit_log: state.path().join("audit.log"),
            plane,
            sandbox,
            launcher,
            state,
        };
        if options.distribution == Distribution::OpenShift {
            progress.say("making it an OpenShift: its APIs and its configuration");
            crate::openshift::furnish(&cluster.client().await?).await?;
        }
        if options.node {
            cluster.start_node(&options, progress).await?;
        }
        progress.say("the cluster is ready");
        Ok(cluster)
    }

    async fn start_node(&mut self, options: &Options, progress: &Progress) -> Result<()> {
        progress.say("starting the node: Knot, containerd, kubelet, kube-proxy");
        let listen = (crate::sandbox::NODE_ADDRESS, 53).into();
        self.knot = Some(Knot::start_with(&self.launcher, listen, &options.zones).await?);
        self.node = Some(Node::start(&self.launcher, &self.kubeconfig, &options.images, progress).await?);
        Ok(())
    }

    /// The administrator's kubeconfig.
    #[must_use]
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// A client with all rights.
    pub async fn client(&self) -> Result<kube::Client> {
        crate::kubeconfig::client(&self.kubeconfig).await
    }

    /// The state folder: logs in `log/`.
    #[must_use]
    pub fn state(&self) -> &Path {
        self.state.path()
    }

    /// One JSON object a line for each request, if asked for: level Metadata.
    #[must_use]
    pub fn audit_log(&self) -> &Path {
        &self.audit_log
    }

    /// The node's hosts file, which its pods see as `/etc/hosts` of the host.
    #[must_use]
    pub fn hosts_file(&self) -> PathBuf {
        self.state().join("hosts")
    }

    /// What starts further processes of this cluster: inside the node's namespaces if it has a node.
    #[must_use]
    pub fn launcher(&self) -> &Launcher {
        &self.launcher
    }

    /// The node's upstream resolver, which sees every query that CoreDNS passes on.
    pub fn knot(&mut self) -> Result<&mut Knot> {
        self.knot
            .as_mut()
            .ok_or_else(|| anyhow!("a cluster without a node has no upstream resolver"))
    }

    /// Gives the node another image, while it runs.
    pub fn import_image(&self, image: &Image) -> Result<()> {
        let node = self
            .node
            .as_ref()
            .ok_or_else(|| anyhow!("a cluster without a node holds no images"))?;
        node.import_image(image)
    }

    /// Ends the API server at once, as a crash would. Clients see refused connections.
    pub fn stop_api_server(&mut self) {
        self.plane.stop_server();
    }

    /// Starts the API server again, at the same address, and waits until it is ready.
    pub async fn start_api_server(&mut self) -> Result<()> {
        self.plane.start_server().await
    }

    /// Ends the API server and starts it again.
    pub async fn restart_api_server(&mut self) -> Result<()> {
        self.stop_api_server();
        self.start_api_server().await
    }

    /// Stores a value in etcd past the API server and its checks: for custom resources the object as
    /// JSON, under `/registry/GROUP/PLURAL/[NAMESPACE/]NAME`.
    pub fn etcd_put(&self, key: &str, value: &str) -> Result<()> {
        self.plane.etcd_put(key, value)
    }

    /// The value that etcd holds under a key; none if there is no such key.
    pub fn etcd_get(&self, key: &str) -> Result<Option<String>> {
        self.plane.etcd_get(key)
    }

    /// Errors, with the end of its log, if a process of the cluster has ended by itself.
    pub fn check(&mut self) -> Result<()> {
        self.plane.check()?;
        self.node.as_mut().map_or(Ok(()), Node::check)
    }

    /// Leaves everything running; only for [`Lifetime::Detached`].
    pub fn keep(mut self) {
        self.plane.keep();
        if let Some(node) = &mut self.node {
            node.keep();
        }
        if let Some(knot) = &mut self.knot {
            knot.keep();
        }
        if let Some(sandbox) = &mut self.sandbox {
            sandbox.keep();
        }
        self.state.keep();
    }

    /// Ends everything and removes the state folder.
    pub fn stop(self) -> Result<()> {
        let Self {
            node,
            knot,
            plane,
            sandbox,
            state,
            ..
        } = self;
        // Whatever runs in the namespaces ends with them.
        drop(sandbox);
        drop((node, knot, plane));
        state.remove().map(drop)
    }
}
