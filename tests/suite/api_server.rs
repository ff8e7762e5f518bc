//! An API server in memory: objects and watches, and calls that fail as told.
//!
//! It neither validates nor sets defaults, which is why it exists: what
//! OpenShift's operator answers (`tests/cases/reconcile.jsonl`) was recorded so,
//! and thousands of starts of the operator take seconds. How it answers calls is
//! checked against the real kube-apiserver, by `api_server_parity`. It collects no
//! garbage, and an apply takes every field.

mod calls;
pub mod faults;
mod kinds;
mod store;
mod watches;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use http::{Request, Response};
use kube::Client;
use kube::client::Body;
use kube::client::retry::RetryPolicy;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tower::{Service, ServiceBuilder};

use calls::{Answer, Call, Served, respond, status};
use faults::{Failure, Fault, Order};
use kinds::{Kind, Place};
use store::{Happened, Id, Refusal, Store};
use watches::{Selection, Watch};

/// How long the operator's connection waits for an answer before it gives up.
const SILENCE: std::time::Duration = std::time::Duration::from_secs(180);

/// The API server. Clones are the same one.
#[derive(Clone, Default)]
pub struct ApiServer(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    store: Store,
    /// How much of the history the watches have.
    told: usize,
    watches: Vec<Watch>,
    calls: Vec<String>,
    writes: Vec<String>,
    refused: Vec<String>,
    fault: Option<Fault>,
    order: Order,
    /// How many versions behind lists are.
    lag: u64,
}

impl ApiServer {
    /// An API server that keeps generations, as a real one does.
    pub fn with_generations() -> Self {
        let server = Self::default();
        server.lock().store.generations = true;
        server
    }

    /// Another API server with the same objects and the same past.
    pub fn copy(&self) -> Self {
        let state = self.lock();
        Self(Arc::new(Mutex::new(State {
            store: state.store.clone(),
            told: state.told,
            calls: state.calls.clone(),
            writes: state.writes.clone(),
            ..State::default()
        })))
    }

    /// Puts an object in as it is.
    pub fn load(&self, object: Value) {
        let kind = Kind::of(&object).unwrap_or_else(|| panic!("unknown kind: {object}"));
        let text = |field: &str| object["metadata"][field].as_str().map(ToOwned::to_owned);
        let id = Id {
            kind,
            namespace: text("namespace"),
            name: text("name").unwrap(),
        };
        let mut state = self.lock();
        state.store.load(&id, object);
        state.tell();
    }

    /// Every object there is.
    pub fn objects(&self) -> Vec<Value> {
        let state = self.lock();
        state.store.live.values().cloned().collect()
    }

    /// An object by kind and name.
    pub fn get(&self, kind: &str, name: &str) -> Option<Value> {
        let is_it = |object: &Value| object["kind"] == kind && object["metadata"]["name"] == name;
        self.objects().into_iter().find(is_it)
    }

    /// How much has happened to objects.
    pub fn changes(&self) -> usize {
        self.lock().store.history.len()
    }

    /// Deletes an object, as somebody else does.
    pub fn remove(&self, kind: &str, name: &str) {
        let mut state = self.lock();
        let mut ids = state.store.live.keys();
        let id = ids.find(|id| id.kind.name == kind && id.name == name).cloned();
        state.store.delete(&id.unwrap(), &Value::Null).unwrap();
        state.tell();
    }

    /// Everything that has happened to objects, as the kind and name with the
    /// object afterwards; without one when it was deleted.
    pub fn history(&self) -> Vec<(String, Option<Value>)> {
        let told = |happened: &Happened| {
            let name = format!("{} {}", happened.id.kind.name, happened.id.name);
            (
                name,
                (happened.what != "DELETED").then(|| happened.object.clone()),
            )
        };
        self.lock().store.history.iter().map(told).collect()
    }

    /// Every call so far, as `verb Kind[/subresource] name`.
    pub fn calls(&self) -> Vec<String> {
        self.lock().calls.clone()
    }

