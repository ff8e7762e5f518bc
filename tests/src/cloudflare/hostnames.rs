//! Custom hostnames and regional hostnames.

use http::Method;
use serde_json::{Value, json};

use super::account::Stamp;
use super::listing::page;
use super::request::{Refusal, Request};
use super::zone::Zone;

type Answer = Result<(Value, Option<Value>), Refusal>;

pub(super) fn custom(zone: &mut Zone, request: &Request, id: Option<&str>, stamp: &mut Stamp) -> Answer {
    let all = &mut zone.custom_hostnames;
    match (&request.method, id) {
        (&Method::GET, None) => {
            let wanted = request.parameter("hostname");
            let found: Vec<&Value> = all
                .values()
                .filter(|custom| wanted.is_none_or(|wanted| custom["hostname"] == wanted))
                .collect();
            page(request, (20, 50), found.into_iter(), Value::clone)
        }
        (&Method::POST, None) => {
            let hostname = &request.body["hostname"];
            if all.values().any(|custom| custom["hostname"] == *hostname) {
                return Err(Refusal::with_status(
                    409,
                    1_406,
                    "Duplicate custom hostname found.",
                ));
            }
            let mut custom = request.body.clone();
            let id = stamp.next_id();
            custom["id"] = id.clone().into();
            all.insert(id, custom.clone());
            Ok((custom, None))
        }
        (&Method::DELETE, Some(id)) => match all.remove(id) {
            Some(_) => Ok((json!({ "id": id }), None)),
            None => Err(Refusal::with_status(
                404,
                1_436,
                "The custom hostname was not found.",
            )),
        },
        _ => Err(Refusal::with_status(405, 10_405, "Method not allowed.")),
    }
}

pub(super) fn regional(zone: &mut Zone, request: &Request, hostname: Option<&str>) -> Answer {
    let text = |name: &str| request.body[name].as_str().unwrap_or_default().to_owned();
    let told = |(hostname, region): (&String, &String)| json!({ "hostname": hostname, "region_key": region });
    let unknown = || Refusal::with_status(404, 1_003, "The regional hostname was not found.");
    let regions = &mut zone.regions;
    match (&request.method, hostname) {
        (&Method::GET, None) => Ok((regions.iter().map(told).collect(), None)),
        (&Method::POST, None) => {
            let hostname = text("hostname");
            if regions.contains_key(&hostname) {
                return Err(Refusal::with_status(
                    409,
                    1_004,
                    "The regional hostname already exists.",
                ));
            }
            regions.insert(hostname.clone(), text("region_key"));
            Ok((json!({ "hostname": hostname }), None))
        }
        (&Method::PATCH, Some(hostname)) => {
            let region = regions.get_mut(hostname).ok_or_else(unknown)?;
            *region = text("region_key");
            Ok((json!({ "hostname": hostname }), None))
        }
        (&Method::DELETE, Some(hostname)) => {
            regions.remove(hostname).ok_or_else(unknown)?;
            Ok((Value::Null, None))
        }
        _ => Err(Refusal::with_status(405, 10_405, "Method not allowed.")),
    }
}
