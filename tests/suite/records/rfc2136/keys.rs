//! Keys that are not those of the server.

use records::provider::ProviderError;
use records::provider::rfc2136::{InvalidSettings, Rfc2136, Secret, Settings};
use records::{Outcome, Provider as _};

use super::{MAKES, Server, apply, create, listed, name, read, set, settings, zone};

#[tokio::test]
async fn a_wrong_key_is_told_as_such() {
    for make in MAKES {
        let server = Server::start(make, "").await;
        let known = read(&server.provider()).await;
        let with = |change: &dyn Fn(&mut Settings)| {
            let mut settings = server.settings();
            change(&mut settings);
            Rfc2136::new(&settings).unwrap()
        };
        let unknown = with(&|settings| settings.key.as_mut().unwrap().name = name("nobody"));
        let other = Secret::from_base64("b3RoZXI=").unwrap();
        let secret = with(&|settings| settings.key.as_mut().unwrap().secret = other.clone());
        let algorithm =
            with(&|settings| settings.key.as_mut().unwrap().algorithm = "hmac-sha512".parse().unwrap());
        let none = with(&|settings| settings.key = None);
        for (provider, word) in [
            (unknown, "BADKEY"),
            (secret, "BADSIG"),
            (algorithm, "BADKEY"),
            (none, "the server answers "),
        ] {
            let mut errors = vec![
                provider.read(&zone()).await.unwrap_err(),
                provider.confirm(&zone(), &known).await.unwrap_err(),
            ];
            // Without a key BIND answers as it answers anyone.
            if word.starts_with("BAD") {
                let names = [name("name.example.test")];
                errors.push(provider.read_names(&zone(), &names).await.unwrap_err());
            }
            for error in errors {
                assert!(
                    matches!(&error, ProviderError::Denied(words) if words.contains(word)),
                    "{make:?}, {word}: {error:?}"
                );
            }
            match apply(&provider, &[create(&set("new", "A", &["192.0.2.1"]))]).await {
                Outcome::Postponed { reason, .. } | Outcome::Rejected { reason } => {
                    assert!(reason.contains(word), "{make:?}, {word}: {reason}");
                }
                outcome => panic!("{make:?}, {word}: {outcome:?}"),
            }
        }
        assert_eq!(listed(&server.provider()).await, [], "{make:?}");
    }
}

#[test]
fn secrets_are_not_printed() {
    let settings = settings(([127, 0, 0, 1], 53).into());
    let printed = format!("{settings:?}");
    assert!(
        printed.contains("key: Some(TsigKey { name: Name(\"hmac-sha256\"), secret: Secret, "),
        "{printed}"
    );
    let error = Secret::from_base64("no base64!").unwrap_err();
    assert_eq!(
        error.to_string(),
        "rfc2136-tsig-secret: the value is not in base64"
    );
    assert_eq!(format!("{error:?}"), "Secret");
}

#[test]
fn settings_that_cannot_be_are_refused() {
    let good = settings(([127, 0, 0, 1], 53).into());
    let error = |settings: Settings| Rfc2136::new(&settings).err().unwrap().to_string();
    let hosts = vec![];
    assert_eq!(
        error(Settings {
            hosts,
            ..good.clone()
        }),
        "rfc2136-host: at least one is required"
    );
    let zones = vec![];
    assert_eq!(
        error(Settings {
            zones,
            ..good.clone()
        }),
        "rfc2136-zone: at least one is required"
    );
    let error: InvalidSettings = "hmac-md5"
        .parse::<records::provider::rfc2136::Algorithm>()
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "rfc2136-tsig-secret-alg: \"hmac-md5\" is not allowed; it takes hmac-sha1, hmac-sha224, hmac-sha256, hmac-sha384 and hmac-sha512"
    );
}
