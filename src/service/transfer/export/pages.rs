//! Reading links page by page, and handing on what is made of them no faster than it is read.

use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::ExportError;
use crate::model::code::{Code, random_text};
use crate::model::link::Link;
use crate::store::backup::Backup as _;
use crate::store::{Account, Tallies as _};
use crate::store::{Links as _, Listing, Partitions as _, Place, Progress, Store, StoreError};

/// Links read at once.
const PAGE: usize = 1_000;
/// Bytes handed on at once.
const PIECE: usize = 64 * 1024;
/// How long the counting is held at a time: if this process ends, it goes on after that.
const LEASE: Duration = Duration::from_secs(30);
/// How often that is renewed.
const RENEW_EVERY: Duration = Duration::from_secs(5);
/// How long a reader may take nothing while the counting is held for it.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long to try for a moment at which the counting is held and no node is in the midst of a round.
const SETTLE_WITHIN: Duration = Duration::from_secs(20);
/// Between two tries.
const SETTLE_PAUSE: Duration = Duration::from_millis(300);

/// Where an export goes, and what it holds up meanwhile.
pub(super) struct Out {
    to: mpsc::Sender<Result<Bytes, ExportError>>,
    /// What is not handed on yet.
    waiting: Vec<u8>,
    hold: Option<Hold>,
    /// [`PATIENCE`].
    patience: Duration,
}

/// The counting, held.
struct Hold {
    store: Store,
    name: String,
    renewed: Instant,
}

impl Out {
    /// Nothing is held yet.
    pub(super) fn new(to: mpsc::Sender<Result<Bytes, ExportError>>) -> Self {
        Self { to, waiting: Vec::new(), hold: None, patience: PATIENCE }
    }

    /// Hands text on, once there is enough of it, and room for it.
    pub(super) async fn send(&mut self, text: &[u8]) -> Result<(), ExportError> {
        self.waiting.extend_from_slice(text);
        if self.waiting.len() >= PIECE {
            self.flush().await?;
        }
        match self.hold.as_ref().is_some_and(|hold| hold.renewed.elapsed() >= RENEW_EVERY) {
            true => self.renew().await,
            false => Ok(()),
        }
    }

    /// Hands on what there is, once there is room for it. What is held stays so meanwhile, but not for
    /// a reader that takes nothing: then this is [`ExportError::Stalled`].
    pub(super) async fn flush(&mut self) -> Result<(), ExportError> {
        let since = Instant::now();
        while !self.waiting.is_empty() {
            let wait = RENEW_EVERY.min(self.patience);
            if let Ok(room) = tokio::time::timeout(wait, self.to.reserve()).await {
                let piece = std::mem::take(&mut self.waiting);
                room.map_err(|_| ExportError::Gone)?.send(Ok(piece.into()));
                return Ok(());
            }
            if self.hold.is_some() && since.elapsed() >= self.patience {
                return Err(ExportError::Stalled(self.patience.as_secs()));
            }
            self.renew().await?;
        }
        Ok(())
    }

    /// Holds the counting, at a moment when all partitions have counted each journal equally far, so
    /// that the figures of links and of the site belong together. A node that died in the midst of a
    /// round is not waited for: what it has counted and how far belong together in each partition.
    pub(super) async fn hold(&mut self, store: &Store) -> Result<(), ExportError> {
        let name = random_text(16);
        let deadline = Instant::now() + SETTLE_WITHIN;
        loop {
            let over = Instant::now() >= deadline;
            if store.hold(&name, LEASE).await? {
                let (store, name) = (store.clone(), name.clone());
                // From here on whoever ends early lets it go.
                self.hold = Some(Hold { store: store.clone(), name, renewed: Instant::now() });
                if over || store.partitions() == 1 || is_settled(&store).await? {
                    return Ok(());
                }
                self.let_go().await;
            } else if over {
                return Err(ExportError::Held);
            }
            tokio::time::sleep(SETTLE_PAUSE).await;
        }
    }

    /// Makes sure that nothing was counted since [`hold`](Self::hold), and that nothing will be for
    /// another while.
    pub(super) async fn renew(&mut self) -> Result<(), ExportError> {
        let Some(hold) = &mut self.hold else { return Ok(()) };
        if !hold.store.hold_on(&hold.name, LEASE).await? {
            return Err(ExportError::LostHold);
        }
        hold.renewed = Instant::now();
        Ok(())
    }

    /// Lets the counting go on, if it is held.
    pub(super) async fn let_go(&mut self) {
        let Some(hold) = self.hold.take() else { return };
        if let Err(error) = hold.store.let_go(&hold.name).await {
            tracing::warn!(%error, "the counting goes on in half a minute, and not at once");
        }
    }
}

