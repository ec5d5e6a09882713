//! What is asked for: arguments, and the path and the query of the API that they become.

use anyhow::Context;
use clap::ValueEnum;
use serde::Deserialize;
use url::form_urlencoded;

use crate::model::code::Code;
use crate::model::key::KeyId;

/// Rows shown when no window is asked for.
const LAST_ROWS: usize = 14;

/// Whose clicks: one of these, or those of the whole site.
#[derive(Debug, Default, PartialEq, Eq, clap::Args)]
#[group(multiple = false)]
pub(super) struct Whose {
    /// A link's code, or its short URL
    #[arg(value_name = "CODE|SHORT_URL")]
    code: Option<String>,
    /// All links of the article with this address, in any form of it
    #[arg(long, value_name = "URL")]
    article: Option<String>,
    /// All links with this tag
    #[arg(long)]
    tag: Option<String>,
    /// All links minted by the API key with this id; local000: on the service's own machine
    #[arg(long, value_name = "ID", value_parser = KeyId::parse)]
    minted_by: Option<KeyId>,
    /// All links: also when nothing is named
    #[arg(long)]
    site: bool,
}

/// From when to when.
#[derive(Debug, Default, Clone, PartialEq, Eq, clap::Args)]
pub(super) struct Window {
    /// A window that ends now: 2h, 24h, 7d, 4w … or all
    #[arg(long, value_name = "TIME", conflicts_with_all = ["from", "to"])]
    last: Option<String>,
    /// First moment or day [default: what the service thinks sensible]
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// The moment or day before which it ends [default: now]
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Time zone in which days begin: Europe/Prague [default: UTC]
    #[arg(long, value_name = "ZONE")]
    tz: Option<String>,
}

/// How to print.
#[derive(Debug, Default, Clone, PartialEq, Eq, clap::Args)]
pub(super) struct Form {
    /// Print the service's answer as it is
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print comma-separated values for a spreadsheet: the series, or a breakdown (--csv=referrers)
    #[arg(long, value_name = "TABLE", num_args = 0..=1, require_equals = true,
          default_missing_value = "series")]
    csv: Option<String>,
}

/// How to print a ranking.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, clap::Args)]
pub(super) struct TopForm {
    /// Print the service's answer as it is
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print comma-separated values for a spreadsheet
    #[arg(long)]
    csv: bool,
}

/// A form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// For a person, or tab-separated for a pipe.
    Text,
    /// The service's answer.
    Json,
    /// The service's answer as comma-separated values.
    Csv,
}

/// What to tell of the clicks.
#[derive(Debug, Default, PartialEq, Eq, clap::Args)]
pub(super) struct Asked {
    #[command(flatten)]
    window: Window,
    /// Length of a period [default: hour for at most two days, else day]
    #[arg(long, value_enum)]
    by: Option<By>,
    /// Rows of each breakdown; what is beyond them is in `other` [default: 10]
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u32>,
    /// Count bots in the breakdowns too, not people only
    #[arg(long)]
    include_bots: bool,
    /// Tell the change against the window of the same length before
    #[arg(long)]
    compare: bool,
}

/// Which ranking.
#[derive(Debug, clap::Args)]
pub(super) struct TopAsked {
    #[command(flatten)]
    window: Window,
    /// What links are ranked by
    #[arg(long, value_enum, default_value_t = Rank::Clicks)]
    by: Rank,
    /// How many links [default: 10]
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u32>,
}

/// The length of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum By {
    Hour,
    Day,
    Week,
    Month,
}

impl By {
    /// Its name in the API.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }
}

/// What links are ranked by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Rank {
    /// All clicks, also those of bots
    Clicks,
    /// Clicks of people
    People,
}

/// What the API is asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Question {
    /// How to print the answer.
    pub(super) format: Format,
    /// Below the server's address.
    pub(super) path: String,
    /// Names and values.
    pub(super) query: Vec<(&'static str, String)>,
    /// Whose figures these are, for a person.
    pub(super) about: String,
    /// The most periods to list, the last ones.
    pub(super) rows: usize,
    /// The time zone that was asked for.
    pub(super) tz: String,
}

impl Window {
    fn query(&self) -> Vec<(&'static str, String)> {
        let values =
            [("last", &self.last), ("from", &self.from), ("to", &self.to), ("tz", &self.tz)];
        values.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect()
    }

    fn question(
        &self,
        path: &str,
        query: Vec<(&'static str, String)>,
        about: String,
        rows: usize,
        format: Format,
    ) -> Question {
        let tz = self.tz.clone().unwrap_or_else(|| "UTC".into());
        Question { format, path: format!("/api/v1/{path}"), query, about, rows, tz }
    }

    fn is_asked_for(&self) -> bool {
        self.last.is_some() || self.from.is_some()
    }
}

impl Asked {
    /// The question about these links' clicks.
    ///
    /// # Errors
    /// When a code is none.
    pub(super) fn about(&self, whose: &Whose, form: &Form) -> anyhow::Result<Question> {
        let (path, about, more) = if let Some(text) = &whose.code {
            let code = code_of(text)?;
            (format!("links/{code}/stats"), code.to_string(), None)
        } else if let Some(url) = &whose.article {
            let about = format!("article {url}");
            ("targets/stats".into(), about, Some(("url", url.clone())))
        } else if let Some(tag) = &whose.tag {
            (format!("tags/{}/stats", segment(tag)), format!("tag {tag}"), None)
        } else if let Some(id) = &whose.minted_by {
            (format!("keys/{id}/stats"), format!("links minted by key {id}"), None)
        } else {
            ("stats".into(), "all links".into(), None)
        };
        Ok(self.question(&path, about, more, form))
    }

