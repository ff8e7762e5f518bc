//! The beginning and the end of a DNS.

use serde_json::{Value, json};

use super::config::Config;
use super::names::FINALIZER;
use super::objects::{self, Desired, ObjectKey};
use super::observe::{self, StoredDns};
use super::{Failures, Outcome, Reconciler};
use crate::apply::ApplyError;
use crate::resources::default_dns_key;

impl Reconciler {
    /// A cluster is never without its DNS.
    pub(super) async fn create_default(&mut self) -> Outcome {
        let dns = Desired::with_spec(default_dns_key(), &json!({}));
        let mut failures = Failures::default();
        failures.note(self.applier.create(&dns).await);
        // There is everything to do for it now.
        Outcome::again(&failures)
    }

    /// Lets a deleted DNS wait until the operator has cleaned up.
    pub(super) async fn ensure_finalizer(&self, dns: &StoredDns) -> Result<(), ApplyError> {
        if dns.has_finalizer() {
            return Ok(());
        }
        let mut finalizers = dns.finalizers();
        finalizers.push(FINALIZER);
        self.applier
            .set_finalizers(&default_dns_key(), dns.value(), &finalizers)
            .await
    }

    /// Takes away what was made for a DNS that is being deleted, and lets it go.
    /// The namespace stays: it may hold what others put there.
    pub(super) async fn clean_up(&mut self, dns: &StoredDns) -> Outcome {
        let mut failures = Failures::default();
        if !dns.has_finalizer() {
            return Outcome::default();
        }
        for key in self.managed_objects(dns, &mut failures) {
            failures.note(self.applier.delete(&key).await);
        }
        if !failures.retry {
            let finalizers = dns.finalizers();
            let others: Vec<&str> = finalizers.into_iter().filter(|name| *name != FINALIZER).collect();
            let key = default_dns_key();
            failures.note(self.applier.set_finalizers(&key, dns.value(), &others).await);
            self.last_good = None;
            self.in_force = None;
            self.repairs.remember(Vec::new());
        }
        Outcome {
            look_again: None,
            failed: failures.retry,
        }
    }

    /// Every object of the operator but the namespace, the last applied first.
    fn managed_objects(&self, dns: &StoredDns, failures: &mut Failures) -> Vec<ObjectKey> {
        let served = self.served.borrow();
        let (mut inputs, _) = observe::inputs(&self.cache, &self.setup, served.as_ref(), dns);
        // What belongs to the DaemonSet may be there still when that has gone.
        inputs.daemon_set_uid.get_or_insert_default();
        let any = Config::decode(&Value::Null);
        let config = match (&self.last_good, any) {
            (Some(accepted), _) => accepted.config.clone(),
            (None, Ok(config)) => config,
            (None, Err(error)) => {
                failures.tell(&error);
                return Vec::new();
            }
        };
        let objects = objects::desired(&config, Some(String::new()), &inputs, &[]);
        let objects = objects.unwrap_or_else(|error| {
            failures.tell(&error);
            Vec::new()
        });
        let keys = objects.into_iter().map(|object| object.key);
        let mut keys: Vec<ObjectKey> = keys.filter(|key| key.kind != "Namespace").collect();
        keys.extend(observe::ca_bundle_copies(&self.cache));
        keys.reverse();
        keys
    }
}
