//! What kind of thing an agent runs on.
//!
//! Browsers say little of the device, and less each year: a tablet of Apple passes for a Mac, and
//! the model of a telephone is hidden. So this asks for no model; it goes by the platform and by
//! the words that browsers keep for those who lay out pages.

/// What an agent says it runs on: televisions, consoles, watches, cars are other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Device {
    Phone,
    Tablet,
    Desktop,
    Other,
}

/// Televisions, consoles, watches, cars and headsets; many of them run Android or Windows.
const NEITHER: [&str; 30] = [
    " AFT",
    "AndroidTV",
    "Android TV",
    "AppleTV",
    "Apple TV",
    "BRAVIA",
    "CrKey",
    "DTV",
    "GoogleTV",
    "Google TV",
    "HbbTV",
    "NETTV",
    "NetCast",
    "Nintendo",
    "OculusBrowser",
    "PLAYSTATION",
    "PlayStation",
    "QtCarBrowser",
    "Roku",
    "SMART-TV",
    "Smart TV",
    "Smart-TV",
    "SmartTV",
    "Tesla/",
    "VIDAA",
    "Wear OS",
    "Web0S",
    "Xbox",
    "tvOS",
    "watchOS",
];

/// Tablets that say so. The models are those that call themselves mobile all the same.
const TABLETS: [&str; 9] =
    ["iPad", "Tablet;", "Tablet/", "PlayBook", "Kindle", " KF", "SM-T", "Nexus 7", "Nexus 10"];

/// Telephones that say so; the last ones are older than the word.
const PHONES: [&str; 18] = [
    "Mobi",
    "iPhone",
    "iPod",
    "Phone",
    "Opera Mini",
    "BlackBerry",
    "BB10",
    "KAIOS",
    "UCWEB",
    "Symb",
    "Nokia",
    "SonyEricsson",
    "MIDP",
    "DoCoMo",
    "KDDI",
    "UP.Browser",
    "UP.Link",
    "webOS/",
];

/// What only desktops say of themselves.
const DESKTOPS: [&str; 6] = ["Windows", "Macintosh", "X11", "CrOS", "Linux", "Mac OS X"];

/// The device behind an agent, given its platform's family if that is known; `None` if it says
/// nothing of one.
pub(super) fn device(agent: &str, platform: Option<&str>) -> Option<Device> {
    let says = |words: &[&str]| words.iter().any(|word| agent.contains(word));
    // Apps that ask for a page without a browser say less: no `Mobile`, on a phone.
    let browser = agent.starts_with("Mozilla/") || agent.starts_with("Opera/");
    if says(&NEITHER) {
        return Some(Device::Other);
    }
    if says(&TABLETS) && !agent.contains("Tablet PC") {
        return Some(Device::Tablet);
    }
    match platform {
        Some("Windows" | "Mac OS X" | "Chrome OS") if !says(&["Mobile"]) => Some(Device::Desktop),
        _ if says(&PHONES) => Some(Device::Phone),
        Some("Android") if browser => Some(Device::Tablet),
        Some("Android" | "iOS" | "KaiOS" | "Windows Phone" | "HarmonyOS") => Some(Device::Phone),
        _ if says(&DESKTOPS) => Some(Device::Desktop),
        _ => None,
    }
}
