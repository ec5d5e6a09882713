//! What comes in at this moment, as server-sent events (WHATWG HTML §9.2).

use std::convert::Infallible;
use std::time::Duration;

use actix_web::http::{Method, header};
use actix_web::rt::time::interval;
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use futures_util::stream::poll_fn;
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use utoipa::ToSchema;

use crate::http::Services;
use crate::http::caller::Caller;
use crate::http::endpoint::Endpoint;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::QueryString;
use crate::model::code::Code;
use crate::model::tally::Count;
use crate::service::live::{Clicks, Gap, Listener, LiveError, NewsId, Word};

/// How often a listener is told what was counted since.
const EVERY: Duration = Duration::from_secs(1);
/// After so many times without anything to tell there is a comment, so that nobody in between takes
/// the connection for dead.
const QUIET_MOST: u32 = 15;
/// Events that wait for a slow reader before its stream is ended. Below them the system's own
/// buffers hold a few megabytes.
const QUEUE: usize = 16;
/// How long a client waits before it connects again, in milliseconds.
const RETRY_MS: u32 = 2_000;

/// `/stats/live`.
pub(super) fn endpoint() -> Endpoint {
    Endpoint::at("/stats/live").on(Method::GET, live, __path_live)
}

/// The `data` of an event `clicks`.
#[derive(Serialize, ToSchema)]
#[schema(as = LiveClicks)]
pub(super) struct ClicksBody {
    /// When the last of these clicks were counted.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// How many nodes counted them.
    nodes: usize,
    /// All of them.
    total: CountBody,
    /// Those on each link, most clicks first: at most 1,000 links.
    links: Vec<LinkCountBody>,
    /// Those on the links beyond these, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    other: Option<CountBody>,
}

/// Clicks.
#[derive(Serialize, ToSchema)]
#[schema(as = LiveCount)]
pub(super) struct CountBody {
    /// All of them.
    clicks: u64,
    /// Those of people.
    people: u64,
    /// Those of bots, link previews and browsers that fetched ahead.
    bots: u64,
}

/// Clicks on one link.
#[derive(Serialize, ToSchema)]
#[schema(as = LiveLink)]
pub(super) struct LinkCountBody {
    #[schema(value_type = String, example = "8yDbrB")]
    code: Code,
    #[serde(flatten)]
    count: CountBody,
}

/// The `data` of an event `gap`.
#[derive(Serialize)]
struct GapBody {
    reason: &'static str,
    detail: &'static str,
}

impl From<Count> for CountBody {
    fn from(count: Count) -> Self {
        Self { clicks: count.clicks(), people: count.people, bots: count.bots }
    }
}

impl From<Clicks> for ClicksBody {
    fn from(clicks: Clicks) -> Self {
        let Clicks { at, nodes, shares } = clicks;
        let (total, other) = (shares.total().into(), shares.other);
        let links = shares.links.into_iter();
        let links = links.map(|(code, n)| LinkCountBody { code, count: n.into() });
        let other = (other.clicks() > 0).then(|| other.into());
        Self { at, nodes, total, links: links.collect(), other }
    }
}

impl From<Gap> for GapBody {
    fn from(gap: Gap) -> Self {
        let (reason, detail) = match gap {
            Gap::Forgotten => (
                "forgotten",
                "the clicks after this place are not remembered any more; going on from now",
            ),
            Gap::Unreadable => {
                ("unreadable", "a node of another version counted clicks that can't be told here")
            }
        };
        Self { reason, detail }
    }
}

/// What comes in at this moment, from all nodes.
///
/// A stream of server-sent events: each second in which clicks were counted an event `clicks`, whose
/// `data` is JSON as shown here and whose `id` is a place in the stream. A client that connects again
/// with `Last-Event-ID` goes on from there: nothing is missed and nothing comes twice. Places are
/// remembered for some minutes; when one is not, an event `gap` says so and the stream goes on from
/// now. A comment comes when there was nothing to tell for 15 seconds. Whoever reads too slowly is
/// dropped and may connect again.
///
/// It is a courtesy for watching. The exact figures are those of `/stats`.
#[utoipa::path(
    get, path = "/stats/live", tag = "stats",
    params(
        ("Last-Event-ID" = Option<String>, Header, description = "The `id` of the last event that \
            was received"),
        ("after" = Option<String>, Query, description = "The same, for clients that can't set \
            headers. Default: from now on"),
    ),
    responses(
        (status = 200, description = "Events, until either side ends it", body = ClicksBody,
         content_type = "text/event-stream"),
        (status = 503, description = "This node has all the listeners it takes, or the store does \
            not answer; `Retry-After` says when to ask again", body = ProblemBody,
         content_type = "application/problem+json"),
    )
)]
pub(super) async fn live(
    caller: Caller,
    request: HttpRequest,
    services: web::Data<Services>,
) -> Result<HttpResponse, Problem> {
    let query = QueryString::read(&request, &["after"])?;
    let header = request.headers().get("last-event-id");
    // An empty one is what a client sends that has not received any (§9.2.3).
    let last = header.map(|id| id.to_str().unwrap_or("?")).filter(|id| !id.is_empty());
    let listener = services.live.listen(&caller, last.or(query.text("after"))).await?;
    let mut response = HttpResponse::Ok();
    response
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(("X-Accel-Buffering", "no"))
        .force_close();
    if request.method() == Method::HEAD {
        return Ok(response.finish());
    }
    let (queue, mut events) = mpsc::channel(QUEUE);
    actix_web::rt::spawn(Feed::new(listener, queue).run());
    let events =
        poll_fn(move |cx| events.poll_recv(cx).map(|event| event.map(Ok::<_, Infallible>)));
    Ok(response.streaming(events))
}

