//! The Corefile: a checked [`Config`] and the cluster's facts, through the
//! templates in `templates/`.

use std::fmt::Write as _;
use std::io::{self, Write};

use api::LogLevel;
use serde::Serialize;
use tera::{Context, Kwargs, State, Tera, TeraResult, Value};

use crate::dns::config::{Config, Forward, Transport, Zone};
use crate::dns::inputs::Inputs;

/// The port every server block listens on: the pods need no privilege for it.
pub const PORT: u16 = 5353;
/// How long a stopping CoreDNS goes on answering while it reports not ready, in
/// seconds.
pub const LAMEDUCK_SECONDS: u32 = 20;

const TEMPLATES: [(&str, &str); 4] = [
    ("Corefile.tera", include_str!("../../../templates/Corefile.tera")),
    ("cache.tera", include_str!("../../../templates/cache.tera")),
    ("forward.tera", include_str!("../../../templates/forward.tera")),
    (
        "ocp_dnsnameresolver.tera",
        include_str!("../../../templates/ocp_dnsnameresolver.tera"),
    ),
];

/// A Corefile could not be rendered. The templates and the checked values do not
/// allow it, so this is a defect of the program.
#[derive(Debug, thiserror::Error)]
#[error("failed to render the Corefile: {}", chain(.0))]
pub struct RenderError(#[from] tera::Error);

/// The message that matters hides in the sources of a template error.
fn chain(error: &tera::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        // Writing to a string cannot fail.
        let _ = write!(text, ": {error}");
        source = error.source();
    }
    text
}

/// The compiled templates.
pub struct Templates(Tera);

impl Templates {
    /// Compiles the templates that the program was built with.
    pub fn new() -> Result<Self, RenderError> {
        Self::from_sources(TEMPLATES)
    }

    fn from_sources<const N: usize>(sources: [(&'static str, &'static str); N]) -> Result<Self, RenderError> {
        let mut tera = Tera::new();
        tera.autoescape_on([".tera"]);
        tera.set_escape_fn(one_word);
        tera.register_filter("comment", one_line);
        tera.add_raw_templates(sources)?;
        Ok(Self(tera))
    }

    /// The Corefile for a configuration.
    pub fn render(&self, config: &Config, inputs: &Inputs) -> Result<String, RenderError> {
        let context = Context::from_serialize(&View::new(config, inputs))?;
        Ok(self.0.render("Corefile.tera", &context)?)
    }
}

/// The second guard against injection, behind [`Config`]: every value that is
/// put into a template has to be one word to CoreDNS's lexer, must not open or close
/// a block, and must not refer to an environment variable.
fn one_word(text: &str, output: &mut dyn Write) -> io::Result<()> {
    let refused = |c: char| c.is_whitespace() || c.is_control() || c == '#';
    let variable = text.contains("{$") || text.contains("{%");
    if text.contains(refused) || text.starts_with('"') || matches!(text, "{" | "}") || variable {
        return Err(io::Error::other(format!(
            "{text:?} is not one word of a Corefile"
        )));
    }
    output.write_all(text.as_bytes())
}

/// The guard for a comment, which ends at the end of its line.
fn one_line(text: &str, _: Kwargs, _: &State<'_>) -> TeraResult<Value> {
    if text.contains('\n') {
        return Err(tera::Error::message(format!("{text:?} is more than a line")));
    }
    Ok(Value::safe_string(text))
}

/// What the templates see: text, numbers and lists; no maps, whose order is not
/// fixed, and nothing that may be missing, which would print as nothing.
#[derive(Serialize)]
struct View<'a> {
    port: u16,
    lameduck_seconds: u32,
    log_classes: &'static [&'static str],
    cluster_domain: &'a str,
    positive_ttl: u32,
    negative_ttl: u32,
    /// Empty leaves the plugin out.
    name_resolver_namespaces: &'a [String],
    servers: Vec<ServerView>,
    forward: ForwardView,
}

