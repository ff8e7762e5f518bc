//! A stand-in for Route 53 that compares as it does: a deletion names all that is there, a
//! batch is taken whole or not at all, and everything that is wrong with it is told.

use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Response};
use http_body_util::{BodyExt as _, Full};
use records::batch;
use records::pace::Rate;
use records::provider::route53::{AccessKey, Identity, Route53, Settings};
use records::{Zone, ZoneId};

use super::xml::{self, RecordSet};
use crate::webhook::listener::Listener;

/// The most sets on a page.
const PAGE: usize = 300;

pub type Answer = Response<Full<Bytes>>;

/// Route 53 with some zones.
pub struct StandIn {
    listener: Listener,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    zones: Vec<HostedZone>,
    requests: Vec<String>,
    faults: VecDeque<(&'static str, Answer)>,
}

struct HostedZone {
    id: String,
    name: String,
    private: bool,
    sets: BTreeMap<Key, RecordSet>,
}

/// Names from their last label to the first, then types, then identifiers.
type Key = (String, String, String);

impl StandIn {
    /// Zones by id and name, public, with an SOA record and name servers each.
    pub async fn with(zones: &[(&str, &str)]) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let answering = Arc::clone(&state);
        let any = (Ipv4Addr::LOCALHOST, 0).into();
        let listener = Listener::answering(any, move |request: http::Request<hyper::body::Incoming>| {
            let state = Arc::clone(&answering);
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                let body = str::from_utf8(&body).unwrap();
                state.lock().unwrap().answer(&head.method, &head.uri, body)
            }
        })
        .await;
        let stand_in = Self { listener, state };
        for (id, name) in zones {
            stand_in.add_zone(id, name, false);
        }
        stand_in
    }

    pub fn add_zone(&self, id: &str, name: &str, private: bool) {
        self.state.lock().unwrap().zones.push(HostedZone {
            id: id.into(),
            name: name.into(),
            private,
            sets: BTreeMap::new(),
        });
        let soa = format!("ns.{name}. hostmaster.{name}. 1 7200 900 1209600 86400");
        self.put(id, &xml::simple(&format!("{name}."), "SOA", 900, &[&soa]));
        self.put(
            id,
            &xml::simple(&format!("{name}."), "NS", 172_800, &["ns.example.net."]),
        );
    }

    /// Writes a set in place of the one of its key, as somebody else would.
    pub fn put(&self, zone: &str, set: &str) {
        let set = RecordSet::parse(set);
        self.zone(zone, |zone| drop(zone.sets.insert(key(&set), set.clone())));
    }

    /// Removes all sets of a name.
    pub fn remove(&self, zone: &str, name: &str) {
        self.zone(zone, |zone| {
            zone.sets.retain(|_, set| set.name != format!("{name}."));
        });
    }

    fn zone(&self, id: &str, change: impl FnOnce(&mut HostedZone)) {
        let mut state = self.state.lock().unwrap();
        change(state.zones.iter_mut().find(|zone| zone.id == id).unwrap());
    }

    /// What a zone holds but its SOA record and name servers, a line for each set.
    pub fn sets(&self, zone: &str) -> Vec<String> {
        let mut lines = Vec::new();
        self.zone(zone, |zone| {
            let own = zone
                .sets
                .values()
                .filter(|set| !matches!(&*set.record_type, "SOA" | "NS"));
            lines = own.map(RecordSet::line).collect();
        });
        lines
    }

    /// Gives this answer to the next call of an operation, such as `GetHostedZone`.
    pub fn fail(&self, operation: &'static str, answer: Answer) {
        self.state.lock().unwrap().faults.push_back((operation, answer));
    }

    /// The operations that were called since this was last asked, with their zones.
    pub fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().requests)
    }

    pub fn settings(&self) -> Settings {
        Settings {
            identity: Identity {
                key: Some(AccessKey {
                    id: "example".into(),
                    secret: "example".into(),
                }),
                ..Identity::default()
            },
            endpoint: Some(self.listener.url().parse().unwrap()),
            batch: batch::Settings {
                interval: Duration::from_millis(1),
                ..Settings::default().batch
            },
            rate: Rate {
                burst: 10_000,
                calls: 10_000,
                period: Duration::from_secs(1),
            },
            timeout: Duration::from_secs(5),
            ..Settings::default()
        }
    }

    pub fn provider(&self) -> Route53 {
        Route53::new(self.settings()).unwrap()
    }
}

