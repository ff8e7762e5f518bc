//! Zones: every way to write one, and what only looks like one.

use proptest::prelude::*;
use proptest::sample::select;

/// Names beyond ASCII, in both spellings.
const INTERNATIONAL: &[&str] = &[
    "bücher.example",
    "xn--bcher-kva.example",
    "例え.テスト",
    "xn--r8jz45g.xn--zckzah",
    "faß.de",
    "ΣΑΣ.gr",
    "σας.gr",
    "İstanbul.example",
    "ıstanbul.example",
    "Ⅷ.example",
    "ǅ.example",
    "ẞ.example",
    "e\u{301}.example",
    "é.example",
    "😀.example",
    "א.example",
    "a\u{200d}b.example",
    "\u{feff}bom.example",
];
/// What may stand in a label.
const SIGNS: &[&str] = &[
    "/", ",", ":", "'", "=", "&", "(", ")", "{", "}", "$", "%", "!", "@", "~", ";", "|", "<", "?", "^", "`",
    "\\\\", "\\.", "\\046", "\\000", "\\999", "\"", "{{", "://", ":53", "/8",
];
/// Names, however odd.
const ODD: &[&str] = &[
    "{",
    "}",
    "(x)",
    "a,",
    "{}",
    "import",
    "*",
    "@",
    "$ORIGIN",
    "-",
    "--",
    "localhost",
    "10",
    "1.2.3.4",
    "2001:db8::1",
    "10.0.0.0/33",
    "DNS://up.test",
    "foo://bar.test",
    "a:5353",
    "a:",
];
/// At the edge of what is a zone, on both sides.
const EDGES: &[&str] = &[
    "",
    ".",
    "..",
    ".a",
    "a..b",
    "a.b..",
    "\\",
    "a\\",
    "a\\.",
    "é\\.",
    "日\\.",
    "a\\\\.",
    "é\\\\.",
    "\\.",
    ":",
    "::",
    "hostname.bind",
    "HOSTNAME.BIND.",
    "dns://hostname.bind",
    "dns://",
    "dns://.",
    "bind",
    "::/0",
    "::1/128",
    "0::/8",
    "00::/8",
    "0.0.0.0/0",
    "::ffff:10.0.0.0/104",
    "10.0.0.0/8/8",
    "10.0.0.0/",
    "010.0.0.0/8",
    "10.0.0.0/+8",
    "10.0.0.0/008",
    "fe80::%1/64",
    "[2001:db8::]/32",
    "in-addr.arpa",
    "ip6.arpa",
    "cluster.local",
];
/// What may end a word, a line or a block.
const BREAKS: &[&str] = &[
    " ",
    "\t",
    "\n",
    "\r",
    "\u{b}",
    "\u{85}",
    "\u{a0}",
    "\u{2003}",
    "\u{3000}",
    "#",
    "\"",
    "\0",
    "\u{1}",
    "\u{7f}",
    "\u{9f}",
    "{$HOME}",
    "{%HOME%}",
    "{$",
    "{%",
    "{$}",
    "{%%}",
    "{$NONE}",
    "$HOME",
    "\n}\n.:5353 {\n",
    ":5353 {\n    whoami\n}\nother.test",
];

/// A zone that CoreDNS serves, almost always.
pub fn zone() -> BoxedStrategy<String> {
    prop_oneof![
        8 => "[a-z]{3,10}(\\.[a-z]{2,5}){1,2}",
        2 => "[a-zA-Z]{3,10}\\.[A-Z]{2,4}\\.?",
        1 => "[a-z]{6,12}\\.",
        1 => "[0-9]{1,3}(\\.[0-9]{1,3}){0,2}\\.(in-addr\\.arpa|IN-ADDR\\.arpa\\.)",
        1 => "[0-9a-f](\\.[0-9a-f]){2,7}\\.ip6\\.arpa",
        3 => ipv4_block(),
        2 => ipv6_block(),
        1 => "_[a-z]{2,8}\\._(tcp|udp)\\.[a-z]{4,8}\\.test",
        1 => "(\\*|\\*\\.[a-z]{3,8}|[a-z]{2,4}\\*)\\.[a-z]{3,8}\\.test",
        1 => select(INTERNATIONAL)
        .prop_map(str::to_owned),
        1 => ("[a-z]{1,4}", select(SIGNS),
            "[a-z]{0,4}\\.test").prop_map(|(before, sign, after)| format!("{before}{sign}{after}")),
        1 => select(ODD)
            .prop_map(str::to_owned),
        1 => "dns://[a-z]{4,9}\\.test",
        1 => (1usize..64, "[a-z]{2,5}").prop_map(|(length, end)| format!("{}.{end}", "l".repeat(length))),
    ]
    .boxed()
}

