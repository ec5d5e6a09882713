//! The answer for a person: what was asked, the totals, the series as a line and as a table, and
//! whom the clicks came from.

use comfy_table::{CellAlignment, Table};

use super::answer::{Figures, Imported, Report, Share, Stats, Top, moment};
use super::chart::{bar, change, percent, shortened, sparkline};
use super::question::{By, Question};
use crate::cli::output::{self, Tone, grouped, toned};

/// Signs of the longest bar, and of the shortest that is worth its place.
const LONGEST_BAR: usize = 30;
const SHORTEST_BAR: usize = 8;
/// Signs of the shortest line of a series.
const SHORTEST_LINE: usize = 8;
/// Signs of the longest name in a breakdown.
const LONGEST_NAME: usize = 28;
/// Signs of a target that are shown where there is no room.
const SHORTEST_TARGET: usize = 20;
/// Signs beside the text of a column: comfy-table's padding, and what parts it from the next.
const PADDING: usize = 3;

/// How much room there is, and for whom.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    /// Signs in a line.
    pub(super) width: usize,
    /// Whether colours may be shown.
    pub(super) colours: bool,
}

impl Look {
    /// That of the terminal.
    pub(super) fn of_terminal() -> Self {
        Self { width: output::width(), colours: true }
    }
}

/// Figures over a window.
pub(super) fn of_report(question: &Question, report: &Report, look: Look) -> String {
    let stats = &report.stats;
    let mut top = format!("{}\n{}", head(question, report), totals(stats, look));
    if let Some(Imported { clicks, at }) = &report.imported {
        let (clicks, at) = (grouped(*clicks), moment(at, &stats.tz));
        top.push_str(&format!("\nimported: {clicks} clicks up to {at}"));
    }
    let mut parts = vec![top];
    if stats.series.len() > 1 {
        parts.push(line(stats, look));
    }
    parts.push(series(stats, question.rows, look));
    parts.extend(breakdowns(stats, look));
    parts.join("\n\n") + "\n"
}

/// A ranking.
pub(super) fn of_top(question: &Question, top: &Top, look: Look) -> String {
    let Question { about, tz, .. } = question;
    let head = format!("{about}, {} to {} ({tz})", moment(&top.from, tz), moment(&top.to, tz));
    if top.items.is_empty() {
        return format!("{head}: none was clicked.\n");
    }
    let mut table = output::new_table();
    for (at, link) in top.items.iter().enumerate() {
        let start = [(at + 1).to_string(), link.code.clone()];
        table.add_row(start.into_iter().chain(link.figures.numbers().map(grouped)));
    }
    let names: Vec<&str> = ["", "code"].into_iter().chain(Figures::NAMES).collect();
    table.set_header(names.clone());
    let room = look.width.saturating_sub(width_of(&table) + PADDING).max(SHORTEST_TARGET);
    for (at, link) in top.items.iter().enumerate() {
        if let Some(row) = table.row_mut(at) {
            row.add_cell(shortened(&link.target, room).into());
        }
    }
    table.set_header(names.into_iter().chain(["target"]).collect::<Vec<_>>());
    align_right(&mut table, |column| column == 0 || (2..=5).contains(&column));
    format!("{head}\n\n{}\n", table.trim_fmt())
}

/// Whose figures these are, over which window.
fn head(question: &Question, report: &Report) -> String {
    let stats = &report.stats;
    let (from, to) = (moment(&stats.from, &stats.tz), moment(&stats.to, &stats.tz));
    let head = format!("{}, {from} to {to} ({}), by {}", question.about, stats.tz, stats.by.name());
    match report.codes.as_slice() {
        [] => head,
        [code] if *code == question.about => head,
        codes => format!("{head}\nlinks: {}", codes.join(", ")),
    }
}

