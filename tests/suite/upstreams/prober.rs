//! The task that probes: whom it asks, and what it counts.

use std::sync::Arc;

use operator::metrics::Metrics;
use operator::upstreams::report::Report;
use operator::upstreams::target::{Endpoint, Question, Target, Transport};
use operator::upstreams::{Upstreams, channel};
use tokio::sync::watch;
use tokio::task::JoinSet;

use hickory_proto::rr::{Name, RecordType};

use crate::control_plane::{eventually, quiet};
use crate::dns_server::DnsServer;

fn target(server: &DnsServer) -> Target {
    Target {
        endpoint: Endpoint {
            address: server.address,
            transport: Transport::Udp,
        },
        questions: vec![Question {
            name: Name::root(),
            record_type: RecordType::NS,
        }],
        fields: vec!["spec.upstreamResolvers.upstreams".into()],
    }
}

struct Running {
    upstreams: Upstreams,
    metrics: Arc<Metrics>,
    lead: watch::Sender<bool>,
    _task: JoinSet<()>,
}

fn run() -> Running {
    let metrics = Arc::new(Metrics::default());
    let (upstreams, prober) = channel(Arc::clone(&metrics));
    let (lead, leads) = watch::channel(false);
    let mut task = JoinSet::new();
    task.spawn(prober.run(leads));
    Running {
        upstreams,
        metrics,
        lead,
        _task: task,
    }
}

#[tokio::test]
async fn who_does_not_lead_asks_nobody() {
    let server = DnsServer::start("127.0.0.1:0".parse().unwrap()).await;
    let running = run();
    running.upstreams.follow(vec![target(&server)]);
    quiet().await;
    quiet().await;
    assert_eq!(server.queries(), []);
    running.lead.send_replace(true);
    eventually("the leader asks", async || !server.queries().is_empty()).await;
    assert_eq!(server.queries()[0], (".".to_owned(), RecordType::NS));
    eventually("it is healthy", async || {
        running.upstreams.report("") == Report::Healthy
    })
    .await;
    running.lead.send_replace(false);
    eventually("it knows nothing any more", async || {
        running.upstreams.report("") == Report::Pending
    })
    .await;
    assert!(
        !running
            .metrics
            .text()
            .unwrap()
            .contains("dns_operator_upstream_healthy{")
    );
    running.lead.send_replace(true);
    eventually("it asks anew", async || {
        running.upstreams.report("") == Report::Healthy
    })
    .await;
}

#[tokio::test]
async fn series_are_those_of_the_upstreams_in_force() {
    let server = DnsServer::start("127.0.0.1:0".parse().unwrap()).await;
    let gone = DnsServer::start("127.0.0.1:0".parse().unwrap()).await;
    let (well, ill) = (target(&server), target(&gone));
    drop(gone);
    let running = run();
    running.lead.send_replace(true);
    running.upstreams.follow(vec![well.clone(), ill.clone()]);
    let series = |target: &Target, value: u8| {
        let address = target.endpoint.address;
        format!("dns_operator_upstream_healthy{{upstream=\"{address}\",transport=\"udp\"}} {value}\n")
    };
    eventually("both are judged", async || {
        let text = running.metrics.text().unwrap();
        text.contains(&series(&well, 1)) && text.contains(&series(&ill, 0))
    })
    .await;
    let text = running.metrics.text().unwrap();
    let probes = |result: &str| {
        let line = format!("dns_operator_upstream_probes_total{{result=\"{result}\"}} ");
        let line = text.lines().find_map(|other| other.strip_prefix(&line));
        line.unwrap().parse::<u32>().unwrap()
    };
    assert!(probes("answered") >= 1);
    assert!(probes("connection_refused") >= 3);
    assert_eq!(probes("timeout"), 0);
    running.upstreams.follow(vec![well.clone()]);
    eventually("the other is gone", async || {
        let text = running.metrics.text().unwrap();
        text.contains(&series(&well, 1)) && !text.contains(&ill.endpoint.address.to_string())
    })
    .await;
}
