//! Crowds and floods: what a stranger or a client can hold and cost is bounded.

use std::time::Duration;

use bytes::Bytes;
use h2::Reason;
use prost::Message as _;
use remote::protocol::v1::LoginRequest;
use remote::protocol::v2::ListZonesRequest;
use remote::server::Settings;
use remote::server::listener::Bounds;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tonic::Code;

use super::door::{Door, login, use_token};
use super::wire;

const LOGIN: &str = "/remote.RemoteProvider/Login";
const LIST_ZONES: &str = "/records.remote.v2.ZoneService/ListZones";

fn asked() -> Vec<u8> {
    let namespace = "garden-a".to_owned();
    ListZonesRequest { namespace }.encode_to_vec()
}

#[tokio::test]
async fn who_says_nothing_is_turned_away_in_time() {
    let bounds = Bounds {
        handshakes: 4,
        // Enough for those who do talk.
        handshake: Duration::from_secs(2),
        ..Bounds::default()
    };
    let door = Door::within(Settings::default(), bounds).await;
    let mut crowd = Vec::new();
    for place in 0..6 {
        let mut stream = TcpStream::connect(door.address).await.unwrap();
        if place % 2 == 0 {
            // The beginning of a handshake.
            stream.write_all(&[0x16, 0x03, 0x01]).await.unwrap();
        }
        crowd.push(stream);
    }
    for stream in crowd {
        assert!(wire::is_closed(stream).await);
    }
    login(&mut door.of("garden-a"), "garden-a").await.unwrap();
}

