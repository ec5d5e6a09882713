//! How redis-server, the service and the floor are started.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::client::{Client, KEY};
use crate::options::{Options, redis_config};
use crate::process::{Server, free_port};

/// A running redis-server with a folder of its own.
pub(crate) struct Redis {
    pub(crate) server: Server,
    port: u16,
    pub(crate) url: String,
}

impl Redis {
    /// Starts one with the repository's production configuration, or Redis's own with an
    /// append-only file, synced every second.
    pub(crate) fn start(options: &Options, folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let port = free_port()?;
        let socket = folder.join("redis.sock");
        let mut command = Command::new("redis-server");
        match redis_config() {
            Some(file) => command.arg(file),
            None => {
                command.args(["--appendonly", "yes", "--appendfsync", "everysec", "--save", ""])
            }
        };
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--daemonize", "no"]);
        command.args(["--requirepass", "", "--logfile", "", "--dir"]).arg(folder);
        command.arg("--unixsocket").arg(&socket);
        let mut server = Server::start(&mut command, folder.join("redis.log"))?;
        server.await_port(port, || {
            info(port, "persistence").is_ok_and(|text| text.contains("loading:0"))
        })?;
        let url = match options.redis_socket {
            true => format!("unix://{}", socket.display()),
            false => format!("redis://127.0.0.1:{port}"),
        };
        Ok(Self { server, port, url })
    }

    /// Bytes that Redis has allocated, once that stays the same: connections give back the buffers
    /// of large requests after two seconds of rest.
    pub(crate) fn used_memory(&self) -> anyhow::Result<u64> {
        let read = || {
            let text = info(self.port, "memory")?;
            let line = text.lines().find_map(|line| line.strip_prefix("used_memory:"));
            anyhow::Ok(line.context("no used_memory")?.trim().parse::<u64>()?)
        };
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut last = read()?;
        loop {
            std::thread::sleep(Duration::from_secs(3));
            let now = read()?;
            if now.abs_diff(last) < 100_000 || Instant::now() > deadline {
                return Ok(now);
            }
            last = now;
        }
    }
}

/// A section of Redis's INFO.
fn info(port: u16, section: &str) -> anyhow::Result<String> {
    let mut stream = BufReader::new(TcpStream::connect((Ipv4Addr::LOCALHOST, port))?);
    stream.get_mut().set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.get_mut().write_all(format!("INFO {section}\r\n").as_bytes())?;
    let mut length = String::new();
    stream.read_line(&mut length)?;
    let Some(length) = length.trim().strip_prefix('$') else { bail!("redis says {length}") };
    let mut text = vec![0; length.parse()?];
    stream.read_exact(&mut text)?;
    Ok(String::from_utf8(text)?)
}

/// How a service keeps hot links.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cache {
    /// As it does by default.
    Default,
    /// Not at all.
    Off,
}

/// A running service, with the Redis it uses, if any.
pub(crate) struct Service {
    pub(crate) server: Server,
    pub(crate) redis: Option<Redis>,
    pub(crate) port: u16,
    pub(crate) client: Client,
    /// From its start to its first answer.
    pub(crate) started_in: Duration,
}

impl Service {
    /// Starts one that keeps its data in `folder`, or in `redis`.
    pub(crate) fn start(
        options: &Options,
        folder: &Path,
        redis: Option<Redis>,
        cache: Cache,
    ) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let port = free_port()?;
        let mut command = Command::new(options.slugline()?);
        // Nothing of the caller's environment shall steer what is measured.
        let foreign = std::env::vars_os().map(|(name, _)| name);
        for name in foreign.filter(|name| name.to_string_lossy().starts_with("SLUGLINE")) {
            command.env_remove(name);
        }
        command.arg("serve").current_dir(folder).env("SLUGLINE__LOG__LEVEL", "warn");
        command.env("SLUGLINE__LISTEN", format!("127.0.0.1:{port}"));
        command.env("SLUGLINE__WORKERS", options.workers.to_string());
        command.env("SLUGLINE__DATA_DIR", folder.join("data"));
        command.env("SLUGLINE__AUTH__BOOTSTRAP_KEY", KEY);
        command.env("SLUGLINE__CLICKS__FSYNC", &options.fsync);
        if let Some(redis) = &redis {
            command.env("SLUGLINE__STORE__URL", &redis.url);
        }
        if cache == Cache::Off {
            command.env("SLUGLINE__CACHE__CAPACITY", "0");
        }
        let client = Client::new(port);
        let start = Instant::now();
        let mut server = Server::start(&mut command, folder.join("slugline.log"))?;
        server.await_port(port, || client.is_live())?;
        Ok(Self { server, redis, port, client, started_in: start.elapsed() })
    }

    /// Kills the service; what it used stays.
    pub(crate) fn kill(self) -> Option<Redis> {
        drop(self.server);
        self.redis
    }

    /// All processes whose time is the service's.
    pub(crate) fn servers(&self) -> Vec<&Server> {
        let redis = self.redis.iter().map(|redis| &redis.server);
        std::iter::once(&self.server).chain(redis).collect()
    }
}

/// Starts the floor; answers with its port.
pub(crate) fn start_floor(options: &Options, folder: &Path) -> anyhow::Result<(Server, u16)> {
    let port = free_port()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["floor", &port.to_string(), &options.workers.to_string()]);
    let mut server = Server::start(&mut command, folder.join("floor.log"))?;
    server.await_port(port, || true)?;
    Ok((server, port))
}
