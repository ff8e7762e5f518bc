//! A name changes its type without being gone in between.

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;

use crate::dns_client::DnsClient;

use super::{MAKES, Server, applied, create, delete, set};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alias_turns_into_an_address_and_back_while_it_is_asked_for() {
    for make in MAKES {
        let server = Server::start(make, "target A 192.0.2.1").await;
        let provider = server.provider();
        let alias = set("name", "CNAME", &["target.example.test"]);
        let address = set("name", "A", &["192.0.2.2"]);
        applied(&provider, &[create(&alias)]).await;
        let client = DnsClient(server.primary.listen());
        let asking = tokio::spawn(async move {
            let (mut aliases, mut addresses) = (0, 0);
            loop {
                let answer = client.ask("name.example.test.", RecordType::A).await.unwrap();
                assert_eq!(answer.code, ResponseCode::NoError);
                match answer.ttls.len() {
                    2 => aliases += 1,
                    1 => addresses += 1,
                    _ => panic!("{answer:?}"),
                }
                if aliases > 50 && addresses > 50 {
                    return;
                }
            }
        });
        while !asking.is_finished() {
            applied(&provider, &[delete(&alias), create(&address)]).await;
            applied(&provider, &[create(&alias), delete(&address)]).await;
        }
        asking.await.unwrap_or_else(|error| panic!("{make:?}: {error}"));
    }
}
