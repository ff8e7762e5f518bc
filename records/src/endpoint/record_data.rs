//! Record data as it is written in endpoints, taken apart.

use crate::zone_file::words;

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
pub(super) fn naptr_replacement(text: &str) -> Option<String> {
    let words = words(text).ok()?.into_iter();
    let mut words = words.map(|word| String::from_utf8_lossy(&word.octets).into_owned());
    for _ in 0..2 {
        words.next()?.parse::<u16>().ok()?;
    }
    let name = words.nth(3)?;
    words.next().is_none().then_some(name)
}

/// How many octets each string of a TXT record has. A target that begins with a quotation
/// mark is a list of quoted strings, as in zone files; any other is one string as it stands.
/// None if a quoted string does not end, or something else stands between the strings.
pub(super) fn string_lengths(text: &str) -> Option<Vec<usize>> {
    if !text.starts_with('"') {
        return Some(vec![text.len()]);
    }
    let words = words(text).ok()?.into_iter();
    words
        .map(|word| word.quoted.then_some(word.octets.len()))
        .collect()
}
