//! What a zone holds, with who owns it.

use records::ownership::{Affix, Cipher, InvalidOwner, Ownership, Registry};
use records::{Endpoint, RecordType};

use super::zone::{
    HeldZone, alias, held, labelled, labels_of, line, name, owner_of, ownership, ownership_txt, record,
    registry,
};

const KEY: &[u8] = b"01234567890123456789012345678901";

fn encrypting() -> Ownership {
    Ownership::from(registry(Affix::default()).with_cipher(Cipher::new(KEY).unwrap(), true))
}

#[test]
fn records_carry_what_their_ownership_records_tell() {
    let zone = HeldZone::new([
        record("www.example.com", "A", "192.0.2.1"),
        record(
            "a-www.example.com",
            "TXT",
            "\"heritage=external-dns,external-dns/owner=default,external-dns/resource=ingress/default/www\"",
        ),
        record("mail.example.com", "A", "192.0.2.2"),
        ownership_txt("a-mail.example.com", "other"),
        record("hand.example.com", "A", "192.0.2.3"),
        record("hand.example.com", "TXT", "\"v=spf1 -all\""),
    ]);
    let before = zone.lines();
    let holdings = zone.holdings(&ownership());
    let lines: Vec<_> = holdings.records().map(|record| line(&record)).collect();
    assert_eq!(
        lines,
        [
            "www.example.com A 192.0.2.1",
            "mail.example.com A 192.0.2.2",
            "hand.example.com A 192.0.2.3",
            "hand.example.com TXT \"v=spf1 -all\"",
        ]
    );
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(
        labels_of(&holdings, "www.example.com", "A"),
        [pair("owner", "default"), pair("resource", "ingress/default/www")]
    );
    assert_eq!(
        labels_of(&holdings, "mail.example.com", "A"),
        [pair("owner", "other")]
    );
    assert_eq!(labels_of(&holdings, "hand.example.com", "A"), []);
    assert!(holdings.repairs.is_empty());

    // The zone's own records are as they were, and told as they are where nothing was added.
    assert_eq!(zone.lines(), before);
    assert!(zone.records.iter().all(|record| record.labels.is_empty()));
    assert_eq!(held(&holdings, "hand.example.com", "A"), zone.records[4]);
}

#[test]
fn ownership_records_are_found_by_the_key_they_are_for() {
    let zone = HeldZone::new([
        record("www.example.com", "A", "192.0.2.1"),
        ownership_txt("A-WWW.example.com.", "default"),
    ]);
    let registry = registry(Affix::default());
    let holdings = zone.holdings(&Ownership::from(registry.clone()));
    assert_eq!(owner_of(&holdings, "www.example.com", "A"), "default");
    let key = zone.records[0].key().unwrap();
    let txt = holdings.txt_of(&registry, &zone.zone, &key).unwrap();
    assert_eq!(txt, zone.records[1]);
}

#[test]
fn an_old_ownership_record_is_for_all_types_but_aaaa() {
    let zone = HeldZone::new([
        record("www.example.com", "A", "192.0.2.1"),
        record("www.example.com", "AAAA", "2001:db8::1"),
        record("www.example.com", "MX", "10 mail.example.com"),
        ownership_txt("www.example.com", "default"),
        // By its name this one is for the MX of 1.example.com.
        record("mx-1.example.com", "A", "192.0.2.1"),
        ownership_txt("mx-1.example.com", "default"),
    ]);
    let holdings = zone.holdings(&ownership());
    assert_eq!(owner_of(&holdings, "www.example.com", "A"), "default");
    assert_eq!(owner_of(&holdings, "www.example.com", "MX"), "default");
    assert_eq!(owner_of(&holdings, "www.example.com", "AAAA"), "");
    assert_eq!(owner_of(&holdings, "mx-1.example.com", "A"), "");
    let repairs: Vec<_> = holdings
        .repairs
        .iter()
        .map(|record| record.record_type.clone())
        .collect();
    assert_eq!(repairs, [RecordType::A, RecordType::Mx]);
}

