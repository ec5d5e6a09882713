//! A click as it stands in the archive: one line of JSON.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};

use crate::model::click::{Click, Visit, Who};
use crate::store::{Lane, NodeId, Position};

/// One click. Neither an address nor an agent stands in it; the visitor only as the hash that is
/// good for one UTC day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line<'a> {
    /// Node, lane and place in the journal: no two clicks have the same.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// When it was answered, to the millisecond. Written as `time`: in DuckDB's SQL, `at` is a word
    /// of the language.
    #[serde(rename = "time", serialize_with = "to_the_millisecond")]
    pub at: Timestamp,
    /// The code that was followed.
    #[serde(borrow)]
    pub code: Cow<'a, str>,
    /// Who made it.
    pub kind: Kind,
    /// The bot's kind, a slash, its name.
    pub bot: Option<Cow<'a, str>>,
    /// The host that they came from, `direct` or `unknown`.
    #[serde(borrow)]
    pub referrer: Cow<'a, str>,
    /// Two capital letters (ISO 3166-1), or `unknown`.
    #[serde(borrow)]
    pub country: Cow<'a, str>,
    /// The browser's family, or `unknown`.
    #[serde(borrow)]
    pub browser: Cow<'a, str>,
    /// The operating system's family, or `unknown`.
    #[serde(borrow)]
    pub platform: Cow<'a, str>,
    /// `phone`, `tablet`, `desktop`, `other` or `unknown`.
    #[serde(borrow)]
    pub device: Cow<'a, str>,
    /// 16 hexadecimal digits, the same for one person within one UTC day.
    pub visitor: Option<Cow<'a, str>>,
}

/// Who made a click.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A person.
    Person,
    /// Anything else.
    Bot,
}

impl Kind {
    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Bot => "bot",
        }
    }
}

impl<'a> Line<'a> {
    /// The line of the click that stands at this place.
    #[must_use]
    pub fn of(
        (node, lane, place): (&NodeId, Lane, Position),
        click: &Click<'a>,
        visit: &'a Visit,
    ) -> Self {
        let (kind, bot, visitor) = match &visit.who {
            Who::Person(visitor) => (Kind::Person, None, *visitor),
            Who::Bot(family) => (Kind::Bot, Some(Cow::Borrowed(&**family)), None),
        };
        Self {
            id: format!("{}-{}-{}", node.0, lane.0, place.0).into(),
            at: click.at(),
            code: click.code.into(),
            kind,
            bot,
            referrer: Cow::Borrowed(&visit.referrer),
            country: Cow::Borrowed(&visit.country),
            browser: Cow::Borrowed(&visit.browser),
            platform: Cow::Borrowed(&visit.platform),
            device: Cow::Borrowed(&visit.device),
            visitor: visitor.map(|hash| format!("{hash:016x}").into()),
        }
    }

    /// Appends it, with the line's end.
    ///
    /// # Errors
    /// None that memory does not make.
    pub fn write(&self, bytes: &mut Vec<u8>) -> serde_json::Result<()> {
        serde_json::to_writer(&mut *bytes, self)?;
        bytes.push(b'\n');
        Ok(())
    }

    /// Reads one, with or without the line's end.
    ///
    /// # Errors
    /// When it is not as [`Line::write`] wrote it.
    pub fn read(bytes: &'a [u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(bytes)
    }
}

fn to_the_millisecond<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&format_args!("{at:.3}"))
}

/// That part of a line which says when.
#[derive(Deserialize)]
pub(super) struct When {
    #[serde(rename = "time")]
    pub(super) at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::click::Source;

    fn visit(who: Who) -> Visit {
        Visit {
            who,
            referrer: "google.com".into(),
            country: "DE".into(),
            browser: "Firefox".into(),
            platform: "Linux".into(),
            device: "desktop".into(),
        }
    }

    fn written(who: Who, source: Source<'_>) -> String {
        let node = NodeId("n0de".into());
        let click = Click { at_ms: 1_795_425_255_120, code: "8yDbrB", source };
        let mut bytes = Vec::new();
        let visit = visit(who);
        let line = Line::of((&node, Lane(3), Position(42)), &click, &visit);
        line.write(&mut bytes).unwrap();
        assert_eq!(Line::read(&bytes).unwrap(), line);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_line_says_all_that_is_counted() {
        assert_eq!(
            written(Who::Person(Some(0xab)), Source::default()),
            "{\"id\":\"n0de-3-42\",\"time\":\"2026-11-23T09:14:15.120Z\",\"code\":\"8yDbrB\",\
             \"kind\":\"person\",\"bot\":null,\"referrer\":\"google.com\",\"country\":\"DE\",\
             \"browser\":\"Firefox\",\"platform\":\"Linux\",\"device\":\"desktop\",\
             \"visitor\":\"00000000000000ab\"}\n"
        );
        let bot = written(Who::Bot("preview/WhatsApp".into()), Source::default());
        assert!(bot.contains("\"kind\":\"bot\",\"bot\":\"preview/WhatsApp\""), "{bot}");
        assert!(bot.contains("\"visitor\":null"), "{bot}");
    }

    #[test]
    fn neither_the_address_nor_the_agent_is_in_it() {
        let source = Source {
            agent: b"Secret/1.0",
            referrer: b"https://secret.example",
            address: Some([192, 0, 2, 77].into()),
            ..Source::default()
        };
        let line = written(Who::Person(None), source);
        assert!(!line.contains("Secret") && !line.contains("192.0.2.77"), "{line}");
    }
}
