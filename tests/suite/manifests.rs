//! What is applied by an administrator, or by OpenShift's cluster-version operator.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use devcluster::{Distribution, Progress, manifests};
use operator::dns::objects::ObjectKey;
use serde_json::{Value, json};
use tests::program;

use crate::control_plane::Plane;

fn folder() -> PathBuf {
    program::workspace().join("manifests")
}

/// The objects of a file, each with its place and name.
fn objects(file: &str) -> Vec<Value> {
    let text = fs::read_to_string(folder().join(file)).unwrap();
    // A document is what stands between lines of three dashes.
    text.split("\n---\n")
        .map(|document| operator::output::from_yaml(document).unwrap())
        .collect()
}

fn object(file: &str) -> Value {
    let [object] = objects(file).try_into().unwrap();
    object
}

#[test]
fn generated_definitions_are_up_to_date() {
    for definition in api::crds().into_iter().chain(api::record_crds()) {
        let written = fs::read_to_string(folder().join(definition.file)).unwrap();
        let generated = operator::output::to_yaml(&definition.crd).unwrap();
        assert!(
            written == generated,
            "{} is stale: run hack/generate",
            definition.file
        );
    }
    let definition = fs::read_to_string(folder().join("0000_70_dns-operator_00.crd.yaml")).unwrap();
    let copy = fs::read_to_string(folder().join("kubernetes/crd.yaml")).unwrap();
    assert!(
        definition == copy,
        "kubernetes/crd.yaml is stale: run hack/generate"
    );
}

/// OpenShift's operator has these files, and other parts of OpenShift know some of the objects.
/// The dashboard is our own.
#[test]
fn everything_of_openshifts_operator_is_there() {
    let files = [
        "0000_70_dns-operator_00-cluster-role.yaml",
        "0000_70_dns-operator_00-namespace.yaml",
        "0000_70_dns-operator_00.crd.yaml",
        "0000_70_dns-operator_01-cluster-role-binding.yaml",
        "0000_70_dns-operator_01-network-policy.yaml",
        "0000_70_dns-operator_01-role-binding.yaml",
        "0000_70_dns-operator_01-role.yaml",
        "0000_70_dns-operator_01-service-account.yaml",
        "0000_70_dns-operator_01-service.yaml",
        "0000_70_dns-operator_02-deployment-ibm-cloud-managed.yaml",
        "0000_70_dns-operator_02-deployment.yaml",
        "0000_70_dns-operator_03-cluster-operator.yaml",
        "0000_70_dns_00_dnsnameresolvers.crd.yaml",
        "0000_90_dns-operator_00_prometheusrole.yaml",
        "0000_90_dns-operator_01_prometheusrolebinding.yaml",
        "0000_90_dns-operator_02_servicemonitor.yaml",
        "0000_90_dns-operator_03_prometheusrules.yaml",
        "0000_90_dns-operator_04_metrics-reader.yaml",
        "0000_90_dns-operator_05_dashboard.yaml",
    ];
    for file in files {
        for object in objects(file) {
            for field in ["/apiVersion", "/kind", "/metadata/name"] {
                assert!(
                    object.pointer(field).is_some_and(Value::is_string),
                    "{file}: {field}"
                );
            }
            let annotations = &object["metadata"]["annotations"];
            let included =
                |profile: &str| annotations[format!("include.release.openshift.io/{profile}")] == "true";
            let variant = file.ends_with("ibm-cloud-managed.yaml");
            assert_eq!(included("self-managed-high-availability"), !variant, "{file}");
            assert_eq!(
                included("ibm-cloud-managed"),
                variant || object["kind"] != "Deployment",
                "{file}"
            );
            let definition = object["kind"] == "CustomResourceDefinition";
            assert_eq!(
                included("single-node-developer"),
                !variant && !definition,
                "{file}"
            );
            assert_eq!(
                included("hypershift"),
                object["kind"] == "NetworkPolicy",
                "{file}"
            );
        }
    }
}

