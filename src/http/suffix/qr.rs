//! The QR code of a short URL (ISO/IEC 18004), as SVG or as PNG.

use std::fmt::{Display, Write as _};

use actix_web::http::StatusCode;
use actix_web::http::header::{self, CacheControl, CacheDirective};
use actix_web::{HttpRequest, HttpResponse, web};
use fast_qr::ECL;
use fast_qr::qr::{QRBuilder, QRCode};
use png::{BitDepth, ColorType, Compression, EncodingError};

use crate::http::error::{Kind, Problem};
use crate::http::etag::{is_known, tag_of};
use crate::http::extract::{QueryString, preferred};
use crate::http::page::NO_SNIFF;

/// The smallest image, in pixels: what a code of 21 modules with a margin takes.
const MIN_SIZE: usize = 32;
/// The largest image, in pixels. Modules are squares: it can be enlarged without loss.
const MAX_SIZE: usize = 2_048;
/// The size when none is asked for.
const DEFAULT_SIZE: usize = 512;
/// The widest margin, in modules.
const MAX_MARGIN: usize = 32;
/// The margin when none is asked for: what readers may rely on (ISO/IEC 18004 §9.1).
const DEFAULT_MARGIN: usize = 4;
/// Seconds that an image may be kept: it stays the same for as long as the short URL does.
const KEEP: u32 = 3_600;

/// The file formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Scalable Vector Graphics.
    Svg,
    /// Portable Network Graphics, one bit a pixel.
    Png,
}

/// Eight white pixels of a PNG.
const LIGHT: u8 = 0xff;

/// What is asked for.
struct Look {
    /// Width and height of the image, margin included, in pixels.
    size: usize,
    /// The width of the margin, in modules.
    margin: usize,
    /// How much of the code may be damaged: L 7 %, M 15 %, Q 25 %, H 30 %.
    level: ECL,
}

/// The image that a request asks for, in `format` if its address says so, else in that which it
/// accepts.
pub(super) async fn show(
    request: &HttpRequest,
    format: Option<Format>,
    short_url: &str,
) -> Result<HttpResponse, Problem> {
    let look = Look::read(&QueryString::read(request, &["size", "margin", "ec"])?)?;
    let chosen = match format {
        Some(format) => format,
        None => accepted(request)?,
    };
    let drawing = Drawing::of(short_url, &look)?;
    let (media, image) = match chosen {
        Format::Svg => ("image/svg+xml", drawing.svg().into_bytes()),
        // Large ones take longer than a reader on this thread may wait.
        Format::Png => {
            let drawn = web::block(move || drawing.png()).await.map_err(unencoded)?;
            ("image/png", drawn.map_err(unencoded)?)
        }
    };
    let tag = tag_of(&image);
    let known = is_known(request, &tag);
    let mut response =
        HttpResponse::build(if known { StatusCode::NOT_MODIFIED } else { StatusCode::OK });
    response
        .insert_header(header::ETag(tag))
        .insert_header(CacheControl(vec![CacheDirective::Public, CacheDirective::MaxAge(KEEP)]));
    if format.is_none() {
        response.insert_header((header::VARY, "Accept"));
    }
    if known {
        return Ok(response.finish());
    }
    Ok(response
        .content_type(media)
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, NO_SNIFF))
        .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'"))
        .body(image))
}

fn accepted(request: &HttpRequest) -> Result<Format, Problem> {
    let offers = [("image/svg+xml", Format::Svg), ("image/png", Format::Png)];
    preferred(request, &offers).ok_or_else(|| {
        let detail = "QR codes can be had as image/svg+xml and image/png; accept one of them, or \
                      end the address in .qr.svg or .qr.png";
        Problem::new(Kind::NotAcceptable, detail).field("Accept")
    })
}

fn unencoded(error: impl Display) -> Problem {
    tracing::error!(%error, "a QR code could not be written as PNG");
    let detail = "the image can't be made as PNG; ask for .qr.svg";
    Problem::new(Kind::BadParameter, detail)
}

