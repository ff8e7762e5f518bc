//! HTTP clients of providers, all made alike.

use std::error::Error as _;
use std::time::Duration;

use reqwest::Client;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use url::{Host, Url};

/// A client for one server, that takes no longer than this for a request.
pub(super) fn new(base: &Url, timeout: Duration) -> reqwest::Result<Client> {
    // Whoever was first has chosen; there is only ring.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut client = Client::builder().timeout(timeout);
    if base.scheme() == "http" {
        // A machine without certificate authorities will do.
        client = client.tls_certs_only([]);
    }
    // As in Go, no proxy stands between a program and this machine.
    let is_local = match base.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if is_local {
        client = client.no_proxy();
    }
    client.build()
}

/// An error with its causes, without the address.
pub(super) fn explained(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() {
        "no answer in time".to_owned()
    } else if error.is_connect() {
        "no connection".to_owned()
    } else {
        "the request failed".to_owned()
    };
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// When to come again, as an answer says. Seconds only: a date would need a clock.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
