//! Zones in one file of a directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use redb::{Builder, Database, DatabaseError, ReadableDatabase, ReadableTable, TableDefinition};

use super::{Store, StoreError, StoredList, StoredZone, ZoneWrite, row};
use crate::{Zone, ZoneId};

/// What is written and how; another number is not read.
const FORMAT: &str = "1";
/// The file's name in its directory.
const FILE: &str = "zones.redb";
/// The name of a file that could not be read. There is one, so that a disk does not fill.
const SET_ASIDE: &str = "zones.redb.set-aside";
/// The memory for pages, in bytes: what is read is read once.
const PAGE_MEMORY: usize = 4 << 20;

/// What the file is: its format, and for which provider; and which zones that has.
const HEADER: TableDefinition<'_, &str, &str> = TableDefinition::new("header");
/// The key of the header that has the zones of the provider.
const LIST: &str = "zones";
/// Zones by their identifiers.
const ZONES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("zones");
/// Names by the identifier of their zone.
const ROWS: TableDefinition<'_, (&str, &str), &[u8]> = TableDefinition::new("rows");

/// Keeps zones in the file `zones.redb` of a directory, which one process uses at a time.
pub struct FileStore {
    directory: PathBuf,
    identity: String,
    /// None after a failure, until the file is opened again.
    database: Option<Database>,
}

/// Why a file could not be used.
enum Trouble {
    /// Its contents are not ours, or broken.
    Contents(String),
    /// The file system says no.
    Access(String),
    /// Another process has it.
    InUse,
}

impl FileStore {
    /// The store in a directory, which is made if it is not there. A file that is broken,
    /// of another format, or kept for a provider of another `identity` is set aside.
    pub fn open(directory: &Path, identity: &str) -> Result<Self, StoreError> {
        let mut store = Self {
            directory: directory.to_owned(),
            identity: identity.to_owned(),
            database: None,
        };
        fs::create_dir_all(directory).map_err(|error| store.error(Trouble::Access(error.to_string())))?;
        store.reopen()?;
        Ok(store)
    }

    /// What a directory holds, for people to see: for which provider it was kept, and the
    /// zones. Changes nothing, and sets nothing aside.
    pub fn look(directory: &Path) -> Result<(String, Vec<StoredZone>), StoreError> {
        Self::look_into(directory, |identity, database| {
            Ok((identity, load(database).map_err(Trouble::Contents)?))
        })
    }

    /// For which provider a directory was kept. Changes nothing, and sets nothing aside.
    pub fn identity(directory: &Path) -> Result<String, StoreError> {
        Self::look_into(directory, |identity, _| Ok(identity))
    }

