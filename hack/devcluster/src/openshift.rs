//! What makes a cluster OpenShift to the operator: the APIs of other operators, and the objects and
//! namespaces that are there before this one starts.
//!
//! The definitions in `openshift/` are our own and hold the fields that matter here, with scopes,
//! subresources and lists as OpenShift has them.

use std::time::Duration;

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, ApiResource, DynamicObject, ListParams, Patch, PatchParams};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};

use crate::children::wait_until;
use crate::cluster::Distribution;
use crate::control_plane::SERVICE_RANGE;
use crate::install::RELEASE;

/// The definitions, a file each.
const DEFINITIONS: [&str; 7] = [
    include_str!("../openshift/config.openshift.io_apiservers.yaml"),
    include_str!("../openshift/config.openshift.io_clusteroperators.yaml"),
    include_str!("../openshift/config.openshift.io_clusterversions.yaml"),
    include_str!("../openshift/config.openshift.io_featuregates.yaml"),
    include_str!("../openshift/config.openshift.io_networks.yaml"),
    include_str!("../openshift/monitoring.coreos.com_prometheusrules.yaml"),
    include_str!("../openshift/monitoring.coreos.com_servicemonitors.yaml"),
];
/// Namespaces that others make, and that the operator and its manifests use.
const NAMESPACES: [&str; 4] = [
    "openshift-config",
    "openshift-config-managed",
    "openshift-monitoring",
    "openshift-ovn-kubernetes",
];
const FIELD_MANAGER: &str = "devcluster";

/// What a cluster is, by whether OpenShift's configuration is served.
pub async fn distribution(client: &Client) -> Result<Distribution> {
    let groups = client
        .list_api_groups()
        .await
        .context("listing the cluster's APIs")?;
    let configured = groups
        .groups
        .iter()
        .any(|group| group.name == "config.openshift.io");
    Ok(if configured {
        Distribution::OpenShift
    } else {
        Distribution::Kubernetes
    })
}

/// Defines OpenShift's APIs that the operator uses, and waits until they are served. Nothing is
/// changed if they are there already.
pub async fn define(client: &Client) -> Result<()> {
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    let mut kinds = Vec::new();
    for text in DEFINITIONS {
        let definition: CustomResourceDefinition =
            serde_saphyr::from_str(text).context("reading a definition of OpenShift's")?;
        let name = definition.name_any();
        definitions
            .patch(&name, &parameters(), &Patch::Apply(&definition))
            .await
            .with_context(|| format!("defining {name}"))?;
        kinds.push(served_as(&definition)?);
    }
    for kind in kinds {
        let api: Api<DynamicObject> = Api::all_with(client.clone(), &kind);
        let what = format!("the API of {}", kind.plural);
        wait_until(&what, Duration::from_secs(30), &mut [], async || {
            let answer = api.list(&ListParams::default().limit(1)).await;
            answer
                .map(drop)
                .with_context(|| format!("listing {}", kind.plural))
        })
        .await?;
    }
    Ok(())
}

/// Defines OpenShift's APIs and makes what other operators of OpenShift make: namespaces and the
/// configuration of the cluster, for release [`RELEASE`] with no feature gate on.
pub async fn furnish(client: &Client) -> Result<()> {
    define(client).await?;
    let namespaces: Api<Namespace> = Api::all(client.clone());
    for name in NAMESPACES {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        namespaces
            .patch(name, &parameters(), &Patch::Apply(namespace))
            .await
            .with_context(|| format!("making the namespace {name}"))?;
    }
    for object in configuration() {
        apply(client, &object)
            .await
            .with_context(|| format!("making {} {}", object["kind"], object["metadata"]["name"]))?;
    }
    Ok(())
}

/// The objects of `config.openshift.io`, each with its status.
fn configuration() -> [Value; 4] {
    let network = json!({
        "clusterNetwork": [{"cidr": "10.128.0.0/14", "hostPrefix": 23}],
        "networkType": "OVNKubernetes",
        "serviceNetwork": [SERVICE_RANGE],
    });
    let image = "localhost/release:local";
    let release = json!({
        "completionTime": "2026-01-01T00:30:00Z", "image": image, "startedTime": "2026-01-01T00:00:00Z",
        "state": "Completed", "verified": true, "version": RELEASE,
    });
    let version_status = json!({
        "desired": {"image": image, "version": RELEASE},
        "history": [release], "observedGeneration": 1, "versionHash": "local",
    });
    let gates = json!({
        "featureGates": [{"version": RELEASE, "enabled": [], "disabled": [{"name": "DNSNameResolver"}]}],
    });
    let object = |kind: &str, name: &str, spec: &Value, status: &Value| {
        json!({
            "apiVersion": "config.openshift.io/v1", "kind": kind, "metadata": {"name": name},
            "spec": spec, "status": status,
        })
    };
    let nothing = json!({});
    let cluster = json!({"clusterID": "00000000-0000-4000-8000-000000000000"});
    [
        object("Network", "cluster", &network, &network),
        object("APIServer", "cluster", &nothing, &nothing),
        object("FeatureGate", "cluster", &nothing, &gates),
        object("ClusterVersion", "version", &cluster, &version_status),
    ]
}

async fn apply(client: &Client, object: &Value) -> Result<()> {
    for text in DEFINITIONS {
        let definition: CustomResourceDefinition =
            serde_saphyr::from_str(text).context("reading a definition of OpenShift's")?;
        if definition.spec.names.kind != object["kind"] {
            continue;
        }
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let api: Api<DynamicObject> = Api::all_with(client.clone(), &served_as(&definition)?);
        api.patch(name, &parameters(), &Patch::Apply(object)).await?;
        let subresources = definition
            .spec
            .versions
            .first()
            .and_then(|v| v.subresources.as_ref());
        if subresources.is_some_and(|subresources| subresources.status.is_some()) {
            api.patch_status(name, &parameters(), &Patch::Apply(object))
                .await?;
        }
    }
    Ok(())
}

fn served_as(definition: &CustomResourceDefinition) -> Result<ApiResource> {
    let (group, names) = (&definition.spec.group, &definition.spec.names);
    let version = definition
        .spec
        .versions
        .first()
        .context("a definition without a version")?;
    Ok(ApiResource {
        group: group.clone(),
        version: version.name.clone(),
        api_version: format!("{group}/{}", version.name),
        kind: names.kind.clone(),
        plural: names.plural.clone(),
    })
}

fn parameters() -> PatchParams {
    PatchParams::apply(FIELD_MANAGER).force()
}
