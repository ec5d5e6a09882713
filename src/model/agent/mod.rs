//! What a `User-Agent` header says about who came: the browser, its platform, the kind of device,
//! and whether it is a bot and which.
//!
//! Families of browsers and platforms go by the rules of uap-core, bots by the list of
//! crawler-user-agents and by signs of our own; `data/README.md` says where they come from. The
//! header is the sender's word: who passes for a browser is counted as one.

mod bots;
mod device;
mod families;
mod pattern;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bots::Bots;
use device::{Device, device};
use families::Families;

/// Bytes of an agent that are looked at. Browsers stay below 400, those within apps below 600.
const LENGTH: usize = 1024;

/// The tables by which agents are recognised; made once, and shared.
pub struct Agents {
    families: Families,
    bots: Bots,
    unknown: Arc<str>,
    phone: Arc<str>,
    tablet: Arc<str>,
    desktop: Arc<str>,
    other: Arc<str>,
}

/// What an agent turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// The family of browsers as uap-core calls it (`Chrome Mobile`, `Safari`), or `unknown`.
    pub browser: Arc<str>,
    /// The family of operating systems as uap-core calls it (`iOS`, `Windows`), or `unknown`.
    pub platform: Arc<str>,
    /// `phone`, `tablet`, `desktop` or `other`. Bots have no device: `other`.
    pub device: Arc<str>,
    /// `None` for a person; else `kind/name`, the kind being `crawler`, `preview` (of a link, by
    /// the platform it was shared on), `monitor` or `library`.
    pub bot: Option<Arc<str>>,
}

/// The tables compiled into the program can't be used.
#[derive(Debug, thiserror::Error)]
#[error("the tables of user agents that this program was built with are unusable; build it anew")]
pub enum AgentsError {
    /// The families'.
    Families(#[from] ua_parser::Error),
    /// The bots'.
    Bots(#[from] aho_corasick::BuildError),
}

/// What those who show pages say of themselves, within apps too. The last four say no more.
const SHOWING: [&str; 9] =
    ["Mozilla/", "Opera/", "WebKit/", "Browser", "[FBAN", "Lynx/", "w3m/", "Links (", "NetSurf/"];

impl Agents {
    /// Reads the tables. Takes some 50 milliseconds.
    ///
    /// # Errors
    /// [`AgentsError`] when the tables compiled in are unusable: never, as long as the tests pass.
    pub fn new() -> Result<Self, AgentsError> {
        Ok(Self {
            families: Families::read()?,
            bots: Bots::read()?,
            unknown: "unknown".into(),
            phone: "phone".into(),
            tablet: "tablet".into(),
            desktop: "desktop".into(),
            other: "other".into(),
        })
    }

    /// What the header says. Any text will do; an empty one, or one of spaces, is that of a program.
    /// Takes some 10 µs, so whoever meets the same agents again and again remembers the answers.
    #[must_use]
    pub fn parse(&self, agent: &str) -> Agent {
        let agent = agent.trim();
        let agent = &agent[..agent.floor_char_boundary(LENGTH)];
        let browser = self.families.browser(agent);
        let platform = self.families.platform(agent);
        let device = device(agent, platform.as_deref());
        // Who asks for a page without showing it is an app in somebody's hand, or a program at work.
        let somebody = match device {
            _ if SHOWING.iter().any(|word| agent.contains(word)) => {
                browser.is_some() || platform.is_some() || device.is_some()
            }
            None | Some(Device::Desktop) => false,
            Some(Device::Phone | Device::Tablet | Device::Other) => true,
        };
        let bot = self.bots.find(agent, somebody);
        let device = device.filter(|_| bot.is_none()).unwrap_or(Device::Other);
        Agent {
            browser: self.named(browser),
            platform: self.named(platform),
            device: Arc::clone(self.name_of(device)),
            bot,
        }
    }

    fn named(&self, family: Option<String>) -> Arc<str> {
        family.map_or_else(|| Arc::clone(&self.unknown), Arc::from)
    }

    fn name_of(&self, device: Device) -> &Arc<str> {
        match device {
            Device::Phone => &self.phone,
            Device::Tablet => &self.tablet,
            Device::Desktop => &self.desktop,
            Device::Other => &self.other,
        }
    }
}
