//! The DaemonSet of the DNS pods.

use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{ConfigMapVolumeSource, KeyToPath, PodSpec, Volume, VolumeMount};
use serde_json::Value;

use super::{BuildError, Desired, Template, decode, encode, must_be_missing, owner};
use crate::dns::ca_bundle::{CA_BUNDLE_KEY, CaBundle};
use crate::dns::config::Config;
use crate::dns::inputs::Inputs;
use crate::dns::trust::{self, Mount};

const WHAT: &str = "the DNS DaemonSet";

static TEMPLATE: Template<DaemonSet> =
    Template::new(|| decode(include_str!("../../../../templates/objects/daemon-set-dns.yaml")));
const DNS_CONTAINER: &str = "dns";
const PROXY_CONTAINER: &str = "kube-rbac-proxy";

/// The DaemonSet, with the mounts that the Corefile still names beside those of
/// the configuration.
pub(super) fn desired(config: &Config, inputs: &Inputs, kept: &[Mount]) -> Result<Desired, BuildError> {
    let mut set = TEMPLATE.get(WHAT)?;
    set.metadata.owner_references = Some(owner(inputs));
    let pod = pod_spec(&mut set);
    pod.node_selector = Some(config.placement.node_selector.clone());
    pod.tolerations = Some(config.placement.tolerations.clone());
    let bundles = trust::bundles(config, inputs);
    pod.volumes.get_or_insert_default().extend(volumes(&bundles));
    for container in &mut pod.containers {
        match container.name.as_str() {
            DNS_CONTAINER => {
                container.image = Some(inputs.images.coredns.clone());
                container
                    .volume_mounts
                    .get_or_insert_default()
                    .extend(mounts(&bundles));
            }
            PROXY_CONTAINER => {
                container.image = Some(inputs.images.kube_rbac_proxy.clone());
                container
                    .args
                    .get_or_insert_default()
                    .extend(tls_arguments(inputs));
            }
            _ => {}
        }
    }
    let mut desired = encode(WHAT, &set)?;
    let pod = &mut desired.value["spec"]["template"]["spec"];
    keep(pod, kept);
    must_be_missing(
        pod,
        &[
            "affinity",
            "hostNetwork",
            "initContainers",
            "terminationGracePeriodSeconds",
        ],
    );
    for container in pod["containers"].as_array_mut().into_iter().flatten() {
        let probes: &[&str] = match container["name"].as_str() {
            Some(PROXY_CONTAINER) => &[
                "command",
                "env",
                "livenessProbe",
                "readinessProbe",
                "startupProbe",
            ],
            _ => &["env", "startupProbe"],
        };
        must_be_missing(container, probes);
    }
    Ok(desired)
}

/// Puts in what pods must not lose yet.
fn keep(pod: &mut Value, kept: &[Mount]) {
    for Mount { volume, mount, .. } in kept {
        if let Some(volumes) = pod["volumes"].as_array_mut()
            && !volumes.iter().any(|other| other["name"] == volume["name"])
        {
            volumes.push(volume.clone());
        }
        let containers = pod["containers"].as_array_mut();
        let dns = containers
            .into_iter()
            .flatten()
            .find(|container| container["name"] == DNS_CONTAINER);
        if let Some(mounts) = dns.and_then(|dns| dns["volumeMounts"].as_array_mut()) {
            mounts.push(mount.clone());
        }
    }
}

pub(super) fn pod_spec(set: &mut DaemonSet) -> &mut PodSpec {
    set.spec
        .get_or_insert_default()
        .template
        .spec
        .get_or_insert_default()
}

/// One volume a bundle, however many servers use it.
fn volumes(bundles: &[(&str, &CaBundle)]) -> Vec<Volume> {
    let mut volumes: Vec<Volume> = Vec::new();
    for (_, bundle) in bundles {
        let name = bundle.volume_name();
        if volumes.iter().any(|volume| volume.name == name) {
            continue;
        }
        volumes.push(Volume {
            name,
            config_map: Some(ConfigMapVolumeSource {
                name: bundle.copy_name(),
                items: Some(vec![KeyToPath {
                    key: CA_BUNDLE_KEY.into(),
                    path: CA_BUNDLE_KEY.into(),
                    mode: None,
                }]),
                ..ConfigMapVolumeSource::default()
            }),
            ..Volume::default()
        });
    }
    volumes
}

fn mounts(bundles: &[(&str, &CaBundle)]) -> Vec<VolumeMount> {
    bundles
        .iter()
        .map(|(server_name, bundle)| VolumeMount {
            name: bundle.volume_name(),
            mount_path: bundle.folder(server_name),
            read_only: Some(true),
            ..VolumeMount::default()
        })
        .collect()
}

fn tls_arguments(inputs: &Inputs) -> [String; 2] {
    [
        format!(
            "--tls-cipher-suites={}",
            inputs.tls_profile.cipher_suites.join(",")
        ),
        format!("--tls-min-version={}", inputs.tls_profile.min_version),
    ]
}
