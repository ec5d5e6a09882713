//! Cells of CSV, written so that no spreadsheet takes one for a formula, whatever it is told that
//! separates them.
//!
//! Names and titles are written by strangers. A spreadsheet runs a cell that begins like a formula
//! (OWASP, "CSV Injection"), and one that expects semicolons or tabs, as many do by default where the
//! comma is a decimal point, begins a cell in the middle of ours: quotes that do not follow *its*
//! separator are text to it.

use std::borrow::Cow;

use csv::{QuoteStyle, WriterBuilder};

/// What a formula begins with.
const FORMULA: [char; 4] = ['=', '+', '-', '@'];
/// What some spreadsheets leave out at the beginning of a cell.
const LEFT_OUT: [char; 3] = ['\t', '\r', '\n'];
/// What ends a cell for a spreadsheet that does not go by commas.
const ENDS: [char; 4] = [';', '\t', '\r', '\n'];

/// How rows are written: all but numbers within quotes.
#[must_use]
pub fn rows() -> WriterBuilder {
    let mut rows = WriterBuilder::new();
    rows.quote_style(QuoteStyle::NonNumeric);
    rows
}

/// The cell with an apostrophe before whatever could be taken for a formula: all of it, or what
/// follows a semicolon, a tab or a line's end within it.
#[must_use]
pub fn harmless(cell: &str) -> Cow<'_, str> {
    let mark = if cell.starts_with(LEFT_OUT) { "'" } else { "" };
    let pieces = || cell.split_inclusive(ENDS);
    if mark.is_empty() && !pieces().any(is_formula) {
        return Cow::Borrowed(cell);
    }
    let mut safe = mark.to_owned();
    for piece in pieces() {
        if is_formula(piece) {
            safe.push('\'');
        }
        safe.push_str(piece);
    }
    Cow::Owned(safe)
}

/// Whether it begins like a formula to whoever leaves out blanks and takes quotes for quotes.
fn is_formula(piece: &str) -> bool {
    piece.trim_start_matches(['"', ' ']).starts_with(FORMULA)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(cells: &[&str]) -> String {
        let mut rows = rows().from_writer(Vec::new());
        rows.write_record(cells.iter().map(|cell| harmless(cell).into_owned())).unwrap();
        String::from_utf8(rows.into_inner().unwrap()).unwrap()
    }

    #[test]
    fn what_begins_like_a_formula_has_an_apostrophe_before_it() {
        for cell in
            ["=1+1", "+1", "-code", "@SUM(A1)", "\tx", "\rx", "\nx", "\"=1", " =1", "\t x", "-a;b"]
        {
            assert_eq!(harmless(cell), format!("'{cell}"));
        }
        for cell in ["", "google.com", "1-2", "a=b", "a; b", "é\n", "2026-11-23", "(-1)"] {
            assert_eq!(harmless(cell), cell);
        }
    }

    #[test]
    fn what_follows_a_separator_within_a_cell_is_no_formula_either() {
        for (cell, expected) in [
            ("a;=hyperlink(\"x\")", "a;'=hyperlink(\"x\")"),
            ("a;\"=1+1", "a;'\"=1+1"),
            ("a; =1;b;@c", "a;' =1;b;'@c"),
            ("a\t=1", "a\t'=1"),
            ("a\r\n-1", "a\r\n'-1"),
            ("\t=1", "'\t'=1"),
        ] {
            assert_eq!(harmless(cell), expected);
        }
    }

    #[test]
    fn all_but_numbers_stand_within_quotes() {
        assert_eq!(written(&["a", "12", "", "a\"b", "1.5"]), "\"a\",12,\"\",\"a\"\"b\",1.5\n");
    }

    proptest! {
        #[test]
        fn no_spreadsheet_finds_a_formula_whatever_separates_its_cells(
            cells in prop::collection::vec("([a;=+@\"' \t\r\n,-]|\\PC){0,12}", 1..4),
        ) {
            let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
            let text = written(&cells);
            let of_numbers = |cell: &str| cell.parse::<f64>().is_ok();
            for piece in text.split(ENDS).filter(|piece| !of_numbers(piece)) {
                prop_assert!(!is_formula(piece), "{piece:?} in {text:?}");
            }
            let mut rows = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
            let row = rows.records().next().unwrap().unwrap();
            for (read, cell) in row.iter().zip(&cells) {
                prop_assert_eq!(read, harmless(cell));
                prop_assert!(!is_formula(read));
            }
        }

        #[test]
        fn nothing_but_apostrophes_is_added(cell in "([a;=+@\"' \t\r\n-]|\\PC){0,12}") {
            let plain = |text: &str| text.replace('\'', "");
            prop_assert_eq!(plain(&harmless(&cell)), plain(&cell));
        }
    }
}
