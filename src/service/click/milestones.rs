//! How long ago the journal was counted, and how far: what may leave it.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use crate::store::{Lane, Position};

/// The most milestones within the time that clicks are kept: they leave the journal that much later.
const MOST: u32 = 64;

/// Places in the lanes, and since when all before them has been counted.
///
/// The time is that of a clock that never jumps: a day that was set wrongly lets no click go.
#[derive(Debug, Default)]
pub(super) struct Milestones {
    /// Oldest first.
    seen: VecDeque<(Instant, BTreeMap<Lane, Position>)>,
    /// What was counted long enough ago.
    passed: BTreeMap<Lane, Position>,
}

impl Milestones {
    /// Notes that all before `floors` is counted now. Answers the places before which all was counted
    /// for at least `keep`.
    pub(super) fn pass(
        &mut self,
        now: Instant,
        keep: Duration,
        floors: BTreeMap<Lane, Position>,
    ) -> &BTreeMap<Lane, Position> {
        let due = match self.seen.back() {
            Some((since, last)) => {
                *last != floors && now.saturating_duration_since(*since) >= keep / MOST
            }
            None => self.passed != floors,
        };
        if due {
            self.seen.push_back((now, floors));
        }
        let old = |since: &Instant| now.saturating_duration_since(*since) >= keep;
        while let Some((_, floors)) = self.seen.pop_front_if(|(since, _)| old(since)) {
            self.passed = floors;
        }
        &self.passed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floors(place: u64) -> BTreeMap<Lane, Position> {
        BTreeMap::from([(Lane(0), Position(place))])
    }

    #[test]
    fn a_month_of_ticks_is_remembered_by_few_milestones_and_nothing_passes_early_or_never() {
        let (start, keep) = (Instant::now(), Duration::from_secs(720 * 3_600));
        let mut milestones = Milestones::default();
        let tick = Duration::from_secs(60);
        let ticks = keep.as_secs() / tick.as_secs();
        let slack = ticks / u64::from(MOST) + 1;
        for n in 1..=3 * ticks {
            let now = start + tick * u32::try_from(n).unwrap();
            let passed = milestones.pass(now, keep, floors(n));
            let passed = passed.get(&Lane(0)).map_or(0, |place| place.0);
            let least = n.saturating_sub(ticks + slack);
            assert!((least..=n.saturating_sub(ticks)).contains(&passed), "{passed} at {n}");
            assert!(milestones.seen.len() <= MOST as usize + 1);
        }
    }

    #[test]
    fn a_lane_that_rests_is_noted_once() {
        let (start, keep) = (Instant::now(), Duration::from_secs(600));
        let mut milestones = Milestones::default();
        for seconds in 0..600 {
            let now = start + Duration::from_secs(seconds);
            assert_eq!(*milestones.pass(now, keep, floors(7)), BTreeMap::new());
            assert_eq!(milestones.seen.len(), 1);
        }
        assert_eq!(*milestones.pass(start + keep, keep, floors(7)), floors(7));
        assert_eq!(*milestones.pass(start + keep * 3, keep, floors(7)), floors(7));
        assert!(milestones.seen.is_empty());
    }

    #[test]
    fn of_a_time_that_went_back_nothing_passes() {
        let (start, keep) = (Instant::now() + Duration::from_secs(9_000), Duration::from_secs(600));
        let mut milestones = Milestones::default();
        milestones.pass(start, keep, floors(1));
        let back = start - Duration::from_secs(5_000);
        assert_eq!(*milestones.pass(back, keep, floors(2)), BTreeMap::new());
    }
}
