//! A provider that is away when a server starts.

use std::net::{Ipv4Addr, SocketAddr};

use remote::protocol::v2::read_zone_response::header::Basis;
use serde_json::{Value, json};
use tonic_types::StatusExt as _;

use super::super::daemon::command;
use super::super::rfc2136::proxy::{Fault, Proxy};
use super::super::run::stage::endpoint;
use super::stage::{Stage, ZONE, address, provider};
use crate::control_plane::eventually;

/// What stands before the Knot, and can be taken away.
async fn proxy(stage: &Stage, listen: SocketAddr) -> Proxy {
    Proxy::start(listen, stage.primary.listen(), Fault::None).await
}

async fn take_away(proxy: Proxy) -> SocketAddr {
    let address = proxy.address;
    drop(proxy);
    eventually("the provider is away", async || {
        tokio::net::TcpStream::connect(address).await.is_err()
    })
    .await;
    address
}

/// The Secret of a namespace for a server at another address.
fn secret(stage: &Stage, namespace: &str, server: SocketAddr) -> Value {
    let mut secret = stage.secret(namespace);
    secret["stringData"]["Server"] = json!(server.to_string());
    secret
}

#[tokio::test]
async fn what_was_kept_is_served_and_changes_wait() {
    let stage = Stage::start("www 300 A 192.0.2.80").await;
    let proxy = proxy(&stage, (Ipv4Addr::LOCALHOST, 0).into()).await;
    // The account of another namespace was never let in.
    let objects = [
        provider("blue"),
        secret(&stage, "blue", proxy.address),
        provider("green"),
        secret(&stage, "green", address()),
    ];
    let providers = [stage.write("providers.yaml", &objects)];
    let address = address();
    let server = stage.serve(address, &providers).await;
    let mut blue = stage.client(address, "blue");
    assert_eq!(blue.zones().await.unwrap(), [ZONE]);
    let (before, records) = blue.read(&[]).await.unwrap();
    server.kill();
    let place = take_away(proxy).await;

    let server = stage.serve(address, &providers).await;
    let mut late = stage.client(address, "blue");
    assert_eq!(late.zones().await.unwrap(), [ZONE]);
    let (header, known) = late.read(&[]).await.unwrap();
    assert!(matches!(header.basis, Some(Basis::Whole(_))));
    assert_eq!((header.revision, known), (before.revision, records));
    assert_eq!(late.create(&["api".into()]).await.unwrap(), ["postponed"]);
    let log = server.log();
    let told = log.lines().rfind(|line| line.contains("blue/knot"));
    let told = told.unwrap_or_else(|| panic!("{log}"));
    assert!(
        told.contains("what was known at 20") && told.contains("stays in use"),
        "{told}"
    );
    assert!(told.contains(&place.to_string()), "{told}");
    // By the first server, and not by one that has only what was kept.
    assert_eq!(log.matches("provider operational").count(), 1, "{log}");
    nothing_is_known_of(&stage, address, "green").await;
    nothing_is_known_of(&stage, address, "nobody").await;

    let _proxy = self::proxy(&stage, place).await;
    eventually("it is written again", async || {
        late.create(&["web".into()]).await.unwrap() == ["applied"]
    })
    .await;
    eventually("the account is told to be usable", async || {
        let log = server.log();
        let told = log.lines().rfind(|line| line.contains("blue/knot"));
        told.is_some_and(|told| told.contains("provider operational"))
    })
    .await;
    assert_eq!(stage.names().await, ["web", "www"]);
}

/// A namespace of which nothing could be found out is not one that has nothing.
async fn nothing_is_known_of(stage: &Stage, address: SocketAddr, namespace: &str) {
    let refusal = stage.client(address, namespace).zones().await.unwrap_err();
    let delay = refusal.get_details_retry_info().and_then(|info| info.retry_delay);
    if namespace == "nobody" {
        assert_eq!(refusal.code(), tonic::Code::NotFound, "{refusal}");
    } else {
        assert_eq!(refusal.code(), tonic::Code::Unavailable, "{refusal}");
        assert!(delay.is_some_and(|delay| !delay.is_zero()), "{refusal}");
    }
}

/// A pass knows the zone, and leaves it alone.
#[tokio::test]
async fn a_pass_knows_the_zones_that_were_there() {
    let stage = Stage::start("").await;
    let proxy = proxy(&stage, (Ipv4Addr::LOCALHOST, 0).into()).await;
    let objects = [provider("blue"), secret(&stage, "blue", proxy.address)];
    let accounts = stage.write("accounts.yaml", &objects);
    let wanted = stage.write(
        "wanted.yaml",
        &[json!({ "endpoints": [endpoint("api", "192.0.2.1")] })],
    );
    let pass = async || {
        let arguments = [
            "apply",
            "--policy=sync",
            "--provider=dns-providers",
            "--provider-cache-time=10m",
            &format!(
                "--record-cache-dir={}",
                stage.folder.path().join("cache").display()
            ),
            &format!("--dns-provider-file={}", accounts.display()),
            &format!("--file={}", wanted.display()),
        ];
        let mut command = tokio::process::Command::from(command(&arguments.map(str::to_owned)));
        let output = command.output().await.unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    };
    let (code, said) = pass().await;
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(stage.names().await, ["api"]);
    take_away(proxy).await;
    let (code, said) = pass().await;
    assert_eq!(code, Some(1), "{said}");
    assert!(!said.contains("no DNSProvider that can be used"), "{said}");
    assert!(said.contains(ZONE), "{said}");
    assert_eq!(stage.names().await, ["api"]);
}
