//! CA bundles: where they are, what is in them, and how they are rotated.

mod rotation;

use devcluster::certificates::Authority;
use operator::dns::objects::ObjectKey;
use operator::resources::{config_map_key, daemon_set_key};
use serde_json::{Value, json};

use crate::control_plane::{Operator, Plane, eventually, quiet};
use crate::scenario::settled;

fn source(name: &str) -> ObjectKey {
    config_map_key("openshift-config", name)
}

fn copy(name: &str) -> ObjectKey {
    config_map_key("openshift-dns", name)
}

fn certificate() -> String {
    Authority::new().unwrap().certificate().to_owned()
}

/// A server that forwards over TLS and checks its upstream against a bundle.
fn tls_server(zone: &str, server_name: &str, bundle: &str) -> Value {
    let tls = json!({ "serverName": server_name, "caBundle": { "name": bundle } });
    json!({ "name": zone, "zones": [zone], "forwardPlugin": {
        "upstreams": ["192.0.2.1"], "transportConfig": { "transport": "TLS", "tls": tls },
    } })
}

async fn make_source(plane: &Plane, name: &str, fields: Value) {
    let key = source(name);
    let mut map = json!({ "metadata": { "namespace": "openshift-config" } });
    for (field, value) in fields.as_object().unwrap() {
        map[field] = value.clone();
    }
    plane.create(&key, map).await;
}

/// The folders of CA bundles that the Corefile names.
async fn named(plane: &Plane) -> Vec<String> {
    let corefile = plane.corefile().await;
    let words = corefile
        .split_whitespace()
        .filter(|word| word.starts_with("/etc/pki/"));
    words
        .map(|word| word.trim_end_matches("/ca-bundle.crt").to_owned())
        .collect()
}

