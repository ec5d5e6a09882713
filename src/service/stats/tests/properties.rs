//! Whatever was clicked, wherever the window lies and whatever the zone: the figures are those of an
//! independent count of the list of clicks.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestCaseError;

use super::*;
use crate::store::conformance::block_on;

/// Zones off by whole, half and quarter hours; all but the first three change their clocks within
/// the weeks that are clicked in, or have done so.
const ZONES: [&str; 8] = [
    "UTC",
    "Asia/Tehran",
    "Asia/Kathmandu",
    "Europe/Berlin",
    "America/New_York",
    "Africa/Cairo",
    "Pacific/Chatham",
    "America/St_Johns",
];
/// Days before [`now`] that are clicked in.
const DAYS: i64 = 40;
const DAY_MS: i64 = 86_400_000;

/// A question.
#[derive(Debug, Clone)]
struct Question {
    whose: usize,
    from: Timestamp,
    to: Timestamp,
    tz: &'static str,
    by: By,
}

/// A moment of the weeks before now, or shortly after: some on the very edges of quarters and days.
fn moments() -> impl Strategy<Value = Timestamp> {
    let noon = now().as_millisecond();
    const EDGES: [i64; 5] = [0, 1, -1, 900_000, 899_999];
    let near_midnight = (0..DAYS, select(&EDGES[..]))
        .prop_map(move |(day, off)| (noon / DAY_MS - day) * DAY_MS + off);
    let any = (noon - DAYS * DAY_MS)..noon;
    prop_oneof![4 => any, 1 => near_midnight]
        .prop_map(|ms| Timestamp::from_millisecond(ms).unwrap())
}

