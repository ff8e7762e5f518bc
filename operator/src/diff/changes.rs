//! Objects as they are beside objects as they should be.

use std::fmt;

use serde::Serialize;
use serde_json::Value;
use similar::TextDiff;

use crate::difference::repair;
use crate::dns::names::{COREFILE_KEY, DNS_DEFAULT, NAMESPACE};
use crate::dns::objects::{Desired, ObjectKey};

/// What would change.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Changes {
    /// The Corefile as a unified diff; none when it stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corefile: Option<String>,
    /// The objects.
    pub objects: Vec<Change>,
    /// The pods that are replaced.
    pub restarts: Vec<Restart>,
    /// What else there is to know.
    pub notes: Vec<String>,
}

/// What becomes of an object.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    api_version: String,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    name: String,
    /// What is done with it.
    pub action: Action,
    /// The fields that change.
    pub fields: Vec<Field>,
}

/// What is done with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is made.
    Created,
    /// Some of its fields get other values.
    Changed,
    /// It is taken away.
    Deleted,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Created => "created:",
            Self::Changed => "changed:",
            Self::Deleted => "deleted:",
        })
    }
}

/// A field that gets another value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Field {
    /// Which.
    #[serde(rename = "field")]
    pub path: String,
    /// The value now; null when there is none.
    pub old: Value,
    /// The value then; null when there is none.
    pub new: Value,
    /// Whether the present DNS asks for the same: somebody else has changed it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub drift: bool,
}

/// The longest value that is shown to people, in characters.
const SHOWN: usize = 120;

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Value| {
            let text = value.to_string();
            match text.char_indices().nth(SHOWN) {
                Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
                None => text,
            }
        };
        write!(f, "{}: {} -> {}", self.path, shown(&self.old), shown(&self.new))?;
        if self.drift {
            write!(f, " (the present DNS asks for it too)")?;
        }
        Ok(())
    }
}

/// A DaemonSet whose pods are replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Restart {
    /// Its name, in the namespace of the DNS pods.
    pub daemon_set: String,
    /// How many nodes have such a pod, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nodes: Option<i64>,
}

impl fmt::Display for Restart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the pods of DaemonSet {NAMESPACE}/{} are replaced",
            self.daemon_set
        )?;
        match self.nodes {
            Some(1) => write!(f, ", on 1 node"),
            Some(nodes) => write!(f, ", on all {nodes} nodes"),
            None => Ok(()),
        }
    }
}

impl Change {
    fn new(key: &ObjectKey, action: Action, fields: Vec<Field>) -> Self {
        Self {
            api_version: key.api_version.clone(),
            kind: key.kind.clone(),
            namespace: key.namespace.clone(),
            name: key.name.clone(),
            action,
            fields,
        }
    }

    /// Which object.
    #[must_use]
    pub fn key(&self) -> ObjectKey {
        ObjectKey {
            api_version: self.api_version.clone(),
            kind: self.kind.clone(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        }
    }

    /// Whether it holds the Corefile.
    #[must_use]
    pub fn is_corefile(&self) -> bool {
        self.kind == "ConfigMap" && self.name == DNS_DEFAULT
    }
}

impl Changes {
    /// What makes the live objects the wanted ones and takes others away. `present` is
    /// what the DNS in force wants.
    pub fn of(
        wanted: &[Desired],
        live: impl Fn(&ObjectKey) -> Option<Value>,
        gone: impl Iterator<Item = ObjectKey>,
        present: &[Desired],
    ) -> Self {
        let mut changes = Self::default();
        for object in wanted {
            let known = live(&object.key);
            let asked = present.iter().find(|present| present.key == object.key);
            changes.add(object, known.as_ref(), asked);
        }
        let gone = gone.map(|key| Change::new(&key, Action::Deleted, Vec::new()));
        changes.objects.extend(gone);
        changes
    }

    fn add(&mut self, wanted: &Desired, live: Option<&Value>, present: Option<&Desired>) {
        let Some(live) = live else {
            let change = Change::new(&wanted.key, Action::Created, Vec::new());
            if change.is_corefile() {
                self.corefile = corefile_diff(&Value::Null, &wanted.value);
            }
            self.objects.push(change);
            return;
        };
        let Some(repair) = repair(&wanted.value, live) else {
            return;
        };
        let fields = repair.fields.into_iter().map(|path| {
            let new = at(&wanted.value, &path);
            Field {
                old: at(live, &path),
                drift: present.is_some_and(|present| at(&present.value, &path) == new),
                new,
                path,
            }
        });
        let change = Change::new(&wanted.key, Action::Changed, fields.collect());
        if change.is_corefile() {
            self.corefile = corefile_diff(live, &wanted.value);
        }
        let is_of_pods = |field: &Field| field.path.starts_with("spec.template");
        if wanted.key.kind == "DaemonSet" && change.fields.iter().any(is_of_pods) {
            self.restarts.push(Restart {
                daemon_set: wanted.key.name.clone(),
                nodes: live["status"]["desiredNumberScheduled"].as_i64(),
            });
        }
        self.objects.push(change);
    }

    /// Whether nothing would change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }
}

fn corefile_diff(old: &Value, new: &Value) -> Option<String> {
    let corefile = |map: &Value| map["data"][COREFILE_KEY].as_str().unwrap_or_default().to_owned();
    let (old, new) = (corefile(old), corefile(new));
    if old == new {
        return None;
    }
    let diff = TextDiff::from_lines(&old, &new);
    let mut diff = diff.unified_diff();
    Some(diff.header("Corefile in force", "new Corefile").to_string())
}

/// The value at a path such as `spec.template.spec.containers[0].image`. Keys may have
/// dots themselves.
fn at(value: &Value, path: &str) -> Value {
    let path = path.strip_prefix('.').unwrap_or(path);
    if path.is_empty() {
        return value.clone();
    }
    match value {
        Value::Object(fields) => {
            let rest = |key: &str| {
                let rest = path.strip_prefix(key)?;
                (rest.is_empty() || rest.starts_with(['.', '['])).then_some(rest)
            };
            let known = fields
                .iter()
                .filter_map(|(key, value)| Some((key.len(), at(value, rest(key)?))));
            let longest = known.max_by_key(|(length, _)| *length);
            longest.map(|(_, value)| value).unwrap_or_default()
        }
        Value::Array(items) => {
            let index = path.strip_prefix('[').and_then(|rest| rest.split_once(']'));
            let item = index.and_then(|(index, rest)| Some((items.get(index.parse::<usize>().ok()?)?, rest)));
            item.map(|(item, rest)| at(item, rest)).unwrap_or_default()
        }
        _ => Value::Null,
    }
}
