//! Lines → the columns of a Parquet file.

use std::fs::File;
use std::io;
use std::mem;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::Compression;
use parquet::column::writer::{ColumnWriter, ColumnWriterImpl};
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::{WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;

use super::{TEXTS, as_io, schema};
use crate::store::archive::line::Line;

/// Rows that are kept in memory until they are written together: some 20 MB. Readers pass over
/// groups in which nothing can be that they want, so smaller ones serve them better, and larger ones
/// compress better.
const GROUP: usize = 64 * 1024;

/// A file in the making.
pub(in crate::store::archive) struct Writer {
    file: SerializedFileWriter<File>,
    group: Group,
}

/// Rows that are not yet written.
#[derive(Default)]
struct Group {
    times: Vec<i64>,
    texts: [Texts; TEXTS],
}

/// A column of text, or of nothing.
#[derive(Default)]
struct Texts {
    bytes: Vec<u8>,
    /// Where in `bytes` each text ends that is there.
    ends: Vec<usize>,
    /// Whether there is one: 1 or 0, a "definition level".
    present: Vec<i16>,
}

impl Writer {
    /// Begins a file.
    pub(in crate::store::archive) fn begin(file: File) -> io::Result<Self> {
        let schema = Arc::new(schema()?);
        let file = SerializedFileWriter::new(file, schema, properties()).map_err(as_io)?;
        Ok(Self { file, group: Group::default() })
    }

    /// Adds the row of a line; [`io::ErrorKind::InvalidData`] when it is none.
    pub(in crate::store::archive) fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let line = Line::read(line).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
        self.group.push(&line);
        if self.group.times.len() == GROUP { self.write_group() } else { Ok(()) }
    }

    /// Ends the file, which is not synced yet.
    pub(in crate::store::archive) fn end(mut self) -> io::Result<File> {
        if !self.group.times.is_empty() {
            self.write_group()?;
        }
        self.file.into_inner().map_err(as_io)
    }

    fn write_group(&mut self) -> io::Result<()> {
        self.group.write(&mut self.file).map_err(as_io)
    }
}

fn properties() -> WriterPropertiesPtr {
    let plain = |name: &str| ColumnPath::from(name);
    let properties = WriterProperties::builder()
        // Of the compressions that every reader knows, the one that is built in anyway.
        .set_compression(Compression::GZIP(parquet::basic::GzipLevel::default()))
        // Hardly two rows have the same.
        .set_column_dictionary_enabled(plain("id"), false)
        .set_column_dictionary_enabled(plain("time"), false)
        .build();
    Arc::new(properties)
}

impl Group {
    fn push(&mut self, line: &Line<'_>) {
        self.times.push(line.at.as_millisecond());
        let cells: [_; TEXTS] = [
            Some(&*line.id),
            Some(&*line.code),
            Some(line.kind.name()),
            line.bot.as_deref(),
            Some(&*line.referrer),
            Some(&*line.country),
            Some(&*line.browser),
            Some(&*line.platform),
            Some(&*line.device),
            line.visitor.as_deref(),
        ];
        for (texts, cell) in self.texts.iter_mut().zip(cells) {
            texts.push(cell);
        }
    }

    /// Writes them, column by column, and is empty again.
    fn write(&mut self, file: &mut SerializedFileWriter<File>) -> Result<()> {
        let mut group = file.next_row_group()?;
        let mut texts = self.texts.iter_mut();
        while let Some(mut column) = group.next_column()? {
            match (column.untyped(), texts.len()) {
                (ColumnWriter::Int64ColumnWriter(column), _) => {
                    column.write_batch(&mem::take(&mut self.times), None, None)?;
                }
                (ColumnWriter::ByteArrayColumnWriter(column), 1..) => {
                    texts.next().map_or(Ok(()), |texts| texts.write(column))?;
                }
                _ => return Err(ParquetError::General("the schema has come apart".into())),
            }
            column.close()?;
        }
        group.close()?;
        Ok(())
    }
}

impl Texts {
    fn push(&mut self, cell: Option<&str>) {
        if let Some(text) = cell {
            self.bytes.extend_from_slice(text.as_bytes());
            self.ends.push(self.bytes.len());
        }
        self.present.push(cell.is_some().into());
    }

    fn write(&mut self, column: &mut ColumnWriterImpl<'_, ByteArrayType>) -> Result<()> {
        let Self { bytes, ends, present } = mem::take(self);
        let bytes = Bytes::from(bytes);
        let mut start = 0;
        let cut = |end| ByteArray::from(bytes.slice(mem::replace(&mut start, end)..end));
        let texts: Vec<_> = ends.into_iter().map(cut).collect();
        // What is always there has no levels.
        let levels = (column.get_descriptor().max_def_level() > 0).then_some(&*present);
        column.write_batch(&texts, levels, None)?;
        Ok(())
    }
}
