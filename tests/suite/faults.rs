//! The operator killed after every one of its writes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use http::{Method, Request, Response};
use kube::api::DeleteParams;
use kube::client::{Body, ClientBuilder};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use operator::cli::ClusterArgs;
use operator::dns::Setup;
use operator::dns::corefile::Templates;
use operator::images::Images;
use operator::run::operate;
use operator::vitals::Vitals;
use serde_json::{Value, json};
use tower::{Layer, Service};

use crate::control_plane::{Plane, eventually, kept_keys};
use operator::resources;

/// Lets a number of writes through and then no request at all, as a kill does.
#[derive(Clone)]
struct KillAfter {
    writes: usize,
    seen: Arc<AtomicUsize>,
}

#[derive(Clone)]
struct Killing<S> {
    inner: S,
    layer: KillAfter,
}

impl<S> Layer<S> for KillAfter {
    type Service = Killing<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Killing {
            inner,
            layer: self.clone(),
        }
    }
}

impl<S, B> Service<Request<Body>> for Killing<S>
where
    B: 'static,
    S: Service<Request<Body>, Response = Response<B>> + Send,
    S::Future: Send + 'static,
    S::Response: Send,
    S::Error: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The Lease and Events are written beside the work.
        let beside = ["/leases", "/events"]
            .iter()
            .any(|part| request.uri().path().contains(part));
        let is_write = request.method() != Method::GET && !beside;
        if is_write {
            self.layer.seen.fetch_add(1, Ordering::SeqCst);
        }
        if self.layer.seen.load(Ordering::SeqCst) > self.layer.writes {
            return Box::pin(std::future::pending());
        }
        Box::pin(self.inner.call(request))
    }
}

async fn client(plane: &Plane, layer: KillAfter) -> Client {
    let kubeconfig = Kubeconfig::read_from(plane.cluster.kubeconfig()).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .unwrap();
    ClientBuilder::try_from(config)
        .unwrap()
        .with_layer(&layer)
        .build()
}

async fn run(client: Client) {
    let setup = Setup {
        images: Images {
            coredns: "coredns:1".into(),
            openshift_cli: "cli:1".into(),
            kube_rbac_proxy: "proxy:1".into(),
        },
        templates: Templates::new().unwrap(),
        cluster: ClusterArgs {
            cluster_ip: None,
            cluster_domain: "cluster.local".into(),
            release_version: "0.0.1".into(),
        },
        vitals: Vitals::default(),
        probe_upstreams: false,
    };
    operate(client, setup, "replica".into(), |_| {}, std::future::pending())
        .await
        .unwrap();
}

/// Everything the operator keeps, without what differs from run to run.
async fn state(plane: &Plane) -> BTreeMap<String, Value> {
    let mut state = BTreeMap::new();
    for key in kept_keys() {
        let mut object = plane.get(&key).await.unwrap_or_default();
        if let Some(fields) = object.as_object_mut() {
            fields.remove("status");
        }
        if let Some(metadata) = object["metadata"].as_object_mut() {
            metadata.retain(|field, _| ["labels", "name", "namespace"].contains(&field.as_str()));
        }
        state.insert(key.to_string(), object);
    }
    let dns = plane.get(&resources::default_dns_key()).await.unwrap_or_default();
    state.insert("finalizers".into(), dns["metadata"]["finalizers"].clone());
    state.insert(
        "observed".into(),
        json!(dns["status"]["observedGeneration"] == dns["metadata"]["generation"]),
    );
    state
}

async fn clear(plane: &Plane) {
    for key in kept_keys().iter().chain([&resources::default_dns_key()]) {
        if plane.get(key).await.is_some() {
            if key.kind == "DNS" {
                plane
                    .patch(key, json!({ "metadata": { "finalizers": null } }))
                    .await;
            }
            let _ = plane
                .api_of(key)
                .delete(&key.name, &DeleteParams::default())
                .await;
        }
    }
    let gone = async || {
        let mut left = plane.get(&resources::default_dns_key()).await.is_some();
        for key in kept_keys() {
            left |= plane.get(&key).await.is_some();
        }
        !left
    };
    eventually("everything is gone", gone).await;
}

#[tokio::test]
async fn killed_after_any_write_the_next_start_converges() {
    let plane = Plane::start().await;
    let unlimited = || KillAfter {
        writes: usize::MAX,
        seen: Arc::default(),
    };
    let first = tokio::spawn(run(client(&plane, unlimited()).await));
    for key in kept_keys() {
        eventually(&key.to_string(), async || plane.get(&key).await.is_some()).await;
    }
    eventually("the status", async || {
        state(&plane).await["observed"] == json!(true)
    })
    .await;
    first.abort();
    let wanted = state(&plane).await;
    // The DNS, its finalizer, what is kept, and the status.
    let writes = 2 + kept_keys().len() + 1;
    for kill_after in 0..=writes {
        clear(&plane).await;
        let layer = KillAfter {
            writes: kill_after,
            seen: Arc::default(),
        };
        let seen = Arc::clone(&layer.seen);
        let killed = tokio::spawn(run(client(&plane, layer).await));
        if kill_after < writes {
            eventually("the write after the last", async || {
                seen.load(Ordering::SeqCst) > kill_after
            })
            .await;
        } else {
            eventually("the last write", async || state(&plane).await == wanted).await;
        }
        killed.abort();
        let next = tokio::spawn(run(client(&plane, unlimited()).await));
        eventually(&format!("convergence after {kill_after} writes"), async || {
            state(&plane).await == wanted
        })
        .await;
        next.abort();
    }
}