/// Tells one listener.
struct Feed {
    listener: Listener,
    queue: mpsc::Sender<Bytes>,
    /// How many times in a row there was nothing to tell.
    quiet: u32,
}

/// Why a listener is told nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The client is gone, the key revoked, or the service stops.
    Over,
    /// The client does not keep up.
    Slow,
}

impl Feed {
    fn new(listener: Listener, queue: mpsc::Sender<Bytes>) -> Self {
        // The place to go on from is known before anything happens: an event without data is not
        // dispatched, but its `id` counts.
        let hello = format!("retry: {RETRY_MS}\nid: {}\n\n", listener.place().0);
        // The queue is empty: there is room.
        drop(queue.try_send(hello.into()));
        Self { listener, queue, quiet: 0 }
    }

    /// Tells until there is nobody to tell, or nothing more to be told.
    async fn run(mut self) {
        let mut tick = interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let end = loop {
            tokio::select! {
                () = self.queue.closed() => break End::Over,
                () = self.listener.closed() => break End::Over,
                _ = tick.tick() => {}
            }
            if let Err(end) = self.turn().await {
                break end;
            }
        };
        if end == End::Slow {
            tracing::debug!("a listener does not keep up and is dropped");
            self.listener.drop_slow();
        }
    }

    /// Tells what there is to tell now.
    async fn turn(&mut self) -> Result<(), End> {
        let word = match self.listener.next(Timestamp::now()).await {
            Ok(word) => word,
            // Told later, all at once.
            Err(LiveError::Store(_)) => Word::default(),
            Err(LiveError::Forbidden(_) | LiveError::Full) => return Err(End::Over),
        };
        let mut text = events(word, self.listener.place());
        self.quiet = if text.is_empty() { self.quiet + 1 } else { 0 };
        if self.quiet == QUIET_MOST {
            self.quiet = 0;
            text.push_str(": nothing for a while\n\n");
        }
        if text.is_empty() {
            return Ok(());
        }
        self.queue.try_send(text.into()).map_err(|error| match error {
            mpsc::error::TrySendError::Closed(_) => End::Over,
            mpsc::error::TrySendError::Full(_) => End::Slow,
        })
    }
}

/// A word as events. Only the last has the place: a client that got half of them asks for all.
fn events(word: Word, place: &NewsId) -> String {
    let mut text = String::new();
    let gap = word.gap.map(|gap| ("gap", to_json(&GapBody::from(gap))));
    let clicks = word.clicks.map(|clicks| ("clicks", to_json(&ClicksBody::from(clicks))));
    let id = format!("id: {}\n", place.0);
    let last = if clicks.is_some() { "clicks" } else { "gap" };
    for (name, data) in gap.into_iter().chain(clicks) {
        let id = if name == last { id.as_str() } else { "" };
        text.push_str(&format!("event: {name}\n{id}data: {data}\n\n"));
    }
    text
}

