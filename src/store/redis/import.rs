//! Taking in many links at once: first the links, then the index of addresses, which may lie
//! elsewhere. Whatever is interrupted between the two is made whole by doing it again.
//!
//! The calls are made ready on the blocking pool: the worker has readers to serve. Few of them are
//! under way at a time, each about a millisecond long, for the worker's readers wait behind them.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::Redis;
use super::connection::Trip;
use super::links::{claim_args, in_order, read_claim};
use super::schema::{self, partition_of, prefix};
use super::scripts::{self, Call};
use crate::model::code::Code;
use crate::model::link::Link;
use crate::store::{Claim, Links as _, StoreError, aside};

/// Calls of an import that are under way at the same time: while Redis does one, it has the next.
const AT_ONCE: usize = 2;

impl Redis {
    /// The port's `import`.
    pub(super) async fn take_in(
        &self,
        links: &Arc<[Link]>,
        max_codes: usize,
    ) -> Result<Vec<Option<Link>>, StoreError> {
        let claims = self.claim_all(links).await?;
        let taken: Vec<usize> = (0..links.len()).filter(|at| claims[*at] == Claim::Taken).collect();
        let codes: Vec<Code> = taken.iter().map(|at| links[*at].code.clone()).collect();
        let mut there = vec![None; links.len()];
        for (at, found) in taken.into_iter().zip(self.get_many(&codes).await?) {
            let vanished = || StoreError::Damaged(format!("link {}: gone", links[at].code));
            there[at] = Some(found.ok_or_else(vanished)?);
        }
        let new = Arc::clone(links);
        let (calls, there) = aside(move || (entries(&new, &there, max_codes), there)).await?;
        let enter = async |call: Call| self.connection.script::<i64>(Trip::Write, &call).await;
        let enter = stream::iter(calls).map(enter).buffer_unordered(AT_ONCE);
        enter.try_for_each(async |_| Ok(())).await?;
        Ok(there)
    }

    async fn claim_all(&self, links: &Arc<[Link]>) -> Result<Vec<Claim>, StoreError> {
        let (this, new) = (self.clone(), Arc::clone(links));
        let calls = aside(move || this.claims(&new)).await?;
        let claim = async |(at, call): (Vec<usize>, Call)| {
            let answers: String = self.connection.script(Trip::Write, &call).await?;
            Ok::<_, StoreError>((at, answers.bytes().map(read_claim).collect()))
        };
        let claims = stream::iter(calls).map(claim).buffered(AT_ONCE);
        in_order(links.len(), claims.try_collect().await?)
    }

    /// The calls that claim links, each with the links' positions.
    fn claims(&self, links: &[Link]) -> Vec<(Vec<usize>, Call)> {
        let pieces = schema::pieces(links.iter().map(|link| partition_of(link.code.as_str())));
        let call = |(partition, at): (usize, Vec<usize>)| {
            let call = scripts::CLAIM.at(&prefix(partition)).arg(self.token());
            let call = at.iter().fold(call, |call, at| claim_args(call, &links[*at]));
            (at, call)
        };
        pieces.into_iter().map(call).collect()
    }
}

/// The calls that enter the code of whatever link stands there under its addresses, each of which
/// comes once.
fn entries(links: &[Link], there: &[Option<Link>], max_codes: usize) -> Vec<Call> {
    let mut codes_of = HashMap::<(usize, [u8; 8]), (usize, String)>::with_capacity(links.len());
    let stands = links.iter().zip(there).map(|(new, there)| there.as_ref().unwrap_or(new));
    for link in stands {
        for address in link.addresses() {
            let (count, codes) = codes_of.entry(schema::address_of(address)).or_default();
            if *count < max_codes {
                if *count > 0 {
                    codes.push(' ');
                }
                codes.push_str(link.code.as_str());
                *count += 1;
            }
        }
    }
    let codes_of: Vec<_> = codes_of.into_iter().collect();
    let pieces = schema::pieces(codes_of.iter().map(|((partition, _), _)| *partition));
    let call = |(partition, at): (usize, Vec<usize>)| {
        let call = scripts::ENTER.at(&prefix(partition)).arg(max_codes);
        at.iter().fold(call, |call, at| {
            let ((_, name), (_, codes)) = &codes_of[*at];
            call.arg(&name[..]).arg(codes)
        })
    };
    pieces.into_iter().map(call).collect()
}
