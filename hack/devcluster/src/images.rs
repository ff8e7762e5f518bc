//! Container images made on the spot: one layer, a config and a manifest in a tar.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::children::run;
use crate::progress::Progress;
use crate::{debian, programs};

/// An image: a name, files, and what runs. Programs that are linked dynamically bring their libraries.
#[derive(Debug, Clone)]
pub struct Image {
    /// Name and tag, such as `localhost/coredns:dev`.
    pub name: String,
    /// The program and its first arguments.
    pub entrypoint: Vec<String>,
    /// Files: where each lies here, and in the image.
    pub files: Vec<(PathBuf, String)>,
}

/// The name of the image that holds a pod's namespaces open.
pub const PAUSE: &str = "localhost/pause:dev";
/// The name of the image that stands for openshift-cli.
pub const CLI: &str = "localhost/openshift-cli:dev";
/// The name of the image that stands for kube-rbac-proxy and only waits.
pub const WAITING: &str = "localhost/kube-rbac-proxy:dev";
/// The name of the CoreDNS image.
pub const COREDNS: &str = "localhost/coredns:dev";

/// Waits, and ends at once when it is asked to. Takes and ignores any arguments.
const WAIT: &str = "trap 'exit 0' TERM INT; while :; do sleep 3600 & wait $!; done";

/// What the scripts of the node resolver and of tests call.
const TOOLS: [&str; 34] = [
    "bash", "cat", "chmod", "chown", "cmp", "cp", "cut", "date", "dig", "diff", "echo", "env", "false",
    "find", "grep", "head", "kill", "ls", "mkdir", "mktemp", "mv", "printf", "rm", "sed", "sleep", "sort",
    "tail", "tee", "test", "touch", "tr", "true", "wc", "xargs",
];

impl Image {
    /// CoreDNS as built from its module.
    pub fn coredns(progress: &Progress) -> Result<Self> {
        Ok(Self::program(
            COREDNS,
            &programs::COREDNS_SERVER.path(progress)?,
            "/usr/bin/coredns",
        ))
    }

    /// An image of one program.
    #[must_use]
    pub fn program(name: &str, path: &Path, inside: &str) -> Self {
        Self {
            name: name.into(),
            entrypoint: vec![inside.into()],
            files: vec![(path.to_owned(), inside.into())],
        }
    }

    /// The images every node has: pause, and the stand-ins for openshift-cli and kube-rbac-proxy.
    pub fn standard() -> Result<Vec<Self>> {
        let files: Vec<(PathBuf, String)> = TOOLS
            .iter()
            .filter_map(|tool| Some((debian::find(tool)?, format!("/usr/bin/{tool}"))))
            .collect();
        let image = |name: &str, words: &[&str]| Self {
            name: name.into(),
            entrypoint: words.iter().map(ToString::to_string).collect(),
            files: files.clone(),
        };
        if files.is_empty() {
            return Err(anyhow!(
                "none of the programs for the openshift-cli image is installed"
            ));
        }
        let wait = ["/usr/bin/bash", "-c", WAIT];
        Ok(vec![
            image(PAUSE, &wait),
            image(WAITING, &wait),
            image(CLI, &["/usr/bin/bash"]),
        ])
    }

    /// The same image under another name, as an upgrade would bring it.
    #[must_use]
    pub fn renamed(&self, name: &str) -> Self {
        Self {
            name: name.into(),
            ..self.clone()
        }
    }