fn to_json(body: &impl Serialize) -> String {
    // Writing plain data into memory can't fail.
    serde_json::to_string(body).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::code::random_text;
    use crate::model::tally::{Cell, Day, Row, Subject};
    use crate::service::auth::Principal;
    use crate::service::live::{Live, Pulse, Shares};
    use crate::store::cached::{self, Cached};
    use crate::store::embedded::Embedded;
    use crate::store::{Batch, Bulletin as _, NodeId, Store};

    fn count(people: u64, bots: u64) -> Count {
        Count { people, bots }
    }

    fn clicks(other: Count) -> Clicks {
        let links = vec![(Code::parse("two").unwrap(), count(2, 1))];
        let at = "2026-11-23T06:00:00.25Z".parse().unwrap();
        Clicks { at, nodes: 2, shares: Shares { links, other } }
    }

    #[test]
    fn clicks_are_one_event_with_the_place_to_go_on_from() {
        let place = NewsId("abc-12".into());
        let word = Word { gap: None, clicks: Some(clicks(count(0, 0))) };
        assert_eq!(
            events(word, &place),
            "event: clicks\nid: abc-12\ndata: {\"at\":\"2026-11-23T06:00:00.25Z\",\"nodes\":2,\
             \"total\":{\"clicks\":3,\"people\":2,\"bots\":1},\
             \"links\":[{\"code\":\"two\",\"clicks\":3,\"people\":2,\"bots\":1}]}\n\n"
        );
        let word = Word { gap: None, clicks: Some(clicks(count(4, 0))) };
        let text = events(word, &place);
        assert!(text.contains("\"total\":{\"clicks\":7,\"people\":6,\"bots\":1}"), "{text}");
        assert!(text.ends_with("\"other\":{\"clicks\":4,\"people\":4,\"bots\":0}}\n\n"), "{text}");
        assert_eq!(events(Word::default(), &place), "");
    }

    #[test]
    fn only_the_last_event_has_the_place() {
        let place = NewsId("abc-12".into());
        let gap = events(Word { gap: Some(Gap::Forgotten), clicks: None }, &place);
        let start = "event: gap\nid: abc-12\ndata: {\"reason\":\"forgotten\",\"detail\":\"";
        assert!(gap.starts_with(start), "{gap}");
        let word = Word { gap: Some(Gap::Unreadable), clicks: Some(clicks(count(0, 0))) };
        let both = events(word, &place);
        assert!(both.starts_with("event: gap\ndata: {\"reason\":\"unreadable\","), "{both}");
        assert!(both.contains("}\n\nevent: clicks\nid: abc-12\ndata: {"), "{both}");
    }

    /// A store, and those who listen to what it is told.
    fn live(folder: &std::path::Path) -> (Store, Live) {
        let store = Store::Embedded(Embedded::open(folder, 1 << 20).unwrap());
        let (fresh_for, stale_for, unknown_for) = (EVERY, EVERY, EVERY);
        let settings = cached::Settings { capacity: 0, fresh_for, stale_for, unknown_for };
        (store.clone(), Live::new(Cached::new(store, &settings)))
    }

    async fn feed(live: &Live) -> (Feed, mpsc::Receiver<Bytes>) {
        let (queue, events) = mpsc::channel(QUEUE);
        (Feed::new(live.listen(&Principal::local(), None).await.unwrap(), queue), events)
    }

    async fn click(store: &Store) {
        let mut batch = Batch::default();
        let row = Row::of(Cell { count: count(1, 0), ..Cell::default() });
        batch.rows.insert((Day(1), Subject::Link(Code::parse("one").unwrap())), row);
        let pulse = Pulse::of(&NodeId(random_text(16)), Timestamp::UNIX_EPOCH, [&batch]).unwrap();
        store.tell(&pulse.to_bytes()).await.unwrap();
    }

    #[actix_web::test]
    async fn who_does_not_keep_up_is_dropped_and_the_others_are_told_on() {
        let folder = tempfile::tempdir().unwrap();
        let (store, live) = live(folder.path());
        let (mut slow, unread) = feed(&live).await;
        let (mut fast, mut read) = feed(&live).await;
        assert_eq!(
            read.recv().await.unwrap(),
            format!("retry: 2000\nid: {}\n\n", fast.listener.place().0)
        );
        for turn in 1..=QUEUE {
            click(&store).await;
            let full = if turn < QUEUE { Ok(()) } else { Err(End::Slow) };
            assert_eq!(slow.turn().await, full, "{turn}");
            assert_eq!(fast.turn().await, Ok(()), "{turn}");
            assert!(read.recv().await.unwrap().starts_with(b"event: clicks\n"));
        }
        drop(unread);
        assert_eq!(slow.turn().await, Ok(()), "nothing to tell");
        click(&store).await;
        assert_eq!(slow.turn().await, Err(End::Over));
    }

    #[actix_web::test]
    async fn a_quiet_stream_says_now_and_then_that_it_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let (store, live) = live(folder.path());
        let (mut feed, mut events) = feed(&live).await;
        events.recv().await.unwrap();
        click(&store).await;
        for turn in 0..=2 * QUIET_MOST {
            feed.turn().await.unwrap();
            let said = events.try_recv().map(|text| String::from_utf8(text.to_vec()).unwrap());
            match turn {
                0 => assert!(said.unwrap().starts_with("event: clicks\n")),
                turn if turn % QUIET_MOST == 0 => assert!(said.unwrap().starts_with(": ")),
                _ => assert!(said.is_err(), "{turn}: {said:?}"),
            }
        }
    }
}
