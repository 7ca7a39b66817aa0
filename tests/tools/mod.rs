//! Running other programs: compilers, cargo, brokers. Each is stopped by its id, at the latest when its value is dropped.
#![allow(dead_code, reason = "not every test needs all of it")]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{self, Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long any program may take, and anything that is waited for.
pub const LIMIT: Duration = Duration::from_secs(600);

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// An empty directory of this name.
pub fn scratch(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    directory
}

/// What has become of a program.
pub struct Finished {
    /// `None`: a signal ended it.
    pub code: Option<i32>,
    pub output: Vec<u8>,
    pub errors: String,
}

impl Finished {
    pub fn text(&self) -> String {
        String::from_utf8(self.output.clone()).unwrap()
    }

    /// It must have ended well.
    #[track_caller]
    pub fn well(self) -> Self {
        self.with_code(0)
    }

    #[track_caller]
    pub fn with_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}{}", String::from_utf8_lossy(&self.output), self.errors);
        self
    }
}

/// A program that runs.
pub struct Running {
    child: Child,
    input: Option<ChildStdin>,
    readers: Option<[Reader; 2]>,
}

/// Reads all the time, so that the program never waits.
struct Reader {
    bytes: Arc<Mutex<Vec<u8>>>,
    thread: JoinHandle<()>,
}

impl Reader {
    fn new(mut from: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let all = bytes.clone();
        let thread = thread::spawn(move || {
            let mut some = [0; 4096];
            while let Ok(length @ 1..) = from.read(&mut some) {
                all.lock().unwrap().extend_from_slice(&some[..length]);
            }
        });
        Self { bytes, thread }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap()).into_owned()
    }

    fn has_read(&self, text: &str) -> bool {
        self.text().contains(text)
    }

    /// All that there was to be read.
    fn finish(self) -> Vec<u8> {
        self.thread.join().unwrap();
        std::mem::take(&mut self.bytes.lock().unwrap())
    }
}

impl Running {
    pub fn start(command: &mut Command) -> Self {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let readers = [Reader::new(child.stdout.take().unwrap()), Reader::new(child.stderr.take().unwrap())];
        Self { input: child.stdin.take(), child, readers: Some(readers) }
    }

    /// Gives it something to read.
    pub fn write(&mut self, bytes: &[u8]) {
        self.input.as_mut().unwrap().write_all(bytes).unwrap();
    }

    /// Waits until it has written this to its standard output.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) {
        self.wait_for_it_in(0, text);
    }

    /// The same of its standard error.
    #[track_caller]
    pub fn wait_for_error(&mut self, text: &str) {
        self.wait_for_it_in(1, text);
    }

    #[track_caller]
    fn wait_for_it_in(&mut self, stream: usize, text: &str) {
        let start = Instant::now();
        while !self.reader(stream).has_read(text) {
            let may_come = start.elapsed() < LIMIT && self.is_running();
            assert!(may_come || self.reader(stream).has_read(text), "{text:?} was not written, but {}", self.reader(stream).text());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whether it has written this to its standard output.
    pub fn has_written(&self, text: &str) -> bool {
        self.reader(0).has_read(text)
    }

    fn reader(&self, stream: usize) -> &Reader {
        &self.readers.as_ref().unwrap()[stream]
    }

    pub fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Gives it nothing more to read, and waits for its end.
    pub fn finish(mut self) -> Finished {
        drop(self.input.take());
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if start.elapsed() > LIMIT {
                let _ = self.child.kill();
            }
            thread::sleep(Duration::from_millis(3));
        };
        let [output, errors] = self.readers.take().unwrap().map(Reader::finish);
        Finished { code: status.code(), output, errors: String::from_utf8_lossy(&errors).into_owned() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
}

/// Runs a program to its end, with nothing to read.
pub fn run(command: &mut Command) -> Finished {
    Running::start(command).finish()
}

/// Runs a program that reads `input`.
pub fn run_with(command: &mut Command, input: &[u8]) -> Finished {
    let mut running = Running::start(command);
    let mut to = running.input.take().unwrap();
    let input = input.to_vec();
    thread::spawn(move || to.write_all(&input));
    running.finish()
}

/// Waits for something to become true.
#[track_caller]
pub fn wait_until(what: &str, mut is_true: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_true() {
        assert!(start.elapsed() < LIMIT, "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A port for a program that is yet to be started, and no other's: below those that the system gives to whoever asks for any, and one
/// that this process has not returned before.
pub fn free_port(host: &str) -> u16 {
    const FIRST: u32 = 10_000;
    const COUNT: u32 = 22_000;
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let start = process::id().wrapping_mul(977) % COUNT; // not where another process looks at the same time
    let ports = (0..COUNT).map(|_| (FIRST + (start + TAKEN.fetch_add(1, Ordering::Relaxed)) % COUNT) as u16);
    ports.into_iter().find(|&port| TcpListener::bind((host, port)).is_ok()).expect("there is a free port")
}

/// OpenSSL's server for TLS with these options, and its port.
pub fn openssl_server(command: &mut Command) -> (Running, u16) {
    let server = Running::start(command.args(["-accept", "127.0.0.1:0"]));
    let mut port = None;
    wait_until("the server tells its port", || {
        port = server.reader(0).text().split_once("ACCEPT 127.0.0.1:").and_then(|(_, rest)| rest.split_once('\n')?.0.parse().ok());
        port.is_some()
    });
    (server, port.unwrap())
}

/// The cargo that runs the tests, for builds of its own: the environment decides nothing about them.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.args(arguments).current_dir(root());
    for name in ["CARGO_TARGET_DIR", "MQTT_CONFIG_H", "RUSTFLAGS"] {
        command.env_remove(name);
    }
    command
}

/// `program`, installed by `tests/install` where it is missing.
pub fn installed(program: &str, need: &str) -> PathBuf {
    let find = || ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin"].map(|place| Path::new(place).join(program)).into_iter().find(|path| path.exists());
    find().unwrap_or_else(|| {
        run(Command::new(root().join("tests/install")).arg(need)).well();
        find().unwrap_or_else(|| panic!("tests/install {need} brings {program}"))
    })
}
