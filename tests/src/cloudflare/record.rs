//! One record, and what Cloudflare takes for one.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::{Map, Value, json};

use super::request::Refusal;

/// Types whose data is taken in parts, with the names of those.
const PARTS: [(&str, &[&str]); 5] = [
    ("CAA", &["flags", "tag", "value"]),
    ("DS", &["key_tag", "algorithm", "digest_type", "digest"]),
    ("SRV", &["priority", "weight", "port", "target"]),
    ("SSHFP", &["algorithm", "type", "fingerprint"]),
    ("TLSA", &["usage", "selector", "matching_type", "certificate"]),
];

/// One record.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// 32 hexadecimal digits; the later it was made, the greater.
    pub id: String,
    /// The whole name, in small letters.
    pub name: String,
    /// In capital letters.
    pub record_type: String,
    /// The data as a text.
    pub content: String,
    /// Of MX records.
    pub priority: Option<u64>,
    /// The data in parts, of types that have some.
    pub data: Option<Map<String, Value>>,
    /// In seconds; 1 is automatic.
    pub ttl: u64,
    /// Whether traffic goes through Cloudflare.
    pub proxied: bool,
    /// A note.
    pub comment: String,
    /// Tags.
    pub tags: Vec<String>,
    /// When it was made.
    pub created_on: String,
    /// When it was last changed.
    pub modified_on: String,
}

impl Record {
    /// A record without anything special.
    #[must_use]
    pub fn plain(name: &str, record_type: &str, content: &str) -> Self {
        Self {
            id: String::new(),
            name: name.to_owned(),
            record_type: record_type.to_owned(),
            content: content.to_owned(),
            priority: None,
            data: None,
            ttl: 1,
            proxied: false,
            comment: String::new(),
            tags: Vec::new(),
            created_on: String::new(),
            modified_on: String::new(),
        }
    }