    /// Removes a directory with the files that a store keeps in it. One that has others stays,
    /// with these.
    pub fn remove_directory(directory: &Path) -> io::Result<()> {
        for file in [FILE, SET_ASIDE] {
            match fs::remove_file(directory.join(file)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        fs::remove_dir(directory)
    }

    fn look_into<T>(
        directory: &Path,
        look: impl FnOnce(String, &Database) -> Result<T, Trouble>,
    ) -> Result<T, StoreError> {
        let store = Self {
            directory: directory.to_owned(),
            identity: String::new(),
            database: None,
        };
        let looked = || {
            let mut builder = Builder::new();
            builder
                .set_cache_size(PAGE_MEMORY)
                .set_check_integrity_on_open(true);
            let database = builder.open(store.path()).map_err(trouble)?;
            let header = read_header(&database).map_err(|error| Trouble::Contents(error.to_string()))?;
            let (format, identity) = header.unwrap_or_default();
            if format != FORMAT {
                let reason = format!("it is of format {format:?}, and this program reads {FORMAT:?}");
                return Err(Trouble::Contents(reason));
            }
            look(identity, &database)
        };
        looked().map_err(|trouble| store.error(trouble))
    }

    /// Opens the file, a new one if what is there cannot be used.
    fn reopen(&mut self) -> Result<(), StoreError> {
        let opened = match open(&self.path(), &self.identity) {
            Err(Trouble::Contents(reason)) => {
                self.set_aside(&reason)?;
                open(&self.path(), &self.identity)
            }
            opened => opened,
        };
        self.database = Some(opened.map_err(|trouble| self.error(trouble))?);
        Ok(())
    }

    /// Moves the file out of the way.
    fn set_aside(&mut self, reason: &str) -> Result<(), StoreError> {
        self.database = None;
        let aside = self.directory.join(SET_ASIDE);
        fs::rename(self.path(), &aside).map_err(|error| self.error(Trouble::Access(error.to_string())))?;
        tracing::warn!(
            path = %self.path().display(),
            set_aside = %aside.display(),
            reason,
            "the record cache cannot be used and is set aside: zones are read again"
        );
        Ok(())
    }

    fn path(&self) -> PathBuf {
        self.directory.join(FILE)
    }

    fn error(&self, trouble: Trouble) -> StoreError {
        match trouble {
            Trouble::InUse => StoreError::InUse(self.path()),
            Trouble::Contents(reason) | Trouble::Access(reason) => StoreError::Failed {
                path: self.path(),
                reason,
            },
        }
    }

    /// Does something with the open file. After a failure it is opened anew, as redb asks.
    fn with<T>(&mut self, act: impl FnOnce(&Database) -> Result<T, redb::Error>) -> Result<T, StoreError> {
        if self.database.is_none() {
            self.reopen()?;
        }
        let Some(database) = &self.database else {
            return Err(self.error(Trouble::Access("it is not open".to_owned())));
        };
        act(database).map_err(|error| {
            self.database = None;
            self.error(Trouble::Access(error.to_string()))
        })
    }
}

impl Store for FileStore {
    fn load(&mut self) -> Result<Vec<StoredZone>, StoreError> {
        if self.database.is_none() {
            self.reopen()?;
        }
        let loaded = self.database.as_ref().map_or_else(|| Ok(Vec::new()), load);
        match loaded {
            Err(reason) => {
                self.set_aside(&reason)?;
                self.reopen()?;
                Ok(Vec::new())
            }
            Ok(zones) => Ok(zones),
        }
    }

    fn write(&mut self, zone: &Zone, write: &ZoneWrite) -> Result<(), StoreError> {
        let encoded = encode(zone, write).map_err(|error| self.error(Trouble::Access(error.to_string())))?;
        self.with(|database| put(database, &zone.id.0, write.whole, &encoded))
    }

    fn load_list(&mut self) -> Result<Option<StoredList>, StoreError> {
        self.with(|database| {
            let header = database.begin_read()?.open_table(HEADER)?;
            let text = header.get(LIST)?;
            // One that cannot be understood is listed again.
            Ok(text.and_then(|text| row::decode_list(text.value()).ok()))
        })
    }

    fn write_list(&mut self, list: &StoredList) -> Result<(), StoreError> {
        let text = row::encode_list(list).map_err(|error| self.error(Trouble::Access(error.to_string())))?;
        self.with(|database| {
            let transaction = database.begin_write()?;
            transaction.open_table(HEADER)?.insert(LIST, &*text)?;
            Ok(transaction.commit()?)
        })
    }

    fn remove(&mut self, zone: &ZoneId) -> Result<(), StoreError> {
        self.with(|database| {
            let transaction = database.begin_write()?;
            transaction.open_table(ZONES)?.remove(&*zone.0)?;
            let end = after(&zone.0);
            transaction
                .open_table(ROWS)?
                .retain_in((&*zone.0, "")..(&*end, ""), |_, _| false)?;
            Ok(transaction.commit()?)
        })
    }

    fn discard(&mut self) -> Result<(), StoreError> {
        self.database = None;
        let gone = match fs::remove_file(self.path()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            gone => gone,
        };
        gone.and_then(|()| fs::File::open(&self.directory)?.sync_all())
            .map_err(|error| self.error(Trouble::Access(error.to_string())))
    }
}

/// Opens or makes a file, with every page's checksum verified: redb may panic on pages
/// that it did not write.
fn open(path: &Path, identity: &str) -> Result<Database, Trouble> {
    let database = Builder::new()
        .set_cache_size(PAGE_MEMORY)
        .set_check_integrity_on_open(true)
        .create(path)
        .map_err(trouble)?;
    check_header(&database, identity)?;
    Ok(database)
}

fn trouble(error: DatabaseError) -> Trouble {
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => Trouble::InUse,
        DatabaseError::Storage(redb::StorageError::Io(error)) if !of_contents(&error) => {
            Trouble::Access(error.to_string())
        }
        error => Trouble::Contents(error.to_string()),
    }
}

/// Whether redb means the contents of a file when it speaks of its access.
fn of_contents(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
    )
}

