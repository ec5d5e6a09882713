//! What a client has already, by its name for caches (RFC 9110 §13.1.2).

use std::fmt::Write as _;

use actix_web::HttpRequest;
use actix_web::http::header::{EntityTag, Header as _, IF_NONE_MATCH, IfNoneMatch};
use sha2::{Digest as _, Sha256};

/// The name of a content: the first half of its hash.
#[must_use]
pub fn tag_of(content: &[u8]) -> EntityTag {
    tag_of_hash(&Sha256::digest(content).into())
}

/// The same of a content with this hash.
#[must_use]
pub fn tag_of_hash(hash: &[u8; 32]) -> EntityTag {
    EntityTag::new_strong(hash.iter().take(16).fold(String::new(), |mut tag, byte| {
        // Writing into a text can't fail.
        let _ = write!(tag, "{byte:02x}");
        tag
    }))
}

/// Whether whoever asks has the content of this name.
#[must_use]
pub fn is_known(request: &HttpRequest, tag: &EntityTag) -> bool {
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => request.headers().contains_key(IF_NONE_MATCH),
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(tag)),
        Err(_) => false,
    }
}
