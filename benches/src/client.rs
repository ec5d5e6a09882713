//! Minting, following and asking: to prepare what is measured, and to check it afterwards.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail, ensure};
use serde_json::{Value, json};

/// The admin key of every service that is measured.
pub(crate) const KEY: &str = "sl_benchmark_key_0123456789abcdef";
/// Links in one batch: the service's limit.
pub(crate) const BATCH: usize = 10_000;
/// How often a code is followed again after a 503, and a batch minted again.
const RETRIES: u32 = 10;
/// Connections that follow codes at the same time.
const READERS: usize = 32;
/// How long it may take to count everything.
const PATIENCE: Duration = Duration::from_secs(600);

/// A service's client.
pub(crate) struct Client {
    agent: ureq::Agent,
    port: u16,
}

impl Client {
    /// A client of the service on this port.
    pub(crate) fn new(port: u16) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(120)))
            .build();
        Self { agent: config.into(), port }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Whether the service says that it lives.
    pub(crate) fn is_live(&self) -> bool {
        self.agent.get(self.url("/-/live")).call().is_ok_and(|answer| answer.status() == 200)
    }

    fn post(&self, path: &str, body: &Value) -> anyhow::Result<(u16, Value)> {
        let request = self.agent.post(self.url(path));
        let mut answer =
            request.header("Authorization", format!("Bearer {KEY}")).send_json(body)?;
        let body = answer.body_mut().with_config().limit(64 << 20).read_json()?;
        Ok((answer.status().as_u16(), body))
    }

    /// Mints a batch; the codes are in the order of the addresses. What fails is asked for again:
    /// a link that was minted all the same is found, not minted twice.
    pub(crate) fn mint_batch(&self, urls: &[String]) -> anyhow::Result<Vec<String>> {
        let mut tried = 0;
        loop {
            match self.try_batch(urls) {
                Err(why) if tried < RETRIES => eprintln!("minting a batch again: {why}"),
                done => return done,
            }
            tried += 1;
            thread::sleep(Duration::from_secs(1));
        }
    }

    fn try_batch(&self, urls: &[String]) -> anyhow::Result<Vec<String>> {
        let links: Vec<Value> = urls.iter().map(|url| json!({ "url": url })).collect();
        let (status, body) = self.post("/api/v1/links/batch", &json!({ "links": links }))?;
        let results = body["results"].as_array().with_context(|| format!("{status}: {body}"))?;
        ensure!(results.len() == urls.len(), "{} results for {} links", results.len(), urls.len());
        let code = |result: &Value| {
            let code = result["link"]["code"].as_str().map(str::to_owned);
            code.with_context(|| format!("not minted: {result}"))
        };
        results.iter().map(code).collect()
    }

    /// Imports lines of JSON; what the service says came of them.
    pub(crate) fn import(&self, lines: &str) -> anyhow::Result<Value> {
        let request = self.agent.post(self.url("/api/v1/import"));
        let request = request.header("Content-Type", "application/x-ndjson");
        let mut answer = request.header("Authorization", format!("Bearer {KEY}")).send(lines)?;
        let body: Value = answer.body_mut().with_config().limit(64 << 20).read_json()?;
        ensure!(answer.status() == 200, "an import was answered {}: {body}", answer.status());
        Ok(body)
    }

    /// Mints one link; the status says whether it was new.
    pub(crate) fn mint(&self, url: &str) -> anyhow::Result<u16> {
        self.post("/api/v1/links", &json!({ "url": url })).map(|(status, _)| status)
    }

    /// A new key that reads figures, and nothing else.
    pub(crate) fn read_key(&self) -> anyhow::Result<String> {
        let wish = json!({ "name": "figures", "scopes": ["read"] });
        let (status, body) = self.post("/api/v1/keys", &wish)?;
        let key = body["key"].as_str().with_context(|| format!("no key: {status} {body}"))?;
        Ok(key.to_owned())
    }

    /// Asks for a page of the API with this key: what it says, and how long it took to the last
    /// byte.
    pub(crate) fn ask(&self, key: &str, path: &str) -> anyhow::Result<(Value, Duration)> {
        let request =
            self.agent.get(self.url(path)).header("Authorization", format!("Bearer {key}"));
        let start = Instant::now();
        let mut answer = request.call()?;
        let text = answer.body_mut().with_config().limit(64 << 20).read_to_string()?;
        let took = start.elapsed();
        ensure!(answer.status() == 200, "{path} answers {}: {text}", answer.status());
        Ok((serde_json::from_str(&text)?, took))
    }

    /// Clicks that the service has counted since its start, as its metrics say: asking for them
    /// costs the counting thread nothing.
    pub(crate) fn counted(&self) -> anyhow::Result<u64> {
        let text = self.agent.get(self.url("/-/metrics")).call()?.body_mut().read_to_string()?;
        let line = text.lines().find_map(|line| line.split_once("clicks_counted_total "));
        Ok(line.context("no clicks_counted_total in the metrics")?.1.trim().parse()?)
    }

    /// Waits until the service has counted so many clicks since it was started, which it is asked
    /// `every` so often. Answers with how long after `start` that was.
    pub(crate) fn await_counted(
        &self,
        clicks: u64,
        start: Instant,
        every: Duration,
    ) -> anyhow::Result<Duration> {
        loop {
            let counted = self.counted()?;
            let elapsed = start.elapsed();
            if counted >= clicks {
                return Ok(elapsed);
            }
            ensure!(elapsed < PATIENCE, "{counted} of {clicks} clicks counted after {elapsed:?}");
            thread::sleep(every);
        }
    }

    /// Clicks that the service says it accepted, counted and lost, over all its nodes.
    pub(crate) fn audit(&self) -> anyhow::Result<Audit> {
        let request = self.agent.get(self.url("/api/v1/audit"));
        let mut answer = request.header("Authorization", format!("Bearer {KEY}")).call()?;
        let body: Value = answer.body_mut().read_json()?;
        let figure = |name: &str| {
            body["total"][name].as_u64().with_context(|| format!("no {name} in {body}"))
        };
        Ok(Audit {
            accepted: figure("accepted")?,
            counted: figure("counted")?,
            lost: figure("lost")?,
        })
    }

    /// Follows every code until it has redirected once. Answers with how often the service said
    /// instead that its store does not answer (503).
    pub(crate) fn follow_all(&self, codes: &[String]) -> anyhow::Result<usize> {
        let mut left: Vec<&str> = codes.iter().map(String::as_str).collect();
        let mut refusals = 0;
        for _ in 0..=RETRIES {
            left = self.follow(&left)?;
            if left.is_empty() {
                return Ok(refusals);
            }
            refusals += left.len();
            // What Retry-After says at the least.
            thread::sleep(Duration::from_secs(1));
        }
        bail!("{} codes answer 503 still after {RETRIES} retries", left.len())
    }

    /// Follows each code once, over several connections; answers with those that got a 503.
    fn follow<'a>(&self, codes: &[&'a str]) -> anyhow::Result<Vec<&'a str>> {
        let share = codes.len().div_ceil(READERS).max(1);
        thread::scope(|scope| {
            let readers: Vec<_> = codes
                .chunks(share)
                .map(|some| scope.spawn(move || self.follow_in_turn(some)))
                .collect();
            let mut refused = Vec::new();
            for reader in readers {
                refused.extend(reader.join().map_err(|_| anyhow!("a reader panicked"))??);
            }
            Ok(refused)
        })
    }

    fn follow_in_turn<'a>(&self, codes: &[&'a str]) -> anyhow::Result<Vec<&'a str>> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let mut refused = Vec::new();
        let mut bytes = Vec::new();
        for code in codes {
            // In one piece: each write is a system call.
            let request = format!("GET /{code} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
            stream.write_all(request.as_bytes())?;
            match answer(&mut stream, &mut bytes)? {
                300..400 => {}
                503 => refused.push(*code),
                other => bail!("/{code} answers {other}, not a redirect"),
            }
        }
        Ok(refused)
    }
}

