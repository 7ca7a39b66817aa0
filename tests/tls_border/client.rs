//! The process's one client over a real socket, for one test at a time.

use crate::c::{self, MQTT_PLATFORM, MQTT_SECURITY};
use crate::tools::LIMIT;
use core::ffi::{c_int, c_schar, c_uchar, c_ulong, c_ushort, c_void};
use std::cell::{Cell, RefCell};
use std::ffi::CString;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::ptr;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

thread_local! {
    /// How many critical sections this thread is in.
    static DEPTH: Cell<c_ulong> = const { Cell::new(0) };
    static SOCKET: RefCell<Option<TcpStream>> = const { RefCell::new(None) };
    /// The bytes that were read, of all connections.
    static READ: Cell<usize> = const { Cell::new(0) };
    static EVENTS: RefCell<Vec<Event>> = const { RefCell::new(Vec::new()) };
    /// The record buffers that were chosen last.
    static BUFFERS: Cell<[(*mut u8, u16); 2]> = const { Cell::new([(ptr::null_mut(), 0); 2]) };
}

/// Milliseconds by which the library's clock is ahead.
static AHEAD: AtomicU64 = AtomicU64::new(0);
/// Where the library's clock has been stopped, but for what it is ahead.
static STOPPED: Mutex<Option<Duration>> = Mutex::new(None);
/// The last port that was opened.
static PORT: AtomicU16 = AtomicU16::new(0);
/// How many bytes the link still takes.
static ROOM: AtomicU64 = AtomicU64::new(u64::MAX);
static TURN: Mutex<()> = Mutex::new(());
static START: Mutex<Option<Instant>> = Mutex::new(None);

/// One call of the callback.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub kind: c_int,
    pub data: Vec<u8>,
    pub number: c_ulong,
}

#[unsafe(no_mangle)]
extern "C" fn fnEnterMQTT_critical() -> c_ulong {
    DEPTH.replace(DEPTH.get() + 1)
}

#[unsafe(no_mangle)]
extern "C" fn fnExitMQTT_critical(state: c_ulong) {
    DEPTH.set(state);
}

/// What the firmware provides is never called inside the critical section.
fn watch(function: &str) {
    assert_eq!(DEPTH.get(), 0, "{function} was called inside the critical section");
}

unsafe extern "C" fn open(_: *mut c_void, _: *const c_uchar, _: c_uchar, port: c_ushort) -> c_int {
    watch("open");
    PORT.store(port, Ordering::Relaxed);
    let Ok(socket) = TcpStream::connect(("127.0.0.1", port)) else { return c::LINK_FAILED };
    socket.set_nonblocking(true).unwrap();
    socket.set_nodelay(true).unwrap();
    SOCKET.set(Some(socket));
    0
}

fn moved(result: std::io::Result<usize>) -> c_int {
    match result {
        Ok(0) => c::LINK_CLOSED,
        Ok(length) => length as c_int,
        Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
        Err(_) => c::LINK_FAILED,
    }
}

unsafe extern "C" fn send(_: *mut c_void, data: *const c_uchar, length: c_ushort) -> c_int {
    watch("send");
    // SAFETY: the library gives so many bytes.
    let bytes = unsafe { core::slice::from_raw_parts(data, length.into()) };
    let room = ROOM.load(Ordering::Relaxed);
    if room == 0 {
        return 0;
    }
    let result = SOCKET.with_borrow_mut(|socket| moved(socket.as_mut().unwrap().write(&bytes[..bytes.len().min(room as usize)])));
    if room != u64::MAX && result > 0 {
        ROOM.store(room - result as u64, Ordering::Relaxed);
    }
    result
}

unsafe extern "C" fn receive(_: *mut c_void, data: *mut c_uchar, length: c_ushort) -> c_int {
    watch("receive");
    // SAFETY: the library gives so much room.
    let room = unsafe { core::slice::from_raw_parts_mut(data, length.into()) };
    let result = SOCKET.with_borrow_mut(|socket| moved(socket.as_mut().unwrap().read(room)));
    READ.set(READ.get() + usize::try_from(result).unwrap_or(0));
    result
}

unsafe extern "C" fn close(_: *mut c_void) {
    watch("close");
    SOCKET.set(None);
}

unsafe extern "C" fn milliseconds(_: *mut c_void) -> c_ulong {
    watch("milliseconds");
    STOPPED.lock().unwrap().unwrap_or_else(elapsed).as_millis() as c_ulong + AHEAD.load(Ordering::Relaxed)
}

