//! `dns-operator explain`: what becomes of a question, without asking it.

use std::fmt;
use std::io::Write;
use std::net::IpAddr;
use std::str::FromStr;

use clap::Args;
use hickory_proto::rr::RecordType;

use crate::candidate::{Candidate, CandidateError};
use crate::cli::{ClusterArgs, FileArgs};
use crate::dns::config::{Endpoint, Protocol};
use crate::dns::domain_name::DomainName;
use crate::dns::explanation::{AnsweredBy, Explanation, Limits, Question};
use crate::output::{Format, OutputError};

/// What to explain.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A fully qualified name in the notation of zone files: `\.` is a dot within a
    /// label, `\065` an octet by its number. An address stands for the name under
    /// which reverse lookups ask for it. Search paths are not applied.
    #[arg(value_parser = parse_name)]
    pub name: DomainName,
    /// The type of record, such as AAAA or TYPE65; when not given, A, or PTR for an
    /// address.
    #[arg(value_name = "TYPE", value_parser = parse_type)]
    pub record_type: Option<RecordType>,
    /// Where the DNS is.
    #[command(flatten)]
    pub files: FileArgs,
    /// How to print it.
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    pub output: Format,
    /// What is known of the cluster from outside.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

/// Why nothing was explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainFailure {
    /// There is no DNS to explain it by.
    #[error(transparent)]
    Candidate(#[from] CandidateError),
    /// It could not be printed.
    #[error(transparent)]
    Output(#[from] OutputError),
}

impl ExplainFailure {
    /// Whether the DNS would not be put into force.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Candidate(CandidateError::InvalidSpec(_)))
    }
}

/// Explains; what people should know of the DNS goes to `warnings`, a line each.
pub fn explain(
    args: &ExplainArgs,
    output: &mut dyn Write,
    warnings: &mut dyn Write,
) -> Result<(), ExplainFailure> {
    let candidate = Candidate::read(&args.files.files, &args.cluster)?;
    for warning in &candidate.warnings {
        writeln!(warnings, "warning: {}", warning.as_warning()).map_err(OutputError::from)?;
    }
    let is_reverse = args.name.as_str().ends_with(".arpa.");
    let question = Question {
        name: args.name.clone(),
        record_type: args.record_type.unwrap_or(if is_reverse {
            RecordType::PTR
        } else {
            RecordType::A
        }),
    };
    let explanation = Explanation::of(&candidate.config, &candidate.inputs, &question);
    Ok(args.output.print(&explanation, output)?)
}

/// A name, or the reverse name of an address.
fn parse_name(text: &str) -> Result<DomainName, String> {
    if let Ok(address) = IpAddr::from_str(text) {
        return Ok(DomainName::reverse(address));
    }
    if !text.is_ascii() {
        return Err("must be ASCII; an internationalised name is asked for by its labels 'xn--…'".into());
    }
    DomainName::parse(text)
}

/// A type by its mnemonic or its number (RFC 3597, section 5).
fn parse_type(text: &str) -> Result<RecordType, String> {
    let upper = text.to_ascii_uppercase();
    let number = upper.strip_prefix("TYPE").map(str::parse::<u16>);
    match number {
        Some(Ok(number)) => Ok(RecordType::from(number)),
        _ => RecordType::from_str(&upper).map_err(|_| {
            "must be a type of record such as A, AAAA, CNAME, MX, NS, PTR, SOA, SRV or TXT, or TYPE with a \
             number up to 65535"
                .into()
        }),
    }
}

/// How wide the first column is.
const WIDTH: usize = 15;

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |what: &str, text: &dyn fmt::Display| writeln!(f, "{what:WIDTH$}{text}");
        line("question", &self.question)?;
        let block = &self.server_block;
        let made_by = block.field.as_deref().unwrap_or("the operator's own");
        let name = if block.name.is_empty() {
            String::new()
        } else {
            format!(", named {:?}", block.name)
        };
        line("server block", &format!("{} ({made_by}{name})", block.zone))?;
        line("answered by", &told(self.answered_by))?;
        if let Some(forward) = &self.forward {
            line("policy", &forward.policy)?;
            for (number, upstream) in forward.upstreams.iter().enumerate() {
                let what = if number == 0 { "upstreams" } else { "" };
                line(what, &with_protocol(upstream))?;
            }
            if let Some(bundle) = &forward.ca_bundle {
                line("CA bundle", &format!("ConfigMap openshift-config/{bundle}"))?;
            }
        }
        if let Some(cache) = &self.cache {
            line("answers", &kept(cache.positive))?;
            line("denials", &kept(cache.negative))?;
            line("failures", &format!("kept for {} s", cache.failure))?;
        }
        for (number, reason) in self.reasons.iter().enumerate() {
            line(if number == 0 { "why" } else { "" }, reason)?;
        }
        Ok(())
    }
}

fn told(answered_by: AnsweredBy) -> &'static str {
    match answered_by {
        AnsweredBy::Upstreams => "one of the upstreams",
        AnsweredBy::Cluster => "the cluster's services and pods",
        AnsweredBy::ClusterThenUpstreams => "the cluster's services, or else one of the upstreams",
        AnsweredBy::Pod => "the DNS pod",
    }
}

fn with_protocol(upstream: &Endpoint) -> String {
    let over = match upstream.protocol {
        Protocol::AsClient => "UDP or TCP, as the client asks",
        Protocol::Tcp => "TCP",
        Protocol::Tls => "TLS",
        Protocol::Https => "HTTPS",
        Protocol::Quic => "QUIC",
    };
    match &upstream.server_name {
        Some(name) => format!("{} over {over}, as {name}", upstream.address),
        None => format!("{} over {over}", upstream.address),
    }
}

fn kept(limits: Limits) -> String {
    if limits.least == limits.most {
        format!("kept for {} s", limits.most)
    } else {
        format!(
            "kept for {} to {} s, as their TTL says",
            limits.least, limits.most
        )
    }
}