/// Whether all partitions stand at the same places of each journal.
async fn is_settled(store: &Store) -> Result<bool, StoreError> {
    for Account { node, .. } in store.accounts().await? {
        let progress: Vec<Progress> = store.progress(&node).await?;
        if progress.windows(2).any(|two| two[0].lanes != two[1].lanes) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The links there are, oldest first.
pub(super) struct Pages {
    store: Store,
    after: Option<Place>,
    /// The newest link of the moment at which the reading began.
    last: Option<Place>,
    told: Option<Told>,
}

impl Pages {
    /// All links that there are now.
    pub(super) async fn all(store: &Store) -> Result<Self, StoreError> {
        let mut pages = Self { store: store.clone(), after: None, last: None, told: None };
        pages.last = pages.newest().await?;
        Ok(pages)
    }

    /// All links that there are now, to be asked later for [the rest](Self::rest).
    pub(super) async fn remembered(store: &Store) -> Result<Self, StoreError> {
        Ok(Self { told: Some(Told::default()), ..Self::all(store).await? })
    }

    /// From the oldest on once more, up to the one that is the newest now: those that were not
    /// [remembered](Self::remembered). They may stand anywhere, since what is imported has a date of
    /// its own.
    pub(super) async fn rest(&mut self) -> Result<(), StoreError> {
        self.rewind();
        self.last = self.newest().await?;
        if let Some(told) = &mut self.told {
            told.close();
        }
        Ok(())
    }

    async fn newest(&self) -> Result<Option<Place>, StoreError> {
        let newest = self.store.list(&Listing::All, None, 1).await?;
        Ok(newest.into_iter().next().map(|(place, _)| place))
    }

    /// From the oldest on once more.
    pub(super) fn rewind(&mut self) {
        self.after = None;
    }

    /// Some more of them, or none of a page that was told before; `None`: these were all.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Link>>, StoreError> {
        if self.after == self.last {
            return Ok(None);
        }
        let mut page = self.store.oldest(self.after.as_ref(), PAGE).await?;
        let end = page.iter().position(|(place, _)| Some(place) == self.last.as_ref());
        page.truncate(end.map_or(page.len(), |end| end + 1));
        // The newest may have gone elsewhere: it was replaced by one that is imported.
        self.after = page.last().map_or(self.last.clone(), |(place, _)| Some(place.clone()));
        let mut codes: Vec<Code> = page.into_iter().map(|(_, code)| code).collect();
        if let Some(told) = &self.told {
            codes.retain(|code| !told.holds(code));
        }
        let links: Vec<Link> = self.store.get_many(&codes).await?.into_iter().flatten().collect();
        if let Some(told) = &mut self.told {
            links.iter().for_each(|link| told.add(&link.code));
        }
        Ok(Some(links))
    }
}

/// Which links were told, as hashes of eight bytes: eight to sixteen bytes of memory a link, as the
/// list grows. Its keys are chosen at random, so that nobody can choose codes that pass for others.
#[derive(Default)]
struct Told {
    keys: RandomState,
    /// In order once it is closed.
    hashes: Vec<u64>,
    closed: bool,
}

impl Told {
    fn add(&mut self, code: &Code) {
        // A listing names each link once: nobody asks for those that are told when it is closed.
        if !self.closed {
            self.hashes.push(self.keys.hash_one(code.as_str()));
        }
    }

    fn close(&mut self) {
        self.hashes.sort_unstable();
        self.closed = true;
    }

    fn holds(&self, code: &Code) -> bool {
        self.closed && self.hashes.binary_search(&self.keys.hash_one(code.as_str())).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Upkeep as _;
    use crate::store::conformance::{at, link, mint};
    use crate::store::embedded::Embedded;

    async fn store(folder: &std::path::Path) -> Store {
        let store = Store::Embedded(Embedded::open(folder, 1 << 20).unwrap());
        store.prepare().await.unwrap();
        store
    }

    async fn links(store: &Store, links: &[(&str, i64)]) {
        let of = |(code, second): &(&str, i64)| Link { created_at: at(*second), ..link(code) };
        mint(store, &links.iter().map(of).collect::<Vec<_>>()).await;
    }

    async fn read(pages: &mut Pages) -> Vec<String> {
        let mut codes = Vec::new();
        while let Some(page) = pages.next().await.unwrap() {
            codes.extend(page.iter().map(|link| link.code.to_string()));
        }
        codes
    }

    #[tokio::test]
    async fn links_that_come_in_behind_the_reading_point_are_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        links(&store, &[("b", 20), ("d", 40), ("ahead", 900_000)]).await;
        let mut pages = Pages::remembered(&store).await.unwrap();
        assert_eq!(read(&mut pages).await, ["b", "d", "ahead"]);
        links(&store, &[("a", 10), ("c", 30), ("e", 50), ("later", 900_001)]).await;
        assert_eq!(read(&mut pages).await, [""; 0]);
        pages.rest().await.unwrap();
        assert_eq!(read(&mut pages).await, ["a", "c", "e", "later"]);
    }

    #[tokio::test]
    async fn a_reader_that_takes_nothing_does_not_hold_the_counting_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        let (to, mut pieces) = mpsc::channel(1);
        let mut out = Out { patience: Duration::from_millis(20), ..Out::new(to) };
        out.send(b"one").await.unwrap();
        out.flush().await.unwrap();
        out.hold(&store).await.unwrap();
        out.send(b"two").await.unwrap();
        assert!(matches!(out.flush().await, Err(ExportError::Stalled(_))));
        out.let_go().await;
        assert!(store.hold("another", LEASE).await.unwrap(), "it was let go");
        // Held or not: what is read goes on.
        assert_eq!(pieces.recv().await.unwrap().unwrap(), "one");
        out.flush().await.unwrap();
        assert_eq!(pieces.recv().await.unwrap().unwrap(), "two");
    }
}
