//! A Secret that is mounted, and what becomes of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use records::{Provider as _, ProviderError};
use remote::client::{Access, Remote, mounted_secret};
use tokio::sync::watch;
use tokio::time::sleep;

use super::super::certificates::Authority;
use super::stage::{Stage, pair, secret, the_zone, unhurried};

fn write(folder: &Path, files: BTreeMap<String, Vec<u8>>) {
    for (name, content) in files {
        fs::write(folder.join(name), content).unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_changed_secret_is_taken_over_and_a_broken_one_not() {
    let (servers, clients) = (Authority::new("servers"), Authority::new("clients"));
    let address = "192.0.2.1:7777".parse().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let of = |namespace: &str| secret(address, namespace, &pair(&clients, namespace), &servers);
    write(folder.path(), of("blue"));
    let mut access = mounted_secret::follow(folder.path().to_owned()).unwrap();
    assert_eq!(access.borrow_and_update().namespace, "blue");
    fs::write(folder.path().join("CLIENT_KEY"), "no key").unwrap();
    sleep(Duration::from_secs(60)).await;
    assert!(!access.has_changed().unwrap());
    write(folder.path(), of("red"));
    sleep(Duration::from_secs(60)).await;
    assert_eq!(access.borrow_and_update().namespace, "red");
    sleep(Duration::from_secs(60)).await;
    assert!(!access.has_changed().unwrap());
}

/// Calls go over the connection of the Secret that there is when they are made.
#[tokio::test]
async fn another_secret_is_another_connection() {
    let stage = Stage::new().await;
    let strangers = Authority::new("strangers");
    let foreign = secret(
        stage.wire.address,
        "blue",
        &pair(&strangers, "blue"),
        &stage.servers,
    );
    let (sender, receiver) = watch::channel(Access::from_secret(&foreign).unwrap());
    let client = Remote::new(receiver, unhurried());
    let error = client.zones().await.unwrap_err();
    assert!(matches!(error, ProviderError::Unavailable(_)), "{error:?}");
    sender.send_replace(stage.access("blue").borrow().clone());
    the_zone(&client).await;
    sender.send_replace(stage.access("red").borrow().clone());
    let before = stage.central.figures().namespaces.get("red").copied();
    the_zone(&client).await;
    assert_ne!(stage.central.figures().namespaces.get("red").copied(), before);
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
