//! CSV as people export it.
//!
//! The splitting is done here, and not by a library, because an export that was cut inside a quoted
//! value must be told from a complete one, and every problem must name the line where its record begins:
//! the usual libraries read on to the end of the file without a word, and count lines by calls.

use std::io::{Read, Seek};

use serde_json::Value;

use super::table::Header;
use super::text::Text;
use super::{DecodeOptions, FormatError, MAX_ROW_BYTES, Source, empty};

const DELIMITERS: [u8; 4] = *b",;\t|";

/// The rows of a CSV file.
pub(super) struct CsvRows<R> {
    file: String,
    records: Records<R>,
    header: Header,
    record: Record,
}

impl<R: Read + Seek> CsvRows<R> {
    pub(super) fn open(
        file: &str,
        source: R,
        options: &DecodeOptions,
    ) -> Result<Self, FormatError> {
        let mut records = Records::new(file, Text::open(file, source)?);
        records.delimiter = match (records.declared_delimiter()?, options.delimiter) {
            (_, Some(given)) => given,
            (Some(declared), None) => declared,
            (None, None) => records.likely_delimiter()?,
        };
        let mut record = Record::default();
        if !records.next_filled(&mut record)? {
            return Err(empty(file));
        }
        if let Some(flaw) = record.flaw {
            return Err(FormatError::new(
                file,
                record.line,
                format!("The header row is broken: {flaw}."),
            ));
        }
        let cells: Vec<&str> = record.cells().collect();
        let header = Header::new(Header::trim_end(&cells).iter().copied());
        Ok(Self { file: file.to_owned(), records, header, record })
    }
}

impl<R: Read + Seek + Send> Source for CsvRows<R> {
    fn next(&mut self) -> Result<Option<Result<Value, FormatError>>, FormatError> {
        if !self.records.next_filled(&mut self.record)? {
            return Ok(None);
        }
        let record = &self.record;
        if let Some(flaw) = record.flaw {
            let problem = FormatError::new(
                &self.file,
                record.line,
                format!("This row is broken: {flaw}. The row was left out."),
            );
            return Ok(Some(Err(problem.hint("Double every quote that belongs to a value."))));
        }
        let surplus = record.cells().skip(self.header.len()).any(|cell| !cell.trim().is_empty());
        if record.len() < self.header.len() || surplus {
            return Ok(Some(Err(self.header.misfit(&self.file, record.line, record.len()))));
        }
        Ok(Some(Ok(self.header.object(record.cells().map(cell_value)))))
    }
}

/// Blanks around a value mean nothing in a table, and an empty cell is no value.
fn cell_value(cell: &str) -> Value {
    match cell.trim() {
        "" => Value::Null,
        text => Value::String(text.to_owned()),
    }
}

/// One record: its cells one after the other, and where each ends.
#[derive(Default)]
struct Record {
    text: Vec<u8>,
    ends: Vec<usize>,
    line: u64,
    flaw: Option<&'static str>,
}

impl Record {
    fn len(&self) -> usize {
        self.ends.len()
    }

    fn cells(&self) -> impl Iterator<Item = &str> {
        self.ends.iter().enumerate().map(|(index, end)| {
            let start = if index == 0 { 0 } else { self.ends[index - 1] };
            // The text is UTF-8, and is split at ASCII characters only.
            std::str::from_utf8(&self.text[start..*end]).unwrap_or_default()
        })
    }

    fn is_blank(&self) -> bool {
        self.text.iter().all(u8::is_ascii_whitespace) && self.flaw.is_none()
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    CellStart,
    Bare,
    Quoted,
    /// After a quote inside a quoted value: the end of the value, or the first of two.
    AfterQuote,
}

struct Records<R> {
    file: String,
    text: Text<R>,
    buffer: Vec<u8>,
    at: usize,
    line: u64,
    delimiter: u8,
    after_return: bool,
}

impl<R: Read + Seek> Records<R> {
    fn new(file: &str, text: Text<R>) -> Self {
        let file = file.to_owned();
        Self {
            file,
            text,
            buffer: Vec::new(),
            at: 0,
            line: 1,
            delimiter: b',',
            after_return: false,
        }
    }

