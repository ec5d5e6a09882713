//! Which columns of a CSV hold what: the names that other shorteners give them.

use super::Refusal;
use super::values::text;

/// What a column may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The code, or the short URL with it.
    Code,
    /// Where it leads.
    Target,
    /// When it was made.
    Created,
    /// From when on it leads nowhere.
    Expires,
    /// What it is called.
    Title,
    /// Its labels.
    Tags,
    /// How often it was clicked.
    Clicks,
    /// How often it was clicked before it came to where it is exported from, which is in no other
    /// number.
    Imported,
    /// Whether it was withdrawn.
    State,
    /// The status that it redirects with.
    Redirect,
    /// The one host that knows it.
    Host,
}

use Field::{Clicks, Code, Created, Expires, Host, Imported, Redirect, State, Tags, Target, Title};

/// Names of columns as [`plain`] makes them. Of several that hold one field, the first in this table
/// counts whose cell is not empty.
///
/// - Bitly: `Link`, `Custom Link`, `Destination URL` in the export of its pages
///   (<https://github.com/URLR/urlr-docs>, migration/bitly.md); `link`, `long_url`, `title`,
///   `created_at`, `tags`, `clicks` in that of its API
///   (<https://dev.bitly.com/api-reference>).
/// - YOURLS: `keyword`, `url`, `title`, `timestamp`, `ip`, `clicks` in its table of links
///   (includes/functions-install.php); `source`, `target`, `hits` in the file of its plug-in
///   (<https://github.com/GautamGupta/YOURLS-Import-Export>, fileio/csv.php).
/// - Shlink: `createdAt`, `domain`, `shortCode`, `shortUrl`, `longUrl`, `title`, `tags`, `visits`
///   (<https://github.com/shlinkio/shlink-web-component>, ExportShortUrlsBtn.tsx).
/// - Kutt: `address`, `target`, `description`, `visit_count`, `created_at`, `expire_in`, `link` in its
///   table of links and its API (<https://github.com/thedevs-network/kutt>); `banned` in its table.
/// - Dub: `Short link`, `Destination URL`, `Clicks`, `Created at`, `Updated at`, `Tags`, `Archived`
///   (<https://github.com/dubinc/dub>, export-links-modal.tsx); `key`, `url`, `shortLink`, `comments`
///   in its API.
/// - Our own: `export/table.rs`.
const KNOWN: [(&str, Field); 47] = [
    ("customlink", Code),
    ("code", Code),
    ("shortcode", Code),
    ("keyword", Code),
    ("slug", Code),
    ("shorturl", Code),
    ("shortlink", Code),
    ("bitlink", Code),
    ("link", Code),
    ("address", Code),
    ("key", Code),
    ("source", Code),
    ("target", Target),
    ("targeturl", Target),
    ("longurl", Target),
    ("longlink", Target),
    ("destinationurl", Target),
    ("destination", Target),
    ("originalurl", Target),
    ("url", Target),
    ("createdat", Created),
    ("created", Created),
    ("createdon", Created),
    ("datecreated", Created),
    ("createddate", Created),
    ("creationdate", Created),
    ("timestamp", Created),
    ("date", Created),
    ("expiresat", Expires),
    ("expirein", Expires),
    ("title", Title),
    ("description", Title),
    ("comments", Title),
    ("tags", Tags),
    ("clicks", Clicks),
    ("clickcount", Clicks),
    ("totalclicks", Clicks),
    ("hits", Clicks),
    ("visits", Clicks),
    ("visitcount", Clicks),
    ("visitscount", Clicks),
    ("importedclicks", Imported),
    ("state", State),
    ("archived", State),
    ("banned", State),
    ("redirect", Redirect),
    ("host", Host),
];

