//! `docs/external-records/route53.md`, followed to the letter, and the flags on the command
//! line.

use std::fs;
use std::process::Command;

use serde_json::Value;
use tests::program;

use super::{Site, text};

fn guide() -> String {
    fs::read_to_string(program::workspace().join("docs/external-records/route53.md")).unwrap()
}

/// The blocks of code of a language.
fn blocks(language: &str) -> Vec<String> {
    let guide = guide();
    let blocks = guide.split("```").skip(1).step_by(2);
    let blocks = blocks.filter_map(|block| block.strip_prefix(&format!("{language}\n")));
    blocks.map(str::to_owned).collect()
}

/// The arguments of the guide's command.
fn arguments(beginning: &str) -> Vec<String> {
    let blocks = blocks("sh");
    let block = blocks
        .iter()
        .find(|block| block.trim_start().starts_with(beginning))
        .unwrap();
    let words = block.split_whitespace().filter(|word| *word != "\\");
    words.skip(1).map(str::to_owned).collect()
}

#[test]
fn the_permissions_are_those_that_are_used() {
    let policy: Value = serde_json::from_str(&blocks("json")[0]).unwrap();
    let statements = policy["Statement"].as_array().unwrap();
    let actions = statements
        .iter()
        .flat_map(|statement| statement["Action"].as_array().unwrap());
    let mut actions: Vec<&str> = actions.map(|action| action.as_str().unwrap()).collect();
    actions.sort_unstable();
    let used = [
        "route53:ChangeResourceRecordSets",
        "route53:GetHostedZone",
        "route53:ListHostedZones",
        "route53:ListResourceRecordSets",
        "route53:ListTagsForResources",
    ];
    assert_eq!(actions, used);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_comes_before_anything_is_written() {
    let site = Site::start().await;
    fs::write(
        site.folder.path().join("records.yaml"),
        "endpoints:\n- {dnsName: www.example.com, recordType: A, targets: [192.0.2.1]}\n",
    )
    .unwrap();
    let run = |verb: &str| {
        let mut command = Command::new(program::path().unwrap());
        let arguments = arguments("dns-operator records plan");
        command.args(
            arguments
                .iter()
                .map(|word| if word == "plan" { verb } else { word }),
        );
        site.run(&mut command)
    };
    for (verb, code, sets) in [("plan", 1, 0), ("apply", 0, 2), ("plan", 0, 2), ("apply", 0, 2)] {
        let output = run(verb);
        assert_eq!(output.status.code(), Some(code), "{verb}: {}", text(&output));
        assert_eq!(site.names().len(), sets, "{verb}: {}", text(&output));
    }
}

#[test]
fn numbers_that_make_no_sense_are_told_by_their_flags() {
    for (flag, told) in [
        ("--aws-batch-change-size=0", "aws-batch-change-size is 0"),
        (
            "--aws-batch-change-size-bytes=99999999",
            "aws-batch-change-size-bytes is 99999999",
        ),
        (
            "--aws-batch-change-size-values=0",
            "aws-batch-change-size-values is 0",
        ),
        ("--aws-batch-change-interval=never", "--aws-batch-change-interval"),
        ("--aws-zone-type=secret", "it must be public or private"),
    ] {
        let arguments = [
            "records",
            "plan",
            "--policy=sync",
            "--provider=aws",
            "--file=/dev/null",
            flag,
        ];
        let output = program::run(&arguments, "").unwrap();
        assert_eq!(output.code, Some(2), "{flag}");
        assert!(output.stderr.contains(told), "{flag}: {}", output.stderr);
    }
}

/// Each flag that the guide names is one of the program's.
#[test]
fn every_flag_of_the_guide_exists() {
    let help = program::run(&["records", "run", "--help"], "").unwrap().stdout;
    let guide = guide();
    let there = guide.split("- Not there").next().unwrap();
    let words = there.split(|letter: char| letter.is_whitespace() || "`|,()=:;.".contains(letter));
    let flags: Vec<&str> = words.filter(|word| word.starts_with("--aws")).collect();
    assert!(flags.len() > 10);
    for flag in flags {
        assert!(
            help.contains(&format!("{flag} "))
                || help.contains(&format!("{flag}\n"))
                || help.contains(&format!("{flag}[")),
            "{flag}"
        );
    }
}
