//! How long answers live in the cache of a pod.

use std::time::Duration;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;
use tokio::time::sleep_until;

use super::Node;

pub async fn without_a_cache_spec_the_defaults_hold(node: &Node) {
    node.step("defaults: 900 and 30 seconds");
    assert_eq!(node.dns.a("first.ttl1200.default.test.").await.ttl(), 900);
    assert_eq!(node.dns.a("first.ttl60.default.test.").await.ttl(), 60);
    assert_eq!(node.dns.a("missing.default.test.").await.negative_ttl(), 30);
}

pub async fn a_short_limit_holds_in_every_block(node: &mut Node) {
    node.step("one edit: positiveTTL 6s, negativeTTL 7s, and a server for stub.test");
    node.edited(
        "s/^spec:$/spec:\\n  cache: {positiveTTL: 6s, negativeTTL: 7s}\\n  servers:\\n  - name: stub\\n    \
         zones: [stub.test]\\n    forwardPlugin: {upstreams: [10.128.0.1]}/",
    );
    for zone in ["default.test.", "stub.test."] {
        node.in_force(&format!("ttl60.{zone}"), "positiveTTL 6s", |answer| {
            answer.ttl() <= 6
        })
        .await;
    }
    assert_eq!(
        node.corefile().matches("cache 6 {").count(),
        2,
        "every block has the limit"
    );
    for zone in ["default.test.", "stub.test."] {
        node.step(&format!("an answer lives 6 seconds in the cache: {zone}"));
        obeys_the_positive_limit(node, &format!("short.ttl60.{zone}")).await;
        node.step(&format!("a denial lives 7 seconds in the cache: {zone}"));
        obeys_the_negative_limit(
            node,
            &format!("short.{zone}"),
            ResponseCode::NXDomain,
            RecordType::A,
        )
        .await;
        obeys_the_negative_limit(
            node,
            &format!("nodata.ttl60.{zone}"),
            ResponseCode::NoError,
            RecordType::AAAA,
        )
        .await;
    }
}

async fn obeys_the_positive_limit(node: &mut Node, name: &str) {
    let begun = tokio::time::Instant::now();
    for second in [0, 1, 2, 3, 4] {
        sleep_until(begun + Duration::from_secs(second)).await;
        let ttl = node.dns.a(name).await.ttl();
        assert!(ttl <= 6, "{name}: a TTL of {ttl} s after {second} s");
    }
    assert_eq!(
        node.asked_upstream(name, RecordType::A).await,
        1,
        "{name} was asked for once while it was in the cache"
    );
    sleep_until(begun + Duration::from_millis(7500)).await;
    assert!(node.dns.a(name).await.ttl() <= 6);
    assert_eq!(
        node.asked_upstream(name, RecordType::A).await,
        2,
        "{name} was asked for again after its limit"
    );
}

async fn obeys_the_negative_limit(node: &mut Node, name: &str, code: ResponseCode, record_type: RecordType) {
    let ask = async |node: &Node| {
        let answer = node.dns.ask(name, record_type).await.unwrap();
        assert_eq!(answer.code, code, "{name}");
        assert!(answer.negative_ttl() <= 7, "{name}: {answer:?}");
    };
    let begun = tokio::time::Instant::now();
    for second in [0, 2, 4] {
        sleep_until(begun + Duration::from_secs(second)).await;
        ask(node).await;
    }
    assert_eq!(
        node.asked_upstream(name, record_type).await,
        1,
        "{name} was asked for once while its denial was in the cache"
    );
    sleep_until(begun + Duration::from_millis(8500)).await;
    ask(node).await;
    assert_eq!(
        node.asked_upstream(name, record_type).await,
        2,
        "{name} was asked for again after the limit"
    );
}

pub async fn a_long_limit_lets_upstream_ttls_pass(node: &mut Node) {
    node.step("positiveTTL 1h: upstream TTLs pass");
    node.edited("s/positiveTTL: .*/positiveTTL: 1h/");
    for zone in ["default.test.", "stub.test."] {
        node.in_force(&format!("ttl1200.{zone}"), "positiveTTL 1h", |answer| {
            answer.ttl() == 1200
        })
        .await;
    }
    let (short, long) = ("long.ttl20.default.test.", "long.ttl1200.default.test.");
    assert_eq!(node.dns.a(short).await.ttl(), 20);
    assert_eq!(node.dns.a(long).await.ttl(), 1200);
    // Both are in the cache by now: ten seconds later at least ten have been counted down.
    let begun = tokio::time::Instant::now();
    sleep_until(begun + Duration::from_secs(10)).await;
    for (name, most) in [(short, 10), (long, 1190)] {
        let ttl = node.dns.a(name).await.ttl();
        assert!((most - 2..=most).contains(&ttl), "{name} counts down: {ttl}");
    }
    sleep_until(begun + Duration::from_secs(17)).await;
    node.dns.a(short).await;
    assert_eq!(
        node.asked_upstream(short, RecordType::A).await,
        1,
        "{short} lives as long as the upstream said"
    );
    sleep_until(begun + Duration::from_secs(22)).await;
    assert!(node.dns.a(short).await.ttl() >= 19);
    assert_eq!(
        node.asked_upstream(short, RecordType::A).await,
        2,
        "{short} lives no longer than the upstream said"
    );
    assert_eq!(node.asked_upstream(long, RecordType::A).await, 1);
}
