//! Record data as Cloudflare has it, and as external-dns writes it. Pure.

use std::borrow::Cow;
use std::net::IpAddr;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{Name, RecordType};

/// The most octets of a character string (RFC 1035, section 3.3).
const MAX_STRING: usize = 255;

/// Record data as Cloudflare takes it: a text, a preference for some types, and parts by
/// name for others.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct RecordData {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Map<String, Value>>,
}

/// A part of record data.
#[derive(Clone, Copy)]
enum Part {
    /// A number.
    Number,
    /// One word.
    Word,
    /// The name of a host, without a final dot.
    Host,
    /// A text that is written in quotes.
    Quoted,
    /// One long word, in pieces perhaps.
    Hex,
    /// What is left, if anything.
    Rest,
}

/// The parts that Cloudflare takes record data in, in the order of zone files.
fn parts(record_type: &RecordType) -> Option<&'static [(&'static str, Part)]> {
    use Part::{Hex, Host, Number, Quoted, Rest, Word};
    Some(match record_type.as_str() {
        "CAA" => &[("flags", Number), ("tag", Word), ("value", Quoted)],
        "DS" => &[
            ("key_tag", Number),
            ("algorithm", Number),
            ("digest_type", Number),
            ("digest", Hex),
        ],
        "HTTPS" | "SVCB" => &[("priority", Number), ("target", Word), ("value", Rest)],
        "NAPTR" => &[
            ("order", Number),
            ("preference", Number),
            ("flags", Quoted),
            ("service", Quoted),
            ("regex", Quoted),
            ("replacement", Word),
        ],
        "SRV" => &[
            ("priority", Number),
            ("weight", Number),
            ("port", Number),
            ("target", Host),
        ],
        "SSHFP" => &[("algorithm", Number), ("type", Number), ("fingerprint", Hex)],
        "TLSA" => &[
            ("usage", Number),
            ("selector", Number),
            ("matching_type", Number),
            ("certificate", Hex),
        ],
        _ => return None,
    })
}

/// A target as Cloudflare takes it, or what is wrong with it.
pub(super) fn content(record_type: &RecordType, target: &str) -> Result<RecordData, String> {
    if let Some(parts) = parts(record_type) {
        return Ok(RecordData {
            data: Some(data(record_type, parts, target)?),
            ..RecordData::default()
        });
    }
    let text = match record_type {
        RecordType::Mx => {
            let (preference, host) = target
                .trim()
                .split_once(char::is_whitespace)
                .ok_or_else(|| malformed(record_type, target, "PREFERENCE HOST"))?;
            let preference = preference
                .parse()
                .map_err(|_| malformed(record_type, target, "PREFERENCE HOST"))?;
            return Ok(RecordData {
                content: Some(host_text(host.trim())),
                priority: Some(preference),
                data: None,
            });
        }
        RecordType::A | RecordType::Aaaa => target
            .parse::<IpAddr>()
            .map_or_else(|_| target.to_owned(), |address| address.to_string()),
        RecordType::Txt => character_strings(target),
        _ if record_type.holds_name() => host_text(target),
        _ => target.to_owned(),
    };
    Ok(RecordData {
        content: Some(text),
        ..RecordData::default()
    })
}

/// The target of a record that Cloudflare lists.
pub(super) fn target(
    record_type: &RecordType,
    content: &str,
    priority: Option<f64>,
    data: Option<&Map<String, Value>>,
) -> Box<str> {
    if let (Some(parts), Some(data)) = (parts(record_type), data)
        && let Some(text) = written(parts, data)
    {
        return text.into();
    }
    match (record_type, priority) {
        (RecordType::Mx, Some(preference)) => format!("{preference} {}", host_text(content)).into(),
        _ => canonical(record_type, content),
    }
}

/// A target as it is compared, and as the zone lists it. One that is malformed stays as it
/// is: writing it tells why.
pub(super) fn canonical(record_type: &RecordType, target: &str) -> Box<str> {
    match content(record_type, target) {
        Ok(RecordData { data: Some(data), .. }) => {
            let text = parts(record_type).and_then(|parts| written(parts, &data));
            text.map_or_else(|| target.into(), Into::into)
        }
        Ok(RecordData {
            content: Some(host),
            priority: Some(preference),
            ..
        }) => format!("{preference} {host}").into(),
        Ok(RecordData {
            content: Some(text), ..
        }) => text.into(),
        _ => target.into(),
    }
}

