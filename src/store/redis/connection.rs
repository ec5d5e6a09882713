//! A connection of one's own, opened at first use, and what becomes of its errors.
//!
//! Callers on one thread share one multiplexed connection, so that what waits at the same moment
//! shares a trip. Its driver is a task of the runtime that first used it, which is why each worker
//! forks its own. Whatever happens to Redis, a call ends within its time limit, and a connection
//! that does not recover by itself is thrown away and made anew.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ::redis::aio::{ConnectionManager, ConnectionManagerConfig};
use ::redis::cluster_async::ClusterConnection;
use ::redis::cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo};
use ::redis::{
    Client, Cmd, ErrorKind, FromRedisValue, Pipeline, RedisError, RedisResult, ServerErrorKind,
    Value,
};
use tokio::sync::OnceCell;

use super::address::{Address, connect_within};
use super::scripts::Call;
use crate::store::StoreError;

/// After a failed attempt to connect, calls fail at once for this long: a dead Redis is asked ten
/// times a second, however many readers there are.
const BACK_OFF: Duration = Duration::from_millis(100);
/// So many calls in a row without an answer, and the connection is made anew: the other end may
/// have vanished without a word, which TCP by itself notices after a quarter of an hour.
const PATIENCE: u32 = 3;
/// Commands that may wait to be written; more wait in line before them.
const QUEUE: usize = 1_024;

/// What a call does, which decides how long it may take and whether it may be sent twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trip {
    /// Changes nothing, and somebody waits for it: a reader's look-up.
    Read,
    /// Changes nothing, and may take as long as a write.
    Query,
    /// Changes something.
    Write,
}

