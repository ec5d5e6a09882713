//! Links as they go over the wire. Later clients rely on these names.

use jiff::Timestamp;
use serde::Serialize;
use serde::de::{Deserialize, Deserializer, Error};
use utoipa::ToSchema;

use crate::model::home::Home;
use crate::model::link::{Baseline, Link, Redirect, Standing, State};
use crate::service::shorten::{Edit, NewLink, NewState};

/// How links look from outside.
#[derive(Debug, Clone)]
pub struct Public {
    /// Where they live.
    pub home: Home,
    /// The status of links without one of their own.
    pub redirect: Redirect,
}

impl Public {
    /// What readers follow to come to the link.
    #[must_use]
    pub fn short_url(&self, link: &Link) -> String {
        self.home.short_url(&link.code, link.host.as_ref())
    }
}

/// A short link.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Link, example = json!({
    "code": "8yDbrB",
    "short_url": "https://go.example.org/8yDbrB",
    "target": "https://www.example.org/2026/11/23/a-story.html",
    "article": "https://www.example.org/2026/11/23/a-story.html",
    "created_at": "2026-11-23T06:14:00.123Z",
    "owner": "k7hq2m9x",
    "title": "A story",
    "tags": ["world"],
    "state": "active",
    "expires_at": null,
    "redirect": 302,
    "forward_query": false,
    "host": null
}))]
pub struct LinkBody {
    /// The short code. Once used it is never given out again.
    code: String,
    /// What readers follow.
    short_url: String,
    /// Where they land.
    target: String,
    /// The article's identity: its address without tracking. Figures sum up under it.
    article: String,
    /// When it was minted.
    #[schema(format = DateTime)]
    created_at: String,
    /// The id of the key that minted it.
    owner: String,
    /// What the publisher calls it.
    title: Option<String>,
    /// The publisher's labels, in the order given.
    tags: Vec<String>,
    /// What it is at this moment.
    #[schema(value_type = String, pattern = "^(active|disabled|expired|deleted)$")]
    state: State,
    /// From then on it is gone.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// The status that readers are answered with: the link's own, or the service's default.
    #[schema(value_type = u16, example = 302)]
    redirect: Redirect,
    /// Whether the reader's query string goes on to the target.
    forward_query: bool,
    /// The one host that knows the code; null: all of this service do.
    host: Option<String>,
    /// Why it was withdrawn: only on disabled links that have a reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What another shortener counted before the link came here: only on imported links. It is in no
    /// other figure.
    #[serde(skip_serializing_if = "Option::is_none")]
    imported: Option<ImportedClicks>,
}

/// Clicks that another shortener counted.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ImportedClicks {
    /// How many.
    clicks: u64,
    /// As of when.
    #[schema(format = DateTime)]
    at: String,
}

impl ImportedClicks {
    /// What a link brought with it.
    #[must_use]
    pub fn of(baseline: Baseline) -> Self {
        Self { clicks: baseline.clicks, at: rfc3339(baseline.at) }
    }
}

impl LinkBody {
    /// The link as it is at `now`, under the address of this service.
    #[must_use]
    pub fn of(link: &Link, public: &Public, now: Timestamp) -> Self {
        Self {
            code: link.code.to_string(),
            short_url: public.short_url(link),
            target: link.target.to_string(),
            article: link.article.to_string(),
            created_at: rfc3339(link.created_at),
            owner: link.owner.to_string(),
            title: link.title.clone(),
            tags: link.tags.iter().map(ToString::to_string).collect(),
            state: link.state_at(now),
            expires_at: link.expires_at.map(rfc3339),
            redirect: link.redirect.unwrap_or(public.redirect),
            forward_query: link.forward_query,
            host: link.host.as_ref().map(ToString::to_string),
            imported: link.baseline.map(ImportedClicks::of),
            reason: match &link.standing {
                Standing::Disabled { reason } => reason.clone(),
                Standing::Active | Standing::Deleted => None,
            },
        }
    }
}

/// A moment in UTC, to the millisecond (RFC 3339).
#[must_use]
pub fn rfc3339(moment: Timestamp) -> String {
    format!("{moment:.3}")
}

/// What to mint.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewLink, example = json!({
    "url": "https://www.example.org/2026/11/23/a-story.html?utm_source=newsletter",
    "title": "A story",
    "tags": ["world"]
}))]
pub struct NewLinkBody {
    /// Where to: an absolute http or https URL of at most 8,192 bytes.
    url: String,
    /// A code of your choice: 1–64 of `0-9A-Za-z_-`, no reserved word.
    code: Option<String>,
    /// What you call it: at most 500 characters.
    title: Option<String>,
    /// Your labels: at most 32, of at most 64 characters each.
    tags: Option<Vec<String>>,
    /// From then on it is gone: RFC 3339, in the future.
    #[serde(default, deserialize_with = "moment")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// The link's own status: 301, 302, 307 or 308.
    #[schema(value_type = Option<u16>)]
    redirect: Option<Redirect>,
    /// Whether the reader's query string goes on to the target.
    forward_query: Option<bool>,
    /// Whether the tracking parameters of `url` reach the landing page. Such a link has a code of
    /// its own.
    keep_tracking: Option<bool>,
    /// Asks for another code where there is one already.
    new_code: Option<bool>,
    /// One of this service's hosts, which alone shall know the code. Only a link that is bound to it
    /// is answered with, else a new one is made. Left away: any link will do.
    #[schema(example = "go.example.org")]
    host: Option<String>,
}

