//! Routing policies: Gardener's parameters and the properties of external-dns that mean the
//! same.

use std::collections::BTreeMap;

use records::{Endpoint, Fault, Property};

use super::super::{fault, v1};

const WEIGHT: &str = "aws/weight";
const REGION: &str = "aws/region";
const FAILOVER: &str = "aws/failover";
const CONTINENT: &str = "aws/geolocation-continent-code";
const COUNTRY: &str = "aws/geolocation-country-code";
const SUBDIVISION: &str = "aws/geolocation-subdivision-code";
const COLLECTION: &str = "aws/cidr-collection-id";
const CIDR_LOCATION: &str = "aws/cidr-location-name";
const HEALTH_CHECK: &str = "aws/health-check-id";
pub(super) const EVALUATE_TARGET_HEALTH: &str = "aws/evaluate-target-health";

const TOLD: [&str; 10] = [
    WEIGHT,
    REGION,
    FAILOVER,
    CONTINENT,
    COUNTRY,
    SUBDIVISION,
    COLLECTION,
    CIDR_LOCATION,
    HEALTH_CHECK,
    EVALUATE_TARGET_HEALTH,
];

const HEALTH_CHECK_PARAMETER: &str = "healthCheckID";
const NO_HEALTH_PARAMETER: &str = "disableEvaluateTargetHealth";
const FAILOVER_PARAMETER: &str = "failoverRecordType";

/// Route 53's continents by the names that it has for them.
const CONTINENTS: [(&str, &str); 7] = [
    ("Africa", "AF"),
    ("Antarctica", "AN"),
    ("Asia", "AS"),
    ("Europe", "EU"),
    ("North America", "NA"),
    ("Oceania", "OC"),
    ("South America", "SA"),
];
/// Whoever is nowhere else; its code is that of a country.
const ELSEWHERE: (&str, &str) = ("Default", "*");

/// The kinds of policies, each with the parameters that it must have.
const KINDS: [(&str, &[&str]); 5] = [
    ("weighted", &["weight"]),
    ("latency", &["region"]),
    ("geolocation", &["location"]),
    ("ip-based", &["collection", "location"]),
    ("failover", &[FAILOVER_PARAMETER]),
];

/// A property.
pub(super) fn property(name: &str, value: &str) -> Property {
    Property {
        name: name.into(),
        value: value.into(),
    }
}

/// A property's value, if the record has it.
pub(super) fn value<'a>(record: &'a Endpoint, name: &str) -> Option<&'a str> {
    let properties = &record.provider_specific;
    let property = properties.iter().find(|property| &*property.name == name)?;
    Some(&property.value)
}

/// Whether a policy tells of this property.
pub(super) fn is_told(name: &str) -> bool {
    TOLD.contains(&name)
}

/// The policy that a record's properties mean; none where Gardener has no such policy.
pub(super) fn policy(record: &Endpoint) -> Option<v1::RoutingPolicy> {
    if record.set_identifier.is_empty() {
        return None;
    }
    let get = |name| value(record, name).map(str::to_owned);
    let mut parameters = BTreeMap::new();
    let mut put = |name: &str, value: String| {
        parameters.insert(name.to_owned(), value);
    };
    let kind = if let Some(weight) = get(WEIGHT) {
        put("weight", weight);
        "weighted"
    } else if let Some(region) = get(REGION) {
        put("region", region);
        "latency"
    } else if let Some(location) = location_text(record) {
        put("location", location);
        "geolocation"
    } else if let Some(collection) = get(COLLECTION) {
        put("collection", collection);
        put("location", get(CIDR_LOCATION).unwrap_or_default());
        "ip-based"
    } else {
        put(FAILOVER_PARAMETER, get(FAILOVER)?);
        if value(record, EVALUATE_TARGET_HEALTH) == Some("false") {
            put(NO_HEALTH_PARAMETER, "true".to_owned());
        }
        "failover"
    };
    if let Some(check) = get(HEALTH_CHECK) {
        put(HEALTH_CHECK_PARAMETER, check);
    }
    Some(v1::RoutingPolicy {
        r#type: kind.to_owned(),
        parameters,
    })
}

/// Adds the properties that mean a policy. A set with an identifier has one, and one
/// without has none.
pub(super) fn add(
    properties: &mut Vec<Property>,
    policy: Option<&v1::RoutingPolicy>,
    set_identifier: &str,
    is_alias: bool,
) -> Result<(), Fault> {
    let policy = match (policy, set_identifier) {
        (None, "") => return Ok(()),
        (None, identifier) => {
            let allowed = "it needs a routing policy beside it";
            return Err(fault("change.set_identifier", identifier, allowed));
        }
        (Some(policy), "") => {
            let allowed = "it needs a set identifier beside it";
            return Err(fault("change.routing_policy", &*policy.r#type, allowed));
        }
        (Some(policy), _) => policy,
    };
    let parameters = Parameters::checked(policy)?;
    let put = |name: &str, value: &str| property(name, value);
    match &*policy.r#type {
        "weighted" => properties.push(put(WEIGHT, &parameters.weight()?)),
        "latency" => properties.push(put(REGION, parameters.get("region"))),
        "geolocation" => properties.extend(location_properties(parameters.get("location"))?),
        "ip-based" => {
            properties.push(put(COLLECTION, parameters.get("collection")));
            properties.push(put(CIDR_LOCATION, parameters.get("location")));
        }
        _ => {
            properties.push(put(FAILOVER, &parameters.failover()?));
            if parameters.without_health(is_alias)? {
                properties.retain(|property| &*property.name != EVALUATE_TARGET_HEALTH);
                properties.push(put(EVALUATE_TARGET_HEALTH, "false"));
            }
        }
    }
    if let Some(check) = parameters.0.get(HEALTH_CHECK_PARAMETER) {
        properties.push(put(HEALTH_CHECK, check));
    }
    Ok(())
}

/// The parameters of a policy, all that it must have among them and no others.
struct Parameters<'a>(&'a BTreeMap<String, String>);

