//! The API server in memory against the real one: the same calls, the same
//! answers.

use std::pin::pin;

use futures::StreamExt as _;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{
    Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams, Preconditions, WatchEvent,
    WatchParams,
};
use kube::{Client, Error, Resource};
use operator::dns::objects::ObjectKey;
use operator::resources;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use similar::TextDiff;

use crate::api_server::ApiServer;
use crate::control_plane::Plane;

/// What was answered, a line a call.
#[derive(Default)]
struct Answers {
    lines: Vec<String>,
    /// The version of the object that was answered last.
    version: String,
}

impl Answers {
    fn note<T: Serialize>(&mut self, call: &str, answer: Result<T, Error>) {
        let text = match answer {
            Ok(object) => self.without_chance(serde_json::to_value(object).unwrap()),
            Err(Error::Api(status)) => format!("{} {}", status.code, status.reason),
            Err(error) => panic!("{call}: {error}"),
        };
        self.lines.push(format!("{call}: {text}"));
    }

    /// An object without what differs from run to run and what only a real API
    /// server adds.
    fn without_chance(&mut self, mut object: Value) -> String {
        if object["metadata"]["name"].is_null() {
            return object["status"].to_string();
        }
        let metadata = object["metadata"].as_object_mut().unwrap();
        for field in ["uid", "creationTimestamp", "deletionTimestamp"] {
            if let Some(value) = metadata.get_mut(field) {
                *value = "is there".into();
            }
        }
        metadata.remove("managedFields");
        let version = metadata.remove("resourceVersion").unwrap();
        let is_new = version != self.version;
        self.version = version.as_str().unwrap().into();
        let fields = object.as_object_mut().unwrap();
        if fields.get("kind").is_some_and(|kind| kind == "DNS") {
            // Defaults.
            fields.remove("spec");
        }
        format!("{} {object}", if is_new { "new version" } else { "same version" })
    }

    async fn patch<K>(&mut self, api: &Api<K>, call: &str, name: &str, patch: Value)
    where
        K: Clone + DeserializeOwned + std::fmt::Debug + Serialize,
    {
        let answer = api
            .patch(name, &PatchParams::default(), &Patch::Merge(patch))
            .await;
        self.note(call, answer);
    }

    async fn delete<K>(&mut self, api: &Api<K>, call: &str, name: &str, only: Preconditions)
    where
        K: Clone + DeserializeOwned + std::fmt::Debug + Serialize,
    {
        let parameters = DeleteParams::background().preconditions(only);
        let answer = api.delete(name, &parameters).await;
        let gone = json!({ "metadata": {}, "status": "gone" });
        self.note(
            call,
            answer.map(|left| left.map_left(|object| json!(object)).left_or(gone)),
        );
    }
}

fn config_map(name: &str, data: &Value) -> ConfigMap {
    let object = json!({ "metadata": { "name": name, "labels": { "name": name } }, "data": data });
    serde_json::from_value(object).unwrap()
}

fn version_of(object: &impl Resource) -> String {
    object.meta().resource_version.clone().unwrap()
}

async fn objects(client: &Client, answers: &mut Answers) {
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), "default");
    let post = PostParams::default();
    let map = config_map("parity", &json!({ "a": "1" }));
    answers.note("create", api.create(&post, &map).await);
    answers.note("create again", api.create(&post, &map).await);
    answers.note("get nothing", api.get("nothing").await);
    let first = api.get("parity").await.unwrap();
    let current =
        json!({ "metadata": { "resourceVersion": version_of(&first) }, "data": { "a": null, "b": "2" } });
    answers.patch(&api, "patch", "parity", current.clone()).await;
    answers
        .patch(&api, "patch when outdated", "parity", current)
        .await;
    answers
        .patch(
            &api,
            "patch nothing new",
            "parity",
            json!({ "data": { "b": "2" } }),
        )
        .await;
    answers
        .patch(&api, "patch nothing", "nothing", json!({ "data": {} }))
        .await;
    answers.note(
        "replace when outdated",
        api.replace("parity", &post, &first).await,
    );
    let second = api.get("parity").await.unwrap();
    answers.note(
        "replace",
        api.replace("parity", &post, &ConfigMap { data: None, ..second })
            .await,
    );
    answers.note(
        "create another",
        api.create(&post, &config_map("other", &json!({ "c": "3" })))
            .await,
    );
    for parameters in [
        ListParams::default().labels("name=parity"),
        ListParams::default().fields("metadata.name=other"),
    ] {
        let list = api.list(&parameters.limit(10)).await.unwrap();
        answers.lines.extend(
            list.items
                .iter()
                .map(|item| format!("listed {:?}", item.metadata.name)),
        );
    }
}

