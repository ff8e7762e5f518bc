//! The files that the commands read: a DNS and what else of the cluster is known.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize as _;
use serde_json::Value;

use crate::cli::ClusterArgs;
use crate::dns::ca_bundle::CaBundle;
use crate::dns::cluster;
use crate::dns::config::{CaBundleName, Config, Finding};
use crate::dns::inputs::Inputs;
use crate::dns::names::{CONFIG_NAMESPACE, DNS};
use crate::dns::node::Node;
use crate::dns::tls_profile::TlsProfile;
use crate::images::Images;

/// What was read, sorted by kind.
#[derive(Default)]
pub struct Documents {
    /// The DNS, as it was written.
    pub dns: Value,
    /// What people should know but need not stop for. The field of such a finding is
    /// the object that it is about.
    pub warnings: Vec<Finding>,
    networks: Vec<Value>,
    api_servers: Vec<Value>,
    feature_gates: Vec<Value>,
    nodes: Vec<Node>,
    ca_bundles: BTreeMap<CaBundleName, CaBundle>,
    /// The ConfigMaps that were looked at for a CA bundle.
    bundles_seen: Vec<CaBundleName>,
}

/// A file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// It could not be read.
    #[error("failed to read {file}: {source}")]
    Read {
        /// Its name.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// It is neither YAML nor JSON.
    #[error("failed to parse {file}: {message}")]
    Parse {
        /// Its name.
        file: String,
        /// Where and why.
        message: String,
    },
    /// A document is no Kubernetes object.
    #[error("{file}: document {document} has no apiVersion, kind and metadata.name")]
    NotAnObject {
        /// The file's name.
        file: String,
        /// Which of its documents, counted from 1.
        document: usize,
    },
    /// There is nothing to look at.
    #[error("the files hold no DNS (apiVersion operator.openshift.io/v1, kind DNS)")]
    NoDns,
    /// There is more than one to choose from.
    #[error("the files hold several DNSes ({0}) and none named {DNS:?}, which is the one in force")]
    NoDefaultDns(String),
    /// The same object twice.
    #[error("the files hold the DNS {0:?} more than once")]
    RepeatedDns(String),
}

impl Documents {
    /// Reads files; `-` is standard input.
    pub fn read(files: &[PathBuf]) -> Result<Self, DocumentError> {
        let mut documents = Self::default();
        let mut dnses = Vec::new();
        for file in files {
            let name = if is_stdin(file) {
                "standard input".into()
            } else {
                file.display().to_string()
            };
            let text = read(file).map_err(|source| DocumentError::Read {
                file: name.clone(),
                source,
            })?;
            for (index, document) in parse(&name, &text)?.into_iter().enumerate() {
                documents.sort_in(&name, index + 1, document, &mut dnses)?;
            }
        }
        documents.dns = documents.choose(dnses)?;
        Ok(documents)
    }

    fn sort_in(
        &mut self,
        file: &str,
        number: usize,
        document: Value,
        dnses: &mut Vec<Value>,
    ) -> Result<(), DocumentError> {
        let text = |pointer| document.pointer(pointer).and_then(Value::as_str);
        let (Some(api_version), Some(kind)) = (text("/apiVersion"), text("/kind")) else {
            return Err(DocumentError::NotAnObject {
                file: file.into(),
                document: number,
            });
        };
        if kind == "List" || kind.ends_with("List") && document["items"].is_array() {
            for item in document["items"].as_array().into_iter().flatten() {
                self.sort_in(file, number, item.clone(), dnses)?;
            }
            return Ok(());
        }
        let Some(name) = text("/metadata/name") else {
            return Err(DocumentError::NotAnObject {
                file: file.into(),
                document: number,
            });
        };
        let group = api_version.rsplit_once('/').map_or("", |(group, _)| group);
        match (group, kind) {
            ("operator.openshift.io", "DNS") => dnses.push(document),
            ("config.openshift.io", "Network") if name == cluster::SINGLETON => {
                if let Err(error) = cluster::dns_address(&document) {
                    self.warn(
                        format!("Network {name}"),
                        format!("tells no address for the DNS service: {error}"),
                    );
                }
                self.networks.push(document);
            }
            ("config.openshift.io", "APIServer") if name == cluster::SINGLETON => {
                self.api_servers.push(document);
            }
            ("config.openshift.io", "FeatureGate") if name == cluster::SINGLETON => {
                self.feature_gates.push(document);
            }
            ("", "Node") => match Node::deserialize(&document) {
                Ok(node) => self.nodes.push(node),
                Err(error) => self.warn(format!("Node {name}"), format!("ignored: {error}")),
            },
            ("", "ConfigMap") if text("/metadata/namespace") == Some(CONFIG_NAMESPACE) => {
                self.take_bundle(CaBundleName(name.into()), &document);
            }
            _ => self.warn(
                format!("{kind} {name}"),
                "ignored: it is not an input of the operator",
            ),
        }
        Ok(())
    }

    /// Takes a CA bundle even when its certificates cannot be read: files often
    /// hold stand-ins for them.
    fn take_bundle(&mut self, name: CaBundleName, config_map: &Value) {
        let bundle = CaBundle::unchecked(&name, config_map);
        let warning = match &bundle {
            Ok(bundle) => bundle.check().err(),
            Err(why) => Some(why.clone()),
        };
        if let Some(why) = warning {
            self.warn(
                format!("ConfigMap {CONFIG_NAMESPACE}/{name}"),
                format!("cannot be used: {why}"),
            );
        }
        self.bundles_seen.push(name.clone());
        self.ca_bundles.extend(bundle.ok().map(|bundle| (name, bundle)));
    }