fn visits() -> impl Strategy<Value = Visit> {
    let pick = |names: &'static [&'static str]| select(names).prop_map(crate::model::tally::name);
    let person = prop::option::weighted(0.9, 0u64..60).prop_map(|visitor| {
        Who::Person(visitor.map(|n| (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    });
    let families = pick(&["crawler/Googlebot", "preview/Facebook", "prefetch"]);
    let who = prop_oneof![3 => person, 1 => families.prop_map(Who::Bot)];
    (
        who,
        pick(&["direct", "google.com", "x.com", "unknown", "xn--bcher-kva.example"]),
        pick(&["DE", "IR", "unknown"]),
        pick(&["Chrome", "Firefox", "unknown"]),
        pick(&["Android", "Windows"]),
        pick(&["phone", "desktop", "other"]),
    )
        .prop_map(|(who, referrer, country, browser, platform, device)| Visit {
            who,
            referrer,
            country,
            browser,
            platform,
            device,
        })
}

fn clicks() -> impl Strategy<Value = Vec<Clicked>> {
    let click = (0..LINKS.len(), moments(), visits());
    prop::collection::vec(click.prop_map(|(link, at, visit)| Clicked { link, at, visit }), 0..300)
}

fn questions() -> impl Strategy<Value = Vec<Question>> {
    let by = select(&[By::Hour, By::Day, By::Week, By::Month][..]);
    let question = (0..subjects().len(), moments(), 1..DAYS * DAY_MS, select(&ZONES[..]), by);
    let question = question.prop_map(|(whose, from, length, tz, by)| {
        let to = Timestamp::from_millisecond(from.as_millisecond() + length).unwrap();
        Question { whose, from, to, tz, by }
    });
    prop::collection::vec(question, 1..8)
}

/// Whom can be asked about, and which of [`LINKS`] that means.
fn subjects() -> Vec<(Whose, Vec<usize>)> {
    let those = |which: &dyn Fn(usize) -> bool| (0..LINKS.len()).filter(|n| which(*n)).collect();
    let mut subjects = vec![(Whose::Site, those(&|_| true))];
    subjects.extend((0..LINKS.len()).map(|n| (link(n), vec![n])));
    for article in [STORY, OTHER_STORY] {
        subjects.push((Whose::Article(article.into()), those(&|n| LINKS[n].1 == article)));
    }
    for (n, id) in DESKS.iter().enumerate() {
        // Nobody keeps keys here: they ask for themselves.
        subjects.push((Whose::Key((*id).into()), those(&|link| LINKS[link].2 == n)));
    }
    for tag in TAGS {
        subjects.push((Whose::Tag(tag.into()), those(&|n| LINKS[n].3.contains(&tag))));
    }
    subjects
}

/// Who may ask that.
fn asker(whose: &Whose) -> Principal {
    match whose {
        Whose::Key(id) => {
            Principal { key: KeyId::parse(id).unwrap(), scopes: vec![Scope::Mint], until: None }
        }
        _ => admin(),
    }
}

fn assert_figures(told: Figures, expected: Figures, what: &str) -> Result<(), TestCaseError> {
    prop_assert_eq!(told.count, expected.count, "{}", what);
    let off = told.visitors.abs_diff(expected.visitors);
    let close = off <= 2 || off * 100 <= 3 * expected.visitors;
    prop_assert!(close, "{} visitors, not {}: {what}", told.visitors, expected.visitors);
    prop_assert!(told.visitors <= told.count.people, "{}", what);
    Ok(())
}

/// Whether a report says what the list of clicks does; each counts at the moment that `place` gives.
fn assert_report(
    report: &Report,
    clicks: &[&Clicked],
    place: impl Fn(Timestamp) -> Timestamp,
    what: &str,
) -> Result<(), TestCaseError> {
    let within = |from: Timestamp, to: Timestamp| {
        let of_row = |click: &&&Clicked| (from..to).contains(&place(click.at));
        clicks.iter().filter(of_row).copied().collect::<Vec<_>>()
    };
    let ends = report.rows.iter().skip(1).map(|(start, _)| *start).chain([report.to]);
    let mut sum = Count::default();
    for ((start, figures), end) in report.rows.iter().zip(ends) {
        let expected = recount(within(*start, end));
        assert_figures(*figures, expected, &format!("row {start} of {what}"))?;
        sum += figures.count;
    }
    prop_assert_eq!(sum, report.total.count, "the rows of {}", what);
    let all = within(report.from, report.to);
    assert_figures(report.total, recount(all.iter().copied()), what)?;
    for (dimension, name) in DIMENSIONS {
        let mut expected = BTreeMap::<String, Count>::new();
        for click in &all {
            if let Some(name) = name(&click.visit) {
                *expected.entry(name).or_default() += click.count();
            }
        }
        let rows = report.breakdown.of(*dimension);
        let told: BTreeMap<String, Count> =
            rows.named().map(|(name, count)| (name.to_string(), count)).collect();
        prop_assert_eq!(told, expected, "{:?} of {}", dimension, what);
        prop_assert_eq!(rows.other(), Count::default());
        let whole = match dimension {
            Dimension::BotFamily => Count { people: 0, ..report.total.count },
            _ => report.total.count,
        };
        prop_assert_eq!(rows.sum(), whole, "{:?} of {}", dimension, what);
    }
    Ok(())
}

type NameOf = fn(&Visit) -> Option<String>;

const DIMENSIONS: &[(Dimension, NameOf)] = &[
    (Dimension::Referrer, |visit| Some(visit.referrer.to_string())),
    (Dimension::Country, |visit| Some(visit.country.to_string())),
    (Dimension::Browser, |visit| Some(visit.browser.to_string())),
    (Dimension::Platform, |visit| Some(visit.platform.to_string())),
    (Dimension::Device, |visit| Some(visit.device.to_string())),
    (Dimension::BotFamily, |visit| match &visit.who {
        Who::Bot(family) => Some(family.to_string()),
        Who::Person(_) => None,
    }),
];

/// The noon of a moment's UTC day, if that day's hours are gone.
fn noon_of_old(moment: Timestamp, kept: Day) -> Timestamp {
    let quarter = Quarter::of(moment);
    match quarter.day() < kept {
        true => Quarter(quarter.day().first().0 + 48).start(),
        false => moment,
    }
}

async fn check_reports(
    office: &Office,
    clicks: &[Clicked],
    questions: &[Question],
    kept: Day,
) -> Result<(), TestCaseError> {
    for question in questions {
        let (whose, links) = &subjects()[question.whose];
        let query = Query {
            from: Some(question.from),
            to: Some(question.to),
            by: Some(question.by),
            tz: TimeZone::get(question.tz).unwrap(),
            ..Query::default()
        };
        let clicks: Vec<&Clicked> = clicks.iter().filter(|c| links.contains(&c.link)).collect();
        let report = office.report(&asker(whose), whose, &query, now()).await.unwrap();
        let what = format!("{whose:?} {question:?}, hours from {kept:?}");
        assert_report(&report, &clicks, |moment| noon_of_old(moment, kept), &what)?;
        let all = Query { from: Some(now() - SignedDuration::from_hours(24 * 42)), ..query };
        let all = Query { to: Some(now()), by: Some(By::Day), ..all };
        let all = office.report(&asker(whose), whose, &all, now()).await.unwrap();
        prop_assert_eq!(all.total.count, recount(clicks.iter().copied()).count, "{}", what);
    }
    Ok(())
}

async fn check_top(
    office: &Office,
    clicks: &[Clicked],
    questions: &[Question],
    kept: Day,
) -> Result<(), TestCaseError> {
    for (n, question) in questions.iter().enumerate() {
        let (from, to) = (Some(question.from), Some(question.to));
        let query = Query { from, to, ..Query::default() };
        let rank = [Rank::Clicks, Rank::People][n % 2];
        let top = office.top(&admin(), &query, rank, 1 + n % 4, now()).await.unwrap();
        let mut expected: Vec<(u64, &str, Figures)> = Vec::new();
        for (link, (text, ..)) in LINKS.iter().enumerate() {
            let own = clicks.iter().filter(|click| {
                let moment = noon_of_old(click.at, kept);
                click.link == link && (top.from..top.to).contains(&moment)
            });
            let figures = recount(own);
            let rank = match rank {
                Rank::Clicks => figures.count.clicks(),
                Rank::People => figures.count.people,
            };
            expected.push((rank, text, figures));
        }
        expected.retain(|(rank, ..)| *rank > 0);
        expected.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        expected.truncate(1 + n % 4);
        let told: Vec<&str> = top.links.iter().map(|(link, _)| link.code.as_str()).collect();
        let wanted: Vec<&str> = expected.iter().map(|(_, text, _)| *text).collect();
        prop_assert_eq!(told, wanted, "{:?}", question);
        for ((_, figures), (_, text, expected)) in top.links.iter().zip(expected) {
            assert_figures(*figures, expected, &format!("{text} in {question:?}"))?;
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn figures_are_those_of_an_independent_count(
        clicks in clicks(),
        questions in questions(),
        swept in 0..DAYS,
    ) {
        let folder = tempfile::tempdir().unwrap();
        block_on(async {
            let office = embedded(folder.path()).await;
            office.count(&clicks).await;
            check_reports(&office, &clicks, &questions, Day(0)).await?;
            check_top(&office, &clicks, &questions, Day(0)).await?;
            let kept = Day(Quarter::of(now()).day().0 - u32::try_from(swept).unwrap());
            while office.store.sweep(kept, Day(0)).await.unwrap() {}
            check_reports(&office, &clicks, &questions, kept).await?;
            check_top(&office, &clicks, &questions, kept).await
        })?;
    }
}