fn elapsed() -> Duration {
    START.lock().unwrap().get_or_insert_with(Instant::now).elapsed()
}

unsafe extern "C" fn random(_: *mut c_void, data: *mut c_uchar, length: c_ushort) -> c_int {
    watch("random");
    // SAFETY: the library gives so much room.
    let room = unsafe { core::slice::from_raw_parts_mut(data, length.into()) };
    File::open("/dev/urandom").and_then(|mut file| file.read_exact(room)).map_or(-1, |()| 0)
}

unsafe extern "C" fn unix_time(_: *mut c_void) -> c_ulong {
    watch("unix_time");
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() as c_ulong
}

unsafe extern "C" fn callback(event: c_schar, data: *mut c_uchar, number: c_ulong, _: c_uchar) -> c_ushort {
    watch("callback");
    let kind = c_int::from(event);
    if kind == c::CLIENT_IDENTIFIER {
        // SAFETY: there is room for more than this.
        unsafe { ptr::copy_nonoverlapping(b"secure".as_ptr(), data, 6) };
        return 6;
    }
    let told = matches!(kind, c::TOPIC_MESSAGE | c::TOPIC_MESSAGE_PART);
    // SAFETY: so many bytes are told.
    let data = if told { unsafe { core::slice::from_raw_parts(data, number as usize) }.to_vec() } else { Vec::new() };
    EVENTS.with_borrow_mut(|events| events.push(Event { kind, data, number }));
    0
}

pub static PLATFORM: MQTT_PLATFORM = MQTT_PLATFORM {
    ptrContext: ptr::null_mut(),
    fnOpen: Some(open),
    fnSend: Some(send),
    fnReceive: Some(receive),
    fnClose: Some(close),
    fnMilliseconds: Some(milliseconds),
    fnRandom: Some(random),
    fnUnixTime: Some(unix_time),
    fnPrint: None,
    fnWake: None,
};

/// What a firmware may choose, without pointers.
#[derive(Clone)]
pub struct Security {
    pub server_name: String,
    pub authority: Vec<u8>,
    pub certificate: Vec<u8>,
    pub private_key: Vec<u8>,
    pub key_identity: Vec<u8>,
    pub key: Vec<u8>,
    pub receive: usize,
    pub transmit: usize,
}

impl Security {
    pub fn trusting(authority: &[u8]) -> Self {
        Self {
            server_name: "localhost".into(),
            authority: authority.into(),
            certificate: Vec::new(),
            private_key: Vec::new(),
            key_identity: Vec::new(),
            key: Vec::new(),
            receive: 2065,
            transmit: 1024,
        }
    }

    /// Hands it to the library, which keeps what it points to.
    pub fn choose(&self) -> c_int {
        fn kept(bytes: &[u8]) -> (*mut u8, u16) {
            if bytes.is_empty() {
                return (ptr::null_mut(), 0);
            }
            let kept = bytes.to_vec().leak();
            (kept.as_mut_ptr(), kept.len() as u16)
        }
        let [authority, certificate, private_key, key_identity, key, receive, transmit] = [
            kept(&self.authority),
            kept(&self.certificate),
            kept(&self.private_key),
            kept(&self.key_identity),
            kept(&self.key),
            kept(&vec![0; self.receive]),
            kept(&vec![0; self.transmit]),
        ];
        let security = MQTT_SECURITY {
            ptrServerName: CString::new(&*self.server_name).unwrap().into_raw(),
            ptrAuthority: authority.0,
            usAuthorityLength: authority.1,
            ptrCertificate: certificate.0,
            usCertificateLength: certificate.1,
            ptrPrivateKey: private_key.0,
            usPrivateKeyLength: private_key.1,
            ptrKeyIdentity: key_identity.0,
            usKeyIdentityLength: key_identity.1,
            ptrKey: key.0,
            usKeyLength: key.1,
            ptrReceive: receive.0,
            usReceiveLength: receive.1,
            ptrTransmit: transmit.0,
            usTransmitLength: transmit.1,
        };
        BUFFERS.set([receive, transmit]);
        // SAFETY: all of it is kept for ever.
        unsafe { c::raw::fnSetMQTT_security(&security) }
    }
}

/// Nothing of a connection that has ended is left in its buffers.
#[track_caller]
fn expect_wiped_buffers() {
    for (start, length) in BUFFERS.get() {
        // SAFETY: it is kept for ever, and nobody writes into it now.
        let buffer = unsafe { std::slice::from_raw_parts(start, length.into()) };
        assert!(buffer.iter().all(|byte| *byte == 0), "wiped");
    }
}

