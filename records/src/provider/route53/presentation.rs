//! Names and texts as Route 53 writes them: octets beyond letters, digits, `-` and `_` as
//! `\ooo`, in octal.

/// The most octets of a string of text (RFC 1035, section 3.3).
const MAX_STRING: usize = 255;

/// A name that Route 53 lists, without the final dot, as the rest of the engine spells it:
/// what is plain ASCII is not escaped. Dots within labels and what is not printable stay as
/// they are listed.
pub(super) fn name(listed: &str) -> String {
    let bare = listed.strip_suffix('.').unwrap_or(listed);
    let mut text = String::with_capacity(bare.len());
    let mut rest = bare;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let escape = rest.get(at..at + 4).unwrap_or(&rest[at..]);
        match octal(&escape[1..]) {
            Some(octet) if octet.is_ascii_graphic() && octet != b'.' && octet != b'\\' => {
                text.push(char::from(octet.to_ascii_lowercase()));
            }
            _ => text.push_str(escape),
        }
        rest = &rest[at + escape.len()..];
    }
    text.push_str(rest);
    text
}

/// Text in quotation marks, as several strings where one is too long.
pub(super) fn quoted(octets: &[u8]) -> String {
    let strings: Vec<String> = octets.chunks(MAX_STRING).map(string).collect();
    if strings.is_empty() {
        return "\"\"".into();
    }
    strings.join(" ")
}

/// The text of a TXT record as Route 53 lists it: what people write in quotation marks is
/// as in zone files (RFC 1035, section 5.1: escapes in decimal), anything else is the text
/// itself. None if that does not end.
pub(super) fn text(wanted: &str) -> Option<String> {
    if !wanted.starts_with('"') {
        return Some(quoted(wanted.as_bytes()));
    }
    let mut strings = Vec::new();
    let mut octets = wanted.bytes().peekable();
    while let Some(octet) = octets.next() {
        match octet {
            b'"' => strings.push(string(&until_quote(&mut octets)?)),
            octet if octet.is_ascii_whitespace() => {}
            _ => return None,
        }
    }
    Some(strings.join(" "))
}

/// A text as a zone that Route 53 lists has it, whether it is quoted already or not.
pub(super) fn value(text: &str) -> String {
    if text.starts_with('"') {
        text.to_owned()
    } else {
        quoted(text.as_bytes())
    }
}

fn until_quote(octets: &mut impl Iterator<Item = u8>) -> Option<Vec<u8>> {
    let mut string = Vec::new();
    loop {
        match octets.next()? {
            b'"' => return Some(string),
            b'\\' => string.push(decimal_escape(octets)?),
            octet => string.push(octet),
        }
    }
}

/// What follows a backslash in a zone file: three digits, or the octet itself.
fn decimal_escape(octets: &mut impl Iterator<Item = u8>) -> Option<u8> {
    let digit = |octet: u8| char::from(octet).to_digit(10);
    let first = octets.next()?;
    let Some(hundreds) = digit(first) else {
        return Some(first);
    };
    let (tens, ones) = (digit(octets.next()?)?, digit(octets.next()?)?);
    u8::try_from(hundreds * 100 + tens * 10 + ones).ok()
}

/// The octet that three octal digits stand for.
fn octal(digits: &str) -> Option<u8> {
    (digits.len() == 3).then(|| u8::from_str_radix(digits, 8).ok())?
}

/// One string in quotation marks.
fn string(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len() + 2);
    text.push('"');
    for &octet in octets {
        match octet {
            b'"' | b'\\' => text.extend(['\\', char::from(octet)]),
            b' '..=b'~' => text.push(char::from(octet)),
            other => {
                text.push('\\');
                for digit in [other >> 6, other >> 3 & 7, other & 7] {
                    text.push(char::from(b'0' + digit));
                }
            }
        }
    }
    text.push('"');
    text
}