    /// The next record that has something in it; `false` at the end.
    fn next_filled(&mut self, record: &mut Record) -> Result<bool, FormatError> {
        while self.next(record)? {
            if !record.is_blank() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn next(&mut self, record: &mut Record) -> Result<bool, FormatError> {
        record.text.clear();
        record.ends.clear();
        record.flaw = None;
        record.line = self.line;
        let mut place = Place::CellStart;
        let mut quote_line = self.line;
        loop {
            let Some(byte) = self.byte()? else {
                return self.end_of_file(record, place, quote_line);
            };
            if self.after_return && byte == b'\n' {
                // The second half of a line end.
                self.after_return = false;
                if place != Place::Quoted {
                    record.line = self.line;
                    continue;
                }
                record.text.push(byte);
                continue;
            }
            self.after_return = byte == b'\r';
            if byte == b'\r' || byte == b'\n' {
                self.line += 1;
            }
            if record.text.len() > MAX_ROW_BYTES {
                return Err(self.endless(record.line));
            }
            place = match (place, byte) {
                (Place::Quoted, b'"') => Place::AfterQuote,
                (Place::Quoted, _) => {
                    record.text.push(byte);
                    if byte != b'\r' {
                        self.run(record, |byte| !matches!(byte, b'"' | b'\r' | b'\n'));
                    }
                    Place::Quoted
                }
                (Place::AfterQuote, b'"') => {
                    record.text.push(byte);
                    Place::Quoted
                }
                (_, b'\r' | b'\n') => {
                    record.ends.push(record.text.len());
                    return Ok(true);
                }
                (_, byte) if byte == self.delimiter => {
                    record.ends.push(record.text.len());
                    Place::CellStart
                }
                (Place::CellStart, b'"') => {
                    quote_line = self.line;
                    Place::Quoted
                }
                (Place::AfterQuote, b' ') => Place::AfterQuote,
                (Place::AfterQuote, _) => {
                    record.flaw = Some("there is text after a closing quote");
                    record.text.push(byte);
                    Place::Bare
                }
                (Place::CellStart | Place::Bare, _) => {
                    record.text.push(byte);
                    let delimiter = self.delimiter;
                    self.run(record, |byte| byte != delimiter && !matches!(byte, b'\r' | b'\n'));
                    Place::Bare
                }
            };
        }
    }

    fn end_of_file(
        &self,
        record: &mut Record,
        place: Place,
        quote: u64,
    ) -> Result<bool, FormatError> {
        if place == Place::Quoted {
            return Err(FormatError::new(
                &self.file,
                quote,
                "A quote that opens in this line is never closed: the file was cut off, or the quote is stray.",
            )
            .hint("Upload the file again, and double every quote that belongs to a value."));
        }
        if record.text.is_empty() && record.ends.is_empty() && place == Place::CellStart {
            return Ok(false);
        }
        record.ends.push(record.text.len());
        Ok(true)
    }

    fn endless(&self, line: u64) -> FormatError {
        let limit = MAX_ROW_BYTES >> 20;
        FormatError::new(
            &self.file,
            line,
            format!("The row that begins here is larger than {limit} MiB."),
        )
        .hint("A quote that opens here is probably never closed.")
    }

    /// Takes over bytes that need no decision, as far as they are in the buffer.
    fn run(&mut self, record: &mut Record, plain: impl Fn(u8) -> bool) {
        let rest = &self.buffer[self.at..];
        let length = rest.iter().position(|byte| !plain(*byte)).unwrap_or(rest.len());
        record.text.extend_from_slice(&rest[..length]);
        self.at += length;
    }

    fn byte(&mut self) -> Result<Option<u8>, FormatError> {
        if self.at == self.buffer.len() {
            self.buffer.clear();
            self.at = 0;
            if !self.fill()? {
                return Ok(None);
            }
        }
        self.at += 1;
        Ok(Some(self.buffer[self.at - 1]))
    }

    fn fill(&mut self) -> Result<bool, FormatError> {
        let (file, line) = (&self.file, self.line);
        self.text.fill(&mut self.buffer).map_err(|error| {
            FormatError::new(file, line, format!("The file could not be read on: {error}."))
        })
    }

    /// The delimiter of a first line `sep=;`, which spreadsheets write and read. The line is consumed.
    fn declared_delimiter(&mut self) -> Result<Option<u8>, FormatError> {
        while self.buffer.len() < 6 && self.fill()? {}
        match self.buffer.as_slice() {
            [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', mark, b'\r' | b'\n', ..]
                if mark.is_ascii() =>
            {
                let mark = *mark;
                self.at = 6;
                self.line = 2;
                self.after_return = self.buffer[5] == b'\r';
                Ok(Some(mark))
            }
            _ => Ok(None),
        }
    }

    /// The delimiter that the first line with something in it holds most of, outside quotes.
    fn likely_delimiter(&mut self) -> Result<u8, FormatError> {
        let mut counts = [0_u32; DELIMITERS.len()];
        let mut quoted = false;
        let mut seen = false;
        let mut at = self.at;
        loop {
            if at == self.buffer.len() && (self.buffer.len() > MAX_ROW_BYTES || !self.fill()?) {
                break;
            }
            let byte = self.buffer[at];
            at += 1;
            quoted ^= byte == b'"';
            if !quoted && matches!(byte, b'\r' | b'\n') {
                if seen {
                    break;
                }
                continue;
            }
            seen |= !byte.is_ascii_whitespace();
            if let (false, Some(index)) = (quoted, DELIMITERS.iter().position(|mark| *mark == byte))
            {
                counts[index] += 1;
            }
        }
        let most = (0..DELIMITERS.len()).rev().max_by_key(|index| counts[*index]).unwrap_or(0);
        Ok(DELIMITERS[most])
    }
}
