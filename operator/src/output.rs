//! What the commands print: text for people, JSON or YAML for programs.

use std::fmt;
use std::io::{self, Write};

use clap::ValueEnum;
use serde::Serialize;
use serde_json::Value;

/// How a command prints what it found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For programs.
    Yaml,
}

/// Something could not be printed.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// Nobody takes it.
    #[error("failed to write the output: {0}")]
    Write(#[from] io::Error),
    /// A defect of the program.
    #[error("failed to encode the output: {0}")]
    Encode(String),
}

impl Format {
    /// Prints something whose text is its [`Display`](fmt::Display).
    pub fn print<T: Serialize + fmt::Display>(
        self,
        found: &T,
        output: &mut dyn Write,
    ) -> Result<(), OutputError> {
        match self {
            Self::Text => output.write_all(found.to_string().as_bytes())?,
            Self::Json => output.write_all(to_json(found)?.as_bytes())?,
            Self::Yaml => {
                let value = serde_json::to_value(found).map_err(encode)?;
                output.write_all(to_yaml(&value)?.as_bytes())?;
            }
        }
        output.flush()?;
        Ok(())
    }
}

/// A value as a JSON document, with a line break at its end.
pub fn to_json(value: &impl Serialize) -> Result<String, OutputError> {
    serde_json::to_string_pretty(value)
        .map(|text| text + "\n")
        .map_err(encode)
}

/// A value as a YAML document.
pub fn to_yaml(value: &Value) -> Result<String, OutputError> {
    serde_saphyr::to_string(value).map_err(encode)
}

/// A value from a YAML document.
pub fn from_yaml(text: &str) -> Result<Value, serde_saphyr::Error> {
    serde_saphyr::from_str(text)
}

fn encode(error: impl fmt::Display) -> OutputError {
    OutputError::Encode(error.to_string())
}
