//! Zones over TLS (RFC 9103).

use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use devcluster::certificates::Authority;
use devcluster::control_plane::free_port;
use devcluster::primary::{Make, Primary, TlsFiles};
use records::Provider as _;
use records::provider::ProviderError;
use records::provider::rfc2136::{Rfc2136, Settings, Tls};
use tempfile::TempDir;

use super::{Server, ZONE, applied, create, listed, set, settings, zone};

/// A server with a certificate for its address, which may want one from its clients.
async fn start(authority: &Authority, of_clients: bool) -> (Server, u16) {
    let folder = tempfile::tempdir().unwrap();
    authority
        .server(&["127.0.0.1"])
        .unwrap()
        .write(folder.path(), "server")
        .unwrap();
    let tls = TlsFiles {
        port: free_port().unwrap(),
        certificate: folder.path().join("server.crt"),
        key: folder.path().join("server.key"),
        client_authorities: of_clients.then(|| written(&folder, authority)),
    };
    let port = tls.port;
    let listen = (Ipv4Addr::LOCALHOST, free_port().unwrap()).into();
    let zones = [(ZONE, String::new())];
    let primary = Primary::start(Make::Bind, folder.path(), listen, &zones, Some(tls))
        .await
        .unwrap();
    (Server { folder, primary }, port)
}

fn written(folder: &TempDir, authority: &Authority) -> PathBuf {
    let path = folder.path().join("authority.crt");
    fs::write(&path, authority.certificate()).unwrap();
    path
}

fn provider(port: u16, tls: Tls) -> Rfc2136 {
    Rfc2136::new(&Settings {
        tls: Some(tls),
        ..settings((Ipv4Addr::LOCALHOST, port).into())
    })
    .unwrap()
}

#[tokio::test]
async fn a_zone_is_kept_over_tls_if_the_certificate_is_right() {
    let authority = Authority::new().unwrap();
    let (server, port) = start(&authority, false).await;
    let trusting = Tls {
        authorities: Some(written(&server.folder, &authority)),
        ..Tls::default()
    };
    let endpoint = set("name", "A", &["192.0.2.1"]);
    applied(&provider(port, trusting.clone()), &[create(&endpoint)]).await;
    assert_eq!(
        listed(&provider(port, trusting.clone())).await,
        std::slice::from_ref(&endpoint)
    );
    let other = tempfile::tempdir().unwrap();
    let wrong = Tls {
        authorities: Some(written(&other, &Authority::new().unwrap())),
        ..Tls::default()
    };
    match provider(port, wrong.clone()).read(&zone()).await {
        Err(ProviderError::Unavailable(words)) => {
            assert!(words.contains("invalid peer certificate"), "{words}");
        }
        read => panic!("{read:?}"),
    }
    let careless = Tls {
        skip_verify: true,
        ..wrong
    };
    assert_eq!(listed(&provider(port, careless)).await, [endpoint]);
    // Nobody speaks TLS at the other port.
    let plain = provider(server.primary.listen().port(), trusting)
        .read(&zone())
        .await;
    assert!(matches!(plain, Err(ProviderError::Unavailable(_))), "{plain:?}");
}

#[tokio::test]
async fn a_server_may_want_a_certificate_of_ours() {
    let authority = Authority::new().unwrap();
    let (server, port) = start(&authority, true).await;
    let own = authority.client("updater", "updaters").unwrap();
    own.write(server.folder.path(), "own").unwrap();
    let stranger = Tls {
        authorities: Some(written(&server.folder, &authority)),
        ..Tls::default()
    };
    assert!(provider(port, stranger.clone()).read(&zone()).await.is_err());
    let known = Tls {
        client: Some((
            server.folder.path().join("own.crt"),
            server.folder.path().join("own.key"),
        )),
        ..stranger
    };
    assert_eq!(listed(&provider(port, known)).await, []);
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let error = |tls| {
        let settings = Settings {
            tls: Some(tls),
            ..settings((Ipv4Addr::LOCALHOST, 853).into())
        };
        Rfc2136::new(&settings).err().unwrap().to_string()
    };
    let missing = Tls {
        authorities: Some("/missing/ca.crt".into()),
        ..Tls::default()
    };
    assert!(error(missing).starts_with("tls-ca: /missing/ca.crt: "));
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.crt");
    fs::write(&empty, "").unwrap();
    let nobody = Tls {
        authorities: Some(empty),
        ..Tls::default()
    };
    assert_eq!(error(nobody), "tls: there are no authorities to check servers by");
}
