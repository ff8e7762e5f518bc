//! The Corefile that a specification is meant to come to, straight from its JSON:
//! every text where it belongs, and nothing checked. It is what OpenShift's operator
//! renders, which puts texts in as they are.

use std::collections::BTreeMap;
use std::fmt;

use api::GoDuration;
use serde_json::Value;

use super::{Block, Directive};

/// What the texts of a specification are put into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intended {
    /// The blocks, each with the name above it, those without zones among them.
    pub blocks: Vec<(Option<String>, Block)>,
}

impl Intended {
    /// The blocks that have zones, as [`super::parse`] gives them: what is empty is no word.
    #[must_use]
    pub fn tree(&self) -> Vec<Block> {
        let blocks = self.blocks.iter().map(|(_, block)| block.clone());
        let mut blocks: Vec<Block> = blocks.filter(|block| !block.keys.is_empty()).collect();
        for directive in blocks.iter_mut().flat_map(|block| &mut block.directives) {
            directive.words.retain(|word| !word.is_empty());
        }
        blocks
    }
}

/// The Corefile, every text as it is, whatever CoreDNS will make of it.
impl fmt::Display for Intended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, block) in &self.blocks {
            if let Some(name) = name {
                writeln!(f, "# {name}")?;
            }
            block.fmt(f)?;
        }
        Ok(())
    }
}

/// Tells the file of a CA bundle for a server name; none leaves the image's authorities.
pub type BundleFile<'a> = &'a dyn Fn(&str, &str) -> Option<String>;

/// The Corefile of a specification as it is stored.
#[must_use]
pub fn intended(spec: &Value, cluster_domain: &str, bundle_file: BundleFile<'_>) -> Intended {
    let servers = spec["servers"].as_array().into_iter().flatten();
    let mut blocks: Vec<_> = servers
        .map(|server| {
            (
                Some(text(&server["name"])),
                server_block(spec, server, bundle_file),
            )
        })
        .collect();
    blocks.push((None, default_block(spec, cluster_domain, bundle_file)));
    let chaos = Block {
        keys: vec!["hostname.bind:5353".into()],
        directives: vec![Directive::new(["chaos"])],
    };
    blocks.push((None, chaos));
    Intended { blocks }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn server_block(spec: &Value, server: &Value, bundle_file: BundleFile<'_>) -> Block {
    let plugin = &server["forwardPlugin"];
    let upstreams = texts(&plugin["upstreams"]);
    let zones = texts(&server["zones"]);
    Block {
        keys: zones.iter().map(|zone| format!("{zone}:5353")).collect(),
        directives: vec![
            Directive::new(["prometheus", "127.0.0.1:9153"]),
            forward(plugin, &upstreams, "random", bundle_file),
            Directive::new(["errors"]),
            log(spec),
            Directive::new(["bufsize", "1232"]),
            cache(spec),
        ],
    }
}

fn default_block(spec: &Value, cluster_domain: &str, bundle_file: BundleFile<'_>) -> Block {
    let resolvers = &spec["upstreamResolvers"];
    Block {
        keys: vec![".:5353".into()],
        directives: vec![
            Directive::new(["bufsize", "1232"]),
            Directive::new(["errors"]),
            log(spec),
            Directive::new(["health"]).with(vec![Directive::new(["lameduck", "20s"])]),
            Directive::new(["ready"]),
            Directive::new(["kubernetes", cluster_domain, "in-addr.arpa", "ip6.arpa"]).with(vec![
                Directive::new(["pods", "insecure"]),
                Directive::new(["fallthrough", "in-addr.arpa", "ip6.arpa"]),
            ]),
            Directive::new(["prometheus", "127.0.0.1:9153"]),
            forward(resolvers, &resolver_words(resolvers), "sequential", bundle_file),
            cache(spec),
            Directive::new(["reload"]),
        ],
    }
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().map(text).collect()
}

fn forward(plugin: &Value, upstreams: &[String], policy: &str, bundle_file: BundleFile<'_>) -> Directive {
    let config = &plugin["transportConfig"];
    let is_tls = config["transport"] == "TLS";
    let scheme = if is_tls { "tls://" } else { "" };
    let mut words = vec!["forward".to_owned(), ".".to_owned()];
    words.extend(upstreams.iter().map(|upstream| format!("{scheme}{upstream}")));
    let mut lines = Vec::new();
    let name = text(&config["tls"]["serverName"]);
    if is_tls && !name.is_empty() {
        lines.push(Directive::new(["tls_servername", &name]));
        let bundle = text(&config["tls"]["caBundle"]["name"]);
        let file = bundle_file(&name, &bundle);
        lines.push(Directive::new(std::iter::once("tls".to_owned()).chain(file)));
    }
    let policy = match plugin["policy"].as_str() {
        Some("Random") => "random",
        Some("RoundRobin") => "round_robin",
        Some("Sequential") => "sequential",
        _ => policy,
    };
    lines.push(Directive::new(["policy", policy]));
    if plugin["protocolStrategy"] == "TCP" {
        lines.push(Directive::new(["force_tcp"]));
    }
    Directive::new(words).with(lines)
}

/// The upstreams of `upstreamResolvers`, each once.
fn resolver_words(resolvers: &Value) -> Vec<String> {
    // The word by what makes two the same.
    let mut words: BTreeMap<(bool, String, i64), String> = BTreeMap::new();
    let mut order = Vec::new();
    for upstream in resolvers["upstreams"].as_array().into_iter().flatten() {
        let is_network = upstream["type"] == "Network";
        let address = text(&upstream["address"]).to_uppercase();
        let port = upstream["port"].as_i64().unwrap_or_default();
        let word = match (is_network, port) {
            (false, _) => "/etc/resolv.conf".to_owned(),
            (true, ..=0) => address.clone(),
            (true, port) if address.contains(':') => format!("[{address}]:{port}"),
            (true, port) => format!("{address}:{port}"),
        };
        let key = (is_network, address, if port == 0 { 53 } else { port });
        if words.insert(key, word.clone()).is_none() {
            order.push(word);
        }
    }
    if order.is_empty() {
        order.push("/etc/resolv.conf".to_owned());
    }
    order
}

fn log(spec: &Value) -> Directive {
    let classes: &[&str] = match spec["logLevel"].as_str() {
        Some("Debug") => &["denial", "error"],
        Some("Trace") => &["all"],
        _ => &["error"],
    };
    let line = Directive::new(std::iter::once("class").chain(classes.iter().copied()));
    Directive::new(["log", "."]).with(vec![line])
}

fn cache(spec: &Value) -> Directive {
    let ttl = |field: &str, default: u32| {
        let typed = GoDuration(text(&spec["cache"][field]));
        match typed.round_to_seconds() {
            Ok(0) | Err(_) => default,
            Ok(seconds) => u32::try_from(seconds).unwrap_or(u32::MAX),
        }
    };
    let denial = Directive::new([
        "denial".to_owned(),
        "9984".to_owned(),
        ttl("negativeTTL", 30).to_string(),
    ]);
    Directive::new(["cache".to_owned(), ttl("positiveTTL", 900).to_string()]).with(vec![denial])
}
