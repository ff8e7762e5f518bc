//! A stock external-dns at the stand-in, which proves that it does as Cloudflare does; and
//! one in front of our webhook server, which proves that nothing of it changes what
//! external-dns wants.

use devcluster::Distribution;
use kube::api::{Patch, PatchParams};
use records::webhook::{Server, Settings as ServerSettings};
use serde_json::{Value, json};
use tests::cloudflare::{Cloudflare as Fake, Kind, TOKEN};

use super::stage::{ZONE, cached, calls, fake, lines, provider, settings};
use crate::control_plane::{Plane, eventually};
use crate::records::definitions::{GROUP, define, lenient, objects};
use crate::records::webhook::external_dns::ExternalDns;
use crate::records::webhook::listener::Listener;

/// An API server with DNSEndpoints, and the stand-in.
struct Cluster {
    plane: Plane,
    fake: Fake,
}

impl Cluster {
    async fn start() -> Self {
        let cluster = Self {
            plane: Plane::without_controllers(Distribution::Kubernetes).await,
            fake: fake().await,
        };
        define(&cluster.plane, lenient(GROUP)).await;
        cluster
    }

    fn arguments(&self) -> Vec<String> {
        let kubeconfig = self.plane.cluster.kubeconfig();
        let types = ["A", "AAAA", "CNAME", "TXT", "MX"].map(|of| format!("--managed-record-types={of}"));
        [
            "--source=crd".to_owned(),
            "--policy=sync".to_owned(),
            "--txt-owner-id=us".to_owned(),
            format!("--kubeconfig={}", kubeconfig.display()),
        ]
        .into_iter()
        .chain(types)
        .collect()
    }

    async fn want(&self, endpoints: Value) {
        let wanted = json!({
            "apiVersion": "externaldns.k8s.io/v1alpha1",
            "kind": "DNSEndpoint",
            "metadata": { "name": "wanted" },
            "spec": { "endpoints": endpoints },
        });
        let params = PatchParams::apply("test").force();
        let objects = objects(&self.plane.client, GROUP);
        objects
            .patch("wanted", &params, &Patch::Apply(&wanted))
            .await
            .unwrap();
    }

    /// Waits until the zone has these records beside those that tell ownership.
    async fn has(&self, external_dns: &mut ExternalDns, wanted: &[&str]) {
        eventually(&wanted.join(", "), async || {
            external_dns.check().unwrap();
            lines(&self.fake, ZONE) == wanted
        })
        .await;
    }

    /// Some passes later, nothing more was written.
    async fn rests(&self, external_dns: &mut ExternalDns, of_a_pass: Kind) {
        calls(&self.fake);
        let mut seen = 0;
        eventually("three passes", async || {
            external_dns.check().unwrap();
            let calls = calls(&self.fake);
            assert_eq!(calls.get(&Kind::Batch), None);
            assert_eq!(calls.get(&Kind::Single), None);
            seen += calls.get(&of_a_pass).copied().unwrap_or_default();
            seen >= 3
        })
        .await;
    }
}

fn wanted(name: &str, record_type: &str, targets: &[&str]) -> Value {
    json!({ "dnsName": name, "recordType": record_type, "targets": targets })
}

fn first() -> Value {
    let mut slow = wanted("a.example.com", "A", &["192.0.2.1", "192.0.2.2"]);
    slow["recordTTL"] = 300.into();
    let mut proxied = wanted("b.example.com", "CNAME", &["a.example.com"]);
    proxied["providerSpecific"] = json!([
        { "name": "external-dns.alpha.kubernetes.io/cloudflare-proxied", "value": "true" },
        { "name": "external-dns.alpha.kubernetes.io/cloudflare-tags", "value": "b,a" },
    ]);
    json!([
        slow,
        proxied,
        wanted("mail.example.com", "MX", &["10 a.example.com"]),
        wanted("text.example.com", "TXT", &["\"some words\""]),
    ])
}

