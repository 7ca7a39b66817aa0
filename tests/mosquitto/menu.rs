//! The command-line menu, over a pipe and over Telnet.

use crate::broker::{Broker, Build, program};
use crate::tools::{LIMIT, Running, free_port, run, run_with, wait_until};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;

/// Each command of the session of the μTasker document, and what is printed until the next can be typed.
const SESSION: [(&str, &str); 11] = [
    ("mqtt_con 127.0.0.1", "MQTT client Connecting...\n#MQTT connected\n"),
    ("mqtt_sub uTasker/test1", "Subscribing (ref=1)...\n#MQTT subscribed [1]\n"),
    ("mqtt_sub uTasker/test2 1", "Subscribing (ref=2)...\n#MQTT subscribed [2]\n"),
    ("mqtt_top", "Reference:1 QoS:2 Topic:uTasker/test1\nReference:2 QoS:1 Topic:uTasker/test2\n#"),
    ("mqtt_pub \"uTasker/test5\" 2", "Publishing...\n#MQTT published - QoS2 [0]\n"),
    ("mqtt_pub_l \"uTasker/test5\" 0", "Publishing...\n#MQTT published - QoS0 [0]\n"),
    ("mqtt_pub 2", "Publishing...\n#Message (14) [2]\nMQTT published - QoS1 [2]\n"),
    ("mqtt_pub_l 1 0", "Publishing...\n#MQTT published - QoS0 [1]\nMessage (1028) [1]\n"),
    ("mqtt_un 2", "Unsubscribing...\n#MQTT subscribed [2]\n"),
    ("mqtt_un 1", "Unsubscribing...\n#MQTT subscribed [1]\n"),
    ("mqtt_dis", "Disconnecting...\n#MQTT closed\n"),
];

/// Someone who types, and waits for what is printed.
pub struct User {
    link: TcpStream,
    printed: String,
}

impl User {
    /// At the Telnet port of a menu.
    pub fn of(port: u16) -> Self {
        let mut link = None;
        wait_until("the menu listens", || {
            link = TcpStream::connect(("127.0.0.1", port)).ok();
            link.is_some()
        });
        let link = link.unwrap();
        link.set_read_timeout(Some(LIMIT)).unwrap();
        Self { link, printed: String::new() }
    }

    pub fn types(&mut self, bytes: &[u8]) {
        self.link.write_all(bytes).unwrap();
    }

    /// Takes what is printed, up to this text.
    #[track_caller]
    pub fn sees(&mut self, text: &str) -> String {
        let mut buffer = [0; 4096];
        loop {
            if let Some(place) = self.printed.find(text) {
                let rest = self.printed.split_off(place + text.len());
                return std::mem::replace(&mut self.printed, rest);
            }
            let length = self.link.read(&mut buffer).unwrap_or_else(|error| panic!("{error} instead of {text:?} behind {:?}", self.printed));
            assert_ne!(length, 0, "the end instead of {text:?} behind {:?}", self.printed);
            self.printed.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
        }
    }
}

/// The menu, started by this command, and its Telnet port.
pub fn menu_at_a_telnet_port(command: &mut Command) -> (Running, u16) {
    let port = free_port("127.0.0.1");
    (Running::start(command.args(["--telnet", &port.to_string()])), port)
}

fn session_over_telnet(build: Build) {
    let broker = Broker::open_to(build);
    let (menu, port) = menu_at_a_telnet_port(&mut broker.ours(build, "cli"));
    for round in 0..2 {
        let mut user = User::of(port);
        assert!(user.sees("\r\n#").contains("mqtt_con"), "the menu is shown");
        for (command, printed) in SESSION {
            user.types(format!("{}\r\n", command.replace("mqtt_con", build.connect())).as_bytes());
            let printed = printed.replace('\n', "\r\n");
            assert_eq!(user.sees(&printed), printed, "{command} of user {round}");
        }
        user.types(b"quit\r\n");
        assert_eq!(user.link.read(&mut [0; 10]).unwrap(), 0, "the connection is closed");
    }
    menu.signal("TERM");
    menu.finish().well();
}

#[test]
fn the_session_of_the_document_over_telnet() {
    session_over_telnet(Build::Plain);
}

#[test]
fn the_session_of_the_document_over_telnet_under_sanitizers() {
    session_over_telnet(Build::Sanitized);
}

#[test]
fn the_session_of_the_document_over_secure_connections() {
    session_over_telnet(Build::SecureSanitized);
}

#[test]
fn telnet_commands_are_left_out_and_lines_may_end_in_any_way() {
    let broker = Broker::open();
    let (menu, port) = menu_at_a_telnet_port(&mut broker.ours(Build::Sanitized, "cli"));
    let mut user = User::of(port);
    user.sees("\r\n#");
    user.types(b"\xff\xfd\x01mqtt_\xff\xfa\x18\x01\xff\xf0con 127.0.0.1\r\0");
    user.sees("#MQTT connected\r\n");
    for end in ["\r\n", "\r\0", "\n", "\r"] {
        user.types(format!("mqtt_unnn\x08\x7f{end}").as_bytes());
        assert_eq!(user.sees("help\r\n#"), "Missing argument; try help\r\n#");
    }
    user.types(b"mqtt_dis\r\n");
    user.sees("#MQTT closed\r\n");
    drop(user);
    let mut next = User::of(port);
    next.sees("\r\n#");
    drop(menu);
}

