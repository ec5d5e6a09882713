//! Links as ArchiveTeam's URLTeam publishes those of dead shorteners
//! (<https://gbv.github.io/beaconspec/beacon.html>, and what became of it there): a head, and then a
//! line of code, bar and target for each link that redirects. Nothing is escaped: a reader splits a
//! line at its first bar.

use jiff::Timestamp;

use super::pages::{Out, Pages};
use super::{Export, ExportError, Fate};
use crate::model::link::Link;
use crate::store::aside;

/// Writes it. Where there are several hosts no prefix fits all links: then each line holds the whole
/// short URL.
pub(super) async fn write(
    export: &Export,
    out: &mut Out,
    now: Timestamp,
) -> Result<(), ExportError> {
    let alone = export.home.knows_all_hosts();
    let mut head = "#FORMAT: BEACON\n".to_owned();
    if alone {
        head += &format!("#PREFIX: {}/\n", export.home.public_url());
    }
    out.send(head.as_bytes()).await?;
    let mut pages = Pages::all(export.links.store()).await?;
    while let Some(links) = pages.next().await? {
        let (home, readers) = (export.home.clone(), export.readers(now));
        let piece = aside(move || {
            let mut lines = String::new();
            let followed = |link: &&Link| readers.fate_of(link) == Fate::Redirected;
            for link in links.iter().filter(followed) {
                let short = match alone {
                    true => link.code.to_string(),
                    false => home.short_url(&link.code, link.host.as_ref()),
                };
                lines += &format!("{short}|{}\n", link.target);
            }
            lines
        });
        out.send(piece.await?.as_bytes()).await?;
    }
    Ok(())
}
