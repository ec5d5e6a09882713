//! Reading rows: some days of one subject, or all links of one day.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::connection::Trip;
use super::schema::{PARTITIONS, partition_of, prefix};
use super::tallies::damaged;
use super::{Redis, scripts, together};
use crate::model::code::Code;
use crate::model::tally::row::{HEAD, Names, length_without_sketches};
use crate::model::tally::{Breakdown, Cell, Day, Figures, QUARTERS_AN_HOUR, Row, Subject};
use crate::store::{Ask, DayFigures, DayRow, StoreError, aside};

/// Days looked into by one script call: without their quarters, and with them.
const DAYS_A_CALL: usize = 128;
const QUARTERED_DAYS_A_CALL: usize = 4;
/// Bytes of rows after which a call leaves the other days to the next one. The busiest subjects have
/// a megabyte or two a day with its quarters.
const BYTES_A_CALL: usize = 256 * 1024;

/// Calls about all links of a day that are under way at the same time: each takes Redis a third of a
/// millisecond or so, during which nobody else is served.
const LINKS_AT_ONCE: usize = 2;
/// Bytes of rows that are read in passing, within some dozen microseconds.
const BYTES_IN_PASSING: usize = 16 * 1024;

/// What a stretch of a day's links looks like: the number of classes, the class to go on from; name
/// and row in turn; hour with name and row in turn.
type Stretch = (u32, u32, Vec<Vec<u8>>, Vec<Vec<u8>>);

impl Redis {
    /// What was counted for a subject on some days: each is read in one step.
    pub(super) async fn rows_of(
        &self,
        subject: &Subject,
        asks: &[Ask],
    ) -> Result<Vec<(Day, DayRow)>, StoreError> {
        let name = subject.name();
        let pieces = asks.chunk_by(|a, b| is_plain(a) == is_plain(b)).flat_map(|alike| {
            let some = if is_plain(&alike[0]) { DAYS_A_CALL } else { QUARTERED_DAYS_A_CALL };
            alike.chunks(some)
        });
        let looks = pieces.map(async |piece| match is_plain(&piece[0]) {
            true => self.plain_rows_of(&name, piece).await,
            false => self.some_rows_of(&name, piece).await,
        });
        Ok(together(looks).await?.into_iter().flatten().collect())
    }

    /// Rows that can be read by themselves. A script only says where they stand: Lua would hash each
    /// byte of them.
    async fn plain_rows_of(
        &self,
        name: &str,
        asks: &[Ask],
    ) -> Result<Vec<(Day, DayRow)>, StoreError> {
        let prefix = prefix(partition_of(name));
        let call = scripts::PLACES.at(&prefix).arg(name);
        let call = asks.iter().fold(call, |call, ask| call.arg(ask.day.0));
        let places: Vec<i64> = self.connection.script(Trip::Query, &call).await?;
        let (mut standing, mut looks) = (Vec::new(), ::redis::pipe());
        for (ask, place) in asks.iter().zip(places).filter(|(_, place)| *place >= 0) {
            standing.push(*ask);
            looks.cmd("HGET").arg(format!("{prefix}d{}.{place}", ask.day.0)).arg(name);
        }
        if standing.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<Option<Vec<u8>>> = self.connection.commands(Trip::Query, &looks).await?;
        if rows.iter().any(Option::is_none) {
            // One has just moved into a new bucket, or is being removed.
            return self.some_rows_of(name, &standing).await;
        }
        let entry = |(ask, row): (Ask, Option<Vec<u8>>)| {
            let mut row = row.unwrap_or_default();
            row.truncate(length_without_sketches(&row).map_err(|e| damaged("a row", &e))?);
            Ok(vec![ask.day.0.to_string().into_bytes(), row])
        };
        let rows = standing.into_iter().zip(rows);
        let found = rows.map(entry).collect::<Result<_, StoreError>>()?;
        read_days(found, asks).await
    }

    async fn some_rows_of(
        &self,
        name: &str,
        mut asks: &[Ask],
    ) -> Result<Vec<(Day, DayRow)>, StoreError> {
        let mut days = Vec::new();
        while !asks.is_empty() {
            let call = scripts::DAYS.at(&prefix(partition_of(name))).arg(name).arg(BYTES_A_CALL);
            let call = asks.iter().fold(call, |call, ask| {
                let wants = match (ask.quarters, ask.sketch) {
                    (true, true) => "qs",
                    (true, false) => "q",
                    (false, true) => "s",
                    (false, false) => "",
                };
                call.arg(ask.day.0).arg(wants)
            });
            let (done, found): (usize, Vec<Vec<Vec<u8>>>) =
                self.connection.script(Trip::Query, &call).await?;
            days.extend(read_days(found, asks).await?);
            let rest = asks.get(done..).filter(|rest| rest.len() < asks.len());
            asks = rest.ok_or_else(|| StoreError::Damaged("a script's answer".into()))?;
        }
        Ok(days)
    }

    /// The links clicked on a day. Each link's figures are those of one moment; those of two links
    /// may lie some milliseconds apart.
    pub(super) async fn links_of_day(
        &self,
        day: Day,
        quarters: bool,
    ) -> Result<Vec<(Code, DayFigures)>, StoreError> {
        let looks: Vec<_> =
            (0..PARTITIONS).map(|partition| self.some_links(partition, day, quarters)).collect();
        let parts: Vec<_> = stream::iter(looks).buffered(LINKS_AT_ONCE).try_collect().await?;
        aside(move || {
            let mut links: Vec<_> = parts.into_iter().flatten().collect();
            links.sort_unstable_by(|a: &(Code, DayFigures), b| a.0.cmp(&b.0));
            links
        })
        .await
    }

