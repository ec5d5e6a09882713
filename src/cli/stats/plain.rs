//! The answer for programs: tab-separated lines.

use std::fmt::Write as _;

use super::answer::{Figures, Hit, Hits, Imported, Ranked, Report, Top};

/// The last `most` periods and the total, tab-separated; then what links brought along, and as of
/// when.
pub(super) fn lines(report: &Report, most: usize) -> String {
    let stats = &report.stats;
    let skip = stats.series.len().saturating_sub(most);
    let mut text = String::new();
    for period in &stats.series[skip..] {
        line(&mut text, &period.start, period.figures, None);
    }
    line(&mut text, "total", stats.total, None);
    if let Some(Imported { clicks, at }) = &report.imported {
        // Writing into a text can't fail.
        _ = writeln!(text, "imported\t{clicks}\t{at}");
    }
    text
}

/// The ranking, tab-separated.
pub(super) fn top_lines(top: &Top) -> String {
    let mut text = String::new();
    for Ranked { code, figures, target, .. } in &top.items {
        line(&mut text, code, *figures, Some(target));
    }
    text
}

/// Unknown codes, the host of the page that led there, and how often, tab-separated.
pub(super) fn hit_lines(hits: &Hits) -> String {
    let line = |Hit { code, referrer, clicks }: &Hit| format!("{code}\t{referrer}\t{clicks}\n");
    hits.hits.iter().map(line).collect()
}

fn line(text: &mut String, first: &str, figures: Figures, last: Option<&str>) {
    text.push_str(first);
    for number in figures.numbers() {
        // Writing into a text can't fail.
        _ = write!(text, "\t{number}");
    }
    if let Some(last) = last {
        text.push('\t');
        text.push_str(last);
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::super::page::{example, example_top};
    use super::*;

    #[test]
    fn a_pipe_gets_the_last_periods_and_the_total_of_all() {
        let text = lines(&example(), 2);
        assert_eq!(
            text,
            "2026-11-03T00:00:00Z\t30\t25\t5\t20\n2026-11-04T00:00:00Z\t5\t5\t0\t4\n\
             total\t1280\t1030\t250\t824\nimported\t3227\t2019-03-30T00:00:00.000Z\n"
        );
    }

    #[test]
    fn a_pipe_gets_a_line_for_each_wrong_code_and_page() {
        let hit = Hit { code: "8yDbrb".into(), referrer: "example.org".into(), clicks: 3 };
        assert_eq!(hit_lines(&Hits { hits: vec![hit] }), "8yDbrb\texample.org\t3\n");
    }

    #[test]
    fn a_ranking_gets_a_line_for_each_link() {
        let text = top_lines(&example_top());
        assert!(text.starts_with("8yDbrB\t1234\t1000\t234\t800\thttps://www.example.org/2026/"));
        assert_eq!(text.lines().last(), Some("Xa\t7\t7\t0\t6\thttps://www.example.org/a"));
    }
}
