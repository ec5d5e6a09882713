//! Windows and rows, where calendars and clocks are awkward.

use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn query(from: &str, to: &str, by: Option<By>, tz: &str) -> Query {
    let (from, to) = (Some(at(from)), Some(at(to)));
    Query { from, to, by, tz: zone(tz), ..Query::default() }
}

/// Beginnings of all rows, and the end of the last.
fn rows(from: &str, to: &str, by: By, tz: &str) -> Vec<String> {
    let window = Window::of(&query(from, to, Some(by), tz), None, at("2026-11-23T12:00:00Z"));
    let rows = window.unwrap().rows(&zone(tz)).unwrap();
    rows.0.iter().map(ToString::to_string).collect()
}

/// First and last moment, and the width of a row.
fn told(query: &Query, since: Option<&str>, now: &str) -> (String, String, By) {
    let window = Window::of(query, since.map(at), at(now)).unwrap();
    let rows = window.whole();
    (rows.from().to_string(), rows.to().to_string(), window.by)
}

#[test]
fn a_window_is_widened_to_quarter_hours_and_no_further() {
    assert_eq!(
        rows("2026-11-22T10:20:00Z", "2026-11-22T11:00:01Z", By::Hour, "UTC"),
        ["2026-11-22T10:15:00Z", "2026-11-22T11:00:00Z", "2026-11-22T11:15:00Z"]
    );
    assert_eq!(
        rows("2026-11-22T23:59:59.999Z", "2026-11-23T00:00:00.001Z", By::Day, "UTC"),
        ["2026-11-22T23:45:00Z", "2026-11-23T00:00:00Z", "2026-11-23T00:15:00Z"]
    );
    assert_eq!(
        rows("2026-12-31T23:00:00Z", "2027-01-31T23:00:00Z", By::Month, "Europe/Paris"),
        ["2026-12-31T23:00:00Z", "2027-01-31T23:00:00Z"]
    );
}

#[test]
fn weeks_begin_on_monday() {
    // 2026-11-23 is a Monday.
    assert_eq!(
        rows("2026-11-15T12:00:00Z", "2026-11-24T00:00:00Z", By::Week, "Europe/Berlin"),
        [
            "2026-11-15T12:00:00Z",
            "2026-11-15T23:00:00Z",
            "2026-11-22T23:00:00Z",
            "2026-11-24T00:00:00Z"
        ]
    );
}

#[test]
fn zones_off_by_half_and_quarter_hours_have_exact_rows() {
    assert_eq!(
        rows("2026-11-21T20:30:00Z", "2026-11-23T20:30:00Z", By::Day, "Asia/Tehran"),
        ["2026-11-21T20:30:00Z", "2026-11-22T20:30:00Z", "2026-11-23T20:30:00Z"]
    );
    assert_eq!(
        rows("2026-11-22T21:00:00Z", "2026-11-22T21:30:00Z", By::Hour, "Asia/Kathmandu"),
        ["2026-11-22T21:00:00Z", "2026-11-22T21:15:00Z", "2026-11-22T21:30:00Z"]
    );
    // Chatham's clocks go from 03:45 back to 02:45.
    assert_eq!(
        rows("2026-04-04T12:15:00Z", "2026-04-04T15:15:00Z", By::Hour, "Pacific/Chatham"),
        [
            "2026-04-04T12:15:00Z",
            "2026-04-04T13:15:00Z",
            "2026-04-04T14:15:00Z",
            "2026-04-04T15:15:00Z"
        ]
    );
}