impl<'a> Parameters<'a> {
    fn checked(policy: &'a v1::RoutingPolicy) -> Result<Self, Fault> {
        let Some((kind, required)) = KINDS.iter().find(|(kind, _)| *kind == policy.r#type) else {
            let kinds = KINDS.map(|(kind, _)| kind).join(", ");
            let allowed = format!("{kinds} are allowed");
            return Err(fault("change.routing_policy.type", &*policy.r#type, allowed));
        };
        let is_optional = |name: &str| {
            name == HEALTH_CHECK_PARAMETER || (*kind == "failover" && name == NO_HEALTH_PARAMETER)
        };
        for name in *required {
            if !policy.parameters.contains_key(*name) {
                return Err(parameter_fault(name, "", format!("a policy {kind} needs it")));
            }
        }
        for (name, value) in &policy.parameters {
            if !required.contains(&&**name) && !is_optional(name) {
                return Err(parameter_fault(
                    name,
                    value,
                    format!(
                        "a policy {kind} has {} and {HEALTH_CHECK_PARAMETER}",
                        required.join(", ")
                    ),
                ));
            }
        }
        Ok(Self(&policy.parameters))
    }

    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    fn weight(&self) -> Result<String, Fault> {
        let text = self.get("weight");
        match text.trim().parse::<u8>() {
            Ok(weight) => Ok(weight.to_string()),
            Err(_) => Err(parameter_fault("weight", text, "it must be a number of 0 to 255")),
        }
    }

    fn failover(&self) -> Result<String, Fault> {
        let text = self.get(FAILOVER_PARAMETER);
        let upper = text.to_ascii_uppercase();
        if ["PRIMARY", "SECONDARY"].contains(&&*upper) {
            return Ok(upper);
        }
        let allowed = "PRIMARY and SECONDARY are allowed";
        Err(parameter_fault(FAILOVER_PARAMETER, text, allowed))
    }

    fn without_health(&self, is_alias: bool) -> Result<bool, Fault> {
        let Some(text) = self.0.get(NO_HEALTH_PARAMETER) else {
            return Ok(false);
        };
        match (is_alias, &**text) {
            (false, _) => Err(parameter_fault(NO_HEALTH_PARAMETER, text, "only aliases have it")),
            (true, "true") => Ok(true),
            (true, "false") => Ok(false),
            _ => Err(parameter_fault(
                NO_HEALTH_PARAMETER,
                text,
                "true and false are allowed",
            )),
        }
    }
}

fn parameter_fault(name: &str, value: &str, allowed: impl Into<String>) -> Fault {
    fault(
        format!("change.routing_policy.parameters[{name:?}]"),
        value,
        allowed,
    )
}

/// A place as Gardener writes it: the name of a continent, otherwise codes.
fn location_text(record: &Endpoint) -> Option<String> {
    if let Some(continent) = value(record, CONTINENT) {
        let named = CONTINENTS.iter().find(|(_, code)| *code == continent);
        return Some(named.map_or_else(
            || format!("continent={continent}"),
            |(name, _)| (*name).to_owned(),
        ));
    }
    let country = value(record, COUNTRY)?;
    Some(match value(record, SUBDIVISION) {
        Some(subdivision) => format!("country={country},subdivision={subdivision}"),
        None if country == ELSEWHERE.1 => ELSEWHERE.0.to_owned(),
        None => format!("country={country}"),
    })
}

fn location_properties(text: &str) -> Result<Vec<Property>, Fault> {
    if text == ELSEWHERE.0 {
        return Ok(vec![property(COUNTRY, ELSEWHERE.1)]);
    }
    if let Some((_, code)) = CONTINENTS.iter().find(|(name, _)| *name == text) {
        return Ok(vec![property(CONTINENT, code)]);
    }
    let codes: Vec<_> = text.split(',').map(|part| part.split_once('=')).collect();
    match codes[..] {
        [Some(("continent", code))] if is_code(code) => Ok(vec![property(CONTINENT, code)]),
        [Some(("country", code))] if is_code(code) => Ok(vec![property(COUNTRY, code)]),
        [Some(("country", country)), Some(("subdivision", part))] if is_code(country) && is_code(part) => {
            Ok(vec![property(COUNTRY, country), property(SUBDIVISION, part)])
        }
        _ => Err(parameter_fault(
            "location",
            text,
            "it must be the name of a continent, Default, or codes such as continent=EU, country=DE or \
             country=US,subdivision=CA",
        )),
    }
}

fn is_code(text: &str) -> bool {
    text == ELSEWHERE.1 || (!text.is_empty() && text.bytes().all(|octet| octet.is_ascii_alphanumeric()))
}