    /// Every call so far that was to change something, whatever came of it.
    pub fn writes(&self) -> Vec<String> {
        self.lock().writes.clone()
    }

    /// Refuses calls: `verb Kind`, `verb Kind name` or `verb status Kind`.
    pub fn refuse(&self, calls: &[String]) {
        self.lock().refused = calls.to_vec();
    }

    /// Lets one call fail.
    pub fn fail(&self, fault: Fault) {
        self.lock().fault = Some(fault);
    }

    /// Whether the fault has come to pass.
    pub fn has_failed(&self) -> bool {
        self.lock().fault.is_none()
    }

    /// How events reach the watches from now on.
    pub fn deliver(&self, order: Order) {
        self.lock().order = order;
    }

    /// Ends every watch; those who watch come again.
    pub fn cut_watches(&self) {
        self.lock().watches.clear();
    }

    /// Ends every watch as one that is too far behind, so that everything is
    /// listed anew; lists are then `lag` versions behind.
    pub fn expire_watches(&self, lag: u64) {
        let mut state = self.lock();
        state.lag = lag;
        let expired = json!({ "type": "ERROR", "object": status(&Refusal::new(410, "Expired", "too old")) });
        for watch in state.watches.drain(..) {
            let _ = watch.events.send(expired.clone());
        }
    }

    /// A client that repeats refused calls as the operator's does.
    pub fn client(&self) -> Client {
        let service = ServiceBuilder::new()
            .buffer(1024)
            .retry(RetryPolicy::server_retry())
            .map_err(tower::BoxError::from)
            .service(self.clone());
        Client::new(service, "default")
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(self, request: Request<Body>) -> Result<Response<Answer>, io::Error> {
        let call = Call::read(request).await?;
        let failure = self.lock().note(&call);
        let answer = match &failure {
            Some(Failure::Refused(code)) => Err(Refusal::new(*code, "Injected", "as told")),
            Some(Failure::Hang | Failure::Reset) => Err(Refusal::new(0, "", "")),
            Some(Failure::HangAfter | Failure::ResetAfter) | None => self.lock().serve(&call),
        };
        match failure {
            Some(Failure::Hang | Failure::HangAfter) => {
                tokio::time::sleep(SILENCE).await;
                Err(io::Error::from(io::ErrorKind::TimedOut))
            }
            Some(Failure::Reset | Failure::ResetAfter) => {
                Err(io::Error::from(io::ErrorKind::ConnectionReset))
            }
            Some(Failure::Refused(_)) | None => Ok(respond(answer)),
        }
    }
}

impl State {
    /// Writes a call down; tells how it is to fail.
    fn note(&mut self, call: &Call) -> Option<Failure> {
        let number = self.calls.len();
        let (mut text, mut names) = (format!("get {}", call.path), Vec::new());
        if let Some(Place::Objects {
            kind,
            name,
            subresource,
            ..
        }) = kinds::parse(&call.path)
        {
            let verb = call.verb(name);
            let name = name
                .or(call.body["metadata"]["name"].as_str())
                .unwrap_or_default();
            let slash = subresource.map(|part| format!("/{part}")).unwrap_or_default();
            text = format!("{verb} {}{slash} {name}", kind.name);
            // The reference writes with `update` where we patch.
            let verb = if verb == "patch" { "update" } else { verb };
            let part = subresource.map(|part| format!("{part} ")).unwrap_or_default();
            names = vec![
                format!("{verb} {part}{}", kind.name),
                format!("{verb} {part}{} {name}", kind.name),
            ];
        }
        self.calls.push(text.clone());
        if !call.is_read() {
            self.writes.push(text);
        }
        if names.iter().any(|name| self.refused.contains(name)) {
            return Some(Failure::Refused(500));
        }
        let due = self.fault.take_if(|fault| fault.call == number);
        due.map(|fault| fault.failure)
    }

