//! Rows out of files and bodies: CSV, XLSX, NDJSON, JSON, XML.
//!
//! Every format ends in the same thing: JSON values, a [`Batch`] at a time, so that a file of any
//! length passes through bounded memory. A row that cannot be read is a problem of its own and costs
//! no other row; a file that cannot be read on is a [`FormatError`], and never a silent end.
//!
//! To add a format: a variant of [`Format`], a file here whose reader implements [`Source`], a line in
//! [`decode`].

mod csv;
mod json;
mod ndjson;
mod table;
mod text;
mod xlsx;
pub(crate) mod xml;

use std::io::{Read, Seek, SeekFrom};
use std::sync::{Mutex, PoisonError};

use cadre_model::fault::{Code, Fault};
use serde_json::Value;

/// A batch ends after the row that takes it over this size, in bytes of text.
pub const BATCH_BYTES: usize = 4 << 20;
/// Largest single row, in bytes.
pub const MAX_ROW_BYTES: usize = 32 << 20;
/// Largest file in a format that has to be read whole (JSON), in bytes.
pub const MAX_WHOLE_BYTES: u64 = 64 << 20;

/// How a file is written.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Default,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// By the ending of the file's name.
    #[default]
    Auto,
    /// A header row, then rows of text.
    Csv,
    /// A workbook.
    Xlsx,
    /// One JSON document: an array is its rows, anything else is one row.
    Json,
    /// One JSON document per line.
    Ndjson,
    /// One XML document, which is one row.
    Xml,
}

impl Format {
    /// The format that a file's name promises.
    #[must_use]
    pub fn of_name(file_name: &str) -> Option<Format> {
        let (_, ending) = file_name.rsplit_once('.')?;
        match ending.to_ascii_lowercase().as_str() {
            "csv" | "tsv" | "txt" => Some(Format::Csv),
            "xlsx" | "xlsm" => Some(Format::Xlsx),
            "json" => Some(Format::Json),
            "ndjson" | "jsonl" => Some(Format::Ndjson),
            "xml" => Some(Format::Xml),
            _ => None,
        }
    }
}

/// What there is to say besides the format.
#[derive(Debug, Clone, Default)]
pub struct DecodeOptions {
    /// Name of the sheet of a workbook; the first visible one when absent.
    pub sheet: Option<String>,
    /// Delimiter of CSV; recognised when absent.
    pub delimiter: Option<u8>,
    /// Whether nothing at all counts as no rows, as in the body of an answer. In a file it is a failure,
    /// because an empty file is more often a broken export than a company without people.
    pub allow_empty: bool,
    /// XML elements that are lists even when they are there once.
    pub lists: Vec<String>,
}

/// Why a file, or one row of it, could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentence())]
pub struct FormatError {
    /// Name of the file.
    pub file: String,
    /// Line in the file, or row in the sheet, counted from 1: where the record begins.
    pub line: Option<u64>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl FormatError {
    fn new(file: &str, line: impl Into<Option<u64>>, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: line.into(), message: message.into(), hint: None }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    fn unreadable(file: &str, error: &std::io::Error) -> Self {
        Self::new(file, None, format!("The file could not be read: {error}."))
    }

    /// File, line and what is wrong, in one sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self.line {
            Some(line) => format!("{}, line {line}: {}", self.file, self.message),
            None => format!("{}: {}", self.file, self.message),
        }
    }
}

/// A file that cannot be read must be corrected where it comes from, and may then be read again: that is
/// what `REMOTE.INPUT_INVALID` says, and no other REMOTE code does.
impl From<FormatError> for Fault {
    fn from(error: FormatError) -> Fault {
        let fault = Fault::new(Code::RemoteInputInvalid, error.sentence());
        match error.hint {
            Some(hint) => fault.hint(hint),
            None => fault,
        }
    }
}

/// Some rows of a file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// The rows, in the order of the file.
    pub rows: Vec<Value>,
    /// The rows that could not be read. The file's other rows are not touched by them, but a pass with
    /// problems is not a complete one.
    pub problems: Vec<FormatError>,
}

/// Where rows come from.
trait Source: Send {
    /// The next row, or why it could not be read; `None` at the end.
    fn next(&mut self) -> Result<Option<Result<Value, FormatError>>, FormatError>;
}

/// The rows of one file, a batch at a time.
pub struct Rows {
    /// Never contended: rows are asked for through `&mut`. The lock makes rows something that a task
    /// may hold while it waits.
    source: Mutex<Box<dyn Source>>,
    ended: bool,
}