    /// Those of one partition.
    async fn some_links(
        &self,
        partition: usize,
        day: Day,
        quarters: bool,
    ) -> Result<BTreeMap<Code, DayFigures>, StoreError> {
        let mut stretches: Vec<Stretch> = Vec::new();
        let (mut classes, mut class) = (0, 0);
        loop {
            let call = scripts::LINKS.at(&prefix(partition)).arg(day.0).arg(u8::from(quarters));
            let call = call.arg(HEAD).arg(classes).arg(class);
            let stretch: Stretch = self.connection.script(Trip::Query, &call).await?;
            (classes, class) = (stretch.0, stretch.1);
            stretches.push(stretch);
            if class == 0 {
                break;
            }
        }
        aside(move || {
            let mut links = BTreeMap::new();
            for (_, _, whole, hours) in stretches {
                links.extend(read_links(&whole, &hours)?);
            }
            Ok(links)
        })
        .await?
    }
}

/// Whether the day's row is all that is asked for, without its sketch.
fn is_plain(ask: &Ask) -> bool {
    !ask.quarters && !ask.sketch
}

/// Days as the script tells them, of those asked for.
async fn read_days(
    found: Vec<Vec<Vec<u8>>>,
    asks: &[Ask],
) -> Result<Vec<(Day, DayRow)>, StoreError> {
    let bytes: usize = found.iter().flatten().map(Vec::len).sum();
    let asks = asks.to_vec();
    let read = move || {
        let none = Breakdown::default();
        let mut asks = asks.into_iter();
        let mut days = Vec::<(Day, DayRow)>::with_capacity(found.len());
        for entry in &found {
            // The next day has nearly the same names.
            let like = days.last().map_or(&none, |(_, row)| &row.whole.breakdown);
            days.push(read_day(entry, &mut asks, like)?);
        }
        Ok(days)
    };
    if bytes > BYTES_IN_PASSING { aside(read).await? } else { read() }
}

/// A day as the script tells it: its number, its row, then hour and row in turn.
fn read_day(
    entry: &[Vec<u8>],
    asks: &mut impl Iterator<Item = Ask>,
    like: &Breakdown,
) -> Result<(Day, DayRow), StoreError> {
    let [day, whole, hours @ ..] = entry else {
        return Err(StoreError::Damaged("a script's answer is too short".into()));
    };
    let day = super::tallies::number(day)?;
    let day = u32::try_from(day).map_err(|e| damaged("a day", &e))?;
    // Both stand in the same order.
    let ask = asks.find(|ask| ask.day.0 == day);
    let ask = ask.ok_or_else(|| StoreError::Damaged("a day nobody asked for".into()))?;
    let none = Breakdown::default();
    let names = if ask.names { Names::Like(&none) } else { Names::Skip };
    let mut row = DayRow { whole: read_whole(whole, like)?, quarters: Vec::new() };
    for pair in hours.chunks_exact(2) {
        let first = first_quarter(&pair[0]);
        let cells = Row::read(&pair[1], names).map_err(|e| damaged("a row", &e))?.into_cells();
        row.quarters.extend(cells.into_iter().map(|(slot, cell)| (first + slot, cell)));
    }
    Ok((Day(day), row))
}

fn read_whole(bytes: &[u8], like: &Breakdown) -> Result<Cell, StoreError> {
    let row = Row::read(bytes, Names::Like(like)).map_err(|e| damaged("a row", &e))?;
    Ok(row.into_cells().into_iter().next().map(|(_, cell)| cell).unwrap_or_default())
}

/// The first quarter of the day in the hour that a field begins with.
fn first_quarter(field: &[u8]) -> u8 {
    field.first().map_or(0, |hour| (hour % 24) * QUARTERS_AN_HOUR)
}

fn read_links(
    whole: &[Vec<u8>],
    hours: &[Vec<u8>],
) -> Result<BTreeMap<Code, DayFigures>, StoreError> {
    let mut links = BTreeMap::<Code, DayFigures>::new();
    for pair in whole.chunks_exact(2) {
        let figures = read_figures(&pair[1])?;
        let whole = figures.first().map(|(_, figures)| *figures).unwrap_or_default();
        links.insert(read_code(&pair[0])?, DayFigures { whole, quarters: Vec::new() });
    }
    for pair in hours.chunks_exact(2) {
        let first = first_quarter(&pair[0]);
        let code = read_code(pair[0].get(1..).unwrap_or_default())?;
        // Hours without a day: it is being removed.
        let Some(link) = links.get_mut(&code) else { continue };
        let figures = read_figures(&pair[1])?.into_iter();
        link.quarters.extend(figures.map(|(slot, figures)| (first + slot, figures)));
    }
    // Fields stand in no order.
    links.values_mut().for_each(|link| link.quarters.sort_unstable_by_key(|(quarter, _)| *quarter));
    Ok(links)
}

fn read_figures(bytes: &[u8]) -> Result<Vec<(u8, Figures)>, StoreError> {
    Row::figures_of(bytes).map_err(|e| damaged("a row", &e))
}

fn read_code(bytes: &[u8]) -> Result<Code, StoreError> {
    let text = std::str::from_utf8(bytes).map_err(|e| damaged("a counted code", &e))?;
    Code::parse(text).map_err(|e| damaged("a counted code", &e))
}
