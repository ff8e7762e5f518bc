//! The record sets of one zone.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::xml::{self, RecordSet};
use super::{Answer, answer, error};

/// The most sets on a page.
const PAGE: usize = 300;

/// One zone.
pub(super) struct HostedZone {
    pub id: String,
    pub name: String,
    private: bool,
    sets: BTreeMap<Key, RecordSet>,
}

/// Names from their last label to the first, then types, then identifiers.
type Key = (String, String, String);

fn key(set: &RecordSet) -> Key {
    let bare = set.name.trim_end_matches('.');
    let reversed: Vec<&str> = bare.rsplit('.').collect();
    (
        reversed.join("."),
        set.record_type.clone(),
        set.identifier.clone(),
    )
}

impl HostedZone {
    /// One without records.
    pub fn new(id: &str, name: &str, private: bool) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            private,
            sets: BTreeMap::new(),
        }
    }

    /// Writes a set in place of the one of its key.
    pub fn put(&mut self, set: RecordSet) {
        self.sets.insert(key(&set), set);
    }

    /// Removes all sets of a name.
    pub fn remove(&mut self, name: &str) {
        self.sets.retain(|_, set| set.name != name);
    }

    /// What it holds but its SOA record and name servers.
    pub fn lines(&self) -> Vec<String> {
        let is_own = |set: &&RecordSet| !matches!(&*set.record_type, "SOA" | "NS");
        self.sets.values().filter(is_own).map(RecordSet::line).collect()
    }

    /// As it is answered.
    pub fn shown(&self) -> String {
        format!(
            "<HostedZone><Id>/hostedzone/{}</Id><Name>{}.</Name><CallerReference>1</CallerReference><Config>\
             <PrivateZone>{}</PrivateZone></Config><ResourceRecordSetCount>{}</ResourceRecordSetCount></HostedZone>",
            self.id,
            self.name,
            self.private,
            self.sets.len()
        )
    }

    /// The page that a query asks for.
    pub fn list(&self, query: &str) -> Answer {
        let query: BTreeMap<String, String> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let get = |name: &str| query.get(name).cloned().unwrap_or_default();
        let start = RecordSet {
            name: get("name").replace('*', "\\052"),
            record_type: get("type"),
            identifier: get("identifier"),
            parts: Vec::new(),
        };
        let most = get("maxitems").parse().unwrap_or(100).min(PAGE);
        let mut rest = self.sets.range(key(&start)..);
        let sets: String = rest.by_ref().take(most).map(|(_, set)| set.xml()).collect();
        let next = rest.next().map(|(_, set)| set);
        let element = xml::element;
        let mut list = element("ResourceRecordSets", &sets);
        list += &element("IsTruncated", &next.is_some().to_string());
        if let Some(next) = next {
            list += &element("NextRecordName", &next.name);
            list += &element("NextRecordType", &next.record_type);
            if !next.identifier.is_empty() {
                list += &element("NextRecordIdentifier", &next.identifier);
            }
        }
        list += &element("MaxItems", &most.to_string());
        answer(200, &xml::document("ListResourceRecordSetsResponse", &list))
    }

    /// Makes the changes of a batch, or none.
    pub fn change(&mut self, body: &str) -> Answer {
        let mut sets = self.sets.clone();
        let mut wrong = Vec::new();
        for change in xml::all(body, "Change") {
            let set = RecordSet::parse(&format!(
                "<ResourceRecordSet>{}</ResourceRecordSet>",
                xml::first(&change, "ResourceRecordSet")
            ));
            let complaint = match xml::first(&change, "Action").as_str() {
                "DELETE" => delete(&mut sets, &set),
                "CREATE" => create(&mut sets, set),
                other => Some(format!("{other} overwrites what others wrote")),
            };
            wrong.extend(complaint);
        }
        if wrong.is_empty() {
            self.sets = sets;
            let info = "<ChangeInfo><Id>/change/C1</Id><Status>PENDING</Status><SubmittedAt>2026-01-01T00:00:00Z\
                        </SubmittedAt></ChangeInfo>";
            return answer(200, &xml::document("ChangeResourceRecordSetsResponse", info));
        }
        error(400, "InvalidChangeBatch", &format!("[{}]", wrong.join(", ")))
    }
}

fn delete(sets: &mut BTreeMap<Key, RecordSet>, set: &RecordSet) -> Option<String> {
    let tried = format!("Tried to delete resource record set {}", set.shown());
    match sets.get(&key(set)) {
        None => Some(format!("{tried} but it was not found")),
        Some(there) if there != set => Some(format!(
            "{tried} but the values provided do not match the current values"
        )),
        Some(_) => {
            sets.remove(&key(set));
            None
        }
    }
}

fn create(sets: &mut BTreeMap<Key, RecordSet>, set: RecordSet) -> Option<String> {
    if sets.contains_key(&key(&set)) {
        return Some(format!(
            "Tried to create resource record set {} but it already exists",
            set.shown()
        ));
    }
    let is_cname = |set: &RecordSet| set.record_type == "CNAME";
    let (name, ..) = key(&set);
    let at_name = sets.range((name, String::new(), String::new())..);
    let mut at_name = at_name
        .map(|(_, other)| other)
        .take_while(|other| other.name == set.name);
    if at_name.any(|other| is_cname(other) != is_cname(&set)) {
        return Some(format!(
            "RRSet of type {} with DNS name {} is not permitted as it conflicts with other records with the same DNS \
             name in zone example.com.",
            set.record_type, set.name
        ));
    }
    let bad = |value: &String| set.record_type == "A" && value.parse::<Ipv4Addr>().is_err();
    if let Some(bad) = set.values().into_iter().find(bad) {
        return Some(format!(
            "Invalid Resource Record: FATAL problem: ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address) \
             encountered with '{bad}'"
        ));
    }
    sets.insert(key(&set), set);
    None
}
