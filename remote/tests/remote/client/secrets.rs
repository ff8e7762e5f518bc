//! A Secret that is mounted, and what becomes of it.

use std::fs;
use std::path::Path;

use records::Provider as _;
use remote::client::{Remote, mounted_secret};

use super::stage::{Stage, pair, secret, the_zone, unhurried, until};

fn write(folder: &Path, files: std::collections::BTreeMap<String, Vec<u8>>) {
    for (name, content) in files {
        fs::write(folder.join(name), content).unwrap();
    }
}

#[tokio::test]
async fn a_changed_secret_is_taken_over_and_a_broken_one_not() {
    let stage = Stage::new().await;
    let folder = tempfile::tempdir().unwrap();
    let strangers = super::super::certificates::Authority::new("strangers");
    let address = stage.wire.address;
    let foreign = secret(address, "blue", &pair(&strangers, "blue"), &stage.servers);
    write(folder.path(), foreign);
    let access = mounted_secret::follow(folder.path().to_owned()).unwrap();
    let client = Remote::new(access, unhurried());
    client.zones().await.unwrap_err();
    fs::write(folder.path().join("CLIENT_KEY"), "no key").unwrap();
    fs::write(folder.path().join("REMOTE_ENDPOINT"), "nowhere").unwrap();
    write(
        folder.path(),
        secret(address, "blue", &stage.pair("blue"), &stage.servers),
    );
    until("the new Secret is used", async || client.zones().await.is_ok()).await;
    the_zone(&client).await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_told_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let error = mounted_secret::follow(missing.clone()).unwrap_err().to_string();
    assert!(error.starts_with(&missing.display().to_string()), "{error}");
    fs::write(folder.path().join("NAMESPACE"), "blue").unwrap();
    let error = mounted_secret::follow(folder.path().to_owned()).unwrap_err();
    let path = folder.path().display();
    assert_eq!(
        error.to_string(),
        format!("{path}: REMOTE_ENDPOINT: it is missing")
    );
}
