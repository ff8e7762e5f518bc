//! `dns-operator render` and `crds`, as people call them.

use std::fs;
use std::process::Command;

use tests::program;

const DNS: &str = "apiVersion: operator.openshift.io/v1\nkind: DNS\nmetadata:\n  name: default\n";

#[test]
fn several_documents_and_files_make_one_cluster() {
    let folder = tempfile::tempdir().unwrap();
    let network = folder.path().join("network.yaml");
    let yaml = "---\n---\napiVersion: config.openshift.io/v1\nkind: Network\nmetadata: {name: cluster}\n\
                status: {serviceNetwork: [10.96.0.0/12]}\n";
    fs::write(&network, yaml).unwrap();
    let output = program::run(
        &["render", "-f", "-", "-f", network.to_str().unwrap(), "-o", "yaml"],
        DNS,
    )
    .unwrap();
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(output.stdout.starts_with("apiVersion: v1\n"), "{}", output.stdout);
    assert!(
        output.stdout.contains("clusterIP: \"10.96.0.10\"\n"),
        "{}",
        output.stdout
    );
}

#[test]
fn images_without_a_variable_are_placeholders() {
    let output = Command::new(program::path().unwrap())
        .args(["render", "-f", "/dev/stdin", "-o", "json"])
        .env_clear()
        .stdin(fs::File::open(write_dns()).unwrap())
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.contains("\"image\": \"${IMAGE}\""), "{stdout}");
}

fn write_dns() -> std::path::PathBuf {
    let file = std::env::temp_dir().join(format!("dns-operator-test-{}.yaml", std::process::id()));
    fs::write(&file, DNS).unwrap();
    file
}

#[test]
fn a_spec_error_goes_to_standard_error_and_exits_with_1() {
    let dns = format!("{DNS}spec:\n  cache: {{positiveTTL: 10}}\n");
    let output = program::run(&["render", "-f", "-"], &dns).unwrap();
    assert_eq!(output.code, Some(1));
    assert!(output.stdout.is_empty());
    assert!(
        output.stderr.contains("spec.cache.positiveTTL"),
        "{}",
        output.stderr
    );
}

#[test]
fn every_finding_is_told_at_once() {
    let dns = format!(
        "{DNS}spec:\n  servers:\n  - name: a\n    zones: [\"a b\", foo.com, Foo.com.]\n    forwardPlugin: \
         {{upstreams: [host.example.com]}}\n"
    );
    let output = program::run(&["render", "-f", "-"], &dns).unwrap();
    for field in ["zones[0]", "zones[2]", "forwardPlugin.upstreams[0]"] {
        assert!(
            output.stderr.contains(&format!("spec.servers[0].{field}: ")),
            "{}",
            output.stderr
        );
    }
}

#[test]
fn zones_that_take_names_from_the_cluster_are_warned_of() {
    let zones = [
        ("cluster.local", Some("cluster.local. and")),
        ("SVC.Cluster.Local.", Some("svc.cluster.local. and")),
        ("local", Some("cluster.local. and")),
        ("xcluster.local", None),
        ("cluster.local.test", None),
        ("10.0.0.0/8", None),
    ];
    for (zone, lost) in zones {
        let dns = format!(
            "{DNS}spec:\n  servers:\n  - name: a\n    zones: [{zone}]\n    forwardPlugin: {{upstreams: [192.0.2.1]}}\n"
        );
        let output = program::run(&["render", "-f", "-", "-o", "corefile"], &dns).unwrap();
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        let told = output.stderr.lines().find(|line| line.contains("shadows"));
        assert_eq!(told.is_some(), lost.is_some(), "{zone}: {told:?}");
        if let (Some(told), Some(lost)) = (told, lost) {
            let begin = format!(
                "warning: spec.servers[0].zones[0]: \"{zone}\" shadows the cluster domain cluster.local.: "
            );
            assert!(
                told.starts_with(&format!("{begin}{lost} the names below it")),
                "{told}"
            );
        }
    }
}

#[test]
fn the_dns_services_own_address_is_no_upstream() {
    let server = |upstreams: &str| {
        format!(
            "{DNS}spec:\n  servers:\n  - name: a\n    zones: [a.test]\n    forwardPlugin: {{upstreams: [{upstreams}]}}\n"
        )
    };
    let resolver = |address: &str| {
        format!(
            "{DNS}spec: {{upstreamResolvers: {{upstreams: [{{type: Network, address: \"{address}\"}}]}}}}\n"
        )
    };
    let at = |address: &str, dns: &str| {
        program::run(&["render", "-f", "-", "--cluster-ip", address], dns).unwrap()
    };
    for (address, dns, finding) in [
        (
            "10.96.0.10",
            server("192.0.2.1, 10.96.0.10"),
            "servers[0].forwardPlugin.upstreams[1]: Invalid value: \"10.96.0.10\"",
        ),
        (
            "10.96.0.10",
            server("\"[::ffff:10.96.0.10]:5353\""),
            "servers[0].forwardPlugin.upstreams[0]",
        ),
        (
            "10.96.0.10",
            server("\"tls://10.96.0.10%a\""),
            "servers[0].forwardPlugin.upstreams[0]",
        ),
        (
            "10.96.0.10",
            resolver("10.96.0.10"),
            "upstreamResolvers.upstreams: Invalid value: \"10.96.0.10:53\"",
        ),
        ("fd02::a", resolver("FD02:0:0::A"), "upstreamResolvers.upstreams"),
    ] {
        let output = at(address, &dns);
        assert_eq!(output.code, Some(1), "{dns}");
        let finding = format!("spec.{finding}");
        assert!(output.stderr.contains(&finding), "{finding}: {}", output.stderr);
        assert!(
            output.stderr.contains("is the address of the DNS service itself"),
            "{}",
            output.stderr
        );
    }
    assert_eq!(at("10.96.0.11", &server("10.96.0.10")).code, Some(0));
}

