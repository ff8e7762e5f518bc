//! The policies of a stock external-dns in a real zone.

use super::external_dns::once;
use super::knot::{Knot, ZONE};
use super::program::Program;
use super::wanted::{Wanted, endpoint};

struct Stage {
    wanted: Wanted,
    knot: Knot,
    server: Program,
}

impl Stage {
    /// A zone in which there are `kept`, an address, and `turned`, an alias, of ours.
    async fn start() -> Self {
        let knot = Knot::start("people A 198.51.100.1".into()).await;
        let stage = Self {
            wanted: Wanted::start().await,
            server: knot.server().await,
            knot,
        };
        stage
            .want(&[
                ("kept", "A", "192.0.2.1"),
                ("turned", "CNAME", "kept.example.com"),
            ])
            .await;
        stage.pass("sync").await.unwrap();
        stage
    }

    async fn want(&self, endpoints: &[(&str, &str, &str)]) {
        let endpoints = endpoints.iter();
        let endpoints = endpoints
            .map(|(label, record_type, target)| endpoint(&format!("{label}.{ZONE}"), record_type, &[target]));
        self.wanted.want("wanted", endpoints.collect()).await;
    }

    async fn pass(&self, policy: &str) -> anyhow::Result<String> {
        let [source, owner, cluster] = &self.wanted.source();
        let policy = format!("--policy={policy}");
        once(&self.server.url(), &[source, owner, cluster, &policy]).await
    }

    /// What was made for what is wanted, without who owns it.
    async fn records(&self) -> Vec<String> {
        let records = self.knot.records().await.into_iter();
        let here = [
            format!("{ZONE} "),
            format!("ns.{ZONE} "),
            format!("people.{ZONE} "),
        ];
        let records = records.filter(|line| !here.iter().any(|other| line.starts_with(other.as_str())));
        records.filter(|line| !line.contains("heritage=")).collect()
    }
}

#[tokio::test]
async fn policies_hold_in_a_real_zone() {
    let stage = Stage::start().await;
    let alias = "turned.example.com CNAME kept.example.com";
    stage
        .want(&[("kept", "A", "192.0.2.2"), ("one", "A", "192.0.2.3")])
        .await;
    stage.pass("upsert-only").await.unwrap();
    let updated = [
        "kept.example.com A 192.0.2.2",
        "one.example.com A 192.0.2.3",
        alias,
    ];
    assert_eq!(stage.records().await, updated);

    stage
        .want(&[("kept", "A", "192.0.2.9"), ("two", "A", "192.0.2.4")])
        .await;
    stage.pass("create-only").await.unwrap();
    let created = [&updated[..2], &[alias, "two.example.com A 192.0.2.4"]].concat();
    assert_eq!(stage.records().await, created);

    // external-dns creates beside the alias, which Knot would pass over and call done: it is told
    // that it failed, and the rest is made.
    stage
        .want(&[("turned", "A", "192.0.2.5"), ("six", "A", "192.0.2.6")])
        .await;
    let failed = stage.pass("upsert-only").await.unwrap_err().to_string();
    assert!(failed.contains("500"), "{failed}");
    let rest = [
        &updated[..1],
        &["one.example.com A 192.0.2.3", "six.example.com A 192.0.2.6"],
        &created[2..],
    ]
    .concat();
    assert_eq!(stage.records().await, rest);

    stage.pass("sync").await.unwrap();
    let wanted = ["six.example.com A 192.0.2.6", "turned.example.com A 192.0.2.5"];
    assert_eq!(stage.records().await, wanted);
}
