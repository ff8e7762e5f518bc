//! Servers that fail: what is told of it, and who is asked instead.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use devcluster::control_plane::free_port;
use devcluster::primary::Make;
use hickory_proto::op::{Message, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{A, SOA};
use hickory_proto::rr::{Name, RData, Record};
use records::provider::rfc2136::{LoadBalancing, Rfc2136, Settings};
use records::provider::{Confirmation, ProviderError};
use records::{Endpoint, Outcome, Provider as _, ZoneRecords, ZoneVersion};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::spawn;

use super::proxy::{Fault, Proxy};
use super::{MAKES, Server, ZONE, applied, apply, create, listed, read, set, settings, update, zone};

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

fn through(proxy: &Proxy) -> Rfc2136 {
    Rfc2136::new(&Settings {
        timeout: Duration::from_secs(1),
        ..settings(proxy.address)
    })
    .unwrap()
}

fn addresses(count: usize) -> String {
    (0..count).fold(String::new(), |lines, number| {
        lines + &format!("host-{number} A 192.0.2.1\n")
    })
}

#[tokio::test]
async fn a_transfer_that_is_cut_off_is_no_small_zone() {
    for make in MAKES {
        let server = Server::start(make, &addresses(1500)).await;
        let listen = server.primary.listen();
        let whole = Proxy::start(ANY_PORT, listen, Fault::None).await;
        read(&through(&whole)).await;
        let octets = whole.octets();
        assert!(octets > 30_000, "{make:?}: {octets}");
        for limit in (0..octets).step_by(octets / 20).chain([1, 2, octets - 1]) {
            let proxy = Proxy::start(ANY_PORT, listen, Fault::CutAfter(limit)).await;
            let error = through(&proxy).read(&zone()).await.unwrap_err();
            assert!(
                matches!(error, ProviderError::Malformed(_)),
                "{make:?}, {limit}: {error:?}"
            );
        }
    }
}

#[tokio::test]
async fn an_answer_that_was_changed_on_the_way_is_not_taken() {
    for make in MAKES {
        let server = Server::start(make, &addresses(1500)).await;
        let listen = server.primary.listen();
        let truth = read(&server.provider()).await;
        let whole = Proxy::start(ANY_PORT, listen, Fault::None).await;
        read(&through(&whole)).await;
        let octets = whole.octets();
        let mut refused = 0;
        // The first two are a length, which makes for a long wait.
        for place in (5..octets).step_by(octets / 30) {
            let proxy = Proxy::start(ANY_PORT, listen, Fault::Change(place)).await;
            match through(&proxy).read(&zone()).await {
                Ok(records) => assert_eq!(records, truth, "{make:?}, {place}"),
                Err(_) => refused += 1,
            }
        }
        assert!(refused > 25, "{make:?}: {refused}");
    }
}

/// A server that answers each request with those messages and hangs up.
async fn answering(messages: Vec<Message>) -> SocketAddr {
    let listener = TcpListener::bind(ANY_PORT).await.unwrap();
    let address = listener.local_addr().unwrap();
    spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let length = client.read_u16().await.unwrap();
            let mut request = vec![0; length.into()];
            client.read_exact(&mut request).await.unwrap();
            for message in &messages {
                let mut message = message.to_vec().unwrap();
                message[..2].copy_from_slice(&request[..2]);
                client.write_u16(message.len().try_into().unwrap()).await.unwrap();
                client.write_all(&message).await.unwrap();
            }
        }
    });
    address
}

fn message(records: &[RData]) -> Message {
    let mut message = Message::response(0, OpCode::Query);
    let owner = Name::from_ascii(ZONE).unwrap();
    message.add_answers(
        records
            .iter()
            .map(|data| Record::from_rdata(owner.clone(), 300, data.clone())),
    );
    message
}

