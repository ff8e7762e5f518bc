//! Whether the operator and CoreDNS are of one mind about a specification, and whether
//! every text of it stays in its place.
//!
//! What the operator accepts is rendered by it; CoreDNS must load it, and read in it
//! what was meant. What it refuses is put into a Corefile as OpenShift's operator would,
//! texts as they are; CoreDNS must refuse it too, or one of the rules of [`stricter`]
//! must say why not, or a text must have left its place.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use anyhow::{Context as _, Result};
use operator::dns::ca_bundle::{BUNDLES_FOLDER, CA_BUNDLE_KEY, CaBundle};
use operator::dns::config::{CaBundleName, Config, Forward, InvalidSpec};
use operator::dns::corefile::Templates;
use operator::dns::inputs::{DEFAULT_CLUSTER_DOMAIN, Inputs};
use operator::dns::tls_profile::TlsProfile;
use operator::images::Images;
use serde_json::json;

use crate::coredns::{Outcome, Room};
use crate::corefile::{self, Intended};
use crate::specs::Case;
use crate::stricter;

/// What came of one specification.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// CoreDNS serves what the operator rendered.
    Accepted,
    /// Neither the operator nor CoreDNS takes it.
    Refused,
    /// CoreDNS would take it, and the rules of these names do not.
    Stricter(Vec<&'static str>),
    /// CoreDNS would take it, and read something else than was meant.
    Injection,
    /// They are of two minds, or a text has left its place.
    Disagreement(String),
}

/// The address of the DNS service that specifications are checked against.
pub const SERVICE_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(172, 30, 0, 10));

/// The cluster's facts, with what CoreDNS can load of these bundles.
#[must_use]
pub fn inputs(bundles: &BTreeMap<String, String>) -> Inputs {
    let usable = bundles.iter().filter_map(|(name, content)| {
        let name = CaBundleName(name.clone());
        let bundle = CaBundle::of(&name, &json!({ "data": { CA_BUNDLE_KEY: content } })).ok()?;
        Some((name, bundle))
    });
    Inputs {
        images: Images {
            coredns: "coredns".into(),
            openshift_cli: "cli".into(),
            kube_rbac_proxy: "proxy".into(),
        },
        service_address: Some(SERVICE_ADDRESS),
        cluster_domain: DEFAULT_CLUSTER_DOMAIN.into(),
        ca_bundles: usable.collect(),
        tls_profile: TlsProfile::default(),
        name_resolver_namespaces: Vec::new(),
        topology_hints: Some(false),
        owner_uid: "uid".into(),
        monitored: true,
        daemon_set_uid: Some("uid".into()),
    }
}

/// What the operator's Corefile of a specification must come to.
#[must_use]
pub fn intended(case: &Case, inputs: &Inputs) -> Intended {
    corefile::intended(&case.spec, DEFAULT_CLUSTER_DOMAIN, &|server_name, bundle| {
        let bundle = inputs.ca_bundles.get(&CaBundleName(bundle.to_owned()))?;
        Some(bundle.file(server_name))
    })
}

/// Compares the operator with CoreDNS.
pub struct Judge<'a> {
    templates: Templates,
    room: &'a Room,
}

impl<'a> Judge<'a> {
    /// A judge that tries Corefiles in a room.
    pub fn new(room: &'a Room) -> Result<Self> {
        let templates = Templates::new().context("failed to read the templates")?;
        Ok(Self { templates, room })
    }

    /// Judges one specification.
    pub fn judge(&self, case: &Case) -> Result<Verdict> {
        let inputs = inputs(&case.bundles);
        match Config::decode(&case.spec).and_then(|config| config.for_cluster(&inputs)) {
            Ok(config) => self.judge_accepted(case, &config, &inputs),
            Err(invalid) => self.judge_refused(case, &invalid),
        }
    }

    fn judge_accepted(&self, case: &Case, config: &Config, inputs: &Inputs) -> Result<Verdict> {
        let rendered = self
            .templates
            .render(config, inputs)
            .context("failed to render a Corefile")?;
        let intended = intended(case, inputs);
        if corefile::parse(&rendered).ok().as_ref() != Some(&intended.tree()) {
            return Ok(Verdict::Disagreement(format!(
                "a text has left its place:\n{rendered}"
            )));
        }
        let files = bundle_files(case, |server_name, name| {
            let bundle = inputs.ca_bundles.get(&CaBundleName(name.to_owned()))?;
            Some(bundle.file(server_name))
        });
        if let Outcome::Refuses(why) = self.room.start(&rendered, &files)? {
            return Ok(Verdict::Disagreement(format!(
                "accepted, and CoreDNS refuses it: {why}"
            )));
        }
        self.judge_bundles(case, config, inputs)
    }

