//! An account: zones, who may do what, and how often.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};

use super::faults::{Fault, Script};
use super::record::Record;
use super::request::{Kind, Refusal, Reply, Request};
use super::zone::Zone;
use super::{batch, hostnames, listing};

/// The token that may do everything.
pub const TOKEN: &str = "token-of-the-whole-account";
/// The time in which calls are counted.
const WINDOW: Duration = Duration::from_secs(300);

/// What somebody pays for a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Nothing: 200 operations in a batch.
    Free,
    /// Something: 3,500.
    Paid,
}

/// An account at the stand-in.
#[derive(Debug)]
pub struct Account {
    zones: BTreeMap<String, Zone>,
    /// By token, or address and key: the zones by name; none is all.
    rights: BTreeMap<String, Option<BTreeSet<String>>>,
    script: Script,
    stamp: Stamp,
    counts: BTreeMap<Kind, usize>,
    recent: VecDeque<Duration>,
    /// The bodies of all batches, the refused ones among them.
    batches: Vec<Value>,
    /// The most calls in five minutes.
    pub most_calls: usize,
    /// The code and the words for batches of too many operations.
    pub too_many: (u32, String),
}

/// What tells the time and gives ids.
#[derive(Debug)]
pub(super) struct Stamp {
    started: Instant,
    /// The time since the start, where a test says it.
    set: Option<Duration>,
    ids: u128,
}

impl Stamp {
    pub fn now(&self) -> Duration {
        self.set.unwrap_or_else(|| self.started.elapsed())
    }

    /// The time in the form of RFC 3339; the day does not count.
    pub fn time(&self) -> String {
        let now = self.now();
        let seconds = now.as_secs() % 86_400;
        format!(
            "2026-01-01T{:02}:{:02}:{:02}.{:06}Z",
            seconds / 3_600,
            seconds / 60 % 60,
            seconds % 60,
            now.subsec_micros()
        )
    }

    pub fn next_id(&mut self) -> String {
        self.ids += 1;
        format!("{:032x}", self.ids)
    }

    pub fn new_record(&mut self) -> Record {
        Record {
            id: self.next_id(),
            created_on: self.time(),
            ..Record::plain("", "", "")
        }
    }
}

impl Account {
    pub(super) fn new(zones: &[(&str, Plan)]) -> Self {
        let mut stamp = Stamp {
            started: Instant::now(),
            set: None,
            ids: 0,
        };
        let zones = zones.iter().map(|(name, plan)| {
            let id = stamp.next_id();
            (id.clone(), Zone::new(&id, name, *plan))
        });
        Self {
            zones: zones.collect(),
            rights: BTreeMap::from([(TOKEN.to_owned(), None)]),
            script: Script::default(),
            counts: BTreeMap::new(),
            recent: VecDeque::new(),
            batches: Vec::new(),
            most_calls: 1_200,
            too_many: (9_300, "Too many operations in the batch.".to_owned()),
            stamp,
        }
    }

    /// Lets somebody do something: a token, or an address and a key with a space between;
    /// only with some zones, or with all.
    pub fn allow(&mut self, secret: &str, zones: Option<&[&str]>) {
        let zones = zones.map(|zones| zones.iter().map(|zone| (*zone).to_owned()).collect());
        self.rights.insert(secret.to_owned(), zones);
    }

    /// Lets nobody in with a token any more.
    pub fn forbid(&mut self, secret: &str) {
        self.rights.remove(secret);
    }

    /// Sets the time since the start; from then on it stands still.
    pub fn set_time(&mut self, time: Duration) {
        self.stamp.set = Some(time);
    }

    /// What is to happen to the next call of a kind for which nothing was said yet; none is
    /// nothing special.
    pub fn script(&mut self, kind: Kind, fault: Option<Fault>) {
        self.script.add(kind, fault);
    }

    /// How many calls there were since this was asked last, by kind.
    pub fn take_counts(&mut self) -> BTreeMap<Kind, usize> {
        std::mem::take(&mut self.counts)
    }