    /// In one line, such as `a.example.com A 192.0.2.1 ttl=300 proxied`.
    #[must_use]
    pub fn line(&self) -> String {
        let texts = |name: &str, text: &str| (!text.is_empty()).then(|| format!("{name}={text}"));
        let parts = [
            Some(self.name.clone()),
            Some(self.record_type.clone()),
            self.priority.map(|priority| priority.to_string()),
            Some(self.content.clone()),
            (self.ttl != 1).then(|| format!("ttl={}", self.ttl)),
            self.proxied.then(|| "proxied".to_owned()),
            texts("comment", &self.comment),
            texts("tags", &self.tags.join(",")),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    /// What was sent over what there is; over defaults for a record that is new.
    pub(super) fn changed(mut self, sent: &Value, zone: &str) -> Result<Self, Refusal> {
        let text = |name: &str| sent.get(name).and_then(Value::as_str);
        if let Some(name) = text("name") {
            self.name = whole_name(name, zone);
        }
        if let Some(record_type) = text("type") {
            record_type.clone_into(&mut self.record_type);
        }
        if let Some(content) = text("content") {
            content.clone_into(&mut self.content);
        }
        let number = |name: &str| sent.get(name).and_then(Value::as_f64);
        if let Some(ttl) = number("ttl") {
            self.ttl = whole(ttl);
        }
        if let Some(priority) = number("priority").filter(|_| self.record_type == "MX") {
            self.priority = Some(whole(priority));
        }
        if let Some(data) = sent.get("data").and_then(Value::as_object) {
            self.data = Some(data.clone());
        }
        if let Some(proxied) = sent.get("proxied").and_then(Value::as_bool) {
            self.proxied = proxied;
        }
        if let Some(comment) = text("comment") {
            comment.clone_into(&mut self.comment);
        }
        if let Some(tags) = sent.get("tags").and_then(Value::as_array) {
            let tags = tags.iter().filter_map(Value::as_str);
            self.tags = tags.map(str::to_owned).collect();
        }
        self.check(zone)?;
        if self.proxied {
            self.ttl = 1;
        }
        Ok(self)
    }

    fn check(&mut self, zone: &str) -> Result<(), Refusal> {
        let refuse = |code, message: &str| Err(Refusal::new(code, message));
        if self.record_type.is_empty() || self.name.is_empty() {
            return refuse(9_207, "Request body is invalid.");
        }
        if self.name != zone && !self.name.ends_with(&format!(".{zone}")) || !is_host(&self.name) {
            return refuse(9_000, "DNS name is invalid.");
        }
        if self.ttl != 1 && !(60..=86_400).contains(&self.ttl) {
            return refuse(
                9_021,
                "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.",
            );
        }
        if self.proxied && !matches!(self.record_type.as_str(), "A" | "AAAA" | "CNAME") {
            return refuse(9_041, "This DNS record cannot be proxied.");
        }
        if let Some((_, parts)) = PARTS.iter().find(|(of, _)| *of == self.record_type) {
            return self.check_parts(parts);
        }
        let content = self.content.as_str();
        match self.record_type.as_str() {
            "A" if content.parse::<Ipv4Addr>().is_err() => {
                refuse(9_005, "Content for A record must be a valid IPv4 address.")
            }
            "AAAA" if content.parse::<Ipv6Addr>().is_err() => {
                refuse(9_006, "Content for AAAA record must be a valid IPv6 address.")
            }
            "CNAME" if !is_host(content) => {
                refuse(9_007, "Content for CNAME record must be a valid hostname.")
            }
            "NS" | "PTR" if !is_host(content) => refuse(
                9_008,
                &format!("Content for {} record must be a hostname.", self.record_type),
            ),
            "MX" if !is_host(content) => refuse(9_009, "Content for MX record must be a hostname."),
            "MX" if self.priority.is_none() => refuse(9_100, "priority is a required field."),
            "TXT" if content.is_empty() || content.len() > 4_096 => {
                refuse(9_042, "Content for TXT record must be 1 to 4096 octets.")
            }
            "A" | "AAAA" | "CNAME" | "NS" | "PTR" | "MX" | "TXT" => Ok(()),
            _ => refuse(9_039, "The record type is not valid."),
        }
    }

    fn check_parts(&mut self, parts: &[&str]) -> Result<(), Refusal> {
        let data = self.data.clone().unwrap_or_default();
        let mut words = Vec::with_capacity(parts.len());
        for part in parts {
            match data.get(*part) {
                Some(Value::String(text)) if !text.is_empty() => words.push(text.clone()),
                Some(Value::Number(number)) => words.push(number.to_string()),
                _ => {
                    return Err(Refusal::new(9_101, format!("{part} is a required data field.")));
                }
            }
        }
        self.content = words.join(" ");
        Ok(())
    }

    /// As it is answered.
    pub(super) fn told(&self, zone: &str) -> Value {
        let proxiable = matches!(self.record_type.as_str(), "A" | "AAAA" | "CNAME");
        let mut told = json!({
            "id": self.id, "zone_name": zone, "name": self.name, "type": self.record_type,
            "content": self.content, "proxiable": proxiable, "proxied": self.proxied, "ttl": self.ttl,
            "settings": {}, "meta": {}, "tags": self.tags,
            "comment": (!self.comment.is_empty()).then_some(&self.comment),
            "created_on": self.created_on, "modified_on": self.modified_on,
        });
        if let Some(priority) = self.priority {
            told["priority"] = priority.into();
        }
        if let Some(data) = &self.data {
            told["data"] = data.clone().into();
        }
        told
    }
}

/// A number without what is behind its point.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "Go sends whole numbers as such"
)]
fn whole(number: f64) -> u64 {
    number as u64
}

fn whole_name(name: &str, zone: &str) -> String {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    if name == "@" || name == zone {
        zone.to_owned()
    } else if name.ends_with(&format!(".{zone}")) {
        name
    } else {
        format!("{name}.{zone}")
    }
}

fn is_host(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_*".contains(&byte))
    };
    name.len() <= 253 && name.trim_end_matches('.').split('.').all(label) && name.parse::<Ipv4Addr>().is_err()
}
