//! Routing policies as properties of endpoints, by external-dns's names.

use aws_sdk_route53::types::builders::ResourceRecordSetBuilder;
use aws_sdk_route53::types::{
    CidrRoutingConfig, Coordinates, GeoLocation, GeoProximityLocation, ResourceRecordSet,
    ResourceRecordSetFailover, ResourceRecordSetRegion,
};

use super::record_set::Unwritable;
use crate::{Endpoint, Property};

const WEIGHT: &str = "aws/weight";
const REGION: &str = "aws/region";
const FAILOVER: &str = "aws/failover";
const MULTI_VALUE: &str = "aws/multi-value-answer";
const CONTINENT: &str = "aws/geolocation-continent-code";
const COUNTRY: &str = "aws/geolocation-country-code";
const SUBDIVISION: &str = "aws/geolocation-subdivision-code";
const PROXIMITY_REGION: &str = "aws/geoproximity-region";
const PROXIMITY_GROUP: &str = "aws/geoproximity-local-zone-group";
const PROXIMITY_COORDINATES: &str = "aws/geoproximity-coordinates";
const PROXIMITY_BIAS: &str = "aws/geoproximity-bias";
const HEALTH_CHECK: &str = "aws/health-check-id";
/// Not external-dns's: it does not know of routing by client address, and we must be able
/// to name what is there.
const CIDR_COLLECTION: &str = "aws/cidr-collection-id";
/// The other half of it.
const CIDR_LOCATION: &str = "aws/cidr-location-name";

/// What makes a policy: a set with an identifier has one of these.
const POLICIES: [&str; 10] = [
    WEIGHT,
    REGION,
    FAILOVER,
    MULTI_VALUE,
    CONTINENT,
    COUNTRY,
    PROXIMITY_REGION,
    PROXIMITY_GROUP,
    PROXIMITY_COORDINATES,
    CIDR_COLLECTION,
];

/// The properties that tell of a set's routing and health check.
pub(super) fn properties(set: &ResourceRecordSet) -> Vec<Property> {
    let mut found = Vec::new();
    let mut push = |name: &str, value: Option<&str>| {
        found.extend(value.map(|value| property(name, value)));
    };
    let weight = set.weight().map(|weight| weight.to_string());
    push(WEIGHT, weight.as_deref());
    push(REGION, set.region().map(ResourceRecordSetRegion::as_str));
    push(FAILOVER, set.failover().map(ResourceRecordSetFailover::as_str));
    push(MULTI_VALUE, set.multi_value_answer().filter(|is| *is).map(|_| ""));
    if let Some(place) = set.geo_location() {
        push(CONTINENT, place.continent_code());
        push(COUNTRY, place.country_code());
        push(SUBDIVISION, place.subdivision_code());
    }
    if let Some(place) = set.geo_proximity_location() {
        let bias = place.bias().map(|bias| bias.to_string());
        let coordinates = place.coordinates();
        let coordinates = coordinates.map(|place| format!("{},{}", place.latitude(), place.longitude()));
        push(PROXIMITY_REGION, place.aws_region());
        push(PROXIMITY_GROUP, place.local_zone_group());
        push(PROXIMITY_COORDINATES, coordinates.as_deref());
        push(PROXIMITY_BIAS, bias.as_deref());
    }
    if let Some(place) = set.cidr_routing_config() {
        push(CIDR_COLLECTION, Some(place.collection_id()));
        push(CIDR_LOCATION, Some(place.location_name()));
    }
    push(HEALTH_CHECK, set.health_check_id());
    found
}

/// Puts the routing that an endpoint's properties tell into a set.
pub(super) fn routed(
    endpoint: &Endpoint,
    set: ResourceRecordSetBuilder,
) -> Result<ResourceRecordSetBuilder, Unwritable> {
    let get = |name| value(endpoint, name);
    Ok(set
        .set_weight(get(WEIGHT).map(|text| number(WEIGHT, text, 0, 255)).transpose()?)
        .set_region(get(REGION).map(ResourceRecordSetRegion::from))
        .set_failover(get(FAILOVER).map(failover).transpose()?)
        .set_multi_value_answer(get(MULTI_VALUE).map(|_| true))
        .set_geo_location(location(endpoint))
        .set_geo_proximity_location(proximity(endpoint)?)
        .set_cidr_routing_config(cidr(endpoint)?)
        .set_health_check_id(get(HEALTH_CHECK).map(Into::into)))
}

