//! What is logged of DNSProviders.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::jiff::Timestamp;

use super::finding::Finding;
use super::object::DnsProviderObject;
use super::status::status;
use crate::dns::objects::ObjectKey;

/// What was last logged of each DNSProvider: its state, and the message.
#[derive(Default)]
pub(super) struct Journal(BTreeMap<ObjectKey, (Option<String>, Option<String>)>);

impl Journal {
    /// Logs what has been found out of each DNSProvider, once.
    pub fn log(
        &mut self,
        objects: &[Arc<DnsProviderObject>],
        findings: &[(&Arc<DnsProviderObject>, Finding)],
    ) {
        self.0
            .retain(|key, _| objects.iter().any(|object| object.key == *key));
        let now = Timestamp::now();
        for (object, finding) in findings.iter().filter(|(_, finding)| finding.is_told) {
            let told = status(&object.status, &finding.verdict(object), now);
            let said = (told.state, told.message);
            if self.0.get(&object.key) == Some(&said) {
                continue;
            }
            let (state, message) = (said.0.as_deref(), said.1.as_deref().unwrap_or_default());
            if finding.problem.is_none() {
                tracing::info!(object = %object.key, state, "{message}");
            } else {
                tracing::warn!(object = %object.key, state, "{message}");
            }
            self.0.insert(object.key.clone(), said);
        }
    }
}
