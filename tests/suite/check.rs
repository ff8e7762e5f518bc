//! `dns-operator check`: what is told of a DNS before it is applied.

use serde_json::{Value, json};
use tests::program::{self, Output};

fn dns(spec: &Value) -> String {
    json!({
        "apiVersion": "operator.openshift.io/v1", "kind": "DNS", "metadata": { "name": "default" }, "spec": spec,
    })
    .to_string()
}

fn check(documents: &str, arguments: &[&str]) -> Output {
    let arguments = [&["check", "-f", "-"], arguments].concat();
    program::run(&arguments, documents).unwrap()
}

fn report(documents: &str) -> Value {
    serde_json::from_str(&check(documents, &["-o", "json"]).stdout).unwrap()
}

fn has(report: &Value, severity: &str, field: &str, message: &str) -> bool {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().any(|finding| {
        finding["severity"] == severity
            && finding["field"] == field
            && finding["message"].as_str().unwrap().contains(message)
    })
}

fn server(zones: &[&str], forward: &Value) -> Value {
    json!({ "name": "a", "zones": zones, "forwardPlugin": forward })
}

#[test]
fn what_the_api_server_and_the_operator_refuse_is_told_at_once() {
    let spec = json!({
        "cache": { "positiveTTL": 10 },
        "logLevel": "Loud",
        "cash": {},
        "servers": [server(&["a b", "foo.com", "FOO.com."], &json!({ "upstreams": ["host.example.com"] }))],
    });
    let output = check(&dns(&spec), &["-o", "json"]);
    assert_eq!(output.code, Some(1), "{}", output.stderr);
    let report: Value = serde_json::from_str(&output.stdout).unwrap();
    let server = "spec.servers[0]";
    for field in [
        "spec.cache.positiveTTL",
        "spec.logLevel",
        &format!("{server}.zones[0]"),
        &format!("{server}.zones[2]"),
        &format!("{server}.forwardPlugin.upstreams[0]"),
    ] {
        assert!(has(&report, "error", field, ""), "{field}: {report:#}");
    }
    assert!(has(&report, "warning", "spec.cash", "does not know this field"));
    let fields = |severity: &str| {
        let findings = report["findings"].as_array().unwrap().iter();
        findings.filter(|finding| finding["severity"] == severity).count()
    };
    assert_eq!(report["errors"], fields("error"));
    assert_eq!(report["warnings"], fields("warning"));
}

#[test]
fn every_finding_of_the_operator_has_its_value() {
    let spec = json!({
        "servers": [server(&["a b", "foo.com", "FOO.com."], &json!({ "upstreams": ["host.example.com"] }))],
    });
    let report = report(&dns(&spec));
    assert_eq!(report["errors"], 3, "{report:#}");
    assert!(has(&report, "error", "spec.servers[0].zones[0]", "white space"));
    assert!(has(
        &report,
        "error",
        "spec.servers[0].zones[2]",
        "already served"
    ));
    let upstream = "spec.servers[0].forwardPlugin.upstreams[0]";
    assert!(has(&report, "error", upstream, "must be an IP address"));
    assert_eq!(report["findings"][0]["value"], "a b");
}

#[test]
fn a_loop_to_the_dns_service_is_an_error() {
    let spec = json!({ "servers": [server(&["a.test"], &json!({ "upstreams": ["10.96.0.10"] }))] });
    let output = check(&dns(&spec), &["--cluster-ip", "10.96.0.10"]);
    assert_eq!(output.code, Some(1), "{}", output.stdout);
    assert!(
        output.stdout.ends_with("\n1 error, 0 warnings\n"),
        "{}",
        output.stdout
    );
    assert_eq!(check(&dns(&spec), &[]).code, Some(0));
}

