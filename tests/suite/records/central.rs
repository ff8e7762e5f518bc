//! The guide `docs/external-records/many-clusters.md`, followed to the letter: three clusters' control
//! planes, a server that alone talks to a real Knot, and the Deployments of `manifests/records` as
//! processes with the rights that they have there.

use std::env;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use devcluster::control_plane::free_port;
use devcluster::primary::{Make, Primary, SECRET};
use devcluster::{Progress, programs};
use kube::config::{Kubeconfig, NamedAuthInfo, NamedCluster, NamedContext};
use serde_json::Value;
use tempfile::TempDir;
use tests::program;

use super::daemon::Daemon;
use super::pod::Pod;
use crate::control_plane::{Plane, eventually};

const CLUSTERS: [&str; 3] = ["central", "west", "east"];

/// A place where the guide is followed.
struct Reader {
    folder: TempDir,
    planes: Vec<Plane>,
    primary: Primary,
    /// Where the server listens.
    server: SocketAddr,
    blocks: Vec<String>,
}

impl Reader {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let planes = Plane::start_several(CLUSTERS.len()).await;
        let [server, listen] =
            [(); 2].map(|()| SocketAddr::from((Ipv4Addr::LOCALHOST, free_port().unwrap())));
        let state = folder.path().join("primary");
        fs::create_dir_all(&state).unwrap();
        let zones = [("example.com", String::new())];
        let primary = Primary::start(Make::Knot, &state, listen, &zones, None)
            .await
            .unwrap();
        let reader = Self {
            blocks: blocks(server, listen),
            folder,
            planes,
            primary,
            server,
        };
        reader.write_kubeconfig();
        let manifests = program::workspace().join("manifests");
        let copied = std::process::Command::new("cp")
            .arg("--recursive")
            .args([manifests.as_path(), reader.folder.path()])
            .status();
        assert!(copied.unwrap().success());
        reader
    }

    /// One file with a context for each cluster.
    fn write_kubeconfig(&self) {
        let mut all = Kubeconfig::default();
        for (name, plane) in CLUSTERS.iter().zip(&self.planes) {
            let one = Kubeconfig::read_from(plane.cluster.kubeconfig()).unwrap();
            let context = one.contexts[0].context.clone().map(|mut context| {
                (*name).clone_into(&mut context.cluster);
                context.user = Some((*name).to_owned());
                context
            });
            all.clusters.push(NamedCluster {
                name: (*name).to_owned(),
                ..one.clusters[0].clone()
            });
            all.auth_infos.push(NamedAuthInfo {
                name: (*name).to_owned(),
                ..one.auth_infos[0].clone()
            });
            all.contexts.push(NamedContext {
                name: (*name).to_owned(),
                context,
                ..one.contexts[0].clone()
            });
        }
        let all = serde_json::to_value(&all).unwrap();
        fs::write(self.kubeconfig(), operator::output::to_yaml(&all).unwrap()).unwrap();
    }

    fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// Gives the commands of one of the guide's blocks; what they print.
    async fn follow(&self, block: usize) -> String {
        let kubectl = programs::KUBECTL.path(&Progress::hidden()).unwrap();
        let path = format!(
            "{}:{}",
            kubectl.parent().unwrap().display(),
            env::var("PATH").unwrap()
        );
        let folder = self.folder.path().join("guide");
        let output = tokio::process::Command::new("bash")
            .args(["-euo", "pipefail", "-c", &self.blocks[block]])
            .current_dir(if block == 0 { self.folder.path() } else { &folder })
            .env("PATH", path)
            .env("KUBECONFIG", self.kubeconfig())
            .env("TSIG_SECRET", SECRET)
            .output()
            .await
            .unwrap();
        let text = |octets| String::from_utf8_lossy(octets).into_owned();
        assert!(
            output.status.success(),
            "{}\n{}\n{}",
            self.blocks[block],
            text(&output.stdout),
            text(&output.stderr)
        );
        text(&output.stdout)
    }

    async fn server(&self) -> Daemon {
        let pod = Pod {
            plane: &self.planes[0],
            namespace: "external-records-central",
            name: "external-records-central",
            flags: &[("--address", self.server.to_string())],
        };
        pod.start().await
    }

    async fn client(&self, cluster: usize) -> Daemon {
        let pod = Pod {
            plane: &self.planes[cluster],
            namespace: "external-records",
            name: "external-records",
            flags: &[],
        };
        pod.start().await
    }
}

/// The guide's commands, with the addresses of this machine.
fn blocks(server: SocketAddr, primary: SocketAddr) -> Vec<String> {
    let path = program::workspace().join("docs/external-records/many-clusters.md");
    let guide = fs::read_to_string(path).unwrap();
    let blocks = guide.split("```").skip(1).step_by(2);
    let blocks = blocks.filter_map(|block| block.strip_prefix("sh\n"));
    let replaced = blocks.map(|block| {
        block
            .replace(
                "records.central.example:7777",
                &format!("localhost:{}", server.port()),
            )
            .replace("records.central.example", "localhost")
            .replace("192.0.2.53:53", &primary.to_string())
            .replace("@192.0.2.53", &format!("@{} -p {}", primary.ip(), primary.port()))
    });
    replaced.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_clusters_have_their_records_from_one_server() {
    let reader = Reader::start().await;
    for block in 0..3 {
        reader.follow(block).await;
    }
    let mut server = reader.server().await;
    eventually("the server leads", async || {
        server
            .get("/readyz")
            .await
            .is_some_and(|answer| answer.status == 200 && answer.body == "this server is leading")
    })
    .await;
    let accounts = reader.follow(3).await;
    assert_eq!(accounts.matches(" Ready ").count(), 2, "{accounts}");
    reader.follow(4).await;
    let (mut west, mut east) = (reader.client(1).await, reader.client(2).await);
    let seen = reader.follow(5).await;
    assert_eq!(seen.matches("192.0.2.1\n").count(), 2, "{seen}");
    let not_in_place: Value = seen
        .lines()
        .find(|line| line.starts_with('['))
        .map(|line| serde_json::from_str(line).unwrap())
        .unwrap();
    assert_eq!(not_in_place[0]["dnsName"], "shop.example.com", "{seen}");
    assert_eq!(not_in_place.as_array().map(Vec::len), Some(1), "{seen}");
    for daemon in [&mut server, &mut west, &mut east] {
        daemon.is_alive();
    }
    drop(reader.primary);
    for plane in reader.planes {
        plane.cluster.stop().unwrap();
    }
}
