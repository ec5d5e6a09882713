//! Figures as CSV (RFC 4180), and which form of answer a caller wants.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::query::{bad, choice};
use crate::http::error::{Kind, Problem};
use crate::http::extract::{QueryString, preferred};
use crate::model::sheet;
use crate::model::tally::Dimension;

/// The media type, with its parameters (RFC 4180 §3).
const TEXT_CSV: &str = "text/csv; charset=utf-8; header=present";

/// How an answer looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// All of it.
    Json,
    /// One table of it.
    Csv(Table),
}

/// A table of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    /// Row by row of time.
    Series,
    /// A breakdown.
    Of(Dimension),
    /// A ranking.
    Top,
}

impl Table {
    /// Those of a report on clicks; the first is meant when nothing is said.
    pub(super) const OF_CLICKS: [Self; 7] = [
        Self::Series,
        Self::Of(Dimension::Referrer),
        Self::Of(Dimension::Country),
        Self::Of(Dimension::Browser),
        Self::Of(Dimension::Platform),
        Self::Of(Dimension::Device),
        Self::Of(Dimension::BotFamily),
    ];
    /// Those of a report on orphans.
    pub(super) const OF_ORPHANS: [Self; 4] = [
        Self::Series,
        Self::Of(Dimension::Referrer),
        Self::Of(Dimension::Code),
        Self::Of(Dimension::CodeAndReferrer),
    ];

    /// Its name on the wire.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Series => "series",
            Self::Top => "top",
            Self::Of(Dimension::Referrer) => "referrers",
            Self::Of(Dimension::Country) => "countries",
            Self::Of(Dimension::Browser) => "browsers",
            Self::Of(Dimension::Platform) => "platforms",
            Self::Of(Dimension::Device) => "devices",
            Self::Of(Dimension::BotFamily) => "bot_families",
            Self::Of(Dimension::Code) => "codes",
            Self::Of(Dimension::CodeAndReferrer) => "hits",
        }
    }
}

impl Form {
    /// What the caller wants of an answer with these tables: `format` says it, else `Accept` does.
    pub(super) fn read(
        request: &HttpRequest,
        query: &QueryString,
        tables: &[Table],
    ) -> Result<Self, Problem> {
        let known: Vec<(&str, Table)> = tables.iter().map(|table| (table.name(), *table)).collect();
        let table = choice(query, "table", &known)?;
        let csv = match choice(query, "format", &[("json", false), ("csv", true)])? {
            Some(csv) => csv,
            None => prefers_csv(request)?,
        };
        match (csv, table.or(tables.first().copied())) {
            (true, Some(table)) => Ok(Self::Csv(table)),
            _ if table.is_some() => {
                Err(bad("table", "`table` chooses what a CSV holds; add `format=csv`"))
            }
            _ => Ok(Self::Json),
        }
    }

    /// The answer: `all` of it, or the table that was asked for.
    pub(super) fn answer(
        self,
        all: impl Serialize,
        sheet: impl FnOnce(Table) -> Sheet,
        name: &FileName<'_>,
    ) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        response.insert_header((header::VARY, "Accept"));
        match self {
            Self::Json => response.json(all),
            Self::Csv(table) => {
                let name = name.of(table);
                response
                    .content_type(TEXT_CSV)
                    .insert_header((
                        header::CONTENT_DISPOSITION,
                        format!("attachment; filename=\"{name}\""),
                    ))
                    .body(sheet(table).into_bytes())
            }
        }
    }
}

/// Whether a request prefers CSV to JSON.
fn prefers_csv(request: &HttpRequest) -> Result<bool, Problem> {
    preferred(request, &[("application/json", false), ("text/csv", true)]).ok_or_else(|| {
        let detail = "figures can be had as application/json and text/csv; accept one of them, \
                      or say `format=json` or `format=csv`";
        Problem::new(Kind::NotAcceptable, detail).field("Accept")
    })
}

