//! What has been found out about a DNSProvider.

use std::sync::Arc;

use super::account::Account;
use super::object::DnsProviderObject;
use super::problem::Problem;
use super::selection::Selection;
use super::settings::rate_limit;
use super::status::Verdict;

/// What is said of a DNSProvider whose settings cannot be used, where earlier ones could.
const STILL: &str = "the settings before are still in use";

/// What has been found out about a DNSProvider.
pub(super) struct Finding {
    /// The account that is used.
    pub account: Option<Arc<Account>>,
    /// The account that is used as soon as its zones are known.
    pub coming: Option<Arc<Account>>,
    pub selection: Option<Selection>,
    pub problem: Option<Problem>,
    /// Whether there is something to be told.
    pub is_told: bool,
    /// Whether nothing else can be found out by trying again soon.
    pub is_settled: bool,
}

impl Finding {
    /// What is used of an account by earlier settings, while those of now cannot be.
    pub fn before(found: Result<Option<Self>, Problem>, account: Arc<Account>, selection: Selection) -> Self {
        let found = found.map_or_else(Self::from, |found| found.unwrap_or_else(Self::nothing));
        Self {
            coming: found.account,
            account: Some(account),
            selection: Some(selection),
            is_told: found.problem.is_some(),
            problem: found.problem.map(|problem| problem.and(STILL)),
            is_settled: found.is_settled,
        }
    }

    fn nothing() -> Self {
        Self {
            account: None,
            coming: None,
            selection: None,
            problem: None,
            is_told: false,
            is_settled: true,
        }
    }

    /// The accounts that there are to be for it.
    pub fn accounts(&self) -> impl Iterator<Item = &Arc<Account>> {
        self.account.iter().chain(&self.coming)
    }

    /// Whether its zones are only not known yet.
    pub fn is_awaited(&self) -> bool {
        self.account.is_some() && self.selection.is_none()
    }

    /// What has become of a DNSProvider.
    pub fn verdict<'a>(&'a self, object: &'a DnsProviderObject) -> Verdict<'a> {
        let rate = self.account.as_ref().and_then(|account| account.rate);
        Verdict {
            generation: object.generation,
            spec: object.spec.as_ref().ok(),
            rate_limit: rate.map(rate_limit),
            selection: self.selection.as_ref(),
            problem: self.problem.as_ref(),
        }
    }
}

impl From<Problem> for Finding {
    fn from(problem: Problem) -> Self {
        Self {
            is_told: true,
            is_settled: matches!(problem, Problem::Invalid(_)),
            problem: Some(problem),
            ..Self::nothing()
        }
    }
}
