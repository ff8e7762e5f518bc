//! Counting requests in the API server's audit log.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

/// What the bench calls itself.
pub const BENCH: &str = "dns-bench";
/// What the bare client calls itself.
pub const BARE: &str = "dns-bench-bare";
/// What the operator calls itself.
const OPERATOR: &str = "dns-operator";

/// How a request for a Lease ends in [`Requests`].
const LEASES: &str = " leases";
const EVENTS: &str = " events";

/// Whose requests are counted.
#[derive(Clone, Copy, Debug)]
pub enum Sender {
    /// The program measured: whoever is neither the bench nor part of Kubernetes.
    Subject,
    /// The bare client.
    Bare,
    /// The operator, on a cluster with other programs.
    Operator,
}

impl Sender {
    fn is(self, agent: &str) -> bool {
        let program = agent.split('/').next().unwrap_or_default();
        match self {
            Self::Bare => program == BARE,
            Self::Operator => program == OPERATOR,
            Self::Subject => program != BARE && program != BENCH && !program.starts_with("kube"),
        }
    }
}

/// Requests by verb and resource.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Requests {
    /// Answered requests other than watches.
    pub answered: BTreeMap<String, u32>,
    /// Watches opened: each costs a request, but not for an edit.
    pub watches: BTreeMap<String, u32>,
}

impl Requests {
    /// How many were answered.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.answered.values().sum()
    }

    /// How many were about a Lease: what it costs that one operator of several acts.
    #[must_use]
    pub fn of_leases(&self) -> u32 {
        let leases = self.answered.iter().filter(|(what, _)| what.ends_with(LEASES));
        leases.map(|(_, count)| count).sum()
    }

    /// How many were answered that were not about a Lease.
    #[must_use]
    pub fn but_leases(&self) -> u32 {
        self.count() - self.of_leases()
    }

    /// How many were about an Event, in which an operator tells what it has found.
    #[must_use]
    pub fn of_events(&self) -> u32 {
        let events = self.answered.iter().filter(|(what, _)| what.ends_with(EVENTS));
        events.map(|(_, count)| count).sum()
    }

    /// How many watches were opened.
    #[must_use]
    pub fn watches_opened(&self) -> u32 {
        self.watches.values().sum()
    }

    /// Adds what was counted at another time.
    pub fn add(&mut self, other: Self) {
        for (what, count) in other.answered {
            *self.answered.entry(what).or_default() += count;
        }
        for (what, count) in other.watches {
            *self.watches.entry(what).or_default() += count;
        }
    }

    fn note(&mut self, event: &Event) {
        let kind = match (event.verb.as_str(), event.stage.as_str()) {
            ("watch", "ResponseStarted") => &mut self.watches,
            ("watch", _) | (_, "ResponseStarted") => return,
            _ => &mut self.answered,
        };
        *kind.entry(event.what()).or_default() += 1;
    }
}

/// The audit log of a running API server, which writes a line before it answers.
#[derive(Debug)]
pub struct AuditLog {
    path: PathBuf,
}

/// A place in the log.
#[derive(Clone, Copy, Debug)]
pub struct Mark(u64);

impl AuditLog {
    /// The log in a file.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The present end.
    pub fn mark(&self) -> Result<Mark> {
        Ok(Mark(self.open()?.1))
    }

    /// The requests since a mark.
    pub fn since(&self, mark: Mark, sender: Sender) -> Result<Requests> {
        let (mut file, length) = self.open()?;
        if length < mark.0 {
            bail!(
                "the audit log {} was rotated while it was read",
                self.path.display()
            );
        }
        file.seek(SeekFrom::Start(mark.0))
            .context("failed to seek in the audit log")?;
        count(BufReader::new(file), sender)
    }

    fn open(&self) -> Result<(File, u64)> {
        let open = || format!("failed to read the audit log {}", self.path.display());
        let file = File::open(&self.path).with_context(open)?;
        let length = file.metadata().with_context(open)?.len();
        Ok((file, length))
    }
}

fn count(log: impl BufRead, sender: Sender) -> Result<Requests> {
    let mut requests = Requests::default();
    for line in log.lines() {
        let line = line.context("failed to read the audit log")?;
        // The last line may still be being written; it came after the counting.
        let Ok(event) = serde_json::from_str::<Event>(&line) else {
            continue;
        };
        if sender.is(&event.user_agent) {
            requests.note(&event);
        }
    }
    Ok(requests)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    stage: String,
    verb: String,
    #[serde(default)]
    user_agent: String,
    #[serde(rename = "requestURI")]
    request_uri: String,
    object_ref: Option<ObjectReference>,
}

#[derive(Debug, Deserialize)]
struct ObjectReference {
    resource: String,
    subresource: Option<String>,
}

impl Event {
    /// The verb with the resource, or with the path of what is no resource.
    fn what(&self) -> String {
        match &self.object_ref {
            Some(ObjectReference {
                resource,
                subresource: Some(subresource),
            }) => format!("{} {resource}/{subresource}", self.verb),
            Some(reference) => format!("{} {}", self.verb, reference.resource),
            None => {
                let path = self.request_uri.split('?').next().unwrap_or_default();
                format!("{} {path}", self.verb)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = r#"
{"stage":"ResponseComplete","verb":"patch","userAgent":"dns-operator/0.1.0","requestURI":"/x","objectRef":{"resource":"configmaps"}}
{"stage":"ResponseComplete","verb":"patch","userAgent":"dns-operator/0.1.0","requestURI":"/x","objectRef":{"resource":"dnses","subresource":"status"}}
{"stage":"ResponseStarted","verb":"watch","userAgent":"dns-operator/0.1.0","requestURI":"/x","objectRef":{"resource":"dnses"}}
{"stage":"ResponseComplete","verb":"watch","userAgent":"dns-operator/0.1.0","requestURI":"/x","objectRef":{"resource":"dnses"}}
{"stage":"ResponseComplete","verb":"get","userAgent":"dns-operator/0.1.0","requestURI":"/version?x=y"}
{"stage":"ResponseComplete","verb":"patch","userAgent":"dns-operator/0.1.0","requestURI":"/x","objectRef":{"resource":"leases"}}
{"stage":"ResponseComplete","verb":"patch","userAgent":"dns-bench/0.1.0","requestURI":"/x","objectRef":{"resource":"dnses"}}
{"stage":"ResponseComplete","verb":"patch","userAgent":"dns-bench-bare/0.1.0","requestURI":"/x","objectRef":{"resource":"configmaps"}}
{"stage":"ResponseComplete","verb":"get","userAgent":"kube-apiserver/v1.36.3","requestURI":"/x","objectRef":{"resource":"namespaces"}}
{"stage":"Respon"#;

    #[test]
    fn counts_the_subject_by_verb_and_resource() {
        let requests = count(LOG.as_bytes(), Sender::Subject).unwrap();
        let answered: Vec<_> = requests.answered.keys().map(String::as_str).collect();
        assert_eq!(
            answered,
            [
                "get /version",
                "patch configmaps",
                "patch dnses/status",
                "patch leases"
            ]
        );
        assert_eq!((requests.but_leases(), requests.of_leases()), (3, 1));
        assert_eq!(requests.watches_opened(), 1);
    }

    #[test]
    fn tells_the_bare_client_from_the_bench() {
        assert_eq!(count(LOG.as_bytes(), Sender::Bare).unwrap().count(), 1);
    }
}
