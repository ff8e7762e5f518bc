//! `records show`: what a record cache on disk holds, for people and for programs.

use std::path::Path;
use std::process::Output;
use std::time::{Duration, SystemTime};

use records::cache::store::{FileStore, Row, Store as _, StoredTimes, ZoneWrite};
use records::{Endpoint, Name, RecordType, Zone, ZoneId};
use serde_json::{Value, json};

use super::daemon::command;

fn zone(name: &str) -> Zone {
    Zone {
        id: ZoneId(name.into()),
        name: Name::parse(name).unwrap(),
    }
}

/// A name with its addresses.
fn row(name: &str, addresses: usize, patched: bool, doubtful: bool) -> (Box<str>, Row) {
    let records = (0..addresses.min(1)).map(|_| Endpoint {
        dns_name: name.into(),
        record_type: RecordType::A,
        targets: ["192.0.2.1".into()].into(),
        ..Endpoint::default()
    });
    let row = Row {
        records: records.collect(),
        doubtful,
        patched,
    };
    (name.into(), row)
}

/// A cache of two zones: one that was read an hour ago and written to a minute ago, and one
/// that was never read as a whole.
fn cache(folder: &Path) {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let ago = |seconds| Some(now.checked_sub(Duration::from_secs(seconds)).unwrap());
    let mut store = FileStore::open(folder, "rfc2136 192.0.2.53 example.com").unwrap();
    let read = ZoneWrite {
        times: StoredTimes {
            full_read: ago(3600),
            patched: ago(60),
            stored: now,
        },
        whole: true,
        rows: vec![
            row("calm.example.com", 1, false, false),
            row("new.example.com", 1, true, false),
            row("odd.example.com", 0, false, true),
        ],
        ..ZoneWrite::default()
    };
    store.write(&zone("example.com"), &read).unwrap();
    let unread = ZoneWrite {
        whole: true,
        times: StoredTimes {
            stored: now,
            ..StoredTimes::default()
        },
        ..ZoneWrite::default()
    };
    store.write(&zone("example.org"), &unread).unwrap();
}

fn show(folder: &Path, more: &[&str]) -> Output {
    let mut arguments = vec![
        "show".to_owned(),
        "--record-cache-dir".into(),
        folder.display().to_string(),
    ];
    arguments.extend(more.iter().map(ToString::to_string));
    command(&arguments).output().unwrap()
}

#[test]
fn a_cache_tells_its_age_what_was_patched_and_what_is_doubtful() {
    let folder = tempfile::tempdir().unwrap();
    cache(folder.path());
    let shown = show(folder.path(), &["-o", "json"]);
    assert!(shown.status.success(), "{shown:?}");
    let mut shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    // The clock goes on.
    for (field, least) in [("ageSeconds", 3600), ("patchedSecondsAgo", 60)] {
        let seconds = shown["zones"][0][field].take().as_u64().unwrap();
        assert!((least..least + 600).contains(&seconds), "{field}: {seconds}");
    }
    let expected = json!({
        "provider": "rfc2136 192.0.2.53 example.com",
        "zones": [
            {
                "zone": "example.com", "records": 2, "ageSeconds": null, "patchedSecondsAgo": null,
                "patched": ["new.example.com"], "doubtful": ["odd.example.com"],
            },
            {
                "zone": "example.org", "records": 0, "ageSeconds": null, "patchedSecondsAgo": null,
                "patched": [], "doubtful": [],
            },
        ],
    });
    assert_eq!(shown, expected);

    let shown = show(folder.path(), &[]);
    assert!(shown.status.success(), "{shown:?}");
    let text = String::from_utf8(shown.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "kept for rfc2136 192.0.2.53 example.com");
    let words: Vec<&str> = lines[1].split(|letter: char| letter.is_ascii_digit()).collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    assert_eq!(
        words,
        [
            "zone example.com: ",
            " record sets, all read ",
            " s ago, last written ",
            " s ago, ",
            " names since it was confirmed"
        ],
        "{text}"
    );
    assert_eq!(lines[2], "  doubtful: odd.example.com");
    assert_eq!(lines[3], "zone example.org: 0 record sets, never read as a whole");
}

/// Looking changes nothing, and what cannot be read is told with its place.
#[test]
fn what_is_no_cache_is_told_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("zones.redb");
    let none = show(folder.path(), &[]);
    assert_eq!(none.status.code(), Some(2));
    assert!(!file.exists());
    std::fs::write(&file, "no cache at all").unwrap();
    let broken = show(folder.path(), &[]);
    assert_eq!(broken.status.code(), Some(2));
    for output in [none, broken] {
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains(&file.display().to_string()), "{told}");
        assert!(output.stdout.is_empty());
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "no cache at all");
}
