//! Types of records that are kept.

use crate::RecordType;

/// Which types of records are kept (external-dns's `--managed-record-types` without its
/// `--exclude-record-types`). All others are neither written nor deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagedTypes(Box<[RecordType]>);

impl ManagedTypes {
    /// The types of the first list that are not in the second.
    #[must_use]
    pub fn new(managed: impl IntoIterator<Item = RecordType>, excluded: &[RecordType]) -> Self {
        let managed = managed
            .into_iter()
            .filter(|record_type| !excluded.contains(record_type));
        Self(managed.collect())
    }

    /// Whether records of a type are kept.
    #[must_use]
    pub fn contains(&self, record_type: &RecordType) -> bool {
        self.0.contains(record_type)
    }
}

impl Default for ManagedTypes {
    /// A, AAAA and CNAME, as in external-dns.
    fn default() -> Self {
        Self::new([RecordType::A, RecordType::Aaaa, RecordType::Cname], &[])
    }
}