async fn deletions(client: &Client, answers: &mut Answers) {
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), "default");
    let holding = json!({ "metadata": { "finalizers": ["example.test/a"] } });
    answers.patch(&api, "hold", "parity", holding).await;
    let wrong_uid = Preconditions {
        uid: Some("00000000-1111-2222-3333-444444444444".into()),
        resource_version: None,
    };
    answers
        .delete(&api, "delete another's", "parity", wrong_uid)
        .await;
    let old = Preconditions {
        uid: None,
        resource_version: Some("1".into()),
    };
    answers.delete(&api, "delete when outdated", "parity", old).await;
    answers
        .delete(&api, "delete", "parity", Preconditions::default())
        .await;
    answers
        .delete(&api, "delete again", "parity", Preconditions::default())
        .await;
    answers
        .patch(
            &api,
            "let go",
            "parity",
            json!({ "metadata": { "finalizers": [] } }),
        )
        .await;
    answers.note("get what is gone", api.get("parity").await);
    answers
        .delete(&api, "delete what is gone", "parity", Preconditions::default())
        .await;
}

async fn statuses(client: &Client, answers: &mut Answers) {
    let key: ObjectKey = resources::default_dns_key();
    let resource = resources::Resource::of(&key).unwrap().api();
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
    let status = json!({ "clusterIP": "172.30.0.10", "clusterDomain": "cluster.local" });
    let dns = json!({
        "apiVersion": key.api_version, "kind": key.kind, "metadata": { "name": "default" },
        "spec": {}, "status": status,
    });
    let dns: DynamicObject = serde_json::from_value(dns).unwrap();
    answers.note(
        "create with a status",
        api.create(&PostParams::default(), &dns).await,
    );
    let version = api.get("default").await.unwrap().metadata.resource_version;
    let patch = json!({ "metadata": { "resourceVersion": version }, "spec": { "logLevel": "Debug" }, "status": status });
    for call in ["patch the status", "patch the status when outdated"] {
        let merge = Patch::Merge(&patch);
        answers.note(
            call,
            api.patch_status("default", &PatchParams::default(), &merge).await,
        );
    }
    answers
        .patch(
            &api,
            "patch all but the status",
            "default",
            json!({
                "spec": { "logLevel": "Trace" }, "status": { "clusterIP": "192.0.2.1" },
            }),
        )
        .await;
    answers
        .patch(
            &api,
            "label",
            "default",
            json!({ "metadata": { "labels": { "a": "b" } } }),
        )
        .await;
    answers
        .delete(&api, "delete a DNS", "default", Preconditions::default())
        .await;
}

async fn applies(client: &Client, answers: &mut Answers) {
    let api: Api<Lease> = Api::namespaced(client.clone(), "default");
    for holder in ["a", "a", "b"] {
        let lease = json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": { "name": "parity" }, "spec": { "holderIdentity": holder },
        });
        let parameters = PatchParams::apply("parity").force();
        answers.note(
            "apply",
            api.patch("parity", &parameters, &Patch::Apply(lease)).await,
        );
    }
}

/// What a watch tells of all that.
async fn events(client: &Client, since: &str, answers: &mut Answers) {
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), "default");
    let only = WatchParams::default().labels("name=parity");
    let mut events = pin!(api.watch(&only, since).await.unwrap());
    loop {
        let (what, object) = match events.next().await.unwrap().unwrap() {
            WatchEvent::Added(object) => ("added", object),
            WatchEvent::Modified(object) => ("modified", object),
            WatchEvent::Deleted(object) => ("deleted", object),
            WatchEvent::Bookmark(_) => continue,
            WatchEvent::Error(status) => panic!("{status:?}"),
        };
        answers.note(what, Ok(object));
        if what == "deleted" {
            return;
        }
    }
}

async fn answers(client: Client) -> Vec<String> {
    let mut answers = Answers::default();
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), "default");
    let before = api
        .list(&ListParams::default())
        .await
        .unwrap()
        .metadata
        .resource_version;
    objects(&client, &mut answers).await;
    deletions(&client, &mut answers).await;
    statuses(&client, &mut answers).await;
    applies(&client, &mut answers).await;
    events(&client, &before.unwrap(), &mut answers).await;
    answers.lines
}

#[tokio::test]
async fn calls_are_answered_as_by_the_real_api_server() {
    let in_memory = answers(ApiServer::with_generations().client()).await;
    let plane = Plane::start().await;
    let real = answers(plane.client.clone()).await;
    let diff = TextDiff::from_lines(&real.join("\n"), &in_memory.join("\n"))
        .unified_diff()
        .to_string();
    assert!(real == in_memory, "{diff}");
    assert!(real.len() > 30);
}
