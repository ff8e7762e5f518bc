//! The ConfigMap with the Corefile.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{BuildError, Desired, encode, owner};
use crate::dns::inputs::Inputs;
use crate::dns::names::{COREFILE_KEY, DNS, DNS_DEFAULT, NAMESPACE, OWNING_DNS_LABEL};

pub(super) fn desired(corefile: String, inputs: &Inputs) -> Result<Desired, BuildError> {
    let map = ConfigMap {
        metadata: ObjectMeta {
            name: Some(DNS_DEFAULT.into()),
            namespace: Some(NAMESPACE.into()),
            labels: Some(BTreeMap::from([(OWNING_DNS_LABEL.into(), DNS.into())])),
            owner_references: Some(owner(inputs)),
            ..ObjectMeta::default()
        },
        data: Some(BTreeMap::from([(COREFILE_KEY.into(), corefile)])),
        ..ConfigMap::default()
    };
    encode("the ConfigMap with the Corefile", &map)
}
