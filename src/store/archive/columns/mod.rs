//! An hour as a Parquet file: the fields of its lines as columns. In programs that were built with
//! it.

#[cfg(not(feature = "parquet"))]
mod absent;
#[cfg(feature = "parquet")]
mod read;
#[cfg(feature = "parquet")]
mod write;

#[cfg(not(feature = "parquet"))]
pub(super) use absent::{Writer, is_readable, lines};
#[cfg(feature = "parquet")]
pub(super) use read::{is_readable, lines};
#[cfg(feature = "parquet")]
pub(super) use write::Writer;

/// What a file looks like: a column for each field of a line, named and ordered as there.
#[cfg(feature = "parquet")]
const SCHEMA: &str = "message click {
    REQUIRED BYTE_ARRAY id (STRING);
    REQUIRED INT64 time (TIMESTAMP(MILLIS, true));
    REQUIRED BYTE_ARRAY code (STRING);
    REQUIRED BYTE_ARRAY kind (STRING);
    OPTIONAL BYTE_ARRAY bot (STRING);
    REQUIRED BYTE_ARRAY referrer (STRING);
    REQUIRED BYTE_ARRAY country (STRING);
    REQUIRED BYTE_ARRAY browser (STRING);
    REQUIRED BYTE_ARRAY platform (STRING);
    REQUIRED BYTE_ARRAY device (STRING);
    OPTIONAL BYTE_ARRAY visitor (STRING);
}";

/// Columns of text: all but `time`.
#[cfg(feature = "parquet")]
const TEXTS: usize = 10;

#[cfg(feature = "parquet")]
fn schema() -> std::io::Result<parquet::schema::types::Type> {
    parquet::schema::parser::parse_message_type(SCHEMA).map_err(as_io)
}

/// The system's own error where there is one, by which a full disk is known.
#[cfg(feature = "parquet")]
fn as_io(error: parquet::errors::ParquetError) -> std::io::Error {
    match error {
        parquet::errors::ParquetError::External(cause) => match cause.downcast() {
            Ok(error) => *error,
            Err(cause) => std::io::Error::other(cause),
        },
        other => std::io::Error::other(other),
    }
}

#[cfg(feature = "parquet")]
#[cfg(test)]
mod tests;