#[test]
fn a_telnet_client_that_is_lost_within_a_line_has_not_typed_it() {
    let broker = Broker::open();
    let (menu, port) = menu_at_a_telnet_port(&mut broker.ours(Build::Sanitized, "cli"));
    let mut user = User::of(port);
    user.types(b"mqtt_con 127.0.0.1\r\n");
    user.sees("#MQTT connected\r\n");
    user.types(b"mqtt_dis");
    drop(user);
    let mut next = User::of(port);
    next.sees("\r\n#");
    next.types(b"mqtt_sub a/b\r\n");
    next.sees("#MQTT subscribed [1]\r\n");
    drop(menu);
}

#[test]
fn a_telnet_client_that_does_not_read_is_closed() {
    let (menu, port) = menu_at_a_telnet_port(&mut program(Build::Sanitized, "cli"));
    let mut user = User::of(port);
    let _ = user.link.write_all(&b"help\r\n".repeat(40_000)); // it may be closed before all is written
    User::of(port).sees("\r\n#");
    drop(user);
    menu.signal("TERM");
    menu.finish().well();
}

#[test]
fn commands_from_a_pipe_are_answered_and_its_end_disconnects() {
    let broker = Broker::open();
    for build in [Build::Plain, Build::Sanitized] {
        let mut menu = Running::start(broker.ours(build, "cli").args(["-i", &format!("menu-{build:?}")]));
        menu.write(b"mqtt_con 127.0.0.1\n");
        broker.wait_for(&format!("Sending CONNACK to menu-{build:?}"), 1);
        menu.write(b"mqtt_sub a/b 1\n");
        broker.wait_for(&format!("Sending SUBACK to menu-{build:?}"), 1);
        let result = menu.finish().well();
        let printed = result.text();
        for text in ["MQTT client Connecting...\n", "#MQTT connected\n", "Subscribing (ref=1)...\n", "#MQTT subscribed [1]\n", "#MQTT closed\n"] {
            let text = text.trim_start_matches('#');
            assert!(printed.contains(text), "{text:?} in {printed:?}");
        }
        assert!(!printed.contains('\r'), "the system's own line ends");
        broker.wait_for(&format!("Received DISCONNECT from menu-{build:?}"), 1);
    }
}

#[test]
fn commands_are_shown_on_request() {
    let printed = run_with(program(Build::Plain, "cli").arg("--echo"), b"mqtt_dis\n").well().text();
    assert!(printed.contains("\n#mqtt_dis\nMQTT error! ERROR_MQTT_NOT_READY"), "{printed}");
}

#[test]
fn wrong_commands_are_answered_with_an_explanation() {
    let long = "x".repeat(200);
    let cases = [
        ("mqtt_xxx", "Unknown command; try help"),
        ("mqtt_un", "Missing argument; try help"),
        ("mqtt_un 1 2", "Too many arguments; try help"),
        ("mqtt_pub \"open", "Missing closing quote"),
        ("mqtt_sub a 3", "The QoS must be 0, 1 or 2"),
        ("mqtt_con 1.2.3.4.5", "The broker must be given as an IPv4 or IPv6 address"),
        ("mqtt_un x", "The reference must be a number; mqtt_top lists them"),
        ("mqtt_pub x", "Give the topic in quotes, or the reference of a subscription"),
        ("mqtt_dis", "MQTT error! ERROR_MQTT_NOT_READY"),
        ("mqtt_sub a", "MQTT error! ERROR_MQTT_NOT_READY"),
        ("mqtts_con 127.0.0.1", "MQTT error! ERROR_MQTT_NOT_SUPPORTED"),
        ("mqttps_con 127.0.0.1", "MQTT error! ERROR_MQTT_NOT_SUPPORTED"),
        (&*long, "Line too long"),
    ];
    for build in [Build::Plain, Build::Sanitized] {
        for (command, answer) in cases {
            let result = run_with(&mut program(build, "cli"), command.as_bytes()).well();
            assert!(result.text().contains(&format!("\n#{answer}")), "{command}: {}", result.text());
        }
    }
}

#[test]
fn the_menu_connects_over_ipv6() {
    let broker = Broker::open_on_ipv6();
    let mut menu = Running::start(&mut broker.ours(Build::Plain, "cli"));
    menu.write(b"mqtt_con ::1\n");
    broker.wait_for("Sending CONNACK to KINETIS", 1);
    assert!(menu.finish().well().text().contains("MQTT connected\n"));
}

#[test]
fn a_telnet_port_in_use_is_told() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let result = run(program(Build::Plain, "cli").args(["--telnet", &port])).with_code(1);
    assert!(result.errors.contains("cannot listen for Telnet"), "{}", result.errors);
}