    fn serve(&mut self, call: &Call) -> Result<Served, Refusal> {
        let not_served = || {
            Refusal::new(
                404,
                "NotFound",
                "the server could not find the requested resource",
            )
        };
        let (kind, namespace, name, subresource) = match kinds::parse(&call.path).ok_or_else(not_served)? {
            Place::Discovery(api_version) => {
                let list = kinds::discovery(&api_version).ok_or_else(not_served)?;
                return Ok(Served::Object(200, list));
            }
            Place::Objects {
                kind,
                namespace,
                name,
                subresource,
            } => (kind, namespace, name, subresource),
        };
        if subresource.is_some_and(|part| part != "status" || !kind.has_status) {
            return Err(not_served());
        }
        let name = name.or(call.body["metadata"]["name"].as_str());
        let Some(name) = name.filter(|_| !(call.is_read() && call.verb(name) != "get")) else {
            let selection = Selection {
                kind,
                namespace: namespace.map(Into::into),
                query: call.query.clone(),
            };
            return Ok(self.read(call, selection));
        };
        let id = Id {
            kind,
            namespace: namespace.map(Into::into),
            name: name.into(),
        };
        let answer = self.act(call, &id, subresource.is_some());
        self.tell();
        answer
    }

    /// Does what a call asks for to one object.
    fn act(&mut self, call: &Call, id: &Id, status: bool) -> Result<Served, Refusal> {
        match call.verb(Some(&id.name)) {
            "get" => Ok(Served::Object(200, self.store.get(id)?.clone())),
            "create" => self
                .store
                .create(id, call.body.clone())
                .map(|object| Served::Object(201, object)),
            "patch" => (self.store.merge(id, &call.body, status)).map(|object| Served::Object(200, object)),
            "update" => {
                (self.store.replace(id, &call.body, status)).map(|object| Served::Object(200, object))
            }
            "apply" => self
                .store
                .apply(id, &call.body)
                .map(|object| Served::Object(200, object)),
            "delete" => self.store.delete(id, &call.body["preconditions"]).map(|left| {
                let done =
                    json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success" });
                Served::Object(200, left.unwrap_or(done))
            }),
            verb => Err(Refusal::new(
                405,
                "MethodNotAllowed",
                format!("{verb} is not supported"),
            )),
        }
    }

    fn read(&mut self, call: &Call, selection: Selection) -> Served {
        let list_kind = format!("{}List", selection.kind.name);
        let (api_version, version) = (selection.kind.api_version, self.store.version);
        if call.verb(None) == "watch" {
            return Served::Events(self.watch(call, selection));
        }
        let version = version.saturating_sub(self.lag);
        let items = self.store.at(version).into_iter();
        let items: Vec<Value> = items
            .filter(|(id, object)| selection.contains(id, object))
            .map(|(_, object)| object)
            .collect();
        let list = json!({
            "kind": list_kind, "apiVersion": api_version,
            "metadata": { "resourceVersion": version.to_string() }, "items": items,
        });
        Served::Object(200, list)
    }

    fn watch(&mut self, call: &Call, selection: Selection) -> mpsc::UnboundedReceiver<Value> {
        let (events, receiver) = mpsc::unbounded_channel();
        let since = call
            .query
            .get("resourceVersion")
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        let mut watch = Watch {
            selection,
            events,
            held: None,
        };
        for happened in self
            .store
            .history
            .iter()
            .filter(|happened| happened.version > since)
        {
            watch.tell(happened, Order::AsTheyCome);
        }
        self.watches.push(watch);
        receiver
    }

    /// Tells the watches what has happened last.
    fn tell(&mut self) {
        for happened in &self.store.history[self.told..] {
            for watch in &mut self.watches {
                watch.tell(happened, self.order);
            }
        }
        self.told = self.store.history.len();
        self.watches.retain(|watch| !watch.events.is_closed());
    }
}

impl Service<Request<Body>> for ApiServer {
    type Response = Response<Answer>;
    type Error = io::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.clone().answer(request))
    }
}
