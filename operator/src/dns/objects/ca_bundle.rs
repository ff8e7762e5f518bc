//! Copies of CA bundles, where the DNS pods can mount them.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{BuildError, Desired, encode, owner};
use crate::dns::config::Config;
use crate::dns::inputs::Inputs;
use crate::dns::names::{CA_BUNDLE_LABEL, NAMESPACE};

pub(super) fn desired(config: &Config, inputs: &Inputs) -> Result<Vec<Desired>, BuildError> {
    config
        .ca_bundles()
        .filter_map(|name| inputs.ca_bundles.get(name))
        .map(|bundle| {
            let copy = ConfigMap {
                metadata: ObjectMeta {
                    name: Some(bundle.copy_name()),
                    namespace: Some(NAMESPACE.into()),
                    labels: Some(BTreeMap::from([(CA_BUNDLE_LABEL.into(), "true".into())])),
                    owner_references: Some(owner(inputs)),
                    ..ObjectMeta::default()
                },
                data: Some(bundle.data().clone()),
                ..ConfigMap::default()
            };
            encode("the copy of a CA bundle", &copy)
        })
        .collect()
}
