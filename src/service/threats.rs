//! Which addresses are known to harm their readers: the one place where that is decided.

use std::fmt;

use crate::model::host::Zones;
use crate::model::link::Link;
use crate::model::target::Target;
use crate::service::shorten::Settings;

/// What a host is known for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threat {
    /// It spreads malware.
    Malware,
    /// It pretends to be another.
    Phishing,
}

impl Threat {
    /// Its name, as it stands in settings and on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Malware => "malware",
            Self::Phishing => "phishing",
        }
    }
}

impl fmt::Display for Threat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What awaits the readers of a link, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Danger {
    /// The host that is known for it.
    pub host: String,
    /// What it is known for.
    pub threat: Threat,
}

/// The hosts that the settings name (`links.malware_hosts`, `links.phishing_hosts`), with those
/// below them. Clones share.
#[derive(Debug, Clone, Default)]
pub struct Threats {
    malware: Zones,
    phishing: Zones,
}

impl Threats {
    /// What the settings say.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        Self {
            malware: Zones::new(&settings.malware_hosts),
            phishing: Zones::new(&settings.phishing_hosts),
        }
    }

    /// What the host of an address in normal form is known for. Of two, malware is told.
    #[must_use]
    pub fn of(&self, target: &Target) -> Option<Threat> {
        let host = target.host();
        if self.malware.hold(host) {
            Some(Threat::Malware)
        } else {
            self.phishing.hold(host).then_some(Threat::Phishing)
        }
    }

    /// What awaits the readers of a link. Its article says so too: an imported target need not be in
    /// normal form, and a page within a cache (AMP) is that of the publisher.
    #[must_use]
    pub fn danger_of(&self, link: &Link) -> Option<Danger> {
        if self.malware.is_empty() && self.phishing.is_empty() {
            return None;
        }
        [&link.article, &link.target].into_iter().find_map(|address| {
            let threat = self.of(address)?;
            Some(Danger { host: address.host().to_owned(), threat })
        })
    }

    /// The same, wherever it is.
    #[must_use]
    pub fn of_link(&self, link: &Link) -> Option<Threat> {
        self.danger_of(link).map(|danger| danger.threat)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::link::Redirect;

    fn threats(malware: &[&str], phishing: &[&str]) -> Threats {
        let hosts = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        Threats::new(&Settings {
            redirect: Redirect::Found,
            allow_hosts: vec![],
            block_hosts: vec![],
            malware_hosts: hosts(malware),
            phishing_hosts: hosts(phishing),
            public_stats: false,
        })
    }

    #[test]
    fn a_host_is_known_for_one_thing_with_all_below_it() {
        let threats =
            threats(&["bad.example", "both.example"], &["*.Fake.example", "both.example"]);
        for (address, threat) in [
            ("https://bad.example/a", Some(Threat::Malware)),
            ("http://www.bad.example:8080/", Some(Threat::Malware)),
            ("https://fake.example/", Some(Threat::Phishing)),
            ("https://both.example/", Some(Threat::Malware)),
            ("https://notbad.example/?bad.example", None),
        ] {
            assert_eq!(threats.of(&Target::from_normal_form(address)), threat, "{address}");
        }
    }
}
