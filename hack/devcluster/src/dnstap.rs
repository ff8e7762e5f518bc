//! Hearing of a DNS server's queries by dnstap: frame streams that hold protobuf.

use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};

/// A query that a DNS server got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The name asked for: lower case, with the dot at its end.
    pub name: String,
    /// The type asked for, as a number: 1 is A, 28 is AAAA.
    pub qtype: u16,
    /// When it arrived.
    pub at: SystemTime,
}

/// Listens for what a DNS server tells of its queries, as long as it lives or this process does.
#[derive(Debug)]
pub struct Tap {
    queries: Arc<Mutex<Vec<Query>>>,
}

impl Tap {
    /// Listens on a socket that is made at `path`.
    pub fn listen(path: &Path) -> Result<Self> {
        let listener =
            UnixListener::bind(path).with_context(|| format!("listening on {}", path.display()))?;
        let queries = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::downgrade(&queries);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let Some(queries) = kept.upgrade() else { return };
                // It connects anew after an error, and its queries meanwhile are lost to us.
                thread::spawn(move || receive(connection, &queries));
            }
        });
        Ok(Self { queries })
    }

    /// All queries so far.
    #[must_use]
    pub fn queries(&self) -> Vec<Query> {
        self.queries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Frame streams, bidirectional: the other side says READY, we ACCEPT, it STARTs, sends data, and
/// STOPs, which we answer with FINISH.
fn receive(mut connection: UnixStream, queries: &Mutex<Vec<Query>>) -> io::Result<()> {
    const ACCEPT: u32 = 1;
    const STOP: u32 = 3;
    const READY: u32 = 4;
    const FINISH: u32 = 5;
    loop {
        let frame = read_frame(&mut connection)?;
        if !frame.is_empty() {
            if let Some(query) = query(&frame) {
                queries.lock().unwrap_or_else(PoisonError::into_inner).push(query);
            }
            continue;
        }
        // An empty frame announces a control frame: its kind, and then fields such as the content
        // type, which an answer repeats.
        let control = read_frame(&mut connection)?;
        let Some((kind, fields)) = control.split_first_chunk::<4>() else {
            return Ok(());
        };
        let answer = match u32::from_be_bytes(*kind) {
            READY => [&ACCEPT.to_be_bytes(), fields].concat(),
            STOP => FINISH.to_be_bytes().to_vec(),
            _ => continue,
        };
        let length = u32::try_from(answer.len()).map_err(io::Error::other)?;
        connection.write_all(&[&[0; 4], &length.to_be_bytes()[..], &answer].concat())?;
    }
}

fn read_frame(connection: &mut UnixStream) -> io::Result<Vec<u8>> {
    const LIMIT: usize = 1 << 20;
    let mut length = [0; 4];
    connection.read_exact(&mut length)?;
    let length = usize::try_from(u32::from_be_bytes(length)).map_err(io::Error::other)?;
    if length > LIMIT {
        return Err(io::Error::other("a frame is too long to be a DNS message"));
    }
    let mut frame = vec![0; length];
    connection.read_exact(&mut frame)?;
    Ok(frame)
}

/// The query of one dnstap message; none if it tells of something else.
fn query(frame: &[u8]) -> Option<Query> {
    const MESSAGE: u64 = 14;
    const TIME_SECONDS: u64 = 8;
    const TIME_NANOSECONDS: u64 = 9;
    const QUERY: u64 = 10;
    let (_, Value::Bytes(message)) = Fields(frame).find(|(number, _)| *number == MESSAGE)? else {
        return None;
    };
    let (mut seconds, mut nanoseconds, mut wire) = (0, 0, None);
    for (number, value) in Fields(message) {
        match (number, value) {
            (TIME_SECONDS, Value::Number(value)) => seconds = value,
            (TIME_NANOSECONDS, Value::Number(value)) => nanoseconds = u32::try_from(value).ok()?,
            (QUERY, Value::Bytes(bytes)) => wire = Some(bytes),
            _ => {}
        }
    }
    let (name, qtype) = question(wire?)?;
    Some(Query {
        name,
        qtype,
        at: SystemTime::UNIX_EPOCH + Duration::new(seconds, nanoseconds),
    })
}

/// The name and the type of a DNS message's question.
fn question(message: &[u8]) -> Option<(String, u16)> {
    let mut rest = message.get(12..)?;
    let mut name = String::new();
    loop {
        let (length, tail) = rest.split_first()?;
        if *length == 0 {
            rest = tail;
            break;
        }
        let (label, tail) = tail.split_at_checked(usize::from(*length))?;
        name.push_str(&String::from_utf8_lossy(label).to_ascii_lowercase());
        name.push('.');
        rest = tail;
    }
    if name.is_empty() {
        name.push('.');
    }
    let (qtype, _) = rest.split_first_chunk::<2>()?;
    Some((name, u16::from_be_bytes(*qtype)))
}

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of a protobuf message.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (u64, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Number(self.varint()?),
            1 => Value::Number(u64::from_le_bytes(self.bytes(8)?.try_into().ok()?)),
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                Value::Bytes(self.bytes(length)?)
            }
            5 => Value::Number(u64::from(u32::from_le_bytes(self.bytes(4)?.try_into().ok()?))),
            _ => return None,
        };
        Some((key >> 3, value))
    }
}
