//! Parameters of the query: those that every method knows (`alt`, `fields`, `key`, `oauth_token`,
//! `prettyPrint`, `quotaUser`, `userIp`) and their own. Unknown ones are passed over, as they always
//! were there; of one that comes twice the first counts, and an empty one is none.

use actix_web::HttpRequest;

use super::error::Refusal;

/// What stands in the query.
#[derive(Debug)]
pub(super) struct Params(Vec<(String, String)>);

/// How an answer looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// A line for each member, a space for each level, as it always was there.
    Indented,
    /// All of it in one line.
    OneLine,
}

impl Params {
    /// Reads the query of a request.
    pub(super) fn read(request: &HttpRequest) -> Self {
        let pairs = ::url::form_urlencoded::parse(request.query_string().as_bytes());
        Self(pairs.into_owned().filter(|(_, value)| !value.is_empty()).collect())
    }

    /// The value of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// One of the values that a parameter may have.
    pub(super) fn choice<T: Copy>(
        &self,
        name: &str,
        choices: &[(&str, T)],
    ) -> Result<Option<T>, Refusal> {
        let Some(given) = self.get(name) else { return Ok(None) };
        match choices.iter().find(|(known, _)| *known == given) {
            Some((_, choice)) => Ok(Some(*choice)),
            None => {
                let known: Vec<&str> = choices.iter().map(|(known, _)| *known).collect();
                let known = known.join(", ");
                let message = format!("Invalid string value: '{given}'. Allowed values: [{known}]");
                Err(Refusal::invalid_parameter(name, message))
            }
        }
    }

    /// Refuses what no method understands.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        self.choice("alt", &[("json", ())])?;
        match self.get("prettyPrint") {
            Some(text) if layout(text).is_none() => {
                let message = format!("Invalid boolean value: '{text}'.");
                Err(Refusal::invalid_parameter("prettyPrint", message))
            }
            _ => Ok(()),
        }
    }

    /// How the answer is to look: indented, unless the request says otherwise.
    pub(super) fn layout(&self) -> Layout {
        self.get("prettyPrint").and_then(layout).unwrap_or(Layout::Indented)
    }
}

/// Reads `prettyPrint`. Python's clients write `True`.
fn layout(text: &str) -> Option<Layout> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(Layout::Indented),
        "false" | "0" => Some(Layout::OneLine),
        _ => None,
    }
}
