//! What comes of a reconcile, and what goes wrong in one.

use std::time::Duration;

use crate::apply::ApplyError;

/// What a reconcile came to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// When there is something to look at again.
    pub look_again: Option<Duration>,
    /// Whether something failed that may work the next time.
    pub failed: bool,
}

impl Outcome {
    pub(super) fn again(failures: &Failures) -> Self {
        Self {
            look_again: Some(Duration::ZERO),
            failed: failures.retry,
        }
    }

    /// Looks again after a time at the latest.
    pub(super) fn within(&mut self, time: Option<Duration>) {
        self.look_again = match (self.look_again, time) {
            (Some(known), Some(time)) => Some(known.min(time)),
            (known, time) => known.or(time),
        };
    }
}

/// What went wrong on the way; the rest was still done.
#[derive(Default)]
pub(super) struct Failures {
    /// For people.
    pub(super) messages: Vec<String>,
    /// Whether to try again soon.
    pub(super) retry: bool,
}

impl Failures {
    pub(super) fn note(&mut self, result: Result<(), ApplyError>) {
        let Err(error) = result else {
            return;
        };
        self.retry = true;
        match error {
            // Somebody else wrote first: nothing anyone has to know.
            ApplyError::Outdated { .. } => tracing::debug!("{error}"),
            error => self.tell(&error),
        }
    }

    pub(super) fn tell(&mut self, error: &dyn std::error::Error) {
        let mut message = error.to_string();
        // The API server's reason stands in the source.
        if let Some(source) = error.source().map(ToString::to_string)
            && !message.contains(&source)
        {
            message = format!("{message}: {source}");
        }
        tracing::error!("{message}");
        self.messages.push(message);
        self.retry = true;
    }
}
