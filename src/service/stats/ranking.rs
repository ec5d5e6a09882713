//! The most clicked links: exact, over all links that were clicked.

use std::collections::HashMap;

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;

use super::report::{AT_ONCE, add_up, days_to_ask, sum};
use super::window::{Rows, Window, middle_of_day, middle_of_quarter};
use super::{MAX_TOP_DAYS, Query, Rank, Stats, StatsError, Top};
use crate::model::code::Code;
use crate::model::link::Link;
use crate::model::tally::{Count, Day, Figures, Quarter, Subject};
use crate::service::auth::Principal;
use crate::store::{Ask, DayFigures, Links as _, Store, StoreError, Tallies as _, aside};

/// Days whose links are read at the same time.
const DAYS_AT_ONCE: usize = 2;

impl Stats {
    /// The links with most clicks: exact, over all links that were clicked. The window is widened
    /// to whole quarter-hours; it begins, unless it says otherwise, 30 days before its end.
    ///
    /// # Errors
    /// [`StatsError`].
    pub async fn top(
        &self,
        by: &Principal,
        query: &Query,
        rank: Rank,
        limit: usize,
        now: Timestamp,
    ) -> Result<Top, StatsError> {
        by.may_read_site()?;
        let since = self.first_moment(query, now).await?;
        let window = Window::of(query, since, now)?;
        let rows = window.whole();
        let last = Quarter::of(now).day().0.saturating_add(1).min(rows.days().end.0);
        if i64::from(last) - i64::from(rows.days().start.0) > MAX_TOP_DAYS {
            return Err(StatsError::TooLong);
        }
        // Of many at once each would take longer, and all of them the store's time from readers.
        let _alone = self.ranking.acquire().await;
        let asks = days_to_ask(self.links.store(), &rows, now).await?;
        let sums = clicked(&self.links.store().fork(), &asks, &rows).await?;
        let best = aside(move || most_clicked(sums, rank, limit)).await?;
        let links = self.with_visitors(best, &asks, &rows).await?;
        Ok(Top { from: rows.from(), to: rows.to(), links })
    }

    /// The links themselves, with all of their visitors.
    async fn with_visitors(
        &self,
        best: Vec<(Code, Figures)>,
        asks: &[Ask],
        rows: &Rows,
    ) -> Result<Vec<(Link, Figures)>, StoreError> {
        let store = self.links.store();
        let edges = asks.iter().filter(|ask| ask.quarters);
        let edges: Vec<Ask> = edges.map(|ask| Ask { names: false, ..*ask }).collect();
        let codes: Vec<Code> = best.iter().map(|(code, _)| code.clone()).collect();
        let links = store.get_many(&codes).await?;
        let mut ranked = Vec::with_capacity(best.len());
        for (some, links) in best.chunks(AT_ONCE).zip(links.chunks(AT_ONCE)) {
            let reads = some.iter().map(async |(code, _)| {
                sum(store, &[Subject::Link(code.clone())], rows, &edges).await
            });
            for (((_, figures), link), sums) in some.iter().zip(links).zip(join_all(reads).await) {
                let mut figures = *figures;
                figures.visitors += sums?.total.visitors;
                // Clicks that came between the two looks make no visitors of their own.
                figures.visitors = figures.visitors.min(figures.count.people);
                ranked.extend(link.clone().map(|link| (link, figures)));
            }
        }
        Ok(ranked)
    }
}

/// Every link clicked within the window. Visitors are those of its whole days; those of its first
/// and last, if they are not whole, are yet to be added. Wants a connection of its own: a reader's
/// look-up would wait behind whatever was asked before it.
async fn clicked(
    store: &Store,
    asks: &[Ask],
    rows: &Rows,
) -> Result<HashMap<Code, Figures>, StoreError> {
    let reads: Vec<_> =
        asks.iter().map(async |ask| (*ask, store.links_on(ask.day, ask.quarters).await)).collect();
    let mut reads = stream::iter(reads).buffered(DAYS_AT_ONCE);
    let mut sums = HashMap::new();
    while let Some((ask, links)) = reads.next().await {
        let (links, rows) = (links?, rows.clone());
        sums = aside(move || {
            add_day(&mut sums, ask, links, &rows);
            sums
        })
        .await?;
    }
    Ok(sums)
}

fn add_day(
    sums: &mut HashMap<Code, Figures>,
    ask: Ask,
    links: Vec<(Code, DayFigures)>,
    rows: &Rows,
) {
    for (code, read) in links {
        let mut figures = Figures { count: count_within(ask.day, &read, rows), visitors: 0 };
        if !ask.quarters {
            figures.visitors = read.whole.visitors;
        }
        if figures != Figures::default() {
            *sums.entry(code).or_default() += figures;
        }
    }
}

/// The clicks of a day's buckets whose middle lies within the window.
fn count_within(day: Day, read: &DayFigures, rows: &Rows) -> Count {
    let whole = read.whole.count;
    if !add_up(whole, read.quarters.iter().map(|(_, figures)| figures.count)) {
        return rows.row_of(middle_of_day(day)).map(|_| whole).unwrap_or_default();
    }
    let mut sum = Count::default();
    for (quarter, figures) in &read.quarters {
        if rows.row_of(middle_of_quarter(day, *quarter)).is_some() {
            sum += figures.count;
        }
    }
    sum
}

/// The first `limit` links in their order, of those that have anything to be ranked by.
fn most_clicked(sums: HashMap<Code, Figures>, rank: Rank, limit: usize) -> Vec<(Code, Figures)> {
    let by = |figures: &Figures| match rank {
        Rank::Clicks => figures.count.clicks(),
        Rank::People => figures.count.people,
    };
    let mut all: Vec<_> = sums.into_iter().filter(|(_, figures)| by(figures) > 0).collect();
    let order = |a: &(Code, Figures), b: &(Code, Figures)| {
        by(&b.1).cmp(&by(&a.1)).then_with(|| a.0.cmp(&b.0))
    };
    if all.len() > limit {
        all.select_nth_unstable_by(limit, order);
        all.truncate(limit);
    }
    all.sort_unstable_by(order);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_clicked_come_first_and_equals_by_code() {
        let code = |text: &str| Code::parse(text).unwrap();
        let figures = |people, bots| Figures { count: Count { people, bots }, visitors: 0 };
        let sums = HashMap::from([
            (code("c"), figures(5, 0)),
            (code("a"), figures(1, 0)),
            (code("b"), figures(2, 3)),
            (code("d"), figures(0, 9)),
        ]);
        let codes = |rank, limit| {
            let best = most_clicked(sums.clone(), rank, limit).into_iter();
            best.map(|(code, _)| code.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(codes(Rank::Clicks, 3), ["d", "b", "c"]);
        assert_eq!(codes(Rank::People, 2), ["c", "b"]);
        assert_eq!(codes(Rank::People, 9), ["c", "b", "a"], "bots alone are no rank");
        assert!(codes(Rank::Clicks, 0).is_empty());
    }
}