impl Look {
    fn read(query: &QueryString) -> Result<Self, Problem> {
        Ok(Self {
            size: within(query, "size", MIN_SIZE, MAX_SIZE, "pixels")?.unwrap_or(DEFAULT_SIZE),
            margin: within(query, "margin", 0, MAX_MARGIN, "modules")?.unwrap_or(DEFAULT_MARGIN),
            level: match query.text("ec") {
                None | Some("M") => ECL::M,
                Some("L") => ECL::L,
                Some("Q") => ECL::Q,
                Some("H") => ECL::H,
                Some(other) => {
                    let detail = format_args!("`ec` is L, M, Q or H, not {other:?}");
                    return Err(Problem::new(Kind::BadParameter, detail).field("ec"));
                }
            },
        })
    }
}

fn within(
    query: &QueryString,
    name: &str,
    least: usize,
    most: usize,
    unit: &str,
) -> Result<Option<usize>, Problem> {
    let Some(text) = query.text(name) else { return Ok(None) };
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.map(Some).ok_or_else(|| {
        let detail = format_args!("`{name}` is between {least} and {most} {unit}, not {text:?}");
        Problem::new(Kind::BadParameter, detail).field(name).limit(most)
    })
}

/// A code and where it stands in its image.
struct Drawing {
    code: QRCode,
    size: usize,
    margin: usize,
}

impl Drawing {
    fn of(text: &str, look: &Look) -> Result<Self, Problem> {
        let code = QRBuilder::new(text).ecl(look.level).build().map_err(|error| {
            let detail = format_args!("the short URL has {} bytes: {error}", text.len());
            Problem::new(Kind::BadParameter, detail).field("ec")
        })?;
        let drawing = Self { code, size: look.size, margin: look.margin };
        let needed = drawing.modules();
        if needed > look.size {
            let detail = format_args!(
                "with its margin the code has {needed} modules, each a pixel at least; `size` is \
                 between {needed} and {MAX_SIZE} here, not {}",
                look.size
            );
            return Err(Problem::new(Kind::BadParameter, detail).field("size").limit(MAX_SIZE));
        }
        Ok(drawing)
    }

    /// Modules from edge to edge, margins included.
    fn modules(&self) -> usize {
        self.code.size + 2 * self.margin
    }

    /// One path of the dark modules, each run of them in a row a rectangle.
    fn svg(&self) -> String {
        let (size, modules) = (self.size, self.modules());
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{size}\" height=\"{size}\" \
             viewBox=\"0 0 {modules} {modules}\" shape-rendering=\"crispEdges\">\
             <path fill=\"#fff\" d=\"M0 0h{modules}v{modules}H0z\"/><path d=\""
        );
        for y in 0..self.code.size {
            let mut x = 0;
            for run in self.code[y].chunk_by(|a, b| a.value() == b.value()) {
                if run[0].value() {
                    let (left, top, width) = (x + self.margin, y + self.margin, run.len());
                    // Writing into a text can't fail.
                    let _ = write!(svg, "M{left} {top}h{width}v1h-{width}z");
                }
                x += run.len();
            }
        }
        svg.push_str("\"/></svg>");
        svg
    }

    /// Modules of as many whole pixels as there is room for, in the middle of the image.
    fn png(&self) -> Result<Vec<u8>, EncodingError> {
        let scale = self.size / self.modules();
        let before = (self.size - scale * self.code.size) / 2;
        let width = self.size.div_ceil(8);
        let mut pixels = vec![LIGHT; width * before];
        pixels.reserve_exact(width * (self.size - before));
        for y in 0..self.code.size {
            let mut row = vec![LIGHT; width];
            for x in (0..self.code.size).filter(|x| self.code[y][*x].value()) {
                let left = before + x * scale;
                (left..left + scale).for_each(|pixel| row[pixel / 8] &= !(0x80 >> (pixel % 8)));
            }
            (0..scale).for_each(|_| pixels.extend_from_slice(&row));
        }
        pixels.resize(width * self.size, LIGHT);
        let mut file = Vec::new();
        let side = u32::try_from(self.size).unwrap_or(u32::MAX);
        let mut encoder = png::Encoder::new(&mut file, side, side);
        encoder.set_color(ColorType::Grayscale);
        encoder.set_depth(BitDepth::One);
        encoder.set_compression(Compression::Fast);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&pixels)?;
        writer.finish()?;
        Ok(file)
    }
}
