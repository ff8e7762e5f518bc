//! What a kubelet would start for a Deployment, as a process.

use std::fs;
use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::Secret;
use serde_json::Value;

use super::daemon::{Daemon, command};
use crate::control_plane::Plane;
use crate::permissions::kubeconfig_of;

/// A Deployment of a namespace, and where it lies on this machine.
pub struct Pod<'a> {
    /// Its API server.
    pub plane: &'a Plane,
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Flags that have other values on this machine.
    pub flags: &'a [(&'a str, String)],
}

impl Pod<'_> {
    /// Starts its only container, with its arguments, its Secrets and its rights.
    pub async fn start(&self) -> Daemon {
        let pod = &self.get("deployment", self.name)["spec"]["template"]["spec"];
        let container = &pod["containers"][0];
        let folders = self.folders(pod);
        let mut arguments = Vec::new();
        for argument in container["args"].as_array().unwrap().iter().skip(1) {
            let argument = argument.as_str().unwrap();
            let (flag, value) = argument.split_once('=').unwrap_or((argument, ""));
            // The test has a port of its own.
            if flag == "--metrics-address" {
                continue;
            }
            let ours = self.flags.iter().find(|(changed, _)| *changed == flag);
            let folder = folders.iter().find(|(mount, _)| mount == value);
            arguments.push(match (ours, folder) {
                (Some((_, value)), _) => format!("{flag}={value}"),
                (None, Some((_, folder))) => format!("{flag}={}", folder.display()),
                (None, None) => argument.to_owned(),
            });
        }
        let account = pod["serviceAccountName"].as_str().unwrap();
        let mut command = command(&arguments);
        command
            .env("KUBECONFIG", kubeconfig_of(self.plane, self.namespace, account))
            .env("POD_NAME", format!("{}-0", self.name));
        Daemon::launch(self.plane.cluster.launcher(), self.name, &command).await
    }

    /// The folders of its volumes, by where they are mounted.
    fn folders(&self, pod: &Value) -> Vec<(String, PathBuf)> {
        let mounts = pod["containers"][0]["volumeMounts"].as_array().unwrap();
        let volumes = pod["volumes"].as_array().unwrap();
        mounts
            .iter()
            .map(|mount| {
                let volume = volumes.iter().find(|volume| volume["name"] == mount["name"]);
                let name = mount["name"].as_str().unwrap();
                let folder = self.plane.cluster.state().join(format!("volume-{name}"));
                fs::create_dir_all(&folder).unwrap();
                if let Some(secret) = volume.unwrap()["secret"]["secretName"].as_str() {
                    self.mount(secret, &folder);
                }
                (mount["mountPath"].as_str().unwrap().to_owned(), folder)
            })
            .collect()
    }

    fn mount(&self, secret: &str, folder: &Path) {
        let secret: Secret = serde_json::from_value(self.get("secret", secret)).unwrap();
        for (key, value) in secret.data.unwrap() {
            fs::write(folder.join(key), value.0).unwrap();
        }
    }

    fn get(&self, kind: &str, name: &str) -> Value {
        let arguments = ["get", kind, name, "--namespace", self.namespace, "--output=json"];
        serde_json::from_str(&self.plane.kubectl(&arguments)).unwrap()
    }
}
