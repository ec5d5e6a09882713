//! Links as maps of nginx (`ngx_http_map_module`), which then answers readers as we do: so that links
//! outlive this program.
//!
//! What has to be known of nginx:
//! - The keys of a map are compared without regard to case, and codes differ by it. So a key is the
//!   path in small letters, and behind it the places of the capitals: `/8yDbrB` is `/8ydbrb.3.6`.
//!   What makes the same of a request stands at the end of the file, when it is known how long the
//!   longest path is: a map for each place, since nginx can take a text apart in no other way.
//! - A dollar sign in a value begins a variable and can't be escaped. So there is a variable that
//!   holds one; the values of `geo` alone are taken as they stand.
//! - No text of a configuration may be longer than 4,096 bytes. Longer targets are put together of
//!   several variables.

use jiff::Timestamp;

use super::pages::{Out, Pages};
use super::{Export, ExportError, Fate, Readers};
use crate::model::home::Home;
use crate::model::link::{Link, Redirect};
use crate::store::aside;

/// Bytes of a target, escaped, that stand in one text beside the rest of the value. nginx takes 4,095.
const MOST: usize = 3_900;
/// Bytes of one text of a longer target, before they are escaped: each may become two.
const PART: usize = 1_900;
/// Targets of several texts in one file, at most: they are in memory until its end.
const MOST_LONG: usize = 1_000;

/// The beginning of the file: how to use it, and what the values are made of.
const HEAD: &str = r#"# The links of Slugline for nginx: whoever asks for one is answered as Slugline would, without it.
# Include this file within `http { … }`, below these lines, which go into nginx.conf:
#
#     map_hash_max_size 2097152;      # at least twice the links: the last line says how many
#     map_hash_bucket_size 512;       # more, if nginx asks for it
#
# and answer with it:
#
#     server {
#         listen 80;
#         server_name HOSTS;
#         location / {
#             if ($slugline_status = 301) { return 301 $slugline_target; }
#             if ($slugline_status = 302) { return 302 $slugline_target; }
#             if ($slugline_status = 307) { return 307 $slugline_target; }
#             if ($slugline_status = 308) { return 308 $slugline_target; }
#             if ($slugline_status = 403) { return 403; }
#             if ($slugline_status = 410) { return 410; }
#             return 404;
#         }
#     }
#
# Links that are withdrawn, expired or deleted are answered 410, those of hosts that do harm 403. One
# that expires later has to be exported again by then.

geo $slugline_dollar { default "$"; }
map $args $slugline_query { "" ""; default "?$args"; }
map $args $slugline_more { "" ""; default "&$args"; }

"#;

/// What takes apart what the maps hold.
const TAIL: &str = r#"
map $slugline_link $slugline_status { default ""; "~^(?P<slugline_s>[0-9]{3})" $slugline_s; }
map $slugline_link $slugline_target { default ""; "~^[0-9]{3}(?P<slugline_t>.+)$" $slugline_t; }
"#;

/// Which links a map holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    /// Those that every host knows.
    Free,
    /// Those that one host alone knows.
    Bound,
}

impl Which {
    /// How the map begins: where a link is looked for, and what comes of it if it isn't there.
    fn opening(self) -> &'static str {
        match self {
            Self::Free => {
                "map \"$uri$slugline_case\" $slugline_link {\n    default $slugline_bound;\n"
            }
            Self::Bound => "map \"$host$uri$slugline_case\" $slugline_bound {\n    default \"\";\n",
        }
    }
}

/// A file that is being written.
struct Maps {
    home: Home,
    /// The status of links without one of their own.
    redirect: Redirect,
    readers: Readers,
    /// Bytes of the longest path so far.
    longest: usize,
    /// Links so far, and those of them that one host alone knows.
    links: usize,
    bound: usize,
    /// The variables that long targets are made of, and of how many targets.
    parts: String,
    long: usize,
}

