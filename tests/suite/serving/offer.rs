//! What of a TLS profile is offered in a handshake.

use operator::dns::tls_profile::TlsProfile;
use operator::serve::offer::Offer;
use serde_json::{Value, json};

const TLS13: [&str; 3] = [
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
];
const ALL_GROUPS: [&str; 3] = ["X25519", "secp256r1", "secp384r1"];

fn offer(profile: &Value) -> Offer {
    let spec = json!({ "tlsSecurityProfile": profile });
    Offer::of(&TlsProfile::from_api_server_spec(&spec))
}

fn custom(profile: &Value) -> Offer {
    offer(&json!({ "type": "Custom", "custom": profile }))
}

#[test]
fn the_usual_profiles_are_offered_as_they_are() {
    for profile in [Value::Null, json!({ "type": "Intermediate" })] {
        let offer = offer(&profile);
        assert_eq!(offer.suite_names().len(), 9);
        assert_eq!(offer.group_names(), ALL_GROUPS);
        assert_eq!(offer.remarks, [""; 0]);
    }
    let modern = offer(&json!({ "type": "Modern" }));
    assert_eq!(modern.suite_names(), TLS13);
    assert_eq!(modern.version_names(), ["TLSv1_3"]);
    assert_eq!(modern.remarks, [""; 0]);
}

#[test]
fn what_is_too_old_is_left_out_and_told() {
    let old = offer(&json!({ "type": "Old" }));
    assert_eq!(old.suite_names().len(), 9);
    assert_eq!(old.version_names(), ["TLSv1_3", "TLSv1_2"]);
    assert_eq!(old.remarks.len(), 2, "{:?}", old.remarks);
    assert!(old.remarks[0].contains("VersionTLS10"), "{:?}", old.remarks);
    assert!(
        old.remarks[1].contains("TLS_RSA_WITH_AES_128_CBC_SHA"),
        "{:?}",
        old.remarks
    );
}

#[test]
fn a_custom_profile_is_narrowed_to_what_there_is() {
    let offer = custom(&json!({
        "ciphers": ["ECDHE-RSA-AES128-GCM-SHA256", "AES128-SHA", "DHE-RSA-AES128-GCM-SHA256",
            "ECDHE-RSA-AES128-GCM-SHA256"],
        "minTLSVersion": "VersionTLS12",
        "groups": ["X25519MLKEM768", "secp384r1", "SecP256r1MLKEM768"],
    }));
    assert_eq!(offer.suite_names(), ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]);
    assert_eq!(offer.group_names(), ["secp384r1"]);
    assert_eq!(offer.remarks.len(), 2, "{:?}", offer.remarks);
    for name in ["DHE-RSA-AES128-GCM-SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA"] {
        assert!(offer.remarks[0].contains(name), "{:?}", offer.remarks);
    }
    for name in ["X25519MLKEM768", "SecP256r1MLKEM768"] {
        assert!(offer.remarks[1].contains(name), "{:?}", offer.remarks);
    }
}

#[test]
fn something_is_always_left_to_offer() {
    let none_known = custom(&json!({ "ciphers": ["AES256-SHA256"], "minTLSVersion": "VersionTLS13" }));
    assert_eq!(none_known.suite_names().len(), 9);
    assert_eq!(none_known.version_names(), ["TLSv1_3", "TLSv1_2"]);
    let none_fits = custom(&json!({
        "ciphers": ["ECDHE-RSA-AES128-GCM-SHA256"], "minTLSVersion": "VersionTLS13" }));
    assert_eq!(none_fits.version_names(), ["TLSv1_3"]);
    assert!(none_fits.suite_names().contains(&TLS13[0].to_owned()));
    let none_named = custom(&json!({ "ciphers": [], "groups": ["P-521"] }));
    assert_eq!(none_named.suite_names().len(), 9);
    assert_eq!(none_named.group_names(), ALL_GROUPS);
    assert!(
        none_known.remarks[0].contains("AES256-SHA256"),
        "{:?}",
        none_known.remarks
    );
    for offer in [none_fits, none_named] {
        assert!(
            offer.remarks.iter().any(|remark| remark.contains("is left")),
            "{:?}",
            offer.remarks
        );
    }
}
