//! Who calls the API.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use reqwest::RequestBuilder;

/// What lets us in. Never printed; copies share what was read of a file.
#[derive(Clone)]
pub struct Credentials(Arc<Kind>);

enum Kind {
    Token(Box<str>),
    TokenFile {
        path: PathBuf,
        read: Mutex<Option<FileToken>>,
    },
    Key {
        key: Box<str>,
        email: Box<str>,
    },
}

/// A token, and when its file was last changed at that time.
struct FileToken {
    token: Box<str>,
    changed: Option<SystemTime>,
}

impl Credentials {
    /// A token (`CF_API_TOKEN`). `file:/path` stands for a file with the token, which is
    /// read again whenever it has changed.
    #[must_use]
    pub fn token(text: &str) -> Self {
        Self(Arc::new(match text.strip_prefix("file:") {
            Some(path) => Kind::TokenFile {
                path: path.into(),
                read: Mutex::default(),
            },
            None => Kind::Token(text.into()),
        }))
    }

    /// The key of an account (`CF_API_KEY`) and whose it is (`CF_API_EMAIL`).
    #[must_use]
    pub fn key(key: &str, email: &str) -> Self {
        Self(Arc::new(Kind::Key {
            key: key.into(),
            email: email.into(),
        }))
    }

    /// The request with what lets us in; why not, if the file of the token cannot be read.
    pub(super) fn sign(&self, request: RequestBuilder) -> Result<RequestBuilder, String> {
        Ok(match &*self.0 {
            Kind::Token(token) => request.bearer_auth(token),
            Kind::TokenFile { path, read } => request.bearer_auth(current(path, read)?),
            Kind::Key { key, email } => request
                .header("X-Auth-Key", &**key)
                .header("X-Auth-Email", &**email),
        })
    }

    /// Has the file be read again, whatever its time says: nobody let us in with what it had.
    pub(super) fn forget(&self) {
        if let Kind::TokenFile { read, .. } = &*self.0 {
            *read.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

/// The token of a file. The file is small and local: nobody waits for it.
fn current(path: &Path, read: &Mutex<Option<FileToken>>) -> Result<Box<str>, String> {
    let failed = |error: std::io::Error| format!("CF_API_TOKEN: {}: {error}", path.display());
    let changed = std::fs::metadata(path).map_err(failed)?.modified().ok();
    let mut read = read.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = &*read
        && known.changed == changed
    {
        return Ok(known.token.clone());
    }
    let token: Box<str> = std::fs::read_to_string(path).map_err(failed)?.trim().into();
    *read = Some(FileToken {
        token: token.clone(),
        changed,
    });
    Ok(token)
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Credentials")
    }
}