    /// Bundles that are left out must be ones that CoreDNS does not load, where it has to.
    fn judge_bundles(&self, case: &Case, config: &Config, inputs: &Inputs) -> Result<Verdict> {
        let served = config.servers.iter().filter(|server| !server.zones.is_empty());
        let forwards = served.map(|server| &server.forward).chain([&config.upstreams]);
        let left_out = |name: &&CaBundleName| !inputs.ca_bundles.contains_key(*name);
        for name in forwards.filter_map(Forward::ca_bundle).filter(left_out) {
            let Some((name, content)) = case.bundles.get_key_value(&name.0) else {
                continue;
            };
            let only = Case {
                bundles: BTreeMap::from([(name.clone(), content.clone())]),
                ..case.clone()
            };
            if self.loads_as_it_is(&only)?.is_ok() {
                let why = format!("the CA bundle {name} is left out, and CoreDNS loads it");
                return Ok(Verdict::Disagreement(why));
            }
        }
        Ok(Verdict::Accepted)
    }

    fn judge_refused(&self, case: &Case, invalid: &InvalidSpec) -> Result<Verdict> {
        let meant = as_it_is(case);
        let read = corefile::parse(&meant.to_string());
        if self.loads_as_it_is(case)?.is_err() {
            return Ok(Verdict::Refused);
        }
        match read {
            Err(error) => {
                // Only what the operator never writes may be beyond the parser.
                let why = format!("{error:#}");
                Ok(if why.starts_with("an import") || why.starts_with("a snippet") {
                    Verdict::Injection
                } else {
                    Verdict::Disagreement(format!("CoreDNS reads what the parser here does not: {why}"))
                })
            }
            Ok(tree) if tree != meant.tree() => Ok(Verdict::Injection),
            Ok(_) => Ok(of_rules(case, invalid)),
        }
    }

    /// CoreDNS's verdict on the texts as they are; what it says, if it refuses them.
    fn loads_as_it_is(&self, case: &Case) -> Result<std::result::Result<(), String>> {
        let files = bundle_files(case, |server_name, name| Some(plain_file(server_name, name)));
        Ok(match self.room.start(&as_it_is(case).to_string(), &files)? {
            Outcome::Serves(_) => Ok(()),
            Outcome::Refuses(why) => Err(why),
        })
    }
}

/// The Corefile of a specification with nothing checked, CA bundles neither.
fn as_it_is(case: &Case) -> Intended {
    corefile::intended(&case.spec, DEFAULT_CLUSTER_DOMAIN, &|server_name, bundle| {
        case.bundles
            .contains_key(bundle)
            .then(|| plain_file(server_name, bundle))
    })
}

/// As OpenShift's operator calls it, for one version of the ConfigMap. A longer name is
/// none of a file.
fn plain_file(server_name: &str, bundle: &str) -> String {
    let server_name: String = server_name.chars().take(200).collect();
    format!("{BUNDLES_FOLDER}{server_name}-ca-{bundle}-1/{CA_BUNDLE_KEY}")
}

/// The bundles under every server name: their contents by their files.
fn bundle_files(case: &Case, file: impl Fn(&str, &str) -> Option<String>) -> BTreeMap<String, String> {
    let servers = case.spec["servers"].as_array().into_iter().flatten();
    let plugins = servers.map(|server| &server["forwardPlugin"]);
    let plugins = plugins.chain([&case.spec["upstreamResolvers"]]);
    let configs = plugins.map(|plugin| &plugin["transportConfig"]["tls"]);
    let used = configs.filter_map(|tls| {
        let (server_name, bundle) = (tls["serverName"].as_str()?, tls["caBundle"]["name"].as_str()?);
        Some((file(server_name, bundle)?, case.bundles.get(bundle)?.clone()))
    });
    used.collect()
}

/// CoreDNS takes it: every finding must be of a rule that says so.
fn of_rules(case: &Case, invalid: &InvalidSpec) -> Verdict {
    let mut names = Vec::new();
    for finding in &invalid.findings {
        match stricter::rule(finding, &case.spec) {
            Some(rule) if names.contains(&rule.name) => {}
            Some(rule) => names.push(rule.name),
            None => return Verdict::Disagreement(format!("refused, and CoreDNS loads it: {finding}")),
        }
    }
    names.sort_unstable();
    Verdict::Stricter(names)
}
