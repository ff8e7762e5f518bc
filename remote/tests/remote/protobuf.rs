//! Messages of Protocol Buffers by the numbers of their fields, without any generated code.

/// A word of a list of fields.
#[derive(Debug)]
enum Word {
    Number(u64),
    Text(String),
    Open,
    Close,
}

struct Words<'a>(&'a str);

impl Iterator for Words<'_> {
    type Item = Word;

    fn next(&mut self) -> Option<Word> {
        self.0 = self.0.trim_start();
        let first = self.0.chars().next()?;
        let (word, length) = match first {
            '{' => (Word::Open, 1),
            '}' => (Word::Close, 1),
            '"' => {
                let mut texts = serde_json::Deserializer::from_str(self.0).into_iter::<String>();
                let text = texts.next().unwrap().unwrap();
                (Word::Text(text), texts.byte_offset())
            }
            _ => {
                let end = self.0.find(' ').unwrap_or(self.0.len());
                (Word::Number(self.0[..end].parse().unwrap()), end)
            }
        };
        self.0 = &self.0[length..];
        Some(word)
    }
}

/// Fields as `2 300`, `1 "text"` and `3 { 1 "text" }`, encoded.
pub fn encoded(fields: &str) -> Vec<u8> {
    level(&mut Words(fields))
}

/// The fields up to the end of their message.
fn level(words: &mut Words<'_>) -> Vec<u8> {
    let mut octets = Vec::new();
    while let Some(word) = words.next() {
        let number = match word {
            Word::Number(number) => number,
            Word::Close => break,
            other => panic!("{other:?} in the place of a field's number"),
        };
        match words.next().unwrap() {
            Word::Number(value) => {
                varint(number << 3, &mut octets);
                varint(value, &mut octets);
            }
            Word::Text(text) => lengthy(number, text.as_bytes(), &mut octets),
            Word::Open => lengthy(number, &level(words), &mut octets),
            Word::Close => panic!("a field {number} without a value"),
        }
    }
    octets
}

/// A field with its length before it.
pub fn lengthy(number: u64, content: &[u8], octets: &mut Vec<u8>) {
    varint((number << 3) | 2, octets);
    varint(content.len() as u64, octets);
    octets.extend_from_slice(content);
}

fn varint(mut value: u64, octets: &mut Vec<u8>) {
    while value >= 0x80 {
        octets.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
        value >>= 7;
    }
    octets.push(u8::try_from(value).unwrap());
}

/// The first field of a message, a text, and the rest.
pub fn first_text(octets: &[u8]) -> (&[u8], &[u8]) {
    assert_eq!(octets[0], 0x0a);
    let (mut length, mut place) = (0_usize, 1);
    loop {
        let octet = octets[place];
        length |= usize::from(octet & 0x7f) << (7 * (place - 1));
        place += 1;
        if octet < 0x80 {
            break;
        }
    }
    octets[place..].split_at(length)
}

/// The octets of hexadecimal digits.
pub fn octets_of_hex(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks_exact(2);
    pairs
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}