#[derive(Serialize)]
struct ServerView {
    name: String,
    zones: Vec<String>,
    forward: ForwardView,
}

#[derive(Serialize)]
struct ForwardView {
    scheme: &'static str,
    upstreams: Vec<String>,
    /// Empty without TLS.
    server_name: String,
    /// Empty for the image's own authorities.
    ca_file: String,
    policy: &'static str,
    force_tcp: bool,
}

impl<'a> View<'a> {
    fn new(config: &Config, inputs: &'a Inputs) -> Self {
        Self {
            port: PORT,
            lameduck_seconds: LAMEDUCK_SECONDS,
            log_classes: match config.log_level {
                LogLevel::Normal => &["error"],
                LogLevel::Debug => &["denial", "error"],
                LogLevel::Trace => &["all"],
            },
            cluster_domain: &inputs.cluster_domain,
            positive_ttl: config.cache.positive,
            negative_ttl: config.cache.negative,
            name_resolver_namespaces: &inputs.name_resolver_namespaces,
            servers: config
                .servers
                .iter()
                .map(|server| ServerView {
                    name: server.name.to_string(),
                    zones: server.zones.iter().map(Zone::with_port).collect(),
                    forward: ForwardView::new(&server.forward, inputs),
                })
                .collect(),
            forward: ForwardView::new(&config.upstreams, inputs),
        }
    }
}

impl ForwardView {
    fn new(forward: &Forward, inputs: &Inputs) -> Self {
        let (scheme, server_name, ca_file) = match &forward.transport {
            Transport::Cleartext => ("", String::new(), String::new()),
            Transport::Tls {
                server_name,
                ca_bundle,
            } => {
                let bundle = ca_bundle.as_ref().and_then(|name| inputs.ca_bundles.get(name));
                let file = bundle.map(|bundle| bundle.file(server_name)).unwrap_or_default();
                ("tls://", server_name.clone(), file)
            }
        };
        Self {
            scheme,
            upstreams: forward.upstreams.clone(),
            server_name,
            ca_file,
            policy: forward.policy.as_str(),
            force_tcp: forward.force_tcp,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(template: &'static str, value: &str) -> Result<String, RenderError> {
        let templates = Templates::from_sources([("Corefile.tera", template)])?;
        let mut context = Context::new();
        context.insert("value", value);
        Ok(templates.0.render("Corefile.tera", &context)?)
    }

    #[test]
    fn a_value_that_is_not_one_word_stops_the_rendering() {
        let spaces = [
            " ", "\n", "\t", "\r", "\u{b}", "\u{85}", "\u{a0}", "\u{2028}", "\u{3000}",
        ];
        let parted = spaces.map(|space| format!("a{space}b"));
        let others = ["a#b", "\"a", "\"", "{", "}", "a\0", "{$HOME}", "a{%HOME%}"].map(str::to_owned);
        for value in parted.iter().chain(&others) {
            let error = rendered("zone {{ value }}", value).unwrap_err().to_string();
            assert!(error.contains("not one word"), "{value:?}: {error}");
        }
        for word in ["10.0.0.0/8", "a\"b", "a{b}", "(a)", "a,", "é", "\\", "$a%"] {
            assert_eq!(
                rendered("zone {{ value }}", word).unwrap(),
                format!("zone {word}")
            );
        }
    }

    #[test]
    fn a_comment_may_hold_anything_but_a_line_break() {
        assert_eq!(
            rendered("# {{ value | comment }}", "a } # {{.}}").unwrap(),
            "# a } # {{.}}"
        );
        assert!(rendered("# {{ value | comment }}", "a\n.:53 {").is_err());
    }

    #[test]
    fn no_template_goes_round_the_guard() {
        for (name, source) in TEMPLATES {
            assert!(!source.contains("| safe") && !source.contains("|safe"), "{name}");
        }
    }
}
