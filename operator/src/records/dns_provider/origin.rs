//! Where DNSProviders and their Secrets come from.

use std::sync::Arc;

use futures::future::select_all;
use kube::Client;
use kube::runtime::watcher;

use super::controller::Settings;
use super::files::{Content, ProviderFiles};
use super::object::DnsProviderObject;
use super::secrets::Given;
use crate::records::objects::{self, Objects, Reading};
use crate::resources::{dns_provider_key, dns_providers};

/// Where DNSProviders are.
pub(super) enum Origin {
    Cluster(Client),
    Files(ProviderFiles, Arc<Given>),
}

/// Follows the DNSProviders of a cluster for as long as it is polled.
pub(super) async fn follow(
    client: &Client,
    settings: &Settings,
    objects: Vec<Arc<Objects<DnsProviderObject>>>,
) {
    let all = [None];
    let some = settings
        .namespaces
        .iter()
        .map(|namespace| Some(namespace.as_str()));
    let namespaces: Vec<Option<&str>> = if settings.namespaces.is_empty() {
        all.into()
    } else {
        some.collect()
    };
    let following = namespaces.into_iter().zip(objects).map(|(namespace, objects)| {
        let reading = Reading {
            api: dns_providers(client, namespace),
            selector: watcher::Config::default(),
            key: dns_provider_key,
            read: |object| DnsProviderObject::of(object, &settings.class),
        };
        Box::pin(objects::follow(reading, objects))
    });
    // Each goes on for ever.
    let ((), _, _) = select_all(following).await;
}

/// Takes over what files say.
pub(super) fn put(objects: &[Arc<Objects<DnsProviderObject>>], given: &Given, content: Content) {
    // First the Secrets: a DNSProvider is looked at as soon as it is there.
    given.replace(content.secrets);
    if let Some(objects) = objects.first() {
        objects.replace(content.providers);
    }
}
