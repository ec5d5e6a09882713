//! `/{code}.qr`: whatever it looks like, a reader's telephone finds the short URL in it.

use rqrr::PreparedImage;
use serde_json::Value;

use super::live::{Answer, Service};
use super::{STORY, ask, import};

/// An image as a camera sees it: how bright each pixel is.
struct Photo {
    side: usize,
    pixels: Vec<u8>,
}

impl Photo {
    /// A PNG of one bit a pixel.
    fn of_png(file: &[u8]) -> Self {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(file));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        assert_eq!(reader.info().bit_depth, png::BitDepth::One);
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut pixels).unwrap();
        assert_eq!(frame.width, frame.height);
        Self { side: frame.width as usize, pixels }
    }

    /// An SVG of rectangles `M x y h w v 1 h -w z` on a white ground, four pixels a module.
    fn of_svg(file: &str) -> Self {
        const SCALE: usize = 4;
        let attribute = |name: &str| {
            let (_, rest) = file.split_once(&format!(" {name}=\"")).unwrap();
            rest.split('"').next().unwrap()
        };
        let modules: usize = attribute("viewBox").rsplit(' ').next().unwrap().parse().unwrap();
        let side = modules * SCALE;
        let mut pixels = vec![255; side * side];
        let (_, path) = file.split_once("/><path d=\"").unwrap();
        let path = path.strip_suffix("\"/></svg>").unwrap();
        for rectangle in path.split_terminator('z') {
            let rest = rectangle.strip_prefix('M').unwrap();
            let (x, rest) = rest.split_once(' ').unwrap();
            let (y, rest) = rest.split_once('h').unwrap();
            let (width, rest) = rest.split_once("v1h-").unwrap();
            assert_eq!(width, rest);
            let [x, y, width]: [usize; 3] = [x, y, width].map(|number| number.parse().unwrap());
            for row in y * SCALE..(y + 1) * SCALE {
                pixels[row * side..][x * SCALE..(x + width) * SCALE].fill(0);
            }
        }
        Self { side, pixels }
    }

    fn text(&self) -> String {
        let at = |x: usize, y: usize| self.pixels[y * self.side + x];
        let mut photo = PreparedImage::prepare_from_greyscale(self.side, self.side, at);
        let codes = photo.detect_grids();
        assert_eq!(codes.len(), 1, "codes in a picture of {0} × {0}", self.side);
        codes[0].decode().unwrap().1
    }

    /// Bright pixels from the left edge to the first dark one.
    fn margin(&self) -> usize {
        let dark = |x: &usize| (0..self.side).any(|y| self.pixels[y * self.side + x] == 0);
        (0..self.side).find(dark).unwrap()
    }
}

fn qr(service: &Service, target: &str) -> Answer {
    let answer = ask(service, "GET", target, "").expect(200);
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    answer
}

