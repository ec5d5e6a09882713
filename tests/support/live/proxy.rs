//! A wire between the service and Redis that can be cut at the worst moment.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// What happens on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// A marked request reaches Redis, and the connection is cut before its answer comes back.
    CutAnswers,
    /// The connection is cut before a marked request reaches Redis.
    CutRequests,
    /// The connection is cut, and a marked request reaches Redis a while later: by then the service
    /// has asked how things stand, and sent it again.
    DeliverLate,
}

/// How late a late request is: a few rounds of the roll-up.
const LATE: Duration = Duration::from_millis(200);

/// What becomes of some bytes.
enum Way {
    On,
    OnLater,
    Nowhere,
}

/// A proxy on a port of its own. Its threads end with their connections, or with the test.
pub struct Proxy {
    port: u16,
    wire: Arc<Wire>,
}

struct Wire {
    to: u16,
    /// What a request holds that is to be hit.
    mark: Vec<u8>,
    fault: Mutex<Fault>,
    cuts: AtomicU64,
    open: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    /// A wire to a port of this machine; faults will hit what holds `mark`.
    pub fn to(port: u16, mark: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let wire = Arc::new(Wire {
            to: port,
            mark: mark.as_bytes().to_vec(),
            fault: Mutex::new(Fault::None),
            cuts: AtomicU64::new(0),
            open: Mutex::default(),
        });
        let port = listener.local_addr().expect("its number").port();
        let accepting = Arc::clone(&wire);
        thread::spawn(move || {
            for client in listener.incoming() {
                // Redis is away: so the client is told at once.
                let _ = client.and_then(|client| accepting.join(client));
            }
        });
        Self { port, wire }
    }

    /// Where the service connects to.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// From now on.
    pub fn set(&self, fault: Fault) {
        *self.wire.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// Cuts every connection there is.
    pub fn cut(&self) {
        for stream in self.wire.open().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// How many connections a fault has cut.
    pub fn cuts(&self) -> u64 {
        self.wire.cuts.load(Ordering::Acquire)
    }
}

impl Wire {
    fn open(&self) -> std::sync::MutexGuard<'_, Vec<TcpStream>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn join(self: &Arc<Self>, client: TcpStream) -> std::io::Result<()> {
        let server = TcpStream::connect((Ipv4Addr::LOCALHOST, self.to))?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        self.open().push(client.try_clone()?);
        let swallow = Arc::new(AtomicBool::new(false));
        let (requests, answers) = (Arc::clone(self), Arc::clone(self));
        let (there, back) = ((client.try_clone()?, server.try_clone()?), (server, client));
        let armed = Arc::clone(&swallow);
        thread::spawn(move || pump(there, |bytes| requests.way_of(bytes, &armed)));
        thread::spawn(move || {
            pump(back, |_| {
                let cut = swallow.load(Ordering::Acquire);
                answers.cuts.fetch_add(u64::from(cut), Ordering::AcqRel);
                if cut { Way::Nowhere } else { Way::On }
            });
        });
        Ok(())
    }

    /// What becomes of a request; perhaps it goes on, and its answer will not come back.
    fn way_of(&self, bytes: &[u8], armed: &AtomicBool) -> Way {
        let fault = *self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        let marked = bytes.windows(self.mark.len()).any(|part| part == self.mark);
        match fault {
            Fault::None => return Way::On,
            _ if !marked => return Way::On,
            Fault::CutAnswers => {
                armed.store(true, Ordering::Release);
                return Way::On;
            }
            Fault::CutRequests | Fault::DeliverLate => {}
        }
        self.cuts.fetch_add(1, Ordering::AcqRel);
        if fault == Fault::DeliverLate { Way::OnLater } else { Way::Nowhere }
    }
}

/// Carries bytes one way until they end or are to go nowhere; then the connection is gone both ways.
fn pump((mut from, mut to): (TcpStream, TcpStream), mut way_of: impl FnMut(&[u8]) -> Way) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length) = from.read(&mut buffer)
        && length > 0
    {
        let bytes = &buffer[..length];
        match way_of(bytes) {
            Way::On if to.write_all(bytes).is_ok() => {}
            Way::OnLater => {
                let _ = from.shutdown(Shutdown::Both);
                thread::sleep(LATE);
                let _ = to.write_all(bytes);
                // Read to the end at the other side, and only then is the connection gone.
                let _ = to.shutdown(Shutdown::Write);
                return;
            }
            Way::On | Way::Nowhere => break,
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
