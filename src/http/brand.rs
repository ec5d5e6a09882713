//! Whose short links these are: name, logo, colour and home of a newsroom, on all that people see.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, CacheControl, CacheDirective, ETag, EntityTag};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use url::Url;

use super::etag::{is_known, tag_of};
use super::page::{ENGLISH, NO_SNIFF};

/// Where the logo is served, below `/-`.
pub(super) const LOGO: &str = "/brand/logo";
/// The largest logo, in bytes: readers wait for it.
const MAX_LOGO: u64 = 200_000;
/// Seconds that a logo may be kept before it is asked for again.
const KEEP: u32 = 3_600;
/// An SVG may hold anything; what is no picture of it is neither loaded nor run. `sandbox` is for
/// those who open it alone.
const LOGO_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/// How a newsroom shows itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// What it is called.
    pub name: String,
    /// The path of a picture, or nothing.
    pub logo: PathBuf,
    /// `#rrggbb`, or nothing.
    pub colour: String,
    /// The address of its own site, or nothing.
    pub home: String,
    /// The language of readers who ask for none that there is.
    pub language: String,
    /// The path of further words for pages, or nothing.
    pub translations: PathBuf,
}

impl Settings {
    /// The same newsroom without what lies in files of its own.
    #[must_use]
    pub fn without_files(&self) -> Self {
        let (logo, translations) = (PathBuf::new(), PathBuf::new());
        Self { logo, translations, language: ENGLISH.to_owned(), ..self.clone() }
    }
}

/// A colour, and what can be read on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour([u8; 3]);

/// Not a colour.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no colour such as #1f5fa8")]
pub struct BadColour(String);

