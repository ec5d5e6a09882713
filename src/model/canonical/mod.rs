//! The canonical form of an address: one article, one form.
//!
//! In order: parsing as browsers do it (WHATWG, the `url` crate); the publisher's own address taken
//! out of an AMP cache's; escapes in normal form; tracking parameters and tracking fragments
//! stripped. Everything else stays byte for byte: order, duplicates and emptiness of parameters
//! are the server's business.
//!
//! - Space around an address falls away; a control character anywhere in it is refused.
//! - A dot behind the host (`example.org.`) falls away: it is the same host. A host with an empty
//!   label (`a..b`) is refused: there is none.
//! - The target is taken out of an AMP cache's address as well as the article: the reader shall land
//!   at the publisher's, and the parameters that `keep_tracking` keeps are the inner address's.

mod amp;
mod escapes;
mod tracking;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use url::{ParseError, Position, Url};

use self::tracking::Tracking;
use super::target::{BadTarget, MAX_TARGET_LENGTH, Target};

/// AMP caches within AMP caches that are looked into. None are known; an address is 8 KiB long.
const MAX_NESTING: usize = 4;
/// Characters of an unknown scheme that are worth telling.
const MAX_TOLD_SCHEME: usize = 32;
/// What begins a fragment's part for the browser (`#:~:text=…`), which pages don't see.
/// <https://wicg.github.io/scroll-to-text-fragment/#the-fragment-directive>
const FRAGMENT_DIRECTIVE: &str = ":~:";

/// What is stripped beside the built-in table, and what of that table is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Further tracking parameters; a name ending in `*` is a prefix.
    pub strip: Vec<String>,
    /// Parameters that are not tracking here, whatever the table and `strip` say; a name ending in
    /// `*` is a prefix.
    pub keep: Vec<String>,
}

/// Why the settings can't be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSettings {
    /// Not the name of a parameter.
    #[error(
        "`{setting}`: {name:?} is no parameter's name; \
         give plain names without = & # % and spaces, a prefix with one * at its end"
    )]
    Name {
        /// `strip` or `keep`.
        setting: &'static str,
        /// What stands there.
        name: String,
    },
    /// A name that is both stripped and kept.
    #[error("{0:?} stands in `strip` and in `keep`; remove it from one of them")]
    Contradiction(String),
}

/// Both addresses of what a publisher asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// The canonical form, without tracking: the article's identity.
    pub article: Target,
    /// The normal form, with its tracking parameters: where a link minted with `keep_tracking` leads.
    pub landing: Target,
}

/// Makes addresses canonical.
#[derive(Debug, Clone)]
pub struct Canonicalizer {
    tracking: Tracking,
}

impl Canonicalizer {
    /// One that strips what the settings say.
    ///
    /// # Errors
    /// [`BadSettings`] names what can't be followed.
    pub fn new(settings: &Settings) -> Result<Self, BadSettings> {
        Ok(Self { tracking: Tracking::new(settings)? })
    }

    /// The article and the landing page of an address.
    ///
    /// # Errors
    /// [`BadTarget`] when it is nothing that may be redirected to.
    pub fn addresses(&self, raw: &str) -> Result<Addresses, BadTarget> {
        let landing = landing(raw)?;
        let article = self.stripped(&landing);
        Ok(Addresses {
            article: Target::from_normal_form(&article),
            landing: Target::from_normal_form(&landing),
        })
    }

    /// The article of an address. It fails whenever [`addresses`](Self::addresses) fails.
    ///
    /// # Errors
    /// [`BadTarget`] when it is nothing that may be redirected to.
    pub fn article(&self, raw: &str) -> Result<Target, BadTarget> {
        landing(raw).map(|landing| Target::from_normal_form(&self.stripped(&landing)))
    }

    /// An address in normal form, without its tracking.
    fn stripped(&self, normal: &str) -> String {
        let (front, fragment) = split_at_first(normal, '#');
        let (front, query) = split_at_first(front, '?');
        let mut out = String::with_capacity(normal.len());
        out.push_str(front);
        append_part(&mut out, '?', |out| {
            let stay = query.split('&').filter(|pair| !self.tracking.has(name_of(pair)));
            append_joined(out, stay);
        });
        append_part(&mut out, '#', |out| out.push_str(self.stripped_fragment(fragment)));
        out
    }

