//! The code of a short link: `8yDbrB` in `https://go.example.org/8yDbrB`.
//!
//! Drawn codes come from nanoid's secure generator; custom codes are what publishers ask for.

use std::borrow::Borrow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest code, in bytes.
pub const MAX_CODE_LENGTH: usize = 64;

/// First path segments that the service answers itself: no link can be had there.
const ROUTES: [&str; 4] = ["-", "api", "discovery", "urlshortener"];

/// First path segments that belong to a service by long habit of the web.
/// Compared without regard to case, as those above, so that no code looks like one of them.
const RESERVED: [&str; 12] = [
    "_",
    "admin",
    "assets",
    "dashboard",
    "docs",
    "favicon",
    "health",
    "index",
    "login",
    "metrics",
    "robots",
    "static",
];

/// A valid code: 1–64 characters of `[0-9A-Za-z_-]`, or two such parts joined by one `/` for the
/// path families of imported legacy links (`fb/AbC1`). Case matters.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Code(Box<str>);

/// Why a text is not a code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadCode {
    /// There is nothing there.
    #[error("a code has at least 1 character")]
    Empty,
    /// More than [`MAX_CODE_LENGTH`] bytes.
    #[error("a code has at most {MAX_CODE_LENGTH} characters, this one has {0}")]
    TooLong(usize),
    /// A character outside of the alphabet.
    #[error("{0:?} can't stand in a code; use 0-9, A-Z, a-z, _ and -")]
    Character(char),
    /// A word that the service keeps for its own paths.
    #[error("{0:?} is reserved for the service's own pages; choose another code")]
    Reserved(String),
}

impl Code {
    /// Reads a code as it stands in a path, a store or a query.
    ///
    /// # Errors
    /// [`BadCode`] says which rule it breaks. Reserved words pass: a path is not a wish.
    pub fn parse(text: &str) -> Result<Self, BadCode> {
        Self::check(text)?;
        Ok(Self(text.into()))
    }

    /// Whether [`Code::parse`] would take it, without making one.
    ///
    /// # Errors
    /// [`BadCode`] says which rule it breaks.
    pub fn check(text: &str) -> Result<(), BadCode> {
        if text.is_empty() {
            return Err(BadCode::Empty);
        }
        if text.len() > MAX_CODE_LENGTH {
            return Err(BadCode::TooLong(text.chars().count()));
        }
        let usual = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if text.bytes().all(usual) {
            return Ok(());
        }
        let joints = text.bytes().filter(|byte| *byte == b'/').count();
        let joined = joints == 1 && !text.starts_with('/') && !text.ends_with('/');
        let stray = |c: &char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
        match text.chars().filter(|c| !(joined && *c == '/')).find(stray) {
            Some(character) => Err(BadCode::Character(character)),
            None => Ok(()),
        }
    }

    /// Reads a code that a publisher asks for: one part, and no reserved word.
    ///
    /// # Errors
    /// [`BadCode`] says which rule it breaks.
    pub fn custom(text: &str) -> Result<Self, BadCode> {
        let code = Self::parse(text)?;
        if text.contains('/') {
            return Err(BadCode::Character('/'));
        }
        if ROUTES.iter().chain(&RESERVED).any(|word| word.eq_ignore_ascii_case(text)) {
            return Err(BadCode::Reserved(text.to_owned()));
        }
        Ok(code)
    }

    /// Reads a code that was given out elsewhere, maybe within a family (`fb/AbC1`): whatever readers
    /// can ask this service for.
    ///
    /// # Errors
    /// [`BadCode`] says which rule it breaks.
    pub fn imported(text: &str) -> Result<Self, BadCode> {
        let code = Self::parse(text)?;
        match text.split('/').next() {
            Some(first) if ROUTES.contains(&first) => Err(BadCode::Reserved(first.to_owned())),
            _ => Ok(code),
        }
    }

    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code({})", self.0)
    }
}

impl Borrow<str> for Code {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Code {
    type Err = BadCode;

    fn from_str(text: &str) -> Result<Self, BadCode> {
        Self::parse(text)
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// How codes are drawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `base62`, `unambiguous`, or the characters themselves.
    pub alphabet: String,
    /// Characters in a drawn code, 1–64.
    pub length: usize,
}

/// All digits and letters: what goo.gl used.
const BASE62: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// No vowels, so that no word can be spelled, and no look-alikes, so that print and telephone do
/// not garble it.
const UNAMBIGUOUS: &str = "23456789BCDFGHJKMNPQRSTVWXYZbcdfghjkmnpqrstvwxyz";

/// Why codes cannot be drawn as the settings say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAlphabet {
    /// Fewer than two different characters.
    #[error("codes.alphabet needs at least 2 different characters, or `base62`, or `unambiguous`")]
    TooSmall,
    /// A character that no code may hold, or one given twice.
    #[error("codes.alphabet: {0:?} is given twice or can't stand in a code")]
    Character(char),
    /// A length outside of 1–64.
    #[error("codes.length must be between 1 and {MAX_CODE_LENGTH}, not {0}")]
    Length(usize),
}

/// `length` random characters of base 62 from the secure generator: 5.95 bits each.
#[must_use]
pub fn random_text(length: usize) -> String {
    let alphabet: Vec<char> = BASE62.chars().collect();
    nanoid::nanoid!(length, &alphabet)
}

/// Random bytes from the secure generator.
#[must_use]
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let bytes = nanoid::rngs::default(N);
    bytes.first_chunk().copied().unwrap_or([0; N])
}

/// Draws random codes.
#[derive(Debug, Clone)]
pub struct Generator {
    alphabet: Vec<char>,
    length: usize,
}

