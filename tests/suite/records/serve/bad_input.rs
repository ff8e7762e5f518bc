//! What people give `records serve` that it cannot use.

use std::fs;
use std::process::Output;

use serde_json::json;

use super::super::daemon::{Daemon, command};
use super::stage::{Stage, address, provider};
use crate::control_plane::eventually;

fn told(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// What the command says with further arguments, beside those of a server that would start.
fn refusal(stage: &Stage, more: &[String]) -> String {
    let mut arguments = stage.arguments(address(), "cache");
    arguments.push("--metrics-address=127.0.0.1:0".into());
    arguments.extend(more.iter().cloned());
    told(&command(&arguments).output().unwrap())
}

#[tokio::test]
async fn what_cannot_be_used_is_told_with_its_place_and_what_is_allowed() {
    let stage = Stage::start("").await;
    let flag = |file: &std::path::Path| format!("--providers={}", file.display());
    let good = flag(&stage.write("good.yaml", &[provider("blue"), stage.secret("blue")]));

    for (wrong, allowed) in [
        ("--namespace-changes-per-hour=0", "1.."),
        ("--namespace-changes-burst=5", "--namespace-changes-per-hour"),
        ("--leader-election-namespace=x", "--providers"),
        ("--address=7777", "ADDRESS:PORT"),
        ("--zone-cache-time=0s", "must be longer than 0s"),
    ] {
        let said = refusal(&stage, &[good.clone(), wrong.to_owned()]);
        assert!(said.contains(allowed), "{wrong}: {said}");
    }

    let absent = stage.folder.path().join("absent.yaml");
    let said = refusal(&stage, &[flag(&absent)]);
    assert!(
        said.contains(&format!("--providers: failed to read {}", absent.display())),
        "{said}"
    );
    let mut secret = stage.secret("blue");
    secret["data"] = json!({ "TSIGSecret": "c2VjcmV0!" });
    let nameless = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "knot" } });
    let pod = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "x", "namespace": "y" } });
    for (object, expected) in [
        (
            pod,
            "it is a Pod of v1; allowed are DNSProvider of dns.gardener.cloud/v1alpha1 and Secret of v1",
        ),
        (
            json!({ "kind": "Pod" }),
            "document 1 has no apiVersion, kind and metadata.name",
        ),
        (nameless, "metadata.namespace is missing"),
        (secret, "data takes texts in base64, stringData texts"),
    ] {
        let file = stage.write("bad.yaml", &[object]);
        let said = refusal(&stage, &[flag(&file)]);
        assert!(said.contains(expected) && said.contains("bad.yaml"), "{said}");
        assert!(!said.contains("c2VjcmV0"), "{said}");
    }
    let twice = stage.write("bad.yaml", &[provider("blue"), provider("blue")]);
    let said = refusal(&stage, &[flag(&twice)]);
    assert!(said.contains("it is there more than once"), "{said}");
    certificates_that_cannot_be_used(&stage, good);
}

fn certificates_that_cannot_be_used(stage: &Stage, good: String) {
    for name in ["tls.crt", "tls.key", "ca.crt"] {
        let file = stage.tls_dir().join(name);
        let content = fs::read(&file).unwrap();
        fs::write(&file, "no PEM").unwrap();
        let said = refusal(stage, std::slice::from_ref(&good));
        assert!(
            said.contains("--tls-dir: ") && said.contains(&format!("{name}: ")),
            "{said}"
        );
        fs::remove_file(&file).unwrap();
        let said = refusal(stage, std::slice::from_ref(&good));
        assert!(
            said.contains(&format!("--tls-dir: failed to read {}", file.display())),
            "{said}"
        );
        fs::write(&file, content).unwrap();
    }
    let other = stage.servers.server(&["127.0.0.1"]).unwrap();
    fs::write(stage.tls_dir().join("tls.key"), other.key).unwrap();
    let said = refusal(stage, &[good]);
    assert!(
        said.contains("tls.crt and tls.key cannot be used together"),
        "{said}"
    );
}

#[tokio::test]
async fn what_leaves_nothing_to_serve_is_told_in_the_log() {
    let stage = Stage::start("").await;
    let mut closed = provider("blue");
    closed["metadata"]["annotations"] = json!({});
    let file = stage.write("providers.yaml", &[closed]);
    let mut arguments = stage.arguments(address(), "cache");
    arguments.push(format!("--providers={}", file.display()));
    let daemon = Daemon::start(stage.folder.path(), "serve", &arguments).await;
    eventually("both are told", async || {
        let log = daemon.log();
        log.contains("Secret blue/knot is not there")
            && log.contains("no DNSProvider has the annotation dns.gardener.cloud/remote-access")
    })
    .await;
}
