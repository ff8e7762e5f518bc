//! Tokens of Gardener's protocol.

use std::time::Duration;

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
        assert_eq!(
            error.message(),
            "[invalid token] it was given to another client certificate"
        );
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
        assert!(
            error.message().contains("[invalid token]"),
            "old clients look for it: {error}"
        );
    }
    use_token(&mut client, &token).await.unwrap();
}

#[tokio::test]
async fn a_token_ends() {
    let door = Door::new().await;
    let mut client = door.of("garden-a");
    let token = login(&mut client, "garden-a").await.unwrap();
    let second = Duration::from_secs(1);
    door.world.clock.advance(LIFETIME.saturating_sub(second));
    use_token(&mut client, &token).await.unwrap();
    door.world.clock.advance(second);
    let error = use_token(&mut client, &token).await.unwrap_err();
    assert_eq!(error.code(), Code::Unauthenticated);
    assert_eq!(error.message(), "[invalid token] it has expired");
    let token = login(&mut client, "garden-a").await.unwrap();
    use_token(&mut client, &token).await.unwrap();
}

#[tokio::test]
async fn servers_with_the_same_key_take_each_others_tokens() {
    let door = Door::new().await;
    let pair = door.pair("garden-a");
    let token = login(&mut door.client(&pair), "garden-a").await.unwrap();
    let mut other = door.another().await;
    use_token(&mut other.client(&pair), &token).await.unwrap();
    other.server = door.servers.server(super::door::SERVER);
    let stranger = other.another().await;
    let error = use_token(&mut stranger.client(&pair), &token).await.unwrap_err();
    assert_eq!(error.message(), "[invalid token] it is unknown");
}
