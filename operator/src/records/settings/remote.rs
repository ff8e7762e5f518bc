//! From the command line to a client of a central server.

use std::env;
use std::sync::Arc;

use anyhow::Context as _;
use records::ZoneId;
use remote::client::{Remote, Settings, mounted_secret};

use super::super::cli::ProviderArgs;

/// The server that the command line names, and what it stands for.
pub(super) fn remote(args: &ProviderArgs) -> anyhow::Result<(Remote, String)> {
    let folder = args.remote.secret_dir.clone();
    let folder = folder.context("--remote-secret-dir: it is required with --provider=remote")?;
    let access = mounted_secret::follow(folder).context("--remote-secret-dir")?;
    let identity = {
        let access = access.borrow();
        format!("{} {}", access.address(), access.namespace)
    };
    let zone_ids: Vec<ZoneId> = args
        .zone_ids
        .iter()
        .filter(|id| !id.is_empty())
        .map(|id| ZoneId(id.as_str().into()))
        .collect();
    let settings = Settings {
        zones: Arc::new(move |zone| zone_ids.is_empty() || zone_ids.contains(&zone.id)),
        ..client()
    };
    Ok((Remote::new(access, settings), identity))
}

/// How a server is used, by a client that calls itself as Gardener's does.
pub fn client() -> Settings {
    let settings = Settings::default();
    let host = env::var("HOSTNAME").ok().filter(|host| !host.is_empty());
    Settings {
        client: host.unwrap_or(settings.client),
        ..settings
    }
}