const FIRST: [&str; 5] = [
    "a.example.com A 192.0.2.1 ttl=300",
    "a.example.com A 192.0.2.2 ttl=300",
    "b.example.com CNAME a.example.com proxied tags=a,b",
    "mail.example.com MX 10 a.example.com",
    "text.example.com TXT \"some words\"",
];

#[tokio::test]
async fn a_stock_external_dns_takes_the_stand_in_for_cloudflare() {
    let cluster = Cluster::start().await;
    cluster.want(first()).await;
    let arguments = cluster.arguments();
    let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    arguments.extend(["--cloudflare-custom-hostnames", "--cloudflare-region-key=eu"]);
    let mut external_dns = ExternalDns::at_cloudflare(&cluster.fake.url(), TOKEN, &arguments);
    cluster.has(&mut external_dns, &FIRST).await;
    assert!(cluster.fake.account().take_counts()[&Kind::Batch] > 0);
    assert_eq!(cluster.fake.account().regions(ZONE).len(), 2);
    cluster.rests(&mut external_dns, Kind::List).await;

    // New targets, a new TTL, a custom hostname; one that Cloudflare refuses does not keep
    // the others out.
    let mut other = wanted("a.example.com", "A", &["192.0.2.2", "192.0.2.3"]);
    other["recordTTL"] = 600.into();
    other["providerSpecific"] = json!([
        { "name": "external-dns.alpha.kubernetes.io/cloudflare-custom-hostname", "value": "shop.example.net" },
    ]);
    let mut bad = wanted("bad.example.com", "A", &["192.0.2.9"]);
    bad["recordTTL"] = 45.into();
    cluster.want(json!([other, bad])).await;
    let second = [
        "a.example.com A 192.0.2.2 ttl=600",
        "a.example.com A 192.0.2.3 ttl=600",
    ];
    cluster.has(&mut external_dns, &second).await;
    let hostnames = cluster.fake.account().custom_hostnames(ZONE);
    assert_eq!(
        hostnames,
        [("shop.example.net".to_owned(), "a.example.com".to_owned())]
    );
    cluster.want(json!([])).await;
    cluster.has(&mut external_dns, &[]).await;
    cluster.rests(&mut external_dns, Kind::List).await;
    assert_eq!(cluster.fake.account().records(ZONE).count(), 0);
}

#[tokio::test]
async fn a_stock_external_dns_keeps_cloudflare_through_our_webhook() {
    let cluster = Cluster::start().await;
    cluster.want(first()).await;
    let cache = cached(provider(settings(&cluster.fake)), None);
    let listener = Listener::start(Server::new(cache, ServerSettings::default())).await;
    let arguments = cluster.arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut external_dns = ExternalDns::keeping(&listener.url(), &arguments);
    // external-dns sends a webhook provider no properties but its own.
    let plain = FIRST.map(|line| line.replace(" proxied tags=a,b", ""));
    let plain: Vec<&str> = plain.iter().map(String::as_str).collect();
    cluster.has(&mut external_dns, &plain).await;
    cluster.rests(&mut external_dns, Kind::Zones).await;

    let mut other = wanted("a.example.com", "A", &["192.0.2.2", "192.0.2.3"]);
    other["recordTTL"] = 600.into();
    let mut proxied = wanted("b.example.com", "CNAME", &["a.example.com"]);
    proxied["providerSpecific"] = json!([{ "name": "webhook/cloudflare-proxied", "value": "true" }]);
    cluster.want(json!([other, proxied])).await;
    let second = [
        "a.example.com A 192.0.2.2 ttl=600",
        "a.example.com A 192.0.2.3 ttl=600",
        "b.example.com CNAME a.example.com proxied",
    ];
    cluster.has(&mut external_dns, &second).await;
    // One batch, and no listing.
    let counts = cluster.fake.account().take_counts();
    assert_eq!(
        (counts.get(&Kind::Batch), counts.get(&Kind::List)),
        (Some(&1), None)
    );
    cluster.want(json!([])).await;
    cluster.has(&mut external_dns, &[]).await;
    cluster.rests(&mut external_dns, Kind::Zones).await;
    assert_eq!(cluster.fake.account().records(ZONE).count(), 0);
}