/// What a service says of its clicks.
#[derive(Clone, Copy)]
pub(crate) struct Audit {
    pub(crate) accepted: u64,
    pub(crate) counted: u64,
    pub(crate) lost: u64,
}

/// The status of the next answer.
fn answer(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> anyhow::Result<u16> {
    bytes.clear();
    loop {
        let mut more = [0; 4096];
        match stream.read(&mut more)? {
            0 => bail!("the service closed the connection"),
            n => bytes.extend_from_slice(&more[..n]),
        }
        if let Some(status) = whole(bytes)? {
            return Ok(status);
        }
    }
}

/// The status of the answer in `bytes`, once all of it is there.
fn whole(bytes: &[u8]) -> anyhow::Result<Option<u16>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut answer = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = answer.parse(bytes)? else { return Ok(None) };
    let body = answer.headers.iter().find(|h| h.name.eq_ignore_ascii_case("content-length"));
    let body: usize = match body {
        Some(header) => std::str::from_utf8(header.value)?.parse()?,
        None => 0,
    };
    let status = answer.code.context("an answer without status")?;
    Ok((bytes.len() >= head + body).then_some(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_when_its_body_is() {
        let answer = b"HTTP/1.1 302 Found\r\nContent-Length: 2\r\n\r\nab";
        assert_eq!(whole(answer).unwrap(), Some(302));
        assert_eq!(whole(&answer[..answer.len() - 1]).unwrap(), None);
        assert_eq!(whole(&answer[..20]).unwrap(), None);
    }
}
