//! Rendering, against what OpenShift's operator renders: through the command
//! line, as people use it.

use std::sync::LazyLock;

use devcluster::certificates::Authority;
use operator::dns::ca_bundle::CaBundle;
use operator::dns::config::CaBundleName;
use serde_json::{Value, json};
use similar::TextDiff;
use tests::cases::{self, RenderCase};
use tests::program::{self, Output};

/// A certificate, and after it what tells one bundle from another.
fn certificates(name: &str) -> String {
    static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| Authority::new().unwrap());
    format!("{}# {name}\n", AUTHORITY.certificate())
}

/// The documents that a case stands for.
fn documents(case: &RenderCase) -> String {
    let inputs = &case.inputs;
    let service_network = if inputs.cluster_ip.contains(':') {
        "fd02::/112"
    } else {
        "172.30.0.0/16"
    };
    let mut documents = vec![
        case.dns_raw.clone(),
        config(
            "Network",
            &json!({ "status": { "serviceNetwork": [service_network] } }),
        ),
    ];
    for name in inputs.ca_bundle_config_maps.keys() {
        documents.push(json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": { "name": name, "namespace": "openshift-config" },
            "data": { "ca-bundle.crt": certificates(name) },
        }));
    }
    if let Some(profile) = &inputs.tls_security_profile {
        documents.push(config(
            "APIServer",
            &json!({ "spec": { "tlsSecurityProfile": profile } }),
        ));
    }
    let gates: Vec<Value> = inputs
        .feature_gates
        .iter()
        .filter(|(_, on)| **on)
        .map(|(name, _)| json!({ "name": name }))
        .collect();
    let versions = json!([{ "version": "0.0.1", "enabled": gates }]);
    documents.push(config(
        "FeatureGate",
        &json!({ "status": { "featureGates": versions } }),
    ));
    if inputs.topology_aware_hints {
        documents.extend(["a", "b"].map(|zone| {
            json!({
                "apiVersion": "v1", "kind": "Node",
                "metadata": { "name": zone, "labels": { "topology.kubernetes.io/zone": zone } },
                "status": {
                    "allocatable": { "cpu": "3500m" },
                    "conditions": [{ "type": "Ready", "status": "True" }],
                },
            })
        }));
    }
    documents
        .iter()
        .map(|document| document.to_string() + "\n")
        .collect()
}

fn config(kind: &str, fields: &Value) -> Value {
    let mut object = json!({
        "apiVersion": "config.openshift.io/v1", "kind": kind, "metadata": { "name": "cluster" },
    });
    for (key, value) in fields.as_object().unwrap() {
        object[key] = value.clone();
    }
    object
}

fn render(case: &RenderCase, format: &str) -> Output {
    let domain = &case.inputs.cluster_domain;
    let arguments = [
        "render",
        "-f",
        "-",
        "-o",
        format,
        "--cluster-domain",
        domain,
        "--release-version",
        "0.0.1",
    ];
    program::run(&arguments, &documents(case)).unwrap()
}

/// The paths of CA bundles end with the version of the copy there, and with a
/// digest of the content here.
fn with_our_ca_paths(case: &RenderCase, text: &str) -> String {
    let mut text = text.to_owned();
    for (name, revision) in case
        .ca_bundle_revisions
        .iter()
        .flatten()
        .filter(|(_, revision)| !revision.is_empty())
    {
        let config_map = json!({ "data": { "ca-bundle.crt": certificates(name) } });
        let bundle = CaBundle::of(&CaBundleName(name.clone()), &config_map);
        let ours = bundle.unwrap().folder("");
        text = text.replace(revision, ours.trim_start_matches("/etc/pki/-"));
    }
    text
}

/// Cases that OpenShift's operator renders and that stay as they are.
fn sound(case: &RenderCase) -> bool {
    let accident = ["uint32-wrap", "float-artifact", "decode-error"]
        .iter()
        .any(|tag| case.is(tag));
    // Other namespaces than OpenShift's own cannot be asked for from outside.
    let unreachable = case.inputs.dns_name_resolver_namespaces != ["openshift-ovn-kubernetes"];
    // Rounded to 292 years by Go.
    let saturated = case.name == "cache-units/units-22-9223372036854775807.5ns";
    case.valid
        && case.expected_error.is_none()
        && case.coredns_loads != Some(false)
        && !accident
        && !unreachable
        && !saturated
}

