//! What CSV and XLSX have in common: a header row, and rows that become objects by it.

use serde_json::{Map, Value};

use super::FormatError;

/// The names of a table's columns.
#[derive(Debug)]
pub(super) struct Header {
    names: Vec<String>,
}

impl Header {
    /// Takes the header row. Blanks around and doubled inside a name go, also those that do not break;
    /// a column without a name is called after its position (`column_3`), and one whose name was there
    /// before gets a number (`Name (2)`), so that no column hides another.
    pub(super) fn new<'a>(cells: impl IntoIterator<Item = &'a str>) -> Self {
        let mut names: Vec<String> = Vec::new();
        for (index, cell) in cells.into_iter().enumerate() {
            let plain = cell.split_whitespace().collect::<Vec<_>>().join(" ");
            let plain = if plain.is_empty() { format!("column_{}", index + 1) } else { plain };
            let mut name = plain.clone();
            let mut number = 1;
            while names.contains(&name) {
                number += 1;
                name = format!("{plain} ({number})");
            }
            names.push(name);
        }
        Self { names }
    }

    /// How many columns there are.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// Leaves out columns without a name at the end, which spreadsheets like to write.
    pub(super) fn trim_end<'a>(cells: &'a [&'a str]) -> &'a [&'a str] {
        let named =
            cells.iter().rposition(|cell| !cell.trim().is_empty()).map_or(0, |last| last + 1);
        &cells[..named]
    }

    /// A row as an object. The cells are as many as the columns; missing ones are `null`.
    pub(super) fn object(&self, cells: impl IntoIterator<Item = Value>) -> Value {
        let mut cells = cells.into_iter();
        let mut map = Map::with_capacity(self.names.len());
        for name in &self.names {
            map.insert(name.clone(), cells.next().unwrap_or(Value::Null));
        }
        Value::Object(map)
    }

    /// The problem of a row with more or fewer cells than there are columns.
    pub(super) fn misfit(&self, file: &str, line: u64, cells: usize) -> FormatError {
        FormatError::new(
            file,
            line,
            format!("This row has {cells} cells, the header row has {}. The row was left out.", self.names.len()),
        )
        .hint("Look for a delimiter or a quote inside a value that is not quoted, or for a line that was cut.")
    }
}
