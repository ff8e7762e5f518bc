//! The controller of DNSProviders, as `manifests/records` lets it do its work.

use std::sync::Arc;

use operator::resources::dns_provider_key;
use records::Provider as _;
use serde_json::{Value, json};

use super::last_good;
use super::stage::{Stage, TEAM, ZONE, folders};
use crate::control_plane::{eventually, quiet};

#[tokio::test(flavor = "multi_thread")]
async fn dns_providers_are_told_what_became_of_them_and_their_accounts_can_be_used() {
    let mut stage = Stage::start().await;
    an_account_is_usable_once_its_secret_lets_us_in(&stage).await;
    what_is_the_same_is_shared(&stage).await;
    what_cannot_be_used_is_told(&stage).await;
    last_good::settings_stay_in_use(&stage).await;
    last_good::of_a_restarted_controller(&mut stage).await;
    edits_are_followed(&stage).await;
    at_rest_nothing_is_sent(&stage).await;
    a_dns_provider_goes(&stage).await;
    stage.rights_are_used();
    stage.plane.cluster.stop().unwrap();
}

async fn an_account_is_usable_once_its_secret_lets_us_in(stage: &Stage) {
    stage.provider(TEAM, "web", &json!({ "type": "rfc2136" })).await;
    let absent = stage
        .is_told(TEAM, "web", "Error", "Secret team/key is not there")
        .await;
    assert_eq!(absent["zones"], json!({}), "{absent}");
    stage.secret(TEAM, &json!({ "TSIGSecret": "not base64" }));
    stage
        .is_told(TEAM, "web", "Error", "Secret team/key: TSIGSecret cannot be used")
        .await;
    stage.secret(TEAM, &json!({ "TSIGSecret": "d3Jvbmc=" }));
    let denied = stage.is_told(TEAM, "web", "Error", "BADSIG").await;
    assert_eq!(denied["lastError"]["description"], denied["message"], "{denied}");
    stage.can_be_used(&[]).await;

    stage.secret(TEAM, &json!({}));
    let ready = stage.is_told(TEAM, "web", "Ready", "provider operational").await;
    assert_eq!(ready["zones"], json!({ "included": [ZONE] }), "{ready}");
    assert_eq!(ready["domains"], json!({ "included": [ZONE] }), "{ready}");
    assert_eq!(ready["defaultTTL"], 300, "{ready}");
    assert_eq!(ready["rateLimit"], Value::Null, "{ready}");
    assert_eq!(ready["lastError"], Value::Null, "{ready}");
    stage.can_be_used(&["team/web example.com"]).await;
    let usable = stage.usable.borrow().clone();
    assert!(usable[0].is_remote());
    let zone = &usable[0].zones[0].zone;
    let records = usable[0].account.cache.read(zone).await.unwrap().records;
    assert!(
        records
            .iter()
            .any(|record| &*record.dns_name == "www.example.com")
    );

    // A Secret that does not let us in any more takes nothing of what is known.
    stage.secret(TEAM, &json!({ "TSIGKeyName": "nobody." }));
    let denied = stage.is_told(TEAM, "web", "Error", "BADKEY").await;
    assert_eq!(denied["zones"], json!({ "included": [ZONE] }), "{denied}");
    let message = denied["message"].to_string();
    assert!(
        message.contains("the settings before are still in use"),
        "{denied}"
    );
    assert!(Arc::ptr_eq(&stage.usable.borrow()[0].account, &usable[0].account));
    stage.secret(TEAM, &json!({}));
    stage.is_told(TEAM, "web", "Ready", "").await;
}

