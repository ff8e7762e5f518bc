//! Who owns which records of a zone, told by TXT records beside them (external-dns's
//! registries `txt` and `noop`).
//!
//! What a zone holds is read into [`Holdings`], whose records carry the labels that their
//! ownership records tell; planned changes are put into groups together with the changes
//! to the ownership records. The zone's own records are never changed by this: labels
//! are put on copies, of the records that are looked at.

mod affix;
mod cipher;
mod groups;
pub mod heritage;
mod holdings;
mod index;
pub mod label;
mod refusal;
mod registry;

use std::sync::Arc;

pub use affix::{Affix, InvalidAffix};
pub use cipher::{Cipher, InvalidKey, NotSealed, Opened};
pub use heritage::InvalidLabel;
pub(crate) use holdings::HeldRecord;
pub use holdings::Holdings;
pub use refusal::{Refusal, Rejected};
pub use registry::{InvalidOwner, Registry};

use crate::{Change, Endpoint, Group, Name, RecordList, Zone};

/// How it is told who owns a record.
#[derive(Clone, Debug)]
pub enum Ownership {
    /// It is not: every record of a zone is ours (`--registry=noop`).
    Noop,
    /// By TXT records (`--registry=txt`).
    Txt(Arc<Registry>),
}

impl From<Registry> for Ownership {
    fn from(registry: Registry) -> Self {
        Self::Txt(Arc::new(registry))
    }
}

impl Ownership {
    /// What a zone holds: its records, but for those that tell who owns others, with what
    /// those tell.
    #[must_use]
    pub fn holdings(&self, zone: &Zone, records: &RecordList) -> Holdings {
        match self {
            Self::Noop => Holdings::all(records),
            Self::Txt(registry) => holdings::read(registry, zone, records),
        }
    }

    /// Puts planned changes to a zone, and the repairs that its holdings ask for, into
    /// groups: one for each name, sorted, with the changes to the ownership records. Every
    /// side that goes or is overwritten is what the zone was read to hold, to the letter.
    ///
    /// A change to a record that is not ours is refused with the rest of its name. A
    /// deletion waits if a record that was to be created at its name is refused. Any other
    /// change is refused by itself.
    #[must_use]
    pub fn groups(
        &self,
        zone: &Zone,
        changes: Vec<Change>,
        holdings: &Holdings,
    ) -> (Vec<Group>, Vec<Rejected>) {
        let registry = match self {
            Self::Noop => None,
            Self::Txt(registry) => Some(&**registry),
        };
        groups::group(registry, zone, changes, holdings)
    }
}

/// The name that a change is for.
fn name_of(change: &Change) -> Result<Name, crate::InvalidName> {
    change
        .before()
        .or(change.after())
        .map_or_else(|| Ok(Name::default()), Endpoint::name)
}
