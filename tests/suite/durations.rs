//! Durations, against what OpenShift's operator makes of them.

use api::GoDuration;
use operator::dns::config::Config;
use serde_json::json;
use tests::cases;

/// Texts whose value Go's parser, which counts in binary fractions and stops at
/// 292 years, gets wrong. Ours is the decimal value.
const BETTER_THAN_GO: [(&str, u64); 11] = [
    ("0.4999999999999999999s", 0),
    ("0.49999999999999999999s", 0),
    ("0.49999999999999999s", 0),
    ("1.49999999999999999s", 1),
    ("0.02500000000000m", 2),
    ("0.025000000000000000m", 2),
    ("0.12500000000000m", 8),
    ("0.12499999999999999m", 7),
    ("0.00375000000000h", 14),
    ("0.00875000000000h", 32),
    ("0.3083333333333333m", 18),
];

#[test]
fn admitted_durations_have_the_value_of_their_text() {
    for case in cases::durations().unwrap().iter().filter(|case| case.crd_pattern) {
        let seconds = GoDuration(case.duration.clone()).round_to_seconds();
        let known = BETTER_THAN_GO.iter().find(|(text, _)| *text == case.duration);
        match (known, case.rounded_seconds) {
            (Some((_, better)), _) => assert_eq!(seconds, Ok(*better), "{}", case.duration),
            // Go's own arithmetic has no more digits than that.
            (None, Some(go)) if go < 9e9 && !is_artifact(&case.duration) => {
                assert_eq!(seconds.unwrap().to_string(), go.to_string(), "{}", case.duration);
            }
            _ => assert!(seconds.is_ok(), "{}", case.duration),
        }
    }
}

/// Texts with so many digits that Go has rounded them before it looks.
fn is_artifact(text: &str) -> bool {
    text.bytes().filter(u8::is_ascii_digit).count() > 16
}

#[test]
fn other_texts_are_refused() {
    for case in cases::durations()
        .unwrap()
        .iter()
        .filter(|case| !case.crd_pattern)
    {
        assert!(
            GoDuration(case.duration.clone()).round_to_seconds().is_err(),
            "{:?}",
            case.duration
        );
    }
}

#[test]
fn limits_default_and_cap_each_by_itself() {
    for (positive, negative, expected) in [
        ("0", "0", (900, 30)),
        ("0.4s", "1s", (900, 1)),
        ("0.5h10m", "0", (2400, 30)),
        ("6s", "1193047h", (6, u32::MAX)),
        ("99999999999999999999h", "0.5s", (u32::MAX, 1)),
    ] {
        let spec = json!({ "cache": { "positiveTTL": positive, "negativeTTL": negative } });
        let cache = Config::decode(&spec).unwrap().cache;
        assert_eq!(
            (cache.positive, cache.negative),
            expected,
            "{positive} {negative}"
        );
    }
}

#[test]
fn a_stored_duration_that_is_none_is_refused_with_field_and_value() {
    for text in ["00", "1h0", "5", "", "1 h"] {
        let spec = json!({ "cache": { "negativeTTL": text } });
        let error = Config::decode(&spec).unwrap_err().to_string();
        assert!(
            error.contains("spec.cache.negativeTTL: Invalid value: "),
            "{error}"
        );
        assert!(error.contains(&format!("{text:?}")), "{error}");
    }
}
