//! What people and machines give `dns-operator records` that it cannot use: flags, a cache of
//! others, a cache that is in use, a disk that is full.

mod full_disk;

use std::fs;
use std::path::Path;
use std::process::Output;

use super::daemon::{Daemon, command};

/// One endpoint.
const RECORDS: &str = "endpoints:\n- {dnsName: www.example.com, recordType: A, targets: [192.0.2.1]}\n";
const MEMORY: [&str; 2] = ["--provider=inmemory", "--inmemory-zone=example.com"];
const SERVER: [&str; 5] = [
    "--provider=rfc2136",
    "--rfc2136-host=127.0.0.1",
    "--rfc2136-zone=example.com",
    "--rfc2136-tsig-keyname=key",
    "--rfc2136-tsig-secret=c2VjcmV0",
];
/// Arguments beside those of a provider in memory that are not taken: the flag, its value,
/// and what is said to be allowed.
const WRONG: [(&str, &str, &str); 14] = [
    ("--interval", "0s", "must be longer than 0s, such as 1m"),
    ("--interval", "5", "a unit of ns, us, ms, s, m or h"),
    (
        "--min-event-sync-interval",
        "soon",
        "a unit of ns, us, ms, s, m or h",
    ),
    ("--provider-cache-time", "1d", "a unit of ns, us, ms, s, m or h"),
    ("--policy", "never", "sync, upsert-only, create-only"),
    ("--txt-owner-id", "a\"b", "no commas, quotes and backslashes"),
    ("--txt-owner-id", "", "at least one character"),
    ("--max-deletions", "101", "0..=100"),
    (
        "--acknowledge-deletions",
        "all",
        "ZONE=NUMBER, such as example.com=40",
    ),
    ("--regex-domain-filter", "(", "not a regular expression"),
    ("--domain-filter", "a..b", "has an empty label"),
    ("--registry", "dynamodb", "possible values: txt, noop"),
    ("--source", "ingress", "possible values: crd"),
    ("--metrics-address", "7979", "ADDRESS:PORT"),
];
/// Likewise, beside those of a DNS server.
const WRONG_OF_SERVERS: [(&str, &str, &str); 5] = [
    ("--rfc2136-port", "65536", "0..=65535"),
    (
        "--rfc2136-tsig-secret-alg",
        "hmac-md5",
        "it takes hmac-sha1, hmac-sha224",
    ),
    (
        "--rfc2136-load-balancing-strategy",
        "best",
        "it takes disabled, round-robin and random",
    ),
    ("--rfc2136-min-ttl", "1000000h", "it takes at most 2147483647s"),
    ("--rfc2136-tsig-secret", "not%base64", "in base64"),
];

fn arguments(command: &str, provider: &[&str], file: &Path) -> Vec<String> {
    let mut arguments = vec![command.to_owned(), "--policy=sync".into()];
    arguments.extend(provider.iter().map(ToString::to_string));
    arguments.push(format!("--file={}", file.display()));
    arguments
}

fn error_of(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_wrong_value_is_told_with_its_flag_and_what_is_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("records.yaml");
    fs::write(&file, RECORDS).unwrap();
    let beside_memory = WRONG.iter().map(|wrong| (&MEMORY[..], wrong));
    let beside_server = WRONG_OF_SERVERS.iter().map(|wrong| (&SERVER[..], wrong));
    for (provider, (flag, value, allowed)) in beside_memory.chain(beside_server) {
        let mut given = arguments("run", provider, &file);
        given.retain(|argument| argument.split('=').next() != Some(*flag));
        given.push("--once".into());
        given.push(format!("{flag}={value}"));
        let told = error_of(&command(&given).output().unwrap());
        assert!(
            told.contains(flag.trim_start_matches('-')),
            "{flag}={value}: {told}"
        );
        assert!(told.contains(allowed), "{flag}={value}: {told}");
        // Secrets are not repeated.
        let shown = told.contains(value) || told.contains(&format!("{value:?}"));
        let seconds = value == &"1000000h" && told.contains("3600000000s");
        assert_eq!(
            shown || seconds,
            !flag.ends_with("-secret"),
            "{flag}={value}: {told}"
        );
    }
}

