//! Workbooks.
//!
//! The cells of a sheet are read by a thread of their own, which hands over rows through a short queue:
//! the reader of the library borrows the opened workbook, and so cannot lie beside it in one value, and
//! a range with all cells of a large sheet would not fit the memory budget.

use std::io::{BufReader, Read, Seek};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use calamine::{DataRef, ExcelDateTime, Reader, SheetType, SheetVisible, Xlsx, XlsxError};
use serde_json::{Number, Value};

use super::table::Header;
use super::{DecodeOptions, FormatError, Source, empty};

/// Rows that may wait in the queue.
const QUEUE_ROWS: usize = 64;
/// Integers beyond this are not exact in a workbook, where every number is a float.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

type Item = Result<Result<Value, FormatError>, FormatError>;

/// The rows of one sheet.
pub(super) struct XlsxRows {
    file: String,
    rows: Receiver<Option<Item>>,
}

impl XlsxRows {
    pub(super) fn open<R: Read + Seek + Send + 'static>(
        file: &str,
        source: R,
        options: &DecodeOptions,
    ) -> Result<Self, FormatError> {
        let (sender, rows) = sync_channel(QUEUE_ROWS);
        let (name, sheet) = (file.to_owned(), options.sheet.clone());
        std::thread::Builder::new()
            .name("xlsx".to_owned())
            .spawn(move || {
                let outcome = read(&name, source, sheet.as_deref(), &sender);
                // Nobody listens any more when the rows were not read to their end; that is fine.
                let _ = sender.send(outcome.err().map(Err));
            })
            .map_err(|error| FormatError::unreadable(file, &error))?;
        Ok(Self { file: file.to_owned(), rows })
    }
}

impl Source for XlsxRows {
    fn next(&mut self) -> Result<Option<Result<Value, FormatError>>, FormatError> {
        match self.rows.recv() {
            Ok(Some(item)) => item.map(Some),
            Ok(None) => Ok(None),
            // The thread ended without a last word: the library panicked on what it read.
            Err(_) => Err(FormatError::new(&self.file, None, "The workbook is damaged.")
                .hint("Open the file in a spreadsheet program and save it again as XLSX.")),
        }
    }
}

/// Reads the sheet and sends its rows; returns early when nobody listens.
fn read<R: Read + Seek>(
    file: &str,
    source: R,
    sheet: Option<&str>,
    sender: &SyncSender<Option<Item>>,
) -> Result<(), FormatError> {
    let mut workbook: Xlsx<_> =
        Xlsx::new(BufReader::new(source)).map_err(|error| unreadable(file, &error))?;
    let sheet = choose_sheet(file, &workbook, sheet)?;
    let mut cells =
        workbook.worksheet_cells_reader(&sheet).map_err(|error| unreadable(file, &error))?;
    let mut table = Table { file, header: None, sender };
    let mut row = Row::default();
    while let Some(cell) = cells.next_cell().map_err(|error| unreadable(file, &error))? {
        let (line, column) = cell.get_position();
        if line != row.line {
            if !table.take(&mut row) {
                return Ok(());
            }
            row.line = line;
        }
        row.put(column as usize, cell_value(cell.get_value()));
    }
    table.take(&mut row);
    if table.header.is_none() { Err(empty(file)) } else { Ok(()) }
}

fn choose_sheet<R: Read + Seek>(
    file: &str,
    workbook: &Xlsx<R>,
    wanted: Option<&str>,
) -> Result<String, FormatError> {
    let sheets: Vec<_> = workbook
        .sheets_metadata()
        .iter()
        .filter(|sheet| sheet.typ == SheetType::WorkSheet)
        .collect();
    let found = match wanted {
        Some(name) => sheets.iter().find(|sheet| sheet.name == name),
        None => {
            sheets.iter().find(|sheet| sheet.visible == SheetVisible::Visible).or(sheets.first())
        }
    };
    found.map(|sheet| sheet.name.clone()).ok_or_else(|| {
        let names =
            sheets.iter().map(|sheet| format!("\"{}\"", sheet.name)).collect::<Vec<_>>().join(", ");
        let message = match wanted {
            Some(name) => format!("There is no sheet \"{name}\"; there are: {names}."),
            None => "There is no sheet in the workbook.".to_owned(),
        };
        FormatError::new(file, None, message)
    })
}

fn unreadable(file: &str, error: &XlsxError) -> FormatError {
    let message = match error {
        XlsxError::Password => "The workbook is protected with a password.".to_owned(),
        other => format!("The file is not a readable XLSX workbook: {other}."),
    };
    FormatError::new(file, None, message)
        .hint("Open the file in a spreadsheet program and save it as XLSX without a password.")
}

/// The cells of one row that have been there so far.
#[derive(Default)]
struct Row {
    line: u32,
    cells: Vec<Value>,
}

impl Row {
    fn put(&mut self, column: usize, value: Value) {
        if value.is_null() {
            return;
        }
        if self.cells.len() <= column {
            self.cells.resize(column + 1, Value::Null);
        }
        self.cells[column] = value;
    }
}

struct Table<'a> {
    file: &'a str,
    header: Option<Header>,
    sender: &'a SyncSender<Option<Item>>,
}

impl Table<'_> {
    /// Takes a row that is complete; `false` when nobody wants more.
    fn take(&mut self, row: &mut Row) -> bool {
        let cells = std::mem::take(&mut row.cells);
        if cells.is_empty() {
            return true;
        }
        let Some(header) = &self.header else {
            let names: Vec<String> = cells.iter().map(name).collect();
            self.header = Some(Header::new(names.iter().map(String::as_str)));
            return true;
        };
        let item = if cells.len() > header.len() {
            Err(header.misfit(self.file, u64::from(row.line) + 1, cells.len()))
        } else {
            Ok(header.object(cells))
        };
        self.sender.send(Some(Ok(item))).is_ok()
    }
}

fn name(cell: &Value) -> String {
    match cell {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A formula's cell holds the result that was last computed; one that ended in an error holds no value.
fn cell_value(cell: &DataRef<'_>) -> Value {
    match cell {
        DataRef::Empty | DataRef::Error(_) => Value::Null,
        DataRef::Int(number) => Value::from(*number),
        DataRef::Float(number) => number_value(*number),
        DataRef::Bool(yes) => Value::Bool(*yes),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            text_value(text)
        }
        DataRef::SharedString(text) => text_value(text),
        DataRef::DateTime(moment) => Value::String(date_text(moment)),
    }
}

fn text_value(text: &str) -> Value {
    match text.trim() {
        "" => Value::Null,
        trimmed => Value::String(trimmed.to_owned()),
    }
}

/// Every number of a workbook is a float; one without a fraction is meant as an integer.
fn number_value(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < MAX_EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "it has no fraction and is in range")]
        return Value::from(number as i64);
    }
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

fn date_text(moment: &ExcelDateTime) -> String {
    let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
    let serial = moment.as_f64();
    if moment.is_duration() {
        let seconds = (serial * 86_400.0).round();
        let (hours, rest) = ((seconds / 3600.0).floor(), seconds % 3600.0);
        return format!("{hours:02}:{:02}:{:02}", (rest / 60.0).floor(), rest % 60.0);
    }
    if (0.0..1.0).contains(&serial) && serial != 0.0 {
        return format!("{hour:02}:{minute:02}:{second:02}");
    }
    if (hour, minute, second) == (0, 0, 0) {
        return format!("{year:04}-{month:02}-{day:02}");
    }
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}
