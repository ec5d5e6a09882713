//! What is asked of the service, and compared.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::clicks::{Clicked, DAYS, Past, TAGS, World, article_url};
use crate::live::{Random, Service};
use crate::recount::{Counted, Tally, row_start, within};

const ZONES: [&str; 5] =
    ["UTC", "Europe/Berlin", "Asia/Tehran", "Asia/Kathmandu", "America/New_York"];
const QUARTER: i64 = 900;

/// Some of the clicks, and where the service tells of them.
struct Subject<'a> {
    path: String,
    holds: Box<dyn Fn(&Clicked) -> bool + 'a>,
}

/// Asks each endpoint about each subject, and compares every figure.
pub(crate) fn ask_everything(
    service: &Service,
    world: &World,
    past: &Past,
    now: Timestamp,
    random: &mut Random,
) {
    let subjects = subjects(world);
    for (n, subject) in subjects.iter().enumerate() {
        let zone = ZONES[n % ZONES.len()];
        let whole = (now - SignedDuration::from_hours(24 * (DAYS + 2)), now);
        ask(service, past, subject, whole, zone, ["day", "week", "month"][n % 3]);
        let (from, to) = some_window(now, random);
        ask(service, past, subject, (from, to), zone, ["hour", "day"][n % 2]);
    }
    for by in ["clicks", "people"] {
        for _ in 0..3 {
            ask_top(service, world, past, some_window(now, random), by);
        }
    }
}

fn subjects(world: &World) -> Vec<Subject<'_>> {
    let places = &world.places;
    let mut subjects = vec![Subject::of("/api/v1/stats?".into(), |_| true)];
    for (n, place) in places.iter().enumerate() {
        let path = format!("/api/v1/links/{}/stats?", place.code);
        subjects.push(Subject::of(path, move |click| click.place == n));
    }
    for article in 0..8 {
        let path = format!("/api/v1/targets/stats?url={}&", article_url(article));
        let holds = move |click: &Clicked| places[click.place].article == article;
        subjects.push(Subject::of(path, holds));
    }
    for (n, tag) in TAGS.iter().enumerate() {
        let tag = tag.replace(' ', "%20").replace('é', "%C3%A9");
        let path = format!("/api/v1/tags/{tag}/stats?");
        let holds = move |click: &Clicked| places[click.place].tags.contains(&n);
        subjects.push(Subject::of(path, holds));
    }
    for (n, key) in world.keys.iter().enumerate() {
        let path = format!("/api/v1/keys/{key}/stats?");
        subjects.push(Subject::of(path, move |click| places[click.place].key == n));
    }
    subjects
}

impl<'a> Subject<'a> {
    fn of(path: String, holds: impl Fn(&Clicked) -> bool + 'a) -> Self {
        Self { path, holds: Box::new(holds) }
    }
}

/// A window of some hours or days, on quarter-hours.
fn some_window(now: Timestamp, random: &mut Random) -> (Timestamp, Timestamp) {
    let end = now.as_second() - random.within(0..20 * 86_400) as i64;
    let start = end - random.within(3_600..15 * 86_400) as i64;
    let quarter = |second: i64| Timestamp::from_second(second / QUARTER * QUARTER).unwrap();
    (quarter(start), quarter(end))
}

fn ask(
    service: &Service,
    past: &Past,
    subject: &Subject<'_>,
    (from, to): (Timestamp, Timestamp),
    zone: &str,
    by: &str,
) {
    let people = format!("{}from={from}&to={to}&tz={zone}&by={by}&limit=1000", subject.path);
    let answer = service.get(&people);
    let told = |name: &str| answer[name].as_str().unwrap().parse::<Timestamp>().unwrap();
    let (from, to) = (told("from"), told("to"));
    let clicks: Vec<Clicked> =
        within(past, from, to).filter(|click| (subject.holds)(click)).copied().collect();
    let expected = Tally::of(&clicks);
    let what = format!("{people} over {} clicks", clicks.len());
    assert_figures(&answer["total"], expected.counted, 0.02, &what);
    assert_rows(&answer, &clicks, (from, zone, by), &what);
    assert_breakdowns(&answer, &expected, false, &what);
    let all = service.get(&format!("{people}&include=bots"));
    assert_breakdowns(&all, &expected, true, &what);
}

