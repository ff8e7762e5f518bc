//! Where keys come from: all that AWS's own tools know and pods have.

use std::fs;
use std::net::Ipv4Addr;
use std::process::{Command, Output};

use http::Response;
use http_body_util::Full;
use tests::program;

use super::super::webhook::listener::Listener;
use super::{Site, text};

/// Looks at the zones with these flags, and with these variables and no others of AWS's.
fn plan(site: &Site, flags: &[&str], variables: &[(&str, &str)]) -> Output {
    let file = site.folder.path().join("none.yaml");
    fs::write(&file, "endpoints: []\n").unwrap();
    let mut command = Command::new(program::path().unwrap());
    command.args([
        "records",
        "plan",
        "--policy=sync",
        "--provider=aws",
        "--file=none.yaml",
    ]);
    command.args(flags).current_dir(site.folder.path());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("AWS_") {
            command.env_remove(name);
        }
    }
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    command
        .env("AWS_ENDPOINT_URL", site.moto.url())
        .envs(variables.iter().copied());
    command.output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_found_where_aws_puts_them() {
    let site = Site::start().await;
    let path = |name: &str| site.folder.path().join(name).display().to_string();
    fs::write(path("token"), "a token of the cluster").unwrap();
    fs::write(
        path("credentials"),
        "[other]\naws_access_key_id = example\naws_secret_access_key = example\n",
    )
    .unwrap();
    let pod = Listener::answering((Ipv4Addr::LOCALHOST, 0).into(), |_| async {
        let keys = "{\"AccessKeyId\":\"example\",\"SecretAccessKey\":\"example\",\"Token\":\"t\",\
                    \"Expiration\":\"2099-01-01T00:00:00Z\"}";
        Response::new(Full::new(bytes::Bytes::from(keys)))
    })
    .await;
    let role = "arn:aws:iam::123456789012:role/external-dns";
    let (token, credentials, url) = (path("token"), path("credentials"), pod.url());
    let key = [
        ("AWS_ACCESS_KEY_ID", "example"),
        ("AWS_SECRET_ACCESS_KEY", "example"),
    ];
    let assumed = format!("--aws-assume-role={role}");
    let cases: [(&[&str], &[(&str, &str)]); 5] = [
        (&[], &key),
        (
            &["--aws-profile=other"],
            &[("AWS_SHARED_CREDENTIALS_FILE", &credentials)],
        ),
        (
            &[],
            &[
                ("AWS_ROLE_ARN", role),
                ("AWS_WEB_IDENTITY_TOKEN_FILE", &token),
                ("AWS_REGION", "eu-west-1"),
            ],
        ),
        (
            &[],
            &[
                ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url),
                ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &token),
            ],
        ),
        (&[&assumed, "--aws-assume-role-external-id=one"], &key),
    ];
    for (flags, variables) in cases {
        let output = plan(&site, flags, variables);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{flags:?} {variables:?}: {}",
            text(&output)
        );
    }
    let nobody = plan(&site, &[], &[]);
    assert_eq!(nobody.status.code(), Some(2), "{}", text(&nobody));
    assert!(text(&nobody).contains("credential"), "{}", text(&nobody));
}
