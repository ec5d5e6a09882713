//! Addresses to mint: real ones from a file, or look-alikes.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};

/// The average length of a look-alike, in bytes: what news addresses measure.
pub(crate) const MEAN: usize = 89;
/// The most that a look-alike is longer or shorter.
const SPREAD: u64 = 25;

const SECTIONS: [&str; 8] =
    ["world", "politics", "business", "health", "style", "opinion", "us", "sport"];
const WORDS: [&str; 32] = [
    "after", "market", "vote", "river", "court", "storm", "talks", "leader", "school", "city",
    "deal", "plan", "border", "report", "energy", "water", "strike", "record", "summit", "crisis",
    "police", "train", "budget", "film", "league", "final", "mayor", "union", "trial", "debt",
    "island", "voice",
];

/// A well-mixed number for each number. Steele, Lea, Flood: SplitMix64.
pub(crate) fn mixed(n: u64) -> u64 {
    let mut z = n.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The look-alike with this number, like no other's. Each two in turn (0 and 1, 2 and 3 …) have
/// twice [`MEAN`] bytes.
pub(crate) fn look_alike(n: usize) -> String {
    let n = n as u64;
    let spread = usize::try_from(mixed(n / 2) % (SPREAD + 1)).unwrap_or(0);
    let length = if n.is_multiple_of(2) { MEAN + spread } else { MEAN - spread };
    let mut random = mixed(n);
    let mut pick = |of: u64| {
        random = mixed(random);
        usize::try_from(random % of).unwrap_or(0)
    };
    let section = SECTIONS[pick(8)];
    let (month, day) = (1 + pick(12), 1 + pick(28));
    let mut url = format!("https://www.example.org/2026/{month:02}/{day:02}/{section}/");
    let tail = format!("-{n:x}/index.html");
    while url.len() + tail.len() < length {
        url.push_str(WORDS[pick(32)]);
        url.push('-');
    }
    url.truncate(length.saturating_sub(tail.len()));
    // A word cut short may end in the dash that the tail begins with.
    if url.ends_with('-') {
        url.pop();
        url.push('s');
    }
    url + &tail
}

/// Beginnings of distinct addresses: what is appended to them is a number.
pub(crate) fn to_be_numbered(file: Option<&Path>) -> anyhow::Result<Vec<String>> {
    let lines: Vec<String> = match file {
        Some(file) => {
            let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
            text.lines().map(str::to_owned).collect()
        }
        None => (0..40_000).map(look_alike).collect(),
    };
    // They are pasted into JSON, and one line of the file may be no address.
    let fits = |line: &&String| {
        line.starts_with("http")
            && line.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
    };
    let numbered = |line: &String| {
        let line = line.split('#').next().unwrap_or_default();
        let joint = if line.contains('?') { '&' } else { '?' };
        format!("{line}{joint}id=")
    };
    let urls: Vec<String> = lines.iter().filter(fits).map(numbered).collect();
    ensure!(!urls.is_empty(), "no addresses to mint");
    Ok(urls)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn look_alikes_are_distinct_and_as_long_as_they_should_be_on_average() {
        let urls: HashSet<String> = (0..100_000).map(look_alike).collect();
        assert_eq!(urls.len(), 100_000);
        assert_eq!(urls.iter().map(String::len).sum::<usize>(), 100_000 * MEAN);
    }
}
