//! Gardener's protocol: each change is answered by itself, and errors have codes.

use records::provider::Operation;
use records::provider::memory::{Fault, FaultKind};
use records::{RecordType, Zone};
use remote::protocol::v1::change_response::State;
use remote::protocol::v1::remote_provider_client::RemoteProviderClient;
use remote::protocol::v1::{
    ChangeRequest, ChangeResponse, ExecuteRequest, ExecuteResponse, GetZoneStateRequest, GetZonesRequest,
    LoginRequest, PartialDnsSet, RecordSet, record_set,
};
use remote::server::{Limits, OfferedZone, Settings};
use tonic::Code;
use tonic::transport::Channel;

use super::world::{TIME, World, a, login, name, of_type, offer, with_property, zone};

const CREATE: i32 = 0;
const UPDATE: i32 = 1;
const DELETE: i32 = 2;

fn change(action: i32, dns_name: &str, record_type: &str, value: &str) -> ChangeRequest {
    let record = record_set::Record {
        value: value.to_owned(),
    };
    ChangeRequest {
        action,
        change: Some(PartialDnsSet {
            dns_name: dns_name.to_owned(),
            update_group: "group".to_owned(),
            record_type: record_type.to_owned(),
            record_set: Some(RecordSet {
                r#type: record_type.to_owned(),
                ttl: 0,
                record: vec![record],
            }),
            ..PartialDnsSet::default()
        }),
    }
}

struct Session {
    client: RemoteProviderClient<Channel>,
    token: String,
}

impl Session {
    async fn new(world: &World) -> Self {
        let mut client = world.gardener("blue").await;
        let token = login(&mut client, "blue", 1).await;
        Self { client, token }
    }

    async fn execute(&mut self, changes: Vec<ChangeRequest>) -> ExecuteResponse {
        let request = ExecuteRequest {
            token: self.token.clone(),
            zoneid: "example.com".to_owned(),
            change_request: changes,
        };
        self.client.execute(request).await.unwrap().into_inner()
    }

    fn state(&self, zone: &str) -> GetZoneStateRequest {
        GetZoneStateRequest {
            token: self.token.clone(),
            zoneid: zone.to_owned(),
        }
    }
}

fn states(response: &ExecuteResponse) -> Vec<State> {
    let responses = response.change_response.iter();
    responses.map(ChangeResponse::state).collect()
}

#[tokio::test]
async fn zones_and_their_state_are_told() {
    let world = World::new();
    world.memory.put(a("www.example.com", "192.0.2.1"));
    world.memory.put(with_property(
        a("alias.example.com", "lb.example.net"),
        "alias",
        "true",
    ));
    let mut session = Session::new(&world).await;
    let token = session.token.clone();
    let zones = session
        .client
        .get_zones(GetZonesRequest { token })
        .await
        .unwrap()
        .into_inner()
        .zone;
    assert_eq!(zones.len(), 1);
    assert_eq!((&*zones[0].id, &*zones[0].domain), ("example.com", "example.com"));
    assert_eq!(zones[0].provider_type, "aws-route53");
    let request = session.state("example.com");
    let state = session.client.get_zone_state(request).await.unwrap().into_inner();
    assert_eq!(
        state.dns_sets["www.example.com"].records["A"].record[0].value,
        "192.0.2.1"
    );
    assert!(state.dns_sets["alias.example.com"].records.contains_key("ALIAS"));
}

#[tokio::test]
async fn each_change_has_its_answer_in_its_place() {
    let world = World::new();
    world.memory.put(a("there.example.com", "192.0.2.1"));
    world.memory.put(a("other.example.com", "192.0.2.1"));
    world.memory.refuse(name("bad.example.com"), Some("not here"));
    let mut session = Session::new(&world).await;
    let response = session
        .execute(vec![
            change(9, "a.example.com", "A", "192.0.2.2"),
            change(CREATE, "a.example.com", "A", "192.0.2.2"),
            change(CREATE, "b.example.com", "MX", "10 mail.example.com"),
            change(CREATE, "bad.example.com", "A", "192.0.2.2"),
            change(CREATE, "there.example.com", "A", "192.0.2.1"),
            change(CREATE, "other.example.com", "A", "192.0.2.9"),
            change(DELETE, "gone.example.com", "A", "192.0.2.1"),
            ChangeRequest::default(),
            change(UPDATE, "new.example.com", "A", "192.0.2.3"),
        ])
        .await;
    assert_eq!(
        states(&response),
        [
            State::Invalid,
            State::Succeeded,
            State::Invalid,
            State::Invalid,
            State::Succeeded,
            State::Failed,
            State::Succeeded,
            State::Invalid,
            State::Succeeded,
        ]
    );
    let text = |place: usize| &*response.change_response[place].error_message;
    assert!(
        text(0).starts_with("change_request[0].action is \"9\""),
        "{}",
        text(0)
    );
    assert_eq!(text(3), "bad.example.com A: not here");
    assert_eq!(
        text(5),
        "other.example.com A: conflict: other.example.com A is there already, with other data: 192.0.2.1"
    );
    assert_eq!(response.log_message.len(), 5);
    assert_eq!(response.log_message[0].timestamp, 1_800_000_000 * 1_000_000_000);
    assert_eq!(world.memory.calls().of(Operation::Apply), 1, "one batch");
    assert_eq!(world.memory.records(&zone("example.com").id).len(), 4);
}