fn malformed(record_type: &RecordType, target: &str, form: &str) -> String {
    format!("targets: {target:?} is not allowed; a record of type {record_type} is {form}")
}

/// The parts of record data by their names.
fn data(
    record_type: &RecordType,
    parts: &[(&'static str, Part)],
    target: &str,
) -> Result<Map<String, Value>, String> {
    let form = || {
        let names: Vec<_> = parts.iter().map(|(name, _)| name.to_uppercase()).collect();
        malformed(record_type, target, &names.join(" "))
    };
    let words = words(target);
    let mut words = words.iter();
    let mut data = Map::new();
    for (name, part) in parts {
        let value = match part {
            Part::Rest => Value::from(words.by_ref().copied().collect::<Vec<_>>().join(" ")),
            Part::Hex => {
                let text = words.by_ref().copied().collect::<String>();
                if text.is_empty() {
                    return Err(form());
                }
                Value::from(text)
            }
            _ => {
                let word = words.next().ok_or_else(form)?;
                match part {
                    Part::Number => Value::from(word.parse::<u16>().map_err(|_| form())?),
                    Part::Host => Value::from(host_text(word)),
                    _ => Value::from(*word),
                }
            }
        };
        data.insert((*name).to_owned(), value);
    }
    if words.next().is_some() {
        return Err(form());
    }
    Ok(data)
}

/// The parts in the form of zone files; none if one is missing.
fn written(parts: &[(&'static str, Part)], data: &Map<String, Value>) -> Option<String> {
    let mut words = Vec::with_capacity(parts.len());
    for (name, part) in parts {
        let text = match data.get(*name) {
            Some(Value::String(text)) => Cow::Borrowed(text.as_str()),
            Some(Value::Number(number)) => Cow::Owned(number.to_string()),
            _ if matches!(part, Part::Rest) => continue,
            _ => return None,
        };
        match part {
            Part::Quoted => words.push(format!("\"{text}\"")),
            Part::Host => words.push(host_text(&text)),
            Part::Rest if text.is_empty() => {}
            _ => words.push(text.into_owned()),
        }
    }
    Some(words.join(" "))
}

/// The words of record data; one in quotes may have spaces, and loses the quotes.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (word, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        words.push(word);
        rest = after.trim_start();
    }
    words
}

/// A host as Cloudflare lists it.
fn host_text(host: &str) -> String {
    Name::parse(host).map_or_else(
        |_| host.trim_end_matches('.').to_owned(),
        |name| name.as_str().to_owned(),
    )
}

/// A text in quoted character strings of at most 255 octets, as Cloudflare splits it.
/// Texts that were written without quotes count as one string. Escapes stay as they are.
fn character_strings(text: &str) -> String {
    let quoted = text.len() >= 2 && text.starts_with('"') && text.ends_with('"');
    let joined = quoted.then(|| join_strings(text)).flatten();
    let bare = joined.unwrap_or_else(|| {
        text.chars()
            .flat_map(|c| {
                let escape = matches!(c, '"' | '\\').then_some('\\');
                escape.into_iter().chain([c])
            })
            .collect()
    });
    let mut written = String::with_capacity(bare.len() + 2);
    written.push('"');
    let (mut octets, mut rest) = (0, bare.as_str());
    while !rest.is_empty() {
        let (unit, size) = unit(rest);
        if octets + size > MAX_STRING {
            written.push_str("\" \"");
            octets = 0;
        }
        written.push_str(unit);
        octets += size;
        rest = &rest[unit.len()..];
    }
    written.push('"');
    written
}

/// What stands within the strings of a text; none if it is not strings alone.
fn join_strings(text: &str) -> Option<String> {
    let mut joined = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(mut inner) = rest.strip_prefix('"') {
        loop {
            if let Some(after) = inner.strip_prefix('"') {
                rest = after.trim_start();
                break;
            }
            if inner.is_empty() {
                return None;
            }
            let (unit, _) = unit(inner);
            joined.push_str(unit);
            inner = &inner[unit.len()..];
        }
    }
    rest.is_empty().then_some(joined)
}

/// The first character or escape of a text that is not empty, and how many octets it
/// stands for.
fn unit(text: &str) -> (&str, usize) {
    let number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(rest) = text.strip_prefix('\\') {
        if rest.get(..3).is_some_and(number) {
            return (&text[..4], 1);
        }
        let escaped = rest.chars().next().map_or(0, char::len_utf8);
        return (&text[..=escaped], escaped.max(1));
    }
    let size = text.chars().next().map_or(1, char::len_utf8);
    (&text[..size], size)
}
