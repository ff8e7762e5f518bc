//! The custom resource definitions, as an administrator applies them.

use kube::CustomResourceExt;
use serde_json::{Value, json};

use crate::{Dns, DnsEndpoint, DnsNameResolver, DnsProvider};

/// A custom resource definition and the file under `manifests/` that holds it.
/// The cluster-version operator applies the files in the order of their names.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The file's name.
    pub file: &'static str,
    /// The definition, ready to be written as YAML or JSON.
    pub crd: Value,
}

/// Every definition of the cluster DNS.
#[must_use]
pub fn crds() -> Vec<Definition> {
    vec![
        Definition {
            file: "0000_70_dns-operator_00.crd.yaml",
            crd: dns(),
        },
        Definition {
            file: "0000_70_dns_00_dnsnameresolvers.crd.yaml",
            crd: dns_name_resolver(),
        },
    ]
}

/// Every definition of external records. They stand apart: where external-dns or Gardener
/// runs, its definition is there and is not ours to replace, and the cluster DNS needs none of
/// them.
#[must_use]
pub fn record_crds() -> Vec<Definition> {
    vec![
        Definition {
            file: "records/dnsendpoints.externaldns.k8s.io.yaml",
            crd: dns_endpoint(),
        },
        Definition {
            file: "records/dnsproviders.dns.gardener.cloud.yaml",
            crd: dns_provider(),
        },
    ]
}

fn dns() -> Value {
    let mut crd = json!(Dns::crd());
    crd["metadata"]["annotations"] = json!({
        "api-approved.openshift.io": "https://github.com/openshift/api/pull/475",
        "api.openshift.io/merged-by-featuregates": "true",
        "include.release.openshift.io/ibm-cloud-managed": "true",
        "include.release.openshift.io/self-managed-high-availability": "true",
    });
    crd["spec"]["names"] = json!({
        "kind": "DNS", "listKind": "DNSList", "plural": "dnses", "singular": "dns",
    });
    let schema = schema_of(&mut crd);
    // A rule about one field that depends on another: the derived schema has no
    // place for it.
    if let Some(upstream) =
        schema.pointer_mut("/properties/spec/properties/upstreamResolvers/properties/upstreams/items")
    {
        upstream["anyOf"] = json!([
            {
                "properties": { "type": { "enum": ["", "SystemResolvConf"] } },
                "not": { "required": ["address", "port"] },
            },
            {
                "properties": { "type": { "enum": ["Network"] } },
                "required": ["address"],
            },
        ]);
    }
    if let Some(root) = schema.as_object_mut() {
        // A DNS without a spec is a DNS with every default.
        root.remove("required");
    }
    let status = &mut schema["properties"]["status"];
    status["required"] = json!(["clusterDomain", "clusterIP"]);
    for field in ["clusterDomain", "clusterIP"] {
        if let Some(schema) = status["properties"][field].as_object_mut() {
            schema.remove("default");
        }
    }
    status["properties"]["conditions"]["x-kubernetes-list-type"] = json!("atomic");
    crd
}

fn dns_name_resolver() -> Value {
    let mut crd = json!(DnsNameResolver::crd());
    crd["metadata"]["annotations"] = json!({
        "api-approved.openshift.io": "https://github.com/openshift/api/pull/1524",
        "api.openshift.io/merged-by-featuregates": "true",
        "include.release.openshift.io/ibm-cloud-managed": "true",
        "include.release.openshift.io/self-managed-high-availability": "true",
        "release.openshift.io/feature-set": "CustomNoUpgrade,DevPreviewNoUpgrade,TechPreviewNoUpgrade",
    });
    crd["spec"]["names"] = json!({
        "kind": "DNSNameResolver",
        "listKind": "DNSNameResolverList",
        "plural": "dnsnameresolvers",
        "singular": "dnsnameresolver",
    });
    schema_of(&mut crd);
    crd
}

fn dns_endpoint() -> Value {
    let mut crd = json!(DnsEndpoint::crd());
    // The API server wants the approval of a group under k8s.io to be told.
    crd["metadata"]["annotations"] = json!({
        "api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/external-dns/pull/2007",
    });
    crd["spec"]["names"] = json!({
        "kind": "DNSEndpoint",
        "listKind": "DNSEndpointList",
        "plural": "dnsendpoints",
        "singular": "dnsendpoint",
    });
    let schema = schema_of(&mut crd);
    if let Some(root) = schema.as_object_mut() {
        // What external-dns's definition admits is admitted: a DNSEndpoint without a spec
        // wants nothing.
        root.remove("required");
    }
    let condition = |kind: &str| {
        let path = format!(".status.conditions[?(@.type==\"{kind}\")].status");
        json!({ "name": kind, "type": "string", "jsonPath": path })
    };
    crd["spec"]["versions"][0]["additionalPrinterColumns"] = json!([
        condition("Accepted"),
        condition("Programmed"),
        { "name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp" },
    ]);
    crd
}

fn dns_provider() -> Value {
    let mut crd = json!(DnsProvider::crd());
    crd["spec"]["names"] = json!({
        "kind": "DNSProvider",
        "listKind": "DNSProviderList",
        "plural": "dnsproviders",
        "shortNames": ["dnspr"],
        "singular": "dnsprovider",
    });
    schema_of(&mut crd);
    let column = |name: &str, kind: &str, path: &str| json!({ "name": name, "type": kind, "jsonPath": path });
    // Shown with --output=wide only.
    let wide = |name: &str, path: &str| json!({ "name": name, "type": "string", "jsonPath": path, "priority": 2000 });
    crd["spec"]["versions"][0]["additionalPrinterColumns"] = json!([
        column("TYPE", "string", ".spec.type"),
        column("STATUS", "string", ".status.state"),
        column("AGE", "date", ".metadata.creationTimestamp"),
        column("INCLUDED_DOMAINS", "string", ".status.domains.included"),
        wide("INCLUDED_ZONES", ".status.zones.included"),
        wide("MESSAGE", ".status.message"),
    ]);
    crd
}

/// The schema of the only version, in the form OpenShift's definitions have.
fn schema_of(crd: &mut Value) -> &mut Value {
    let version = &mut crd["spec"]["versions"][0];
    if let Some(version) = version.as_object_mut() {
        version.remove("additionalPrinterColumns");
    }
    let schema = &mut version["schema"]["openAPIV3Schema"];
    if let Some(root) = schema.as_object_mut() {
        root.remove("title");
    }
    follow_openshift(schema);
    schema
}

/// An optional field of ours is one that may be left out. `null` is not a value
/// of it: the API server drops a null and applies the default, as it does with
/// OpenShift's own definition. Bounds are whole numbers, and a description is
/// one paragraph.
fn follow_openshift(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.remove("nullable");
            for (key, value) in fields.iter_mut() {
                match (key.as_str(), &mut *value) {
                    ("description", Value::String(text)) => {
                        *text = text.replace('\n', " ").replace('`', "'");
                    }
                    ("minimum" | "maximum", Value::Number(bound)) => {
                        #[expect(clippy::cast_possible_truncation, reason = "bounds are small and whole")]
                        let whole = bound.as_f64().map(|bound| bound as i64);
                        *value = json!(whole);
                    }
                    _ => follow_openshift(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(follow_openshift),
        _ => {}
    }
}
