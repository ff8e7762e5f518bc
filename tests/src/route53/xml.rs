//! As much of XML as Route 53 speaks.

/// A record set on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordSet {
    /// As it is listed: with the final dot, and escaped.
    pub name: String,
    /// In capital letters.
    pub record_type: String,
    /// Its set identifier; empty for none.
    pub identifier: String,
    /// All else, by the names of the elements.
    pub parts: Vec<(String, String)>,
}

impl RecordSet {
    /// The set that an element is.
    #[must_use]
    pub fn parse(set: &str) -> Self {
        let mut parts = elements(&first(set, "ResourceRecordSet"));
        parts.sort();
        let mut take = |name: &str| {
            let place = parts.iter().position(|(found, _)| found == name);
            place.map(|place| parts.remove(place).1).unwrap_or_default()
        };
        let (name, record_type, identifier) = (take("Name"), take("Type"), take("SetIdentifier"));
        // What the service lists with a final dot.
        for (_, part) in parts.iter_mut().filter(|(part, _)| part == "AliasTarget") {
            let target = first(part, "DNSName");
            *part = part.replace(
                &format!(">{target}<"),
                &format!(">{}.<", target.trim_end_matches('.')),
            );
        }
        Self {
            name: format!(
                "{}.",
                name.trim_end_matches('.').to_lowercase().replace('*', "\\052")
            ),
            record_type,
            identifier,
            parts,
        }
    }

    /// As an element.
    #[must_use]
    pub fn xml(&self) -> String {
        let mut text = element("Name", &self.name) + &element("Type", &self.record_type);
        if !self.identifier.is_empty() {
            text += &element("SetIdentifier", &self.identifier);
        }
        let parts = self.parts.iter().map(|(name, inner)| element(name, inner));
        element("ResourceRecordSet", &parts.fold(text, |text, part| text + &part))
    }

    /// Its values.
    #[must_use]
    pub fn values(&self) -> Vec<String> {
        let records = self.parts.iter().find(|(name, _)| name == "ResourceRecords");
        let values = records.map(|(_, records)| all(records, "Value"));
        values
            .unwrap_or_default()
            .iter()
            .map(|value| unescaped(value))
            .collect()
    }

    /// What messages call it.
    #[must_use]
    pub fn shown(&self) -> String {
        let Self {
            name, record_type, ..
        } = self;
        match &*self.identifier {
            "" => format!("[name='{name}', type='{record_type}']"),
            identifier => format!("[name='{name}', type='{record_type}', set identifier='{identifier}']"),
        }
    }

    /// What it holds, for people: `name type identifier part=text ...`.
    #[must_use]
    pub fn line(&self) -> String {
        let part = |(name, inner): &(String, String)| match name.as_str() {
            "ResourceRecords" => self.values().join(" "),
            _ => format!("{name}={}", texts(inner)),
        };
        let parts: Vec<String> = self.parts.iter().map(part).collect();
        let words = [&self.name, &self.record_type, &self.identifier];
        let words = words.into_iter().filter(|word| !word.is_empty()).cloned();
        words.chain(parts).collect::<Vec<_>>().join(" ")
    }
}

/// An element with something in it.
#[must_use]
pub fn element(name: &str, inner: &str) -> String {
    format!("<{name}>{inner}</{name}>")
}

/// A set with a TTL and values.
#[must_use]
pub fn simple(name: &str, record_type: &str, ttl: u32, values: &[&str]) -> String {
    routed(name, record_type, "", ttl, values)
}

/// The same with elements for an identifier and a policy.
#[must_use]
pub fn routed(name: &str, record_type: &str, policy: &str, ttl: u32, values: &[&str]) -> String {
    let record = |value: &&str| {
        format!(
            "<ResourceRecord><Value>{}</Value></ResourceRecord>",
            escaped(value)
        )
    };
    let records: String = values.iter().map(record).collect();
    format!(
        "<ResourceRecordSet><Name>{name}</Name><Type>{record_type}</Type>{policy}<TTL>{ttl}</TTL><ResourceRecords>\
         {records}</ResourceRecords></ResourceRecordSet>"
    )
}

/// A set whose addresses are those of another name.
#[must_use]
pub fn alias(name: &str, record_type: &str, target: &str, zone: &str, health: bool) -> String {
    format!(
        "<ResourceRecordSet><Name>{name}</Name><Type>{record_type}</Type><AliasTarget><HostedZoneId>{zone}\
         </HostedZoneId><DNSName>{target}</DNSName><EvaluateTargetHealth>{health}</EvaluateTargetHealth></AliasTarget>\
         </ResourceRecordSet>"
    )
}

/// A whole answer.
#[must_use]
pub fn document(root: &str, inner: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<{root} xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">{inner}</{root}>"
    )
}

/// What is in the first element of a name; empty if there is none.
#[must_use]
pub fn first(xml: &str, name: &str) -> String {
    all(xml, name).into_iter().next().unwrap_or_default()
}

/// What is in each element of a name.
#[must_use]
pub fn all(xml: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let parts = xml.split(&open).skip(1);
    parts
        .map(|part| part.split(&close).next().unwrap_or_default().to_owned())
        .collect()
}

/// The elements of a text, each with what is in it.
fn elements(mut xml: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    while let Some((_, rest)) = xml.split_once('<') {
        let Some((name, rest)) = rest.split_once('>') else {
            break;
        };
        let Some((inner, rest)) = rest.split_once(&format!("</{name}>")) else {
            break;
        };
        let inner = inner.replace("&quot;", "\"").replace("&apos;", "'");
        found.push((name.to_owned(), inner));
        xml = rest;
    }
    found
}

/// The texts of elements, without the elements.
fn texts(inner: &str) -> String {
    let words = inner.split(['<', '>']).enumerate();
    let texts = words.filter(|(place, word)| place % 2 == 0 && !word.is_empty());
    texts.map(|(_, word)| word).collect::<Vec<_>>().join(",")
}

/// A text as it stands in an element.
#[must_use]
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn unescaped(text: &str) -> String {
    text.replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}