/// Why a brand can't be shown.
#[derive(Debug, thiserror::Error)]
pub enum BrandError {
    /// Its colour is none.
    #[error("brand.colour: {0}")]
    Colour(#[from] BadColour),
    /// Its logo can't be had.
    #[error("brand.logo: {} can't be read: {cause}", path.display())]
    Unreadable {
        /// Where it should be.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// Its logo is too large.
    #[error("brand.logo: {} has more than {MAX_LOGO} bytes; make it smaller", .0.display())]
    TooLarge(PathBuf),
    /// Its logo is of no kind that browsers show.
    #[error("brand.logo: {} is neither SVG nor PNG, JPEG or WebP", .0.display())]
    NoPicture(PathBuf),
}

/// A newsroom as people see it. Clones share.
#[derive(Debug, Clone)]
pub struct Brand(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    name: String,
    logo: Option<Logo>,
    colour: Option<Colour>,
    home: Option<String>,
}

/// A picture, ready to be sent.
#[derive(Debug)]
struct Logo {
    /// As browsers on our pages ask for it.
    address: String,
    media: &'static str,
    bytes: Bytes,
    tag: EntityTag,
}

impl Brand {
    /// What the settings say; `prefix` is what stands before our paths as readers see them.
    ///
    /// # Errors
    /// [`BrandError`] when the logo can't be read or is none, or the colour is none.
    pub fn open(settings: &Settings, prefix: &str) -> Result<Self, BrandError> {
        let logo = match settings.logo.as_os_str().is_empty() {
            true => None,
            false => Some(Logo::open(&settings.logo, prefix)?),
        };
        let colour = match settings.colour.as_str() {
            "" => None,
            colour => Some(Colour::parse(colour)?),
        };
        let name = settings.name.trim().to_owned();
        // As it was understood: a browser may read `https:example.org` as a path of ours.
        let home = Url::parse(&settings.home).ok().map(String::from);
        Ok(Self(Arc::new(Parts { name, logo, colour, home })))
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The address of its logo, if it has one.
    #[must_use]
    pub fn logo(&self) -> Option<&str> {
        self.0.logo.as_ref().map(|logo| logo.address.as_str())
    }

    /// The address of its own site, if it names one.
    #[must_use]
    pub fn home(&self) -> Option<&str> {
        self.0.home.as_deref()
    }

    /// Its colour, as `#rrggbb`, if it has one.
    #[must_use]
    pub fn colour(&self) -> Option<String> {
        self.0.colour.map(Colour::css)
    }

    /// Its colour and that of text on it, as the custom properties `--brand` and `--on-brand`;
    /// nothing, if it has no colour.
    #[must_use]
    pub fn style(&self) -> String {
        self.0.colour.map_or_else(String::new, |colour| {
            format!(":root {{ --brand: {}; --on-brand: {}; }}\n", colour.css(), colour.ink())
        })
    }

    /// Serves the logo, if there is one.
    pub(super) fn configure(&self, config: &mut web::ServiceConfig) {
        if self.0.logo.is_some() {
            let brand = self.clone();
            let show = move |request: HttpRequest| {
                let brand = brand.clone();
                async move { brand.show_logo(&request) }
            };
            let resource = web::resource(LOGO);
            config.service(resource.route(web::get().to(show.clone())).route(web::head().to(show)));
        }
    }

    fn show_logo(&self, request: &HttpRequest) -> HttpResponse {
        let Some(logo) = &self.0.logo else { return HttpResponse::NotFound().finish() };
        let known = is_known(request, &logo.tag);
        let status = if known { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
        let keep = [CacheDirective::Public, CacheDirective::MaxAge(KEEP)];
        let mut response = HttpResponse::build(status);
        response.insert_header(ETag(logo.tag.clone())).insert_header(CacheControl(keep.into()));
        if known {
            return response.finish();
        }
        response
            .content_type(logo.media)
            .insert_header((header::X_CONTENT_TYPE_OPTIONS, NO_SNIFF))
            .insert_header((header::CONTENT_SECURITY_POLICY, LOGO_POLICY))
            .body(logo.bytes.clone())
    }
}

impl Logo {
    fn open(path: &Path, prefix: &str) -> Result<Self, BrandError> {
        let mut bytes = Vec::new();
        let read =
            File::open(path).and_then(|file| file.take(MAX_LOGO + 1).read_to_end(&mut bytes));
        read.map_err(|cause| BrandError::Unreadable { path: path.to_owned(), cause })?;
        if bytes.len() as u64 > MAX_LOGO {
            return Err(BrandError::TooLarge(path.to_owned()));
        }
        let media = media_of(&bytes).ok_or_else(|| BrandError::NoPicture(path.to_owned()))?;
        let tag = tag_of(&bytes);
        Ok(Self { address: format!("{prefix}/-{LOGO}"), media, bytes: bytes.into(), tag })
    }
}

/// The media type of a picture, as its first bytes tell it.
fn media_of(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => std::str::from_utf8(bytes).ok().filter(|text| is_svg(text)).map(|_| "image/svg+xml"),
    }
}

/// Whether a text is XML whose root is `svg`, whatever may stand before that: a mark of the byte
/// order, the declaration, comments, the document type.
fn is_svg(text: &str) -> bool {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    while rest.starts_with("<?") || rest.starts_with("<!") {
        let declaration = rest.split('>').next().unwrap_or_default();
        let end = match rest {
            comment if comment.starts_with("<!--") => "-->",
            // A document type with entities of its own, as some drawing programs write it.
            _ if declaration.contains('[') => "]>",
            _ => ">",
        };
        let Some((_, after)) = rest.split_once(end) else { return false };
        rest = after.trim_start();
    }
    let root = rest.strip_prefix("<svg");
    root.is_some_and(|root| root.starts_with(|c: char| c.is_whitespace() || matches!(c, '>' | '/')))
}

impl Colour {
    /// Reads `#rrggbb`.
    ///
    /// # Errors
    /// [`BadColour`] when it is something else.
    pub fn parse(text: &str) -> Result<Self, BadColour> {
        let bad = || BadColour(text.to_owned());
        let digits = text.strip_prefix('#').ok_or_else(bad)?;
        if digits.len() != 6 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(bad());
        }
        let whole = u32::from_str_radix(digits, 16).map_err(|_| bad())?;
        let [_, red, green, blue] = whole.to_be_bytes();
        Ok(Self([red, green, blue]))
    }

    fn css(self) -> String {
        let [red, green, blue] = self.0;
        format!("#{red:02x}{green:02x}{blue:02x}")
    }

    /// Black or white, whichever can be read better on it: at least 4.5 to 1, as WCAG 2.2 asks of
    /// texts (1.4.3).
    fn ink(self) -> &'static str {
        // The contrasts with black and with white (WCAG 2.2, "contrast ratio").
        let brightness = self.luminance() + 0.05;
        if brightness / 0.05 >= 1.05 / brightness { "#000000" } else { "#ffffff" }
    }

    /// Relative luminance (WCAG 2.2).
    fn luminance(self) -> f64 {
        let linear = |part: u8| match f64::from(part) / 255.0 {
            dark if dark <= 0.04045 => dark / 12.92,
            light => ((light + 0.055) / 1.055).powf(2.4),
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_can_be_read_on_any_colour() {
        for step in 0..=0x00ff_ffff_u32 / 4_099 {
            let [_, red, green, blue] = (step * 4_099).to_be_bytes();
            let colour = Colour([red, green, blue]);
            let brightness = colour.luminance() + 0.05;
            let contrast = match colour.ink() {
                "#ffffff" => 1.05 / brightness,
                _ => brightness / 0.05,
            };
            assert!(contrast >= 4.5, "{}: {contrast}", colour.css());
        }
        for (colour, ink) in [
            ("#000000", "#ffffff"),
            ("#FFFFFF", "#000000"),
            ("#ffcc00", "#000000"),
            ("#1f5fa8", "#ffffff"),
        ] {
            let read = Colour::parse(colour).unwrap();
            assert_eq!((read.css(), read.ink()), (colour.to_ascii_lowercase(), ink));
        }
    }

    #[test]
    fn what_is_no_colour_is_refused() {
        for bad in
            ["", "red", "#fff", "1f5fa8", "#1f5fa", "#1f5fa88", "#+f5fa8", "#é5fa8", "#1f5fa8;"]
        {
            assert!(Colour::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_picture_is_known_by_its_content() {
        for (bytes, media) in [
            (&b"\x89PNG\r\n\x1a\n...."[..], Some("image/png")),
            (b"\xff\xd8\xff\xe0..", Some("image/jpeg")),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", Some("image/svg+xml")),
            (
                b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- <b> -->\n<!DOCTYPE svg PUBLIC 'a' 'b' \
                  [<!ENTITY ns 'http://e.org/'>]>\n<svg>",
                Some("image/svg+xml"),
            ),
            (b"<!DOCTYPE svg><svg/>", Some("image/svg+xml")),
            (b"<!DOCTYPE html><html><svg></svg></html>", None),
            (b"<svgx/>", None),
            (b"<!-- <svg>", None),
            (b"GIF89a", None),
            (b"RIFF\x10\0\0\0WAVEfmt ", None),
            (b"", None),
        ] {
            assert_eq!(media_of(bytes), media, "{}", String::from_utf8_lossy(bytes));
        }
    }
}
