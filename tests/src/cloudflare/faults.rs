//! What goes wrong because a test says so.

use std::collections::VecDeque;

use super::request::{Kind, Reply, Transfer};

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A status with an error of that number in its envelope; nothing is done.
    Status(u16),
    /// A page of HTML with that status; nothing is done.
    Html(u16),
    /// It is done, and answered with a page of HTML.
    DoneThenHtml,
    /// It is done, and the answer breaks off.
    DoneThenCutOff,
    /// It is done, and nobody is told.
    DoneThenLost,
    /// Nothing is done, and nobody is told.
    Lost,
}

/// What is to go wrong, first come first served; none lets a call pass.
#[derive(Debug, Default)]
pub(super) struct Script(VecDeque<(Kind, Option<Fault>)>);

impl Script {
    pub fn add(&mut self, kind: Kind, fault: Option<Fault>) {
        self.0.push_back((kind, fault));
    }

    /// What is to happen to the next call of a kind.
    pub fn next(&mut self, kind: Kind) -> Option<Fault> {
        let place = self.0.iter().position(|(of, _)| *of == kind)?;
        self.0.remove(place)?.1
    }
}

impl Fault {
    /// The answer, where nothing is done.
    pub(super) fn instead(self) -> Option<Reply> {
        match self {
            Self::Status(status) => {
                let refusal = super::request::Refusal::with_status(
                    status,
                    status.into(),
                    format!("an error of status {status}"),
                );
                Some(Reply::result(Err(refusal)))
            }
            Self::Html(status) => Some(Reply::html(status)),
            Self::Lost => Some(Reply {
                transfer: Transfer::Lost,
                ..Reply::html(200)
            }),
            _ => None,
        }
    }

    /// What becomes of an answer.
    pub(super) fn spoil(self, reply: Reply) -> Reply {
        match self {
            Self::DoneThenHtml => Reply::html(200),
            Self::DoneThenCutOff => Reply {
                transfer: Transfer::CutOff,
                ..reply
            },
            Self::DoneThenLost => Reply {
                transfer: Transfer::Lost,
                ..reply
            },
            _ => reply,
        }
    }
}