#[tokio::test]
async fn changes_of_a_name_are_one_step() {
    let world = World::new();
    world
        .memory
        .put(of_type(a("www.example.com", "lb.example.net"), RecordType::Cname));
    let mut session = Session::new(&world).await;
    let swap = vec![
        change(DELETE, "www.example.com", "CNAME", "lb.example.net"),
        change(CREATE, "www.example.com", "A", "192.0.2.1"),
    ];
    world.memory.fail(Fault {
        operation: Operation::Apply,
        after: 0,
        kind: FaultKind::Throttled,
    });
    let throttled = session.execute(swap.clone()).await;
    assert_eq!(states(&throttled), [State::Throttled; 2]);
    assert_eq!(throttled.log_message[0].level, 2, "a warning");
    assert_eq!(
        throttled.change_response[1].error_message,
        "www.example.com A: asked too often; it may be tried again in 1s"
    );
    for operation in [Operation::Apply, Operation::Confirm] {
        world.clock.advance(2 * TIME);
        world.memory.fail(Fault {
            operation,
            after: 0,
            kind: FaultKind::Unavailable,
        });
        let postponed = session.execute(swap.clone()).await;
        assert_eq!(states(&postponed), [State::NotProcessed; 2], "{operation:?}");
        assert_eq!(postponed.log_message[0].level, 2, "a warning");
        let message = &postponed.change_response[0].error_message;
        assert!(message.contains("it cannot be reached"), "{message}");
    }
    assert_eq!(states(&session.execute(swap).await), [State::Succeeded; 2]);
    let truth = world.memory.records(&zone("example.com").id);
    assert_eq!(truth, [a("www.example.com", "192.0.2.1")]);
}

#[tokio::test]
async fn changes_of_one_record_set_are_made_one_after_the_other() {
    let world = World::new();
    let mut session = Session::new(&world).await;
    let response = session
        .execute(vec![
            change(CREATE, "www.example.com", "A", "192.0.2.1"),
            change(UPDATE, "www.example.com", "A", "192.0.2.2"),
            change(DELETE, "www.example.com", "A", "192.0.2.1"),
            change(DELETE, "www.example.com", "A", "192.0.2.2"),
        ])
        .await;
    let expected = [
        State::Succeeded,
        State::Succeeded,
        State::Failed,
        State::Succeeded,
    ];
    assert_eq!(states(&response), expected);
    assert!(world.memory.records(&zone("example.com").id).is_empty());
}

#[tokio::test]
async fn an_update_keeps_what_the_protocol_cannot_tell() {
    let world = World::new();
    let held = with_property(a("www.example.com", "192.0.2.1"), "other/property", "kept");
    world.memory.put(held);
    let mut session = Session::new(&world).await;
    let response = session
        .execute(vec![change(UPDATE, "www.example.com", "A", "192.0.2.2")])
        .await;
    assert_eq!(states(&response), [State::Succeeded]);
    let truth = world.memory.records(&zone("example.com").id);
    let wanted = with_property(a("www.example.com", "192.0.2.2"), "other/property", "kept");
    assert_eq!(truth, [wanted]);
}

#[tokio::test]
async fn tokens_are_bound_and_end() {
    let world = World::new();
    let mut session = Session::new(&world).await;
    let request = session.state("example.com");
    let mut thief = world.gardener("red").await;
    let stolen = thief.get_zone_state(request.clone()).await.unwrap_err();
    world.doorkeeper.forget_all();
    let ended = session.client.get_zone_state(request).await.unwrap_err();
    for error in [stolen, ended] {
        assert_eq!(error.code(), Code::Unauthenticated);
        assert!(
            error.message().contains("[invalid token]"),
            "old clients look for it: {error}"
        );
    }
    assert_eq!(world.central.figures().denied, 2);
}

#[tokio::test]
async fn errors_have_codes() {
    let world = World::with(
        Settings {
            message_limit: 100,
            ..Settings::default()
        },
        Limits::default(),
    );
    let mut client = world.gardener("blue").await;
    let asked = |namespace: &str| LoginRequest {
        namespace: namespace.to_owned(),
        ..LoginRequest::default()
    };
    let error = client.login(asked("red")).await.unwrap_err();
    assert_eq!(error.code(), Code::Unauthenticated);
    let mut nobody = RemoteProviderClient::new(world.channel("s", vec!["green"]).await);
    let error = nobody.login(asked("green")).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    assert!(
        error.message().contains("not found or no providers available"),
        "{error}"
    );
    let mut session = Session::new(&world).await;
    let error = session
        .client
        .get_zone_state(session.state("other"))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    for number in 0..20 {
        world
            .memory
            .put(a(&format!("host{number}.example.com"), "192.0.2.1"));
    }
    let error = session
        .client
        .get_zone_state(session.state("example.com"))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted);
    assert!(error.message().contains("records.remote.v2"), "{error}");
    world.memory.fail(Fault {
        operation: Operation::Confirm,
        after: 0,
        kind: FaultKind::Throttled,
    });
    world.clock.advance(TIME * 2);
    let error = session
        .client
        .get_zone_state(session.state("example.com"))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted, "the provider");
    assert_eq!(super::world::delay(&error).as_secs(), 1);
}

#[tokio::test]
async fn what_is_offered_of_a_zone_is_told() {
    let world = World::new();
    let mut with_more = offer(&world.account, &[]);
    with_more.zones.push(OfferedZone {
        zone: Zone {
            name: name("example.com"),
            ..zone("example.com")
        },
        private: true,
        forwarded: vec![name("sub.example.com")],
    });
    world.catalogue.put("blue", "provider", with_more);
    let mut session = Session::new(&world).await;
    let token = session.token.clone();
    let told = session
        .client
        .get_zones(GetZonesRequest { token })
        .await
        .unwrap()
        .into_inner()
        .zone;
    assert!(told[0].private_zone);
    assert_eq!(told[0].forwarded_domain, ["sub.example.com"]);
}
