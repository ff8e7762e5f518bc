//! Record sets there and back.

use records::{Endpoint, Provider as _};
use serde_json::{Value, json};

use super::stand_in::{Account as _, StandIn};
use super::xml::{alias, routed, simple};
use super::{apply, create, delete, endpoint, is_applied, own_zone, read, replace, stand_in};

/// A set as Route 53 lists it, and the endpoint that stands for it.
fn pairs() -> Vec<(String, Value)> {
    let mut pairs = plain();
    pairs.extend(aliases());
    pairs.extend(policies());
    pairs
}

fn plain() -> Vec<(String, Value)> {
    let long = format!("\"{}\" \"{}\"", "a".repeat(255), "b".repeat(45));
    let rows: [(&str, &str, &[&str]); 14] = [
        ("a", "A", &["192.0.2.1", "192.0.2.2"]),
        ("aaaa", "AAAA", &["2001:db8::1"]),
        ("caa", "CAA", &["0 issue \"ca.example.net\""]),
        ("cname", "CNAME", &["host.example.net"]),
        ("dotted", "CNAME", &["host.example.net."]),
        ("ds", "DS", &["12345 13 2 0123456789abcdef"]),
        ("mx", "MX", &["10 mail.example.com", "20 mail.example.net"]),
        (
            "naptr",
            "NAPTR",
            &["100 10 \"u\" \"E2U+sip\" \"!^.*$!sip:a@example.com!\" ."],
        ),
        ("sub", "PTR", &["host.example.net"]),
        ("srv", "SRV", &["10 5 5060 sip.example.com."]),
        ("spf", "SPF", &["\"v=spf1 -all\""]),
        (
            "txt",
            "TXT",
            &["\"one\" \"two\"", "\"a \\\"quote\\\", \\303\\274 & <more>\""],
        ),
        ("long", "TXT", &[&long]),
        ("svcb", "HTTPS", &["1 . alpn=h2"]),
    ];
    rows.into_iter()
        .map(|(name, record_type, values)| {
            let name = format!("{name}.example.com");
            let set = simple(&format!("{name}."), record_type, 60, values);
            let endpoint = json!({ "dnsName": name, "recordType": record_type, "recordTTL": 60, "targets": values });
            (set, endpoint)
        })
        .chain([
            (
                simple("\\052.example.com.", "A", 60, &["192.0.2.1"]),
                json!({ "dnsName": "*.example.com", "recordType": "A", "recordTTL": 60, "targets": ["192.0.2.1"] }),
            ),
            (
                simple("zero.example.com.", "A", 0, &["192.0.2.1"]),
                json!({ "dnsName": "zero.example.com", "recordType": "A", "targets": ["192.0.2.1"] }),
            ),
        ])
        .collect()
}

fn aliases() -> Vec<(String, Value)> {
    let told = |name: &str, target: &str, health: &str, zone: Option<&str>| {
        let mut properties = vec![
            json!({ "name": "alias", "value": "true" }),
            json!({ "name": "aws/evaluate-target-health", "value": health }),
        ];
        properties.extend(zone.map(|zone| json!({ "name": "aws/target-hosted-zone", "value": zone })));
        json!({ "dnsName": name, "recordType": "A", "recordTTL": 300, "targets": [target],
                "providerSpecific": properties })
    };
    let balancer = "web-1.us-east-1.elb.amazonaws.com";
    vec![
        (
            alias(
                "alias1.example.com.",
                "A",
                &format!("{balancer}."),
                "Z35SXDOTRQ7X7K",
                true,
            ),
            told("alias1.example.com", balancer, "true", None),
        ),
        (
            alias("alias2.example.com.", "A", "a.example.com.", "Z1", false),
            told("alias2.example.com", "a.example.com", "false", None),
        ),
        (
            alias(
                "alias3.example.com.",
                "A",
                "s3-website.example.net.",
                "Z99",
                false,
            ),
            told(
                "alias3.example.com",
                "s3-website.example.net",
                "false",
                Some("Z99"),
            ),
        ),
    ]
}