#[test]
fn every_size_margin_and_level_decodes_to_the_short_url() {
    let service = Service::start_with("", &[("PUBLIC_URL", "https://go.example.org")]);
    let code = service.mint(STORY);
    import(&service, &serde_json::json!({ "code": "fb/AbC1", "target": STORY }).to_string());
    for code in [code.as_str(), "fb/AbC1"] {
        let short_url = format!("https://go.example.org/{code}");
        for level in ["L", "M", "Q", "H"] {
            for margin in [1, 4, 16] {
                let query = format!("ec={level}&margin={margin}");
                let svg = qr(&service, &format!("/{code}.qr.svg?{query}"));
                assert_eq!(Photo::of_svg(svg.text()).text(), short_url, "SVG {query}");
                for size in [101, 512, 1_024] {
                    let query = format!("{query}&size={size}");
                    let png = qr(&service, &format!("/{code}.qr.png?{query}"));
                    let photo = Photo::of_png(&png.body);
                    assert_eq!(
                        (photo.side, photo.text()),
                        (size, short_url.clone()),
                        "PNG {query}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_extension_or_accept_chooses_the_format() {
    let service = Service::start("");
    let code = service.mint(STORY);
    for (suffix, accept, media) in [
        (".qr", "", "image/svg+xml"),
        (".qr", "Accept: */*\r\n", "image/svg+xml"),
        (".qr", "Accept: text/html,image/avif,image/webp,*/*;q=0.8\r\n", "image/svg+xml"),
        (".qr", "Accept: image/png\r\n", "image/png"),
        (".qr", "Accept: image/png, image/*;q=0.5\r\n", "image/png"),
        (".qr", "Accept: image/svg+xml;q=0.3, image/png;q=0.2\r\n", "image/svg+xml"),
        (".qr.svg", "Accept: image/png\r\n", "image/svg+xml"),
        (".qr.png", "Accept: image/svg+xml\r\n", "image/png"),
    ] {
        let answer = ask(&service, "GET", &format!("/{code}{suffix}"), accept).expect(200);
        assert_eq!(answer.header("content-type"), media, "{suffix} {accept}");
        assert_eq!(answer.header("vary"), if suffix == ".qr" { "Accept" } else { "" });
    }
    let refused = ask(&service, "GET", &format!("/{code}.qr"), "Accept: text/csv\r\n").expect(406);
    assert_eq!(refused.json()["type"], "/api/problems#not-acceptable");
}

#[test]
fn an_image_has_the_size_and_at_least_the_margin_that_was_asked_for() {
    let service = Service::start_with("", &[("PUBLIC_URL", "https://go.example.org")]);
    let code = service.mint(STORY);
    // 29 modules (version 3), and 2 × 4 of margin.
    let svg = qr(&service, &format!("/{code}.qr"));
    assert!(
        svg.text().contains(r#" width="512" height="512" viewBox="0 0 37 37" "#),
        "{}",
        svg.text()
    );
    for (query, side, margin) in [
        ("", 512, 67),
        ("?size=37", 37, 4),
        ("?size=64", 64, 17),
        ("?size=74", 74, 8),
        ("?size=58&margin=0", 58, 0),
        ("?size=2048&margin=32", 2_048, 705),
    ] {
        let photo = Photo::of_png(&qr(&service, &format!("/{code}.qr.png{query}")).body);
        assert_eq!((photo.side, photo.margin()), (side, margin), "{query}");
    }
}

#[test]
fn what_cannot_be_drawn_is_refused_with_the_parameter_and_its_bounds() {
    let service = Service::start("");
    let code = service.mint(STORY);
    for (query, field, bounds) in [
        ("size=31", "size", "between 32 and 2048 pixels"),
        ("size=2049", "size", "between 32 and 2048 pixels"),
        ("size=-1", "size", "between 32 and 2048 pixels"),
        ("size=99999999999999999999", "size", "between 32 and 2048 pixels"),
        ("size=big", "size", "between 32 and 2048 pixels"),
        ("size=40&margin=32", "size", "between 93 and 2048"),
        ("margin=33", "margin", "between 0 and 32 modules"),
        ("margin=1.5", "margin", "between 0 and 32 modules"),
        ("ec=X", "ec", "L, M, Q or H"),
        ("ec=m", "ec", "L, M, Q or H"),
        ("format=png", "format", "size, margin, ec"),
        ("size=64&size=65", "size", "twice"),
    ] {
        for suffix in [".qr", ".qr.svg", ".qr.png"] {
            let answer = ask(&service, "GET", &format!("/{code}{suffix}?{query}"), "").expect(400);
            assert_eq!(answer.header("content-type"), "application/problem+json");
            let problem: Value = answer.json();
            assert_eq!(problem["type"], "/api/problems#bad-parameter");
            assert_eq!(problem["field"], field, "{query}");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains(bounds), "{query}: {detail}");
        }
    }
}

#[test]
fn an_image_that_is_known_is_not_sent_again() {
    let service = Service::start("");
    let code = service.mint(STORY);
    let mut tags = vec![];
    for target in [format!("/{code}.qr.svg"), format!("/{code}.qr.png"), format!("/{code}.qr?ec=H")]
    {
        let first = qr(&service, &target);
        assert_eq!(first.header("cache-control"), "public, max-age=3600");
        let tag = first.header("etag").to_owned();
        assert_eq!(qr(&service, &target).header("etag"), tag, "the content names itself");
        for known in [tag.clone(), format!("\"other\", W/{tag}"), "*".into()] {
            let headers = format!("If-None-Match: {known}\r\n");
            let again = ask(&service, "GET", &target, &headers).expect(304);
            assert_eq!(again.header("etag"), tag);
        }
        ask(&service, "GET", &target, "If-None-Match: \"other\"\r\n").expect(200);
        tags.push(tag);
    }
    tags.dedup();
    assert_eq!(tags.len(), 3);
}