fn assert_figures(told: &Value, expected: Counted, off: f64, what: &str) {
    assert_eq!(told["people"], expected.people, "people of {what}");
    assert_eq!(told["bots"], expected.bots, "bots of {what}");
    assert_eq!(told["clicks"], expected.people + expected.bots, "clicks of {what}");
    let visitors = told["visitors"].as_u64().unwrap();
    // A handful may share a register.
    let most = (expected.visitors as f64 * off).max(3.0);
    let apart = visitors.abs_diff(expected.visitors) as f64;
    assert!(apart <= most, "{visitors} visitors instead of {} of {what}", expected.visitors);
}

fn assert_rows(
    answer: &Value,
    clicks: &[Clicked],
    (from, zone, by): (Timestamp, &str, &str),
    what: &str,
) {
    let zone = TimeZone::get(zone).unwrap();
    let mut expected = BTreeMap::<Timestamp, Vec<Clicked>>::new();
    for click in clicks {
        let start = row_start(&click.at.to_zoned(zone.clone()), by).max(from);
        expected.entry(start).or_default().push(*click);
    }
    for row in answer["series"].as_array().unwrap() {
        let start: Timestamp = row["start"].as_str().unwrap().parse().unwrap();
        let counted = expected.remove(&start).map(|clicks| Tally::of(&clicks).counted);
        // One sketch has a standard error of 0.81 %; there are thousands of rows.
        assert_figures(row, counted.unwrap_or_default(), 0.05, &format!("row {start} of {what}"));
    }
    assert!(expected.is_empty(), "no row for {:?} in {what}", expected.keys());
}

fn assert_breakdowns(answer: &Value, expected: &Tally, all: bool, what: &str) {
    for (dimension, rows) in answer["breakdowns"].as_object().unwrap() {
        let mut wanted: BTreeMap<String, u64> = BTreeMap::new();
        for (name, (people, bots)) in expected.rows.get(dimension.as_str()).into_iter().flatten() {
            let bots_only = dimension == "bot_families";
            let clicks = if bots_only { *bots } else { people + if all { *bots } else { 0 } };
            if clicks > 0 {
                wanted.insert((*name).to_owned(), clicks);
            }
        }
        let rows = rows.as_array().unwrap().iter();
        let told: Vec<(String, u64)> = rows
            .map(|row| (row["id"].as_str().unwrap().to_owned(), row["clicks"].as_u64().unwrap()))
            .collect();
        assert!(told.is_sorted_by(|a, b| a.1 >= b.1), "{dimension} of {what}: {told:?}");
        assert_eq!(told.into_iter().collect::<BTreeMap<_, _>>(), wanted, "{dimension} of {what}");
    }
}

fn ask_top(
    service: &Service,
    world: &World,
    past: &Past,
    (from, to): (Timestamp, Timestamp),
    by: &str,
) {
    let path = format!("/api/v1/stats/top?from={from}&to={to}&by={by}&limit=1000");
    let answer = service.get(&path);
    let mut links: BTreeMap<&str, Vec<Clicked>> = BTreeMap::new();
    for click in within(past, from, to) {
        links.entry(&world.places[click.place].code).or_default().push(*click);
    }
    let mut last = u64::MAX;
    for item in answer["items"].as_array().unwrap() {
        let code = item["code"].as_str().unwrap();
        let clicks = links.remove(code).unwrap_or_default();
        assert_figures(item, Tally::of(&clicks).counted, 0.05, &format!("{code} in {path}"));
        let rank = item[by].as_u64().unwrap();
        assert!(rank <= last, "{path}: {code} stands too low");
        last = rank;
    }
    assert!(links.is_empty(), "{path}: without {:?}", links.keys());
}
