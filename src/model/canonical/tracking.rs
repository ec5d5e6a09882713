//! Parameters that say how a reader came, not what is read.
//!
//! Only names that mean tracking on every site stand here. What one site uses for tracking and
//! another for its pages (`ref`, `source`, `cid`, `s`, `ocid`, `mbid`) is for the settings.
//!
//! Sources, by the letters below:
//! A: AdGuard's rules for all sites (<https://github.com/AdguardTeam/AdguardFilters>,
//! `TrackParamFilter/sections/general_url.txt`); B: Brave's (<https://github.com/brave/adblock-lists>);
//! R: <https://github.com/mpchadwick/tracking-query-params-registry>; N: the default list of Neat URL
//! (<https://github.com/Smile4ever/Neat-URL>); W: seen in the wild, on addresses of many newsrooms.

use std::borrow::Cow;

use super::{BadSettings, Settings, escapes};

/// Tracking parameters, in lower case; a name ending in `*` is a prefix.
#[rustfmt::skip] // one line for what belongs together
const TABLE: &[&str] = &[
    // Campaigns of Google Analytics (once Urchin), imitated by all others (A); its older names (N).
    "utm_*", "ga_campaign", "ga_content", "ga_medium", "ga_place", "ga_source", "ga_term",
    // Google Analytics across domains (A). https://support.google.com/analytics/answer/10071811
    "_ga", "_gl",
    // Clicks of Google's ads and listings (A, B).
    // https://support.google.com/searchads/answer/6292795
    // https://support.google.com/analytics/answer/11479699
    "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "gad_source", "gad_campaignid", "srsltid",
    // What Google adds to AMP pages (A).
    "usqp",
    // Microsoft Advertising (A). https://help.ads.microsoft.com/apex/index/3/en/60000
    "msclkid",
    // Facebook and Instagram (A; the last four W).
    "fbclid", "fb_action_ids", "fb_action_types", "fb_comment_id", "fb_ref", "fb_source",
    "action_object_map", "action_ref_map", "action_type_map", "igsh", "igshid", "mibextid", "sfnsn",
    // Clicks of ads on X, TikTok, LinkedIn, Reddit, Snapchat, Pinterest (A, B, R, W).
    // https://ads.tiktok.com/help/article/tiktok-click-id
    "twclid", "__twitter_impression", "ttclid", "li_fat_id", "rdt_cid", "sccid", "epik",
    // Yandex and Openstat (A, B).
    "yclid", "ymclid", "ysclid", "_openstat",
    // Yahoo: consent walls (A) and shares (W).
    "guccounter", "guce_referrer", "guce_referrer_sig", "soc_src", "soc_trk",
    // E-mails by Mailchimp (A, R), Marketo (A), Vero (A), Klaviyo (A, R), MailerLite (A),
    // ActiveCampaign (B), Eloqua (W), beehiiv (B).
    "mc_cid", "mc_eid", "mkt_tok", "vero_conv", "vero_id", "_ke", "_kx", "ml_subscriber",
    "ml_subscriber_hash", "vgo_ee", "elqtrack", "elqtrackid", "_bhlid",
    // HubSpot (A). https://knowledge.hubspot.com/ads/ad-tracking-in-hubspot
    "_hsenc", "_hsmi", "__hsfp", "__hssc", "__hstc", "hsctatracking", "hsa_*",
    // E-mails by Acoustic, once Silverpop (N), Emarsys (B), Blueshift (A), dotdigital, Bronto,
    // Listrak (R).
    "spjobid", "spmailingid", "spreportid", "spuserid", "sc_customer", "sc_eh", "sc_uid", "bsft_*",
    "dm_i", "_bta_c", "_bta_tid", "trk_contact", "trk_module", "trk_msg", "trk_sid",
    // Olytics, a publishers' audience platform (A).
    "oly_anon_id", "oly_enc_id", "rb_clickid",
    // Adobe Analytics and Advertising Cloud (A, R); campaign numbers in its manner (A, N).
    "s_cid", "s_kwcid", "ef_id", "cmpid", "icid",
    // comScore: feeds and shares of BBC, Daily Mail and others (W).
    "ns_campaign", "ns_fee", "ns_linkname", "ns_mchannel", "ns_source", "sa-ns_mchannel",
    // AT Internet, now Piano Analytics; in the query or in the fragment (A, B).
    // https://developers.atinternet-solutions.com/piano-analytics/data-collection/how-to-send-events/marketing-campaigns
    "xtor", "at_bbc_team", "at_campaign", "at_campaign_type", "at_creation", "at_custom*",
    "at_emailtype", "at_format", "at_link", "at_link_*", "at_medium", "at_ptr_name",
    "at_recipient_id", "at_recipient_list", "at_send_date", "at_variant",
    // Echobox, which posts newsrooms' articles: `#Echobox=1700000000` (W).
    "echobox",
    // Matomo, once Piwik (A). https://matomo.org/faq/how-to/faq_120
    "mtm_*", "matomo_campaign", "piwik_campaign", "piwik_kwd", "pk_campaign", "pk_cid",
    "pk_keyword", "pk_kwd", "pk_medium", "pk_source", "pk_vid",
    // Mapp (A), Webtrekk (W), Webtrends (N), Coremetrics (A).
    // https://documentation.mapp.com/latest/en/url-campaign-mapper-19109338.html
    "wt_mc", "wt_zmc", "wt.mc_ev", "wt.mc_id", "cm_mmc*",
    // Campaigns within a site (A). https://www.parse.ly/help/kb/campaign-tracking-guide
    "itm_campaign", "itm_content", "itm_medium", "itm_source", "itm_term",
    // DPG Media, a group of newsrooms (A).
    "dpg_campaign", "dpg_content", "dpg_medium", "dpg_source",
    // Recommendations: Cxense (A), Taboola and Outbrain (W).
    "cx_click", "cx_recsorder", "cx_recswidget", "tblci", "dicbo",
    // Branch, Wicked Reports, Impact (A, B).
    "_branch_match_id", "_branch_referrer", "wickedid", "irclickid", "irgwc", "ir_adid",
    "ir_campaignid", "ir_partnerid",
];

