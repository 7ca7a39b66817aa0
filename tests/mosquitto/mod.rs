//! A Mosquitto of a test's own, and programs that talk to it: the C examples, and Mosquitto's clients.
#![allow(dead_code, reason = "not every test needs all of it")]

use crate::tools::{self, Running, installed, root, run};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, Once, OnceLock};

/// How the C programs were compiled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Build {
    Plain,
    Sanitized,
    Secure,
    SecureSanitized,
}

impl Build {
    /// Whether it can make secure connections.
    fn is_secure(self) -> bool {
        matches!(self, Self::Secure | Self::SecureSanitized)
    }

    /// The menu's command to connect, securely where it can.
    pub fn connect(self) -> &'static str {
        if self.is_secure() { "mqtts_con" } else { "mqtt_con" }
    }
}

/// Where the C programs are, built once.
fn programs(build: Build) -> &'static Path {
    static PLACES: [OnceLock<PathBuf>; 4] = [const { OnceLock::new() }; 4];
    let (directory, arguments): (_, &[_]) = match build {
        Build::Plain => ("target/c-examples", &["all"]),
        Build::Sanitized => ("target/c-examples-sanitized", &["all", "SANITIZE=1"]),
        Build::Secure => ("target/c-examples-secure", &["all", "SECURE=1"]),
        Build::SecureSanitized => ("target/c-examples-secure-sanitized", &["all", "SECURE=1", "SANITIZE=1"]),
    };
    PLACES[build as usize].get_or_init(|| {
        // All builds call cargo: one after the other.
        static ONE: Mutex<()> = Mutex::new(());
        let _one = ONE.lock();
        let mut make = Command::new("make");
        make.arg("-C").arg(root().join("c-examples")).args(arguments);
        for name in ["CARGO_TARGET_DIR", "MQTT_CONFIG_H", "RUSTFLAGS", "MAKEFLAGS", "SECURE", "SANITIZE"] {
            make.env_remove(name);
        }
        run(&mut make).well();
        root().join(directory)
    })
}

/// `publish`, `subscribe` or `cli`, with no broker named.
pub fn program(build: Build, name: &str) -> Command {
    let mut command = Command::new(programs(build).join(name));
    command.env("UBSAN_OPTIONS", "print_stacktrace=1:exitcode=99").env("ASAN_OPTIONS", "abort_on_error=0:exitcode=99");
    command
}

/// Where `tests/certificates` has put its files, made once.
pub fn certificates() -> &'static Path {
    static PLACE: OnceLock<PathBuf> = OnceLock::new();
    PLACE.get_or_init(|| {
        let directory = tools::scratch("certificates");
        run(Command::new(root().join("tests/certificates")).arg(&directory)).well();
        directory
    })
}

/// The path of one of them.
pub fn certificate(name: &str) -> String {
    certificates().join(name).display().to_string()
}

/// The end of what a broker tells first: its ports are open.
const RUNNING: &str = " running";

/// Its configuration keeps it to the loopback interface; it is stopped when it is dropped.
pub struct Broker {
    process: Option<Child>,
    host: &'static str,
    pub port: u16,
    pub directory: PathBuf,
    configuration: String,
    /// Options of all programs that connect to it.
    security: Vec<String>,
}

impl Broker {
    /// Anybody may do anything.
    pub fn open() -> Self {
        Self::new("127.0.0.1", |_| "allow_anonymous true\n".into())
    }

    /// Anybody who can make secure connections, where that is so, with the client's certificate.
    pub fn open_to(build: Build) -> Self {
        if !build.is_secure() {
            return Self::open();
        }
        let mut broker = Self::secure("broker", "require_certificate true");
        for (option, name) in [("--cafile", "ca.crt"), ("--cert", "client.crt"), ("--key", "client.key")] {
            broker.security.extend([option.into(), certificate(name)]);
        }
        broker
    }

    pub fn open_on_ipv6() -> Self {
        Self::new("::1", |_| "allow_anonymous true\n".into())
    }

    /// Keeps sessions and retained messages while it is restarted.
    pub fn persistent() -> Self {
        Self::new("127.0.0.1", |directory| {
            format!("allow_anonymous true\npersistence true\npersistence_location {}/\n", directory.display())
        })
    }

    /// Needs the user `anna` with the password `secret`, who may use `allowed/#` only.
    pub fn locked() -> Self {
        Self::new("127.0.0.1", |directory| {
            let passwords = directory.join("passwords");
            let mut command = Command::new(installed("mosquitto_passwd", "broker"));
            run(command.args(["-b", "-c"]).arg(&passwords).args(["anna", "secret"])).well();
            let rights = directory.join("rights");
            fs::write(&rights, "user anna\ntopic readwrite allowed/#\n").unwrap();
            format!("allow_anonymous false\npassword_file {}\nacl_file {}\n", passwords.display(), rights.display())
        })
    }

