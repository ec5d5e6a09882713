//! The lines of a file, one at a time, none of them longer than is allowed.

use std::io::{self, BufRead, Read};

use super::Refusal;

/// The byte order mark in UTF-8: nothing that belongs to the text. It stands at the beginning of a file,
/// and where files were joined, before the head of each.
pub(super) const BOM: &[u8] = b"\xef\xbb\xbf";

/// Reads lines that end with LF or CRLF, or with the file.
pub(super) struct Lines<R> {
    input: R,
    line: Vec<u8>,
    number: u64,
    limit: usize,
}

/// A line and its number, or why it is not read.
pub(super) type Line<'a> = Result<(u64, &'a [u8]), Refusal>;

impl<R: BufRead> Lines<R> {
    /// Lines of at most `limit` bytes.
    pub(super) fn new(input: R, limit: usize) -> Self {
        Self { input, line: Vec::new(), number: 0, limit }
    }

    /// The next line without its end, and its number from 1. A longer one is skipped, and none of it
    /// is held.
    pub(super) fn advance(&mut self) -> io::Result<Option<Line<'_>>> {
        self.line.clear();
        self.number += 1;
        let limit = self.limit + BOM.len() + b"\r\n".len();
        let mut within = (&mut self.input).take(limit as u64);
        if within.read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        let whole = self.line.ends_with(b"\n");
        if !whole && self.line.len() == limit {
            self.input.skip_until(b'\n')?;
        }
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let unmarked = line.strip_prefix(BOM);
        let begins = |rest: &&[u8]| self.number == 1 || rest.starts_with(b"#");
        let line = unmarked.filter(begins).unwrap_or(line);
        if line.len() > self.limit {
            let reason = format!("the line has more than {} bytes", self.limit);
            return Ok(Some(Err(Refusal { line: self.number, reason })));
        }
        Ok(Some(Ok((self.number, line))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All lines; of a refused one, its number and nothing.
    fn lines(text: &[u8], limit: usize) -> Vec<(u64, Vec<u8>)> {
        let mut lines = Lines::new(text, limit);
        let mut all = Vec::new();
        while let Some(line) = lines.advance().unwrap() {
            all.push(line.map_or_else(
                |refusal| (refusal.line, Vec::new()),
                |(number, line)| (number, line.to_vec()),
            ));
        }
        all
    }

    #[test]
    fn lines_end_as_they_like_and_a_byte_order_mark_is_no_text() {
        let expected = [(1, b"a".to_vec()), (2, b"".to_vec()), (3, b"\xe9b".to_vec())];
        assert_eq!(lines(b"a\n\n\xe9b\n", 9), expected);
        assert_eq!(lines(b"\xef\xbb\xbfa\r\n\r\n\xe9b", 9), expected);
        assert_eq!(lines(b"", 9), []);
        // Where files were joined, the head of each may have one.
        let joined = [(1, b"#a".to_vec()), (2, b"#b".to_vec()), (3, b"\xef\xbb\xbfc".to_vec())];
        assert_eq!(lines(b"#a\n\xef\xbb\xbf#b\n\xef\xbb\xbfc", 9), joined);
    }

    #[test]
    fn what_is_too_long_is_skipped_to_its_end_and_nothing_else_is() {
        let expected = [(1, b"abcd".to_vec()), (2, vec![]), (3, b"x".to_vec())];
        for text in ["abcd\nabcde\nx", "abcd\r\nabcde\r\nx\r\n", "abcd\nabcdefghijklm\nx\n"] {
            assert_eq!(lines(text.as_bytes(), 4), expected, "{text:?}");
        }
        assert_eq!(lines(b"abcde", 4), [(1, vec![])]);
        for text in ["\u{feff}abcdefgh\nx", "\u{feff}abcde\r\nx", "\u{feff}abcd\r\nx"] {
            let fits = text.contains("abcd\r");
            let first = if fits { b"abcd".to_vec() } else { vec![] };
            assert_eq!(lines(text.as_bytes(), 4), [(1, first), (2, b"x".to_vec())], "{text:?}");
        }
    }
}
