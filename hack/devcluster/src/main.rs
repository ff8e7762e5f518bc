//! The local cluster's command line.

use anyhow::Result;
use devcluster::{Cluster, Image, Lifetime, Options, Progress, Zone};

#[tokio::main]
async fn main() -> Result<()> {
    let progress = Progress::shown();
    let node = std::env::args().any(|a| a == "--node");
    let images = if node {
        vec![Image::coredns(&progress)?]
    } else {
        Vec::new()
    };
    let cluster = Cluster::start(
        Options {
            node,
            images,
            zones: vec![Zone::example()],
            lifetime: Lifetime::Process,
            ..Options::default()
        },
        &progress,
    )
    .await?;
    eprintln!("export KUBECONFIG={}", cluster.kubeconfig().display());
    tokio::signal::ctrl_c().await?;
    cluster.stop()
}