    /// Needs the user `admin` with the password `secret`, and refuses subscriptions to what is not in `allowed/#`.
    pub fn refusing_subscriptions() -> Self {
        Self::new("127.0.0.1", |directory| {
            let file = directory.join("dynamic-security.json");
            let mut command = Command::new(installed("mosquitto_ctrl", "broker"));
            run(command.args(["dynsec", "init"]).arg(&file).args(["admin", "secret"])).well();
            let all_allowed = fs::read_to_string(&file).unwrap();
            let some_allowed = all_allowed.replace("\"#\"", "\"allowed/#\"");
            assert_ne!(all_allowed, some_allowed);
            fs::write(&file, some_allowed).unwrap();
            let plugin = run(Command::new("dpkg").args(["-L", "mosquitto"])).well().text();
            let plugin = plugin.lines().find(|line| line.ends_with("mosquitto_dynamic_security.so")).unwrap().to_owned();
            format!("per_listener_settings false\nallow_anonymous false\nplugin {plugin}\nplugin_opt_config_file {}\n", file.display())
        })
    }

    /// For secure connections alone, with this certificate, and what else its configuration says.
    pub fn secure(name: &str, settings: &str) -> Self {
        let [authority, own, key] = ["ca.crt", &format!("{name}.crt"), &format!("{name}.key")].map(certificate);
        Self::with(&format!("cafile {authority}\ncertfile {own}\nkeyfile {key}\n{settings}"))
    }

    /// For secure connections of those who have this key, in hexadecimal digits.
    pub fn with_shared_key(identity: &str, key: &str) -> Self {
        Self::new("127.0.0.1", |directory| {
            let keys = directory.join("keys");
            fs::write(&keys, format!("{identity}:{key}\n")).unwrap();
            format!("allow_anonymous true\npsk_hint any\npsk_file {}\n", keys.display())
        })
    }

    pub fn with(settings: &str) -> Self {
        Self::new("127.0.0.1", |_| format!("allow_anonymous true\n{settings}\n"))
    }

    /// As a test says, with files in the directory that it is given.
    pub fn configured(settings: impl Fn(&Path) -> String) -> Self {
        Self::new("127.0.0.1", settings)
    }

    fn new(host: &'static str, settings: impl Fn(&Path) -> String) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        static INSTALL: Once = Once::new();
        INSTALL.call_once(|| drop(installed("mosquitto", "broker")));
        let directory = tools::scratch(&format!("broker-{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
        let settings = settings(&directory);
        // Another program may take the port first.
        for _ in 0..5 {
            let port = tools::free_port(host);
            let configuration = format!(
                "user root\nlog_type all\nlog_dest stderr\nmax_queued_messages 0\nqueue_qos0_messages true\nlistener {port} {host}\n{settings}"
            );
            let directory = directory.clone();
            let mut broker = Self { process: None, host, port, directory, configuration, security: Vec::new() };
            if broker.start() {
                return broker;
            }
        }
        panic!("no broker with {settings}");
    }

    /// What it tells goes to a file, where it can be read before anybody sees what comes of it.
    fn log(&self) -> PathBuf {
        self.directory.join("log")
    }

    /// Starts it, again. Returns whether it accepts connections.
    pub fn start(&mut self) -> bool {
        let file = self.directory.join("mosquitto.conf");
        fs::write(&file, &self.configuration).unwrap();
        let mut command = Command::new(installed("mosquitto", "broker"));
        let log = File::options().create(true).append(true).open(self.log()).unwrap();
        let before = self.count(RUNNING);
        let mut process = command.arg("-c").arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let mut ended = false;
        tools::wait_until("the broker accepts connections, or ends", || {
            ended = process.try_wait().unwrap().is_some();
            ended || self.count(RUNNING) > before
        });
        self.process = Some(process);
        !ended
    }

    /// Ends it as its administrator does, so that it keeps what it is to keep.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            tools::signal(&process, "TERM");
            let _ = process.wait();
        }
    }

    /// One of our programs.
    pub fn ours(&self, build: Build, name: &str) -> Command {
        let mut command = program(build, name);
        command.args(["-h", self.host, "-p", &self.port.to_string()]).args(&self.security);
        command
    }

    /// `mosquitto_pub` or `mosquitto_sub`.
    pub fn theirs(&self, name: &str) -> Command {
        let mut command = Command::new(installed(&format!("mosquitto_{name}"), "broker"));
        command.args(["-h", self.host, "-p", &self.port.to_string()]).args(&self.security);
        command
    }

    /// Starts a subscriber of this identifier, and waits until it has subscribed `count` times.
    pub fn subscriber(&self, command: &mut Command, identifier: &str, count: usize) -> Running {
        let text = format!("Sending SUBACK to {identifier}");
        let before = self.count(&text);
        let running = Running::start(command.args(["-i", identifier]));
        self.wait_for(&text, before + count);
        running
    }

    /// How often the log says so.
    pub fn count(&self, text: &str) -> usize {
        String::from_utf8_lossy(&fs::read(self.log()).unwrap()).lines().filter(|line| line.contains(text)).count()
    }

    /// Waits until the log has said something so often.
    #[track_caller]
    pub fn wait_for(&self, text: &str, count: usize) {
        tools::wait_until(text, || self.count(text) >= count);
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.stop();
    }
}
