//! `slugline serve` as an operator runs it.

use std::fs::{self, File, OpenOptions};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpSocket;

use super::{Answer, Connection, until};

/// The admin key of every service under test.
pub const BOOTSTRAP_KEY: &str = "sl_test_bootstrap_key_0123456789";

/// A service with a data folder of its own. Killed when dropped; its log is shown when a test fails.
pub struct Service {
    process: Option<Child>,
    port: u16,
    settings: Vec<(String, String)>,
    /// What runs before the program, in its process: `ulimit …`.
    before: Option<String>,
    folder: TempDir,
    data_dir: PathBuf,
    /// Bound and never listened to: keeps the port ours while the service is down.
    _port: TcpSocket,
}

impl Service {
    /// A running service over the store at `url`; empty means the embedded one.
    pub fn start(url: &str) -> Self {
        Self::start_with(url, &[])
    }

    /// The same with further settings: `("CLICKS__FLUSH_INTERVAL", "1m")`.
    pub fn start_with(url: &str, settings: &[(&str, &str)]) -> Self {
        let mut service = Self::prepare(url, settings);
        service.run();
        service.wait_until_live();
        service
    }

    /// One that does not run yet.
    pub fn prepare(url: &str, settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let held = TcpSocket::new_v4().expect("a socket");
        held.set_reuseaddr(true).expect("a shared port");
        held.bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0).into()).expect("a free port");
        let port = held.local_addr().expect("its number").port();
        let ours = [
            ("LISTEN", format!("127.0.0.1:{port}")),
            ("WORKERS", "2".into()),
            ("STORE__URL", url.into()),
            ("AUTH__BOOTSTRAP_KEY", BOOTSTRAP_KEY.into()),
            ("CLICKS__FLUSH_INTERVAL", "50ms".into()),
            ("LOG__LEVEL", "info,redis=error".into()),
        ];
        let mut service = Self {
            process: None,
            port,
            settings: Vec::new(),
            before: None,
            data_dir: folder.path().join("data"),
            folder,
            _port: held,
        };
        ours.iter().for_each(|(name, value)| service.set(name, value));
        settings.iter().for_each(|(name, value)| service.set(name, value));
        service
    }

    /// Changes a setting, from the next start on.
    pub fn set(&mut self, name: &str, value: &str) {
        let name = format!("SLUGLINE__{name}");
        self.settings.retain(|(known, _)| *known != name);
        self.settings.push((name, value.to_owned()));
    }

    /// Puts the data folder elsewhere, from the next start on.
    pub fn set_data_dir(&mut self, folder: &Path) {
        self.data_dir = folder.to_owned();
    }

    /// Runs this in a shell that then becomes the service, from the next start on.
    pub fn set_before(&mut self, line: &str) {
        self.before = Some(line.to_owned());
    }

    /// Starts the process and does not wait for it.
    pub fn run(&mut self) {
        assert!(self.process.is_none(), "it runs");
        let log =
            OpenOptions::new().create(true).append(true).open(self.log_file()).expect("a log");
        let mut command = match &self.before {
            None => Command::new(env!("CARGO_BIN_EXE_slugline")),
            Some(line) => {
                let mut shell = Command::new("sh");
                let script = format!("{line}; exec \"$0\" \"$@\"");
                shell.args(["-c", &script, env!("CARGO_BIN_EXE_slugline")]);
                shell
            }
        };
        command.arg("serve").envs(self.settings.iter().cloned());
        command.env("SLUGLINE__DATA_DIR", &self.data_dir).stdin(Stdio::null());
        command.stdout(log.try_clone().expect("a log")).stderr(log);
        self.process = Some(command.spawn().expect("the program"));
    }

    /// Waits for `/-/live`.
    pub fn wait_until_live(&mut self) {
        until("the service to be live", || {
            let ended = self.process.as_mut().and_then(|process| process.try_wait().expect("it"));
            assert!(ended.is_none(), "the service ended with {ended:?}:\n{}", self.log());
            self.answers("/-/live", 200)
        });
    }

    /// Waits for `/-/ready`, several times over: each worker has a connection to the store of its
    /// own, and new connections of ours go to the workers in turn.
    pub fn wait_until_ready(&self) {
        until("the service to be ready", || (0..8).all(|_| self.answers("/-/ready", 200)));
    }

    /// Whether it answers a GET with this status now.
    pub fn answers(&self, target: &str, status: u16) -> bool {
        let answer = Connection::open(self.port).and_then(|mut c| c.ask("GET", target));
        answer.is_ok_and(|answer| answer.status == status)
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("kill");
            process.wait().expect("its end");
        }
    }

    /// SIGTERM; gives back how it ended.
    pub fn terminate(&mut self) -> ExitStatus {
        let pid = self.pid().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().expect("kill");
        assert!(sent.success());
        self.wait()
    }

    /// Waits until it ends by itself.
    pub fn wait(&mut self) -> ExitStatus {
        let mut process = self.process.take().expect("a running service");
        let mut end = None;
        until("the service to end", || {
            end = process.try_wait().expect("its end");
            end.is_some()
        });
        end.expect("its end")
    }

    /// Starts it again: same port, same data folder.
    pub fn restart(&mut self) {
        self.run();
        self.wait_until_live();
    }

    /// The process's number.
    pub fn pid(&self) -> u32 {
        self.process.as_ref().expect("a running service").id()
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its data folder.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// What it said, in all its lives.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// A connection of a reader.
    pub fn connect(&self) -> Connection {
        Connection::open(self.port).expect("a connection")
    }

    /// A reader's request.
    pub fn follow(&self, code: &str) -> Answer {
        self.connect().ask("GET", &format!("/{code}")).expect("an answer")
    }

    /// A call of the API by the admin.
    pub fn call(&self, method: &str, target: &str, body: Option<&Value>) -> Answer {
        self.call_as(BOOTSTRAP_KEY, method, target, body)
    }

    /// A call of the API with this key.
    pub fn call_as(&self, key: &str, method: &str, target: &str, body: Option<&Value>) -> Answer {
        let body = body.map_or_else(String::new, ToString::to_string);
        let length = body.len();
        let mut connection = self.connect();
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        connection.send(&request).and_then(|()| connection.receive(method)).expect("an answer")
    }

    /// Everything, in this format, by the admin.
    pub fn export(&self, format: &str) -> String {
        let answer = self.call("GET", &format!("/api/v1/export?format={format}"), None);
        answer.expect(200).text().to_owned()
    }

    /// Imports lines, as many at a time as a request may have, and gives back the reports.
    pub fn import(&self, lines: &str, query: &str) -> Vec<Value> {
        let lines: Vec<&str> = lines.lines().collect();
        let requests = lines.chunks(10_000).map(|lines| lines.join("\n"));
        let import = |body: String| self.try_import_with(&body, query).expect(200).json();
        requests.map(import).collect()
    }

    /// What comes of importing some lines.
    pub fn try_import(&self, lines: &str) -> Answer {
        self.try_import_with(lines, "")
    }

    fn try_import_with(&self, body: &str, query: &str) -> Answer {
        let length = body.len();
        let mut connection = self.connect();
        let request = format!(
            "POST /api/v1/import?{query} HTTP/1.1\r\nHost: localhost\r\n\
             Authorization: Bearer {BOOTSTRAP_KEY}\r\nContent-Type: application/x-ndjson\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        );
        connection.send(&request).and_then(|()| connection.receive("POST")).expect("an answer")
    }

    /// What the API says at this address, once its store is there.
    pub fn get(&self, target: &str) -> Value {
        let mut answer = self.call("GET", target, None);
        until("the store to answer", || {
            if answer.status == 503 {
                answer = self.call("GET", target, None);
            }
            answer.status != 503
        });
        answer.expect(200).json()
    }

    /// Mints a link for an address and gives back its code.
    pub fn mint(&self, url: &str) -> String {
        self.mint_with(json!({ "url": url }))
    }

    /// Mints a link and gives back its code.
    pub fn mint_with(&self, wish: Value) -> String {
        let link = self.call("POST", "/api/v1/links", Some(&wish)).expect(201).json();
        link["code"].as_str().expect("a code").to_owned()
    }

    /// Mints `count` links.
    pub fn mint_many(&self, count: usize) -> Vec<String> {
        (0..count).map(|n| self.mint(&format!("https://www.example.org/story-{n}.html"))).collect()
    }

    /// All clicks on a link.
    pub fn clicks_on(&self, code: &str) -> u64 {
        let stats = self.get(&format!("/api/v1/links/{code}/stats"));
        stats["total"]["clicks"].as_u64().expect("a number")
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
        if std::thread::panicking() {
            println!("--- the service on port {} said:\n{}", self.port, self.log());
        }
    }
}