/// Compares what the file is with what it should be; writes it into a new file.
fn check_header(database: &Database, identity: &str) -> Result<(), Trouble> {
    let access = |error: redb::Error| match error {
        redb::Error::Io(error) => Trouble::Access(error.to_string()),
        error => Trouble::Contents(error.to_string()),
    };
    let found = read_header(database).map_err(access)?;
    match found {
        None => write_header(database, identity).map_err(access),
        Some((format, _)) if format != FORMAT => Err(Trouble::Contents(format!(
            "it is of format {format:?}, and this program reads {FORMAT:?}"
        ))),
        Some((_, other)) if other != identity => Err(Trouble::Contents(format!(
            "it was kept for {other:?}, and the provider is {identity:?}"
        ))),
        Some(_) => Ok(()),
    }
}

/// Format and identity; none if the file is new. One that has tables of others, and no
/// header, has an empty format.
fn read_header(database: &Database) -> Result<Option<(String, String)>, redb::Error> {
    let transaction = database.begin_read()?;
    if transaction.list_tables()?.next().is_none() {
        return Ok(None);
    }
    let table = match transaction.open_table(HEADER) {
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(Some(Default::default())),
        table => table?,
    };
    let field = |key: &str| -> Result<String, redb::Error> {
        Ok(table
            .get(key)?
            .map(|value| value.value().to_owned())
            .unwrap_or_default())
    };
    Ok(Some((field("format")?, field("identity")?)))
}

fn write_header(database: &Database, identity: &str) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut table = transaction.open_table(HEADER)?;
        table.insert("format", FORMAT)?;
        table.insert("identity", identity)?;
        transaction.open_table(ZONES)?;
        transaction.open_table(ROWS)?;
    }
    Ok(transaction.commit()?)
}

/// All zones of a file.
fn load(database: &Database) -> Result<Vec<StoredZone>, String> {
    let read = || -> Result<Vec<StoredZone>, redb::Error> {
        let transaction = database.begin_read()?;
        let (zones, rows) = (transaction.open_table(ZONES)?, transaction.open_table(ROWS)?);
        let corrupted = |error: serde_json::Error| redb::Error::Corrupted(error.to_string());
        let mut loaded = Vec::new();
        for entry in zones.iter()? {
            let (id, text) = entry?;
            let mut zone = row::decode_zone(text.value()).map_err(corrupted)?;
            let end = after(id.value());
            for entry in rows.range((id.value(), "")..(&*end, ""))? {
                let (key, text) = entry?;
                zone.rows.push((
                    key.value().1.into(),
                    row::decode(text.value()).map_err(corrupted)?,
                ));
            }
            loaded.push(zone);
        }
        Ok(loaded)
    };
    read().map_err(|error| error.to_string())
}

/// A zone and its rows as texts; none of a row that goes.
struct Encoded<'a> {
    zone: Vec<u8>,
    rows: Vec<(&'a str, Option<Vec<u8>>)>,
}

fn encode<'a>(zone: &Zone, write: &'a ZoneWrite) -> serde_json::Result<Encoded<'a>> {
    let mut rows = Vec::with_capacity(write.rows.len());
    for (name, row) in &write.rows {
        let text = if row.is_empty() {
            None
        } else {
            Some(row::encode(row)?)
        };
        rows.push((&**name, text));
    }
    Ok(Encoded {
        zone: row::encode_zone(zone, write)?,
        rows,
    })
}

fn put(database: &Database, id: &str, whole: bool, encoded: &Encoded<'_>) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let known = transaction
            .open_table(ZONES)?
            .insert(id, &*encoded.zone)?
            .is_some();
        if !known && !whole {
            return Err(redb::Error::Corrupted(format!(
                "zone {id:?} is not there to be changed"
            )));
        }
        let mut rows = transaction.open_table(ROWS)?;
        if whole {
            rows.retain_in((id, "")..(&*after(id), ""), |_, _| false)?;
        }
        for (name, text) in &encoded.rows {
            match text {
                Some(text) => rows.insert((id, *name), &**text)?,
                None => rows.remove((id, *name))?,
            };
        }
    }
    Ok(transaction.commit()?)
}

/// The least identifier that comes after another one.
fn after(id: &str) -> String {
    format!("{id}\0")
}
