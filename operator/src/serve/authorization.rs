//! Who may read the metrics: the API server tells whose a token is (TokenReview)
//! and whether they may `get` the path `/metrics` (SubjectAccessReview).

use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec, UserInfo};
use k8s_openapi::api::authorization::v1::{
    NonResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec,
};
use kube::api::{Api, PostParams};
use kube::{Client, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use tokio::time::timeout;

use super::memory::{Digest, Memory};

/// How long the owner of a token is taken for known, and a token for nobody's.
const TOKEN_HOLDS: Duration = Duration::from_secs(60);
/// How long leave to read holds.
const LEAVE_HOLDS: Duration = Duration::from_secs(300);
/// How long a refusal holds.
const REFUSAL_HOLDS: Duration = Duration::from_secs(30);
/// How many answers of either kind are kept: far more than there are scrapers.
const KEPT: usize = 64;
/// How long the API server may take for an answer, with what kube's client repeats.
const PATIENCE: Duration = Duration::from_secs(10);

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is answered.
    Allowed,
    /// The token is nobody's.
    Unknown,
    /// The token's owner may not.
    Forbidden {
        /// The owner's name.
        user: String,
    },
    /// The API server did not answer.
    Undecided,
}

/// Asks the API server, and keeps its answers for a while.
pub struct Authorization {
    client: Client,
    owners: Mutex<Memory<Option<UserInfo>>>,
    leave: Mutex<Memory<bool>>,
}

/// The API server could not be asked; it was logged.
struct NoAnswer;

impl Authorization {
    /// Asks with a client that may create both kinds of review.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self {
            client,
            owners: Mutex::new(Memory::new(KEPT)),
            leave: Mutex::new(Memory::new(KEPT)),
        }
    }

    /// Whether whoever has a token may read the metrics.
    pub async fn check(&self, token: &str, now: Instant) -> Verdict {
        let user = match self.owner(token, now).await {
            Ok(Some(user)) => user,
            Ok(None) => return Verdict::Unknown,
            Err(NoAnswer) => return Verdict::Undecided,
        };
        let name = user.username.clone().unwrap_or_default();
        match self.may_read(user, now).await {
            Ok(true) => Verdict::Allowed,
            Ok(false) => Verdict::Forbidden { user: name },
            Err(NoAnswer) => Verdict::Undecided,
        }
    }

    async fn owner(&self, token: &str, now: Instant) -> Result<Option<UserInfo>, NoAnswer> {
        let question = Sha256::digest(token).into();
        if let Some(owner) = lock(&self.owners).get(&question, now) {
            return Ok(owner);
        }
        let review = TokenReview {
            spec: TokenReviewSpec {
                token: token.to_owned(),
                audiences: None,
            },
            ..TokenReview::default()
        };
        let status = self.ask("whose a token is", review).await?.status;
        let owner = status
            .filter(|status| status.authenticated == Some(true))
            .and_then(|status| status.user);
        lock(&self.owners).put(question, owner.clone(), now, now + TOKEN_HOLDS);
        Ok(owner)
    }

    async fn may_read(&self, user: UserInfo, now: Instant) -> Result<bool, NoAnswer> {
        let spec = SubjectAccessReviewSpec {
            extra: user.extra,
            groups: user.groups,
            non_resource_attributes: Some(NonResourceAttributes {
                path: Some("/metrics".into()),
                verb: Some("get".into()),
            }),
            resource_attributes: None,
            uid: user.uid,
            user: user.username,
        };
        let question: Digest = serde_json::to_vec(&spec)
            .map(|spec| Sha256::digest(spec).into())
            .map_err(|_| NoAnswer)?;
        if let Some(allowed) = lock(&self.leave).get(&question, now) {
            return Ok(allowed);
        }
        let review = SubjectAccessReview {
            spec,
            ..SubjectAccessReview::default()
        };
        let status = self.ask("who may read the metrics", review).await?.status;
        let allowed = status.is_some_and(|status| status.allowed && status.denied != Some(true));
        let holds = if allowed { LEAVE_HOLDS } else { REFUSAL_HOLDS };
        lock(&self.leave).put(question, allowed, now, now + holds);
        Ok(allowed)
    }

    async fn ask<R>(&self, what: &str, review: R) -> Result<R, NoAnswer>
    where
        R: Resource<DynamicType = (), Scope = k8s_openapi::ClusterResourceScope>
            + Clone
            + std::fmt::Debug
            + Serialize
            + DeserializeOwned,
    {
        let api: Api<R> = Api::all(self.client.clone());
        let parameters = PostParams::default();
        answer_of(what, api.create(&parameters, &review)).await
    }
}

async fn answer_of<T>(
    what: &str,
    request: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, NoAnswer> {
    match timeout(PATIENCE, request).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => {
            tracing::warn!(%error, "failed to ask the API server {what}");
            Err(NoAnswer)
        }
        Err(_) => {
            tracing::warn!("the API server did not tell {what} within {PATIENCE:?}");
            Err(NoAnswer)
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that holds the lock can panic half way through a change.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