#[test]
fn the_ownership_record_of_one_record_is_not_the_old_one_of_another() {
    // No name says by itself that it is for a CAA.
    let zone = HeldZone::new([
        record("caa-www.example.com", "A", "192.0.2.1"),
        record("www.example.com", "CAA", "0 issue \"ca.example.net\""),
        ownership_txt("caa-www.example.com", "default"),
    ]);
    let holdings = zone.holdings(&ownership());
    assert_eq!(owner_of(&holdings, "www.example.com", "CAA"), "default");
    assert_eq!(owner_of(&holdings, "caa-www.example.com", "A"), "");
}

#[test]
fn today_s_ownership_record_comes_before_the_old_one() {
    let zone = HeldZone::new([
        record("www.example.com", "A", "192.0.2.1"),
        ownership_txt("www.example.com", "default"),
        ownership_txt("a-www.example.com", "other"),
    ]);
    let holdings = zone.holdings(&ownership());
    assert_eq!(owner_of(&holdings, "www.example.com", "A"), "other");
}

#[test]
fn an_ownership_record_outside_of_the_zone_s_name_is_found_where_it_is_within() {
    // The apex with a prefix of its own label, before external-dns 0.12.
    let zone = HeldZone::new([
        record("example.com", "A", "192.0.2.1"),
        ownership_txt("txt.example.com", "default"),
    ]);
    let affix = Affix::new("txt.", "", "").unwrap();
    let holdings = zone.holdings(&Ownership::from(registry(affix)));
    assert_eq!(owner_of(&holdings, "example.com", "A"), "default");
    assert_eq!(holdings.repairs.len(), 1);
}

#[test]
fn an_alias_at_aws_may_have_the_ownership_record_of_a_cname() {
    let zone = HeldZone::new([
        alias(),
        record("plain.example.com", "A", "192.0.2.1"),
        ownership_txt("cname-www.example.com", "default"),
        ownership_txt("cname-plain.example.com", "default"),
    ]);
    let holdings = zone.holdings(&ownership());
    assert_eq!(owner_of(&holdings, "www.example.com", "A"), "default");
    assert_eq!(owner_of(&holdings, "plain.example.com", "A"), "");
    assert_eq!(holdings.repairs.len(), 1);
}

#[test]
fn record_sets_of_one_name_have_their_own_ownership_records() {
    let set = |record: Endpoint, id: &str| Endpoint {
        set_identifier: id.into(),
        ..record
    };
    let zone = HeldZone::new([
        set(record("www.example.com", "A", "192.0.2.1"), "one"),
        set(record("www.example.com", "A", "192.0.2.2"), "two"),
        set(ownership_txt("a-www.example.com", "default"), "one"),
    ]);
    let owners: Vec<_> = zone
        .holdings(&ownership())
        .records()
        .map(|r| r.labels.iter().count())
        .collect();
    assert_eq!(owners, [1, 0]);
}

#[test]
fn encrypted_texts_are_read_with_their_key_and_plain_ones_too() {
    let sealed = Cipher::new(KEY)
        .unwrap()
        .seal("", "heritage=external-dns,external-dns/owner=default")
        .unwrap();
    let zone = HeldZone::new([
        record("www.example.com", "A", "192.0.2.1"),
        record("a-www.example.com", "TXT", &format!("\"{sealed}\"")),
        record("mail.example.com", "A", "192.0.2.1"),
        ownership_txt("a-mail.example.com", "default"),
    ]);
    let holdings = zone.holdings(&encrypting());
    assert_eq!(owner_of(&holdings, "www.example.com", "A"), "default");
    assert_eq!(owner_of(&holdings, "mail.example.com", "A"), "default");
    let labels = held(&holdings, "www.example.com", "A").labels;
    let nonce = labels.get("txt-encryption-nonce").unwrap();
    assert!(sealed.starts_with(nonce), "{nonce}");

    let wrong = Cipher::new(b"another key of thirty-two octets").unwrap();
    for ownership in [
        ownership(),
        Ownership::from(registry(Affix::default()).with_cipher(wrong, true)),
    ] {
        let holdings = zone.holdings(&ownership);
        assert_eq!(owner_of(&holdings, "www.example.com", "A"), "");
        assert_eq!(owner_of(&holdings, "mail.example.com", "A"), "default");
        assert_eq!(holdings.records().count(), 3);
    }
}

