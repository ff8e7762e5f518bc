//! Settings that could be used stay in use while others cannot; and what is on disk of them.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

use operator::resources::dns_provider_key;
use records::cache::store::FileStore;
use serde_json::{Value, json};

use super::stage::{Stage, TEAM, ZONE, folders};
use crate::control_plane::{eventually, quiet};

const STILL: &str = "; the settings before are still in use";
/// Names of accounts that nobody has.
const SERVER: &str = "rfc2136-0123456789abcdef";
const SERVICE: &str = "cloudflare-dns-0123456789abcdef";
/// And of a folder that is no cache.
const NOTES: &str = "rfc2136-fedcba9876543210";

/// Edits that cannot be used are told, and take nothing.
pub async fn settings_stay_in_use(stage: &Stage) {
    let (before, account) = (folders(stage), Arc::clone(&stage.usable.borrow()[0].account));
    let is_as_before = async |state: &str, words: &str| {
        let told = stage
            .is_told(TEAM, "web", state, &format!("{words}{STILL}"))
            .await;
        assert_eq!(told["zones"], json!({ "included": [ZONE] }), "{told}");
        quiet().await;
        stage.can_be_used(&["team/web example.com"]).await;
        assert!(Arc::ptr_eq(&stage.usable.borrow()[0].account, &account));
        assert_eq!(folders(stage), before);
    };
    stage.secret(TEAM, &json!({ "TSIGSecret": "not base64" }));
    is_as_before("Error", "it takes the secret in base64, as servers have it").await;
    stage.secret(TEAM, &json!({}));
    stage.is_told(TEAM, "web", "Ready", "").await;

    let edit = async |spec: Value| {
        let key = dns_provider_key(TEAM, "web");
        stage.plane.patch(&key, json!({ "spec": spec })).await;
    };
    for (wrong, right, state, words) in [
        (
            json!({ "type": "netlify-dns" }),
            json!({ "type": "rfc2136" }),
            "Invalid",
            "it takes aws-route53, cloudflare-dns, remote, rfc2136",
        ),
        (
            json!({ "domains": { "include": ["a..b"] } }),
            json!({ "domains": null }),
            "Invalid",
            "",
        ),
        (
            json!({ "secretRef": { "name": "ky" } }),
            json!({ "secretRef": { "name": "key" } }),
            "Error",
            "Secret team/ky is not there",
        ),
    ] {
        edit(wrong).await;
        is_as_before(state, words).await;
        edit(right).await;
        stage.is_told(TEAM, "web", "Ready", "").await;
    }
}

/// A controller that is started with settings that cannot be used has nothing, but what is kept
/// on disk of the account stays. What belongs to no account goes once that is certain.
pub async fn of_a_restarted_controller(stage: &mut Stage) {
    let own = folders(stage);
    assert_eq!(own.len(), 1, "{own:?}");
    for account in [SERVER, SERVICE] {
        let provider = account.split('-').next().unwrap();
        FileStore::open(&stage.caches().join(account), &format!("{provider} {account}")).unwrap();
    }
    fs::create_dir(stage.caches().join(NOTES)).unwrap();
    fs::write(stage.caches().join(NOTES).join("notes.txt"), "mine").unwrap();
    fs::create_dir(stage.caches().join("mine")).unwrap();
    let with = |others: &[&str]| -> BTreeSet<String> {
        let others = others.iter().map(|name| (*name).to_owned());
        own.iter().cloned().chain(others).collect()
    };

    stage.secret(TEAM, &json!({ "TSIGSecret": "not base64" }));
    let is_told = async |stage: &Stage| {
        let told = stage
            .is_told(TEAM, "web", "Error", "Secret team/key: TSIGSecret cannot be used")
            .await;
        !told["message"].to_string().contains(STILL)
    };
    stage.restart().await;
    eventually("the error alone is told", async || is_told(stage).await).await;
    quiet().await;
    stage.can_be_used(&[]).await;
    // One DNSProvider is of a type that may be a mistake for any other.
    assert_eq!(folders(stage), with(&[SERVER, SERVICE, NOTES, "mine"]));
    stage.plane.delete(&dns_provider_key(TEAM, "other")).await;
    eventually("the folder of no type that is used is gone", async || {
        folders(stage) == with(&[SERVER, NOTES, "mine"])
    })
    .await;

    stage.secret(TEAM, &json!({}));
    stage.is_told(TEAM, "web", "Ready", "").await;
    stage.can_be_used(&["team/web example.com"]).await;
    eventually("the folder of no account is gone", async || {
        folders(stage) == with(&[NOTES, "mine"])
    })
    .await;
    let cache = Arc::clone(&stage.usable.borrow()[0].account.cache);
    assert_eq!(cache.status().counters.restores, 1, "what was kept is used");
    for folder in [NOTES, "mine"] {
        fs::remove_dir_all(stage.caches().join(folder)).unwrap();
    }
}