#[test]
fn what_may_not_do_what_is_meant_is_a_warning() {
    let upstreams = || json!({ "upstreams": ["192.0.2.1"] });
    let zone = |zone: &str| json!({ "servers": [server(&[zone], &upstreams())] });
    let scoped = json!({ "servers": [server(&["a.test"], &json!({ "upstreams": ["fe80::1%eth0"] }))] });
    let unused =
        json!({ "transportConfig": { "transport": "Cleartext", "tls": { "serverName": "a.test" } } });
    let first = "spec.servers[0].zones[0]";
    for (spec, field, message) in [
        (zone("cluster.local"), first, "shadows the cluster domain"),
        (zone("local"), first, "shadows the cluster domain"),
        (zone("bücher.example"), first, "xn--"),
        (zone(r"\097.test"), first, r#"written as "a.test.""#),
        (zone("a@b.test"), first, r"a\\@b.test."),
        (zone("*.a.test"), first, "stands for itself"),
        (zone("172.16.0.0/12"), first, "reverse name of the DNS service"),
        (
            json!({ "servers": [server(&[], &upstreams())] }),
            "spec.servers[0].zones",
            "never uses",
        ),
        (
            json!({ "cache": { "positiveTTL": "2s" } }),
            "spec.cache.positiveTTL",
            "exactly 2",
        ),
        (
            json!({ "cache": { "negativeTTL": "0" } }),
            "spec.cache.negativeTTL",
            "30 seconds",
        ),
        (
            json!({ "cache": { "negativeTTL": "9999999h" } }),
            "spec.cache.negativeTTL",
            "4294967295",
        ),
        (
            scoped,
            "spec.servers[0].forwardPlugin.upstreams[0]",
            "without a scope",
        ),
        (
            json!({ "upstreamResolvers": unused }),
            "spec.upstreamResolvers.transportConfig.tls",
            "is not used",
        ),
        (
            json!({ "managementState": "Unmanaged" }),
            "spec.managementState",
            "changes nothing",
        ),
        (json!({ "cash": 1 }), "spec.cash", "does not know"),
    ] {
        let report = report(&dns(&spec));
        assert_eq!(report["errors"], 0, "{report:#}");
        assert!(
            has(&report, "warning", field, message),
            "{field}: {message}: {report:#}"
        );
    }
}

#[test]
fn a_plain_specification_has_no_warning() {
    let spec = json!({
        "cache": { "positiveTTL": "1h", "negativeTTL": "5s" },
        "servers": [server(&["a.test", "B.test.", "10.0.0.0/8"], &json!({ "upstreams": ["192.0.2.1", "[2001:db8::1]:5353"] }))],
    });
    let output = check(&dns(&spec), &[]);
    assert_eq!(
        (output.code, output.stdout.as_str()),
        (Some(0), "0 errors, 0 warnings\n")
    );
}

#[test]
fn ca_bundles_are_looked_for_among_the_files() {
    let tls =
        json!({ "transport": "TLS", "tls": { "serverName": "a.test", "caBundle": { "name": "bundle" } } });
    let forward = json!({ "upstreams": ["192.0.2.1"], "transportConfig": tls });
    let dns = dns(&json!({ "servers": [server(&["a.test"], &forward)] }));
    let alone = report(&dns);
    assert_eq!(
        (&alone["warnings"], alone["notChecked"].as_array().unwrap().len()),
        (&json!(0), 1)
    );
    let map = |name: &str, key: &str| {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": { "name": name, "namespace": "openshift-config" }, "data": { key: "nothing" },
        })
    };
    let field = "ConfigMap openshift-config/bundle";
    let other = report(&format!("{dns}\n{}", map("other", "a")));
    assert!(has(&other, "warning", field, "does not exist"), "{other:#}");
    let broken = report(&format!("{dns}\n{}", map("bundle", "ca-bundle.crt")));
    assert!(
        has(&broken, "warning", field, "certificates in PEM"),
        "{broken:#}"
    );
    assert!(!has(&broken, "warning", field, "does not exist"), "{broken:#}");
}

#[test]
fn exit_codes_tell_findings_from_trouble() {
    let warned = dns(&json!({ "cache": { "positiveTTL": "2s" } }));
    assert_eq!(check(&warned, &[]).code, Some(0));
    assert_eq!(check(&warned, &["--strict"]).code, Some(1));
    assert_eq!(check("a: [", &[]).code, Some(2));
    assert_eq!(check("", &[]).code, Some(2));
    assert_eq!(check(&warned, &["-o", "toml"]).code, Some(2));
    assert_eq!(
        program::run(&["check", "-f", "/no/such/file"], "").unwrap().code,
        Some(2)
    );
    assert_eq!(program::run(&["check"], "").unwrap().code, Some(2));
}

#[test]
fn a_dns_by_another_name_is_checked_too() {
    let other = dns(&json!({ "logLevel": "Loud" })).replace("default", "other");
    let report = report(&other);
    assert!(has(&report, "error", "spec.logLevel", ""), "{report:#}");
    assert!(has(&report, "warning", "DNS \"other\"", "ignored"), "{report:#}");
}
