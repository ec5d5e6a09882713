//! What was counted a moment ago: a stream, the same for all nodes, cut to the last minutes.

use ::redis::streams::StreamRangeReply;

use super::connection::Trip;
use super::schema::NEWS;
use super::{Redis, scripts};
use crate::store::{Bulletin, News, NewsId, StoreError};

/// Items kept, at least: ten minutes of one a second.
const MOST: usize = 600;
/// The place before the first item.
const BEGINNING: &str = "0-0";

impl Bulletin for Redis {
    async fn tell(&self, item: &[u8]) -> Result<(), StoreError> {
        let call = scripts::TELL.at(NEWS).arg(self.token()).arg(item).arg(MOST);
        self.connection.script::<i64>(Trip::Write, &call).await.map(|_| ())
    }

    async fn news_after(&self, place: &NewsId, limit: usize) -> Result<News, StoreError> {
        let known = if is_id(&place.0) { place.0.as_str() } else { "" };
        let call = scripts::NEWS.at(NEWS).arg(known).arg(limit.max(1));
        let (gap, found): (bool, Vec<Vec<u8>>) = self.connection.script(Trip::Query, &call).await?;
        let pairs = found.chunks_exact(2).take(limit);
        let items = pairs.map(|pair| {
            let place = String::from_utf8_lossy(&pair[0]).into_owned();
            (NewsId(place), pair[1].clone())
        });
        Ok(News { items: items.collect(), gap })
    }

    async fn last_news(&self) -> Result<NewsId, StoreError> {
        let mut look = ::redis::cmd("XREVRANGE");
        look.arg(NEWS).arg("+").arg("-").arg("COUNT").arg(1);
        let last: StreamRangeReply = self.connection.command(Trip::Query, &look).await?;
        let last = last.ids.into_iter().next().map(|entry| entry.id);
        Ok(NewsId(last.unwrap_or_else(|| BEGINNING.to_owned())))
    }
}

/// Whether it is an id of a stream: milliseconds and a number among those of the same.
fn is_id(place: &str) -> bool {
    let number =
        |text: &str| text.parse::<u64>().is_ok() && text.bytes().all(|byte| byte.is_ascii_digit());
    place.split_once('-').is_some_and(|(ms, sequence)| number(ms) && number(sequence))
}
