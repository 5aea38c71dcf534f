//! The formats by what they make of whole files.

use std::io::Cursor;

use serde_json::json;

use super::*;

fn open(name: &str, bytes: impl Into<Vec<u8>>) -> Result<Rows, FormatError> {
    decode(Format::Auto, name, Cursor::new(bytes.into()), &DecodeOptions::default())
}

fn all(name: &str, bytes: impl Into<Vec<u8>>) -> Result<Batch, FormatError> {
    let mut rows = open(name, bytes)?;
    let mut whole = Batch::default();
    while let Some(batch) = rows.next_batch(2)? {
        assert!(batch.rows.len() + batch.problems.len() <= 2);
        whole.rows.extend(batch.rows);
        whole.problems.extend(batch.problems);
    }
    assert_eq!(rows.next_batch(2)?, None);
    Ok(whole)
}

fn rows(name: &str, bytes: impl Into<Vec<u8>>) -> Vec<Value> {
    let whole = all(name, bytes).expect("a readable file");
    assert_eq!(whole.problems, vec![]);
    whole.rows
}

fn utf16(text: &str, little: bool) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
}

#[test]
fn delimiters_are_recognised_by_the_header() {
    for mark in [',', ';', '\t', '|'] {
        let text = format!("id{mark}\"a,;|\t b\"{mark}Name\n1{mark}x{mark}Ann\n");
        assert_eq!(
            rows("a.csv", text),
            vec![json!({"id": "1", "a,;| b": "x", "Name": "Ann"})],
            "{mark:?}"
        );
    }
    assert_eq!(rows("a.csv", "sep=;\r\na,b;c\r\n1;2\r\n"), vec![json!({"a,b": "1", "c": "2"})]);
    assert_eq!(
        rows("a.csv", "name\nAnn\nBo\n"),
        vec![json!({"name": "Ann"}), json!({"name": "Bo"})]
    );
}

#[test]
fn encodings_are_recognised() {
    let text = "id;Straße\n1;Köln – „Süd“\n";
    let expected = vec![json!({"id": "1", "Straße": "Köln – „Süd“"})];
    let (western, _, lossy) = encoding_rs::WINDOWS_1252.encode(text);
    assert!(!lossy);
    assert_eq!(rows("a.csv", text), expected);
    assert_eq!(rows("a.csv", [b"\xef\xbb\xbf", text.as_bytes()].concat()), expected);
    assert_eq!(rows("a.csv", western.as_ref()), expected);
    assert_eq!(rows("a.csv", utf16(text, true)), expected);
    assert_eq!(rows("a.csv", utf16(text, false)), expected);
}

#[test]
fn one_late_byte_decides_about_the_encoding_of_the_whole_file() {
    let mut text = b"id;name\n".to_vec();
    for id in 0..40_000 {
        text.extend_from_slice(format!("{id};Anna\n").as_bytes());
    }
    text.extend_from_slice(b"x;M\xfcller\n");
    assert_eq!(rows("a.csv", text).pop(), Some(json!({"id": "x", "name": "Müller"})));
}

#[test]
fn a_character_across_two_chunks_stays_whole() {
    let mut text = String::from("v\n");
    text.push_str(&"a".repeat((64 << 10) - 3));
    text.push_str("ü€\n");
    let expected = format!("{}ü€", "a".repeat((64 << 10) - 3));
    assert_eq!(rows("a.csv", text), vec![json!({"v": expected})]);
}

#[test]
fn broken_encodings_are_refused() {
    let cut = all("a.csv", b"id;name\n1;M\xc3\xbcller\n2;M\xc3".to_vec()).expect_err("cut");
    assert_eq!((cut.line, cut.message.contains("cut off")), (Some(3), true));
    let mixed = all("a.csv", b"\xef\xbb\xbfid\n1\n\xfc\n".to_vec()).expect_err("mixed");
    assert_eq!((mixed.line, mixed.message.contains("marked as UTF-8")), (Some(3), true));
    let odd = [utf16("id\n1\n", true), vec![0x00]].concat();
    assert!(all("a.csv", odd).expect_err("half a unit").message.contains("UTF-16"));
    let zero = all("a.csv", b"i\0d\0\n\0".to_vec()).expect_err("no mark");
    assert!(zero.message.contains("byte-order mark"));
}