    /// A fragment, unless it consists of tracking parameters; the browser's part always stays.
    fn stripped_fragment<'a>(&self, fragment: &'a str) -> &'a str {
        let end = fragment.find(FRAGMENT_DIRECTIVE).unwrap_or(fragment.len());
        let is_tracking = |pair: &str| pair.contains('=') && self.tracking.has(name_of(pair));
        let mut pairs = fragment[..end].split('&').filter(|pair| !pair.is_empty()).peekable();
        if pairs.peek().is_some() && pairs.all(is_tracking) { &fragment[end..] } else { fragment }
    }
}

/// The normal form of `raw`, out of its AMP cache.
fn landing(raw: &str) -> Result<String, BadTarget> {
    let mut address = normal_form(raw)?;
    for _ in 0..=MAX_NESTING {
        // What stands inside but is no address is a path of the cache's, whatever it means there.
        match amp::unwrapped(&address).map(|inner| normal_form(&inner)) {
            Some(Ok(inner)) => address = inner,
            Some(Err(_)) | None => return Ok(address),
        }
    }
    Err(BadTarget::Unreadable(format!("more than {MAX_NESTING} AMP caches within each other")))
}

/// The address as browsers and RFC 3986 §6.2.2 write it: nothing stripped but emptiness.
fn normal_form(raw: &str) -> Result<String, BadTarget> {
    let text = raw.trim_matches(' ');
    if text.is_empty() {
        return Err(BadTarget::Empty);
    }
    sized(text)?;
    if let Some((at, _)) = raw.char_indices().find(|(_, character)| character.is_control()) {
        return Err(BadTarget::ControlCharacter(at));
    }
    let behind_scheme = check_scheme(text)?;
    if authority(behind_scheme).contains('@') {
        return Err(BadTarget::Credentials);
    }
    let url = Url::parse(text).map_err(|why| BadTarget::Unreadable(why.to_string()))?;
    let mut out = String::with_capacity(text.len() + 16);
    out.push_str(&url[..Position::BeforeHost]);
    out.push_str(host(&url)?);
    out.push_str(&url[Position::AfterHost..Position::BeforePath]);
    escapes::append_normal(&mut out, url.path());
    append_part(&mut out, '?', |out| escapes::append_normal(out, url.query().unwrap_or("")));
    append_part(&mut out, '#', |out| escapes::append_normal(out, url.fragment().unwrap_or("")));
    sized(&out)?;
    Ok(out)
}

fn sized(text: &str) -> Result<(), BadTarget> {
    if text.len() > MAX_TARGET_LENGTH { Err(BadTarget::TooLong(text.len())) } else { Ok(()) }
}

/// What follows `http:` or `https:`.
///
/// Looked at before parsing: `javascript://%` shall hear of its scheme, not of its host.
fn check_scheme(text: &str) -> Result<&str, BadTarget> {
    let in_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let scheme = text.split_once(':').filter(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(in_scheme)
    });
    match scheme {
        Some((scheme, rest))
            if ["http", "https"].iter().any(|s| s.eq_ignore_ascii_case(scheme)) =>
        {
            Ok(rest)
        }
        Some((scheme, _)) => {
            let told = scheme.chars().take(MAX_TOLD_SCHEME).collect::<String>();
            Err(BadTarget::Scheme(told.to_ascii_lowercase()))
        }
        None => Err(BadTarget::Unreadable("it is relative, without scheme and host".to_owned())),
    }
}

/// What browsers take for the authority: any number of slashes and backslashes may come before it.
fn authority(behind_scheme: &str) -> &str {
    let rest = behind_scheme.trim_start_matches(['/', '\\']);
    &rest[..rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len())]
}

/// The host, without the dot behind it.
fn host(url: &Url) -> Result<&str, BadTarget> {
    let host = url.host_str().unwrap_or("");
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.is_empty() {
        return Err(BadTarget::Unreadable(ParseError::EmptyHost.to_string()));
    }
    if host.split('.').any(str::is_empty) {
        return Err(BadTarget::Unreadable("empty label in the host".to_owned()));
    }
    Ok(host)
}

/// Both sides of the first `mark`; the second is empty when there is none.
fn split_at_first(text: &str, mark: char) -> (&str, &str) {
    text.split_once(mark).unwrap_or((text, ""))
}

fn name_of(pair: &str) -> &str {
    split_at_first(pair, '=').0
}

/// Appends `mark` and what `write` writes; without the mark when that is nothing.
fn append_part(out: &mut String, mark: char, write: impl FnOnce(&mut String)) {
    out.push(mark);
    let start = out.len();
    write(out);
    if out.len() == start {
        out.pop();
    }
}

fn append_joined<'a>(out: &mut String, pairs: impl Iterator<Item = &'a str>) {
    for (n, pair) in pairs.enumerate() {
        if n > 0 {
            out.push('&');
        }
        out.push_str(pair);
    }
}
