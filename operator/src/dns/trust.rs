//! Which CA bundles the serving pods can read, and so which the Corefile may name.
//!
//! A bundle's folder in the pods is named after its content, so a rotation changes
//! both the pods and the Corefile. There is one Corefile for old pods and new ones:
//! it may name a folder only when every serving pod has it. Hence three steps: the
//! pods get the new folder beside the old one, then the Corefile names it, then the
//! old one goes.

use serde_json::Value;

use crate::dns::ca_bundle::{BUNDLES_FOLDER, CaBundle};
use crate::dns::config::{Config, Transport};
use crate::dns::inputs::Inputs;
use crate::dns::status::Rollout;

/// A folder of a CA bundle, as the template of the DNS pods has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Mount {
    /// Where the pods find it.
    pub folder: String,
    /// The ConfigMap it comes from.
    pub config_map: String,
    /// The volume, as it is in the template.
    pub volume: Value,
    /// The mount, as it is in the template.
    pub mount: Value,
}

/// What the pods have, as far as the cluster tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mounted {
    /// Whether there are pods that could lack anything.
    serving: bool,
    /// Whether all serving pods are of the present template.
    settled: bool,
    /// The folders that the Corefile in force names: every pod has loaded it.
    named: Vec<String>,
    mounts: Vec<Mount>,
}

/// What to publish now.
#[derive(Clone, Debug)]
pub struct Publication {
    /// The facts to render the Corefile with; none while the one in force must
    /// stay, since serving pods lack a file that the next one names.
    pub inputs: Option<Inputs>,
    /// What the Corefile names beside what the pods shall have in the end.
    pub kept: Vec<Mount>,
}

impl Mounted {
    /// What the DaemonSet and the Corefile in force tell.
    #[must_use]
    pub fn of(daemon_set: Option<&Value>, corefile: Option<&str>) -> Self {
        let (Some(daemon_set), Some(corefile)) = (daemon_set, corefile) else {
            return Self::default();
        };
        let rollout = Rollout::of(daemon_set);
        Self {
            serving: rollout.current.max(rollout.desired) > 0,
            settled: rollout.replaced_serving_pods(),
            named: named(corefile),
            mounts: mounts(&daemon_set["spec"]["template"]["spec"]),
        }
    }

    /// How the Corefile for a configuration can be published now.
    #[must_use]
    pub fn publication(&self, config: &Config, inputs: &Inputs) -> Publication {
        let wanted = folders(config, inputs);
        let candidates = [inputs.clone(), self.with_named_revisions(config, inputs)];
        let publishable = candidates
            .into_iter()
            .find(|candidate| folders(config, candidate).iter().all(|folder| self.have(folder)));
        let names = match &publishable {
            Some(inputs) => folders(config, inputs),
            None => self.named.clone(),
        };
        let kept = self
            .mounts
            .iter()
            .filter(|mount| names.contains(&mount.folder) && !wanted.contains(&mount.folder));
        Publication {
            kept: kept.cloned().collect(),
            inputs: publishable,
        }
    }

    /// Whether every serving pod has a folder.
    fn have(&self, folder: &String) -> bool {
        !self.serving
            || self.named.contains(folder)
            || (self.settled && self.mounts.iter().any(|mount| mount.folder == *folder))
    }

    /// The same facts with the bundles under the names by which the Corefile in
    /// force knows them.
    fn with_named_revisions(&self, config: &Config, inputs: &Inputs) -> Inputs {
        let mut inputs = inputs.clone();
        for (server_name, bundle) in bundles(config, &inputs.clone()) {
            let known = self
                .of_bundle(bundle)
                .find_map(|mount| bundle.revision_in(server_name, &mount.folder));
            if let (Some(revision), Some(bundle)) = (known, inputs.ca_bundles.get_mut(bundle.name())) {
                bundle.set_revision(revision);
            }
        }
        inputs
    }

    /// Keeps the name by which pods know a bundle that OpenShift's operator has
    /// mounted: it names folders after the version of the copy, and they are good
    /// for as long as the copy is.
    pub fn adopt(
        &self,
        config: &Config,
        inputs: &mut Inputs,
        copy_version: impl Fn(&CaBundle) -> Option<String>,
    ) {
        for (server_name, bundle) in bundles(config, &inputs.clone()) {
            let adopted = copy_version(bundle).filter(|version| {
                self.of_bundle(bundle)
                    .any(|mount| bundle.revision_in(server_name, &mount.folder) == Some(version.as_str()))
            });
            if let (Some(version), Some(bundle)) = (adopted, inputs.ca_bundles.get_mut(bundle.name())) {
                bundle.set_revision(&version);
            }
        }
    }

    /// The folders of a bundle that the Corefile in force names.
    fn of_bundle(&self, bundle: &CaBundle) -> impl Iterator<Item = &Mount> {
        let copy = bundle.copy_name();
        self.mounts
            .iter()
            .filter(move |mount| mount.config_map == copy && self.named.contains(&mount.folder))
    }

    /// Whether the template mounts a ConfigMap of CA bundles.
    #[must_use]
    pub fn uses(&self, config_map: &str) -> bool {
        self.mounts.iter().any(|mount| mount.config_map == config_map) || !self.settled && self.serving
    }
}

/// The bundles with the names of the servers they are for, in the order of the
/// forwarders, each pair once.
#[must_use]
pub fn bundles<'a>(config: &'a Config, inputs: &'a Inputs) -> Vec<(&'a str, &'a CaBundle)> {
    let mut found = Vec::new();
    for forward in config.forwards() {
        let Transport::Tls {
            server_name,
            ca_bundle: Some(name),
        } = &forward.transport
        else {
            continue;
        };
        let Some(bundle) = inputs.ca_bundles.get(name) else {
            continue;
        };
        let pair = (server_name.as_str(), bundle);
        if !found.contains(&pair) {
            found.push(pair);
        }
    }
    found
}

fn folders(config: &Config, inputs: &Inputs) -> Vec<String> {
    let bundles = bundles(config, inputs).into_iter();
    bundles
        .map(|(server_name, bundle)| bundle.folder(server_name))
        .collect()
}

/// The folders in the arguments of the Corefile's `tls` directives.
fn named(corefile: &str) -> Vec<String> {
    corefile
        .split_whitespace()
        .filter(|word| word.starts_with(BUNDLES_FOLDER))
        .filter_map(|word| word.rsplit_once('/'))
        .map(|(folder, _)| folder.to_owned())
        .collect()
}

fn mounts(pod: &Value) -> Vec<Mount> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let volumes = list(&pod["volumes"]);
    let containers = list(&pod["containers"]);
    let mounts = containers
        .iter()
        .flat_map(|container| list(&container["volumeMounts"]));
    mounts
        .filter_map(|mount| {
            let folder = mount["mountPath"].as_str()?;
            let volume = volumes.iter().find(|volume| volume["name"] == mount["name"])?;
            let config_map = volume["configMap"]["name"].as_str()?;
            folder.starts_with(BUNDLES_FOLDER).then(|| Mount {
                folder: folder.to_owned(),
                config_map: config_map.to_owned(),
                volume: volume.clone(),
                mount: mount.clone(),
            })
        })
        .collect()
}
