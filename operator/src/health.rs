//! Whether the operator lives and is ready, for the kubelet's probes.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How far the operator is. A watch that ends needs no place here: it ends the
/// program.
#[derive(Debug, Default)]
pub struct Health(Mutex<State>);

#[derive(Debug)]
struct State {
    ready: Result<String, String>,
    pass_begun: Option<Instant>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            ready: Err("not every watch has listed its objects".into()),
            pass_begun: None,
        }
    }
}

/// How long a pass over the objects may take. It is given up sooner, unless the
/// main loop is stuck.
pub const LONGEST_PASS: Duration = Duration::from_secs(90);

impl Health {
    /// Every watch has listed what there is.
    pub fn listed(&self) {
        self.ready("ok");
    }

    /// It is ready, as what is said.
    pub fn ready(&self, role: &str) {
        self.lock().ready = Ok(role.into());
    }

    /// It is not ready, or not any more, for some reason.
    pub fn not_ready(&self, reason: &str) {
        self.lock().ready = Err(reason.into());
    }

    /// A pass over the objects begins.
    pub fn pass_begun(&self, now: Instant) {
        self.lock().pass_begun = Some(now);
    }

    /// The pass has ended, well or badly.
    pub fn pass_ended(&self) {
        self.lock().pass_begun = None;
    }

    /// Whether the main loop goes on; if not, why.
    pub fn liveness(&self, now: Instant) -> Result<(), String> {
        match self.lock().pass_begun {
            Some(begun) if now.saturating_duration_since(begun) > LONGEST_PASS => Err(format!(
                "a pass has taken longer than {} seconds",
                LONGEST_PASS.as_secs()
            )),
            _ => Ok(()),
        }
    }

    /// Whether the operator knows the cluster, and what there is to say; if not, why.
    /// Leading is not asked for: a replica that stands by is ready to take over.
    pub fn readiness(&self) -> Result<String, String> {
        self.lock().ready.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can panic half way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
