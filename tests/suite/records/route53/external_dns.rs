//! A stock external-dns with its own provider for Route 53, and our program: each takes what
//! the other wrote for its own.

use std::process::{Command, Output};

use devcluster::{Distribution, Progress, programs};
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use tests::program;

use super::{Site, text};
use crate::control_plane::Plane;
use crate::records::definitions::{GROUP, define, lenient, objects};

/// What external-dns says when it changes nothing.
const UP_TO_DATE: &str = "All records are already up to date";

/// DNSEndpoints of a real API server, and moto.
struct Stage {
    plane: Plane,
    site: Site,
}

fn wanted() -> Value {
    let weighed = |identifier: &str, address: &str, weight: &str| {
        json!({ "dnsName": "weighed.example.com", "recordType": "A", "targets": [address], "setIdentifier": identifier,
                "providerSpecific": [{ "name": "aws/weight", "value": weight }] })
    };
    json!([
        { "dnsName": "a.example.com", "recordType": "A", "recordTTL": 60, "targets": ["192.0.2.1", "192.0.2.2"] },
        { "dnsName": "*.wild.example.com", "recordType": "A", "targets": ["192.0.2.1"] },
        { "dnsName": "aaaa.example.com", "recordType": "AAAA", "targets": ["2001:db8::1"] },
        { "dnsName": "cname.example.com", "recordType": "CNAME", "targets": ["host.example.net"] },
        { "dnsName": "web.example.com", "recordType": "CNAME", "targets": ["web-1.us-east-1.elb.amazonaws.com"] },
        { "dnsName": "here.example.com", "recordType": "CNAME", "targets": ["a.example.com"],
          "providerSpecific": [{ "name": "alias", "value": "true" }] },
        { "dnsName": "mx.example.com", "recordType": "MX", "targets": ["10 mail.example.com"] },
        { "dnsName": "txt.example.com", "recordType": "TXT", "targets": ["\"some text\""] },
        weighed("blue", "192.0.2.1", "10"),
        weighed("green", "192.0.2.2", "20"),
    ])
}

impl Stage {
    async fn start() -> Self {
        let stage = Self {
            plane: Plane::without_controllers(Distribution::Kubernetes).await,
            site: Site::start().await,
        };
        define(&stage.plane, lenient(GROUP)).await;
        let wanted = json!({
            "apiVersion": "externaldns.k8s.io/v1alpha1",
            "kind": "DNSEndpoint",
            "metadata": { "name": "wanted" },
            "spec": { "endpoints": wanted() },
        });
        let force = PatchParams::apply("test").force();
        let patch = objects(&stage.plane.client, GROUP)
            .patch("wanted", &force, &Patch::Apply(&wanted))
            .await;
        patch.unwrap();
        stage
    }

    fn flags(&self) -> Vec<String> {
        let kubeconfig = self.plane.cluster.kubeconfig().display().to_string();
        [
            "--source=crd",
            "--provider=aws",
            "--policy=sync",
            "--txt-owner-id=test",
            "--txt-wildcard-replacement=any",
            &format!("--kubeconfig={kubeconfig}"),
        ]
        .map(str::to_owned)
        .into()
    }

    fn ours(&self, verb: &str) -> Output {
        let mut command = Command::new(program::path().unwrap());
        command.args(["records", verb]).args(self.flags());
        command.arg("--managed-record-types=A,AAAA,CNAME,MX,TXT");
        self.site.run(&mut command)
    }

    /// One pass of external-dns, and what it logs.
    fn theirs(&self) -> String {
        let external_dns = programs::EXTERNAL_DNS_CONTROLLER
            .path(&Progress::hidden())
            .unwrap();
        let mut command = Command::new(external_dns);
        command.args(["--once", "--log-level=debug", "--metrics-address=127.0.0.1:0"]);
        command.args(self.flags());
        command
            .args(["A", "AAAA", "CNAME", "MX", "TXT"].map(|name| format!("--managed-record-types={name}")));
        let output = self.site.run(&mut command);
        assert!(output.status.success(), "{}", text(&output));
        text(&output)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn external_dns_takes_our_records_for_its_own() {
    let stage = Stage::start().await;
    let applied = stage.ours("apply");
    assert_eq!(applied.status.code(), Some(0), "{}", text(&applied));
    let before = stage.site.records().await;
    // Two sets of two aliases each, and each set has its ownership record.
    assert_eq!(before.len(), 24, "{before:#?}");
    let log = stage.theirs();
    assert!(
        log.contains(UP_TO_DATE) && !log.contains("Desired change"),
        "{log}"
    );
    assert_eq!(stage.site.records().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn we_take_external_dnss_records_for_our_own() {
    let stage = Stage::start().await;
    let log = stage.theirs();
    assert!(log.contains("Desired change: CREATE web.example.com A"), "{log}");
    assert!(stage.theirs().contains(UP_TO_DATE));
    let before = stage.site.records().await;
    assert_eq!(before.len(), 24, "{before:#?}");
    let planned = stage.ours("plan");
    assert_eq!(planned.status.code(), Some(0), "{}", text(&planned));
    // Taken for our own: what is not wanted any more goes.
    let mut command = Command::new(program::path().unwrap());
    std::fs::write(stage.site.folder.path().join("none.yaml"), "endpoints: []\n").unwrap();
    command.args([
        "records",
        "apply",
        "--file",
        "none.yaml",
        "--provider=aws",
        "--policy=sync",
    ]);
    command.args([
        "--txt-owner-id=test",
        "--txt-wildcard-replacement=any",
        "--max-deletions=100",
    ]);
    command.arg("--managed-record-types=A,AAAA,CNAME,MX,TXT");
    let applied = stage.site.run(&mut command);
    assert_eq!(applied.status.code(), Some(0), "{}", text(&applied));
    assert_eq!(stage.site.records().await, []);
}
