//! Pages of lists.

use serde_json::{Value, json};

use super::request::{Refusal, Request};
use super::zone::Zone;

/// A page of some items, and which one it is.
pub(super) fn page<'a, T: 'a>(
    request: &Request,
    (default, most): (usize, usize),
    items: impl ExactSizeIterator<Item = T>,
    told: impl Fn(T) -> Value,
) -> Result<(Value, Option<Value>), Refusal> {
    let number = |name: &str, default: usize| match request.parameter(name) {
        None => Ok(default),
        Some(text) => text
            .parse::<usize>()
            .map_err(|_| Refusal::new(9_207, format!("{name} is invalid."))),
    };
    let (page, per_page) = (number("page", 1)?.max(1), number("per_page", default)?);
    if !(1..=most).contains(&per_page) {
        return Err(Refusal::new(9_207, format!("per_page must be 1 to {most}.")));
    }
    let total = items.len();
    let result: Vec<Value> = items
        .skip((page - 1) * per_page)
        .take(per_page)
        .map(told)
        .collect();
    let info = json!({
        "page": page, "per_page": per_page, "count": result.len(),
        "total_count": total, "total_pages": total.div_ceil(per_page),
    });
    Ok((result.into(), Some(info)))
}

/// The records of a zone that a request asks for.
pub(super) fn records(zone: &Zone, request: &Request) -> Result<(Value, Option<Value>), Refusal> {
    const ORDERS: [&str; 5] = ["type", "name", "content", "ttl", "proxied"];
    if let Some(order) = request.parameter("order")
        && !ORDERS.contains(&order)
    {
        return Err(Refusal::new(
            9_207,
            format!("order must be one of {}.", ORDERS.join(", ")),
        ));
    }
    let told = |record: &super::Record| record.told(&zone.name);
    match request
        .parameter("name.exact")
        .or_else(|| request.parameter("name"))
    {
        Some(name) => {
            let records: Vec<_> = zone.at(&name.to_ascii_lowercase()).collect();
            page(request, (100, 5_000), records.into_iter(), told)
        }
        None => page(request, (100, 5_000), zone.records.values(), told),
    }
}