    fn config(&self, digest: &str) -> String {
        json!({
            "architecture": match std::env::consts::ARCH { "aarch64" => "arm64", _ => "amd64" },
            "os": "linux",
            "config": {
                "Entrypoint": self.entrypoint,
                "Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
                "WorkingDir": "/",
            },
            "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{digest}")]},
        })
        .to_string()
    }

    /// The layer as a file that is kept: its path and its digest.
    fn kept_layer(&self) -> Result<(PathBuf, String)> {
        let folder = programs::cache_folder()?.join("layers");
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        let mut key = Sha256::new();
        for (here, inside) in &self.files {
            let about = fs::metadata(here).with_context(|| format!("looking at {}", here.display()))?;
            key.update(format!(
                "{} {inside} {} {:?}\n",
                here.display(),
                about.len(),
                about.modified().ok()
            ));
        }
        let key = format!("{:x}", key.finalize());
        let prefix = format!("{}-", &key[..24]);
        let entries = fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?;
        let kept = entries.flatten().find_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            Some((
                entry.path(),
                name.strip_prefix(&prefix)?.strip_suffix(".tar")?.to_owned(),
            ))
        });
        if let Some(kept) = kept {
            return Ok(kept);
        }
        let layer = self
            .layer()
            .with_context(|| format!("making the layer of {}", self.name))?;
        let digest = format!("{:x}", Sha256::digest(&layer));
        let path = folder.join(format!("{prefix}{digest}.tar"));
        let mut fresh = tempfile::NamedTempFile::new_in(&folder).context("making a file for a layer")?;
        fresh
            .write_all(&layer)
            .with_context(|| format!("writing {}", path.display()))?;
        fresh
            .persist(&path)
            .with_context(|| format!("writing {}", path.display()))?;
        Ok((path, digest))
    }

    fn layer(&self) -> Result<Vec<u8>> {
        let mut tar = tar::Builder::new(Vec::new());
        for (folder, mode) in [
            ("etc", 0o755),
            ("tmp", 0o1777),
            ("usr", 0o755),
            ("usr/bin", 0o755),
        ] {
            add_folder(&mut tar, folder, mode)?;
        }
        for (link, target) in [("bin", "usr/bin"), ("sbin", "usr/bin"), ("usr/bin/sh", "bash")] {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_size(0);
            header.set_mode(0o777);
            tar.append_link(&mut header, link, target)
                .with_context(|| format!("adding {link}"))?;
        }
        add(
            &mut tar,
            "etc/passwd",
            b"root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
            0o644,
        )?;
        let mut libraries = BTreeSet::new();
        for (here, inside) in &self.files {
            let content = read(here)?;
            add(&mut tar, inside.trim_start_matches('/'), &content, 0o755)?;
            libraries.extend(libraries_of(here)?);
        }
        for library in libraries {
            // Libraries keep the paths that the loader looks at.
            add(
                &mut tar,
                library.trim_start_matches('/'),
                &read(Path::new(&library))?,
                0o755,
            )?;
        }
        tar.into_inner().context("closing the layer")
    }
}

/// Writes images as one archive that containerd imports; images of the same files share a layer.
pub fn write_archive(images: &[Image], archive: &Path) -> Result<()> {
    let mut layers = BTreeMap::new();
    let mut manifest = Vec::new();
    let mut configs = Vec::new();
    for image in images {
        let (path, digest) = image.kept_layer()?;
        let config = image.config(&digest);
        let config_name = format!("{:x}.json", Sha256::digest(&config));
        let layer_name = format!("{digest}.tar");
        manifest.push(json!({"Config": config_name, "RepoTags": [image.name], "Layers": [layer_name]}));
        configs.push((config_name, config));
        layers.insert(layer_name, path);
    }
    configs.sort();
    configs.dedup();
    let write = || {
        let mut tar = tar::Builder::new(File::create(archive)?);
        for (name, config) in configs {
            add(&mut tar, &name, config.as_bytes(), 0o644)?;
        }
        for (name, path) in layers {
            tar.append_path_with_name(path, name)?;
        }
        add(
            &mut tar,
            "manifest.json",
            json!(manifest).to_string().as_bytes(),
            0o644,
        )?;
        tar.into_inner()?.flush()
    };
    write().with_context(|| format!("writing {}", archive.display()))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)
        .and_then(|mut file| file.read_to_end(&mut content))
        .with_context(|| format!("reading {}", path.display()))?;
    Ok(content)
}

fn header(mode: u32) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    // The same content gives the same digest, whenever it is made.
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mode(mode);
    header
}

fn add(tar: &mut tar::Builder<impl Write>, path: &str, content: &[u8], mode: u32) -> std::io::Result<()> {
    let mut header = header(mode);
    header.set_size(content.len() as u64);
    tar.append_data(&mut header, path, content)
}

fn add_folder(tar: &mut tar::Builder<impl Write>, path: &str, mode: u32) -> std::io::Result<()> {
    let mut header = header(mode);
    header.set_entry_type(tar::EntryType::Directory);
    header.set_size(0);
    tar.append_data(&mut header, format!("{path}/"), std::io::empty())
}

/// The shared libraries and the loader of a program; none if it is static.
fn libraries_of(program: &Path) -> Result<Vec<String>> {
    // ldd fails for a static program, and its message depends on the language.
    let Ok(text) = run(Command::new("ldd").arg(program).env("LC_ALL", "C")) else {
        return Ok(Vec::new());
    };
    let paths = text.lines().filter_map(|line| {
        let line = line.trim();
        let path = line.split_once("=> ").map_or(line, |(_, path)| path);
        path.split_whitespace()
            .next()
            .filter(|path| path.starts_with('/'))
    });
    let mut libraries = Vec::new();
    for path in paths {
        fs::metadata(path)
            .with_context(|| format!("looking for {path}, a library of {}", program.display()))?;
        libraries.push(path.to_owned());
    }
    Ok(libraries)
}