#[tokio::test]
async fn a_certificate_has_so_many_connections() {
    let bounds = Bounds {
        of_certificate: 2,
        connections: 4,
        ..Bounds::default()
    };
    let door = Door::within(Settings::default(), bounds).await;
    let (one, other, third) = (
        door.pair("garden-a"),
        door.pair("garden-a"),
        door.pair("garden-a"),
    );
    let first = wire::http2(&door, &one).await;
    let second = wire::http2(&door, &one).await;
    for client in [&first, &second] {
        assert_eq!(wire::call(client, LIST_ZONES, &[], &asked()).await.code, 0);
    }
    assert!(wire::is_closed(wire::tls(&door, &one).await).await);
    let others = [wire::http2(&door, &other).await, wire::http2(&door, &other).await];
    for client in &others {
        assert_eq!(wire::call(client, LIST_ZONES, &[], &asked()).await.code, 0);
    }
    assert!(
        wire::is_closed(wire::tls(&door, &third).await).await,
        "there are 4"
    );
    assert_eq!(wire::call(&second, LIST_ZONES, &[], &asked()).await.code, 0);
    drop(others);
    drop(first);
    // Once the server has seen it go.
    loop {
        let mut client = door.zones(&one);
        let request = ListZonesRequest::decode(&*asked()).unwrap();
        if client.list_zones(request).await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Tokens are not kept: any server with the key knows them, and clients that log in again and
/// again leave nothing behind.
#[tokio::test]
async fn a_flood_of_logins_leaves_nothing_behind() {
    let door = Door::new().await;
    let pair = door.pair("garden-a");
    let mut client = door.client(&pair);
    let mut tokens = Vec::new();
    for number in 0..500 {
        let request = LoginRequest {
            namespace: "garden-a".to_owned(),
            cliend_id: format!("client {number}"),
            client_protocol_version: 1,
        };
        tokens.push(client.login(request).await.unwrap().into_inner().token);
    }
    let figures = door.central.figures();
    assert_eq!(figures.namespaces.len(), 1);
    assert_eq!(figures.namespaces["garden-a"].logins, 500);
    let another = door.another().await;
    let mut client = another.client(&pair);
    for token in [&tokens[0], &tokens[499]] {
        use_token(&mut client, token).await.unwrap();
    }
}

#[tokio::test]
async fn a_flood_of_logins_for_others_is_refused_and_others_go_on() {
    let door = Door::new().await;
    let flood = wire::http2(&door, &door.pair("garden-b")).await;
    let mut client = door.of("garden-a");
    let token = login(&mut client, "garden-a").await.unwrap();
    for number in 0..300 {
        let request = LoginRequest {
            namespace: format!("made-up-{number}"),
            ..LoginRequest::default()
        };
        let answer = wire::call(&flood, LOGIN, &[], &request.encode_to_vec()).await;
        assert_eq!(answer.code, Code::Unauthenticated as u16);
    }
    use_token(&mut client, &token).await.unwrap();
    let figures = door.central.figures();
    assert_eq!(figures.denied, 300);
    assert_eq!(figures.namespaces.len(), 1, "nobody makes up labels of metrics");
}

/// CVE-2023-44487.
#[tokio::test]
async fn who_takes_back_what_it_asks_for_again_and_again_is_turned_away() {
    let door = Door::new().await;
    let mut stream = wire::tls(&door, &door.pair("garden-a")).await;
    let mut octets = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    octets.extend(frame(4, 0, 0, &[]));
    for number in 0..500 {
        let id = 2 * number + 1;
        octets.extend(frame(1, 4, id, &headers(LIST_ZONES)));
        octets.extend(frame(3, 0, id, &u32::from(Reason::CANCEL).to_be_bytes()));
    }
    // The server may be gone before all of it is written.
    let _written = stream.write_all(&octets).await;
    assert_eq!(
        go_away(&mut stream).await,
        Some(u32::from(Reason::ENHANCE_YOUR_CALM))
    );
    login(&mut door.of("garden-a"), "garden-a").await.unwrap();
}

/// Headers that are never done (CVE-2024-27316).
#[tokio::test]
async fn headers_without_end_are_cut_off() {
    let door = Door::new().await;
    let mut stream = wire::tls(&door, &door.pair("garden-a")).await;
    let mut octets = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    octets.extend(frame(4, 0, 0, &[]));
    octets.extend(frame(1, 0, 1, &headers(LIST_ZONES)));
    for number in 0..2_000 {
        let more = literal(&format!("x-{number}"), &"x".repeat(100));
        octets.extend(frame(9, 0, 1, &more));
    }
    let _written = stream.write_all(&octets).await;
    assert!(go_away(&mut stream).await.is_some());
    login(&mut door.of("garden-a"), "garden-a").await.unwrap();
}

#[tokio::test]
async fn a_request_that_comes_to_a_halt_is_given_up() {
    let settings = Settings {
        patience: Duration::from_millis(300),
        ..Settings::default()
    };
    let door = Door::within(settings, Bounds::default()).await;
    let client = wire::http2(&door, &door.pair("garden-a")).await;
    let mut halted = Vec::new();
    // More than are worked on at a time.
    for number in 0..60 {
        let (response, mut stream) = wire::begin(&client, LIST_ZONES, &[]).await;
        if number % 2 == 0 {
            stream.send_data(Bytes::from_static(&[0, 0, 0]), false).unwrap();
        }
        halted.push((response, stream));
    }
    // Of another client, meanwhile.
    login(&mut door.of("garden-a"), "garden-a").await.unwrap();
    for (response, _stream) in halted {
        let (head, body) = response.await.unwrap().into_parts();
        let answer = wire::finish(&head.headers, body).await;
        assert_eq!(answer.code, Code::DeadlineExceeded as u16, "{answer:?}");
        assert!(
            answer.message.contains("nothing came of the request"),
            "{answer:?}"
        );
    }
    assert_eq!(wire::call(&client, LIST_ZONES, &[], &asked()).await.code, 0);
}

/// A frame of HTTP/2 (RFC 9113, section 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The headers of a call, each as it is (RFC 7541, section 6.2.2).
fn headers(path: &str) -> Vec<u8> {
    [
        (":method", "POST"),
        (":scheme", "https"),
        (":path", path),
        (":authority", super::door::SERVER),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ]
    .iter()
    .flat_map(|(name, value)| literal(name, value))
    .collect()
}

fn literal(name: &str, value: &str) -> Vec<u8> {
    let length = |text: &str| vec![u8::try_from(text.len()).unwrap()];
    [vec![0], length(name), name.into(), length(value), value.into()].concat()
}

/// The reason for which a server ends a connection; none if it ends it without one.
async fn go_away(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> Option<u32> {
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let mut payload = vec![0; length];
        stream.read_exact(&mut payload).await.ok()?;
        if head[3] == 7 {
            return Some(u32::from_be_bytes(payload[4..8].try_into().unwrap()));
        }
    }
}
