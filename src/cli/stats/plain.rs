//! The answer for programs: tab-separated lines, comma-separated values.

use std::fmt::Write as _;

use super::answer::{Figures, Ranked, Stats, Top};

/// The last `most` periods and the total, tab-separated.
pub(super) fn lines(stats: &Stats, most: usize) -> String {
    let skip = stats.series.len().saturating_sub(most);
    let mut text = String::new();
    for period in &stats.series[skip..] {
        line(&mut text, '\t', &period.start, period.figures, None);
    }
    line(&mut text, '\t', "total", stats.total, None);
    text
}

/// Every period, comma-separated, below a header.
pub(super) fn csv(stats: &Stats) -> String {
    let mut text = format!("start,{}\n", Figures::NAMES.join(","));
    for period in &stats.series {
        line(&mut text, ',', &period.start, period.figures, None);
    }
    text
}

/// The ranking, tab-separated.
pub(super) fn top_lines(top: &Top) -> String {
    let mut text = String::new();
    for Ranked { code, figures, target, .. } in &top.items {
        line(&mut text, '\t', code, *figures, Some(target));
    }
    text
}

/// The ranking, comma-separated, below a header.
pub(super) fn top_csv(top: &Top) -> String {
    let mut text = format!("code,{},target\n", Figures::NAMES.join(","));
    for Ranked { code, figures, target, .. } in &top.items {
        line(&mut text, ',', code, *figures, Some(&quoted(target)));
    }
    text
}

fn line(text: &mut String, between: char, first: &str, figures: Figures, last: Option<&str>) {
    text.push_str(first);
    for number in figures.numbers() {
        // Writing into a text can't fail.
        _ = write!(text, "{between}{number}");
    }
    if let Some(last) = last {
        text.push(between);
        text.push_str(last);
    }
    text.push('\n');
}

/// A field of comma-separated values (RFC 4180).
fn quoted(field: &str) -> String {
    match field.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field.to_owned(),
    }
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
             total\t1280\t1030\t250\t824\n"
        );
    }

    #[test]
    fn a_spreadsheet_gets_every_period_below_a_header() {
        let text = csv(&example());
        assert!(
            text.starts_with("start,clicks,people,bots,visitors\n2026-11-01T00:00:00Z,0,0,0,0\n")
        );
        assert_eq!(text.lines().count(), 5);
    }

    #[test]
    fn an_address_with_a_comma_stays_one_field() {
        let mut top = example_top();
        top.items[0].target = "https://example.org/a,b?q=\"x\"".into();
        let text = top_csv(&top);
        let first = text.lines().nth(1).unwrap();
        assert_eq!(first, "8yDbrB,1234,1000,234,800,\"https://example.org/a,b?q=\"\"x\"\"\"");
        assert!(
            top_lines(&top).starts_with("8yDbrB\t1234\t1000\t234\t800\thttps://example.org/a,b")
        );
    }
}
