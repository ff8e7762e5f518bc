//! Definitions of DNSEndpoint on a real API server: ours, and what those of external-dns
//! let through; and ours of DNSProvider.

use kube::api::{ApiResource, DynamicObject, ListParams, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::control_plane::{Plane, eventually};

/// Where external-dns's objects are.
pub const GROUP: &str = "externaldns.k8s.io";

/// Our own definition.
pub fn ours() -> Value {
    definition_of("DNSEndpoint")
}

/// Our own definition of Gardener's DNSProvider.
pub fn our_dns_provider() -> Value {
    definition_of("DNSProvider")
}

fn definition_of(kind: &str) -> Value {
    let mut definitions = api::record_crds().into_iter();
    let definition = definitions.find(|definition| definition.crd["spec"]["names"]["kind"] == kind);
    definition.unwrap().crd
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
    let objects = objects_of(&plane.client, &definition["spec"]);
    let definitions: Api<DynamicObject> = Api::all_with(plane.client.clone(), &resource);
    let definition = serde_json::from_value(definition).unwrap();
    definitions
        .create(&PostParams::default(), &definition)
        .await
        .unwrap();
    eventually("its objects are served", async || {
        objects.list(&ListParams::default()).await.is_ok()
    })
    .await;
}

/// The DNSEndpoints of the namespace `default`, by the group that they are served in.
pub fn objects(client: &Client, group: &str) -> Api<DynamicObject> {
    let names = json!({ "kind": "DNSEndpoint", "plural": "dnsendpoints" });
    objects_of(client, &json!({ "group": group, "names": names }))
}

/// The objects of the namespace `default` that a definition is of.
fn objects_of(client: &Client, definition: &Value) -> Api<DynamicObject> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (group, names) = (text(&definition["group"]), &definition["names"]);
    let resource = ApiResource {
        api_version: format!("{group}/v1alpha1"),
        group,
        version: "v1alpha1".into(),
        kind: text(&names["kind"]),
        plural: text(&names["plural"]),
    };
    Api::namespaced_with(client.clone(), "default", &resource)
}