#[test]
fn rows_across_a_clock_change_have_no_gap_and_no_overlap() {
    assert_eq!(
        rows("2026-10-24T22:00:00Z", "2026-10-26T23:00:00Z", By::Day, "Europe/Berlin"),
        ["2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", "2026-10-26T23:00:00Z"]
    );
    let autumn = rows("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", By::Hour, "Europe/Berlin");
    assert_eq!(autumn.len() - 1, 25);
    let spring = rows("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", By::Hour, "Europe/Berlin");
    assert_eq!(spring.len() - 1, 23);
    // Cairo's clocks go forward at midnight: that day begins at one o'clock.
    assert_eq!(
        rows("2026-04-22T22:00:00Z", "2026-04-24T21:00:00Z", By::Day, "Africa/Cairo"),
        ["2026-04-22T22:00:00Z", "2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"]
    );
    // Havana's go from one o'clock back to midnight: the day begins with the first of the two.
    assert_eq!(
        rows("2026-10-31T04:00:00Z", "2026-11-02T05:00:00Z", By::Day, "America/Havana"),
        ["2026-10-31T04:00:00Z", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"]
    );
    // Lord Howe's go from 02:00 back to 01:30: that half hour joins the hour before.
    assert_eq!(
        rows("2026-04-04T14:00:00Z", "2026-04-04T16:30:00Z", By::Hour, "Australia/Lord_Howe"),
        ["2026-04-04T14:00:00Z", "2026-04-04T15:30:00Z", "2026-04-04T16:30:00Z"]
    );
}

#[test]
fn an_hour_is_the_width_for_two_days_at_most() {
    let by = |to: &str| {
        told(&query("2026-11-20T00:00:00Z", to, None, "UTC"), None, "2026-11-23T12:00:00Z").2
    };
    assert_eq!(by("2026-11-22T00:00:00Z"), By::Hour);
    assert_eq!(by("2026-11-22T00:00:01Z"), By::Day);
}

#[test]
fn windows_that_say_less_end_now() {
    let now = "2026-11-23T10:07:00Z";
    let last = |last| Query { last: Some(last), ..Query::default() };
    let end = "2026-11-23T10:15:00Z".to_owned();
    for (query, since, from, by) in [
        (last(Last::Hours(2)), None, "2026-11-23T08:00:00Z", By::Hour),
        (last(Last::Hours(48)), None, "2026-11-21T10:00:00Z", By::Hour),
        (last(Last::Days(7)), Some("2026-11-23T00:00:00Z"), "2026-11-16T10:00:00Z", By::Day),
        (last(Last::Days(u32::MAX)), None, "1970-01-01T00:00:00Z", By::Day),
        (last(Last::All), Some("2024-02-29T13:00:00Z"), "2024-02-29T00:00:00Z", By::Day),
        (last(Last::All), None, "2026-10-24T00:00:00Z", By::Day),
        (Query::default(), None, "2026-10-24T00:00:00Z", By::Day),
        (Query::default(), Some("2026-11-23T09:59:00Z"), "2026-11-23T00:00:00Z", By::Hour),
        (Query::default(), Some("2026-12-24T00:00:00Z"), "2026-11-23T00:00:00Z", By::Hour),
    ] {
        let expected = (from.to_owned(), end.clone(), by);
        assert_eq!(told(&query, since, now), expected, "{query:?} {since:?}");
    }
    let berlin = Query { tz: zone("Europe/Berlin"), by: Some(By::Week), ..Query::default() };
    assert_eq!(told(&berlin, Some("2026-11-17T23:30:00Z"), now).0, "2026-11-15T23:00:00Z");
    assert_eq!(told(&berlin, None, now).0, "2026-10-18T22:00:00Z");
}

#[test]
fn a_window_that_cannot_be_is_refused() {
    let rows = |from: &str, to: &str, by| {
        let query = query(from, to, Some(by), "UTC");
        Window::of(&query, None, at("2026-11-23T12:00:00Z"))?.rows(&query.tz)
    };
    let same = rows("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", By::Day);
    assert!(matches!(same, Err(StatsError::Backwards)));
    let long = rows("2020-01-01T00:00:00Z", "2026-01-01T00:00:00Z", By::Hour);
    assert!(matches!(long, Err(StatsError::TooManyRows)));
    let early = rows("1960-01-01T00:00:00Z", "1970-01-01T00:00:00Z", By::Month);
    assert!(matches!(early, Err(StatsError::TooEarly)));
    // What lies before 1970 is left away.
    assert_eq!(rows("0001-01-01T00:00:00Z", "1971-01-01T00:00:00Z", By::Month).unwrap().len(), 12);
    let most = rows("2026-01-01T00:00:00Z", "2027-02-21T16:00:00Z", By::Hour).unwrap();
    assert_eq!(most.len(), MAX_ROWS);
    let query = Query { to: Some(Timestamp::MIN), ..Query::default() };
    assert!(Window::of(&query, None, at("2026-11-23T12:00:00Z")).is_err());
}

#[test]
fn the_window_before_has_as_many_days_or_as_many_hours() {
    let before = |from: &str, to: &str, tz: &str| {
        let window = Window::of(&query(from, to, None, tz), None, at("2026-11-23T12:00:00Z"));
        let previous = window.unwrap().previous(&zone(tz)).unwrap().whole();
        assert_eq!(previous.to(), at(from));
        previous.from().to_string()
    };
    let berlin = "Europe/Berlin";
    // One day of Berlin, 25 hours long; the one before has 24.
    assert_eq!(
        before("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", berlin),
        "2026-10-23T22:00:00Z"
    );
    assert_eq!(
        before("2026-10-25T23:00:00Z", "2026-10-26T23:00:00Z", berlin),
        "2026-10-24T22:00:00Z"
    );
    // The same hours are no days elsewhere.
    assert_eq!(
        before("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", "UTC"),
        "2026-10-23T21:00:00Z"
    );
    assert_eq!(
        before("2026-11-22T10:15:00Z", "2026-11-22T11:00:00Z", berlin),
        "2026-11-22T09:30:00Z"
    );
    assert_eq!(
        before("1970-01-02T00:00:00Z", "1970-03-01T00:00:00Z", "UTC"),
        "1970-01-01T00:00:00Z"
    );
}

#[test]
fn a_day_lies_within_one_row_or_in_several() {
    let day = |text: &str| Quarter::of(at(text)).day();
    let rows = |tz: &str| {
        let query = query("2026-11-20T00:00:00Z", "2026-11-23T12:00:00Z", Some(By::Day), tz);
        Window::of(&query, None, at("2026-11-23T12:00:00Z")).unwrap().rows(&query.tz).unwrap()
    };
    let (utc, berlin) = (rows("UTC"), rows("Europe/Berlin"));
    assert!(utc.hold_in_one(day("2026-11-22T00:00:00Z")));
    assert!(!berlin.hold_in_one(day("2026-11-22T00:00:00Z")));
    assert!(!utc.hold_in_one(day("2026-11-23T00:00:00Z")), "the window ends at noon");
    assert!(!utc.hold_in_one(day("2026-11-19T00:00:00Z")), "before the window");
    assert_eq!(utc.row_of(at("2026-11-20T00:00:00Z")), Some(0));
    assert_eq!(utc.row_of(at("2026-11-20T23:59:59.999Z")), Some(0));
    assert_eq!(utc.row_of(at("2026-11-23T11:59:59.999Z")), Some(3));
    assert_eq!(utc.row_of(at("2026-11-23T12:00:00Z")), None);
    assert_eq!(utc.row_of(at("2026-11-19T23:59:59.999Z")), None);
}

proptest! {
    /// Whatever the zone, rows tile the window, and each but the first begins where the clock shows
    /// the beginning of an hour, a day, a week or a month.
    #[test]
    fn rows_tile_the_window(
        from in 0i64..2_000_000_000,
        length in 1i64..400 * 86_400,
        tz in prop::sample::select(jiff::tz::db().available().collect::<Vec<_>>()),
        by in prop::sample::select(vec![By::Hour, By::Day, By::Week, By::Month]),
    ) {
        let tz = zone(tz.as_str());
        let moment = |second: i64| Timestamp::from_second(second).unwrap();
        let (from, to) = (moment(from), moment(from + length));
        let query = Query { from: Some(from), to: Some(to), by: Some(by), ..Query::default() };
        let window = Window::of(&query, None, to).unwrap();
        let rows = window.rows(&tz).unwrap();
        prop_assert!(rows.from() <= from && from.duration_since(rows.from()) < QUARTER);
        prop_assert!(rows.to() >= to && rows.to().duration_since(to) < QUARTER);
        prop_assert!(rows.0.is_sorted_by(|a, b| a < b));
        for start in &rows.starts()[1..] {
            let start = start.to_zoned(tz.clone());
            prop_assert_eq!(&row_start(&start, by).unwrap(), &start);
        }
        for (row, start) in rows.starts().iter().enumerate() {
            prop_assert_eq!(rows.row_of(*start), Some(row));
        }
        let last = rows.to().saturating_sub(SignedDuration::from_nanos(1)).unwrap();
        prop_assert_eq!(rows.row_of(last), Some(rows.len() - 1));
    }
}
