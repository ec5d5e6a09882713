//! Numbers as a person reads them, and as a line or a bar.

use crate::cli::output::grouped;

/// The change from `before` to `now`: `+12 %`, rounded. `new` where there was nothing before.
pub(super) fn change(before: u64, now: u64) -> String {
    if before == 0 {
        return if now == 0 { "±0 %".into() } else { "new".into() };
    }
    let (before, now) = (u128::from(before), u128::from(now));
    let percent = (now.abs_diff(before) * 100 + before / 2) / before;
    let sign = match percent {
        0 => "±",
        _ if now > before => "+",
        _ => "−",
    };
    let percent = u64::try_from(percent).unwrap_or(u64::MAX);
    format!("{sign}{} %", grouped(percent))
}

/// `part` of `whole`, in percent, rounded; what is less than half a percent is told as such.
pub(super) fn percent(part: u64, whole: u64) -> String {
    let (part, whole) = (u128::from(part), u128::from(whole.max(1)));
    match (part * 100 + whole / 2) / whole {
        0 if part > 0 => "<1 %".into(),
        percent => format!("{percent} %"),
    }
}

/// A line of at most `width` signs as high as `values` are many. Where there are more values than
/// signs, each sign stands for as many neighbours as it takes.
pub(super) fn sparkline(values: &[u64], width: usize) -> String {
    const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let each = values.len().div_ceil(width.max(1)).max(1);
    let sums: Vec<u128> =
        values.chunks(each).map(|some| some.iter().copied().map(u128::from).sum()).collect();
    let most = sums.iter().copied().max().unwrap_or(0).max(1);
    // Only nothing lies on the ground: one click is seen.
    let height = |sum: &u128| usize::try_from((sum * 7).div_ceil(most)).unwrap_or(0);
    sums.iter().map(|sum| HEIGHTS[height(sum)]).collect()
}

/// A bar as long as `clicks` are many, at most `longest` signs, down to an eighth of a sign.
pub(super) fn bar(clicks: u64, most: u64, longest: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let share = u128::from(clicks) * (longest as u128 * 8) / u128::from(most.max(1));
    let eighths = usize::try_from(share).unwrap_or(0).max(usize::from(clicks > 0));
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

/// `text` in at most `width` signs, the last of which says that something is missing.
pub(super) fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(width.saturating_sub(1)).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_change_is_told_in_percent_of_what_was_before() {
        assert_eq!(change(100, 112), "+12 %");
        assert_eq!(change(200, 100), "−50 %");
        assert_eq!(change(3, 1), "−67 %");
        assert_eq!(change(100, 100), "±0 %");
        assert_eq!(change(1_000, 1_001), "±0 %");
        assert_eq!(change(0, 5), "new");
        assert_eq!(change(0, 0), "±0 %");
        assert_eq!(change(1, 0), "−100 %");
        assert_eq!(change(1, 100), "+9\u{202f}900 %");
        assert!(change(1, u64::MAX).starts_with('+'));
    }

    #[test]
    fn a_small_share_is_not_none() {
        assert_eq!(percent(1, 3), "33 %");
        assert_eq!(percent(1, 1_000), "<1 %");
        assert_eq!(percent(0, 0), "0 %");
        assert_eq!(percent(7, 7), "100 %");
    }

    #[test]
    fn the_highest_sign_is_the_most_and_the_lowest_is_nothing() {
        assert_eq!(sparkline(&[0, 1, 500, 1_000], 10), "▁▂▅█");
        assert_eq!(sparkline(&[0, 0], 10), "▁▁");
        assert_eq!(sparkline(&[], 10), "");
        assert_eq!(sparkline(&[u64::MAX, u64::MAX], 1), "█");
    }

    #[test]
    fn the_longest_bar_is_full_and_a_single_click_is_seen() {
        assert_eq!(bar(50, 50, 30).chars().count(), 30);
        assert_eq!(bar(1, 1_000_000, 30), "▏");
        assert_eq!(bar(0, 0, 30), "");
        assert_eq!(bar(u64::MAX, u64::MAX, 30).chars().count(), 30);
    }

    #[test]
    fn a_long_name_ends_in_a_sign_that_it_goes_on() {
        assert_eq!(shortened("example.org", 11), "example.org");
        assert_eq!(shortened("example.org", 8), "example…");
    }

    proptest! {
        #[test]
        fn a_line_fits_and_every_click_is_seen(
            values in proptest::collection::vec(0..5u64, 1..500), width in 1..100usize,
        ) {
            let line = sparkline(&values, width);
            prop_assert!(line.chars().count() <= width);
            let clicked = values.iter().any(|value| *value > 0);
            prop_assert_eq!(line.contains('█'), clicked);
        }
    }
}