/// The folders of CA bundles that the DNS pods mount, and their volumes.
async fn mounted(plane: &Plane) -> Vec<(String, String)> {
    let set = plane.get(&daemon_set_key("dns-default")).await.unwrap();
    let container = &set["spec"]["template"]["spec"]["containers"][0];
    let mounts = container["volumeMounts"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    mounts
        .iter()
        .map(|mount| (text(&mount["mountPath"]), text(&mount["name"])))
        .filter(|(folder, _)| folder.starts_with("/etc/pki/"))
        .collect()
}

async fn folders(plane: &Plane) -> Vec<String> {
    mounted(plane)
        .await
        .into_iter()
        .map(|(folder, _)| folder)
        .collect()
}

async fn ready(plane: &Plane) -> Value {
    plane.condition("CABundlesReady").await["reason"].clone()
}

/// An operator that has put a bundle into force, for the server `dns.example`.
async fn with_bundle(plane: &Plane) -> Operator {
    plane.make_namespace("openshift-config").await;
    make_source(
        plane,
        "bundle",
        json!({ "data": { "ca-bundle.crt": certificate() } }),
    )
    .await;
    let operator = plane.operator();
    settled(plane).await;
    plane
        .edit(json!({ "servers": [tls_server("a.example", "dns.example", "bundle")] }))
        .await;
    eventually("the bundle is used", async || {
        named(plane).await.len() == 1 && mounted(plane).await.len() == 1
    })
    .await;
    operator
}

#[tokio::test]
async fn a_bundle_follows_its_source() {
    let plane = Plane::start().await;
    plane.make_namespace("openshift-config").await;
    let _operator = plane.operator();
    settled(&plane).await;
    let first = certificate();
    make_source(&plane, "my.bundle", json!({ "data": { "ca-bundle.crt": first } })).await;
    // Two servers share it: one volume, a mount for each name.
    plane
        .edit(json!({ "servers": [
            tls_server("a.example", "one.example", "my.bundle"),
            tls_server("b.example", "two.example", "my.bundle"),
        ] }))
        .await;
    eventually("both servers name their bundle", async || {
        named(&plane).await.len() == 2
    })
    .await;
    let before = named(&plane).await;
    assert!(
        before[0].starts_with("/etc/pki/one.example-ca-my.bundle-"),
        "{before:?}"
    );
    eventually("both are mounted", async || mounted(&plane).await.len() == 2).await;
    let mounts = mounted(&plane).await;
    assert_eq!(mounts[0].1, mounts[1].1, "one volume");
    eventually("it is told", async || ready(&plane).await == "AsExpected").await;
    let source = source("my.bundle");
    let copy = copy("ca-my.bundle");
    plane
        .patch(&source, json!({ "metadata": { "annotations": { "a": "b" } } }))
        .await;
    plane
        .patch(&copy, json!({ "metadata": { "annotations": { "a": "b" } } }))
        .await;
    quiet().await;
    assert_eq!(named(&plane).await, before, "the name is that of the content");
    let second = certificate();
    plane
        .patch(&source, json!({ "data": { "ca-bundle.crt": second } }))
        .await;
    eventually("the rotated bundle is named", async || {
        named(&plane).await != before
    })
    .await;
    assert_eq!(plane.get(&copy).await.unwrap()["data"]["ca-bundle.crt"], second);
}

#[tokio::test]
async fn a_bundle_whose_source_has_gone_is_used_for_as_long_as_it_is_asked_for() {
    let plane = Plane::start().await;
    let _operator = with_bundle(&plane).await;
    let copy = copy("ca-bundle");
    plane.delete(&source("bundle")).await;
    plane
        .told("source ca bundle configmap bundle does not exist")
        .await;
    assert!(plane.get(&copy).await.is_some(), "a copy in use stays");
    eventually("it is told", async || ready(&plane).await == "CABundleMissing").await;
    assert_ne!(plane.condition("Degraded").await["reason"], "ReconcileFailed");
    plane
        .edit(json!({ "servers": [tls_server("a.example", "one.example", "missing-cm")] }))
        .await;
    plane.corefile_has("tls").await;
    eventually("the unused copy is gone", async || {
        plane.get(&copy).await.is_none()
    })
    .await;
    plane.told("missing-cm does not exist").await;
    plane.edit(json!({ "servers": null })).await;
    eventually("the condition is gone", async || ready(&plane).await.is_null()).await;
}

/// What a bundle that cannot be used may look like, and what is said of it.
fn unreadable() -> [(&'static str, Value, &'static str); 5] {
    let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    [
        (
            "other-key",
            json!({ "data": { "ca.crt": "x" } }),
            "must have the key ca-bundle.crt (its keys: ca.crt)",
        ),
        (
            "binary",
            json!({ "binaryData": { "ca-bundle.crt": "AAAA" } }),
            "is in binaryData; it must be text",
        ),
        (
            "empty",
            json!({ "data": { "ca-bundle.crt": "" } }),
            "the key ca-bundle.crt is empty",
        ),
        (
            "no-pem",
            json!({ "data": { "ca-bundle.crt": "a certificate" } }),
            "must hold certificates in PEM",
        ),
        (
            "garbage",
            json!({ "data": { "ca-bundle.crt": garbage } }),
            "none of its certificates (1) can be read",
        ),
    ]
}

#[tokio::test]
async fn a_bundle_that_coredns_would_not_load_reaches_no_pod() {
    let plane = Plane::start().await;
    plane.make_namespace("openshift-config").await;
    let _operator = plane.operator();
    settled(&plane).await;
    for (name, fields, words) in unreadable() {
        make_source(&plane, name, fields).await;
        plane
            .edit(json!({ "servers": [tls_server("a.example", "one.example", name)] }))
            .await;
        plane.told(words).await;
        eventually(name, async || ready(&plane).await == "CABundleUnreadable").await;
        assert!(named(&plane).await.is_empty(), "{name}");
        assert!(mounted(&plane).await.is_empty(), "{name}");
        let message = plane.condition("CABundlesReady").await["message"].clone();
        assert!(message.as_str().unwrap().contains(name), "{message}");
    }
    // A good one that is overwritten with a bad one goes on being used.
    let good = certificate();
    plane
        .patch(&source("no-pem"), json!({ "data": { "ca-bundle.crt": good } }))
        .await;
    plane
        .edit(json!({ "servers": [tls_server("a.example", "one.example", "no-pem")] }))
        .await;
    eventually("the bundle is used", async || named(&plane).await.len() == 1).await;
    let before = named(&plane).await;
    plane
        .patch(&source("no-pem"), json!({ "data": { "ca-bundle.crt": "bad" } }))
        .await;
    eventually("it is told", async || ready(&plane).await == "CABundleUnreadable").await;
    quiet().await;
    assert_eq!(named(&plane).await, before);
    assert_eq!(
        plane.get(&copy("ca-no-pem")).await.unwrap()["data"]["ca-bundle.crt"],
        good
    );
}

#[tokio::test]
async fn any_name_and_any_size_of_a_bundle_will_do() {
    let plane = Plane::start().await;
    plane.make_namespace("openshift-config").await;
    let _operator = plane.operator();
    settled(&plane).await;
    let longest = format!("{}.{}", "a".repeat(126), "b".repeat(126));
    let server_name = format!("{0}.{0}.{0}.{1}", "c".repeat(63), "d".repeat(61));
    let mut mebibyte = certificate();
    let room = (1 << 20) - mebibyte.len() - "ca-bundle.crt".len();
    mebibyte.push_str(&"#".repeat(room));
    for (name, content) in [
        (longest.as_str(), certificate()),
        ("with.dots", certificate()),
        ("huge", mebibyte),
    ] {
        make_source(&plane, name, json!({ "data": { "ca-bundle.crt": content } })).await;
        plane
            .edit(json!({ "servers": [tls_server("a.example", &server_name, name)] }))
            .await;
        eventually(name, async || {
            let (named, mounted) = (named(&plane).await, folders(&plane).await);
            ready(&plane).await == "AsExpected" && named.len() == 1 && named == mounted
        })
        .await;
        let folder = named(&plane).await.remove(0);
        let longest_part = folder.split('/').map(str::len).max();
        assert!(
            longest_part <= Some(255),
            "no longer than a file's name may be: {folder}"
        );
    }
}