#[tokio::test]
async fn a_transfer_without_its_end_or_its_order_is_no_zone() {
    let soa = |serial| RData::SOA(SOA::new(Name::root(), Name::root(), serial, 0, 0, 0, 0));
    let address = RData::A(A::new(192, 0, 2, 1));
    let unsigned = async |messages: Vec<Message>| {
        let mut settings = settings(answering(messages).await);
        settings.key = None;
        Rfc2136::new(&settings).unwrap().read(&zone()).await
    };
    let whole = unsigned(vec![
        message(&[soa(1), address.clone()]),
        message(&[address.clone(), soa(1)]),
    ])
    .await;
    assert_eq!(whole.unwrap().records.len(), 1);
    let mut refused = message(&[]);
    refused.metadata.response_code = ResponseCode::ServFail;
    for messages in [
        vec![],
        vec![message(&[])],
        vec![message(&[soa(1)])],
        vec![message(&[soa(1), address.clone()])],
        vec![message(&[soa(1), address.clone()]), refused.clone()],
        vec![message(&[soa(1), address.clone(), soa(2)])],
        vec![message(&[soa(1), address.clone(), soa(1), address.clone()])],
        vec![message(&[address.clone(), soa(1)])],
        vec![refused],
    ] {
        let error = unsigned(messages.clone()).await;
        assert!(error.is_err(), "{messages:?}: {error:?}");
    }
}

#[tokio::test]
async fn a_server_without_incremental_transfers_is_read_again() {
    for (code, confirmation) in [
        (ResponseCode::NotImp, Some(Confirmation::ReadAgain)),
        (ResponseCode::FormErr, Some(Confirmation::ReadAgain)),
        (ResponseCode::ServFail, None),
    ] {
        let mut message = message(&[]);
        message.metadata.response_code = code;
        let mut settings = settings(answering(vec![message]).await);
        settings.key = None;
        let known = ZoneRecords {
            records: records::RecordList::default(),
            version: Some(ZoneVersion("1 ns.example.test".into())),
        };
        let told = Rfc2136::new(&settings).unwrap().confirm(&zone(), &known).await;
        assert_eq!(told.ok(), confirmation, "{code}");
    }
}

/// Settings for servers at two addresses with one port.
fn two(port: u16) -> Settings {
    Settings {
        hosts: vec!["127.0.0.1".into(), "127.0.0.2".into()],
        timeout: Duration::from_secs(1),
        ..settings(([127, 0, 0, 1], port).into())
    }
}

async fn second(port: u16) -> Server {
    Server::at(Make::Knot, ([127, 0, 0, 2], port).into(), "").await
}

/// Has everything done that a provider does.
async fn everything(provider: &Rfc2136, owner: &str) {
    let before = read(provider).await;
    assert_eq!(
        provider.confirm(&zone(), &before).await.unwrap(),
        Confirmation::Same
    );
    let endpoint = set(owner, "A", &["192.0.2.1"]);
    applied(provider, &[create(&endpoint)]).await;
    let names = [endpoint.name().unwrap()];
    assert_eq!(provider.read_names(&zone(), &names).await.unwrap(), [endpoint]);
}

#[tokio::test]
async fn the_next_server_does_what_the_first_one_fails_to() {
    let port = free_port().unwrap();
    let server = second(port).await;
    let provider = Rfc2136::new(&two(port)).unwrap();
    everything(&provider, "nobody-there").await;
    let first = SocketAddr::from(([127, 0, 0, 1], port));
    let proxy = Proxy::start(first, server.primary.listen(), Fault::CutAfter(5)).await;
    // An update comes later: the first server may have made it.
    let known = read(&provider).await;
    assert_eq!(
        provider.confirm(&zone(), &known).await.unwrap(),
        Confirmation::Same
    );
    let names = [zone().name];
    assert_eq!(provider.read_names(&zone(), &names).await.unwrap().len(), 1);
    assert_eq!(proxy.connections(), 3);
}

#[tokio::test]
async fn what_may_have_been_written_is_told() {
    for make in MAKES {
        let server = Server::start(make, "").await;
        let proxy = Proxy::start(ANY_PORT, server.primary.listen(), Fault::CutAfter(3)).await;
        let endpoint = set("lost", "A", &["192.0.2.1"]);
        let outcome = apply(&through(&proxy), &[create(&endpoint)]).await;
        assert!(
            matches!(&outcome, Outcome::Unknown { .. }),
            "{make:?}: {outcome:?}"
        );
        assert_eq!(listed(&server.provider()).await, [endpoint], "{make:?}");
    }
}

