//! Words and character strings as zone files have them (RFC 1035, section 5.1).

use thiserror::Error;

/// The most octets of a character string (RFC 1035, section 3.3).
pub(crate) const MAX_STRING: usize = 255;

/// A word, or a character string in quotation marks.
pub(crate) struct Word {
    /// What it stands for: without the marks, and with the octets that were escaped.
    pub octets: Vec<u8>,
    /// Whether it had quotation marks.
    pub quoted: bool,
}

/// Why a text is no words.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum InvalidWords {
    /// There is no second quotation mark.
    #[error("{0:?} ends within a string")]
    OpenString(String),
    /// What follows a backslash is neither an octet nor its number.
    #[error("{0:?} has an escape that is cut off")]
    CutEscape(String),
}

/// The words of a text, which stand in quotation marks or between white space.
pub(crate) fn words(text: &str) -> Result<Vec<Word>, InvalidWords> {
    let mut words = Vec::new();
    let mut octets = text.bytes().peekable();
    while let Some(&octet) = octets.peek() {
        if octet.is_ascii_whitespace() {
            octets.next();
            continue;
        }
        let quoted = octet == b'"';
        if quoted {
            octets.next();
        }
        let mut word = Vec::new();
        loop {
            match octets.next() {
                Some(b'"') if quoted => break,
                None if quoted => return Err(InvalidWords::OpenString(text.into())),
                None => break,
                Some(octet) if !quoted && octet.is_ascii_whitespace() => break,
                Some(b'\\') => {
                    let octet = escaped(&mut octets);
                    word.push(octet.ok_or_else(|| InvalidWords::CutEscape(text.into()))?);
                }
                Some(octet) => word.push(octet),
            }
        }
        words.push(Word { octets: word, quoted });
    }
    Ok(words)
}

/// What follows a backslash: three digits, or the octet itself.
pub(crate) fn escaped(octets: &mut impl Iterator<Item = u8>) -> Option<u8> {
    let digit = |octet: u8| char::from(octet).to_digit(10);
    let first = octets.next()?;
    let Some(hundreds) = digit(first) else {
        return Some(first);
    };
    let (tens, ones) = (digit(octets.next()?)?, digit(octets.next()?)?);
    u8::try_from(hundreds * 100 + tens * 10 + ones).ok()
}
