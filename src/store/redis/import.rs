//! Taking in many links at once: first the links, then the index of addresses, which may lie
//! elsewhere. Whatever is interrupted between the two is made whole by doing it again.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::stream::{self, TryStreamExt as _};

use super::connection::Trip;
use super::schema::{self, prefix};
use super::{Redis, scripts};
use crate::model::code::Code;
use crate::model::link::Link;
use crate::store::{Claim, Links as _, StoreError};

/// Calls of an import that are under way at the same time: enough to keep Redis busy. Readers of the
/// same worker wait behind them.
const AT_ONCE: usize = 4;

/// An address in the index, and the codes that are to be entered there.
type Entries = BTreeMap<(usize, [u8; 8]), Vec<String>>;

impl Redis {
    /// The port's `import`.
    pub(super) async fn take_in(
        &self,
        links: &Arc<[Link]>,
        max_codes: usize,
    ) -> Result<Vec<Option<Link>>, StoreError> {
        let claims = self.claim(links).await?;
        let taken: Vec<usize> = (0..links.len()).filter(|at| claims[*at] == Claim::Taken).collect();
        let codes: Vec<Code> = taken.iter().map(|at| links[*at].code.clone()).collect();
        let mut there = vec![None; links.len()];
        for (at, found) in taken.into_iter().zip(self.get_many(&codes).await?) {
            let vanished = || StoreError::Damaged(format!("link {}: gone", links[at].code));
            there[at] = Some(found.ok_or_else(vanished)?);
        }
        let stands = links.iter().zip(&there).map(|(new, there)| there.as_ref().unwrap_or(new));
        let mut entries = Entries::new();
        for link in stands {
            for address in link.addresses() {
                let codes = entries.entry(schema::address_of(address)).or_default();
                if codes.len() < max_codes {
                    codes.push(link.code.to_string());
                }
            }
        }
        self.enter(entries, max_codes).await?;
        Ok(there)
    }

    async fn enter(&self, entries: Entries, max_codes: usize) -> Result<(), StoreError> {
        let entries: Vec<_> = entries.into_iter().collect();
        let pieces = schema::pieces(entries.iter().map(|((partition, _), _)| *partition));
        let calls = pieces.into_iter().map(|(partition, at)| {
            let mut call = scripts::ENTER.at(&prefix(partition)).arg(max_codes);
            for ((_, name), codes) in at.iter().map(|at| &entries[*at]) {
                call = call.arg(&name[..]).arg(codes.join(" "));
            }
            Ok(async move { self.connection.script::<i64>(Trip::Write, &call).await })
        });
        stream::iter(calls).try_buffer_unordered(AT_ONCE).try_for_each(|_| async { Ok(()) }).await
    }
}
