//! A stock external-dns at the stand-in, which proves that it does as Cloudflare does; and
//! one in front of our webhook server, which proves that nothing of it changes what
//! external-dns wants.

use records::webhook::{Server, Settings as ServerSettings};
use serde_json::{Value, json};
use tests::cloudflare::{Cloudflare as Fake, Kind, TOKEN};

use super::stage::{ZONE, cached, calls, fake, lines, provider, settings};
use crate::control_plane::eventually;
use crate::records::webhook::external_dns::ExternalDns;
use crate::records::webhook::listener::Listener;
use crate::records::webhook::wanted::Wanted;

/// An API server with DNSEndpoints, and the stand-in.
struct Cluster {
    wanted: Wanted,
    fake: Fake,
}

impl Cluster {
    async fn start() -> Self {
        Self {
            wanted: Wanted::start().await,
            fake: fake().await,
        }
    }

    fn arguments(&self) -> Vec<String> {
        // Not TXT: external-dns does not find the owner of such a record again.
        let types = ["A", "AAAA", "CNAME", "MX"].map(|of| format!("--managed-record-types={of}"));
        let rules = ["--policy=sync".to_owned()];
        self.wanted
            .source()
            .into_iter()
            .chain(rules)
            .chain(types)
            .collect()
    }

    async fn want(&self, endpoints: Value) {
        self.wanted.want("wanted", endpoints).await;
    }

    /// Waits until the zone has these records beside those that tell ownership.
    async fn has(&self, external_dns: &mut ExternalDns, wanted: &[&str]) {
        eventually(&wanted.join(", "), async || {
            external_dns.check().unwrap();
            lines(&self.fake, ZONE) == wanted
        })
        .await;
    }

    /// Waits until passes write nothing any more.
    async fn rests(&self, external_dns: &mut ExternalDns, of_a_pass: Kind) {
        let mut seen = 0;
        eventually("three passes without a write", async || {
            external_dns.check().unwrap();
            let calls = calls(&self.fake);
            let wrote = calls.contains_key(&Kind::Batch) || calls.contains_key(&Kind::Single);
            let passes = calls.get(&of_a_pass).copied().unwrap_or_default();
            seen = if wrote { 0 } else { seen + passes };
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
    ])
}

const FIRST: [&str; 4] = [
    "a.example.com A 192.0.2.1 ttl=300",
    "a.example.com A 192.0.2.2 ttl=300",
    "b.example.com CNAME a.example.com proxied tags=a,b",
    "mail.example.com MX 10 a.example.com",
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
    // These are written after the records.
    eventually("both hosts have a region", async || {
        cluster.fake.account().regions(ZONE).len() == 2
    })
    .await;
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
    // external-dns leaves the ownership record behind whose record was refused.
    let account = cluster.fake.account();
    let names: Vec<&str> = account.records(ZONE).map(|record| &*record.name).collect();
    assert_eq!(names, ["a-bad.example.com"]);
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