fn policies() -> Vec<(String, Value)> {
    let rows: [(&str, &[(&str, &str)]); 12] = [
        ("<Weight>10</Weight>", &[("aws/weight", "10")]),
        ("<Region>eu-west-1</Region>", &[("aws/region", "eu-west-1")]),
        ("<Failover>PRIMARY</Failover>", &[("aws/failover", "PRIMARY")]),
        (
            "<MultiValueAnswer>true</MultiValueAnswer>",
            &[("aws/multi-value-answer", "")],
        ),
        (
            "<GeoLocation><ContinentCode>EU</ContinentCode></GeoLocation>",
            &[("aws/geolocation-continent-code", "EU")],
        ),
        (
            "<GeoLocation><CountryCode>US</CountryCode><SubdivisionCode>CA</SubdivisionCode></GeoLocation>",
            &[
                ("aws/geolocation-country-code", "US"),
                ("aws/geolocation-subdivision-code", "CA"),
            ],
        ),
        (
            "<GeoLocation><CountryCode>*</CountryCode></GeoLocation>",
            &[("aws/geolocation-country-code", "*")],
        ),
        (
            "<GeoProximityLocation><AWSRegion>eu-west-1</AWSRegion><Bias>-5</Bias></GeoProximityLocation>",
            &[
                ("aws/geoproximity-bias", "-5"),
                ("aws/geoproximity-region", "eu-west-1"),
            ],
        ),
        (
            "<GeoProximityLocation><LocalZoneGroup>use1-az1</LocalZoneGroup><Bias>0</Bias></GeoProximityLocation>",
            &[
                ("aws/geoproximity-bias", "0"),
                ("aws/geoproximity-local-zone-group", "use1-az1"),
            ],
        ),
        (
            "<GeoProximityLocation><Coordinates><Latitude>52.52</Latitude><Longitude>-13.4</Longitude></Coordinates>\
             <Bias>0</Bias></GeoProximityLocation>",
            &[
                ("aws/geoproximity-bias", "0"),
                ("aws/geoproximity-coordinates", "52.52,-13.4"),
            ],
        ),
        (
            "<CidrRoutingConfig><CollectionId>c1</CollectionId><LocationName>*</LocationName></CidrRoutingConfig>",
            &[("aws/cidr-collection-id", "c1"), ("aws/cidr-location-name", "*")],
        ),
        (
            "<Weight>0</Weight><HealthCheckId>h1</HealthCheckId>",
            &[("aws/health-check-id", "h1"), ("aws/weight", "0")],
        ),
    ];
    let rows = rows.into_iter().enumerate();
    rows.map(|(number, (policy, properties))| {
        let name = format!("routed{number}.example.com");
        let policy = format!("<SetIdentifier>blue</SetIdentifier>{policy}");
        let properties = properties.iter().map(|(name, value)| match *value {
            "" => json!({ "name": name }),
            value => json!({ "name": name, "value": value }),
        });
        let endpoint = json!({
            "dnsName": name, "recordType": "A", "recordTTL": 60, "targets": ["192.0.2.1"],
            "setIdentifier": "blue", "providerSpecific": properties.collect::<Vec<_>>(),
        });
        (
            routed(&format!("{name}."), "A", &policy, 60, &["192.0.2.1"]),
            endpoint,
        )
    })
    .collect()
}

async fn with_all() -> StandIn {
    let stand_in = stand_in().await;
    for (set, _) in pairs() {
        stand_in.put("Z1", &set);
    }
    stand_in
}

#[tokio::test]
async fn what_is_listed_is_told_by_external_dnss_names() {
    for (set, expected) in pairs() {
        let stand_in = stand_in().await;
        stand_in.put("Z1", &set);
        assert_eq!(read(&stand_in).await, [endpoint(expected)], "{set}");
    }
}

/// As a deletion names all that is there, this compares to the letter.
#[tokio::test]
async fn everything_that_is_listed_can_be_deleted() {
    let stand_in = with_all().await;
    let groups: Vec<_> = read(&stand_in).await.into_iter().map(delete).collect();
    assert_eq!(groups.len(), pairs().len());
    for (group, outcome) in groups.iter().zip(apply(&stand_in, &groups).await) {
        assert!(is_applied(&outcome), "{group:?}: {outcome:?}");
    }
    assert_eq!(stand_in.sets("Z1"), [""; 0]);
}

#[tokio::test]
async fn what_is_written_is_listed_as_it_was_adjusted() {
    let (written, there) = (stand_in().await, with_all().await);
    let listed: Vec<Endpoint> = read(&there).await;
    let adjusted = written.provider().adjust(listed.clone()).await.unwrap();
    assert_eq!(adjusted, listed, "what is listed is as it is wanted");
    let groups: Vec<_> = adjusted.into_iter().map(create).collect();
    let outcomes = apply(&written, &groups).await;
    assert!(outcomes.iter().all(is_applied), "{outcomes:?}");
    let unset = |line: &String| line.starts_with("zero.");
    let (mut written, mut there) = (written.sets("Z1"), there.sets("Z1"));
    written.retain(|line| !unset(line));
    there.retain(|line| !unset(line));
    assert_eq!(written, there);
}

/// What is applied says what is listed from now on.
#[tokio::test]
async fn outcomes_tell_what_is_listed() {
    let stand_in = stand_in().await;
    let wanted = endpoint(json!({
        "dnsName": "Bücher.example.com", "recordType": "TXT", "targets": ["plain \"text\""],
        "providerSpecific": [{ "name": "alias", "value": "true" }],
    }));
    let outcome = apply(&stand_in, &[create(wanted)]).await.remove(0);
    let records::Outcome::Applied {
        written: Some(written),
    } = outcome
    else {
        panic!("{outcome:?}");
    };
    assert_eq!(written, read(&stand_in).await);
    assert_eq!(
        stand_in.sets("Z1"),
        ["xn--bcher-kva.example.com. TXT \"plain \\\"text\\\"\" TTL=300"]
    );
}

#[tokio::test]
async fn any_side_of_a_set_can_change() {
    let stand_in = with_all().await;
    let before = read(&stand_in).await;
    for old in before {
        let alias_or_text = old
            .provider_specific
            .iter()
            .any(|property| &*property.name == "alias");
        let new = Endpoint {
            ttl: std::num::NonZeroU32::new(if alias_or_text { 300 } else { 77 }),
            ..old.clone()
        };
        let outcome = apply(&stand_in, &[replace(old.clone(), new.clone())])
            .await
            .remove(0);
        assert!(is_applied(&outcome), "{old:?}: {outcome:?}");
        let there = stand_in.provider();
        let found = there
            .read_names(&own_zone(), &[old.name().unwrap()])
            .await
            .unwrap();
        assert_eq!(found, [new]);
    }
}
