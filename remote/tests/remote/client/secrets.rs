//! A Secret that is mounted, and what becomes of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::FutureExt as _;
use records::{Provider as _, ProviderError};
use remote::client::{Access, Remote, mounted_secret};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::sleep;

use super::super::certificates::{Authority, Names};
use super::stage::{Stage, pair, read, secret, the_zone, unhurried};
use super::{lists, states};

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

/// What the server of the old Secret told counts no more, and what that of the new one tells
/// is heard.
#[tokio::test]
async fn the_watch_goes_with_the_secret() {
    let stage = Stage::new().await;
    stage.fill(3);
    let (sender, receiver) = watch::channel(stage.access("blue").borrow().clone());
    let client = Remote::new(receiver, unhurried());
    let zone = the_zone(&client).await;
    let known = read(&client, &zone).await;
    lists::until_told(&stage, &client, "blue").await;
    states::until_told(&stage, &client, &zone, &known).await;
    let figures = || stage.central.figures().namespaces["blue"];
    let before = figures();
    sender.send_replace(stage.access("blue").borrow().clone());
    the_zone(&client).await;
    assert_eq!(figures().lists, before.lists + 1);
    lists::until_told(&stage, &client, "blue").await;
    // How old the other server's knowledge is, nobody has told yet.
    client.confirm(&zone, &known).await.unwrap();
    assert_eq!(figures().reads, before.reads + 1);
    client.confirm(&zone, &known).await.unwrap();
    assert_eq!(figures().reads, before.reads + 1);
}

/// A token stands for a namespace, and a certificate may be for several.
#[tokio::test]
async fn another_namespace_is_another_token() {
    let stage = Stage::new().await;
    stage.is_gardeners.store(true, Ordering::Relaxed);
    let both = stage.clients.client(&Names {
        uris: &[
            "spiffe://example.org/ns/blue/sa/dns",
            "spiffe://example.org/ns/red/sa/dns",
        ],
        ..Names::default()
    });
    let access = |namespace| {
        let secret = secret(stage.wire.address, namespace, &both, &stage.servers);
        Access::from_secret(&secret).unwrap()
    };
    let (sender, receiver) = watch::channel(access("blue"));
    let client = Remote::new(receiver, unhurried());
    the_zone(&client).await;
    sender.send_replace(access("red"));
    the_zone(&client).await;
    let figures = stage.central.figures();
    for namespace in ["blue", "red"] {
        let figures = figures.namespaces[namespace];
        assert_eq!((figures.logins, figures.lists), (1, 1), "{namespace}");
    }
}

/// Who cannot be reached is not called again and again.
#[tokio::test(start_paused = true)]
async fn between_two_tries_to_hear_the_server_there_is_a_pause() {
    let (servers, clients) = (Authority::new("servers"), Authority::new("clients"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let secret = secret(
        listener.local_addr().unwrap(),
        "blue",
        &pair(&clients, "blue"),
        &servers,
    );
    let (_sender, receiver) = watch::channel(Access::from_secret(&secret).unwrap());
    let client = Remote::new(receiver, unhurried());
    assert!(client.zones().await.is_err());
    let mut connections = 0;
    for _ in 0..600 {
        sleep(Duration::from_millis(100)).await;
        while let Some(Ok(_)) = listener.accept().now_or_never() {
            connections += 1;
        }
    }
    assert!((2..=20).contains(&connections), "{connections} in a minute");
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
