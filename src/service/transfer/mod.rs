//! Moving in and moving out: links of other shorteners come in, everything can leave.
//!
//! Both ways speak one language, lines of JSON ([`mod@line`]): what the export writes is what the import
//! reads, and the formats of others are made into it first ([`reader`]).

pub mod import;
pub mod line;
pub mod reader;