/// What is asked of Redis.
#[derive(Clone, Copy)]
enum Request<'a> {
    Command(&'a Cmd),
    Commands(&'a Pipeline),
    Script(&'a Call),
    OnMasters(&'a Cmd),
}

#[derive(Clone)]
enum Wire {
    Single(ConnectionManager),
    Cluster(ClusterConnection),
}

/// Opens lazily, heals by itself, shared by all futures of one worker.
pub(super) struct Connection {
    line: Arc<Line>,
    read_within: Duration,
    wire: Mutex<Arc<OnceCell<Wire>>>,
    failures: AtomicU32,
}

/// What is needed to connect, and why not to try at this moment.
struct Line {
    address: Arc<Address>,
    write_within: Duration,
    refused: Mutex<Option<(Instant, StoreError)>>,
}

impl Connection {
    /// No connection yet.
    pub(super) fn new(
        address: Arc<Address>,
        read_within: Duration,
        write_within: Duration,
    ) -> Self {
        let line = Arc::new(Line { address, write_within, refused: Mutex::default() });
        Self { line, read_within, wire: Mutex::default(), failures: AtomicU32::new(0) }
    }

    /// Another connection to the same Redis; none yet.
    pub(super) fn fork(&self) -> Self {
        let line = &self.line;
        Self::new(Arc::clone(&line.address), self.read_within, line.write_within)
    }

    /// Where it leads.
    pub(super) fn address(&self) -> &Address {
        &self.line.address
    }

    /// Whether a lost answer makes the client send a command again.
    pub(super) fn sends_twice(&self) -> bool {
        matches!(*self.line.address, Address::Cluster(_))
    }

    /// Runs a command.
    pub(super) async fn command<T: FromRedisValue>(
        &self,
        trip: Trip,
        command: &Cmd,
    ) -> Result<T, StoreError> {
        read_as(self.ask(trip, Request::Command(command)).await?)
    }

    /// Runs a script.
    pub(super) async fn script<T: FromRedisValue>(
        &self,
        trip: Trip,
        call: &Call,
    ) -> Result<T, StoreError> {
        read_as(self.ask(trip, Request::Script(call)).await?)
    }

    /// Runs commands, all on keys of one slot, that are sent together, and gives each one's answer.
    pub(super) async fn commands<T: FromRedisValue>(
        &self,
        trip: Trip,
        commands: &Pipeline,
    ) -> Result<Vec<T>, StoreError> {
        read_as(self.ask(trip, Request::Commands(commands)).await?)
    }

    /// Runs a command on every master, and gives each one's answer.
    pub(super) async fn on_masters<T: FromRedisValue>(
        &self,
        command: &Cmd,
    ) -> Result<Vec<T>, StoreError> {
        read_as(self.ask(Trip::Query, Request::OnMasters(command)).await?)
    }

    /// Gives a request a connection and an end.
    async fn ask(&self, trip: Trip, request: Request<'_>) -> Result<Value, StoreError> {
        let limit = match trip {
            Trip::Read => self.read_within,
            Trip::Query | Trip::Write => self.line.write_within,
        };
        let attempt = async {
            match self.attempt(request).await {
                // Reading twice does no harm, and the connection is being made anew by now.
                Err(Fault::Lost(_)) if trip != Trip::Write => self.attempt(request).await,
                other => other,
            }
        };
        match tokio::time::timeout(limit, attempt).await {
            Ok(answer) => Ok(answer?),
            Err(_) => {
                self.failed();
                Err(StoreError::Unavailable(format!("no answer within {limit:?}")))
            }
        }
    }

    async fn attempt(&self, request: Request<'_>) -> Result<Value, Fault> {
        let wire = self.wire().await?;
        let error = match wire.send(request).await {
            Ok(answer) => {
                self.answered();
                return Ok(answer);
            }
            Err(error) => error,
        };
        match error.kind() {
            ErrorKind::Io => {
                self.failed();
                Err(Fault::Lost(error))
            }
            // A whole cluster is away: its client would go round in circles looking for it.
            ErrorKind::ClusterConnectionNotFound => {
                self.hang_up();
                Err(Fault::Lost(error))
            }
            // What was a master is a replica now: the address leads elsewhere.
            ErrorKind::Server(ServerErrorKind::ReadOnly) => {
                self.hang_up();
                Err(Fault::Answer(error))
            }
            _ => Err(Fault::Answer(error)),
        }
    }

    /// The open connection, or a new one; of many callers one opens it.
    async fn wire(&self) -> Result<Wire, Fault> {
        let cell = Arc::clone(&*locked(&self.wire));
        if let Some(wire) = cell.get() {
            return Ok(wire.clone());
        }
        // A task of its own goes on connecting when the caller's time is over: otherwise callers
        // who wait for less than it takes would for ever begin anew.
        let line = Arc::clone(&self.line);
        let opening = async move { cell.get_or_try_init(|| line.open()).await.cloned() };
        let stopped = |_| StoreError::Unavailable("stopped while connecting".into());
        tokio::spawn(opening).await.map_err(stopped).flatten().map_err(Fault::Unopened)
    }

    fn answered(&self) {
        // Reading first keeps the cache line of the usual case unwritten.
        if self.failures.load(Ordering::Relaxed) > 0 {
            self.failures.store(0, Ordering::Relaxed);
        }
    }

    fn failed(&self) {
        if self.failures.fetch_add(1, Ordering::Relaxed) + 1 >= PATIENCE {
            self.hang_up();
        }
    }

    /// Forgets the connection; calls under way keep theirs.
    fn hang_up(&self) {
        self.failures.store(0, Ordering::Relaxed);
        *locked(&self.wire) = Arc::default();
    }
}

impl Line {
    async fn open(&self) -> Result<Wire, StoreError> {
        if let Some((until, why)) = &*locked(&self.refused)
            && Instant::now() < *until
        {
            return Err(why.clone());
        }
        let opened = self.connect().await.map_err(|e| of_answer(&e));
        let refused = opened.as_ref().err().map(|why| (Instant::now() + BACK_OFF, why.clone()));
        *locked(&self.refused) = refused;
        opened
    }

    async fn connect(&self) -> RedisResult<Wire> {
        match &*self.address {
            Address::Single(node) => {
                // No waiting between tries in there: the time limits and pauses are ours.
                let config = ConnectionManagerConfig::new()
                    .set_connection_timeout(Some(connect_within(self.write_within)))
                    .set_response_timeout(None)
                    .set_number_of_retries(0)
                    .set_pipeline_buffer_size(QUEUE);
                let client = Client::open((**node).clone())?;
                ConnectionManager::new_with_config(client, config).await.map(Wire::Single)
            }
            Address::Cluster(nodes) => {
                let client = Address::cluster_client(nodes, self.write_within)?;
                client.get_async_connection().await.map(Wire::Cluster)
            }
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Wire {
    async fn send(mut self, request: Request<'_>) -> RedisResult<Value> {
        match request {
            Request::Command(command) => self.command(command).await,
            Request::Commands(commands) => match self {
                Self::Single(mut wire) => commands.query_async(&mut wire).await,
                Self::Cluster(mut wire) => commands.query_async(&mut wire).await,
            },
            Request::Script(call) => match self.command(call.command()).await {
                Err(e) if e.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                    self.command(&call.in_full()).await
                }
                answered => answered,
            },
            Request::OnMasters(command) => self.on_masters(command).await,
        }
    }

    async fn command(&mut self, command: &Cmd) -> RedisResult<Value> {
        match self {
            Self::Single(wire) => command.query_async(wire).await,
            Self::Cluster(wire) => command.query_async(wire).await,
        }
    }

    async fn on_masters(&mut self, command: &Cmd) -> RedisResult<Value> {
        let Self::Cluster(wire) = self else {
            return self.command(command).await.map(|answer| Value::Array(vec![answer]));
        };
        let masters = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
        match wire.route_command(command.clone(), masters).await? {
            Value::Map(answers) => Ok(Value::Array(answers.into_iter().map(|(_, v)| v).collect())),
            other => Ok(Value::Array(vec![other])),
        }
    }
}

/// What went wrong.
enum Fault {
    /// There is no connection.
    Unopened(StoreError),
    /// The connection was lost; what was asked may or may not have been done.
    Lost(RedisError),
    /// Redis answered with an error.
    Answer(RedisError),
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Unopened(error) => error,
            Fault::Lost(error) => Self::Unavailable(told(&error)),
            Fault::Answer(error) => of_answer(&error),
        }
    }
}

/// The errors by which Redis refuses a call before it changes anything.
const REFUSALS: [&str; 8] =
    ["OOM", "READONLY", "MISCONF", "NOPERM", "NOAUTH", "WRONGPASS", "NOREPLICAS", "EXECABORT"];

fn of_answer(error: &RedisError) -> StoreError {
    let text = told(error);
    let code = error.code().unwrap_or_default();
    // Redis 6 wraps what happens in a script, and keeps the cause within the text.
    let refused = |name: &&str| code == *name || text.contains(&format!("-{name} "));
    if REFUSALS.iter().any(refused) || error.kind() == ErrorKind::AuthenticationFailed {
        return StoreError::Refused(text);
    }
    match error.kind() {
        ErrorKind::Parse | ErrorKind::UnexpectedReturnType => StoreError::Damaged(text),
        _ if code == "WRONGTYPE" || text.contains("WRONGTYPE") => StoreError::Damaged(text),
        _ => StoreError::Unavailable(text),
    }
}

/// The error in words; Redis's own come with their code in front.
fn told(error: &RedisError) -> String {
    match (error.code(), error.detail()) {
        (Some(code), Some(detail)) => format!("{code} {detail}"),
        _ => error.to_string(),
    }
}

fn read_as<T: FromRedisValue>(value: Value) -> Result<T, StoreError> {
    T::from_redis_value(value).map_err(|e| StoreError::Damaged(e.to_string()))
}