/// The probes of upstreams may go wherever queries of the DNS pods may.
#[test]
fn probes_of_upstreams_get_past_the_network_policy() {
    let allow = |file: &str| {
        let mut policies = objects(file).into_iter();
        policies.find(|policy| policy["metadata"]["name"] == "dns-operator-allow")
    };
    let allow = allow("0000_70_dns-operator_01-network-policy.yaml").unwrap();
    let anywhere = json!({ "to": [
        { "ipBlock": { "cidr": "0.0.0.0/0" } }, { "ipBlock": { "cidr": "::/0" } },
    ] });
    let egress = allow["spec"]["egress"].as_array().unwrap();
    assert!(egress.contains(&anywhere), "{egress:?}");
}

/// No object stands in two files, but for the Deployment, of which a cluster gets one.
#[test]
fn lookups_of_names_get_past_the_network_policy() {
    let policies = objects("0000_70_dns-operator_01-network-policy.yaml");
    let allow = policies
        .iter()
        .find(|policy| policy["metadata"]["name"] == "dns-operator-allow");
    let egress = allow.unwrap()["spec"]["egress"].as_array().unwrap().clone();
    let dns_pods = json!({ "dns.operator.openshift.io/daemonset-dns": "default" });
    let to_dns = egress
        .iter()
        .find(|rule| rule["to"][0]["podSelector"]["matchLabels"] == dns_pods);
    let ports = to_dns.unwrap()["ports"].as_array().unwrap();
    assert!(ports.contains(&json!({ "protocol": "UDP", "port": 5353 })));
}

#[test]
fn no_object_is_there_twice() {
    for distribution in [Distribution::OpenShift, Distribution::Kubernetes] {
        let mut keys = BTreeSet::new();
        for object in manifests::of(distribution, &Progress::hidden()).unwrap() {
            let key = ObjectKey::from_value(&object).unwrap();
            assert!(keys.insert(key.clone()), "{key}");
        }
        assert!(keys.iter().any(|key| key.kind == "Deployment"));
    }
}

#[test]
fn the_deployments_differ_in_where_they_run() {
    let mut own = object("0000_70_dns-operator_02-deployment.yaml");
    let managed = object("0000_70_dns-operator_02-deployment-ibm-cloud-managed.yaml");
    own["metadata"]["annotations"] = json!({ "include.release.openshift.io/ibm-cloud-managed": "true" });
    let selector = &mut own["spec"]["template"]["spec"]["nodeSelector"];
    let master = selector
        .as_object_mut()
        .unwrap()
        .remove("node-role.kubernetes.io/master");
    assert_eq!(master, Some(json!("")));
    assert_eq!(own, managed);
}

