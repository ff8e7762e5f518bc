//! What the documentation names exists.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The source of a module of this suite, by its path such as `serving::tls`.
fn module(path: &str) -> String {
    let file = workspace()
        .join("tests/suite")
        .join(path.replace("::", "/"))
        .with_extension("rs");
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

#[test]
fn every_defect_has_tests_and_every_test_exists() {
    let text = fs::read_to_string(workspace().join("docs/differences.md")).unwrap();
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| W")).collect();
    for number in 1..=27 {
        let row = rows.iter().find(|row| row.starts_with(&format!("| W{number} |")));
        let tests = row.and_then(|row| row.rsplit('|').nth(1)).unwrap_or_default();
        assert!(tests.contains("::"), "W{number} has no test");
    }
    let named = text
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| word.contains("::"));
    let mut count = 0;
    for path in named {
        let (file, name) = path.rsplit_once("::").unwrap();
        assert!(
            module(file).contains(&format!("fn {name}(")),
            "{path} does not exist"
        );
        count += 1;
    }
    assert!(count > 27);
}

/// The text without its line breaks.
fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_rule_that_is_stricter_than_coredns_is_told() {
    let readme = fs::read_to_string(workspace().join("README.md")).unwrap();
    let section = readme.split("### Stricter than CoreDNS").nth(1).unwrap();
    let list = section.split("\n\n").nth(2).unwrap();
    let told: Vec<String> = list.split("\n- ").map(on_one_line).collect();
    let told: Vec<&str> = told
        .iter()
        .map(|rule| rule.trim_matches(['-', ' ', ';', '.']))
        .collect();
    let rules: Vec<&str> = endurance::stricter::RULES
        .iter()
        .map(|rule| rule.sentence)
        .collect();
    assert_eq!(told, rules);
}

/// Every alert leads to a section of its own that tells what to do, and no section is of an
/// alert that is gone.
#[test]
fn every_alert_has_its_section() {
    let text = fs::read_to_string(workspace().join("docs/alerts.md")).unwrap();
    let sections: BTreeMap<&str, &str> = text
        .split("\n## ")
        .skip(1)
        .map(|section| section.split_once('\n').unwrap())
        .collect();
    let source = crate::monitoring::source();
    assert!(source.runbooks.ends_with("/docs/alerts.md"));
    let alerts: Vec<&str> = source.alerts.iter().map(|alert| alert.alert.as_str()).collect();
    assert!(sections.keys().all(|name| alerts.contains(name)));
    for alert in alerts {
        let section = sections[alert];
        for part in ["**Means** ", "**Look** ", "**Do** "] {
            assert!(section.contains(part), "{alert}: {part}");
        }
    }
}