/// What is wrong with the folder of a Secret is told with its path and key, and no value of a
/// private key.
#[test]
fn a_secret_that_cannot_be_used_is_told_with_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let (file, secret) = (folder.path().join("records.yaml"), folder.path().join("secret"));
    fs::write(&file, RECORDS).unwrap();
    let told = |given: &[&str]| {
        let given = arguments("plan", &[&["--provider=remote"], given].concat(), &file);
        error_of(&command(&given).output().unwrap())
    };
    let required = "--remote-secret-dir: it is required with --provider=remote";
    assert!(told(&[]).contains(required), "{}", told(&[]));
    let flag = format!("--remote-secret-dir={}", secret.display());
    let of_folder = || {
        let told = told(&[&flag]);
        let place = format!("--remote-secret-dir: {}: ", secret.display());
        assert!(told.contains(&place), "{told}");
        told
    };
    assert!(of_folder().contains("No such file"), "{}", of_folder());
    fs::create_dir(&secret).unwrap();
    for (key, value) in [
        ("REMOTE_ENDPOINT", "127.0.0.1:1"),
        ("NAMESPACE", "blue"),
        ("CLIENT_CERT", "VERYSECRET"),
        ("CLIENT_KEY", "VERYSECRET"),
    ] {
        let expected = format!("{key}: it is missing");
        assert!(of_folder().contains(&expected), "{expected}: {}", of_folder());
        fs::write(secret.join(key), value).unwrap();
    }
    assert!(of_folder().contains("CLIENT_KEY: "), "{}", of_folder());
    assert!(!of_folder().contains("VERYSECRET"), "{}", of_folder());
    fs::write(secret.join("REMOTE_ENDPOINT"), "https://127.0.0.1:1").unwrap();
    assert!(
        of_folder().contains("REMOTE_ENDPOINT: \"https://127.0.0.1:1\""),
        "{}",
        of_folder()
    );
    assert!(of_folder().contains("allowed is HOST:PORT"), "{}", of_folder());
}

fn kept_in(cache: &Path) -> [String; 2] {
    [
        "--provider-cache-time=10m".into(),
        format!("--record-cache-dir={}", cache.display()),
    ]
}

#[tokio::test]
async fn one_process_at_a_time_uses_a_cache_directory() {
    let folder = tempfile::tempdir().unwrap();
    let (file, cache) = (folder.path().join("records.yaml"), folder.path().join("cache"));
    fs::write(&file, RECORDS).unwrap();
    let mut first = arguments("run", &MEMORY, &file);
    first.extend(kept_in(&cache));
    let mut daemon = Daemon::start(folder.path(), "first", &first).await;
    let show = vec![
        "show".to_owned(),
        format!("--record-cache-dir={}", cache.display()),
    ];
    let mut webhook: Vec<String> = vec!["webhook".into(), "--webhook-address=127.0.0.1:0".into()];
    webhook.extend(MEMORY.map(ToOwned::to_owned));
    webhook.push("--metrics-address=127.0.0.1:0".into());
    webhook.extend(kept_in(&cache));
    let others = ["plan", "apply", "run"].map(|command| {
        let mut other = arguments(command, &MEMORY, &file);
        other.extend(kept_in(&cache));
        other
    });
    for other in others.iter().chain([&show, &webhook]) {
        let told = error_of(&command(other).output().unwrap());
        let expected = format!(
            "the record cache {} is in use by another process",
            cache.join("zones.redb").display()
        );
        assert!(told.contains(&expected), "{other:?}: {told}");
    }
    daemon.is_alive();
    daemon.kill();
    // However it ended, the directory is free again.
    assert!(command(&show).output().unwrap().status.success());
}

#[tokio::test]
async fn a_cache_that_cannot_be_used_is_set_aside_and_the_zone_read_once() {
    for foreign in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let (file, cache) = (folder.path().join("records.yaml"), folder.path().join("cache"));
        fs::write(&file, RECORDS).unwrap();
        if foreign {
            let other = ["--provider=inmemory", "--inmemory-zone=example.org"];
            let mut other = arguments("plan", &other, &file);
            other.extend(kept_in(&cache));
            assert_eq!(command(&other).output().unwrap().status.code(), Some(0));
        } else {
            fs::create_dir(&cache).unwrap();
            fs::write(cache.join("zones.redb"), "no cache at all\n".repeat(1000)).unwrap();
        }
        let before = fs::read(cache.join("zones.redb")).unwrap();
        let mut run = arguments("run", &MEMORY, &file);
        run.extend(kept_in(&cache));
        run.extend(["--interval=1s".into(), "--provider-cache-patch-on-apply".into()]);
        let mut daemon = Daemon::start(folder.path(), "run", &run).await;
        daemon.passes(2).await;
        let log = daemon.log();
        let aside = cache.join("zones.redb.set-aside");
        assert!(
            log.contains("the record cache cannot be used and is set aside"),
            "{log}"
        );
        assert!(log.contains(&aside.display().to_string()), "{log}");
        let reason = if foreign { "it was kept for" } else { "reason=" };
        assert!(log.contains(reason), "{log}");
        assert_eq!(fs::read(&aside).unwrap().len(), before.len());
        let reads = "external_dns_records_provider_calls_total{operation=\"read\"}";
        assert_eq!(daemon.metric(reads).await, Some(1.0), "{log}");
        assert_eq!(
            daemon.metric("external_dns_records_cache_disk_failed").await,
            Some(0.0)
        );
    }
}