impl Generator {
    /// A generator as the settings say.
    ///
    /// # Errors
    /// [`BadAlphabet`] when no usable code can come of them.
    pub fn new(settings: &Settings) -> Result<Self, BadAlphabet> {
        let alphabet: Vec<char> = match settings.alphabet.as_str() {
            "base62" => BASE62.chars().collect(),
            "unambiguous" => UNAMBIGUOUS.chars().collect(),
            own => own.chars().collect(),
        };
        for (at, character) in alphabet.iter().enumerate() {
            let usable = Code::parse(character.encode_utf8(&mut [0; 4])).is_ok();
            if !usable || alphabet[..at].contains(character) {
                return Err(BadAlphabet::Character(*character));
            }
        }
        if alphabet.len() < 2 {
            return Err(BadAlphabet::TooSmall);
        }
        if !(1..=MAX_CODE_LENGTH).contains(&settings.length) {
            return Err(BadAlphabet::Length(settings.length));
        }
        Ok(Self { alphabet, length: settings.length })
    }

    /// A random code, never a reserved word. It may be taken: claiming it tells.
    #[must_use]
    pub fn draw(&self) -> Code {
        self.draw_of(self.length)
    }

    /// A random code for which `suits` holds, if one of the next few hundred does: each of those that
    /// suit is as likely as the others.
    #[must_use]
    pub fn draw_where(&self, suits: impl Fn(&str) -> bool) -> Option<Code> {
        /// Codes looked at before giving up: of one in 64, one is missed once in 2,000 times.
        const TRIES: usize = 480;
        /// Codes read off one draw, each beginning a character after the last.
        const WINDOWS: usize = 160;
        for _ in 0..TRIES / WINDOWS {
            let text = nanoid::nanoid!(self.length + WINDOWS - 1, &self.alphabet);
            let windows = (0..WINDOWS).map(|at| &text[at..at + self.length]);
            let found = windows.filter(|code| suits(code)).find_map(|code| Code::custom(code).ok());
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// A random code that is `longer` characters longer than the settings say: what is drawn when
    /// the short ones are nearly used up.
    #[must_use]
    pub fn draw_longer(&self, longer: usize) -> Code {
        self.draw_of((self.length + longer).min(MAX_CODE_LENGTH))
    }

    fn draw_of(&self, length: usize) -> Code {
        loop {
            let text = nanoid::nanoid!(length, &self.alphabet);
            if let Ok(code) = Code::custom(&text) {
                return code;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generator(alphabet: &str, length: usize) -> Result<Generator, BadAlphabet> {
        Generator::new(&Settings { alphabet: alphabet.into(), length })
    }

    #[test]
    fn codes_are_read_as_they_stand() {
        for good in ["8yDbrB", "a", "-x_", "fb/AbC1", &"z".repeat(64)] {
            assert_eq!(Code::parse(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn what_is_no_code_says_why() {
        assert_eq!(Code::parse(""), Err(BadCode::Empty));
        assert_eq!(Code::parse(&"z".repeat(65)), Err(BadCode::TooLong(65)));
        for (bad, character) in
            [("a b", ' '), ("ü", 'ü'), ("a/b/c", '/'), ("/a", '/'), ("a/", '/'), ("a.b", '.')]
        {
            assert_eq!(Code::parse(bad), Err(BadCode::Character(character)), "{bad}");
        }
    }

    #[test]
    fn reserved_words_and_families_cannot_be_asked_for() {
        assert!(matches!(Code::custom("API"), Err(BadCode::Reserved(_))));
        assert!(matches!(Code::custom("-"), Err(BadCode::Reserved(_))));
        assert_eq!(Code::custom("fb/AbC1"), Err(BadCode::Character('/')));
        assert!(Code::custom("apiary").is_ok());
    }

    #[test]
    fn what_was_given_out_elsewhere_is_kept_if_readers_can_ask_for_it() {
        for good in ["a", "admin", "fb/AbC1", "maps/api", "API"] {
            assert_eq!(Code::imported(good).unwrap().as_str(), good);
        }
        assert_eq!(Code::imported("api"), Err(BadCode::Reserved("api".into())));
        assert_eq!(Code::imported("-/live"), Err(BadCode::Reserved("-".into())));
    }

    #[test]
    fn drawn_codes_have_the_length_and_alphabet_of_the_settings() {
        let code = generator("base62", 6).unwrap().draw();
        assert_eq!(code.as_str().len(), 6);
        assert!(code.as_str().chars().all(|c| BASE62.contains(c)));
        let code = generator("ab", 12).unwrap().draw_longer(2);
        assert_eq!(code.as_str().trim_matches(['a', 'b']), "");
        assert_eq!(code.as_str().len(), 14);
    }

    #[test]
    fn a_code_is_drawn_to_suit_or_not_at_all() {
        let base62 = generator("base62", 6).unwrap();
        for wanted in ['0', 'a', 'Z'] {
            let code = base62.draw_where(|code| code.ends_with(wanted)).unwrap();
            assert!(code.as_str().ends_with(wanted) && code.as_str().len() == 6);
        }
        assert_eq!(base62.draw_where(|_| false), None);
        assert_ne!(base62.draw_where(|_| true), base62.draw_where(|_| true));
    }

    #[test]
    fn a_useless_alphabet_is_refused() {
        assert_eq!(generator("a", 6).unwrap_err(), BadAlphabet::TooSmall);
        assert_eq!(generator("aa", 6).unwrap_err(), BadAlphabet::Character('a'));
        assert_eq!(generator("ab!", 6).unwrap_err(), BadAlphabet::Character('!'));
        assert_eq!(generator("base62", 0).unwrap_err(), BadAlphabet::Length(0));
    }
}
