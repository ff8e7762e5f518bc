//! Set identifiers, for providers that have one set of a name and type.

use std::collections::HashMap;

use crate::{Endpoint, Name, RecordType};

/// Takes away set identifiers that tell nothing apart. A zone has one set of a name and
/// type; where several are wanted, all but their identifiers would have to be the same.
pub(super) fn without_idle_identifiers(mut wanted: Vec<Endpoint>) -> Vec<Endpoint> {
    let mut counts = HashMap::<(Name, RecordType), usize>::new();
    let key = |endpoint: &Endpoint| Some((endpoint.name().ok()?, endpoint.record_type.clone()));
    if wanted.iter().all(|endpoint| endpoint.set_identifier.is_empty()) {
        return wanted;
    }
    for key in wanted.iter().filter_map(key) {
        *counts.entry(key).or_default() += 1;
    }
    for endpoint in &mut wanted {
        if key(endpoint).is_some_and(|key| counts.get(&key) == Some(&1)) {
            endpoint.set_identifier = Box::default();
        }
    }
    wanted
}
