//! Somebody who watches what comes in: a client of server-sent events (WHATWG HTML §9.2.6) that
//! connects again only when it is told to.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::net::UnixStream;

use serde_json::Value;

use super::{BOOTSTRAP_KEY, PATIENCE, Service};

/// An open stream.
pub struct Watch {
    stream: BufReader<Box<dyn Stream>>,
    /// What is left of the chunk that is being read.
    left: usize,
    /// The last `id`.
    pub place: String,
}

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// What was dispatched.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub name: String,
    pub data: Value,
}

impl Event {
    /// The clicks of an event `clicks`, which must add up within it.
    pub fn clicks(&self) -> u64 {
        assert_eq!(self.name, "clicks", "{self:?}");
        let figure = |of: &Value, name: &str| of[name].as_u64().unwrap_or_else(|| panic!("{of}"));
        let links = self.data["links"].as_array().expect("links");
        let mut sums = [0; 3];
        for part in links.iter().chain(self.data.get("other")) {
            let [clicks, people, bots] =
                ["clicks", "people", "bots"].map(|name| figure(part, name));
            assert_eq!(clicks, people + bots, "{self:?}");
            [clicks, people, bots].iter().zip(&mut sums).for_each(|(n, sum)| *sum += n);
        }
        let total = &self.data["total"];
        assert_eq!(sums, ["clicks", "people", "bots"].map(|name| figure(total, name)), "{self:?}");
        sums[0]
    }

    /// The clicks on one link.
    pub fn clicks_on(&self, code: &str) -> u64 {
        let links = self.data["links"].as_array().expect("links");
        let of = |link: &&Value| link["code"] == code;
        links.iter().filter(of).map(|link| link["clicks"].as_u64().expect("a number")).sum()
    }
}

impl Watch {
    /// Begins to watch; what comes in from now on is seen.
    pub fn start(service: &Service) -> Self {
        Self::resume(service, "")
    }

    /// Goes on after a place.
    pub fn resume(service: &Service, place: &str) -> Self {
        let stream = connect(service);
        Self::over(Box::new(stream), BOOTSTRAP_KEY, place)
    }

    /// Begins to watch with this key.
    pub fn start_as(service: &Service, key: &str) -> Self {
        let stream = connect(service);
        Self::over(Box::new(stream), key, "")
    }

    /// Begins to watch as the operator, over the control socket.
    pub fn start_local(service: &Service) -> Self {
        let stream =
            UnixStream::connect(service.data_dir().join("slugline.sock")).expect("a stream");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        Self::over(Box::new(stream), BOOTSTRAP_KEY, "")
    }

    fn over(mut stream: Box<dyn Stream>, key: &str, place: &str) -> Self {
        let request = format!(
            "GET /api/v1/stats/live HTTP/1.1\r\nHost: localhost\r\n\
             Authorization: Bearer {key}\r\nLast-Event-ID: {place}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).expect("a request");
        let mut watch = Self { stream: BufReader::new(stream), left: 0, place: place.to_owned() };
        let head: Vec<String> = std::iter::from_fn(|| {
            let line = watch.raw_line().expect("a head").to_ascii_lowercase();
            (!line.is_empty()).then_some(line)
        })
        .collect();
        for line in [
            "http/1.1 200 ok",
            "content-type: text/event-stream",
            "cache-control: no-store",
            "x-accel-buffering: no",
            "transfer-encoding: chunked",
        ] {
            assert!(head.iter().any(|found| found == line), "{line}: {head:?}");
        }
        // The place from which on everything is seen.
        assert_eq!(watch.line().expect("a line").as_deref(), Some("retry: 2000"));
        let id = watch.line().expect("a line").expect("a place");
        watch.place = id.strip_prefix("id: ").expect("a place").to_owned();
        assert_eq!(watch.line().expect("a line").as_deref(), Some(""));
        watch
    }

    /// Waits for the next event; `None` when the service has ended the stream in good order.
    pub fn next(&mut self) -> io::Result<Option<Event>> {
        let (mut name, mut data, mut id) = (String::new(), String::new(), None);
        while let Some(line) = self.line()? {
            match line.split_once(": ").unwrap_or((&line, "")) {
                ("", _) if data.is_empty() => {}
                ("", "") if line.is_empty() => {
                    self.place = id.unwrap_or(std::mem::take(&mut self.place));
                    let data = serde_json::from_str(&data).map_err(io::Error::other)?;
                    return Ok(Some(Event { name, data }));
                }
                ("event", value) => name = value.to_owned(),
                ("data", value) => data.push_str(value),
                ("id", value) => id = Some(value.to_owned()),
                _ => return Err(io::Error::other(format!("no field: {line:?}"))),
            }
        }
        Ok(None)
    }

    /// The same for an event that must come.
    pub fn expect(&mut self) -> Event {
        self.next().expect("an event").expect("an event, not the end")
    }

    /// The same for a gap with this reason.
    pub fn expect_gap(&mut self, reason: &str) {
        let event = self.expect();
        assert_eq!((event.name.as_str(), &event.data["reason"]), ("gap", &reason.into()));
        assert!(event.data["detail"].is_string(), "{event:?}");
    }

    /// Watches until so many clicks were seen, and gives back the events.
    pub fn until_clicks(&mut self, clicks: u64) -> Vec<Event> {
        let (mut events, mut seen) = (Vec::new(), 0);
        while seen < clicks {
            let event = self.expect();
            seen += event.clicks();
            events.push(event);
        }
        assert_eq!(seen, clicks, "{events:?}");
        events
    }

    /// A line of the stream; `None` at its end.
    fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        loop {
            if self.left == 0 {
                let size = self.raw_line()?;
                self.left = usize::from_str_radix(&size, 16).map_err(io::Error::other)?;
                if self.left == 0 {
                    return Ok(None);
                }
            }
            let mut part = (&mut self.stream).take(self.left as u64);
            let read = part.read_until(b'\n', &mut line)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.left -= read;
            if self.left == 0 {
                self.raw_line()?;
            }
            if line.pop_if(|last| *last == b'\n').is_some() {
                return String::from_utf8(line).map(Some).map_err(io::Error::other);
            }
        }
    }

    /// A line of HTTP.
    fn raw_line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        line.strip_suffix("\r\n").map(str::to_owned).ok_or(io::ErrorKind::UnexpectedEof.into())
    }
}

fn connect(service: &Service) -> TcpStream {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, service.port())).expect("a stream");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream
}
