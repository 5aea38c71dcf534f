//! One JSON object per line.

use std::io::{BufRead, BufReader, Read};

use serde_json::Value;

use super::{FormatError, MAX_ROW_BYTES, Source};

/// The rows of an NDJSON file.
pub(super) struct NdjsonRows<R> {
    file: String,
    source: BufReader<R>,
    line: u64,
    buffer: Vec<u8>,
}

impl<R: Read> NdjsonRows<R> {
    pub(super) fn open(file: &str, source: R) -> Self {
        Self { file: file.to_owned(), source: BufReader::new(source), line: 0, buffer: Vec::new() }
    }

    fn read_line(&mut self) -> Result<bool, FormatError> {
        self.buffer.clear();
        self.line += 1;
        let limit = MAX_ROW_BYTES as u64 + 1;
        let read = self.source.by_ref().take(limit).read_until(b'\n', &mut self.buffer);
        match read {
            Ok(0) => Ok(false),
            Ok(_) if self.buffer.len() > MAX_ROW_BYTES => Err(FormatError::new(
                &self.file,
                self.line,
                format!("This line is longer than {} MiB.", MAX_ROW_BYTES >> 20),
            )),
            Ok(_) => Ok(true),
            Err(error) => Err(FormatError::unreadable(&self.file, &error)),
        }
    }
}

impl<R: Read + Send> Source for NdjsonRows<R> {
    fn next(&mut self) -> Result<Option<Result<Value, FormatError>>, FormatError> {
        while self.read_line()? {
            let line = self.buffer.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.buffer);
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let problem = |message: String| FormatError::new(&self.file, self.line, message);
            return Ok(Some(match serde_json::from_slice::<Value>(line) {
                Ok(row @ Value::Object(_)) => Ok(row),
                Ok(_) => Err(problem(
                    "This line is JSON, but not an object. It was left out.".to_owned(),
                )),
                Err(error) => {
                    Err(problem(format!("This line is not JSON ({error}). It was left out.")))
                }
            }));
        }
        Ok(None)
    }
}
