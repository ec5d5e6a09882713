//! Real redis-server processes for tests: one server, or a cluster, each on a free port with a
//! folder of its own. They end with their owner, also when that one is killed: a watchdog waits for
//! its pipe to close.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    reason = "included by several test crates, each of which uses a part"
)]

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a server or a cluster may take to come up on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A redis-server with an append-only file, as in production. Killed when dropped.
pub struct RedisServer {
    process: Option<Running>,
    port: u16,
    options: Vec<String>,
    folder: TempDir,
}

struct Running {
    server: Child,
    watchdog: Child,
}

impl RedisServer {
    /// A new, empty server.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// A new, empty server with further options, as on redis-server's command line.
    pub fn start_with(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder for Redis");
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        let mut server = Self { process: None, port: 0, options, folder };
        // Between asking for a free port and using it, somebody else may take it.
        for _ in 0..20 {
            server.port = free_port();
            if server.try_run() {
                return server;
            }
        }
        panic!("redis-server does not start: is it installed?");
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its address, as `store.url` takes it.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Where its files are.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Stops it in order: what it holds is on disk.
    pub fn stop(&mut self) {
        if let Some(mut running) = self.process.take() {
            // The answer is the closed connection.
            let _ = self.try_command(&["SHUTDOWN"]);
            let _ = running.server.wait();
        }
    }

    /// Starts it again, killing it first if it runs: same port, same files.
    pub fn restart(&mut self) {
        self.kill();
        let deadline = Instant::now() + PATIENCE;
        while !self.try_run() {
            assert!(Instant::now() < deadline, "redis-server does not come back");
        }
    }

    /// Halts the process: connections stay open, and nothing is answered.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    /// Copies its files aside. Stop it first: those of a running server may be torn.
    pub fn copy_aside(&self) {
        copy_folder(&self.data_dir(), &self.folder.path().join("copy")).expect("a copy");
    }

    /// Puts the copy in the place of its files. Not while it runs.
    pub fn restore_copy(&self) {
        assert!(self.process.is_none(), "stop or kill the server first");
        fs::remove_dir_all(self.data_dir()).expect("the files");
        copy_folder(&self.folder.path().join("copy"), &self.data_dir()).expect("the copy");
    }

    /// Runs a command; nested answers are laid out flat.
    pub fn command(&self, words: &[&str]) -> Vec<String> {
        self.try_command(words).unwrap_or_else(|e| panic!("{words:?}: {e}"))
    }

    /// Runs a command.
    pub fn try_command(&self, words: &[&str]) -> io::Result<Vec<String>> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut request = format!("*{}\r\n", words.len());
        for word in words {
            request += &format!("${}\r\n{word}\r\n", word.len());
        }
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        read_answer(&mut BufReader::new(stream), &mut answer)?;
        Ok(answer)
    }

    fn signal(&self, signal: &str) {
        let running = self.process.as_ref().expect("a running server");
        let pid = running.server.id().to_string();
        let done = Command::new("kill").args([signal, &pid]).status().expect("kill");
        assert!(done.success());
    }

