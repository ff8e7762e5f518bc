//! Who is let in, and who is not.

use tokio::net::TcpStream;
use tonic::Code;

use super::certificates::{Authority, Names};
use super::door::{Door, login, pem, use_token};
use super::wire;

#[tokio::test]
async fn a_certificate_stands_for_the_namespace_that_it_names() {
    let world = Door::new().await;
    let table: &[(Names<'_>, &[&str], &[&str])] = &[
        (common(&["garden-a"]), &["garden-a"], &["garden-b", "garden", ""]),
        (
            common(&["garden-a.clients.example"]),
            &["garden-a"],
            &["clients", "garden-b"],
        ),
        (common(&["*"]), &["garden-a", "garden-b"], &[]),
        (common(&["*.clients.example"]), &["garden-a"], &[]),
        (common(&[]), &[], &["garden-a", ""]),
        // With two names nobody can tell which one counts.
        (common(&["garden-a", "garden-b"]), &[], &["garden-a", "garden-b"]),
        (
            uris(&["spiffe://example.org/ns/garden-a/sa/dns"]),
            &["garden-a"],
            &["garden-b", "dns"],
        ),
        (
            uris(&[
                "spiffe://example.org/ns/garden-a",
                "spiffe://example.org/ns/garden-b",
            ]),
            &["garden-a", "garden-b"],
            &["garden-c"],
        ),
        (
            uris(&["spiffe://example.org/ns/*/sa/dns"]),
            &[],
            &["garden-a", "*"],
        ),
        (uris(&["spiffe://example.org/sa/garden-a"]), &[], &["garden-a"]),
        // A URI that names a namespace counts alone.
        (
            Names {
                common: &["*"],
                uris: &["spiffe://example.org/ns/garden-a"],
                ..Names::default()
            },
            &["garden-a"],
            &["garden-b"],
        ),
    ];
    for (place, (names, granted, refused)) in table.iter().enumerate() {
        let mut client = world.client(&world.clients.client(names));
        for namespace in *granted {
            let token = login(&mut client, namespace).await;
            let token = token.unwrap_or_else(|error| panic!("{place}: {namespace}: {error}"));
            use_token(&mut client, &token).await.unwrap();
        }
        for namespace in *refused {
            let error = login(&mut client, namespace).await.unwrap_err();
            assert_eq!(error.code(), Code::Unauthenticated, "{place}: {namespace}");
            assert!(error.message().contains(&format!("{namespace:?}")), "{error}");
        }
    }
}

#[tokio::test]
async fn strangers_get_no_connection() {
    let world = Door::new().await;
    let others = Authority::new("others");
    let table = [
        ("another authority", others.client(&common(&["garden-a"]))),
        (
            "ended",
            world.clients.client(&Names {
                common: &["garden-a"],
                expired: true,
                ..Names::default()
            }),
        ),
        (
            "not begun",
            world.clients.client(&Names {
                common: &["garden-a"],
                not_yet_valid: true,
                ..Names::default()
            }),
        ),
        (
            "for servers",
            world.clients.client(&Names {
                common: &["garden-a"],
                for_servers: true,
                ..Names::default()
            }),
        ),
    ];
    for (what, pair) in table {
        let error = login(&mut world.client(&pair), "garden-a").await.unwrap_err();
        // The alert comes after the handshake of TLS 1.3, in the midst of the call.
        assert!(
            matches!(error.code(), Code::Unavailable | Code::Unknown),
            "{what}: {error}"
        );
        assert!(world.nobody_came(), "{what}");
    }
    login(&mut world.of("garden-a"), "garden-a").await.unwrap();
}

#[tokio::test]
async fn who_shows_no_certificate_gets_no_connection() {
    let door = Door::new().await;
    let stream = wire::nobody(&door).await;
    assert!(wire::is_closed(stream).await);
    assert!(door.nobody_came());
}

#[tokio::test]
async fn a_client_does_not_talk_to_another_server() {
    let world = Door::new().await;
    let pair = world.clients.client(&common(&["garden-a"]));
    for (key, value) in [
        ("SERVER_CA_CERT", Authority::new("others").certificate.as_str()),
        ("OVERRIDE_SERVER_NAME", "dns.elsewhere.example"),
    ] {
        let mut secret = world.secret(&pair);
        secret.insert(key.to_owned(), value.as_bytes().to_vec());
        let access = remote::client::Access::from_secret(&secret).unwrap();
        let mut client = super::door::Client::new(remote::client::connect(&access));
        let error = login(&mut client, "garden-a").await.unwrap_err();
        assert_eq!(error.code(), Code::Unavailable, "{key}: {error}");
    }
}

#[tokio::test]
async fn a_crowd_that_says_nothing_does_not_keep_others_out() {
    let world = Door::new().await;
    let mut crowd = Vec::new();
    for _ in 0..200 {
        crowd.push(TcpStream::connect(world.address).await.unwrap());
    }
    login(&mut world.of("garden-a"), "garden-a").await.unwrap();
    drop(crowd);
}

#[tokio::test]
async fn a_new_authority_counts_at_once_also_for_connections_that_there_are() {
    let world = Door::new().await;
    let mut before = world.of("garden-a");
    let token = login(&mut before, "garden-a").await.unwrap();

    let next = Authority::new("clients of the next year");
    let mut pair = pem(&world.server, &next);
    world.credentials.renew(&pair).unwrap();
    let error = use_token(&mut before, &token).await.unwrap_err();
    assert!(error.message().contains("not valid any more"), "{error}");
    let mut after = world.client(&next.client(&common(&["garden-a"])));
    login(&mut after, "garden-a").await.unwrap();

    // Both for the time of the change.
    pair.client_authorities
        .extend_from_slice(world.clients.certificate.as_bytes());
    world.credentials.renew(&pair).unwrap();
    use_token(&mut before, &token).await.unwrap();
    login(&mut after, "garden-a").await.unwrap();
}

#[tokio::test]
async fn a_new_certificate_is_shown_and_what_cannot_be_used_is_not() {
    let world = Door::new().await;
    login(&mut world.of("garden-a"), "garden-a").await.unwrap();
    let good = pem(&world.servers.server(super::door::SERVER), &world.clients);
    for (field, change) in [
        (
            "tls.crt",
            (|pem| pem.certificate = b"no certificate".to_vec()) as fn(&mut remote::server::credentials::Pem),
        ),
        ("tls.key", |pem| pem.key = b"no key".to_vec()),
        ("ca.crt", |pem| pem.client_authorities = Vec::new()),
    ] {
        let mut bad = good.clone();
        change(&mut bad);
        let error = world.credentials.renew(&bad).unwrap_err().to_string();
        assert!(error.starts_with(field), "{error}");
        login(&mut world.of("garden-a"), "garden-a").await.unwrap();
    }
    let mut unpaired = good.clone();
    unpaired.key = world.server.key.as_bytes().to_vec();
    let error = world.credentials.renew(&unpaired).unwrap_err().to_string();
    assert!(error.contains("cannot be used together"), "{error}");
    world.credentials.renew(&good).unwrap();
    login(&mut world.of("garden-a"), "garden-a").await.unwrap();
}

fn common<'a>(names: &'a [&'a str]) -> Names<'a> {
    Names {
        common: names,
        ..Names::default()
    }
}

fn uris<'a>(uris: &'a [&'a str]) -> Names<'a> {
    Names {
        uris,
        ..Names::default()
    }
}
