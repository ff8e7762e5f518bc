//! The DaemonSet of the DNS pods.

use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{ConfigMapVolumeSource, KeyToPath, PodSpec, Volume, VolumeMount};
use serde_json::Value;

use super::{BuildError, Desired, Template, decode, encode, owner};
use crate::dns::config::{Config, Transport};
use crate::dns::inputs::{CA_BUNDLE_KEY, CaBundle, Inputs};

const WHAT: &str = "the DNS DaemonSet";

static TEMPLATE: Template<DaemonSet> =
    Template::new(|| decode(include_str!("../../../../templates/objects/daemon-set-dns.yaml")));
const DNS_CONTAINER: &str = "dns";
const PROXY_CONTAINER: &str = "kube-rbac-proxy";

pub(super) fn desired(config: &Config, inputs: &Inputs) -> Result<Desired, BuildError> {
    let mut set = TEMPLATE.get(WHAT)?;
    set.metadata.owner_references = Some(owner(inputs));
    let pod = pod_spec(&mut set);
    pod.node_selector = Some(config.placement.node_selector.clone());
    pod.tolerations = Some(config.placement.tolerations.clone());
    let bundles = mounted_bundles(config, inputs);
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
    // CoreDNS stops within the time that pods have by default, and the proxy runs
    // what its image says, ready at once: nobody may set anything else.
    pod["terminationGracePeriodSeconds"] = Value::Null;
    let containers = pod["containers"].as_array_mut();
    for proxy in containers
        .into_iter()
        .flatten()
        .filter(|container| container["name"] == PROXY_CONTAINER)
    {
        proxy["command"] = Value::Null;
        proxy["readinessProbe"] = Value::Null;
    }
    Ok(desired)
}

pub(super) fn pod_spec(set: &mut DaemonSet) -> &mut PodSpec {
    set.spec
        .get_or_insert_default()
        .template
        .spec
        .get_or_insert_default()
}

/// The bundles with the names of the servers they are for, in the order of the
/// forwarders, each pair once.
fn mounted_bundles<'a>(config: &'a Config, inputs: &'a Inputs) -> Vec<(&'a str, &'a CaBundle)> {
    let mut mounted = Vec::new();
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
        if !mounted.contains(&pair) {
            mounted.push(pair);
        }
    }
    mounted
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
