//! `hack/bench cache`: what CoreDNS asks upstream with short and long TTLs.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use devcluster::children::{Launcher, Process};
use devcluster::control_plane::free_port;
use devcluster::programs::COREDNS_SERVER;
use devcluster::state::State;
use devcluster::{Knot, Lifetime, Progress, Query, debian};
use futures::future::try_join_all;
use hickory_proto::op::ResponseCode;
use serde::Serialize;
use serde_json::{Value, json};

use crate::cli::{CacheArgs, OutputFormat};
use crate::load::{Answers, Client};
use crate::subject::Subject;
use crate::table::aligned;
use crate::{corefile, zones};

/// One Corefile to try.
#[derive(Clone, Copy, Debug)]
struct Setting {
    field: &'static str,
    value: Option<&'static str>,
    /// The zone that is asked for.
    zone: &'static str,
    /// What the answers are.
    code: ResponseCode,
}

const fn positive(value: Option<&'static str>, zone: &'static str) -> Setting {
    Setting {
        field: "positiveTTL",
        value,
        zone,
        code: ResponseCode::NoError,
    }
}

const fn negative(value: Option<&'static str>, zone: &'static str) -> Setting {
    Setting {
        field: "negativeTTL",
        value,
        zone,
        code: ResponseCode::NXDomain,
    }
}

const SETTINGS: [Setting; 6] = [
    positive(Some("5s"), "positive-short.test"),
    positive(None, "positive-unset.test"),
    positive(Some("1h"), "positive-long.test"),
    negative(Some("5s"), "negative-short.test"),
    negative(None, "negative-unset.test"),
    negative(Some("1h"), "negative-long.test"),
];

/// What came of a setting.
#[derive(Debug, Serialize)]
struct Outcome {
    field: &'static str,
    value: Option<&'static str>,
    /// Queries of the clients.
    queries: u32,
    /// Those that were not answered as they should be.
    failed: u32,
    /// Queries that reached the upstream resolver.
    upstream: u32,
}

/// Runs every setting at once and prints what came of them.
pub async fn run(args: &CacheArgs) -> Result<()> {
    let progress = Progress::shown();
    let operator = Subject::operator(args.program.as_deref())?;
    debian::provide(&debian::KNOT, &progress)?;
    let coredns = COREDNS_SERVER.path(&progress)?;
    let state = State::fresh()?;
    let launcher = Launcher::new(state.path(), Lifetime::Process)?;
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
    let every_zone: Vec<_> = SETTINGS.iter().map(|setting| setting.zone(args)).collect();
    let every_zone = every_zone.into_iter().collect::<Result<Vec<_>>>()?;
    let knot = Knot::start_with(&launcher, listen, &every_zone).await?;
    let mut servers = Vec::new();
    for setting in SETTINGS {
        servers.push(Server::start(
            setting,
            &launcher,
            &coredns,
            &operator.program,
            listen,
        )?);
    }
    let questions = zones::questions(args)?;
    progress.say(format!(
        "asking {} CoreDNS servers {} queries each, {} a second: {} s",
        servers.len(),
        args.queries,
        args.rate,
        args.queries.div_ceil(args.rate)
    ));
    let asked = servers.iter_mut().map(|server| server.ask(&questions, args.rate));
    let answers = try_join_all(asked).await?;
    let seen = knot.settled_queries().await?;
    let outcomes: Vec<Outcome> = SETTINGS
        .iter()
        .zip(answers)
        .map(|(setting, answers)| setting.outcome(answers, &seen))
        .collect();
    drop(servers);
    drop(knot);
    state.remove()?;
    print(args, &outcomes, &questions)
}

impl Setting {
    fn zone(&self, args: &CacheArgs) -> Result<devcluster::Zone> {
        if self.code == ResponseCode::NoError {
            zones::with_names(self.zone, args)
        } else {
            Ok(zones::without_names(self.zone))
        }
    }

    /// The part of spec.cache.
    fn cache(&self) -> Value {
        self.value.map_or(json!({}), |value| json!({ self.field: value }))
    }

