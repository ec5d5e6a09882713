//! Word of what other nodes do, over pub/sub. What was said while nobody listened is gone, so every
//! (re)subscription tells that something may have been missed.

use std::time::Duration;

use ::redis::{Client, ConnectionInfo, Msg, RedisResult};
use futures_util::StreamExt;
use tokio::time::{Instant, sleep, timeout};

use super::address::connect_within;
use super::connection::Trip;
use super::schema::CHANGES;
use super::{Redis, unique};
use crate::model::code::Code;
use crate::model::key::KeyId;
use crate::store::{Change, Changes};

/// How often this listener says something to itself, by way of the connection that all else goes
/// by: a half-open connection, or a cluster node cut off from the others, looks like silence.
const HEARTBEAT: Duration = Duration::from_secs(4);
/// After so long a silence the listener connects anew.
const SILENCE: Duration = Duration::from_secs(15);
/// The shortest and longest pause before it does.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

impl Changes for Redis {
    async fn follow_changes(&self, tell: impl Fn(Change) + Send + Sync) {
        let nodes = self.connection.address().listeners();
        let own = format!("h:{}", unique());
        let mut pause = PAUSE.0;
        for node in nodes.iter().cycle() {
            if let Ok(listener) = subscribe(node).await {
                pause = PAUSE.0;
                tell(Change::Missed);
                self.listen(listener, &own, &tell).await;
            }
            sleep(pause).await;
            pause = (pause * 2).min(PAUSE.1);
        }
    }
}

impl Redis {
    /// Hands messages on until the connection is lost, or seems to be.
    async fn listen(
        &self,
        listener: ::redis::aio::PubSub,
        own: &str,
        tell: &(impl Fn(Change) + Send + Sync),
    ) {
        let (_sink, mut messages) = listener.split();
        let mut heard = Instant::now();
        let mut beat = tokio::time::interval(HEARTBEAT);
        while heard.elapsed() < SILENCE {
            tokio::select! {
                message = messages.next() => match message {
                    None => return,
                    Some(message) if message.get_payload_bytes() == own.as_bytes() => {
                        heard = Instant::now();
                    }
                    Some(message) => hand_on(&message, tell),
                },
                _ = beat.tick() => {
                    let mut say = ::redis::cmd("PUBLISH");
                    say.arg(CHANGES).arg(own);
                    // Not said is not heard, which is what is listened for.
                    let _ = self.connection.command::<i64>(Trip::Write, &say).await;
                }
            }
        }
    }
}

async fn subscribe(node: &ConnectionInfo) -> RedisResult<::redis::aio::PubSub> {
    let connect = async {
        let mut listener = Client::open(node.clone())?.get_async_pubsub().await?;
        listener.subscribe(CHANGES).await?;
        Ok(listener)
    };
    match timeout(connect_within(SILENCE), connect).await {
        Ok(done) => done,
        Err(_) => Err((::redis::ErrorKind::Io, "no answer in time").into()),
    }
}

fn hand_on(message: &Msg, tell: &impl Fn(Change)) {
    let Ok(text) = std::str::from_utf8(message.get_payload_bytes()) else { return };
    match text.split_once(':') {
        Some(("l", code)) => {
            Code::parse(code).into_iter().for_each(|code| tell(Change::Link(code)))
        }
        Some(("k", id)) => KeyId::parse(id).into_iter().for_each(|id| tell(Change::Key(id))),
        // Others' heartbeats, and what later versions may say.
        _ => {}
    }
}
