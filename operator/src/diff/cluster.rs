//! A DNS beside a cluster, which is read once and not written to.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use kube::Client;
use serde_json::{Value, json};

use super::changes::Changes;
use super::{DiffFailure, defect};
use crate::cache::Cache;
use crate::cli::ClusterArgs;
use crate::dns::Setup;
use crate::dns::config::{Config, Finding, InvalidSpec};
use crate::dns::corefile::Templates;
use crate::dns::inputs::DEFAULT_CLUSTER_DOMAIN;
use crate::dns::names::{self, LEASE};
use crate::dns::objects::{self, Desired};
use crate::dns::observe::{self, StoredDns};
use crate::documents::Documents;
use crate::images::Images;
use crate::resources::{Scope, WATCHED, WATCHED_WHERE_DEFINED, default_dns_key};
use crate::run::client_config;
use crate::schema::DnsSchema;
use crate::served::{self, Served};
use crate::vitals::Vitals;
use crate::watch;

/// What was read of a cluster.
struct Cluster {
    cache: Cache,
    served: Served,
    setup: Setup,
}

/// What the DNS of files would change in a cluster.
pub(super) fn changes(
    documents: &Documents,
    kubeconfig: Option<&Path>,
    known: &ClusterArgs,
) -> Result<Changes, DiffFailure> {
    let admitted = DnsSchema::new()?.admit(documents.dns.clone())?;
    let spec = &admitted.dns["spec"];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(defect)?;
    let cluster = runtime
        .block_on(Cluster::read(kubeconfig, known))
        .map_err(DiffFailure::Cluster)?;
    if spec["managementState"] == "Unmanaged" {
        return Ok(Changes {
            notes: vec!["the DNS is Unmanaged: the operator changes nothing".into()],
            ..Changes::default()
        });
    }
    let unknown = admitted.unknown_fields.iter();
    let mut notes = unknown.map(Finding::as_warning).collect();
    let wanted = cluster.wanted(spec, documents, &mut notes)?;
    let wanted = wanted.map_err(DiffFailure::Refused)?;
    let present = cluster.present(documents)?;
    let gone = observe::ca_bundle_copies(&cluster.cache).into_iter();
    let gone = gone.filter(|key| !wanted.iter().any(|object| object.key == *key));
    let live = |key: &objects::ObjectKey| cluster.cache.get(key).map(|live| (*live).clone());
    let mut changes = Changes::of(&wanted, live, gone, &present);
    changes.notes = notes;
    Ok(changes)
}

impl Cluster {
    async fn read(kubeconfig: Option<&Path>, known: &ClusterArgs) -> anyhow::Result<Self> {
        let config = client_config(kubeconfig).await?;
        let client = Client::try_from(config).context("failed to set up the client")?;
        let cache = Cache::default();
        let served = served::list(&client).await?;
        let of_operand =
            |scope: &&Scope<'_>| ![Some(LEASE), Some(names::CLUSTER_OPERATOR)].contains(&scope.name);
        for scope in WATCHED.iter().filter(of_operand) {
            watch::list(&client, scope, &cache).await?;
        }
        let defined = |scope: &&Scope<'_>| served.serves(&scope.resource);
        for scope in WATCHED_WHERE_DEFINED.iter().filter(of_operand).filter(defined) {
            watch::list(&client, scope, &cache).await?;
        }
        watch::list_nodes(&client, &cache).await?;
        let setup = Setup {
            images: images(&cache),
            templates: Templates::new()?,
            cluster: domain_of(&cache, known),
            vitals: Vitals::default(),
            probe_upstreams: false,
        };
        Ok(Self { cache, served, setup })
    }