    fn outcome(&self, answers: Answers, seen: &[Query]) -> Outcome {
        let below = format!(".{}.", self.zone);
        let upstream = seen
            .iter()
            .filter(|query| query.name.ends_with(&below) && !query.name.starts_with(READY));
        Outcome {
            field: self.field,
            value: self.value,
            queries: answers.expected + answers.failed,
            failed: answers.failed,
            upstream: u32::try_from(upstream.count()).unwrap_or(u32::MAX),
        }
    }
}

/// The first label of the name that is asked for to see whether a server is up.
const READY: &str = "is-it-up";

/// A running CoreDNS.
struct Server {
    setting: Setting,
    listen: SocketAddr,
    process: Process,
}

impl Server {
    fn start(
        setting: Setting,
        launcher: &Launcher,
        coredns: &Path,
        operator: &Path,
        upstream: SocketAddr,
    ) -> Result<Self> {
        let folder = launcher.state().join(setting.zone);
        let rendered = corefile::render(operator, &folder, &setting.cache(), upstream)?;
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let path = folder.join("Corefile");
        fs::write(&path, corefile::localize(&rendered, listen)?)
            .with_context(|| format!("failed to write {}", path.display()))?;
        let mut command = Command::new(coredns);
        command.arg("-conf").arg(&path);
        let process = launcher.start(&format!("coredns-{}", setting.zone), &command)?;
        Ok(Self {
            setting,
            listen,
            process,
        })
    }

    async fn ask(&mut self, questions: &[u32], rate: u32) -> Result<Answers> {
        let Setting { zone, code, .. } = self.setting;
        let mut client = Client::connect(self.listen).await?;
        if let Err(error) = client.wait(&format!("{READY}.{zone}.")).await {
            self.process.check()?;
            return Err(error.context(format!("CoreDNS for {zone}:\n{}", self.process.log_tail())));
        }
        let names = questions
            .iter()
            .map(|number| format!("{}.{zone}.", zones::label(*number)));
        let answers = client.ask_all(names, rate, code).await?;
        self.process.check()?;
        Ok(answers)
    }
}

fn print(args: &CacheArgs, outcomes: &[Outcome], questions: &[u32]) -> Result<()> {
    let text = match args.output {
        OutputFormat::Json => {
            let json = serde_json::to_string_pretty(outcomes).context("failed to encode the figures")?;
            format!("{json}\n")
        }
        OutputFormat::Table => table(args, outcomes, questions),
    };
    io::stdout()
        .write_all(text.as_bytes())
        .context("failed to write to standard output")
}

fn table(args: &CacheArgs, outcomes: &[Outcome], questions: &[u32]) -> String {
    let header = ["", "queries", "failed", "upstream", "of 1,000", "from cache"];
    let mut rows = vec![header.map(String::from).to_vec()];
    for outcome in outcomes {
        let share = f64::from(outcome.upstream) / f64::from(outcome.queries.max(1));
        rows.push(vec![
            format!("{} {}", outcome.field, outcome.value.unwrap_or("unset")),
            outcome.queries.to_string(),
            outcome.failed.to_string(),
            outcome.upstream.to_string(),
            format!("{:.1}", share * 1e3),
            format!("{:.1} %", (1.0 - share) * 1e2),
        ]);
    }
    let distinct: BTreeSet<&u32> = questions.iter().collect();
    format!(
        "\nQueries that CoreDNS passes on, in {} s\n\n{}\n\
         {} names by a Zipf law (exponent {}), {} of them asked for: no cache passes on fewer\n\
         queries. Record TTLs 30 s to 1 h; 1 h for names that do not exist. Unset is 900 s for\n\
         positiveTTL, 30 s for negativeTTL: a run of less than 900 s shows no difference\n\
         between positiveTTL unset and 1h.\n",
        args.queries.div_ceil(args.rate),
        aligned(&rows),
        args.names,
        args.exponent,
        distinct.len()
    )
}
