//! Links as a table, for a spreadsheet or another shortener. Tombstones are among them.

use jiff::Timestamp;

use super::pages::{Out, Pages};
use super::{Export, ExportError};
use crate::model::home::Home;
use crate::model::link::{Link, State, Tag};
use crate::model::sheet::{harmless, rows};
use crate::model::tally::Count;
use crate::store::{Tallies as _, aside};

/// The columns. `clicks` are all, ever; `imported_clicks` were counted elsewhere and are in none of
/// the others.
const COLUMNS: [&str; 16] = [
    "code",
    "short_url",
    "target",
    "article",
    "created_at",
    "title",
    "tags",
    "state",
    "expires_at",
    "redirect",
    "host",
    "owner",
    "clicks",
    "people",
    "bots",
    "imported_clicks",
];

/// Writes the header, and a row for each link.
pub(super) async fn write(
    export: &Export,
    out: &mut Out,
    now: Timestamp,
) -> Result<(), ExportError> {
    let store = export.links.store();
    out.send(&sheet(std::iter::once(COLUMNS.map(str::to_owned)))).await?;
    let mut pages = Pages::all(store).await?;
    while let Some(links) = pages.next().await? {
        let codes: Vec<_> = links.iter().map(|link| link.code.clone()).collect();
        let totals = store.totals(&codes).await?;
        let home = export.home.clone();
        let piece = aside(move || {
            let rows = links.iter().zip(totals);
            sheet(rows.map(|(link, total)| row(link, total, &home, now)))
        });
        out.send(&piece.await?).await?;
    }
    Ok(())
}

fn row(link: &Link, total: Count, home: &Home, now: Timestamp) -> [String; 16] {
    let moment = |moment: Timestamp| format!("{moment:.3}");
    let tags: Vec<&str> = link.tags.iter().map(Tag::as_str).collect();
    [
        link.code.to_string(),
        home.short_url(&link.code, link.host.as_ref()),
        link.target.to_string(),
        link.article.to_string(),
        moment(link.created_at),
        link.title.clone().unwrap_or_default(),
        tags.join(", "),
        name_of(link.state_at(now)).to_owned(),
        link.expires_at.map(moment).unwrap_or_default(),
        link.redirect.map(|own| own.status().to_string()).unwrap_or_default(),
        link.host.as_ref().map(ToString::to_string).unwrap_or_default(),
        link.owner.to_string(),
        total.clicks().to_string(),
        total.people.to_string(),
        total.bots.to_string(),
        link.baseline.map(|there| there.clicks.to_string()).unwrap_or_default(),
    ]
}

fn name_of(state: State) -> &'static str {
    match state {
        State::Active => "active",
        State::Disabled => "disabled",
        State::Expired => "expired",
        State::Deleted => "deleted",
    }
}

fn sheet(lines: impl Iterator<Item = [String; 16]>) -> Vec<u8> {
    let mut rows = rows().from_writer(Vec::new());
    for line in lines {
        // Writing plain data into memory can't fail.
        drop(rows.write_record(line.iter().map(|cell| harmless(cell).into_owned())));
    }
    rows.into_inner().unwrap_or_default()
}
