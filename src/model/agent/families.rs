//! The rules of uap-core: which family of browsers, and of platforms, an agent belongs to.

use std::borrow::Cow;

use ua_parser::{Error, os, user_agent};

/// The rules: a regular expression and the family, the first group of the expression if empty. The
/// first that matches decides.
const BROWSERS: &str = include_str!("data/browsers.tsv");
const PLATFORMS: &str = include_str!("data/platforms.tsv");

/// What uap-core calls a family that it does not know, where a rule says so.
const NONE: &str = "Other";
/// Characters of a family's name. The longest that uap-core has a word for is half of it; longer
/// ones are taken from the agent, and anybody may send anything.
const NAME: usize = 64;

/// Both tables, compiled.
pub(super) struct Families {
    browsers: user_agent::Extractor<'static>,
    platforms: os::Extractor<'static>,
}

impl Families {
    pub(super) fn read() -> Result<Self, Error> {
        let mut browsers = user_agent::Builder::new();
        for (regex, family_replacement) in rules(BROWSERS) {
            let rule =
                user_agent::Parser { regex, family_replacement, ..user_agent::Parser::default() };
            browsers = browsers.push(rule)?;
        }
        let mut platforms = os::Builder::new();
        for (regex, os_replacement) in rules(PLATFORMS) {
            platforms =
                platforms.push(os::Parser { regex, os_replacement, ..os::Parser::default() })?;
        }
        Ok(Self { browsers: browsers.build()?, platforms: platforms.build()? })
    }

    /// The family of the browser, if it is known.
    pub(super) fn browser(&self, agent: &str) -> Option<String> {
        name(&self.browsers.extract(agent)?.family)
    }

    /// The family of the platform, if it is known.
    pub(super) fn platform(&self, agent: &str) -> Option<String> {
        name(&self.platforms.extract(agent)?.os)
    }
}

fn rules(
    table: &'static str,
) -> impl Iterator<Item = (Cow<'static, str>, Option<Cow<'static, str>>)> {
    table.lines().map(|line| {
        let (regex, family) = line.split_once('\t').unwrap_or((line, ""));
        (regex.into(), (!family.is_empty()).then(|| family.into()))
    })
}

fn name(family: &str) -> Option<String> {
    let name: String = family.chars().filter(|c| !c.is_control()).take(NAME).collect();
    let name = name.trim();
    (!name.is_empty() && name != NONE).then(|| name.to_owned())
}