#[test]
fn quoted_values_hold_delimiters_quotes_and_line_ends() {
    let text = "id,note\r\n1,\"a \"\"b\"\", c\r\nd\"\r\n\r\n2,\"\"\r\n";
    assert_eq!(
        rows("a.csv", text),
        vec![json!({"id": "1", "note": "a \"b\", c\r\nd"}), json!({"id": "2", "note": null})],
    );
}

#[test]
fn broken_rows_name_their_line_and_cost_no_other() {
    let text = "id;a;b\n1;x;y\n2;x\n3;\"two\nlines\";y\n4;x;y;z\n5;\"q\"uote;y\n6;x;y;;\n;;\n7;x;y";
    let whole = all("staff.csv", text).expect("readable");
    let ids: Vec<_> = whole.rows.iter().map(|row| row["id"].clone()).collect();
    assert_eq!(ids, ["1", "3", "6", "7"]);
    let lines: Vec<_> = whole.problems.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [Some(3), Some(6), Some(7)]);
    assert!(whole.problems[0].sentence().starts_with("staff.csv, line 3: This row has 2 cells"));
}

#[test]
fn line_ends_of_every_system_count_the_same() {
    for end in ["\n", "\r\n", "\r"] {
        let text = ["id;n", "1;a", "", "2", "3;\"x", "y\"", "4"].join(end);
        let whole = all("a.csv", text).expect("readable");
        let lines: Vec<_> = whole.problems.iter().map(|problem| problem.line).collect();
        assert_eq!((whole.rows.len(), lines), (2, vec![Some(4), Some(7)]), "{end:?}");
    }
}

#[test]
fn a_quote_that_never_closes_is_an_error() {
    let mut rows = open("a.csv", "id;n\n1;a\n2;\"b\n3;c\n").expect("opens");
    assert_eq!(rows.next_batch(1).expect("first").expect("some").rows.len(), 1);
    let error = rows.next_batch(1).expect_err("cut");
    assert_eq!(error.line, Some(3));
    assert_eq!(rows.next_batch(1), Ok(None));
    assert_eq!(Fault::from(error).code, Code::RemoteInputInvalid);
}

#[test]
fn header_names_stay_apart() {
    let text = "\u{a0}Personal-\u{a0}Nr. ;Name;;Name;\n1;a;b;c;\n";
    assert_eq!(
        rows("a.csv", text),
        vec![json!({"Personal- Nr.": "1", "Name": "a", "column_3": "b", "Name (2)": "c"})],
    );
}

#[test]
fn nothing_at_all_differs_from_no_rows() {
    for (name, bytes) in
        [("a.csv", ""), ("a.csv", "\r\n\n"), ("a.csv", "\u{feff}"), ("a.ndjson", "")]
    {
        let error = all(name, bytes).expect_err("empty");
        assert!(error.message.contains("empty"), "{error:?}");
    }
    assert!(rows("a.csv", "id;name\r\n").is_empty());
    let options = DecodeOptions { allow_empty: true, ..DecodeOptions::default() };
    let mut none = decode(Format::Csv, "body", Cursor::new(Vec::new()), &options).expect("allowed");
    assert_eq!(none.next_batch(9), Ok(None));
}

#[test]
fn a_large_field_passes_and_ends_its_batch() {
    let long = "x".repeat(1 << 20);
    let mut text = String::from("id,v\n");
    for id in 0..10 {
        text.push_str(&format!("{id},\"{long}\"\n"));
    }
    let mut rows = open("a.csv", text).expect("opens");
    let mut sizes = Vec::new();
    while let Some(batch) = rows.next_batch(1000).expect("readable") {
        assert!(batch.rows.iter().all(|row| row["v"] == json!(long)));
        sizes.push(batch.rows.len());
    }
    assert_eq!(sizes, [4, 4, 2]);
}

#[test]
fn a_file_that_is_no_text_is_named_for_what_it_is() {
    let error = all("a.csv", b"PK\x03\x04....".to_vec()).expect_err("zip");
    assert!(error.message.contains("XLSX"));
    let error = all("a.dat", "x").expect_err("ending");
    assert!(error.hint.expect("hint").contains(".csv"));
    let error = all("a.xlsx", "id;name\n1;a\n").expect_err("text");
    assert!(error.message.contains("XLSX workbook"), "{error:?}");
}

