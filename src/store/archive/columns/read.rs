//! The columns of a Parquet file → lines, as they went in.

use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::Timestamp;
use parquet::basic::Type as Physical;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::reader::{FileReader as _, RowGroupReader, SerializedFileReader};
use parquet::schema::types::SchemaDescriptor;

use super::{TEXTS, as_io, schema};
use crate::store::archive::line::{Kind, Line};

/// Rows that are taken out of a group at a time.
const BATCH: usize = 1_024;

/// Files can be read.
pub(in crate::store::archive) fn is_readable() -> io::Result<()> {
    Ok(())
}

/// Hands on a file's lines, each with its end. Keeps some pages of it in memory, and no more.
///
/// # Errors
/// The system's, those of `each`, and [`io::ErrorKind::InvalidData`] when it is no such file.
pub(in crate::store::archive) fn lines(
    file: File,
    mut each: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let file = guarded(|| SerializedFileReader::new(file).map_err(as_io))?;
    let found = file.metadata().file_metadata().schema_descr();
    if columns(found) != columns(&SchemaDescriptor::new(schema()?.into())) {
        return Err(damaged("it has other columns than the archive's files"));
    }
    let mut line = Vec::new();
    for number in 0..file.num_row_groups() {
        let group = guarded(|| file.get_row_group(number).map_err(as_io))?;
        let mut left = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
        let mut columns = guarded(|| Columns::of(&*group))?;
        while left > 0 {
            let rows = guarded(|| columns.read(left.min(BATCH)))?;
            for row in 0..rows {
                line.clear();
                columns.line(row)?.write(&mut line)?;
                each(&line)?;
            }
            left -= rows;
        }
    }
    Ok(())
}

/// All that matters of a schema here: name, type, and whether there may be nothing.
fn columns(schema: &SchemaDescriptor) -> Vec<(&str, Physical, i16, i16)> {
    let columns = schema.columns().iter();
    columns.map(|c| (c.name(), c.physical_type(), c.max_def_level(), c.max_rep_level())).collect()
}

/// A group's columns, and the rows that were last read of them.
struct Columns {
    time: ColumnReaderImpl<Int64Type>,
    times: Vec<i64>,
    texts: Vec<Texts>,
}

struct Texts {
    column: ColumnReaderImpl<ByteArrayType>,
    cells: Vec<Option<ByteArray>>,
}

impl Columns {
    fn of(group: &dyn RowGroupReader) -> io::Result<Self> {
        let (mut time, mut texts) = (None, Vec::new());
        for number in 0..group.num_columns() {
            match group.get_column_reader(number).map_err(as_io)? {
                ColumnReader::Int64ColumnReader(column) => time = Some(column),
                ColumnReader::ByteArrayColumnReader(column) => {
                    texts.push(Texts { column, cells: Vec::new() });
                }
                _ => {}
            }
        }
        match time {
            Some(time) if texts.len() == TEXTS => Ok(Self { time, times: Vec::new(), texts }),
            _ => Err(damaged("columns are missing")),
        }
    }

    /// Reads the next rows, at most so many and at least one, and says how many.
    fn read(&mut self, most: usize) -> io::Result<usize> {
        self.times.clear();
        let read = self.time.read_records(most, None, None, &mut self.times);
        let (rows, _, _) = read.map_err(as_io)?;
        for texts in &mut self.texts {
            texts.read(rows)?;
        }
        let whole = rows > 0 && self.texts.iter().all(|texts| texts.cells.len() == rows);
        if whole { Ok(rows) } else { Err(damaged("it has fewer rows than it says")) }
    }

    /// The line of a row of those last read.
    fn line(&self, row: usize) -> io::Result<Line<'_>> {
        let optional = |column: usize| -> io::Result<Option<&str>> {
            let cell = self.texts.get(column).and_then(|texts| texts.cells.get(row)?.as_ref());
            cell.map(|cell| cell.as_utf8().map_err(as_io)).transpose()
        };
        let text = |column| optional(column)?.ok_or_else(|| damaged("a cell is empty"));
        let at = self.times.get(row).and_then(|time| Timestamp::from_millisecond(*time).ok());
        let kind = text(2)?;
        let kind = [Kind::Person, Kind::Bot].into_iter().find(|known| known.name() == kind);
        Ok(Line {
            id: text(0)?.into(),
            at: at.ok_or_else(|| damaged("a time is none"))?,
            code: text(1)?.into(),
            kind: kind.ok_or_else(|| damaged("a kind is none"))?,
            bot: optional(3)?.map(Into::into),
            referrer: text(4)?.into(),
            country: text(5)?.into(),
            browser: text(6)?.into(),
            platform: text(7)?.into(),
            device: text(8)?.into(),
            visitor: optional(9)?.map(Into::into),
        })
    }
}

impl Texts {
    fn read(&mut self, rows: usize) -> io::Result<()> {
        let (mut levels, mut values) = (Vec::new(), Vec::new());
        let read = self.column.read_records(rows, Some(&mut levels), None, &mut values);
        let (found, _, _) = read.map_err(as_io)?;
        let mut values = values.into_iter();
        self.cells.clear();
        // What is always there has no levels.
        let is_there = |row| levels.get(row).is_none_or(|level| *level > 0);
        let next = |row| if is_there(row) { values.next() } else { None };
        self.cells.extend((0..found).map(next));
        Ok(())
    }
}

/// The crate believes what a file says of itself, and panics on some files that are damaged. What was
/// read of such a file is given up.
fn guarded<T>(read: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(damaged("it is damaged")))
}

fn damaged(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
