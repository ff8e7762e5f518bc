//! A server of DNSProviders in files.

use std::collections::BTreeMap;
use std::fs;

use devcluster::certificates::Authority;
use remote::protocol::v2::read_zone_response::header::Basis;
use serde_json::json;
use tonic::Code;

use super::super::daemon::Daemon;
use super::super::metrics::{documented_in, exposed};
use super::stage::{Client, REMOTE, Stage, ZONE, address, provider};
use crate::control_plane::{eventually, quiet};

#[tokio::test]
async fn zones_of_files_are_served_to_the_clients_of_their_namespaces() {
    let stage = Stage::start("www 300 A 192.0.2.80").await;
    let mut private = provider("private");
    private["metadata"]["annotations"] = json!({});
    let mut yellow = provider("yellow");
    yellow["spec"]["secretRef"]["namespace"] = json!("blue");
    let objects = [
        provider("blue"),
        yellow,
        private,
        stage.secret("blue"),
        stage.secret("private"),
    ];
    let providers = stage.write("providers.yaml", &objects);
    let address = address();
    let daemon = stage.serve(address, std::slice::from_ref(&providers)).await;
    let (mut blue, mut yellow) = (stage.client(address, "blue"), stage.client(address, "yellow"));

    assert_eq!(blue.zones().await.unwrap(), [ZONE]);
    assert_eq!(yellow.zones().await.unwrap(), [ZONE]);
    // No annotation, and so no client of it either.
    assert_eq!(
        stage.client(address, "private").refusal().await,
        Some(Code::NotFound)
    );
    let pair = stage.clients.client("yellow", "clients").unwrap();
    let mut intruder = Client::new(address, "blue", &pair, stage.servers.certificate());
    assert_eq!(intruder.refusal().await, Some(Code::PermissionDenied));

    let (header, records) = blue.read(&[]).await.unwrap();
    assert!(matches!(header.basis, Some(Basis::Whole(_))));
    assert!(
        records
            .iter()
            .any(|record| &*record.dns_name == "www.example.com")
    );
    assert_eq!(blue.create(&["api".into()]).await.unwrap(), ["applied"]);
    assert_eq!(stage.names().await, ["api", "www"]);
    assert_eq!(yellow.create(&["api".into()]).await.unwrap(), ["conflict"]);
    let (_, changed) = yellow.read(&header.revision).await.unwrap();
    assert_eq!(changed.len(), 1, "{changed:?}");
    assert_eq!(&*changed[0].dns_name, "api.example.com");
    what_is_counted(&daemon).await;

    certificates_are_followed(&stage, address, &daemon).await;
    files_are_followed(&stage, &mut blue, &daemon).await;
}

/// Two namespaces have one account.
async fn what_is_counted(daemon: &Daemon) {
    let metrics = daemon.get("/metrics").await.unwrap().body;
    let of = |beginning: &str, label: &str| {
        let lines: Vec<&str> = metrics
            .lines()
            .filter(|line| line.starts_with(beginning) && line.contains(label))
            .collect();
        let [line] = lines[..] else {
            panic!("{beginning} {label}: {lines:?}\n{metrics}");
        };
        line.rsplit_once(' ').unwrap().1.to_owned()
    };
    assert_eq!(
        of(
            "external_dns_records_provider_calls_total{account=\"rfc2136-",
            "operation=\"apply\""
        ),
        "1"
    );
    assert_eq!(of("external_dns_records_remote_leading", ""), "1");
    assert_eq!(of("external_dns_records_remote_denied_total", ""), "1");
    let groups = "external_dns_records_remote_groups_total{namespace=";
    assert_eq!(
        of(&format!("{groups}\"blue\""), "outcome=\"applied\""),
        "1",
        "{metrics}"
    );
    assert_eq!(of(&format!("{groups}\"yellow\""), "outcome=\"conflict\""), "1");
    let rows = documented_in("external-records/central-server.md");
    let documented: BTreeMap<_, _> = rows.into_iter().flat_map(|(_, metrics)| metrics).collect();
    let mut own = exposed(&metrics);
    own.retain(|name, _| name.starts_with("external_dns_records_remote_"));
    assert_eq!(own, documented);
}

/// Another certificate counts for the next connection; a broken one does not, and is told.
async fn certificates_are_followed(stage: &Stage, address: std::net::SocketAddr, daemon: &Daemon) {
    let other = Authority::new().unwrap();
    stage.certify(&other);
    let pair = stage.clients.client("blue", "clients").unwrap();
    eventually("the other certificate is shown", async || {
        let mut client = Client::new(address, "blue", &pair, other.certificate());
        client.zones().await.is_ok()
    })
    .await;
    assert_eq!(
        stage.client(address, "blue").refusal().await,
        Some(Code::Unavailable)
    );
    fs::write(stage.tls_dir().join("tls.key"), "no key").unwrap();
    eventually("the broken key is told", async || {
        let log = daemon.log();
        let told = log.lines().find(|line| line.contains("no new certificates"));
        told.is_some_and(|line| {
            line.contains("tls.key: ") && line.contains(&*stage.tls_dir().to_string_lossy())
        })
    })
    .await;
    let mut client = Client::new(address, "blue", &pair, other.certificate());
    assert_eq!(client.zones().await.unwrap(), [ZONE]);
}

/// On the connection that was there all the time.
async fn files_are_followed(stage: &Stage, blue: &mut Client, daemon: &Daemon) {
    stage.write("providers.yaml", &[provider("blue"), json!({ "kind": "Pod" })]);
    eventually("the broken file is told", async || {
        daemon.log().contains("what they said before holds")
    })
    .await;
    assert_eq!(blue.zones().await.unwrap(), [ZONE]);
    let mut closed = provider("blue");
    closed["metadata"]["annotations"] = json!({ REMOTE: "false" });
    stage.write("providers.yaml", &[closed, stage.secret("blue")]);
    eventually("the zone is gone", async || {
        blue.refusal().await == Some(Code::NotFound)
    })
    .await;
    stage.write("providers.yaml", &[provider("blue"), stage.secret("blue")]);
    eventually("the zone is back", async || blue.zones().await.is_ok()).await;
    stage.write("providers.yaml", &[provider("blue")]);
    eventually("the Secret is missed", async || {
        daemon.log().contains("Secret blue/knot is not there")
    })
    .await;
    eventually("the zone is gone again", async || {
        blue.refusal().await == Some(Code::NotFound)
    })
    .await;
    quiet().await;
}
