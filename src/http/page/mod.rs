//! Pages for readers: plain, without scripts, with nothing from elsewhere, and in their language.

mod frame;
mod language;
mod words;

use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::InvalidHeaderValue;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use bytes::Bytes;

use self::frame::Frame;
pub(super) use self::frame::{Language, NO_SNIFF};
use self::words::Said;
pub use self::words::WordsError;
pub(super) use self::words::{ENGLISH, Phrase, Words};

use super::brand::{Brand, BrandError, Settings};
use super::extract::{authority, preferred};
use crate::model::home::Home;
use crate::model::link::State;
use crate::model::target::Target;
use crate::service::resolve::Gone;
use crate::service::threats::Danger;

/// Why there can be no pages.
#[derive(Debug, thiserror::Error)]
pub enum PagesError {
    /// The brand can't be shown.
    #[error(transparent)]
    Brand(#[from] BrandError),
    /// The translations can't be used.
    #[error("brand.translations: {0}")]
    Words(#[from] WordsError),
    /// Nobody speaks the language that readers are to get.
    #[error("brand.language: there are no pages in {given:?}; there are {known}")]
    Language {
        /// What is set.
        given: String,
        /// What could be.
        known: String,
    },
    /// A page is not made as it should be.
    #[error("a page can't be made: {0}")]
    Template(#[from] askama::Error),
    /// Something can't stand in a header.
    #[error("a page can't be sent: {0}")]
    Header(#[from] InvalidHeaderValue),
}

/// What readers may be told in place of a redirect, always in the same words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notice {
    Unknown,
    Expired,
    Withdrawn,
    Deleted,
    Unavailable,
    WrongMethod,
}

impl Notice {
    /// In the order of their declaration.
    const ALL: [Self; 6] = [
        Self::Unknown,
        Self::Expired,
        Self::Withdrawn,
        Self::Deleted,
        Self::Unavailable,
        Self::WrongMethod,
    ];

    /// What became of a link that is gone.
    pub(super) fn of(why: &Gone) -> Self {
        match why.state {
            State::Expired => Self::Expired,
            State::Disabled => Self::Withdrawn,
            State::Active | State::Deleted => Self::Deleted,
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::Unknown => StatusCode::NOT_FOUND,
            Self::Expired | Self::Withdrawn | Self::Deleted => StatusCode::GONE,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
        }
    }

    /// What it says.
    pub(super) fn sentence(self, words: &Words) -> &Phrase {
        match self {
            Self::Unknown => &words.unknown,
            Self::Expired => &words.expired,
            Self::Withdrawn => &words.withdrawn,
            Self::Deleted => &words.deleted,
            Self::Unavailable => &words.unavailable,
            Self::WrongMethod => &words.wrong_method,
        }
    }

    fn hint(self, words: &Words) -> Option<String> {
        (self == Self::Unknown).then(|| words.unknown_hint.html(&[]))
    }
}

/// Says one thing.
#[derive(Template)]
#[template(path = "notice.html")]
struct NoticePage<'a> {
    language: &'a Language,
    /// What it says, as text and as HTML.
    title: String,
    what: String,
    /// HTML.
    more: Option<String>,
}

impl<'a> NoticePage<'a> {
    fn new(
        language: &'a Language,
        what: &Phrase,
        values: &[(&str, &dyn Display)],
        more: Option<String>,
    ) -> Self {
        Self { language, title: what.text(values), what: what.html(values), more }
    }
}

/// Stands in the place of a redirect.
#[derive(Template)]
#[template(path = "warning.html")]
struct WarningPage<'a> {
    language: &'a Language,
    host: &'a str,
    target: &'a str,
    danger: &'a Danger,
}

impl WarningPage<'_> {
    fn title(&self) -> String {
        self.language.words.warning_title.text(&[("host", &self.host)])
    }
}

/// The pages in every language. Clones share.
#[derive(Clone)]
pub struct Pages(Arc<Parts>);

struct Parts {
    editions: Vec<Edition>,
    /// Which of them is for readers who ask for none that there is.
    usual: usize,
}

/// The pages of one language.
pub(super) struct Edition {
    pub(super) language: Language,
    /// One for each of [`Notice::ALL`].
    ready: Vec<Ready>,
    /// The keys of what is said in English.
    lacks: Vec<String>,
}

/// What a notice is sent as, made at the start: whoever tries codes gets many of them.
struct Ready {
    plain: Bytes,
    page: Bytes,
}

impl Pages {
    /// What the settings say; `prefix` is what stands before our paths as readers see them.
    ///
    /// # Errors
    /// [`PagesError`] when the brand or the translations can't be used, or the language that is set
    /// is none of them.
    pub fn open(settings: &Settings, prefix: &str) -> Result<Self, PagesError> {
        let own = Some(settings.translations.as_path()).filter(|path| *path != Path::new(""));
        let frame = Arc::new(Frame::new(Brand::open(settings, prefix)?)?);
        let edition = |said| Edition::new(said, Arc::clone(&frame));
        let editions = words::read(own)?.into_iter().map(edition);
        let editions = editions.collect::<Result<Vec<Edition>, PagesError>>()?;
        let usual = editions.iter().position(|edition| edition.is_in(&settings.language));
        let usual = usual.ok_or_else(|| {
            let known = editions.iter().map(|edition| edition.language.tag.as_str());
            let known = Vec::from_iter(known).join(", ");
            PagesError::Language { given: settings.language.clone(), known }
        })?;
        Ok(Self(Arc::new(Parts { editions, usual })))
    }

