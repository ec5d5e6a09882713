//! The rules of uap-core: which family of browsers, or of platforms, an agent belongs to.
//!
//! A rule is a regular expression, and the first that matches decides. Each comes with texts of
//! which it needs at least one, so one pass over the agent for all these texts leaves a handful of
//! rules to be tried, in their order.

use aho_corasick::AhoCorasick;

use super::AgentsError;
use super::pattern::Pattern;

/// What uap-core calls a family that it does not know, where a rule says so.
const NONE: &str = "Other";
/// Characters of a family's name. The longest that uap-core has a word for is half of it; longer
/// ones are taken from the agent, and anybody may send anything.
const NAME: usize = 64;

/// A table of rules.
pub(super) struct Families {
    texts: AhoCorasick,
    /// For each text the rule that needs it.
    needed_by: Vec<usize>,
    /// The rules that are always tried.
    always: Vec<usize>,
    pub(super) rules: Vec<Rule>,
}

/// One line of a table.
pub(super) struct Rule {
    pub(super) pattern: Pattern,
    /// The family, with `$1` for what the first group of the pattern matched.
    family: &'static str,
}

impl Families {
    /// Reads a table: pattern, family (the first group if empty), texts.
    pub(super) fn read(table: &'static str) -> Result<Self, AgentsError> {
        let (mut rules, mut texts) = (Vec::new(), Vec::new());
        let (mut needed_by, mut always) = (Vec::new(), Vec::new());
        for (rule, line) in table.lines().enumerate() {
            let mut columns = line.split('\t');
            let pattern = Pattern::new(columns.next().unwrap_or_default());
            let family = columns.next().filter(|family| !family.is_empty()).unwrap_or("$1");
            rules.push(Rule { pattern, family });
            texts.extend(columns);
            if needed_by.len() == texts.len() {
                always.push(rule);
            }
            needed_by.resize(texts.len(), rule);
        }
        Ok(Self { texts: AhoCorasick::new(texts)?, needed_by, always, rules })
    }

    /// The family of an agent, if it is known.
    pub(super) fn find(&self, agent: &str) -> Option<String> {
        let found = self.texts.find_overlapping_iter(agent);
        let mut candidates = self.always.clone();
        candidates.extend(found.map(|text| self.needed_by[text.pattern().as_usize()]));
        candidates.sort_unstable();
        candidates.dedup();
        let name = candidates.into_iter().find_map(|rule| self.rules[rule].family_of(agent))?;
        Some(name).filter(|name| !name.is_empty() && name != NONE)
    }
}

impl Rule {
    /// The family it gives to an agent, if it matches.
    fn family_of(&self, agent: &str) -> Option<String> {
        let regex = self.pattern.regex()?;
        if !self.family.contains("$1") {
            return regex.is_match(agent.as_bytes()).then(|| self.family.to_owned());
        }
        let groups = regex.captures(agent.as_bytes())?;
        let first = groups.get(1).map_or(&b""[..], |group| group.as_bytes());
        let name = self.family.replace("$1", &String::from_utf8_lossy(first));
        let name: String = name.chars().filter(|c| !c.is_control()).take(NAME).collect();
        Some(name.trim().to_owned())
    }
}