/// What the name of a file is made of.
pub(super) struct FileName<'a> {
    /// Whose figures.
    pub(super) of: &'a str,
    /// The window's beginning.
    pub(super) from: Timestamp,
    /// Its end.
    pub(super) to: Timestamp,
    /// Whose dates.
    pub(super) tz: &'a TimeZone,
}

impl FileName<'_> {
    fn of(&self, table: Table) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
        let of: String = self.of.chars().map(plain).collect();
        let date = |moment: Timestamp| moment.to_zoned(self.tz.clone()).date();
        // The end is not within the window any more.
        let last = self.to.as_nanosecond().saturating_sub(1);
        let last = Timestamp::from_nanosecond(last).unwrap_or(self.to);
        format!("slugline-{of}-{}-{}--{}.csv", table.name(), date(self.from), date(last))
    }
}

/// A table, cell by cell.
pub(super) struct Sheet {
    header: &'static [&'static str],
    rows: Vec<Vec<String>>,
}

impl Sheet {
    /// A table with this header line.
    pub(super) fn new(
        header: &'static [&'static str],
        rows: impl IntoIterator<Item = Vec<String>>,
    ) -> Self {
        Self { header, rows: rows.into_iter().collect() }
    }

    fn into_bytes(self) -> Vec<u8> {
        let terminator = csv::Terminator::CRLF;
        let mut writer = sheet::rows().terminator(terminator).from_writer(Vec::new());
        // Writing rows of one length into memory can't fail.
        let _ = writer.write_record(self.header);
        for row in self.rows {
            let _ = writer.write_record(row.iter().map(|cell| sheet::harmless(cell).into_owned()));
        }
        writer.into_inner().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn formulas_are_disarmed_and_the_rest_is_rfc_4180() {
        let cells = ["=1+1", "a;=1", "a,\"b\"", "é\n", "", "a=b"];
        let rows = cells.iter().map(|cell| vec![(*cell).to_owned(), "1".to_owned()]);
        let text = String::from_utf8(Sheet::new(&["id", "clicks"], rows).into_bytes()).unwrap();
        let expected = "\"id\",\"clicks\"\r\n\"'=1+1\",1\r\n\"a;'=1\",1\r\n\
                        \"a,\"\"b\"\"\",1\r\n\"é\n\",1\r\n\"\",1\r\n\"a=b\",1\r\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn the_closest_range_of_accept_decides() {
        for (accept, wanted) in [
            (None, Some(false)),
            (Some(""), Some(false)),
            (Some("*/*"), Some(false)),
            (Some("application/*"), Some(false)),
            (Some("text/csv"), Some(true)),
            (Some("text/*"), Some(true)),
            (Some("text/html,*/*;q=0.8"), Some(false)),
            (Some("application/json;q=0.5, text/csv"), Some(true)),
            (Some("text/csv;q=0.5, application/json"), Some(false)),
            (Some("*/*, application/json;q=0"), Some(true)),
            (Some("text/csv, application/json"), Some(false)),
            (Some("text/html"), None),
            (Some("*/*;q=0"), None),
        ] {
            let request = TestRequest::default();
            let request = match accept {
                Some(accept) => request.insert_header((header::ACCEPT, accept)),
                None => request,
            };
            let told = prefers_csv(&request.to_http_request()).ok();
            assert_eq!(told, wanted, "{accept:?}");
        }
    }

    #[test]
    fn a_file_is_named_after_what_it_holds() {
        let tz = TimeZone::get("Europe/Berlin").unwrap();
        let name = FileName {
            of: "fb/Ab\"; é",
            from: "2026-10-31T23:00:00Z".parse().unwrap(),
            to: "2026-11-30T23:00:00Z".parse().unwrap(),
            tz: &tz,
        };
        let told = name.of(Table::Series);
        assert_eq!(told, "slugline-fb-Ab-----series-2026-11-01--2026-11-30.csv");
    }
}
