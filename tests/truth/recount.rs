//! The same figures, counted from the list: nothing here is shared with the service.

use std::collections::{BTreeMap, HashSet};

use jiff::{Timestamp, ToSpan as _, Unit, Zoned};

use crate::clicks::{AGENTS, COUNTRIES, Clicked, Past, REFERRERS};

/// Figures as the wire has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counted {
    pub(crate) people: u64,
    pub(crate) bots: u64,
    pub(crate) visitors: u64,
}

/// Figures and breakdowns of some clicks.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) counted: Counted,
    /// By dimension: name → people's clicks, bots' clicks.
    pub(crate) rows: BTreeMap<&'static str, BTreeMap<&'static str, (u64, u64)>>,
    seen: HashSet<(i64, u32, usize)>,
}

/// The family of the bot that made a click, if one did.
pub(crate) fn bot_of(click: &Clicked) -> Option<&'static str> {
    AGENTS[click.agent].bot.or(click.prefetch.then_some("prefetch"))
}

impl Tally {
    /// Counts the clicks that `which` wants.
    pub(crate) fn of<'a>(clicks: impl IntoIterator<Item = &'a Clicked>) -> Self {
        let mut tally = Self::default();
        clicks.into_iter().for_each(|click| tally.add(click));
        tally
    }

    fn add(&mut self, click: &Clicked) {
        let day = click.at.as_second().div_euclid(86_400);
        let bot = bot_of(click);
        match bot {
            Some(_) => self.counted.bots += 1,
            None => {
                self.counted.people += 1;
                if !click.private && self.seen.insert((day, click.address, click.agent)) {
                    self.counted.visitors += 1;
                }
            }
        }
        let unknown = ["unknown"; 3];
        let names = if click.private { unknown } else { AGENTS[click.agent].names };
        let told = |name: &'static str| if click.private { "unknown" } else { name };
        let rows = [
            ("referrers", told(REFERRERS[click.referrer].1)),
            ("countries", told(COUNTRIES[click.country].1)),
            ("browsers", names[0]),
            ("platforms", names[1]),
            ("devices", names[2]),
        ];
        for (dimension, name) in rows.into_iter().chain(bot.map(|family| ("bot_families", family)))
        {
            let row = self.rows.entry(dimension).or_default().entry(name).or_default();
            match bot {
                Some(_) => row.1 += 1,
                None => row.0 += 1,
            }
        }
    }
}

/// The clicks of a window.
pub(crate) fn within(
    past: &Past,
    from: Timestamp,
    to: Timestamp,
) -> impl Iterator<Item = &Clicked> {
    past.clicks.iter().filter(move |click| (from..to).contains(&click.at))
}

/// The beginning of the hour, day, week or month that a moment lies in.
pub(crate) fn row_start(at: &Zoned, by: &str) -> Timestamp {
    let midnight = |day: Zoned| day.start_of_day().unwrap().timestamp();
    match by {
        "hour" => {
            let into = at.minute() as i64 * 60 + at.second() as i64;
            let hour = at.timestamp().round(Unit::Second).unwrap();
            // Rounding may have gone up by half a second: the clicks of this test have milliseconds.
            let hour = if hour > at.timestamp() { hour - 1.second() } else { hour };
            hour - into.seconds()
        }
        "day" => midnight(at.clone()),
        "week" => {
            let back = i64::from(at.weekday().to_monday_zero_offset());
            midnight(at.checked_sub(back.days()).unwrap())
        }
        _ => midnight(at.first_of_month().unwrap()),
    }
}
