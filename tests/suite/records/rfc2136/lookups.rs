//! Single names are read as the zone has them, not as resolvers see them.

use records::Provider as _;

use super::{MAKES, Server, name, set, sort, zone};

#[tokio::test]
async fn names_are_read_as_the_zone_has_them() {
    let lines = "*.wild A 192.0.2.1\nreal.wild TXT real\nbelow.empty A 192.0.2.1\n\
                 alias CNAME target\ntarget A 192.0.2.2\nmany A 192.0.2.3\nmany TXT a b\nmany MX 10 mail\n\
                 cut NS ns.cut\nns.cut A 192.0.2.4\ntree DNAME elsewhere.test.";
    for make in MAKES {
        let server = Server::start(make, lines).await;
        let provider = server.provider();
        let read = async |owners: &[&str]| {
            let names: Vec<_> = owners
                .iter()
                .map(|owner| name(&format!("{owner}.example.test")))
                .collect();
            let mut sets = provider.read_names(&zone(), &names).await.unwrap();
            sort(&mut sets);
            sets
        };
        // A wildcard stands for names that are not there.
        assert_eq!(
            read(&["made-up.wild", "missing", "empty", "below.tree"]).await,
            [],
            "{make:?}"
        );
        assert_eq!(
            read(&["*.wild", "real.wild"]).await,
            [
                set("*.wild.example.test", "A", &["192.0.2.1"]),
                set("real.wild.example.test", "TXT", &["\"real\""]),
            ],
            "{make:?}"
        );
        assert_eq!(
            read(&["alias", "alias", "tree"]).await,
            [
                set("alias", "CNAME", &["target.example.test"]),
                set("tree", "DNAME", &["elsewhere.test"]),
            ],
            "{make:?}"
        );
        assert_eq!(
            read(&["many"]).await,
            [
                set("many", "A", &["192.0.2.3"]),
                set("many", "MX", &["10 mail.example.test"]),
                set("many", "TXT", &["\"a\" \"b\""]),
            ],
            "{make:?}"
        );
        // Of these a server tells only that others are to be asked.
        assert_eq!(
            read(&["cut", "ns.cut", "other.cut", "target"]).await,
            [
                set("cut", "NS", &["ns.cut.example.test"]),
                set("ns.cut.example.test", "A", &["192.0.2.4"]),
                set("target", "A", &["192.0.2.2"]),
            ],
            "{make:?}"
        );
        assert_eq!(read(&[]).await, [], "{make:?}");
    }
}