/// The totals, with the change against the window before where there is one.
fn totals(stats: &Stats, look: Look) -> String {
    let now = stats.total.numbers();
    let before = stats.previous.as_ref().map(|previous| previous.total.numbers());
    let told = |coloured: bool| -> Vec<String> {
        let each = Figures::NAMES.iter().enumerate().map(|(at, name)| {
            let total = format!("{} {name}", grouped(now[at]));
            let Some(before) = before else { return total };
            let change = change(before[at], now[at]);
            match tone(name, before[at], now[at]) {
                Some(tone) => format!("{total} {}", toned(&change, tone, coloured)),
                None => format!("{total} {change}"),
            }
        });
        each.collect()
    };
    let gap = "   ";
    // Colours take bytes, but no room.
    let fits = told(false).join(gap).chars().count() <= look.width;
    let text = told(look.colours).join(if fits { gap } else { "\n" });
    match &stats.previous {
        None => text,
        Some(before) => {
            let (from, to) = (moment(&before.from, &stats.tz), moment(&before.to, &stats.tz));
            format!("{text}\nchange against {from} to {to}")
        }
    }
}

/// Fewer readers are no error, and more bots no success.
fn tone(name: &str, before: u64, now: u64) -> Option<Tone> {
    match name {
        "bots" => None,
        _ if now > before => Some(Tone::Good),
        _ if now < before => Some(Tone::Careful),
        _ => None,
    }
}

/// The whole series in one line.
fn line(stats: &Stats, look: Look) -> String {
    let clicks: Vec<u64> = stats.series.iter().map(|period| period.figures.clicks).collect();
    let label =
        |at: usize| stats.series.get(at).map_or_else(String::new, |p| stats.label(&p.start));
    let (first, last) = (label(0), label(clicks.len() - 1));
    let most = format!("max {}", grouped(clicks.iter().copied().max().unwrap_or(0)));
    // Two signs between the parts: three gaps at most.
    let taken = [&first, &last, &most].map(|part| part.chars().count() + 2).iter().sum();
    let room = look.width.saturating_sub(taken).max(SHORTEST_LINE);
    format!("{first}  {}  {last}  {most}", sparkline(&clicks, room))
}

/// The last `rows` periods as a table.
fn series(stats: &Stats, rows: usize, look: Look) -> String {
    let skip = stats.series.len().saturating_sub(rows);
    let shown = &stats.series[skip..];
    let most = shown.iter().map(|period| period.figures.clicks).max().unwrap_or(0);
    let mut table = output::new_table();
    let name = if stats.by == By::Week { "week from" } else { stats.by.name() };
    table.set_header([name].into_iter().chain(Figures::NAMES).collect::<Vec<_>>());
    for period in shown {
        let numbers = period.figures.numbers().map(grouped);
        table.add_row([stats.label(&period.start)].into_iter().chain(numbers));
    }
    let room = look.width.saturating_sub(width_of(&table) + PADDING).min(LONGEST_BAR);
    if room >= SHORTEST_BAR {
        for (at, period) in shown.iter().enumerate() {
            if let Some(row) = table.row_mut(at) {
                row.add_cell(bar(period.figures.clicks, most, room).into());
            }
        }
        table.discover_columns();
    }
    align_right(&mut table, |column| (1..=4).contains(&column));
    let text = table.trim_fmt();
    match skip {
        0 => text,
        _ => format!(
            "{text}\nthe last {} of {} rows; --from or --last lists all",
            shown.len(),
            stats.series.len()
        ),
    }
}

/// The breakdowns, as many side by side as fit: one text for each line of them.
fn breakdowns(stats: &Stats, look: Look) -> Vec<String> {
    let mut left = stats.breakdowns();
    let mut lines = Vec::new();
    while !left.is_empty() {
        let fits = |n: &usize| width_of(&side_by_side(&left[..*n])) <= look.width;
        let n = (2..=left.len()).take_while(fits).last().unwrap_or(1);
        lines.push(side_by_side(&left[..n]).trim_fmt());
        left.drain(..n);
    }
    lines
}