/// A release replaces these by its own, so that none may be missing.
#[test]
fn every_image_is_in_the_image_references() {
    let references = object("image-references");
    let known: BTreeSet<&str> = references["spec"]["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| tag["from"]["name"].as_str().unwrap())
        .collect();
    let deployment = object("0000_70_dns-operator_02-deployment.yaml");
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    let variables = container["env"].as_array().unwrap().iter();
    let images: BTreeSet<&str> = variables
        .filter(|variable| variable["name"].as_str().unwrap().ends_with("IMAGE"))
        .map(|variable| variable["value"].as_str().unwrap())
        .chain(container["image"].as_str())
        .collect();
    assert_eq!(images, known);
}

#[test]
fn the_cluster_operator_names_objects_that_are_there() {
    let cluster_operator = object("0000_70_dns-operator_03-cluster-operator.yaml");
    let kept = manifests::of(Distribution::OpenShift, &Progress::hidden()).unwrap();
    for related in cluster_operator["status"]["relatedObjects"].as_array().unwrap() {
        let (resource, name) = (&related["resource"], &related["name"]);
        // These the operator makes itself.
        if name == "openshift-dns" || related["namespace"] == "openshift-dns" || resource == "dnses" {
            continue;
        }
        let there = kept.iter().any(|object| {
            let plural = format!("{}s", object["kind"].as_str().unwrap().to_lowercase());
            let plural = plural.replace("policys", "policies");
            *resource == plural
                && (name == "" || *name == object["metadata"]["name"])
                && related["namespace"] == object["metadata"]["namespace"]
        });
        assert!(there, "{related}");
    }
}

/// The operator has the same rights elsewhere, but for APIs that only OpenShift has.
#[test]
fn rights_on_other_clusters_are_those_on_openshift() {
    let mut role = object("0000_70_dns-operator_00-cluster-role.yaml");
    let only_openshift = [json!("config.openshift.io"), json!("network.openshift.io")];
    let rules = role["rules"].as_array_mut().unwrap();
    rules.retain(|rule| !only_openshift.contains(&rule["apiGroups"][0]));
    assert_eq!(role["rules"], object("kubernetes/cluster-role.yaml")["rules"]);
    for (ours, theirs) in [
        ("role.yaml", "0000_70_dns-operator_01-role.yaml"),
        ("role-binding.yaml", "0000_70_dns-operator_01-role-binding.yaml"),
    ] {
        let (ours, theirs) = (objects(&format!("kubernetes/{ours}")), objects(theirs));
        assert_eq!(ours.len(), theirs.len());
        for (our, their) in ours.iter().zip(&theirs) {
            for part in ["rules", "roleRef", "subjects"] {
                assert_eq!(our[part], their[part]);
            }
        }
    }
}

/// The API server takes every manifest as it is: known fields only, and nothing it would refuse.
async fn all_are_applied(distribution: Distribution) {
    let plane = Plane::start_as(distribution).await;
    let mut objects = match distribution {
        Distribution::OpenShift => manifests::files().unwrap(),
        Distribution::Kubernetes => manifests::of(distribution, &Progress::hidden()).unwrap(),
    };
    // Trying is not enough for what others stand in.
    let (namespaces, others): (Vec<Value>, Vec<Value>) = objects
        .drain(..)
        .partition(|object| object["kind"] == "Namespace");
    let (state, kubeconfig) = (plane.cluster.state(), plane.cluster.kubeconfig());
    manifests::apply(&namespaces, state, kubeconfig, &Progress::hidden()).unwrap();
    let file = state.join("others.json");
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": others });
    fs::write(&file, list.to_string()).unwrap();
    let output = plane.kubectl(&[
        "apply",
        "--server-side",
        "--dry-run=server",
        "--validate=strict",
        "--filename",
        file.to_str().unwrap(),
    ]);
    assert_eq!(output.lines().count(), others.len(), "{output}");
    manifests::apply(&others, state, kubeconfig, &Progress::hidden()).unwrap();
}

#[tokio::test]
async fn openshift_takes_every_manifest() {
    all_are_applied(Distribution::OpenShift).await;
}

#[tokio::test]
async fn kubernetes_takes_every_manifest() {
    all_are_applied(Distribution::Kubernetes).await;
}

/// The patches that a comment shows change the arguments that they mean.
#[test]
fn patches_of_external_records_are_of_the_right_arguments() {
    let shown = fs::read_to_string(folder().join("records/kustomization.yaml")).unwrap();
    let deployment = object("records/deployment.yaml");
    let arguments = &deployment["spec"]["template"]["spec"]["containers"][0]["args"];
    let mut count = 0;
    for line in shown.lines().filter(|line| line.contains("{op: replace")) {
        let patch = line.trim_start_matches(['#', ' ', '-']);
        let patch = operator::output::from_yaml(patch).unwrap();
        let target = patch["path"].as_str().unwrap();
        let place = target
            .strip_prefix("/spec/template/spec/containers/0/args/")
            .unwrap();
        let flag = |text: &Value| text.as_str().unwrap().split('=').next().map(ToOwned::to_owned);
        let patched = &arguments[place.parse::<usize>().unwrap()];
        assert_eq!(flag(patched), flag(&patch["value"]), "{line}");
        assert_ne!(*patched, patch["value"], "{line}");
        count += 1;
    }
    assert!(count >= 4);
}