/// The names of fields as `--map` takes them.
const NAMES: [(&str, Field); 11] = [
    ("code", Code),
    ("target", Target),
    ("created", Created),
    ("expires", Expires),
    ("title", Title),
    ("tags", Tags),
    ("clicks", Clicks),
    ("imported", Imported),
    ("state", State),
    ("redirect", Redirect),
    ("host", Host),
];

/// What the user says about columns: it outweighs what is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapping(Vec<(Field, String)>);

impl Mapping {
    /// Puts the mappings together that are given one by one.
    #[must_use]
    pub fn of(parts: &[Self]) -> Self {
        Self(parts.iter().flat_map(|part| part.0.clone()).collect())
    }
}

impl std::str::FromStr for Mapping {
    type Err = String;

    /// Reads `code=Slug,target=Long URL`. A comma that no field's name follows belongs to the column;
    /// a field without a column is not read at all.
    fn from_str(written: &str) -> Result<Self, String> {
        let mut pairs: Vec<(Field, String)> = Vec::new();
        for part in written.split(',') {
            let named = part.split_once('=').and_then(|(name, column)| {
                let known = NAMES.iter().find(|(known, _)| *known == name.trim());
                known.map(|(_, field)| (*field, column.to_owned()))
            });
            match (named, pairs.last_mut()) {
                (Some(pair), _) => pairs.push(pair),
                (None, Some((_, column))) => {
                    column.push(',');
                    column.push_str(part);
                }
                (None, None) => {
                    let names = NAMES.map(|(name, _)| name).join(", ");
                    return Err(format!("write FIELD=COLUMN, where FIELD is one of {names}"));
                }
            }
        }
        Ok(Self(pairs.into_iter().map(|(field, column)| (field, column.trim().into())).collect()))
    }
}

/// Where the fields stand in each record.
#[derive(Debug)]
pub(super) struct Columns(Vec<(Field, usize)>);

impl Columns {
    /// Finds the fields in a header.
    ///
    /// # Errors
    /// When code or target are not found, or a column that the user names.
    pub(super) fn find(header: &[&[u8]], mapping: &Mapping) -> Result<Self, Refusal> {
        let names: Vec<_> = header.iter().map(|name| text(name)).collect();
        let listed = || names.join(", ");
        let refused = |reason| Err(Refusal { line: 1, reason });
        let mut found = Vec::new();
        for (field, wanted) in mapping.0.iter().filter(|(_, wanted)| !wanted.is_empty()) {
            let exact = names.iter().position(|name| name == wanted);
            match exact.or_else(|| names.iter().position(|name| plain(name) == plain(wanted))) {
                Some(at) => found.push((*field, at)),
                None => {
                    return refused(format!(
                        "there is no column {wanted:?}; the columns are: {}",
                        listed()
                    ));
                }
            }
        }
        let mapped = |field: Field| mapping.0.iter().any(|(mapped, _)| *mapped == field);
        for (known, field) in KNOWN.into_iter().filter(|(_, field)| !mapped(*field)) {
            let columns = names.iter().enumerate().filter(|(_, name)| plain(name) == known);
            found.extend(columns.map(|(at, _)| (field, at)));
        }
        let lacking =
            [Code, Target].into_iter().any(|field| !found.iter().any(|(f, _)| *f == field));
        if lacking {
            return refused(format!(
                "no column is known to hold the code, or none the target; say which with \
                 --map 'code=COLUMN,target=COLUMN'; the columns are: {}",
                listed()
            ));
        }
        Ok(Self(found))
    }

    /// The cell that holds a field: the first one that is not empty.
    pub(super) fn cell<'a>(&self, field: Field, cells: &impl Fn(usize) -> &'a [u8]) -> &'a [u8] {
        let places = self.0.iter().filter(|(known, _)| *known == field);
        let mut cells = places.map(|(_, at)| cells(*at).trim_ascii());
        cells.find(|cell| !cell.is_empty()).unwrap_or_default()
    }
}

/// A column's name without what people write differently: `Created at`, `created_at`, `createdAt`.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
