//! The rendered Corefile, made fit for this machine.

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use devcluster::children::run;
use devcluster::control_plane::free_port;
use serde_json::{Value, json};

/// The port that the operator lets CoreDNS listen on.
const RENDERED_PORT: &str = ":5353 {";

/// Renders the Corefile of a DNS with these cache limits and one upstream.
pub fn render(program: &Path, folder: &Path, cache: &Value, upstream: SocketAddr) -> Result<String> {
    let dns = json!({
        "apiVersion": "operator.openshift.io/v1",
        "kind": "DNS",
        "metadata": { "name": "default" },
        "spec": {
            "cache": cache,
            "upstreamResolvers": { "upstreams": [{
                "type": "Network",
                "address": upstream.ip().to_string(),
                "port": upstream.port(),
            }] },
        },
    });
    fs::create_dir_all(folder).with_context(|| format!("failed to make {}", folder.display()))?;
    let path = folder.join("dns.json");
    let mut file = fs::File::create(&path).with_context(|| format!("failed to make {}", path.display()))?;
    write!(file, "{dns}").with_context(|| format!("failed to write {}", path.display()))?;
    run(Command::new(program)
        .args(["render", "--output", "corefile", "--file"])
        .arg(&path))
}

/// Cuts what needs a cluster, and moves every listener to a port of its own on
/// loopback.
pub fn localize(rendered: &str, listen: SocketAddr) -> Result<String> {
    let mut lines = Vec::new();
    let mut within_kubernetes = false;
    let mut servers = 0;
    for line in rendered.lines() {
        let directive = line.trim();
        if within_kubernetes {
            within_kubernetes = directive != "}";
            continue;
        }
        let local = || Ok::<_, anyhow::Error>(SocketAddr::new(listen.ip(), free_port()?));
        match directive.split_ascii_whitespace().next() {
            Some("kubernetes") => within_kubernetes = directive.ends_with('{'),
            Some("prometheus") => lines.push(format!("    prometheus {}", local()?)),
            Some("ready") => lines.push(format!("    ready {}", local()?)),
            Some("health") => lines.push(line.replace("health", &format!("health {}", local()?))),
            _ if line.ends_with(RENDERED_PORT) => {
                servers += 1;
                lines.push(line.replace(RENDERED_PORT, &format!(":{} {{", listen.port())));
                lines.push(format!("    bind {}", listen.ip()));
            }
            _ => lines.push(line.to_owned()),
        }
    }
    if servers == 0 {
        bail!("the Corefile has no server on the expected port:\n{rendered}");
    }
    lines.push(String::new());
    Ok(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RENDERED: &str = "\
.:5353 {
    errors
    health {
        lameduck 20s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
    }
    prometheus 127.0.0.1:9153
    forward . 127.0.0.1:53
    cache 900 {
        denial 9984 30
    }
}
hostname.bind:5353 {
    chaos
}
";

    #[test]
    fn nothing_needs_a_cluster_and_nothing_keeps_its_port() {
        let local = localize(RENDERED, "127.0.0.1:5999".parse().unwrap()).unwrap();
        assert!(local.starts_with(".:5999 {\n    bind 127.0.0.1\n    errors\n    health 127.0.0.1:"));
        assert!(local.contains("        lameduck 20s\n    }\n    ready 127.0.0.1:"));
        assert!(local.contains("cache 900 {\n        denial 9984 30\n    }\n}\nhostname.bind:5999 {\n"));
        assert!(!local.contains("kubernetes") && !local.contains("insecure") && !local.contains("9153"));
    }

    #[test]
    fn a_corefile_of_another_port_is_refused() {
        assert!(localize(".:53 {\n}\n", "127.0.0.1:5999".parse().unwrap()).is_err());
    }
}
