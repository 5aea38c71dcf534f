//! One JSON document.

use std::io::Read;

use serde_json::Value;

use super::{FormatError, MAX_WHOLE_BYTES, Source};

/// The rows of a JSON document: the items of an array; anything else is one row.
pub(super) struct JsonRows {
    rows: std::vec::IntoIter<Value>,
}

impl JsonRows {
    /// Reads the document, whole: `length` bytes.
    pub(super) fn open(
        file: &str,
        mut source: impl Read,
        length: u64,
    ) -> Result<Self, FormatError> {
        if length > MAX_WHOLE_BYTES {
            let limit = MAX_WHOLE_BYTES >> 20;
            return Err(FormatError::new(
                file,
                None,
                format!(
                    "A JSON document is read as a whole, and this one is larger than {limit} MiB."
                ),
            )
            .hint("Write one object per line and let the name end in .ndjson."));
        }
        let mut text = Vec::new();
        source.read_to_end(&mut text).map_err(|error| FormatError::unreadable(file, &error))?;
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
        let document: Value = serde_json::from_slice(text).map_err(|error| {
            let end = if error.is_eof() { "it ends too early" } else { "here is something else" };
            FormatError::new(
                file,
                error.line() as u64,
                format!("The file is not JSON: {end} ({error})."),
            )
        })?;
        let rows = match document {
            Value::Array(items) => items,
            single => vec![single],
        };
        Ok(Self { rows: rows.into_iter() })
    }

    /// No rows.
    pub(super) fn none() -> Self {
        Self { rows: Vec::new().into_iter() }
    }
}

impl Source for JsonRows {
    fn next(&mut self) -> Result<Option<Result<Value, FormatError>>, FormatError> {
        Ok(self.rows.next().map(Ok))
    }
}
