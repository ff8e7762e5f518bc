//! Tokens of Gardener's protocol.

use std::time::{Duration, SystemTime};

use remote::server::Tokens;
use remote::server::token::LIFETIME;
use tonic::Code;

use super::certificates::Names;
use super::door::{Door, login, use_token};

#[tokio::test]
async fn a_token_is_of_no_use_to_another_certificate() {
    let world = Door::new().await;
    let mut owner = world.of("garden-a");
    let token = login(&mut owner, "garden-a").await.unwrap();
    use_token(&mut owner, &token).await.unwrap();
    // Of the same namespace, and of all.
    for thief in ["garden-a", "*"] {
        let error = use_token(&mut world.of(thief), &token).await.unwrap_err();
        assert_eq!(error.code(), Code::Unauthenticated);
        assert!(error.message().contains("another client certificate"), "{error}");
    }
}

#[tokio::test]
async fn a_token_outlives_its_connection() {
    let world = Door::new().await;
    let pair = world.clients.client(&Names {
        common: &["garden-a"],
        ..Names::default()
    });
    let token = login(&mut world.client(&pair), "garden-a").await.unwrap();
    use_token(&mut world.client(&pair), &token).await.unwrap();
}

#[tokio::test]
async fn a_token_is_what_it_was_given_as() {
    let world = Door::new().await;
    let mut client = world.of("garden-a");
    let token = login(&mut client, "garden-a").await.unwrap();
    for place in 0..token.len() {
        let mut octets = token.clone().into_bytes();
        octets[place] = if octets[place] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(octets).unwrap();
        // The last characters of each half hold bits that count for nothing; such a text
        // is no base64.
        assert!(use_token(&mut client, &changed).await.is_err(), "{place}");
    }
    let long = "A".repeat(1_000_000);
    for text in ["", ".", "A.A", &long, &token[..token.len() / 2]] {
        let error = use_token(&mut client, text).await.unwrap_err();
        assert_eq!(error.code(), Code::Unauthenticated, "{}", text.len());
    }
    use_token(&mut client, &token).await.unwrap();
}

#[tokio::test]
async fn servers_with_the_same_secret_take_each_others_tokens_until_they_end() {
    let peer = super::door::peer_of("garden-a").await;
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let one = Tokens::new(b"secret");
    let token = one.login(&peer, "garden-a", "seed", 1, now).unwrap();
    let other = Tokens::new(b"secret");
    let session = other.check(&peer, &token, now).unwrap();
    assert_eq!(
        (
            session.namespace.as_str(),
            session.client.as_str(),
            session.protocol_version
        ),
        ("garden-a", "seed", 1)
    );
    assert!(
        other
            .check(&peer, &token, now + LIFETIME - Duration::from_secs(1))
            .is_ok()
    );
    let error = other.check(&peer, &token, now + LIFETIME).unwrap_err();
    assert_eq!(error.to_string(), "it has expired");
    let error = Tokens::new(b"another").check(&peer, &token, now).unwrap_err();
    assert_eq!(error.to_string(), "it is unknown");
}
