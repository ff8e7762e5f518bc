//! The documents of a file. Pure.

use std::path::Path;

use serde_json::Value;
use serde_saphyr::{budget, options};

use super::FileError;
use crate::source::{Origin, Wanted};

/// What `DNSEndpoint` documents begin with.
const API_VERSION: &str = "externaldns.k8s.io/v1alpha1";
const KIND: &str = "DNSEndpoint";
/// What else may be in a list of objects.
const LISTS: [&str; 2] = ["DNSEndpointList", "List"];
/// What a document may be.
const ALLOWED: &str = "must be a list of endpoints, an object with the list endpoints, or a DNSEndpoint of externaldns.k8s.io/v1alpha1";

/// What the text of a file wants.
pub fn read(path: &Path, text: &str) -> Result<Wanted, FileError> {
    let documents = parse(path, text).map_err(|message| FileError::Parse {
        file: path.into(),
        message,
    })?;
    if documents.is_empty() {
        return Err(FileError::Empty { file: path.into() });
    }
    let mut wanted = Wanted::default();
    for (index, document) in documents.iter().enumerate() {
        let number = index + 1;
        take(document, path, number, &mut wanted).map_err(|message| FileError::Document {
            file: path.into(),
            document: number,
            message,
        })?;
    }
    Ok(wanted)
}

/// The documents, without the empty ones. JSON documents one after the other are no YAML,
/// so that what may be JSON is read as such first.
fn parse(path: &Path, text: &str) -> Result<Vec<Value>, String> {
    let json: Result<Vec<Value>, _> = serde_json::Deserializer::from_str(text).into_iter().collect();
    let documents = match json {
        Ok(documents) => documents,
        Err(error) if path.extension().is_some_and(|ending| ending == "json") => {
            return Err(error.to_string());
        }
        // The parser's own limits are for small files. Aliases stay limited: they are what
        // makes much of little.
        Err(_) => serde_saphyr::from_multiple_with_options(
            text,
            options! {
                with_snippet: false,
                budget: budget! {
                    max_events: usize::MAX,
                    max_nodes: usize::MAX,
                    max_documents: usize::MAX,
                    max_total_scalar_bytes: usize::MAX,
                },
            },
        )
        .map_err(|error| error.to_string())?,
    };
    Ok(documents
        .into_iter()
        .filter(|document: &Value| !document.is_null())
        .collect())
}

/// Takes in a document.
fn take(document: &Value, path: &Path, number: usize, wanted: &mut Wanted) -> Result<(), String> {
    let origin = |resource: String| Origin {
        resource: resource.into(),
        file: Some((path.display().to_string().into(), number)),
    };
    let text = |pointer| document.pointer(pointer).and_then(Value::as_str);
    if let Value::Array(list) = document {
        wanted.take(list, &origin(resource_of_file(path)));
        return Ok(());
    }
    let Some(kind) = text("/kind") else {
        let list = document.get("endpoints").ok_or(ALLOWED)?;
        wanted.take(list_in(list, "endpoints")?, &origin(resource_of_file(path)));
        return Ok(());
    };
    if LISTS.contains(&kind) {
        for item in list_in(&document["items"], "items")? {
            take(item, path, number, wanted)?;
        }
        return Ok(());
    }
    let api_version = text("/apiVersion").unwrap_or_default();
    if (api_version, kind) != (API_VERSION, KIND) {
        return Err(format!("is a {kind} of {api_version:?}; it {ALLOWED}"));
    }
    let namespace = text("/metadata/namespace").unwrap_or("default");
    let name = text("/metadata/name").ok_or("metadata.name: is missing")?;
    let list = list_in(&document["spec"]["endpoints"], "spec.endpoints")?;
    wanted.take(list, &origin(format!("file/{namespace}/{name}")));
    Ok(())
}

fn list_in<'a>(value: &'a Value, field: &str) -> Result<&'a [Value], String> {
    match value {
        Value::Array(list) => Ok(list),
        Value::Null => Ok(&[]),
        _ => Err(format!("{field}: must be a list of endpoints")),
    }
}

/// What endpoints belong to that no object holds: the folder's own name and that of the
/// file, without what would end the text of an ownership record.
fn resource_of_file(path: &Path) -> String {
    let word = |name: Option<&std::ffi::OsStr>| {
        let name = name.unwrap_or_default().to_string_lossy();
        name.replace(
            |letter: char| matches!(letter, ',' | '"' | '\\' | '/') || letter.is_control() || letter == ' ',
            "_",
        )
    };
    let folder = word(path.parent().and_then(Path::file_name));
    format!("file/{folder}/{}", word(path.file_name()))
}