    /// The question about requests for unknown codes.
    pub(super) fn about_orphans(&self, form: &Form) -> Question {
        self.question("stats/orphans", "codes that lead nowhere".into(), None, form)
    }

    fn question(
        &self,
        path: &str,
        about: String,
        more: Option<(&'static str, String)>,
        form: &Form,
    ) -> Question {
        let mut query: Vec<_> = more.into_iter().chain(self.window.query()).collect();
        query.extend(self.by.map(|by| ("by", by.name().to_owned())));
        query.extend(self.limit.map(|limit| ("limit", limit.to_string())));
        if self.include_bots {
            query.push(("include", "bots".into()));
        }
        if self.compare {
            query.push(("compare", "previous".into()));
        }
        if let Some(table) = &form.csv {
            query.extend([("format", "csv".to_owned()), ("table", table.clone())]);
        }
        let rows = if self.window.is_asked_for() { usize::MAX } else { LAST_ROWS };
        let format = Format::of(form.json, form.csv.is_some());
        self.window.question(path, query, about, rows, format)
    }
}

impl TopAsked {
    /// The question.
    pub(super) fn question(&self, form: TopForm) -> Question {
        let mut query = self.window.query();
        let about = match self.by {
            Rank::Clicks => "links with most clicks",
            Rank::People => "links with most clicks of people",
        };
        if self.by == Rank::People {
            query.push(("by", "people".into()));
        }
        query.extend(self.limit.map(|limit| ("limit", limit.to_string())));
        if form.csv {
            query.push(("format", "csv".into()));
        }
        let format = Format::of(form.json, form.csv);
        self.window.question("stats/top", query, about.into(), usize::MAX, format)
    }
}

impl Format {
    fn of(json: bool, csv: bool) -> Self {
        match (json, csv) {
            (true, _) => Self::Json,
            (_, true) => Self::Csv,
            _ => Self::Text,
        }
    }
}

/// The code in a code or in a short URL.
///
/// # Errors
/// When it is neither.
pub(super) fn code_of(text: &str) -> anyhow::Result<Code> {
    let path = match url::Url::parse(text) {
        Ok(url) if text.contains("://") => url.path().trim_start_matches('/').to_owned(),
        _ => text.to_owned(),
    };
    Code::parse(&path).with_context(|| format!("{text:?} is neither a code nor a short URL"))
}

/// `text` as one segment of a path. In a path, other than in a query, a plus sign is no space.
fn segment(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> Asked {
        let window = Window { last: Some("7d".into()), ..Window::default() };
        Asked { window, by: Some(By::Week), limit: Some(5), include_bots: true, compare: true }
    }

    #[test]
    fn a_code_is_read_from_a_short_url_too() {
        for text in ["8yDbrB", "https://go.example.org/8yDbrB", "http://127.0.0.1:8080/8yDbrB"] {
            assert_eq!(code_of(text).unwrap().as_str(), "8yDbrB");
        }
        assert_eq!(code_of("https://go.example.org/fb/AbC1").unwrap().as_str(), "fb/AbC1");
        assert!(code_of("https://go.example.org/").is_err());
        assert!(code_of("no code").is_err());
    }

    #[test]
    fn a_tag_of_any_characters_is_one_segment() {
        let whose = Whose { tag: Some("a/b c+ü".into()), ..Whose::default() };
        let question = Asked::default().about(&whose, &Form::default()).unwrap();
        assert_eq!(question.path, "/api/v1/tags/a%2Fb%20c%2B%C3%BC/stats");
        assert_eq!(question.query, []);
    }

    #[test]
    fn nothing_named_is_the_whole_site() {
        let about = |whose| Asked::default().about(&whose, &Form::default()).unwrap();
        let whole = about(Whose::default());
        let named = about(Whose { site: true, ..Whose::default() });
        assert_eq!((whole.path.as_str(), whole.rows), ("/api/v1/stats", 14));
        assert_eq!(whole, named);
    }

    #[test]
    fn all_that_is_asked_for_is_said() {
        let article = Some("https://example.org/a".to_owned());
        let form = Form { json: false, csv: Some("referrers".into()) };
        let question = asked().about(&Whose { article, ..Whose::default() }, &form).unwrap();
        let query: Vec<String> =
            question.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let expected = [
            "url=https://example.org/a",
            "last=7d",
            "by=week",
            "limit=5",
            "include=bots",
            "compare=previous",
            "format=csv",
            "table=referrers",
        ];
        assert_eq!(query, expected);
        assert_eq!((question.rows, question.format), (usize::MAX, Format::Csv));
    }
}