/// Writes it. Links that one host alone knows stand in a map of their own.
pub(super) async fn write(
    export: &Export,
    out: &mut Out,
    now: Timestamp,
) -> Result<(), ExportError> {
    let mut maps = Maps {
        home: export.home.clone(),
        redirect: export.redirect,
        readers: export.readers(now),
        longest: 0,
        links: 0,
        bound: 0,
        parts: String::new(),
        long: 0,
    };
    let hosts: Vec<&str> = export.home.hosts().collect();
    out.send(HEAD.replace("HOSTS", &hosts.join(" ")).as_bytes()).await?;
    let mut pages = Pages::all(export.links.store()).await?;
    for which in [Which::Free, Which::Bound] {
        out.send(which.opening().as_bytes()).await?;
        pages.rewind();
        // Who is told of no link in the first turn has none in the second.
        while which == Which::Free || maps.bound > 0 {
            let Some(links) = pages.next().await? else { break };
            let page = aside(move || {
                let text = maps.page(&links, which);
                (maps, text)
            });
            let text;
            (maps, text) = page.await?;
            if maps.long > MOST_LONG {
                return Err(ExportError::TooManyLong(MOST_LONG));
            }
            out.send(text.as_bytes()).await?;
        }
        out.send(b"}\n").await?;
    }
    out.send(maps.tail().as_bytes()).await
}

impl Maps {
    /// The entries of some links.
    fn page(&mut self, links: &[Link], which: Which) -> String {
        let mut text = String::new();
        for link in links {
            match (which, &link.host) {
                (Which::Free, None) => self.entry("", link, &mut text),
                (Which::Free, Some(_)) => self.bound += 1,
                (Which::Bound, Some(host)) => self.entry(host.as_str(), link, &mut text),
                (Which::Bound, None) => {}
            }
        }
        text
    }

    fn entry(&mut self, host: &str, link: &Link, text: &mut String) {
        let path = self.home.path_of(&link.code);
        self.longest = self.longest.max(path.len());
        self.links += 1;
        let capitals = path.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_uppercase());
        let capitals: String = capitals.map(|(at, _)| format!(".{at}")).collect();
        let value = match self.readers.fate_of(link) {
            Fate::Redirected => self.value(link),
            Fate::Warned => "403".to_owned(),
            Fate::Gone => "410".to_owned(),
        };
        let small = path.to_ascii_lowercase();
        *text += &format!("    \"{host}{small}{capitals}\" \"{value}\";\n");
    }

    /// Status and target, as a text of the configuration without its quotes.
    fn value(&mut self, link: &Link) -> String {
        let status = link.redirect.unwrap_or(self.redirect).status();
        let target = link.target.as_str();
        let long = escaped(target, DOLLAR).len() > MOST;
        self.long += usize::from(long);
        let (address, fragment) = match link.forward_query {
            true => target.split_at(target.find('#').unwrap_or(target.len())),
            false => (target, ""),
        };
        let query = match (link.forward_query, address.contains('?')) {
            (false, _) => "",
            (true, false) => "$slugline_query",
            (true, true) => "$slugline_more",
        };
        // A name ends where the text goes on with what can't stand in one; a fragment does so.
        let mut put = |text: &str| if long { self.in_parts(text) } else { escaped(text, DOLLAR) };
        format!("{status}{}{query}{}", put(address), put(fragment))
    }

    /// A text put together of variables, which are written down at the end.
    fn in_parts(&mut self, text: &str) -> String {
        let mut names = String::new();
        let mut rest = text;
        while !rest.is_empty() {
            // A target is ASCII.
            let (part, more) = rest.split_at(rest.len().min(PART));
            let name = format!("slugline_part_{}_{}", self.long, self.parts.len());
            let value = escaped(part, "$");
            self.parts += &format!("geo ${name} {{ default \"{value}\"; }}\n");
            names += &format!("${{{name}}}");
            rest = more;
        }
        names
    }

    /// The rest of the file: what makes keys of requests, and answers of values.
    fn tail(&self) -> String {
        let mut tail = self.parts.clone();
        let mut places = String::new();
        for at in 1..self.longest {
            let name = format!("$slugline_at_{at}");
            tail +=
                &format!("map $uri {name} {{ default \"\"; \"~^.{{{at}}}[A-Z]\" \".{at}\"; }}\n");
            places += &name;
        }
        tail += &format!("map \"\" $slugline_case {{ default \"{places}\"; }}\n");
        format!("{tail}{TAIL}\n# {} links\n", self.links)
    }
}

/// What stands for a dollar sign where one begins a variable.
const DOLLAR: &str = "${slugline_dollar}";

/// A text as it stands between the quotes of a configuration.
fn escaped(text: &str, dollar: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            '$' => escaped.push_str(dollar),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nginx_would_read_as_its_own_is_escaped() {
        let written = escaped(r#"https://e.org/?a="b"&c=\$d{e};#"#, DOLLAR);
        assert_eq!(written, r#"https://e.org/?a=\"b\"&c=\\${slugline_dollar}d{e};#"#);
    }
}
