//! Minting, following and asking: to prepare what is measured, and to check it afterwards.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};

/// The admin key of every service that is measured.
pub(crate) const KEY: &str = "sl_benchmark_key_0123456789abcdef";
/// Links in one batch: the service's limit.
pub(crate) const BATCH: usize = 10_000;
/// Requests that are sent before their answers are read.
const PIPELINE: usize = 64;

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

    /// Mints a batch; the codes are in the order of the addresses.
    pub(crate) fn mint_batch(&self, urls: &[String]) -> anyhow::Result<Vec<String>> {
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

    /// Mints one link; the status says whether it was new.
    pub(crate) fn mint(&self, url: &str) -> anyhow::Result<u16> {
        self.post("/api/v1/links", &json!({ "url": url })).map(|(status, _)| status)
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

    /// Follows every code once, over one connection, and insists on a redirect each time.
    pub(crate) fn follow_all(&self, codes: &[String]) -> anyhow::Result<()> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let mut answers = Answers { bytes: Vec::new() };
        for some in codes.chunks(PIPELINE) {
            let request =
                |code: &String| format!("GET /{code} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
            stream.write_all(some.iter().map(request).collect::<String>().as_bytes())?;
            for code in some {
                let status = answers.next(&mut stream)?;
                ensure!((300..400).contains(&status), "/{code} answers {status}, not a redirect");
            }
        }
        Ok(())
    }
}

/// What a service says of its clicks.
#[derive(Clone, Copy)]
pub(crate) struct Audit {
    pub(crate) accepted: u64,
    pub(crate) counted: u64,
    pub(crate) lost: u64,
}

/// Answers of a pipelined connection.
struct Answers {
    bytes: Vec<u8>,
}

impl Answers {
    /// The status of the next one.
    fn next(&mut self, stream: &mut TcpStream) -> anyhow::Result<u16> {
        loop {
            if let Some((status, length)) = whole(&self.bytes)? {
                self.bytes.drain(..length);
                return Ok(status);
            }
            let mut more = [0; 64 * 1024];
            match stream.read(&mut more)? {
                0 => bail!("the service closed the connection"),
                n => self.bytes.extend_from_slice(&more[..n]),
            }
        }
    }
}

/// Status and length of the answer at the start of `bytes`, once all of it is there.
fn whole(bytes: &[u8]) -> anyhow::Result<Option<(u16, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut answer = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = answer.parse(bytes)? else { return Ok(None) };
    let body = answer.headers.iter().find(|h| h.name.eq_ignore_ascii_case("content-length"));
    let body: usize = match body {
        Some(header) => std::str::from_utf8(header.value)?.parse()?,
        None => 0,
    };
    let status = answer.code.context("an answer without status")?;
    Ok((bytes.len() >= head + body).then_some((status, head + body)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_when_its_body_is() {
        let answer = b"HTTP/1.1 302 Found\r\nContent-Length: 2\r\n\r\nab";
        assert_eq!(whole(answer).unwrap(), Some((302, answer.len())));
        assert_eq!(whole(&answer[..answer.len() - 1]).unwrap(), None);
        assert_eq!(whole(&answer[..20]).unwrap(), None);
    }
}