/// Whoever has it has the library for himself.
pub struct Client(#[expect(dead_code, reason = "held, not looked at")] MutexGuard<'static, ()>);

impl Client {
    /// There is a platform, and no connection.
    pub fn closed() -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        EVENTS.take();
        assert_eq!(c::set_platform(&PLATFORM), 0);
        Self(turn)
    }

    pub fn connect(&self, port: u16) -> c_int {
        self.connect_with(c::MQTT_OPTIONS { usPort: port, ..Default::default() })
    }

    pub fn connect_with(&self, options: c::MQTT_OPTIONS) -> c_int {
        assert_eq!(c::set_options(options), 0);
        // SAFETY: no address is read.
        unsafe { c::raw::fnConnectMQTT(ptr::null(), Some(callback), c::SECURE | c::CLEAN) }
    }

    /// The port that was opened last.
    pub fn port(&self) -> u16 {
        PORT.load(Ordering::Relaxed)
    }

    /// From now on time passes only when a test says so, however long it takes.
    pub fn stop_clock(&self) {
        *STOPPED.lock().unwrap() = Some(elapsed());
    }

    /// Time passes.
    pub fn passes(&self, milliseconds: u64) {
        AHEAD.fetch_add(milliseconds, Ordering::Relaxed);
    }

    /// Polls until there is nothing to be done at once.
    pub fn rest(&self) {
        while c::poll() == 0 {}
    }

    /// The link takes so many bytes more; `None`: all.
    pub fn link_takes(&self, bytes: Option<u64>) {
        ROOM.store(bytes.unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Whether it takes no more.
    pub fn link_is_full(&self) -> bool {
        ROOM.load(Ordering::Relaxed) == 0
    }

    /// The bytes that it has read so far.
    pub fn read(&self) -> usize {
        READ.get()
    }

    /// The events so far.
    pub fn kinds(&self) -> Vec<c_int> {
        EVENTS.with_borrow(|events| events.iter().map(|event| event.kind).collect())
    }

    /// A connection that is refused: why, by the event that comes before its end.
    #[track_caller]
    pub fn refused(&self) -> c_ulong {
        let reason = self.wait_for(c::SECURITY).number;
        self.wait_for(c::CONNECTION_CLOSED);
        reason
    }

    /// Polls until something is told, or this is so after a poll that has returned its argument.
    #[track_caller]
    pub fn poll_until(&self, is_so: impl Fn(c_ulong) -> bool) {
        let start = Instant::now();
        while !is_so(c::poll()) && self.kinds().is_empty() {
            assert!(start.elapsed() < LIMIT);
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Polls until an event of this kind, and returns it.
    #[track_caller]
    pub fn wait_for(&self, kind: c_int) -> Event {
        self.wait_for_any(&[kind])
    }

    /// The same, of one of these kinds.
    #[track_caller]
    pub fn wait_for_any(&self, kinds: &[c_int]) -> Event {
        let start = Instant::now();
        loop {
            let wait = c::poll();
            let found = EVENTS.with_borrow_mut(|events| {
                let place = events.iter().position(|event| kinds.contains(&event.kind))?;
                events.drain(..=place).next_back()
            });
            if let Some(event) = found {
                if event.kind == c::CONNECTION_CLOSED {
                    expect_wiped_buffers();
                }
                return event;
            }
            assert!(start.elapsed() < LIMIT, "{kinds:?} in {:?}", EVENTS.take());
            if wait != 0 {
                thread::sleep(Duration::from_millis(1));
            }
        }
    }

    /// Messages go to the broker and come back.
    #[track_caller]
    pub fn exchanges_messages(&self) {
        self.wait_for(c::CONNACK_RECEIVED);
        let reference = c::subscribe(c"a/b", 2);
        assert_eq!(reference, 1);
        self.wait_for(c::SUBACK_RECEIVED);
        for qos in 0..3 {
            assert!(c::publish_data(1, None, qos, b"hello") > 0);
            assert_eq!(self.wait_for(c::TOPIC_MESSAGE).data, b"hello");
        }
        self.disconnect();
    }

    /// Ends the connection.
    pub fn disconnect(&self) {
        assert_eq!(c::disconnect(), 0);
        self.wait_for(c::CONNECTION_CLOSED);
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        *STOPPED.lock().unwrap() = None;
        self.link_takes(None);
        // A test that has failed leaves nothing to the next.
        let start = Instant::now();
        while c::set_platform(&PLATFORM) != 0 && start.elapsed() < Duration::from_secs(5) {
            c::disconnect();
            c::poll();
        }
    }
}