#[test]
fn corefiles_are_equal_to_the_byte() {
    let mut compared = 0;
    for case in cases::render().unwrap().iter().filter(|case| sound(case)) {
        let output = render(case, "corefile");
        assert_eq!(output.code, Some(0), "{}: {}", case.name, output.stderr);
        let expected = with_our_ca_paths(case, case.expected_corefile.as_ref().unwrap());
        let diff = TextDiff::from_lines(&expected, &output.stdout)
            .unified_diff()
            .to_string();
        assert!(expected == output.stdout, "{}:\n{diff}", case.name);
        compared += 1;
    }
    assert!(compared > 140, "only {compared} cases were compared");
}

#[test]
fn objects_are_equal() {
    let mut compared = 0;
    // Another name than `default` never reaches the objects.
    let named_default = |case: &&RenderCase| case.dns["metadata"]["name"] == "default";
    for case in cases::render()
        .unwrap()
        .iter()
        .filter(|case| sound(case))
        .filter(named_default)
    {
        // One volume serves both users of a bundle; the reference has two of a
        // name. A bundle without a version cannot be.
        if case.is("duplicate-volume") || case.name == "upstream-tls/explicit-empty-revision" {
            continue;
        }
        let output = render(case, "json");
        assert_eq!(output.code, Some(0), "{}: {}", case.name, output.stderr);
        let list: Value = serde_json::from_str(&output.stdout).unwrap();
        let mut expected: Vec<&Value> = case.expected_networkpolicies.iter().flatten().collect();
        expected.extend(case.expected_daemonset.as_ref());
        expected.extend(case.expected_service.as_ref());
        expected.extend(case.expected_node_resolver_daemonset.as_ref());
        expected.extend(case.expected_clusterrole.as_ref());
        for object in expected {
            let expected = serde_json::from_str(&with_our_ca_paths(case, &object.to_string())).unwrap();
            let found = find(&list, &expected);
            let expected = serde_json::to_string_pretty(&canonical(expected)).unwrap();
            let found = serde_json::to_string_pretty(&canonical(found)).unwrap();
            let diff = TextDiff::from_lines(&expected, &found).unified_diff().to_string();
            assert!(expected == found, "{}:\n{diff}", case.name);
            compared += 1;
        }
    }
    assert!(compared > 800, "only {compared} objects were compared");
}

fn find(list: &Value, wanted: &Value) -> Value {
    let same = |item: &&Value| {
        item["kind"] == wanted["kind"] && item["metadata"]["name"] == wanted["metadata"]["name"]
    };
    list["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(same)
        .unwrap_or(&Value::Null)
        .clone()
}

/// Without the script, which is our own.
fn canonical(mut object: Value) -> Value {
    if let Some(script) = object.pointer_mut("/spec/template/spec/containers/0/command/2") {
        *script = "MASKED".into();
    }
    object
}

#[test]
fn what_the_api_server_refuses_is_refused() {
    for case in cases::render().unwrap().iter().filter(|case| !case.valid) {
        let output = render(case, "corefile");
        assert_eq!(output.code, Some(1), "{}: {}", case.name, output.stdout);
        assert!(
            output.stderr.contains("spec."),
            "{}: {}",
            case.name,
            output.stderr
        );
    }
}

#[test]
fn what_coredns_does_not_load_is_refused_with_its_field() {
    let mut refused = 0;
    for case in cases::render()
        .unwrap()
        .iter()
        .filter(|case| case.coredns_loads == Some(false))
    {
        let output = render(case, "corefile");
        assert_eq!(output.code, Some(1), "{}: {}", case.name, output.stdout);
        assert!(
            output.stderr.contains("spec.servers["),
            "{}: {}",
            case.name,
            output.stderr
        );
        assert!(output.stdout.is_empty(), "{}", case.name);
        refused += 1;
    }
    assert!(refused > 20);
}

#[test]
fn spec_errors_keep_their_wording() {
    let cases = cases::render().unwrap();
    let errors = cases.iter().filter(|case| case.valid && !case.is("decode-error"));
    for case in errors {
        let Some(expected) = case
            .expected_error
            .as_ref()
            .filter(|error| !error.starts_with("decode:"))
        else {
            continue;
        };
        let output = render(case, "corefile");
        assert_eq!(output.code, Some(1), "{}", case.name);
        assert!(
            output.stderr.contains(expected.as_str()),
            "{}: {}",
            case.name,
            output.stderr
        );
    }
}

#[test]
fn durations_past_what_go_counts_are_capped() {
    for case in cases::render()
        .unwrap()
        .iter()
        .filter(|case| case.is("decode-error"))
    {
        let output = render(case, "corefile");
        assert_eq!(output.code, Some(0), "{}: {}", case.name, output.stderr);
        assert!(
            output.stdout.contains("4294967295"),
            "{}: {}",
            case.name,
            output.stdout
        );
    }
}