#[test]
fn records_of_a_former_owner_are_ours_and_to_be_repaired() {
    let zone = HeldZone::new([
        record("www.example.com", "A", "192.0.2.1"),
        ownership_txt("a-www.example.com", "old"),
        record("mail.example.com", "A", "192.0.2.1"),
        ownership_txt("a-mail.example.com", "other"),
    ]);
    let migrating = Ownership::from(registry(Affix::default()).migrating_from("old"));
    let holdings = zone.holdings(&migrating);
    assert_eq!(owner_of(&holdings, "www.example.com", "A"), "default");
    assert_eq!(owner_of(&holdings, "mail.example.com", "A"), "other");
    assert_eq!(holdings.repairs.len(), 1);
    assert!(zone.holdings(&ownership()).repairs.is_empty());
}

#[test]
fn records_that_share_an_ownership_record_are_nobody_s_and_told() {
    let affix = Affix::new("", "", "any").unwrap();
    let zone = HeldZone::new([
        record("*.example.com", "A", "192.0.2.1"),
        record("any.example.com", "A", "192.0.2.2"),
        record("*.b.example.com", "A", "192.0.2.3"),
        ownership_txt("a-any.example.com", "default"),
        ownership_txt("a-any.b.example.com", "default"),
    ]);
    let holdings = zone.holdings(&Ownership::from(registry(affix)));
    assert_eq!(owner_of(&holdings, "*.example.com", "A"), "");
    assert_eq!(owner_of(&holdings, "any.example.com", "A"), "");
    assert_eq!(owner_of(&holdings, "*.b.example.com", "A"), "default");
    let told: Vec<_> = holdings.ambiguous.iter().map(|key| key.name.clone()).collect();
    assert_eq!(told, [name("*.example.com"), name("any.example.com")]);
}

#[test]
fn an_old_ownership_record_is_not_for_two_names() {
    let affix = Affix::new("txt.", "", "any").unwrap();
    let zone = HeldZone::new([
        record("*.example.com", "A", "192.0.2.1"),
        record("any.example.com", "A", "192.0.2.2"),
        ownership_txt("txt.any.example.com", "default"),
    ]);
    let holdings = zone.holdings(&Ownership::from(registry(affix)));
    assert_eq!(owner_of(&holdings, "any.example.com", "A"), "");
    assert_eq!(holdings.ambiguous.len(), 2);
}

#[test]
fn only_ownership_records_tell_owners() {
    let zone = HeldZone::new([labelled(
        record("www.example.com", "A", "192.0.2.1"),
        &[("owner", "default"), ("resource", "x")],
    )]);
    let holdings = zone.holdings(&ownership());
    assert_eq!(
        labels_of(&holdings, "www.example.com", "A"),
        [("resource".to_owned(), "x".to_owned())]
    );
    let all: Vec<_> = zone.holdings(&Ownership::Noop).records().collect();
    assert_eq!(all, zone.records);
}

#[test]
fn an_ownership_text_among_others_tells_the_owner_and_the_others_stay_in_sight() {
    let mut txt = ownership_txt("www.example.com", "default");
    txt.targets = ["\"v=spf1 -all\"".into(), txt.targets[0].clone()].into();
    let zone = HeldZone::new([record("www.example.com", "A", "192.0.2.1"), txt]);
    let holdings = zone.holdings(&ownership());
    assert_eq!(owner_of(&holdings, "www.example.com", "A"), "default");
    assert_eq!(holdings.records().count(), 2);
}

#[test]
fn of_several_owners_the_other_one_counts() {
    let mut txt = ownership_txt("a-www.example.com", "default");
    txt.targets = [
        txt.targets[0].clone(),
        ownership_txt("", "other").targets[0].clone(),
    ]
    .into();
    let zone = HeldZone::new([record("www.example.com", "A", "192.0.2.1"), txt]);
    assert_eq!(
        owner_of(&zone.holdings(&ownership()), "www.example.com", "A"),
        "other"
    );
}

#[test]
fn owner_ids_that_cannot_be_written_are_refused() {
    for owner in ["", "a,b", "\"a\""] {
        let refused = Registry::new(owner, Affix::default()).unwrap_err();
        assert_eq!(refused, InvalidOwner(owner.into()));
    }
}
