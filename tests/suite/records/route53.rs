//! Zones at a real moto, by our provider, our program, boto3 and external-dns.
//!
//! moto does not compare as Route 53 does: a deletion may name anything that the set ever
//! held, and one of a set identifier takes all sets that have it. What that leaves out has
//! its tests in the engine, against a stand-in (`route53::swaps`).

mod credentials;
mod external_dns;
mod guide;
mod round_trips;

use std::process::{Command, Output};
use std::time::Duration;

use devcluster::moto::{ENVIRONMENT, Moto};
use records::batch;
use records::provider::route53::{AccessKey, Identity, Route53, Settings};
use records::{Change, Endpoint, Group, Outcome, Provider as _, Zone};
use serde_json::{Value, json};
use tempfile::TempDir;

const ZONE: &str = "example.com";

/// A moto with one zone.
pub struct Site {
    folder: TempDir,
    pub moto: Moto,
    zone: String,
}

impl Site {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let moto = Moto::start(folder.path()).await.unwrap();
        let asked = json!({ "Name": ZONE, "CallerReference": "test" });
        let made = moto.call(&moto.url(), "create_hosted_zone", &asked).unwrap();
        let zone = made["HostedZone"]["Id"].as_str().unwrap().to_owned();
        Self { folder, moto, zone }
    }

    fn provider(&self) -> Route53 {
        let key = AccessKey {
            id: "example".into(),
            secret: "example".into(),
            session_token: None,
        };
        Route53::new(Settings {
            identity: Identity {
                key: Some(key),
                ..Identity::default()
            },
            endpoint: Some(self.moto.url().parse().unwrap()),
            batch: batch::Settings {
                interval: Duration::from_millis(1),
                ..Settings::default().batch
            },
            ..Settings::default()
        })
        .unwrap()
    }

    async fn own_zone(&self, provider: &Route53) -> Zone {
        provider.zones().await.unwrap().remove(0)
    }

    async fn apply(&self, groups: &[Group]) -> Vec<Outcome> {
        let provider = self.provider();
        let zone = self.own_zone(&provider).await;
        provider.apply(&zone, groups).await
    }

    /// All records but the name servers of the zone.
    async fn records(&self) -> Vec<Endpoint> {
        let provider = self.provider();
        let read = provider.read(&self.own_zone(&provider).await).await.unwrap();
        let records = read.records.iter();
        records
            .filter(|record| record.record_type.as_str() != "NS")
            .collect()
    }

    /// What boto3 sees, without SOA and NS: `name type`.
    pub fn names(&self) -> Vec<String> {
        let asked = json!({ "HostedZoneId": self.zone });
        let listed = self
            .moto
            .call(&self.moto.url(), "list_resource_record_sets", &asked)
            .unwrap();
        let sets = listed["ResourceRecordSets"].as_array().unwrap().iter();
        let text = |set: &Value, field: &str| set[field].as_str().unwrap().to_owned();
        let own = sets.filter(|set| !matches!(set["Type"].as_str(), Some("SOA" | "NS")));
        own.map(|set| format!("{} {}", text(set, "Name"), text(set, "Type")))
            .collect()
    }

    /// Writes as another client does: boto3.
    fn write(&self, action: &str, set: &Value) {
        let asked = json!({
            "HostedZoneId": self.zone,
            "ChangeBatch": { "Changes": [{ "Action": action, "ResourceRecordSet": set }] },
        });
        self.moto
            .call(&self.moto.url(), "change_resource_record_sets", &asked)
            .unwrap();
    }

    /// Runs a program with keys for moto; fails if it cannot be started.
    fn run(&self, command: &mut Command) -> Output {
        command.current_dir(self.folder.path());
        command.envs(ENVIRONMENT).env("AWS_ENDPOINT_URL", self.moto.url());
        command.output().unwrap()
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn endpoint(json: Value) -> Endpoint {
    serde_json::from_value(json).unwrap()
}

fn group(change: Change) -> Group {
    let side = change.before().or(change.after()).unwrap();
    Group {
        name: side.name().unwrap(),
        changes: vec![change],
    }
}

fn create(endpoint: Endpoint) -> Group {
    group(Change::Create(endpoint))
}

fn is_applied(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Applied { .. })
}