/// A table of four columns for each breakdown: name, clicks, share, and a gap but after the last.
fn side_by_side(breakdowns: &[(&str, &[Share])]) -> Table {
    let mut table = output::new_table();
    let titles = breakdowns.iter().flat_map(|(title, _)| [*title, "clicks", "", ""]);
    let columns = breakdowns.len() * 4 - 1;
    table.set_header(titles.take(columns).collect::<Vec<_>>());
    let sums: Vec<u64> =
        breakdowns.iter().map(|(_, rows)| rows.iter().map(|row| row.clicks).sum()).collect();
    let longest = breakdowns.iter().map(|(_, rows)| rows.len()).max().unwrap_or(0);
    for at in 0..longest {
        let cells = breakdowns.iter().zip(&sums).flat_map(|((_, rows), sum)| {
            let none = [const { String::new() }; 4];
            rows.get(at).map_or(none, |row| {
                let share = percent(row.clicks, *sum);
                [shortened(&row.id, LONGEST_NAME), grouped(row.clicks), share, String::new()]
            })
        });
        table.add_row(cells.take(columns).collect::<Vec<_>>());
    }
    align_right(&mut table, |column| matches!(column % 4, 1 | 2));
    table
}

fn align_right(table: &mut Table, numbers: impl Fn(usize) -> bool) {
    for (at, column) in table.column_iter_mut().enumerate() {
        if numbers(at) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

/// Signs in a line of the table.
fn width_of(table: &Table) -> usize {
    table.column_max_content_widths().iter().map(|width| usize::from(*width) + PADDING).sum()
}

/// An answer about four days.
#[cfg(test)]
pub(super) fn example() -> Report {
    let answer = serde_json::json!({
        "from": "2026-11-01T00:00:00Z", "to": "2026-11-05T00:00:00Z", "by": "day", "tz": "UTC",
        "total": { "clicks": 1280, "people": 1030, "bots": 250, "visitors": 824 },
        "series": [
            { "start": "2026-11-01T00:00:00Z", "clicks": 0, "people": 0, "bots": 0, "visitors": 0 },
            { "start": "2026-11-02T00:00:00Z",
              "clicks": 1245, "people": 1000, "bots": 245, "visitors": 800 },
            { "start": "2026-11-03T00:00:00Z",
              "clicks": 30, "people": 25, "bots": 5, "visitors": 20 },
            { "start": "2026-11-04T00:00:00Z", "clicks": 5, "people": 5, "bots": 0, "visitors": 4 },
        ],
        "breakdowns": {
            "referrers": [
                { "id": "direct", "clicks": 900 }, { "id": "news.google.com", "clicks": 100 },
                { "id": "a-very-long-name-of-a-host.example.org", "clicks": 27 },
                { "id": "other", "clicks": 3 },
            ],
            "countries": [{ "id": "CZ", "clicks": 1030 }],
            "browsers": [{ "id": "Chrome", "clicks": 1030 }],
            "platforms": [{ "id": "Android", "clicks": 1030 }],
            "devices": [{ "id": "phone", "clicks": 1030 }],
            "bot_families": [{ "id": "preview/WhatsApp", "clicks": 250 }],
        },
        "previous": {
            "from": "2026-10-28T00:00:00Z", "to": "2026-11-01T00:00:00Z",
            "total": { "clicks": 1000, "people": 1030, "bots": 0, "visitors": 900 },
        },
        "codes": ["8yDbrB"],
        "imported": { "clicks": 3227, "at": "2019-03-30T00:00:00.000Z" },
    });
    serde_json::from_value(answer).unwrap()
}

/// A ranking of two links.
#[cfg(test)]
pub(super) fn example_top() -> Top {
    let answer = serde_json::json!({
        "from": "2026-11-01T00:00:00Z", "to": "2026-11-05T00:00:00Z",
        "items": [
            { "code": "8yDbrB", "short_url": "https://go.example.org/8yDbrB",
              "target": "https://www.example.org/2026/11/01/politics/the-budget-is-agreed-on",
              "clicks": 1234, "people": 1000, "bots": 234, "visitors": 800 },
            { "code": "Xa", "short_url": "https://go.example.org/Xa",
              "target": "https://www.example.org/a",
              "clicks": 7, "people": 7, "bots": 0, "visitors": 6 },
        ],
    });
    serde_json::from_value(answer).unwrap()
}

#[cfg(test)]
mod tests {
    use super::super::question::Format;
    use super::*;

    fn question(rows: usize) -> Question {
        let (path, query, about) = (String::new(), vec![], "8yDbrB".into());
        Question { format: Format::Text, path, query, about, rows, tz: "UTC".into() }
    }

    fn page(rows: usize, width: usize) -> String {
        let look = Look { width, colours: false };
        of_report(&question(rows), &example(), look).replace('\u{202f}', " ")
    }

    #[test]
    fn a_page_says_what_was_asked_and_what_there_is() {
        let page = page(14, 100);
        for part in [
            "8yDbrB, 2026-11-01 00:00 to 2026-11-05 00:00 (UTC), by day\n",
            "1 280 clicks +28 %   1 030 people ±0 %   250 bots new   824 visitors −8 %\n",
            "change against 2026-10-28 00:00 to 2026-11-01 00:00\n",
            "\nimported: 3 227 clicks up to 2019-03-30 00:00\n",
            "\n2026-11-01  ▁█▂▂  2026-11-04  max 1 245\n",
            "\n 2026-11-02    1 245    1 000    245        800   ██████████████████████████████\n",
        ] {
            assert!(page.contains(part), "{part}{page}");
        }
        assert!(!page.contains("links:") && !page.contains('\x1b'), "{page}");
    }

    #[test]
    fn what_is_left_out_is_said() {
        let page = page(2, 100);
        assert!(!page.contains("\n 2026-11-02 "), "{page}");
        assert!(page.contains("\nthe last 2 of 4 rows; --from or --last lists all\n"), "{page}");
    }

    #[test]
    fn breakdowns_stand_side_by_side_as_far_as_they_fit() {
        let lines_with = |width: usize, title: &str| {
            let page = page(2, width);
            page.lines().position(|line| line.contains(title)).unwrap()
        };
        assert_eq!(lines_with(140, "Referrers"), lines_with(140, "Countries"));
        assert_ne!(lines_with(40, "Referrers"), lines_with(40, "Countries"));
        assert_eq!(lines_with(80, "Referrers"), lines_with(80, "Countries"));
    }

    #[test]
    fn nothing_is_wider_than_the_terminal() {
        for width in [56, 64, 80, 132] {
            let page = page(14, width);
            let widest = page.lines().skip(1).map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= width, "{widest} > {width}\n{page}");
        }
    }

    #[test]
    fn colours_say_which_way_it_went() {
        let look = Look { width: 100, colours: true };
        let totals = totals(&example().stats, look);
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        assert_eq!(totals.contains("\x1b[32m+28 %"), !plain, "{totals}");
        assert_eq!(totals.contains("\x1b[33m−8 %"), !plain, "{totals}");
        assert!(totals.contains("bots new"), "{totals}");
    }

    #[test]
    fn several_links_are_named() {
        let mut report = example();
        report.codes.push("Xa".into());
        let page = of_report(&question(2), &report, Look { width: 80, colours: false });
        assert!(page.contains("\nlinks: 8yDbrB, Xa\n"), "{page}");
    }

    #[test]
    fn a_ranking_keeps_to_its_lines() {
        let page = of_top(&question(9), &example_top(), Look { width: 80, colours: false });
        let rows: Vec<&str> = page.lines().skip(4).collect();
        assert_eq!(rows.len(), 2, "{page}");
        assert!(rows[0].starts_with(" 1   8yDbrB ") && rows[0].ends_with('…'), "{page}");
        assert!(rows[1].ends_with("  https://www.example.org/a"), "{page}");
        assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");
        let none = Top { items: vec![], ..example_top() };
        assert!(
            of_top(&question(9), &none, Look { width: 80, colours: false })
                .contains("none was clicked")
        );
    }
}
