//! Record data as it is written in endpoints, taken apart.

/// The most octets of a string of text (RFC 1035, section 3.3).
pub(super) const MAX_STRING: usize = 255;

/// Numbers of 16 bits and the name after them: how MX and SRV are written. None if that
/// is not what the text is.
pub(super) fn numbers_and_name<const N: usize>(text: &str) -> Option<([u16; N], &str)> {
    let mut words = text.split_ascii_whitespace();
    let mut numbers = [0; N];
    for number in &mut numbers {
        *number = words.next()?.parse().ok()?;
    }
    let name = words.next()?;
    words.next().is_none().then_some((numbers, name))
}

/// The name that replaces another in a NAPTR record (RFC 3403, section 4.1), after two
/// numbers and three strings. None if that is not what the text is.
pub(super) fn naptr_replacement(text: &str) -> Option<&str> {
    let mut words = Words(text);
    for _ in 0..2 {
        words.next()?.parse::<u16>().ok()?;
    }
    for _ in 0..3 {
        words.next()?;
    }
    let name = words.next()?;
    words.next().is_none().then_some(name)
}

/// How many octets each string of a TXT record has. A target that begins with a quotation
/// mark is a list of quoted strings, as in zone files; any other is one string as it stands.
/// None if a quoted string does not end, or something else stands between the strings.
pub(super) fn string_lengths(text: &str) -> Option<Vec<usize>> {
    if !text.starts_with('"') {
        return Some(vec![text.len()]);
    }
    Words(text)
        .map(|word| unescaped_length(word.strip_prefix('"')?.strip_suffix('"')?))
        .collect()
}

/// How many octets a text has once `\"` and `\065` are what they stand for.
fn unescaped_length(text: &str) -> Option<usize> {
    let mut octets = text.bytes();
    let mut length = 0;
    while let Some(octet) = octets.next() {
        if octet == b'\\' && octets.next()?.is_ascii_digit() {
            octets.next()?;
            octets.next()?;
        }
        length += 1;
    }
    Some(length)
}

/// Words between white space, which may be quoted strings; they keep their marks. A string
/// that does not end is a word without its second mark.
struct Words<'a>(&'a str);

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let text = self.0.trim_ascii_start();
        if text.is_empty() {
            return None;
        }
        let end = if text.starts_with('"') {
            end_of_quoted(text)
        } else {
            text.find(|letter: char| letter.is_ascii_whitespace())
        };
        let (word, rest) = text.split_at(end.unwrap_or(text.len()));
        self.0 = rest;
        Some(word)
    }
}

/// Where the quoted string ends with which a text begins.
fn end_of_quoted(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (index, octet) in text.bytes().enumerate().skip(1) {
        match octet {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(index + 1),
            _ => {}
        }
    }
    None
}
