//! Two clients that write one name at the same time.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use records::Change;
use remote::protocol::v1::ExecuteRequest;
use remote::protocol::v1::change_response::State;

use super::faults::request;
use super::world::{World, a, apply, group, login, words, zone};

/// What each of two clients is told that write one name at the same time.
async fn at_once(world: &World, first: Writer, second: Writer) -> (bool, bool) {
    let (blue, red) = tokio::join!(
        first(world, "blue", "192.0.2.2"),
        second(world, "red", "192.0.2.3")
    );
    (blue, red)
}

type Writer = for<'a> fn(&'a World, &'static str, &'static str) -> BoxFuture<'a, bool>;

fn create_v2<'a>(world: &'a World, namespace: &'static str, address: &'static str) -> BoxFuture<'a, bool> {
    async move {
        let groups = vec![group(Change::Create(a("www.example.com", address)))];
        let mut client = world.zones(namespace).await;
        let made = client.apply(apply(namespace, groups)).await.unwrap().into_inner();
        assert!(["applied", "conflict"].contains(&words(&made)[0]), "{made:?}");
        words(&made) == ["applied"]
    }
    .boxed()
}

fn create_v1<'a>(world: &'a World, namespace: &'static str, address: &'static str) -> BoxFuture<'a, bool> {
    async move {
        let mut client = world.gardener(namespace).await;
        let token = login(&mut client, namespace, 1).await;
        let execute = ExecuteRequest {
            token,
            zoneid: "example.com".to_owned(),
            change_request: vec![request(&Change::Create(a("www.example.com", address)))],
        };
        let made = client.execute(execute).await.unwrap().into_inner();
        let response = &made.change_response[0];
        let is_told = response.error_message.contains("www.example.com A: conflict: ");
        assert_eq!(is_told, response.state() == State::Failed, "{response:?}");
        response.state() == State::Succeeded
    }
    .boxed()
}

#[tokio::test]
async fn of_two_who_write_one_name_at_once_one_is_told_of_the_conflict() {
    let pairs: [(Writer, Writer); 4] = [
        (create_v1, create_v1),
        (create_v1, create_v2),
        (create_v2, create_v1),
        (create_v2, create_v2),
    ];
    for (place, (first, second)) in pairs.into_iter().enumerate() {
        let world = World::new();
        let told = at_once(&world, first, second).await;
        let address = match told {
            (true, false) => "192.0.2.2",
            (false, true) => "192.0.2.3",
            both => panic!("{place}: {both:?}"),
        };
        let truth = world.memory.records(&zone("example.com").id);
        assert_eq!(truth, [a("www.example.com", address)], "{place}");
    }
}