#[test]
fn ndjson_lines_stand_alone() {
    let text = "\u{feff}{\"id\": 1}\n\n[2]\n{\"id\": 3\n{\"id\": 4}";
    let whole = all("a.jsonl", text).expect("readable");
    assert_eq!(whole.rows, [json!({"id": 1}), json!({"id": 4})]);
    let lines: Vec<_> = whole.problems.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [Some(3), Some(4)]);
}

#[test]
fn json_is_its_items_or_one_row() {
    assert_eq!(rows("a.json", "[{\"id\": 1}, {\"id\": 2}]").len(), 2);
    assert_eq!(rows("a.json", "\u{feff}{\"data\": [1]}"), [json!({"data": [1]})]);
    let error = all("a.json", "[{\"id\": 1},\n{\"id\":").expect_err("cut");
    assert_eq!((error.line, error.message.contains("too early")), (Some(2), true));
}

mod workbook {
    use rust_xlsxwriter::{ExcelDateTime, Format as CellFormat, Workbook, XlsxError};

    use super::*;

    fn staff() -> Result<Vec<u8>, XlsxError> {
        let mut workbook = Workbook::new();
        workbook.add_worksheet().set_name("Notes")?.set_hidden(true).write(0, 0, "not this one")?;
        let sheet = workbook.add_worksheet().set_name("Staff")?.set_active(true);
        let date = CellFormat::new().set_num_format("dd.mm.yyyy");
        let moment = CellFormat::new().set_num_format("dd.mm.yyyy hh:mm");
        for (column, name) in (0_u16..).zip(["id", "name", "since", "seen", "hours", "part"]) {
            sheet.write(1, column, name)?;
        }
        sheet.write(2, 0, 1001)?.write(2, 1, " Jürgen ")?;
        sheet.write_with_format(2, 2, &ExcelDateTime::from_ymd(2024, 2, 29)?, &date)?;
        let seen = ExcelDateTime::from_ymd(2025, 1, 31)?.and_hms(17, 45, 0)?;
        sheet.write_with_format(2, 3, &seen, &moment)?;
        sheet.write(2, 4, 38.5)?.write(2, 5, true)?;
        sheet.write(4, 0, "0012")?.write(4, 1, "Ada")?;
        sheet.write(5, 0, 3)?.write(5, 9, "beside the table")?;
        workbook.save_to_buffer()
    }

    #[test]
    fn cells_keep_their_types() {
        let whole = all("a.xlsx", staff().expect("written")).expect("readable");
        assert_eq!(
            whole.rows,
            [
                json!({"id": 1001, "name": "Jürgen", "since": "2024-02-29", "seen": "2025-01-31T17:45:00",
                       "hours": 38.5, "part": true}),
                json!({"id": "0012", "name": "Ada", "since": null, "seen": null, "hours": null, "part": null}),
            ],
        );
        assert_eq!(whole.problems.len(), 1);
        assert_eq!(whole.problems[0].line, Some(6));
    }

    #[test]
    fn a_sheet_can_be_named() {
        let named = |name: &str| {
            let options =
                DecodeOptions { sheet: Some(name.to_owned()), ..DecodeOptions::default() };
            let source = Cursor::new(staff().expect("written"));
            decode(Format::Auto, "a.xlsx", source, &options).expect("opens").next_batch(9)
        };
        assert_eq!(named("Notes"), Ok(None));
        let error = named("People").expect_err("absent");
        assert!(error.message.contains("\"Staff\""), "{error:?}");
    }

    #[test]
    fn damaged_and_empty_workbooks_are_refused() {
        let bytes = staff().expect("written");
        let error = all("a.xlsx", &bytes[..bytes.len() / 2]).expect_err("cut");
        assert!(error.message.contains("not a readable XLSX workbook"), "{error:?}");
        let mut empty = Workbook::new();
        empty.add_worksheet();
        let error = all("a.xlsx", empty.save_to_buffer().expect("written")).expect_err("empty");
        assert!(error.message.contains("empty"), "{error:?}");
    }

    #[test]
    fn a_reader_that_is_dropped_early_leaves_nothing_behind() {
        let mut workbook = Workbook::new();
        let sheet = workbook.add_worksheet();
        for row in 0..5000 {
            sheet.write(row, 0, row).expect("written");
        }
        let mut rows = open("a.xlsx", workbook.save_to_buffer().expect("written")).expect("opens");
        assert_eq!(rows.next_batch(3).expect("readable").expect("some").rows.len(), 3);
    }
}
