//! What has been found out about a DNSProvider.

use std::sync::Arc;

use super::account::Account;
use super::object::DnsProviderObject;
use super::problem::Problem;
use super::selection::Selection;
use super::settings::rate_limit;
use super::status::Verdict;

/// What has been found out about a DNSProvider.
pub(super) struct Finding {
    pub account: Option<Arc<Account>>,
    pub selection: Option<Selection>,
    pub problem: Option<Problem>,
}

impl Finding {
    /// Whether nothing else can be found out by trying again soon.
    pub fn is_settled(&self) -> bool {
        self.account.is_some() || matches!(self.problem, Some(Problem::Invalid(_)))
    }

    /// Whether there is something to be told.
    pub fn is_told(&self) -> bool {
        self.selection.is_some() || self.problem.is_some()
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
            account: None,
            selection: None,
            problem: Some(problem),
        }
    }
}