    /// The objects in the end for a specification, and what people should know on the
    /// way.
    fn wanted(
        &self,
        spec: &Value,
        documents: &Documents,
        notes: &mut Vec<String>,
    ) -> Result<Result<Vec<Desired>, InvalidSpec>, DiffFailure> {
        let dns = self.dns_with(spec);
        let (mut inputs, unknown) =
            observe::inputs(&self.cache, &self.setup, Some(&self.served), &StoredDns::of(dns));
        notes.extend(unknown);
        let checked = Config::decode(spec).and_then(|config| config.for_cluster(&inputs));
        let mut config = match checked {
            Ok(config) => config,
            Err(invalid) => return Ok(Err(invalid)),
        };
        notes.extend(config.warnings(&inputs).iter().map(Finding::as_warning));
        let bundles = observe::ca_bundles(&self.cache, &config);
        inputs.ca_bundles.clone_from(&bundles.usable);
        let own = documents.ca_bundles().clone().into_iter();
        inputs.ca_bundles.extend(own);
        if documents.ca_bundles().is_empty() {
            notes.extend(bundles.troubles());
        }
        self.place(&mut config, notes);
        let corefile = observe::corefile(&self.cache);
        let mounted = observe::mounted(&self.cache, corefile.as_deref(), true);
        mounted.adopt(&config, &mut inputs, |bundle| {
            observe::copy_version(&self.cache, bundle)
        });
        let publication = mounted.publication(&config, &inputs);
        let at_once = publication.inputs.as_ref() == Some(&inputs) && publication.kept.is_empty();
        if !at_once {
            notes.push(
                "CA bundles come in steps: pods get the new file first, then the Corefile names it, then the \
                 old one goes"
                    .into(),
            );
        }
        let corefile = self.setup.templates.render(&config, &inputs).map_err(defect)?;
        objects::desired(&config, Some(corefile), &inputs, &[])
            .map(Ok)
            .map_err(defect)
    }

    /// The objects that the DNS in force asks for; none when it is refused.
    fn present(&self, documents: &Documents) -> Result<Vec<Desired>, DiffFailure> {
        let Some(dns) = StoredDns::observe(&self.cache) else {
            return Ok(Vec::new());
        };
        let wanted = self.wanted(dns.spec(), documents, &mut Vec::new())?;
        Ok(wanted.unwrap_or_default())
    }

    /// Keeps the pods where they are when no node would take them elsewhere.
    fn place(&self, config: &mut Config, notes: &mut Vec<String>) {
        let Some(live) = observe::dns_rollout(&self.cache).filter(|live| live.current > 0) else {
            return;
        };
        if live.placement() != config.placement && !self.cache.nodes().admit(&config.placement) {
            config.placement = live.placement();
            notes.push(
                "spec.nodePlacement: no node takes a DNS pod there: the pods stay where they are".into(),
            );
        }
    }

    /// The DNS in force with another specification.
    fn dns_with(&self, spec: &Value) -> Arc<Value> {
        let live = self.cache.get(&default_dns_key());
        let mut dns = live.map_or_else(|| json!({}), |live| (*live).clone());
        dns["spec"] = spec.clone();
        Arc::new(dns)
    }
}

/// The images of the environment, or else those of the pods.
fn images(cache: &Cache) -> Images {
    let rollouts = [observe::dns_rollout(cache), observe::node_resolver_rollout(cache)];
    let image = |container: &str| {
        let rollouts = rollouts.iter().flatten();
        let mut images = rollouts.filter_map(|rollout| rollout.images.get(container));
        images.next().cloned()
    };
    Images::from_env_or(image("dns"), image("dns-node-resolver"), image("kube-rbac-proxy"))
}

/// The domain that the status of the DNS tells, unless another is given.
fn domain_of(cache: &Cache, known: &ClusterArgs) -> ClusterArgs {
    let mut known = known.clone();
    let told = StoredDns::observe(cache).map(|dns| dns.status().cluster_domain);
    if let Some(told) = told.filter(|told| !told.is_empty())
        && known.cluster_domain == DEFAULT_CLUSTER_DOMAIN
    {
        known.cluster_domain = told;
    }
    known
}
