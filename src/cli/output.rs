//! Printing: plain when nobody looks, with a little colour when somebody does.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use comfy_table::{LineStyle, Table, TableStyle};

/// What a colour means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// It is in order.
    Good,
    /// It may not be meant.
    Careful,
    /// It has to change.
    Bad,
}

/// `text` in the colour of its tone, if it goes to a terminal whose user wants colours
/// (<https://no-color.org>).
#[must_use]
pub fn toned(text: &str, tone: Tone, terminal: bool) -> String {
    let unwanted = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    if !terminal || dumb || unwanted("NO_COLOR") {
        return text.to_owned();
    }
    let colour = match tone {
        Tone::Good => "32",
        Tone::Careful => "33",
        Tone::Bad => "1;31",
    };
    format!("\x1b[{colour}m{text}\x1b[0m")
}

/// Whether somebody looks at the standard output.
pub(super) fn on_terminal() -> bool {
    io::stdout().is_terminal()
}

/// One line on the standard output.
pub(super) fn line(text: impl Display) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}

/// Lines on the standard output, each with its end.
pub(super) fn text(text: impl Display) -> io::Result<()> {
    write!(io::stdout().lock(), "{text}")
}

/// Signs in a line of the terminal; the usual 80 where it does not say.
pub(super) fn width() -> usize {
    Table::new().width().map_or(80, usize::from)
}

/// One line beside the output: for the person, not for the pipe.
pub(super) fn note(text: impl Display) {
    // If nobody can read it, nobody misses it.
    _ = writeln!(io::stderr().lock(), "{text}");
}

/// A line below the header, and nothing else.
const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// Rows as an aligned table for a person, as tab-separated values without a header for a pipe.
pub(super) fn table(header: &[&str], rows: Vec<Vec<String>>) -> io::Result<()> {
    if !on_terminal() {
        return rows.iter().try_for_each(|row| line(row.join("\t")));
    }
    let mut table = new_table();
    table.set_header(header.to_vec());
    table.add_rows(rows);
    line(table.trim_fmt())
}

/// An empty table as all commands print it.
pub(super) fn new_table() -> Table {
    let mut table = Table::new();
    table.load_style(STYLE);
    table
}

/// Between groups of three digits: a narrow space that breaks no line (ISO 80000-1).
const GAP: char = '\u{202f}';

/// A number in groups of three digits.
pub(super) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(GAP);
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three_digits() {
        let told = [0, 999, 1_000, 12_345, 1_234_567].map(grouped);
        let expected = ["0", "999", "1 000", "12 345", "1 234 567"];
        assert_eq!(told, expected.map(|text| text.replace(' ', "\u{202f}")));
    }
}
