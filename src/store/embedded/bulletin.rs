//! What was counted a moment ago, in memory: there is one process only, and a restart forgets it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Embedded;
use crate::model::code::random_text;
use crate::store::{Bulletin, News, NewsId, StoreError};

/// Items kept: ten minutes of one a second.
const MOST: usize = 600;

/// The items told last. Clones share them.
#[derive(Clone)]
pub(super) struct Board(Arc<Mutex<Items>>);

struct Items {
    /// Drawn at the start, so that a place of an earlier process is known for what it is.
    epoch: String,
    /// The number of the first item that is kept.
    first: u64,
    kept: VecDeque<Vec<u8>>,
}

impl Board {
    pub(super) fn new() -> Self {
        let items = Items { epoch: random_text(12), first: 1, kept: VecDeque::new() };
        Self(Arc::new(Mutex::new(items)))
    }

    fn items(&self) -> MutexGuard<'_, Items> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Items {
    fn place(&self, number: u64) -> NewsId {
        NewsId(format!("{}-{number}", self.epoch))
    }

    /// The number of a place, if it is one of ours.
    fn number(&self, place: &NewsId) -> Option<u64> {
        let (epoch, number) = place.0.split_once('-')?;
        (epoch == self.epoch).then(|| number.parse().ok())?
    }

    fn next(&self) -> u64 {
        self.first + self.kept.len() as u64
    }
}

impl Bulletin for Embedded {
    async fn tell(&self, item: &[u8]) -> Result<(), StoreError> {
        let mut items = self.board.items();
        items.kept.push_back(item.to_vec());
        if items.kept.len() > MOST {
            items.kept.pop_front();
            items.first += 1;
        }
        Ok(())
    }

    async fn news_after(&self, place: &NewsId, limit: usize) -> Result<News, StoreError> {
        let items = self.board.items();
        let after = items.number(place).filter(|number| *number < items.next());
        let from = after.map_or(items.first, |number| number + 1);
        let gap = after.is_none() || from < items.first;
        let skipped = from.saturating_sub(items.first) as usize;
        let news = (from.max(items.first)..).zip(items.kept.iter().skip(skipped)).take(limit);
        let news = news.map(|(number, item)| (items.place(number), item.clone()));
        Ok(News { items: news.collect(), gap })
    }

    async fn last_news(&self) -> Result<NewsId, StoreError> {
        let items = self.board.items();
        Ok(items.place(items.next() - 1))
    }
}