async fn what_is_the_same_is_shared(stage: &Stage) {
    stage.provider(TEAM, "api", &json!({ "type": "rfc2136" })).await;
    let limited =
        json!({ "type": "rfc2136", "rateLimit": { "requestsPerDay": 86400, "burst": 10 }, "defaultTTL": 60 });
    stage.provider(TEAM, "slow", &limited).await;
    let slow = stage.is_told(TEAM, "slow", "Ready", "").await;
    assert_eq!(slow["rateLimit"], json!({ "requestsPerDay": 86400, "burst": 10 }));
    assert_eq!(slow["defaultTTL"], 60);
    stage
        .can_be_used(&[
            "team/api example.com",
            "team/slow example.com",
            "team/web example.com",
        ])
        .await;
    let usable = stage.usable.borrow().clone();
    assert!(Arc::ptr_eq(&usable[0].account, &usable[2].account));
    assert!(!Arc::ptr_eq(&usable[0].account, &usable[1].account));
    eventually("what is not used any more is off the disk", async || {
        folders(stage).len() == 2
    })
    .await;
    for name in ["api", "slow"] {
        stage.plane.delete(&dns_provider_key(TEAM, name)).await;
    }
    stage.can_be_used(&["team/web example.com"]).await;
    eventually("its folder is gone", async || folders(stage).len() == 1).await;
}

async fn what_cannot_be_used_is_told(stage: &Stage) {
    stage
        .provider(TEAM, "other", &json!({ "type": "powerdns" }))
        .await;
    stage
        .is_told(
            TEAM,
            "other",
            "Invalid",
            "spec.type is \"powerdns\": it takes aws-route53, cloudflare-dns, remote, rfc2136",
        )
        .await;
    // A Secret of a namespace that is not ours to read.
    stage.secret("default", &json!({}));
    stage
        .provider("default", "abroad", &json!({ "type": "rfc2136" }))
        .await;
    stage
        .is_told(
            "default",
            "abroad",
            "Error",
            "Secret default/key cannot be read: secrets",
        )
        .await;
    stage.plane.delete(&dns_provider_key("default", "abroad")).await;
    stage.can_be_used(&["team/web example.com"]).await;
}

async fn edits_are_followed(stage: &Stage) {
    let key = dns_provider_key(TEAM, "web");
    let select = |domains: Value| json!({ "spec": { "domains": domains } });
    stage
        .plane
        .patch(&key, select(json!({ "include": ["example.org"] })))
        .await;
    let nothing = stage
        .is_told(
            TEAM,
            "web",
            "Error",
            "no domain in a zone of the account: example.com",
        )
        .await;
    assert_eq!(nothing["zones"], json!({ "excluded": [ZONE] }), "{nothing}");
    stage.can_be_used(&["team/web "]).await;
    let inner = json!({ "include": ["a.example.com"], "exclude": ["b.a.example.com"] });
    stage.plane.patch(&key, select(inner)).await;
    let some = stage.is_told(TEAM, "web", "Ready", "").await;
    assert_eq!(
        some["domains"],
        json!({ "included": ["a.example.com"], "excluded": ["b.a.example.com"] })
    );
    stage.can_be_used(&["team/web example.com"]).await;
}

async fn at_rest_nothing_is_sent(stage: &Stage) {
    // What others say in between is put right with the next news, and costs one write.
    let key = dns_provider_key(TEAM, "web");
    stage
        .plane
        .patch_status(
            &key,
            json!({ "state": "Stale", "lastOperation": { "type": "x" } }),
        )
        .await;
    let patch = json!({ "metadata": { "labels": { "tier": "one" } } });
    stage.plane.patch(&key, patch).await;
    stage.is_told(TEAM, "web", "Ready", "").await;
    let told = stage.status(TEAM, "web").await;
    assert_eq!(told["lastOperation"], json!({ "type": "x" }), "{told}");
    quiet().await;
    let (requests, writes) = (stage.plane.requests(), stage.writes());
    quiet().await;
    quiet().await;
    assert_eq!(stage.plane.requests(), requests, "nothing happens at rest");
    assert!(writes < 30, "{writes}");
}

async fn a_dns_provider_goes(stage: &Stage) {
    stage
        .plane
        .kubectl(&["delete", "secret", "key", "--namespace", TEAM]);
    stage
        .is_told(TEAM, "web", "Error", "Secret team/key is not there")
        .await;
    stage.can_be_used(&[]).await;
    stage.plane.delete(&dns_provider_key(TEAM, "web")).await;
    eventually("no cache is left", async || folders(stage).is_empty()).await;
}