#[tokio::test]
async fn a_second_server_does_not_hide_that_the_first_may_have_written() {
    let port = free_port().unwrap();
    let server = second(port).await;
    let first = SocketAddr::from(([127, 0, 0, 1], port));
    let _proxy = Proxy::start(first, server.primary.listen(), Fault::CutAfter(3)).await;
    let outcome = apply(
        &Rfc2136::new(&two(port)).unwrap(),
        &[create(&set("twice", "A", &["192.0.2.1"]))],
    )
    .await;
    match outcome {
        Outcome::Unknown { reason } => assert!(reason.ends_with("YXRRSET"), "{reason}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_was_not_sent_is_postponed() {
    let mut settings = two(free_port().unwrap());
    let outcome = apply(
        &Rfc2136::new(&settings).unwrap(),
        &[create(&set("new", "A", &["192.0.2.1"]))],
    )
    .await;
    assert!(matches!(&outcome, Outcome::Postponed { .. }), "{outcome:?}");
    let error = Rfc2136::new(&settings).unwrap().read(&zone()).await.unwrap_err();
    assert!(matches!(error, ProviderError::Unavailable(_)), "{error:?}");
    // A server that says nothing of the update, but of itself.
    for (code, expected) in [
        (ResponseCode::NotAuth, "Postponed"),
        (ResponseCode::NotImp, "Postponed"),
        (ResponseCode::ServFail, "Unknown"),
        (ResponseCode::FormErr, "Rejected"),
    ] {
        let mut message = Message::response(0, OpCode::Update);
        message.metadata.response_code = code;
        settings = super::settings(answering(vec![message]).await);
        settings.key = None;
        let outcome = apply(
            &Rfc2136::new(&settings).unwrap(),
            &[create(&set("new", "A", &["192.0.2.1"]))],
        )
        .await;
        assert!(
            format!("{outcome:?}").starts_with(expected),
            "{code}: {outcome:?}"
        );
    }
}

/// A server that answers one request of each connection: the first with SERVFAIL, all others
/// with NOERROR.
async fn failing_once() -> SocketAddr {
    let listener = TcpListener::bind(ANY_PORT).await.unwrap();
    let address = listener.local_addr().unwrap();
    spawn(async move {
        let mut code = ResponseCode::ServFail;
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let length = client.read_u16().await.unwrap();
            let mut request = vec![0; length.into()];
            client.read_exact(&mut request).await.unwrap();
            let mut message = Message::response(0, OpCode::Update);
            message.metadata.response_code = code;
            let mut message = message.to_vec().unwrap();
            message[..2].copy_from_slice(&request[..2]);
            client.write_u16(message.len().try_into().unwrap()).await.unwrap();
            client.write_all(&message).await.unwrap();
            code = ResponseCode::NoError;
        }
    });
    address
}

/// The zone is as expected still. That shows whether something was written, but for TTLs.
#[tokio::test]
async fn a_server_that_failed_is_asked_whether_it_has_written() {
    let old = set("a", "A", &["192.0.2.1"]);
    let ttl = Endpoint {
        ttl: None,
        ..old.clone()
    };
    for (change, expected) in [
        (create(&old), "Rejected"),
        (update(&old, &set("a", "A", &["192.0.2.2"])), "Rejected"),
        (update(&old, &ttl), "Unknown"),
    ] {
        let mut settings = settings(failing_once().await);
        settings.key = None;
        let outcome = apply(&Rfc2136::new(&settings).unwrap(), std::slice::from_ref(&change)).await;
        assert!(
            format!("{outcome:?}").starts_with(expected),
            "{change:?}: {outcome:?}"
        );
    }
}

#[tokio::test]
async fn servers_take_turns() {
    let server = Server::start(Make::Knot, "").await;
    for (load_balancing, expected) in [
        (LoadBalancing::Disabled, Some([10, 0])),
        (LoadBalancing::RoundRobin, Some([5, 5])),
        (LoadBalancing::Random, None),
    ] {
        let port = free_port().unwrap();
        let [first, second] = [1, 2].map(|last| SocketAddr::from(([127, 0, 0, last], port)));
        let first = Proxy::start(first, server.primary.listen(), Fault::None).await;
        let second = Proxy::start(second, server.primary.listen(), Fault::None).await;
        let provider = Rfc2136::new(&Settings {
            load_balancing,
            ..two(port)
        })
        .unwrap();
        for _ in 0..10 {
            read(&provider).await;
        }
        let counts = [first.connections(), second.connections()];
        assert_eq!(counts.iter().sum::<usize>(), 10);
        if let Some(expected) = expected {
            assert_eq!(counts, expected, "{load_balancing:?}");
        }
    }
}
