//! What a service account may do, and what it was seen to do.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::Path;

use serde_json::Value;

/// One thing that a role allows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    verb: String,
    /// The resource, with its subresource and its group.
    resource: String,
    /// The only object; none for all of them.
    name: Option<String>,
    /// The only namespace; none for all of them.
    namespace: Option<String>,
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        if let Some(name) = &self.name {
            write!(f, " {name}")?;
        }
        match &self.namespace {
            Some(namespace) => write!(f, " in {namespace}"),
            None => Ok(()),
        }
    }
}

/// `dnses.operator.openshift.io/status`, as kubectl writes it.
fn resource_name(group: &str, resource: &str) -> String {
    let (resource, subresource) = match resource.split_once('/') {
        Some((resource, subresource)) => (resource, format!("/{subresource}")),
        None => (resource, String::new()),
    };
    let dot = if group.is_empty() { "" } else { "." };
    format!("{resource}{dot}{group}{subresource}")
}

/// Everything that the roles among `objects` allow a service account.
pub fn granted(objects: &[Value], namespace: &str, account: &str) -> BTreeSet<Permission> {
    let mut permissions = BTreeSet::new();
    for binding in objects {
        let is_bound = binding["subjects"].as_array().is_some_and(|subjects| {
            subjects
                .iter()
                .any(|subject| subject["name"] == account && subject["namespace"] == namespace)
        });
        if !is_bound {
            continue;
        }
        let place = &binding["metadata"]["namespace"];
        let role = objects.iter().find(|role| {
            role["kind"] == binding["roleRef"]["kind"]
                && role["metadata"]["name"] == binding["roleRef"]["name"]
                && (role["kind"] == "ClusterRole" || role["metadata"]["namespace"] == *place)
        });
        let role = role.unwrap_or_else(|| panic!("no role for {}", binding["metadata"]));
        for rule in role["rules"].as_array().unwrap() {
            permissions.extend(flattened(rule, place.as_str()));
        }
    }
    permissions
}

fn flattened(rule: &Value, namespace: Option<&str>) -> Vec<Permission> {
    let texts = |field: &str| -> Vec<&str> {
        let list = rule[field].as_array().into_iter().flatten();
        list.map(|text| text.as_str().unwrap()).collect()
    };
    let mut names: Vec<Option<String>> = texts("resourceNames")
        .into_iter()
        .map(|name| Some(name.to_owned()))
        .collect();
    if names.is_empty() {
        names.push(None);
    }
    let mut permissions = Vec::new();
    for group in texts("apiGroups") {
        for resource in texts("resources") {
            for verb in texts("verbs") {
                assert!(
                    ![group, resource, verb].contains(&"*"),
                    "a right to everything: {rule}"
                );
                permissions.extend(names.iter().map(|name| Permission {
                    verb: verb.to_owned(),
                    resource: resource_name(group, resource),
                    name: name.clone(),
                    namespace: namespace.map(Into::into),
                }));
            }
        }
    }
    permissions
}

/// A request that the API server has answered.
#[derive(Debug)]
pub struct Request {
    verb: String,
    resource: String,
    name: String,
    namespace: String,
    code: i64,
    /// The line of the audit log.
    event: Value,
}

impl Request {
    /// What the API server said if it refused for want of a permission.
    pub fn refusal(&self) -> Option<&str> {
        (self.code == 403).then(|| {
            self.event["responseStatus"]["message"]
                .as_str()
                .unwrap_or("forbidden")
        })
    }

    /// Whether it was allowed by this permission, maybe among others.
    pub fn used(&self, permission: &Permission) -> bool {
        let is_or_any = |wanted: &Option<String>, text: &str| wanted.as_ref().is_none_or(|w| w == text);
        // An apply that creates has to be allowed both.
        let creates = self.verb == "patch" && self.code == 201;
        (permission.verb == self.verb || creates && permission.verb == "create")
            && permission.resource == self.resource
            && is_or_any(&permission.name, &self.name)
            && is_or_any(&permission.namespace, &self.namespace)
    }
}

/// The requests of a user for objects, from an audit log.
pub fn requests(audit_log: &Path, user: &str) -> Vec<Request> {
    let log = fs::read_to_string(audit_log).unwrap();
    let events = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    events
        .filter(|event| event["user"]["username"] == user && event["objectRef"].is_object())
        .map(|event| {
            let reference = &event["objectRef"];
            let text = |field: &str| reference[field].as_str().unwrap_or_default().to_owned();
            let mut resource = text("resource");
            if !text("subresource").is_empty() {
                resource = format!("{resource}/{}", text("subresource"));
            }
            Request {
                verb: event["verb"].as_str().unwrap_or_default().to_owned(),
                resource: resource_name(&text("apiGroup"), &resource),
                name: text("name"),
                namespace: text("namespace"),
                code: event["responseStatus"]["code"].as_i64().unwrap_or_default(),
                event,
            }
        })
        .collect()
}

/// How the rights of a service account and what it did agree.
pub struct Account {
    /// The requests that were refused for want of a right, in the API server's words. An API
    /// server that has just been told of roles may not know them yet: what they allow does not
    /// count.
    pub refused: BTreeSet<String>,
    /// The rights that nothing has used.
    pub unused: BTreeSet<String>,
}

/// Compares the roles among `objects` with what the account did.
pub fn account(audit_log: &Path, objects: &[Value], namespace: &str, account: &str) -> Account {
    let granted = granted(objects, namespace, account);
    assert!(!granted.is_empty(), "{namespace}/{account} has no rights");
    let user = format!("system:serviceaccount:{namespace}:{account}");
    let requests = requests(audit_log, &user);
    let (refused, answered): (Vec<_>, Vec<_>) =
        requests.iter().partition(|request| request.refusal().is_some());
    let refused = refused
        .into_iter()
        .filter(|request| !granted.iter().any(|permission| request.used(permission)));
    let unused = granted
        .iter()
        .filter(|permission| !answered.iter().any(|request| request.used(permission)));
    Account {
        refused: refused
            .filter_map(Request::refusal)
            .map(ToOwned::to_owned)
            .collect(),
        unused: unused.map(ToString::to_string).collect(),
    }
}

impl Account {
    /// Every right was used, and none was missing.
    pub fn is_exact(&self) {
        let Self { refused, unused } = self;
        assert!(
            refused.is_empty() && unused.is_empty(),
            "refused: {refused:#?}\ngranted, but not used: {unused:#?}"
        );
    }
}
