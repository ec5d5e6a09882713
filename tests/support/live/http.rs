//! A connection that hides nothing: it never retries, follows no redirect, and says of each request
//! whether its answer came. Only so is it known which clicks must have been counted.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};

use serde_json::Value;

use super::PATIENCE;

/// A kept-alive HTTP/1.1 connection to a port of this machine.
pub struct Connection {
    stream: BufReader<TcpStream>,
}

/// What the service answered.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case; values byte by byte.
    headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// A header's value, which comes once; empty when it does not come at all.
    pub fn header(&self, name: &str) -> &str {
        let values: Vec<_> = self.headers.iter().filter(|(key, _)| key == name).collect();
        assert!(values.len() < 2, "{name} comes twice: {self:?}");
        values.first().map_or("", |(_, value)| std::str::from_utf8(value).expect("ASCII"))
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// The answer itself, when it has this status.
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:?} {}", self.headers, self.text());
        self
    }
}

impl Connection {
    /// Connects.
    pub fn open(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Asks and waits for the answer. After an error nobody knows whether the service heard it.
    pub fn ask(&mut self, method: &str, target: &str) -> io::Result<Answer> {
        self.send(&format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n\r\n"))?;
        self.receive(method)
    }

    /// Writes these bytes.
    pub fn send(&mut self, bytes: &str) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes.as_bytes())
    }

    /// Reads the answer to a request with this method.
    pub fn receive(&mut self, method: &str) -> io::Result<Answer> {
        let start = self.line()?;
        let status = start.strip_prefix(b"HTTP/1.1 ").and_then(|rest| rest.get(..3));
        let status = status.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        let status = status.ok_or_else(|| io::Error::other("no HTTP/1.1"))?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let colon = line.iter().position(|byte| *byte == b':');
            let colon = colon.ok_or_else(|| io::Error::other("a header without a colon"))?;
            let name = String::from_utf8_lossy(&line[..colon]).to_ascii_lowercase();
            headers.push((name, line[colon + 1..].trim_ascii().to_vec()));
        }
        let mut answer = Answer { status, headers, body: Vec::new() };
        if method != "HEAD" && status != 204 && status != 304 {
            answer.body = match answer.header("transfer-encoding") {
                "chunked" => self.chunks()?,
                _ => {
                    let length = answer.header("content-length").parse();
                    self.bytes(length.map_err(io::Error::other)?)?
                }
            };
        }
        Ok(answer)
    }

    /// A body in chunks, to its last (RFC 9112 §7.1).
    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let size = String::from_utf8(self.line()?).map_err(io::Error::other)?;
            let size = usize::from_str_radix(&size, 16).map_err(io::Error::other)?;
            body.extend(self.bytes(size)?);
            self.line()?;
            if size == 0 {
                return Ok(body);
            }
        }
    }

    fn bytes(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line)?;
        match line.strip_suffix(b"\r\n") {
            Some(line) => Ok(line.to_vec()),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}