/// Which parameters are stripped.
#[derive(Debug, Clone)]
pub(super) struct Tracking {
    stripped: Names,
    kept: Names,
}

impl Tracking {
    /// The table and the settings in one.
    pub(super) fn new(settings: &Settings) -> Result<Self, BadSettings> {
        let strip = checked("strip", &settings.strip)?;
        let keep = checked("keep", &settings.keep)?;
        if let Some(name) = keep.iter().find(|name| strip.contains(name)) {
            return Err(BadSettings::Contradiction(name.clone()));
        }
        let table = TABLE.iter().map(|name| (*name).to_owned());
        Ok(Self { stripped: table.chain(strip).collect(), kept: keep.into_iter().collect() })
    }

    /// Whether a parameter of this name, as it stands in a URL, says how the reader came.
    pub(super) fn has(&self, name: &str) -> bool {
        let mut plain = Cow::Borrowed(name);
        if name.contains('%') {
            plain = Cow::Owned(escapes::decoded(name));
        }
        if plain.bytes().any(|byte| byte.is_ascii_uppercase()) {
            plain.to_mut().make_ascii_lowercase();
        }
        // `&amp;utm_medium=` is what an HTML-escaped link leaves when it is pasted.
        let plain = plain.trim_start_matches("amp;");
        self.stripped.has(plain) && !self.kept.has(plain)
    }
}

/// Names and prefixes of names.
#[derive(Debug, Clone)]
struct Names {
    /// Sorted.
    whole: Vec<Box<str>>,
    prefixes: Vec<Box<str>>,
}

impl Names {
    fn has(&self, name: &str) -> bool {
        self.whole.binary_search_by(|known| (**known).cmp(name)).is_ok()
            || self.prefixes.iter().any(|prefix| name.starts_with(&**prefix))
    }
}

impl FromIterator<String> for Names {
    fn from_iter<I: IntoIterator<Item = String>>(names: I) -> Self {
        let (mut whole, mut prefixes) = (Vec::new(), Vec::new());
        for name in names {
            match name.strip_suffix('*') {
                Some(prefix) => prefixes.push(prefix.into()),
                None => whole.push(name.into()),
            }
        }
        whole.sort_unstable();
        Self { whole, prefixes }
    }
}

/// The names of a setting in lower case, each fit to be a parameter's.
fn checked(setting: &'static str, names: &[String]) -> Result<Vec<String>, BadSettings> {
    let fits = |name: &str| {
        let stem = name.strip_suffix('*').unwrap_or(name);
        let foreign = |c: char| c.is_control() || matches!(c, ' ' | '*' | '&' | '=' | '#' | '%');
        !stem.is_empty() && !stem.contains(foreign)
    };
    match names.iter().find(|name| !fits(name)) {
        Some(name) => Err(BadSettings::Name { setting, name: name.clone() }),
        None => Ok(names.iter().map(|name| name.to_ascii_lowercase()).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tracking(strip: &[&str], keep: &[&str]) -> Result<Tracking, BadSettings> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Tracking::new(&Settings { strip: owned(strip), keep: owned(keep) })
    }

    #[test]
    fn the_table_is_in_lower_case_and_names_nothing_twice() {
        let mut names = TABLE.to_vec();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(names.iter().all(|name| *name == name.to_ascii_lowercase()));
    }

    #[test]
    fn names_are_known_in_any_case_and_any_escape() {
        let tracking = tracking(&[], &[]).unwrap();
        for name in [
            "utm_source",
            "UTM_Campaign",
            "%75tm_x",
            "hsCtaTracking",
            "ScCid",
            "WT.mc_id",
            "fbclid",
        ] {
            assert!(tracking.has(name), "{name}");
        }
        assert!(tracking.has("amp;utm_medium"));
    }

    #[test]
    fn names_that_some_sites_need_are_left_alone() {
        let tracking = tracking(&[], &[]).unwrap();
        for name in [
            "", "id", "p", "q", "s", "t", "v", "ref", "source", "cid", "ocid", "mbid", "partner",
            "campaign", "utm", "utmost", "share", "page", "lang", "amp", "ns_id", "pk_id",
        ] {
            assert!(!tracking.has(name), "{name}");
        }
    }

    #[test]
    fn settings_add_names_and_exempt_names() {
        let tracking = tracking(&["Ref", "x_*"], &["utm_content", "X_id"]).unwrap();
        for name in ["ref", "REF", "x_y", "utm_source"] {
            assert!(tracking.has(name), "{name}");
        }
        for name in ["utm_content", "x_id", "reference"] {
            assert!(!tracking.has(name), "{name}");
        }
    }

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        for name in ["", "*", "a*b", "a=b", "a&b", "a b", "%61", "a\n"] {
            let refusal = tracking(&[name], &[]).unwrap_err();
            assert_eq!(refusal, BadSettings::Name { setting: "strip", name: name.into() });
        }
        assert!(matches!(tracking(&[], &["a#"]), Err(BadSettings::Name { setting: "keep", .. })));
        let both = tracking(&["Ref"], &["ref"]).unwrap_err();
        assert_eq!(both, BadSettings::Contradiction("ref".into()));
    }
}