    /// Whether the server came up. A port that somebody else has makes it end at once.
    fn try_run(&mut self) -> bool {
        fs::create_dir_all(self.data_dir()).expect("a folder for Redis");
        let mut server = Command::new("redis-server")
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""])
            .args(["--appendonly", "yes", "--logfile", "redis.log"])
            .args(["--dir".as_ref(), self.data_dir().as_os_str()])
            .args(&self.options)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server, from the package of that name");
        let pid = server.id().to_string();
        let watchdog = Command::new("sh")
            .args(["-c", "read _; kill -9 \"$1\"; rm -rf \"$2\"", "watchdog", &pid])
            .arg(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh");
        let ours = format!("process_id:{pid}");
        let deadline = Instant::now() + PATIENCE;
        let up = loop {
            if server.try_wait().expect("a child").is_some() {
                break false;
            }
            let said = self.try_command(&["INFO", "server"]).unwrap_or_default();
            if said.iter().any(|text| text.lines().any(|line| line == ours)) {
                break true;
            }
            assert!(Instant::now() < deadline, "redis-server does not answer");
            thread::sleep(Duration::from_millis(5));
        };
        self.process = Some(Running { server, watchdog });
        if !up {
            self.process = None;
        }
        up
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The watchdog first: afterwards the number may be somebody else's.
        let _ = self.watchdog.kill();
        let _ = self.watchdog.wait();
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Three masters, each with a third of the slots, and if asked for a replica of each. Killed when
/// dropped.
pub struct RedisCluster {
    nodes: Vec<RedisServer>,
}

/// How many masters there are.
const MASTERS: usize = 3;
/// How many slots a cluster has.
const SLOTS: usize = 16_384;

impl RedisCluster {
    /// Three masters.
    pub fn start() -> Self {
        Self::of(MASTERS)
    }

    /// Three masters and three replicas: node 3 is a replica of node 0, and so on.
    pub fn start_with_replicas() -> Self {
        let cluster = Self::of(2 * MASTERS);
        for (at, replica) in cluster.nodes.iter().enumerate().skip(MASTERS) {
            let master = cluster.nodes[at - MASTERS].command(&["CLUSTER", "MYID"]).remove(0);
            until("a replica", || replica.try_command(&["CLUSTER", "REPLICATE", &master]).is_ok());
            until("a copy", || {
                replica.command(&["INFO", "replication"])[0].contains("master_link_status:up")
            });
        }
        cluster
    }

    /// Its address, as `store.url` takes it.
    pub fn url(&self) -> String {
        let hosts: Vec<String> =
            self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
        format!("redis+cluster://{}", hosts.join(","))
    }

    /// Its nodes: the masters first.
    pub fn nodes(&self) -> &[RedisServer] {
        &self.nodes
    }

    /// One of its nodes.
    pub fn node_mut(&mut self, at: usize) -> &mut RedisServer {
        &mut self.nodes[at]
    }

    /// Empties it.
    pub fn flush(&self) {
        for node in &self.nodes {
            node.command(&["FLUSHALL"]);
        }
    }

    /// Waits until every node says that all is well.
    pub fn wait_until_ok(&self) {
        let known = format!("cluster_known_nodes:{}", self.nodes.len());
        let well = |node: &RedisServer| {
            let info = node.try_command(&["CLUSTER", "INFO"]).unwrap_or_default().join("\n");
            info.contains("cluster_state:ok") && info.contains(&known)
        };
        until("a cluster", || self.nodes.iter().all(well));
    }

    fn of(count: usize) -> Self {
        let start = |_| {
            let bus = free_port().to_string();
            let options =
                ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-port"];
            RedisServer::start_with(&[&options[..], &[bus.as_str()]].concat())
        };
        let cluster = Self { nodes: (0..count).map(start).collect() };
        let bus_of =
            |node: &RedisServer| node.command(&["CONFIG", "GET", "cluster-port"]).remove(1);
        let first = &cluster.nodes[0];
        for (at, node) in cluster.nodes.iter().enumerate() {
            // Nodes of one cluster must not begin with the same epoch.
            node.command(&["CLUSTER", "SET-CONFIG-EPOCH", &(at + 1).to_string()]);
            if at < MASTERS {
                let (from, to) = (at * SLOTS / MASTERS, (at + 1) * SLOTS / MASTERS - 1);
                let (from, to) = (from.to_string(), to.to_string());
                node.command(&["CLUSTER", "ADDSLOTSRANGE", &from, &to]);
            }
            if at > 0 {
                let (port, bus) = (node.port().to_string(), bus_of(node));
                first.command(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
            }
        }
        cluster.wait_until_ok();
        cluster
    }
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "{what} does not come up");
        thread::sleep(Duration::from_millis(20));
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its number").port()
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Reads an answer of Redis's protocol, version 2.
fn read_answer(from: &mut impl BufRead, into: &mut Vec<String>) -> io::Result<()> {
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let line = line.trim_end();
    let (kind, rest) = line.split_at(line.len().min(1));
    match kind {
        "-" => return Err(io::Error::other(rest.to_owned())),
        "$" if rest != "-1" => {
            let length: usize = rest.parse().map_err(io::Error::other)?;
            let mut bytes = vec![0; length + 2];
            from.read_exact(&mut bytes)?;
            into.push(String::from_utf8_lossy(&bytes[..length]).into_owned());
        }
        "*" => {
            for _ in 0..rest.parse::<i64>().map_err(io::Error::other)? {
                read_answer(from, into)?;
            }
        }
        "$" => into.push(String::new()),
        _ => into.push(rest.to_owned()),
    }
    Ok(())
}