fn ipv4_block() -> BoxedStrategy<String> {
    (any::<[u8; 4]>(), 0u8..33)
        .prop_map(|([a, b, c, d], length)| format!("{a}.{b}.{c}.{d}/{length}"))
        .boxed()
}

fn ipv6_block() -> BoxedStrategy<String> {
    (any::<std::net::Ipv6Addr>(), 0u8..129)
        .prop_map(|(address, length)| format!("{address}/{length}"))
        .boxed()
}

/// Another way to write a zone.
#[derive(Clone, Copy, Debug)]
pub enum Disguise {
    /// As it is.
    None,
    /// In capitals.
    Capitals,
    /// With a dot at the end, or without.
    Dot,
    /// With the scheme of plain DNS.
    Scheme,
    /// With a letter as its number, which CoreDNS does not see through.
    Escape,
    /// With what CoreDNS takes for a port, and is none here.
    Port,
    /// With a mask that has a zero more.
    LongMask,
    /// The reverse zone of an IPv4 address block at whole octets.
    Reverse,
}

pub fn disguise() -> BoxedStrategy<Disguise> {
    select(vec![
        Disguise::None,
        Disguise::Capitals,
        Disguise::Dot,
        Disguise::Scheme,
        Disguise::Escape,
        Disguise::Port,
        Disguise::LongMask,
        Disguise::Reverse,
    ])
    .boxed()
}

impl Disguise {
    /// The zone in disguise.
    pub fn of(self, zone: &str) -> String {
        match self {
            Self::None => zone.to_owned(),
            Self::Capitals => zone.to_uppercase(),
            Self::Dot => match zone.strip_suffix('.') {
                Some(bare) => bare.to_owned(),
                None => format!("{zone}."),
            },
            Self::Scheme => format!("dns://{zone}"),
            Self::Escape => {
                let mut letters = zone.chars();
                let first = letters.next().filter(char::is_ascii).unwrap_or('a');
                format!("\\{:03}{}", u32::from(first), letters.as_str())
            }
            Self::Port => format!("{zone}:5353"),
            Self::LongMask => zone.replace('/', "/0"),
            Self::Reverse => {
                let (address, mask) = zone.split_once('/').unwrap_or((zone, "8"));
                let octets = mask.parse::<usize>().unwrap_or(8) / 8;
                let mut labels: Vec<&str> = address.split('.').take(octets.max(1)).collect();
                labels.reverse();
                format!("{}.in-addr.arpa", labels.join("."))
            }
        }
    }
}

/// A zone with something wrong, or at the edge of it.
pub fn faulty() -> BoxedStrategy<String> {
    prop_oneof![
        4 => select(EDGES)
        .prop_map(str::to_owned),
        2 => (select(vec!["tls", "quic", "grpc", "https", "https3", "unix", "dns", "TLS", "http"]), "[a-z]{3,8}\\.test")
            .prop_map(|(scheme, zone)| format!("{scheme}://{zone}")),
        3 => (select(BREAKS),
            "[a-z]{0,5}", "[a-z]{0,5}(\\.test)?")
            .prop_map(|(sign, before, after)| format!("{before}{sign}{after}")),
        2 => (60usize..68, "[a-z]{0,4}").prop_map(|(length, end)| format!("{}.{end}", "l".repeat(length))),
        3 => (240usize..260, prop::bool::ANY, prop::bool::ANY).prop_map(|(length, dot, wide)| long(length, dot, wide)),
        3 => "[a.\\\\é0-9:]{1,10}",
        1 => "[0-9a-f.:/]{1,14}",
        1 => "[0-9]{1,3}\\.[0-9]{1,3}\\.0\\.0/[0-9]{1,3}",
        2 => any::<String>(),
    ]
    .boxed()
}

/// A name of so many octets in all, of short labels or long ones.
fn long(length: usize, dot: bool, wide: bool) -> String {
    let label = if wide { "l".repeat(63) } else { "l".to_owned() };
    let mut name = String::new();
    while name.len() < length {
        name.push_str(&label);
        name.push('.');
    }
    name.truncate(length - usize::from(dot));
    if dot {
        name.push('.');
    }
    name
}