    /// Whose pages these are.
    #[must_use]
    pub fn brand(&self) -> &Brand {
        &self.0.editions[self.0.usual].language.frame.brand
    }

    /// The tags of the languages that there are.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        self.0.editions.iter().map(|edition| edition.language.tag.as_str())
    }

    /// The languages that some things are said in English in, and the keys of these.
    pub fn gaps(&self) -> impl Iterator<Item = (&str, &[String])> {
        let gaps = self.0.editions.iter().filter(|edition| !edition.lacks.is_empty());
        gaps.map(|edition| (edition.language.tag.as_str(), edition.lacks.as_slice()))
    }

    /// Those in the language that suits a request best.
    pub(super) fn edition(&self, request: &HttpRequest) -> &Edition {
        let Parts { editions, usual } = &*self.0;
        let named = |tag: &str| editions.iter().find(|edition| edition.is_in(tag));
        language::wanted(request, named).unwrap_or(&editions[*usual])
    }

    /// The page of a notice where pages are wanted, else its sentence.
    pub(super) fn notice(&self, request: &HttpRequest, notice: Notice) -> HttpResponse {
        let edition = self.edition(request);
        if wants_page(request) { edition.page(notice) } else { edition.plain(notice) }
    }

    /// What became of a link, and why.
    pub(super) fn gone(&self, request: &HttpRequest, why: &Gone) -> HttpResponse {
        match (&why.reason, wants_page(request)) {
            (None, _) => self.notice(request, Notice::of(why)),
            (Some(_), true) => self.edition(request).gone(why),
            (Some(reason), false) => {
                let language = &self.edition(request).language;
                let what = Notice::of(why).sentence(&language.words);
                let reason = language.words.reason.text(&[("reason", reason)]);
                language.plain(StatusCode::GONE, format!("{what}\n{reason}\n"))
            }
        }
    }

    /// That a request is for a host that is none of ours.
    pub(super) fn misdirected(&self, request: &HttpRequest, home: &Home) -> HttpResponse {
        let language = &self.edition(request).language;
        let asked = authority(request);
        let phrase = match asked {
            "" => &language.words.no_host,
            _ => &language.words.misdirected,
        };
        let ours = home.hosts().collect::<Vec<_>>().join(", ");
        let values: [(&str, &dyn Display); 2] = [("asked", &asked), ("ours", &ours)];
        let status = StatusCode::MISDIRECTED_REQUEST;
        if !wants_page(request) {
            return language.plain(status, format!("{}\n", phrase.text(&values)));
        }
        language.html(status, &NoticePage::new(language, phrase, &values, None))
    }

    /// What a reader gets in the place of a redirect to what is known to harm them.
    pub(super) fn warning(
        &self,
        request: &HttpRequest,
        target: &Target,
        danger: &Danger,
    ) -> HttpResponse {
        let language = &self.edition(request).language;
        let page = WarningPage { language, host: &danger.host, target: target.as_str(), danger };
        language.html(StatusCode::FORBIDDEN, &page)
    }
}

/// Whether a page is wanted rather than a sentence: by browsers, which ask for HTML by name.
fn wants_page(request: &HttpRequest) -> bool {
    preferred(request, &[("text/plain", false), ("text/html", true)]).unwrap_or(false)
}

impl Edition {
    fn new(said: Said, frame: Arc<Frame>) -> Result<Self, PagesError> {
        let Said { tag, words, lacks } = said;
        let language = Language::new(tag, words, frame)?;
        let ready = Notice::ALL.into_iter().map(|notice| Ready::new(&language, notice));
        let ready = ready.collect::<Result<_, _>>()?;
        Ok(Self { language, ready, lacks })
    }

    fn is_in(&self, tag: &str) -> bool {
        self.language.tag.eq_ignore_ascii_case(tag)
    }

    /// The page of a notice.
    pub(super) fn page(&self, notice: Notice) -> HttpResponse {
        self.language.page(notice.status(), self.ready[notice as usize].page.clone())
    }

    /// A notice as a sentence.
    fn plain(&self, notice: Notice) -> HttpResponse {
        self.language.plain(notice.status(), self.ready[notice as usize].plain.clone())
    }

    /// The page that says what became of a link, and why.
    pub(super) fn gone(&self, why: &Gone) -> HttpResponse {
        let (notice, words) = (Notice::of(why), &self.language.words);
        let Some(reason) = &why.reason else { return self.page(notice) };
        let more = Some(words.reason.html(&[("reason", reason)]));
        let page = NoticePage::new(&self.language, notice.sentence(words), &[], more);
        self.language.html(StatusCode::GONE, &page)
    }
}

impl Ready {
    fn new(language: &Language, notice: Notice) -> Result<Self, askama::Error> {
        let (what, more) = (notice.sentence(&language.words), notice.hint(&language.words));
        let page = NoticePage::new(language, what, &[], more).render()?;
        Ok(Self { plain: format!("{what}\n").into(), page: page.into() })
    }
}
