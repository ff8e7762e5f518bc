//! Where a command has its DNSProviders from, and the controller that follows them.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use kube::Client;
use tokio::runtime::Handle;
use tokio::sync::watch as channel;

use super::controller::{Controller, Settings};
use super::files::{Content, ProviderFiles};
use super::usable::Usable;
use crate::run::client_config;

/// Where DNSProviders are.
#[derive(Debug)]
pub enum Place {
    /// In a cluster; without a kubeconfig in the one that the program runs in.
    Cluster(Option<PathBuf>),
    /// In files.
    Files {
        /// The flag that names them.
        flag: &'static str,
        /// The files.
        paths: Vec<PathBuf>,
    },
}

impl Place {
    /// In the files of a flag, if there are any, otherwise in a cluster.
    #[must_use]
    pub fn of(flag: &'static str, files: &[PathBuf], kubeconfig: Option<&Path>) -> Self {
        if files.is_empty() {
            return Self::Cluster(kubeconfig.map(Path::to_owned));
        }
        Self::Files {
            flag,
            paths: files.to_vec(),
        }
    }

    /// Whether files can be used, if it is files.
    pub fn check(&self, class: &str) -> anyhow::Result<()> {
        match self {
            Self::Cluster(_) => Ok(()),
            Self::Files { flag, paths } => open(flag, paths, class).map(drop),
        }
    }

    /// A controller that works in a runtime, and what it hands out.
    pub async fn controller(
        &self,
        settings: Settings,
        runtime: &Handle,
    ) -> anyhow::Result<(Controller, channel::Receiver<Usable>)> {
        match self {
            Self::Cluster(kubeconfig) => {
                let config = client_config(kubeconfig.as_deref()).await?;
                let _inside = runtime.enter();
                let client = Client::try_from(config).context("failed to set up the client")?;
                Ok(Controller::new(client, settings))
            }
            Self::Files { flag, paths } => {
                let (files, content) = open(flag, paths, &settings.class)?;
                Ok(Controller::of_files(files, content, settings))
            }
        }
    }
}

fn open(flag: &'static str, paths: &[PathBuf], class: &str) -> anyhow::Result<(ProviderFiles, Content)> {
    ProviderFiles::open(paths.to_vec(), class).context(flag)
}
