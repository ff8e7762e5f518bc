//! DNSProviders and their Secrets in files, where there is no cluster to ask: documents of
//! YAML or JSON, as they would be applied.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kube::core::DynamicObject;
use serde_json::Value;
use thiserror::Error;
use tokio::time::sleep;

use super::object::DnsProviderObject;
use super::secret::{SecretData, SecretName};
use crate::dns::objects::ObjectKey;
use crate::documents::{self, DocumentError};
use crate::mounted_files::MountedFiles;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// What is in files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Content {
    /// The DNSProviders of our class.
    pub providers: Vec<DnsProviderObject>,
    /// The Secrets.
    pub secrets: BTreeMap<SecretName, Arc<SecretData>>,
}

/// The files cannot be used.
#[derive(Debug, Error)]
pub enum FileError {
    /// One cannot be read.
    #[error("{0:#}")]
    Read(anyhow::Error),
    /// One is no YAML, or a document no object.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// An object is none that belongs here.
    #[error("{file}: {object}: {reason}")]
    Object {
        /// The file.
        file: String,
        /// Which object.
        object: String,
        /// What is wrong, and what is allowed.
        reason: String,
    },
}

/// Files that are followed.
pub struct ProviderFiles {
    files: MountedFiles,
    class: String,
}

impl ProviderFiles {
    /// Reads files for the first time.
    pub fn open(paths: Vec<PathBuf>, class: &str) -> Result<(Self, Content), FileError> {
        let mut files = Self {
            files: MountedFiles::new(paths),
            class: class.to_owned(),
        };
        let content = match files.files.look() {
            Some(contents) => files.decode(&contents.map_err(FileError::Read)?)?,
            None => Content::default(),
        };
        Ok((files, content))
    }

    /// Tells what is in the files whenever that is something else, for as long as it is
    /// polled. What cannot be used is logged once, and what was told before holds.
    pub async fn follow(mut self, tell: impl Fn(Content)) {
        let mut found = None;
        loop {
            sleep(LOOK).await;
            if let Some(contents) = self.files.look() {
                // Somebody may be writing: it counts once it has stayed so for a while.
                found = Some(contents);
                continue;
            }
            let Some(contents) = found.take() else { continue };
            let contents = contents.map_err(FileError::Read);
            match contents.and_then(|contents| self.decode(&contents)) {
                Ok(content) => {
                    tracing::info!("the DNSProviders of the files are other ones now");
                    tell(content);
                }
                Err(error) => {
                    tracing::error!("the DNSProviders of the files: {error}; what they said before holds");
                }
            }
        }
    }

    fn decode(&self, contents: &[Vec<u8>]) -> Result<Content, FileError> {
        let mut reading = Reading::default();
        for (path, content) in self.files.paths().iter().zip(contents) {
            let file = path.display().to_string();
            let text = str::from_utf8(content).map_err(|error| DocumentError::Parse {
                file: file.clone(),
                message: error.to_string(),
            })?;
            for (index, document) in documents::parse(&file, text)?.into_iter().enumerate() {
                reading.take(&file, index + 1, document, &self.class)?;
            }
        }
        Ok(reading.content)
    }
}

#[derive(Default)]
struct Reading {
    content: Content,
    seen: BTreeSet<ObjectKey>,
}

impl Reading {
    fn take(&mut self, file: &str, number: usize, mut document: Value, class: &str) -> Result<(), FileError> {
        if document["kind"] == "List" {
            let items = document["items"].as_array_mut().map(std::mem::take);
            for item in items.unwrap_or_default() {
                self.take(file, number, item, class)?;
            }
            return Ok(());
        }
        let Some(key) = ObjectKey::from_value(&document) else {
            return Err(FileError::Document(DocumentError::NotAnObject {
                file: file.into(),
                document: number,
            }));
        };
        let wrong = |reason: String| FileError::Object {
            file: file.to_owned(),
            object: key.to_string(),
            reason,
        };
        if key.namespace.is_none() {
            return Err(wrong("metadata.namespace is missing".into()));
        }
        if !self.seen.insert(key.clone()) {
            return Err(wrong("it is there more than once".into()));
        }
        match (&*key.api_version, &*key.kind) {
            ("dns.gardener.cloud/v1alpha1", "DNSProvider") => {
                let object: DynamicObject =
                    serde_json::from_value(document).map_err(|error| wrong(error.to_string()))?;
                self.content
                    .providers
                    .extend(DnsProviderObject::of(object, class));
            }
            ("v1", "Secret") => {
                // What is wrong with it in detail may be a secret.
                let secret = serde_json::from_value(document).map_err(|_| {
                    wrong("it cannot be understood; data takes texts in base64, stringData texts".into())
                })?;
                self.put(secret);
            }
            (version, kind) => {
                return Err(wrong(format!(
                    "it is a {kind} of {version}; allowed are DNSProvider of dns.gardener.cloud/v1alpha1 and \
                     Secret of v1"
                )));
            }
        }
        Ok(())
    }

    fn put(&mut self, secret: Secret) {
        let (Some(namespace), Some(name)) = (secret.metadata.namespace, secret.metadata.name) else {
            return;
        };
        let data = secret.data.unwrap_or_default().into_iter();
        let mut data: BTreeMap<String, Vec<u8>> = data.map(|(key, value)| (key, value.0)).collect();
        let plain = secret.string_data.unwrap_or_default().into_iter();
        data.extend(plain.map(|(key, value)| (key, value.into_bytes())));
        let name = SecretName { namespace, name };
        self.content.secrets.insert(name, Arc::new(SecretData::new(data)));
    }
}