impl Rows {
    /// The next rows: at most `max_rows`, and not much more than [`BATCH_BYTES`]. `None` at the end.
    ///
    /// # Errors
    ///
    /// The file cannot be read on. There is nothing after an error.
    pub fn next_batch(&mut self, max_rows: usize) -> Result<Option<Batch>, FormatError> {
        let mut batch = Batch::default();
        let mut bytes = 0;
        while !self.ended
            && bytes < BATCH_BYTES
            && batch.rows.len() + batch.problems.len() < max_rows
        {
            match self.source.get_mut().unwrap_or_else(PoisonError::into_inner).next() {
                Ok(Some(Ok(row))) => {
                    bytes += weight(&row);
                    batch.rows.push(row);
                }
                Ok(Some(Err(problem))) => batch.problems.push(problem),
                Ok(None) => self.ended = true,
                Err(error) => {
                    self.ended = true;
                    return Err(error);
                }
            }
        }
        let empty = batch.rows.is_empty() && batch.problems.is_empty();
        Ok((!empty).then_some(batch))
    }
}

/// Opens a file.
///
/// # Errors
///
/// The format is unknown, or the file is not in it, or there is nothing in the file. What is wrong
/// further down is told by [`Rows::next_batch`].
pub fn decode<R: Read + Seek + Send + 'static>(
    format: Format,
    file_name: &str,
    mut source: R,
    options: &DecodeOptions,
) -> Result<Rows, FormatError> {
    let format = match format {
        Format::Auto => Format::of_name(file_name).ok_or_else(|| unknown(file_name))?,
        named => named,
    };
    let failed = |error: std::io::Error| FormatError::unreadable(file_name, &error);
    let length = source.seek(SeekFrom::End(0)).map_err(failed)?;
    source.rewind().map_err(failed)?;
    if length == 0 {
        return if options.allow_empty { Ok(Rows::none()) } else { Err(empty(file_name)) };
    }
    let mut start = Vec::new();
    source.by_ref().take(8).read_to_end(&mut start).map_err(failed)?;
    source.rewind().map_err(failed)?;
    if format != Format::Xlsx {
        refuse_binary(file_name, &start)?;
    }
    let source: Box<dyn Source> = match format {
        Format::Xlsx => Box::new(xlsx::XlsxRows::open(file_name, source, options)?),
        Format::Json => Box::new(json::JsonRows::open(file_name, source, length)?),
        Format::Xml => Box::new(xml::XmlRows::open(file_name, source, length, &options.lists)?),
        Format::Ndjson => Box::new(ndjson::NdjsonRows::open(file_name, source)),
        Format::Csv | Format::Auto => Box::new(csv::CsvRows::open(file_name, source, options)?),
    };
    Ok(Rows { source: Mutex::new(source), ended: false })
}

impl Rows {
    fn none() -> Self {
        Self { source: Mutex::new(Box::new(json::JsonRows::none())), ended: true }
    }
}

fn empty(file_name: &str) -> FormatError {
    FormatError::new(file_name, None, "The file is empty: there is not even a header row.").hint(
        "Check the export that writes this file. A company without people is a header row alone.",
    )
}

fn unknown(file_name: &str) -> FormatError {
    FormatError::new(file_name, None, "The name does not tell the format of the file.")
        .hint("Let the name end in .csv, .xlsx, .json, .ndjson or .xml.")
}

/// Files that are plainly something else than text.
fn refuse_binary(file_name: &str, start: &[u8]) -> Result<(), FormatError> {
    let what = match start {
        [b'P', b'K', 3, 4, ..] => "a ZIP archive or an XLSX workbook",
        [0xd0, 0xcf, 0x11, 0xe0, ..] => "a workbook of the old XLS format",
        [0x1f, 0x8b, ..] => "compressed with gzip",
        [b'%', b'P', b'D', b'F', ..] => "a PDF document",
        _ => return Ok(()),
    };
    Err(FormatError::new(
        file_name,
        None,
        format!("The name promises text, but the file is {what}."),
    )
    .hint("Export the file as CSV, or as XLSX with a name that ends in .xlsx."))
}

/// Roughly how many bytes a value holds in memory.
fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 24,
        Value::Array(items) => items.iter().map(weight).sum::<usize>() + 24,
        Value::Object(map) => {
            map.iter().map(|(key, value)| key.len() + 32 + weight(value)).sum::<usize>()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => 24,
    }
}

#[cfg(test)]
mod tests;