    /// Whether there is a ConfigMap that may hold a CA bundle.
    #[must_use]
    pub fn tells_of_bundles(&self) -> bool {
        !self.bundles_seen.is_empty()
    }

    /// The CA bundles that a configuration asks for and that are not there.
    #[must_use]
    pub fn missing_bundles(&self, config: &Config) -> Vec<Finding> {
        let missing = config
            .ca_bundles()
            .filter(|name| !self.bundles_seen.contains(name));
        missing
            .map(|name| Finding {
                field: format!("ConfigMap {CONFIG_NAMESPACE}/{name}"),
                value: None,
                message: "does not exist: the servers are checked against the authorities of the image"
                    .into(),
            })
            .collect()
    }

    /// The CA bundles.
    #[must_use]
    pub fn ca_bundles(&self) -> &BTreeMap<CaBundleName, CaBundle> {
        &self.ca_bundles
    }

    /// Takes the cluster's facts from others where there are none here.
    pub fn complete_from(&mut self, others: &Self) {
        let take = |own: &mut Vec<Value>, others: &[Value]| {
            if own.is_empty() {
                own.extend_from_slice(others);
            }
        };
        take(&mut self.networks, &others.networks);
        take(&mut self.api_servers, &others.api_servers);
        take(&mut self.feature_gates, &others.feature_gates);
        if self.nodes.is_empty() {
            self.nodes.clone_from(&others.nodes);
        }
        for (name, bundle) in &others.ca_bundles {
            if !self.bundles_seen.contains(name) {
                self.ca_bundles.insert(name.clone(), bundle.clone());
                self.bundles_seen.push(name.clone());
            }
        }
    }

    /// The nodes.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    fn warn(&mut self, about: String, message: impl Into<String>) {
        self.warnings.push(Finding {
            field: about,
            value: None,
            message: message.into(),
        });
    }

    /// The DNS in force. A single one by another name is looked at too: people
    /// try things under other names.
    fn choose(&mut self, dnses: Vec<Value>) -> Result<Value, DocumentError> {
        let name_of = |dns: &Value| dns["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let names: Vec<String> = dnses.iter().map(name_of).collect();
        if let Some(repeated) = names
            .iter()
            .enumerate()
            .find(|(at, name)| names[..*at].contains(name))
        {
            return Err(DocumentError::RepeatedDns(repeated.1.clone()));
        }
        let others: Vec<&String> = names.iter().filter(|name| *name != DNS).collect();
        for name in &others {
            self.warn(
                format!("DNS {name:?}"),
                format!("ignored: the operator acts on the DNS {DNS:?} alone"),
            );
        }
        let single = dnses.len() == 1;
        match dnses.into_iter().find(|dns| single || name_of(dns) == DNS) {
            Some(dns) => Ok(dns),
            None if names.is_empty() => Err(DocumentError::NoDns),
            None => Err(DocumentError::NoDefaultDns(names.join(", "))),
        }
    }

    /// The cluster's facts, from the documents and, where they say nothing, from
    /// the command line.
    #[must_use]
    pub fn inputs(&self, args: &ClusterArgs, images: Images) -> Inputs {
        let network_address = self
            .networks
            .first()
            .and_then(|network| cluster::dns_address(network).ok());
        let gates = self.feature_gates.first();
        let workers: Vec<_> = self.nodes.iter().filter_map(Node::worker).collect();
        Inputs {
            images,
            service_address: Some(
                args.cluster_ip
                    .or(network_address)
                    .unwrap_or(EXAMPLE_SERVICE_ADDRESS),
            ),
            cluster_domain: args.cluster_domain.clone(),
            ca_bundles: self.ca_bundles.clone(),
            tls_profile: self
                .api_servers
                .first()
                .map(|server| TlsProfile::from_api_server_spec(&server["spec"]))
                .unwrap_or_default(),
            name_resolver_namespaces: cluster::name_resolver_namespaces(gates, &args.release_version),
            topology_hints: Some(cluster::topology_hints(workers.iter())),
            owner_uid: self.dns["metadata"]["uid"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            monitored: true,
            // It has one only in a cluster.
            daemon_set_uid: Some(String::new()),
        }
    }
}

/// The address of OpenShift's default service network, for output without a
/// Network and without `--cluster-ip`.
const EXAMPLE_SERVICE_ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(172, 30, 0, 10));

fn is_stdin(file: &Path) -> bool {
    file.as_os_str() == "-"
}

fn read(file: &Path) -> io::Result<String> {
    if is_stdin(file) {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    fs::read_to_string(file)
}

/// The documents of a file, without the empty ones. What is JSON is read as
/// such: JSON documents one after the other are no YAML.
pub(crate) fn parse(file: &str, text: &str) -> Result<Vec<Value>, DocumentError> {
    let json: Result<Vec<Value>, _> = serde_json::Deserializer::from_str(text).into_iter().collect();
    let documents = match json {
        Ok(documents) => documents,
        Err(_) => serde_saphyr::from_multiple(text).map_err(|error| DocumentError::Parse {
            file: file.into(),
            message: error.to_string(),
        })?,
    };
    Ok(documents
        .into_iter()
        .filter(|document: &Value| !document.is_null())
        .collect())
}