pub fn zone(id: &str, name: &str) -> Zone {
    Zone {
        id: ZoneId(id.into()),
        name: records::Name::parse(name).unwrap(),
    }
}

/// An error in the words of AWS's reference.
pub fn error(status: u16, code: &str, message: &str) -> Answer {
    let body = format!(
        "<?xml version=\"1.0\"?>\n<ErrorResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Error>\
         <Type>Sender</Type><Code>{code}</Code><Message>{}</Message></Error><RequestId>1</RequestId></ErrorResponse>",
        xml::escaped(message)
    );
    answer(status, &body)
}

pub fn answer(status: u16, body: &str) -> Answer {
    let answer = Response::builder()
        .status(status)
        .header("content-type", "text/xml");
    answer.body(Full::new(body.to_owned().into())).unwrap()
}

fn key(set: &RecordSet) -> Key {
    let bare = set.name.trim_end_matches('.');
    let reversed: Vec<&str> = bare.rsplit('.').collect();
    (
        reversed.join("."),
        set.record_type.clone(),
        set.identifier.clone(),
    )
}

impl State {
    fn answer(&mut self, method: &Method, uri: &http::Uri, body: &str) -> Answer {
        let words: Vec<&str> = uri.path().split('/').filter(|word| !word.is_empty()).collect();
        let (operation, id) = match (method.as_str(), &words[..]) {
            ("GET", [_, "hostedzone"]) => ("ListHostedZones", ""),
            ("GET", [_, "hostedzone", id]) => ("GetHostedZone", *id),
            ("GET", [_, "hostedzone", id, "rrset"]) => ("ListResourceRecordSets", *id),
            ("POST", [_, "hostedzone", id, "rrset"]) => ("ChangeResourceRecordSets", *id),
            ("POST", [_, "tags", _]) => ("ListTagsForResources", ""),
            other => panic!("{other:?}"),
        };
        self.requests
            .push(format!("{operation} {id}").trim_end().to_owned());
        if let Some(place) = self.faults.iter().position(|(failing, _)| *failing == operation) {
            return self.faults.remove(place).unwrap().1;
        }
        let Some(zone) = self.zones.iter_mut().find(|zone| zone.id == id || id.is_empty()) else {
            return error(
                404,
                "NoSuchHostedZone",
                &format!("No hosted zone found with ID: {id}"),
            );
        };
        match operation {
            "GetHostedZone" => answer(200, &xml::document("GetHostedZoneResponse", &zone.shown())),
            "ListResourceRecordSets" => zone.list(uri.query().unwrap_or_default()),
            "ChangeResourceRecordSets" => zone.change(body),
            "ListTagsForResources" => tags(&self.zones, body),
            _ => {
                let zones: String = self.zones.iter().map(HostedZone::shown).collect();
                let list = format!(
                    "<HostedZones>{zones}</HostedZones><IsTruncated>false</IsTruncated><MaxItems>100</MaxItems>"
                );
                answer(200, &xml::document("ListHostedZonesResponse", &list))
            }
        }
    }
}

/// Each zone is tagged with its own name.
fn tags(zones: &[HostedZone], body: &str) -> Answer {
    let asked = zones
        .iter()
        .filter(|zone| body.contains(&format!("<ResourceId>{}<", zone.id)));
    let sets = asked.map(|zone| {
        format!(
            "<ResourceTagSet><ResourceType>hostedzone</ResourceType><ResourceId>{}</ResourceId><Tags><Tag><Key>zone\
             </Key><Value>{}</Value></Tag></Tags></ResourceTagSet>",
            zone.id, zone.name
        )
    });
    let sets = format!("<ResourceTagSets>{}</ResourceTagSets>", sets.collect::<String>());
    answer(200, &xml::document("ListTagsForResourcesResponse", &sets))
}

impl HostedZone {
    fn shown(&self) -> String {
        format!(
            "<HostedZone><Id>/hostedzone/{}</Id><Name>{}.</Name><CallerReference>1</CallerReference><Config>\
             <PrivateZone>{}</PrivateZone></Config><ResourceRecordSetCount>{}</ResourceRecordSetCount></HostedZone>",
            self.id,
            self.name,
            self.private,
            self.sets.len()
        )
    }

    fn list(&self, query: &str) -> Answer {
        let query: BTreeMap<String, String> = url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
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

    fn change(&mut self, body: &str) -> Answer {
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
    let beside = sets
        .values()
        .find(|other| other.name == set.name && is_cname(other) != is_cname(&set));
    if beside.is_some() {
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
