//! The stand-in as an account, and us as its client.

use std::time::Duration;

use records::batch;
use records::pace::Rate;
use records::provider::route53::{AccessKey, Identity, Route53, Settings};
use records::{Zone, ZoneId};

pub use tests::route53::{Answer, StandIn, answer, error};

/// An account that can be called.
pub trait Account {
    fn settings(&self) -> Settings;

    fn provider(&self) -> Route53 {
        Route53::new(self.settings()).unwrap()
    }
}

impl Account for StandIn {
    fn settings(&self) -> Settings {
        Settings {
            identity: Identity {
                key: Some(AccessKey {
                    id: "example".into(),
                    secret: "example".into(),
                    session_token: None,
                }),
                ..Identity::default()
            },
            endpoint: Some(self.url().parse().unwrap()),
            batch: batch::Settings {
                interval: Duration::from_millis(1),
                ..Settings::default().batch
            },
            rate: Rate {
                burst: 10_000,
                calls: 10_000,
                period: Duration::from_secs(1),
            },
            timeout: Duration::from_secs(5),
            ..Settings::default()
        }
    }
}

pub fn zone(id: &str, name: &str) -> Zone {
    Zone {
        id: ZoneId(id.into()),
        name: records::Name::parse(name).unwrap(),
    }
}
