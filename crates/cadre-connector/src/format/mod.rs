//! Rows out of files and bodies: CSV, XLSX, NDJSON, JSON.

use std::io::{Read, Seek};

use cadre_model::fault::{Code, Fault};
use serde_json::Value;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
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
}

/// What there is to say besides the format.
#[derive(Debug, Clone, Default)]
pub struct DecodeOptions {
    /// Name of the sheet of a workbook; the first visible one when absent.
    pub sheet: Option<String>,
    /// Delimiter of CSV; recognised when absent.
    pub delimiter: Option<u8>,
}

/// Why a file, or one row of it, could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatError {
    /// Name of the file.
    pub file: String,
    /// Line in the file, or row in the sheet, counted from 1; where the record begins.
    pub line: Option<u64>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// Some rows of a file.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// The rows, in the order of the file.
    pub rows: Vec<Value>,
    /// The rows that could not be read. The file's other rows are not touched by them, but a pass with
    /// problems is not a complete one.
    pub problems: Vec<FormatError>,
}

/// The rows of one file, a batch at a time.
pub struct Rows;

impl Rows {
    /// The next rows: at most `max_rows`, and about [`BATCH_BYTES`]. `None` at the end.
    pub fn next_batch(&mut self, max_rows: usize) -> Result<Option<Batch>, FormatError> {
        let _ = max_rows;
        Ok(None)
    }
}

/// Opens a file. Nothing but its beginning is read before [`Rows::next_batch`].
pub fn decode<R: Read + Seek + Send + 'static>(
    format: Format,
    file_name: &str,
    source: R,
    options: &DecodeOptions,
) -> Result<Rows, FormatError> {
    let _ = (format, file_name, source, options);
    Ok(Rows)
}

impl From<FormatError> for Fault {
    fn from(error: FormatError) -> Fault {
        let place = error.line.map(|line| format!(", line {line}")).unwrap_or_default();
        let fault = Fault::new(Code::RemoteInputInvalid, format!("{}{place}: {}", error.file, error.message));
        match error.hint {
            Some(hint) => fault.hint(hint),
            None => fault,
        }
    }
}
