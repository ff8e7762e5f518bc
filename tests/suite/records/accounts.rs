//! `records run` for DNSEndpoints at services with accounts: one object becomes records at
//! Cloudflare's stand-in, another at moto, and each is told so.

use devcluster::Distribution;
use devcluster::moto::ENVIRONMENT;
use operator::resources::dns_endpoint_key;
use serde_json::{Value, json};
use tests::cloudflare::TOKEN;

use super::cloudflare::stage::{ZONE, fake, lines};
use super::daemon::{Daemon, command};
use super::definitions::{define, ours};
use super::route53::Site;
use super::run::stage::{endpoint, is_told};
use crate::control_plane::{Plane, eventually};

const TRUE: (&str, &str, &str) = ("True", "Accepted", "Programmed");

/// What is wanted of an account.
async fn want(plane: &Plane, account: &str, endpoints: &[Value]) {
    let key = dns_endpoint_key("default", account);
    let fields = json!({
        "metadata": { "labels": { "account": account } },
        "spec": { "endpoints": endpoints },
    });
    if plane.get(&key).await.is_some() {
        plane.patch(&key, fields).await;
    } else {
        plane.create(&key, fields).await;
    }
}

/// The program for the objects of an account.
async fn run(plane: &Plane, account: &str, variables: &[(&str, &str)]) -> Daemon {
    let arguments = [
        "run",
        "--source=crd",
        &format!("--label-filter=account={account}"),
        &format!("--provider={account}"),
        "--policy=sync",
        "--txt-owner-id=us",
        "--max-deletions=100",
        "--interval=1s",
        "--min-event-sync-interval=100ms",
        "--provider-cache-time=1h",
        "--provider-cache-patch-on-apply",
    ];
    let mut command = command(&arguments.map(str::to_owned));
    command
        .env("KUBECONFIG", plane.cluster.kubeconfig())
        .envs(variables.iter().copied());
    Daemon::launch(plane.cluster.launcher(), account, &command).await
}

#[tokio::test(flavor = "multi_thread")]
async fn dns_endpoints_become_records_at_cloudflare_and_at_route_53() {
    let plane = Plane::without_controllers(Distribution::Kubernetes).await;
    define(&plane, ours()).await;
    let (fake, site) = (fake().await, Site::start().await);
    let (cloudflare, moto) = (fake.url(), site.moto.url());
    let mut at_cloudflare = run(
        &plane,
        "cloudflare",
        &[("CF_API_TOKEN", TOKEN), ("CLOUDFLARE_BASE_URL", &cloudflare)],
    )
    .await;
    let mut at_route_53 = run(
        &plane,
        "aws",
        &[&ENVIRONMENT[..], &[("AWS_ENDPOINT_URL", &moto)]].concat(),
    )
    .await;

    want(&plane, "cloudflare", &[endpoint("web", "192.0.2.1")]).await;
    want(&plane, "aws", &[endpoint("app", "192.0.2.2")]).await;
    is_told(&plane, "cloudflare", TRUE).await;
    is_told(&plane, "aws", TRUE).await;
    assert_eq!(lines(&fake, ZONE), ["web.example.com A 192.0.2.1"]);
    assert_eq!(site.names(), ["a-app.example.com. TXT", "app.example.com. A"]);

    // Cloudflare takes no TTL between 1 and 60: that record is told, the other one lands.
    let mut quick = endpoint("quick", "192.0.2.3");
    quick["recordTTL"] = json!(45);
    want(&plane, "cloudflare", &[endpoint("web", "192.0.2.4"), quick]).await;
    is_told(&plane, "cloudflare", ("True", "Accepted", "RejectedByProvider")).await;
    assert_eq!(lines(&fake, ZONE), ["web.example.com A 192.0.2.4"]);
    want(&plane, "cloudflare", &[]).await;
    eventually("nothing is left at Cloudflare", async || {
        lines(&fake, ZONE).is_empty()
    })
    .await;

    plane.delete(&dns_endpoint_key("default", "aws")).await;
    eventually("nothing is left at Route 53", async || site.names().is_empty()).await;
    at_cloudflare.is_alive();
    at_route_53.is_alive();
    plane.cluster.stop().unwrap();
}
