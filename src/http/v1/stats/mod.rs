//! Figures: of a link, an article, a tag, a key, the site; the most clicked; codes that lead
//! nowhere; the audit.

mod audit;
mod csv;
mod orphans;
mod query;
mod reports;
mod top;
mod wire;

pub(super) use self::audit::audit_endpoint;
pub(super) use self::orphans::orphans_endpoint;
pub(in crate::http) use self::query::Asked;
pub(super) use self::reports::{
    of_article_endpoint, of_key_endpoint, of_link_endpoint, of_site_endpoint, of_tag_endpoint,
};
pub(super) use self::top::top_endpoint;
pub(in crate::http) use self::wire::{BreakdownRow, ReportBody, breakdown};

use crate::http::error::{Kind, Problem};
use crate::service::stats::StatsError;

impl From<StatsError> for Problem {
    fn from(error: StatsError) -> Self {
        match error {
            StatsError::Backwards | StatsError::TooEarly | StatsError::OutOfRange(_) => {
                Self::new(Kind::BadParameter, error).field("to")
            }
            StatsError::TooManyRows | StatsError::TooLong => {
                Self::new(Kind::BadParameter, error).field("from")
            }
            StatsError::Target(_) => Self::new(Kind::BadParameter, error).field("url"),
            StatsError::Tag(_) => Self::new(Kind::BadParameter, error).field("tag"),
            StatsError::NotFound(_) | StatsError::NoArticle(_) | StatsError::NoKey(_) => {
                Self::new(Kind::NotFound, error)
            }
            StatsError::Forbidden(refusal) => refusal.into(),
            StatsError::Store(error) => error.into(),
        }
    }
}