/// A set with an identifier has a policy, and one with a policy an identifier.
pub(super) fn check(endpoint: &Endpoint) -> Result<(), Unwritable> {
    let policy = POLICIES.iter().find(|name| value(endpoint, name).is_some());
    match (endpoint.set_identifier.is_empty(), policy) {
        (false, None) => Err(Unwritable(format!(
            "setIdentifier: {:?} needs a routing policy beside it, such as {WEIGHT}",
            endpoint.set_identifier
        ))),
        (true, Some(policy)) => Err(Unwritable(format!(
            "{policy}: it needs a setIdentifier beside it"
        ))),
        _ => Ok(()),
    }
}

/// A property's value, if the endpoint has it.
pub(super) fn value<'a>(endpoint: &'a Endpoint, name: &str) -> Option<&'a str> {
    let properties = &endpoint.provider_specific;
    let property = properties.iter().find(|property| &*property.name == name)?;
    Some(&property.value)
}

/// A property.
pub(super) fn property(name: &str, value: &str) -> Property {
    Property {
        name: name.into(),
        value: value.into(),
    }
}

fn number(name: &str, text: &str, least: i64, most: i64) -> Result<i64, Unwritable> {
    text.trim()
        .parse()
        .ok()
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| {
            Unwritable(format!(
                "{name} is {text:?}: it must be a number from {least} to {most}"
            ))
        })
}

fn failover(text: &str) -> Result<ResourceRecordSetFailover, Unwritable> {
    ResourceRecordSetFailover::values()
        .contains(&text)
        .then(|| text.into())
        .ok_or_else(|| Unwritable(format!("{FAILOVER} is {text:?}: it must be PRIMARY or SECONDARY")))
}

/// A continent, or a country and a part of it: as external-dns, a continent counts first.
fn location(endpoint: &Endpoint) -> Option<GeoLocation> {
    let place = GeoLocation::builder();
    if let Some(continent) = value(endpoint, CONTINENT) {
        return Some(place.continent_code(continent).build());
    }
    let (country, subdivision) = (value(endpoint, COUNTRY), value(endpoint, SUBDIVISION));
    country.or(subdivision)?;
    let place = place.set_country_code(country.map(Into::into));
    Some(place.set_subdivision_code(subdivision.map(Into::into)).build())
}

fn proximity(endpoint: &Endpoint) -> Result<Option<GeoProximityLocation>, Unwritable> {
    let get = |name| value(endpoint, name);
    let (region, group) = (get(PROXIMITY_REGION), get(PROXIMITY_GROUP));
    let coordinates = get(PROXIMITY_COORDINATES).map(coordinates).transpose()?;
    if region.is_none() && group.is_none() && coordinates.is_none() {
        return Ok(None);
    }
    let bias = get(PROXIMITY_BIAS).map_or(Ok(0), |text| number(PROXIMITY_BIAS, text, -99, 99))?;
    let place = GeoProximityLocation::builder()
        .set_aws_region(region.map(Into::into))
        .set_local_zone_group(group.map(Into::into))
        .set_coordinates(coordinates)
        .set_bias(i32::try_from(bias).ok());
    Ok(Some(place.build()))
}

fn coordinates(text: &str) -> Result<Coordinates, Unwritable> {
    let invalid = || {
        Unwritable(format!(
            "{PROXIMITY_COORDINATES} is {text:?}: it must be a latitude from -90 to 90 and a longitude from -180 \
             to 180, such as 52.52,13.40"
        ))
    };
    let within = |part: &str, most: f64| part.parse::<f64>().is_ok_and(|degrees| degrees.abs() <= most);
    let (latitude, longitude) = text.split_once(',').ok_or_else(invalid)?;
    if !within(latitude, 90.0) || !within(longitude, 180.0) {
        return Err(invalid());
    }
    let place = Coordinates::builder().latitude(latitude).longitude(longitude);
    place.build().map_err(|_| invalid())
}

fn cidr(endpoint: &Endpoint) -> Result<Option<CidrRoutingConfig>, Unwritable> {
    let (collection, location) = (value(endpoint, CIDR_COLLECTION), value(endpoint, CIDR_LOCATION));
    if collection.is_none() && location.is_none() {
        return Ok(None);
    }
    let place = CidrRoutingConfig::builder()
        .set_collection_id(collection.map(Into::into))
        .set_location_name(location.map(Into::into))
        .build();
    let place = place.map_err(|_| Unwritable(format!("{CIDR_COLLECTION}, {CIDR_LOCATION}: both are needed")));
    place.map(Some)
}