#[test]
fn wrong_usage_exits_with_2() {
    for arguments in [
        &["render"][..],
        &["render", "-f", "-", "-o", "toml"],
        &["rendr"],
        &["--no-such-flag"],
    ] {
        assert_eq!(
            program::run(arguments, DNS).unwrap().code,
            Some(2),
            "{arguments:?}"
        );
    }
}

#[test]
fn external_records_are_a_program_beside_the_operator() {
    let help = program::run(&["records", "run", "--help"], "").unwrap();
    assert_eq!(help.code, Some(0), "{}", help.stderr);
    assert!(
        help.stdout.contains("Usage: dns-operator records run"),
        "{}",
        help.stdout
    );

    let folder = tempfile::tempdir().unwrap();
    let alone = folder.path().join("dns-operator");
    fs::copy(program::path().unwrap(), &alone).unwrap();
    let output = Command::new(&alone)
        .args(["records", "run", "--once"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let missing = folder.path().join("dns-operator-records");
    let told = String::from_utf8(output.stderr).unwrap();
    let wanted = format!("dns-operator: failed to start {}", missing.display());
    assert!(told.starts_with(&wanted), "{told}");
}

#[test]
fn absurd_batches_are_wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("records.yaml");
    fs::write(&file, "endpoints: []\n").unwrap();
    let run = |flag: &str| {
        let file = file.to_str().unwrap();
        let mut arguments = vec!["records", "plan", "--policy=sync", "--file", file, flag];
        arguments.extend(["--provider=inmemory", "--inmemory-zone=example.com"]);
        program::run(&arguments, "").unwrap()
    };
    for (flag, value, allowed) in [
        ("--batch-change-size", "0", "1..=10000"),
        ("--batch-change-size", "10001", "1..=10000"),
        ("--batch-change-size", "-1", "1..=10000"),
        ("--batch-change-size", "many", "invalid digit"),
        ("--batch-change-interval", "24h", "from 0s to 10m"),
        ("--batch-change-interval", "-1s", "such as `30s`"),
        ("--batch-change-interval", "1", "such as `30s`"),
    ] {
        let output = run(&format!("{flag}={value}"));
        assert_eq!(output.code, Some(2), "{flag}={value}");
        for words in [flag, value, allowed] {
            assert!(output.stderr.contains(words), "{words}: {}", output.stderr);
        }
    }
    for flag in [
        "--batch-change-size=1",
        "--batch-change-interval=0s",
        "--batch-change-interval=10m",
    ] {
        let output = run(flag);
        assert_eq!(output.code, Some(0), "{flag}: {}", output.stderr);
    }
}

#[test]
fn a_file_that_is_missing_or_broken_is_named() {
    let output = program::run(&["render", "-f", "/no/such/file.yaml"], "").unwrap();
    assert_eq!(output.code, Some(1));
    assert!(output.stderr.contains("/no/such/file.yaml"), "{}", output.stderr);
    for (text, expected) in [
        ("a: [", "failed to parse"),
        ("a: 1", "apiVersion"),
        ("", "no DNS"),
    ] {
        let output = program::run(&["render", "-f", "-"], text).unwrap();
        assert_eq!(output.code, Some(1));
        assert!(output.stderr.contains(expected), "{text}: {}", output.stderr);
    }
}

#[test]
fn unknown_fields_and_other_dnses_are_pointed_out() {
    let dns = format!(
        "{DNS}spec: {{cash: {{}}}}\n---\n{}",
        DNS.replace("default", "other")
    );
    let output = program::run(&["render", "-f", "-", "-o", "corefile"], &dns).unwrap();
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(output.stderr.contains("spec.cash"), "{}", output.stderr);
    assert!(output.stderr.contains("\"other\""), "{}", output.stderr);
}

#[test]
fn the_operator_names_the_image_variable_it_lacks() {
    let output = Command::new(program::path().unwrap())
        .env_clear()
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("IMAGE"));
}

#[test]
fn help_is_complete() {
    for command in [
        &[][..],
        &["render"],
        &["check"],
        &["explain"],
        &["diff"],
        &["crds"],
        &["records"],
        &["records", "plan"],
        &["records", "apply"],
        &["records", "run"],
        &["records", "show"],
        &["records", "webhook"],
    ] {
        let arguments: Vec<&str> = command.iter().copied().chain(["--help"]).collect();
        let output = program::run(&arguments, "").unwrap();
        assert_eq!(output.code, Some(0));
        assert!(output.stdout.contains("Usage: "), "{}", output.stdout);
    }
}

#[test]
fn json_documents_one_after_the_other_are_read() {
    let dns = r#"{"apiVersion":"operator.openshift.io/v1","kind":"DNS","metadata":{"name":"default"}}"#;
    let network = r#"{"apiVersion":"config.openshift.io/v1","kind":"Network","metadata":{"name":"cluster"}}"#;
    let output = program::run(&["render", "-f", "-", "-o", "json"], &format!("{dns}\n{network}")).unwrap();
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(
        output.stderr.contains("no service networks found"),
        "{}",
        output.stderr
    );
    // In braces, and no JSON.
    let yaml = "{apiVersion: operator.openshift.io/v1, kind: DNS, metadata: {name: default}}";
    assert_eq!(program::run(&["render", "-f", "-"], yaml).unwrap().code, Some(0));
}