    /// The bodies of the batches since this was asked last.
    pub fn take_batches(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.batches)
    }

    /// Puts a record in place by another hand, whatever is in its way; its id.
    pub fn put(&mut self, zone: &str, record: Record) -> String {
        let fresh = self.stamp.new_record();
        let id = fresh.id.clone();
        if let Some(zone) = self.zone_mut(zone) {
            let record = Record {
                id: id.clone(),
                created_on: fresh.created_on.clone(),
                modified_on: fresh.created_on,
                ..record
            };
            zone.replace(id.clone(), Some(record));
        }
        id
    }

    /// Takes all records of a name and type away by another hand.
    pub fn remove(&mut self, zone: &str, name: &str, record_type: &str) {
        if let Some(zone) = self.zone_mut(zone) {
            let of_type = zone.at(name).filter(|record| record.record_type == record_type);
            let ids: Vec<String> = of_type.map(|record| record.id.clone()).collect();
            for id in ids {
                zone.replace(id, None);
            }
        }
    }

    /// Takes a zone away.
    pub fn remove_zone(&mut self, name: &str) {
        self.zones.retain(|_, zone| zone.name != name);
    }

    /// The id of a zone; empty for one that is not there.
    #[must_use]
    pub fn zone_id(&self, name: &str) -> String {
        let mut zones = self.zones.values();
        let zone = zones.find(|zone| zone.name == name);
        zone.map(|zone| zone.id.clone()).unwrap_or_default()
    }

    /// The records of a zone, in the order of their ids.
    pub fn records(&self, name: &str) -> impl Iterator<Item = &Record> {
        let zones = self.zones.values().filter(move |zone| zone.name == name);
        zones.flat_map(|zone| zone.records.values())
    }

    /// The custom hostnames of a zone, each with the name it leads to.
    #[must_use]
    pub fn custom_hostnames(&self, name: &str) -> Vec<(String, String)> {
        let zones = self.zones.values().filter(|zone| zone.name == name);
        let text = |custom: &Value, part: &str| custom[part].as_str().unwrap_or_default().to_owned();
        let mut all: Vec<_> = zones
            .flat_map(|zone| zone.custom_hostnames.values())
            .map(|custom| (text(custom, "hostname"), text(custom, "custom_origin_server")))
            .collect();
        all.sort();
        all
    }

    /// The regional hostnames of a zone, each with its region.
    #[must_use]
    pub fn regions(&self, name: &str) -> BTreeMap<String, String> {
        let mut zones = self.zones.values();
        let zone = zones.find(|zone| zone.name == name);
        zone.map(|zone| zone.regions.clone()).unwrap_or_default()
    }

    fn zone_mut(&mut self, name: &str) -> Option<&mut Zone> {
        self.zones.values_mut().find(|zone| zone.name == name)
    }

    /// Answers a call.
    pub(super) fn answer(&mut self, request: &Request) -> Reply {
        let kind = request.kind();
        *self.counts.entry(kind).or_default() += 1;
        if let Some(reply) = self.throttle() {
            return reply;
        }
        let fault = self.script.next(kind);
        if let Some(reply) = fault.and_then(Fault::instead) {
            return reply;
        }
        let reply = Reply::result(self.route(request));
        fault.map_or_else(|| reply.clone(), |fault| fault.spoil(reply.clone()))
    }

    /// Counts a call; the answer to one that is too many.
    fn throttle(&mut self) -> Option<Reply> {
        let now = self.stamp.now();
        while self.recent.front().is_some_and(|call| *call + WINDOW <= now) {
            self.recent.pop_front();
        }
        if self.recent.len() < self.most_calls {
            self.recent.push_back(now);
            return None;
        }
        let free = self.recent.front().map_or(now, |first| *first + WINDOW);
        let wait = free.saturating_sub(now);
        let words = "Please wait and consider throttling your request speed";
        Some(Reply {
            retry_after: Some(wait.as_secs() + u64::from(wait.subsec_nanos() > 0)),
            ..Reply::result(Err(Refusal::with_status(429, 971, words)))
        })
    }

    fn route(&mut self, request: &Request) -> Result<(Value, Option<Value>), Refusal> {
        let secret = request.secret.as_deref().unwrap_or_default();
        let Some(rights) = self.rights.get(secret).cloned() else {
            return Err(Refusal::with_status(403, 9_109, "Invalid access token"));
        };
        let may = |zone: &Zone| rights.as_ref().is_none_or(|zones| zones.contains(&zone.name));
        let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
        let lost = || {
            let path = request.path.join("/");
            let words = format!("Could not route to /{path}, perhaps your object identifier is invalid?");
            Refusal::with_status(404, 7_003, words)
        };
        let ["zones", rest @ ..] = path.as_slice() else {
            return Err(lost());
        };
        let [id, rest @ ..] = rest else {
            let name = request.parameter("name");
            let named = |zone: &&Zone| name.is_none_or(|name| zone.name == name);
            let zones: Vec<&Zone> = self
                .zones
                .values()
                .filter(|zone| may(zone))
                .filter(named)
                .collect();
            return listing::page(request, (20, 50), zones.into_iter(), told_zone);
        };
        let zone = self.zones.get_mut(*id).ok_or_else(lost)?;
        if !may(zone) {
            return Err(Refusal::with_status(403, 10_000, "Authentication error"));
        }
        if *rest == ["dns_records", "batch"] {
            self.batches.push(request.body.clone());
            let most = if zone.plan == Plan::Free { 200 } else { 3_500 };
            if batch::size(&request.body) > most {
                let (code, words) = self.too_many.clone();
                return Err(Refusal::new(code, words));
            }
        }
        let (zone, stamp) = (zone, &mut self.stamp);
        match (rest, &request.method) {
            ([], &Method::GET) => Ok((told_zone(zone), None)),
            (["dns_records"], &Method::GET) => listing::records(zone, request),
            (["dns_records", "batch"], &Method::POST) => {
                batch::run(zone, &request.body, stamp).map(|told| (told, None))
            }
            (["dns_records", ..], _) => single(zone, request, stamp),
            (["custom_hostnames"], _) => hostnames::custom(zone, request, None, stamp),
            (["custom_hostnames", id], _) => hostnames::custom(zone, request, Some(id), stamp),
            (["addressing", "regional_hostnames"], _) => hostnames::regional(zone, request, None),
            (["addressing", "regional_hostnames", name], _) => hostnames::regional(zone, request, Some(name)),
            _ => Err(lost()),
        }
    }
}

/// A call about one record.
fn single(zone: &mut Zone, request: &Request, stamp: &mut Stamp) -> Result<(Value, Option<Value>), Refusal> {
    let list = match request.method {
        Method::POST => "posts",
        Method::PUT => "puts",
        Method::PATCH => "patches",
        Method::DELETE => "deletes",
        _ => return Err(Refusal::with_status(405, 10_405, "Method not allowed.")),
    };
    let mut sent = request.body.clone();
    if sent.is_null() {
        sent = json!({});
    }
    if let Some(id) = request.path.get(3) {
        sent["id"] = id.clone().into();
    }
    let (_, record) = batch::make(zone, list, &sent, stamp)?;
    Ok((record.told(&zone.name), None))
}

fn told_zone(zone: &Zone) -> Value {
    let paid = zone.plan == Plan::Paid;
    json!({
        "id": zone.id, "name": zone.name, "status": "active", "paused": false, "type": "full",
        "plan": { "name": if paid { "Pro Website" } else { "Free Website" }, "is_subscribed": paid },
    })
}