impl From<NewLinkBody> for NewLink {
    fn from(body: NewLinkBody) -> Self {
        Self {
            url: body.url,
            code: body.code,
            title: body.title,
            tags: body.tags.unwrap_or_default(),
            expires_at: body.expires_at,
            redirect: body.redirect,
            forward_query: body.forward_query.unwrap_or(false),
            keep_tracking: body.keep_tracking.unwrap_or(false),
            new_code: body.new_code.unwrap_or(false),
            host: body.host,
        }
    }
}

/// What to change. A field that is left away stays; null clears where that is allowed.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LinkEdit, example = json!({"state": "disabled", "reason": "withdrawn by the editors"}))]
pub struct EditBody {
    /// Another address; the code stays.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String)]
    url: Option<String>,
    /// Whether the tracking parameters of `url` reach the landing page.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool)]
    keep_tracking: Option<bool>,
    /// Another title; null clears it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    title: Option<Option<String>>,
    /// Other tags; null clears them.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<String>>)]
    tags: Option<Option<Vec<String>>>,
    /// Another end; null: none.
    #[serde(default, deserialize_with = "given_moment")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Option<Timestamp>>,
    /// Another status; null: the service's default.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u16>)]
    redirect: Option<Option<Redirect>>,
    /// Whether the reader's query string goes on to the target.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool)]
    forward_query: Option<bool>,
    /// `disabled` withdraws the link, `active` brings it back. To delete it, use DELETE.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, pattern = "^(active|disabled)$")]
    state: Option<StateBody>,
    /// Why it is withdrawn, shown to readers: at most 500 characters; null clears it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    reason: Option<Option<String>>,
    /// One of this service's hosts, which alone knows the code from now on; null: all of them do.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    host: Option<Option<String>>,
    /// Only so that asking for another code is told the way.
    #[serde(rename = "code", default, deserialize_with = "code_is_fixed")]
    #[schema(ignore)]
    _code: (),
    /// As `code`.
    #[serde(rename = "new_code", default, deserialize_with = "code_is_fixed")]
    #[schema(ignore)]
    _new_code: (),
}

#[derive(Debug, Clone, Copy, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum StateBody {
    Active,
    Disabled,
}

impl From<EditBody> for Edit {
    fn from(body: EditBody) -> Self {
        Self {
            url: body.url,
            keep_tracking: body.keep_tracking,
            title: body.title,
            tags: body.tags.map(Option::unwrap_or_default),
            expires_at: body.expires_at,
            redirect: body.redirect,
            forward_query: body.forward_query,
            state: body.state.map(|state| match state {
                StateBody::Active => NewState::Active,
                StateBody::Disabled => NewState::Disabled,
            }),
            reason: body.reason,
            host: body.host,
        }
    }
}

/// A field that is there, be it null where `T` knows null: not the same as one left away.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

fn moment<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    let read = |text: String| {
        let why = "a moment as in RFC 3339 is needed, with its offset: 2027-01-31T08:00:00Z";
        text.parse().map_err(|_| D::Error::custom(why))
    };
    text.map(read).transpose()
}

fn given_moment<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<Timestamp>>, D::Error> {
    moment(from).map(Some)
}

fn code_is_fixed<'de, D: Deserializer<'de>>(_: D) -> Result<(), D::Error> {
    let way = "a link's code can't be changed; POST the same url with the other code, \
               and delete this link if it is no longer wanted";
    Err(D::Error::custom(way))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::extract::parse;

    fn edit(body: &str) -> Edit {
        parse::<EditBody>(body.as_bytes()).unwrap().into()
    }

    fn refusal(body: &str) -> (String, String) {
        let problem = parse::<EditBody>(body.as_bytes()).unwrap_err();
        let told = serde_json::to_value(problem).unwrap();
        let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
        (text("field"), text("detail"))
    }

    #[test]
    fn null_clears_and_absence_leaves() {
        assert_eq!(edit("{}"), Edit::default());
        let cleared =
            edit(r#"{"title": null, "tags": null, "expires_at": null, "redirect": null}"#);
        let expected = Edit {
            title: Some(None),
            tags: Some(vec![]),
            expires_at: Some(None),
            redirect: Some(None),
            ..Edit::default()
        };
        assert_eq!(cleared, expected);
    }

    #[test]
    fn what_cannot_be_cleared_or_changed_says_so() {
        assert_eq!(refusal(r#"{"url": null}"#).0, "url");
        assert_eq!(refusal(r#"{"state": "deleted"}"#).0, "state");
        assert_eq!(
            refusal(r#"{"redirect": 303}"#).1,
            "a redirect is 301, 302, 307 or 308, not 303"
        );
        for body in [r#"{"code": "x"}"#, r#"{"new_code": null}"#] {
            assert!(refusal(body).1.starts_with("a link's code can't be changed; POST"), "{body}");
        }
        let (field, detail) = refusal(r#"{"expires_at": "tomorrow"}"#);
        assert_eq!(field, "expires_at");
        assert!(detail.contains("RFC 3339"), "{detail}");
    }

    #[test]
    fn moments_show_three_digits_always() {
        let moment: Timestamp = "2026-11-23T06:14:00Z".parse().unwrap();
        assert_eq!(rfc3339(moment), "2026-11-23T06:14:00.000Z");
    }
}
