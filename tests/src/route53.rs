//! A stand-in for Route 53 that compares as it does: a deletion names all that is there, a
//! batch is taken whole or not at all, and everything that is wrong with it is told.

mod hosted_zone;
mod http_server;
pub mod xml;

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;
use tokio::task::AbortHandle;

use self::hosted_zone::HostedZone;
use self::xml::RecordSet;

/// What it answers.
pub type Answer = Response<Full<Bytes>>;

/// Route 53 with some zones. Dropping it ends it.
pub struct StandIn {
    address: SocketAddr,
    task: AbortHandle,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    zones: Vec<HostedZone>,
    requests: Vec<String>,
    faults: VecDeque<(&'static str, Answer)>,
}

impl StandIn {
    /// Zones by id and name, public, with an SOA record and name servers each.
    pub async fn with(zones: &[(&str, &str)]) -> io::Result<Self> {
        let state = Arc::new(Mutex::new(State::default()));
        let (address, task) = http_server::start(Arc::clone(&state)).await?;
        let stand_in = Self { address, task, state };
        for (id, name) in zones {
            stand_in.add_zone(id, name, false);
        }
        Ok(stand_in)
    }

    /// Where it is, as `AWS_ENDPOINT_URL` has it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Adds a zone, with an SOA record and name servers.
    pub fn add_zone(&self, id: &str, name: &str, private: bool) {
        self.state().zones.push(HostedZone::new(id, name, private));
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
        self.zone(zone, |zone| zone.put(set));
    }

    /// Removes all sets of a name.
    pub fn remove(&self, zone: &str, name: &str) {
        self.zone(zone, |zone| zone.remove(&format!("{name}.")));
    }

    /// What a zone holds but its SOA record and name servers, a line for each set; nothing of
    /// one that is not there.
    #[must_use]
    pub fn sets(&self, zone: &str) -> Vec<String> {
        let mut lines = Vec::new();
        self.zone(zone, |zone| lines = zone.lines());
        lines
    }

    /// Gives this answer to the next call of an operation, such as `GetHostedZone`.
    pub fn fail(&self, operation: &'static str, answer: Answer) {
        self.state().faults.push_back((operation, answer));
    }

    /// The operations that were called since this was last asked, with their zones.
    #[must_use]
    pub fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.state().requests)
    }

    fn zone(&self, id: &str, look: impl FnOnce(&mut HostedZone)) {
        let mut state = self.state();
        if let Some(zone) = state.zones.iter_mut().find(|zone| zone.id == id) {
            look(zone);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An error in the words of AWS's reference.
#[must_use]
pub fn error(status: u16, code: &str, message: &str) -> Answer {
    let body = format!(
        "<?xml version=\"1.0\"?>\n<ErrorResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Error>\
         <Type>Sender</Type><Code>{code}</Code><Message>{}</Message></Error><RequestId>1</RequestId></ErrorResponse>",
        xml::escaped(message)
    );
    answer(status, &body)
}

/// An answer with a body of XML.
#[must_use]
pub fn answer(status: u16, body: &str) -> Answer {
    let mut answer = Response::new(Full::new(body.to_owned().into()));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    answer
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
            _ => return error(400, "InvalidInput", &format!("{method} {uri} is not known here")),
        };
        self.requests
            .push(format!("{operation} {id}").trim_end().to_owned());
        let fault = self.faults.iter().position(|(failing, _)| *failing == operation);
        if let Some((_, answer)) = fault.and_then(|place| self.faults.remove(place)) {
            return answer;
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
