//! Definitions of DNSEndpoint on a real API server: ours, and what those of external-dns
//! let through.

use kube::api::{ApiResource, DynamicObject, ListParams, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::control_plane::{Plane, eventually};

/// Where external-dns's objects are.
pub const GROUP: &str = "externaldns.k8s.io";

/// Our own definition.
pub fn ours() -> Value {
    let [definition] = api::record_crds().try_into().unwrap();
    definition.crd
}

/// What external-dns has let through until version 0.22: fields of these types. Its status
/// has one field, and the API server drops all others.
pub fn lenient(group: &str) -> Value {
    let text = json!({ "type": "string" });
    definition(
        group,
        &json!({
            "type": "object",
            "properties": {
                "dnsName": text, "recordType": text, "setIdentifier": text,
                "targets": { "type": "array", "items": text },
                "recordTTL": { "type": "integer", "format": "int64" },
                "labels": { "type": "object", "additionalProperties": text },
                "providerSpecific": {
                    "type": "array",
                    "items": { "type": "object", "properties": { "name": text, "value": text } },
                },
            },
        }),
    )
}

/// What it lets through since: less.
pub fn strict(group: &str) -> Value {
    let mut definition = lenient(group);
    let item = definition
        .pointer_mut("/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/endpoints/items")
        .unwrap();
    item["required"] = json!(["dnsName", "recordType"]);
    item["x-kubernetes-validations"] = json!([{
        "rule": "self.recordType != 'NAPTR' || !has(self.targets) || self.targets.all(t, t.endsWith('.'))",
    }]);
    let fields = &mut item["properties"];
    fields["dnsName"] = json!({
        "type": "string", "minLength": 1, "maxLength": 254, "pattern": r"^(\*\.)?[-a-zA-Z0-9_.]+$",
    });
    fields["recordTTL"]["minimum"] = json!(0);
    fields["recordTTL"]["maximum"] = json!(i32::MAX);
    let types = [
        "A", "AAAA", "CNAME", "DNAME", "MX", "NAPTR", "NS", "PTR", "SRV", "TLSA", "TXT",
    ];
    fields["recordType"]["enum"] = json!(types);
    fields["setIdentifier"]["maxLength"] = json!(255);
    fields["targets"] = json!({
        "type": "array", "maxItems": 1000, "items": { "type": "string", "minLength": 1, "maxLength": 4096 },
    });
    fields["providerSpecific"]["items"]["required"] = json!(["name"]);
    definition
}

fn definition(group: &str, endpoint: &Value) -> Value {
    let schema = json!({
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": { "endpoints": { "type": "array", "maxItems": 1000, "items": endpoint } },
            },
            "status": {
                "type": "object",
                "properties": { "observedGeneration": { "type": "integer", "format": "int64" } },
            },
        },
    });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": format!("dnsendpoints.{group}"),
            "annotations": { "api-approved.kubernetes.io": "https://example.com" },
        },
        "spec": {
            "group": group,
            "names": { "kind": "DNSEndpoint", "plural": "dnsendpoints", "singular": "dnsendpoint" },
            "scope": "Namespaced",
            "versions": [{
                "name": "v1alpha1", "served": true, "storage": true,
                "schema": { "openAPIV3Schema": schema },
                "subresources": { "status": {} },
            }],
        },
    })
}

/// Makes a definition, and waits until its objects are served.
pub async fn define(plane: &Plane, definition: Value) {
    let resource = ApiResource {
        group: "apiextensions.k8s.io".into(),
        version: "v1".into(),
        api_version: "apiextensions.k8s.io/v1".into(),
        kind: "CustomResourceDefinition".into(),
        plural: "customresourcedefinitions".into(),
    };
    let group = definition["spec"]["group"].as_str().unwrap().to_owned();
    let definitions: Api<DynamicObject> = Api::all_with(plane.client.clone(), &resource);
    let definition = serde_json::from_value(definition).unwrap();
    definitions
        .create(&PostParams::default(), &definition)
        .await
        .unwrap();
    let objects = objects(&plane.client, &group);
    eventually("DNSEndpoints are served", async || {
        objects.list(&ListParams::default()).await.is_ok()
    })
    .await;
}

/// The DNSEndpoints of the namespace `default`, by the group that they are served in.
pub fn objects(client: &Client, group: &str) -> Api<DynamicObject> {
    let resource = ApiResource {
        group: group.into(),
        version: "v1alpha1".into(),
        api_version: format!("{group}/v1alpha1"),
        kind: "DNSEndpoint".into(),
        plural: "dnsendpoints".into(),
    };
    Api::namespaced_with(client.clone(), "default", &resource)
}
