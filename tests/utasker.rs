//! The port to μTasker, with the application of its document, over a stand-in for μTasker against Mosquitto. The stand-in ends with an
//! error where the port does what μTasker's TCP does not allow: a second segment before an ACK, other bytes where it asks again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

#[path = "mosquitto/mod.rs"]
mod broker;
mod tools;

use broker::{Broker, Build, program};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tools::{LIMIT, run, run_with, signal, wait_until};

/// With the options of μTasker's TCP, and without.
const PROGRAMS: [&str; 2] = ["utasker", "utasker_plain"];

/// Each command of the session of the μTasker document, and what is printed until the next can be typed.
const SESSION: [(&str, &str); 15] = [
    ("mqtt_con 127.0.0.1", "Connecting...\nMQTT connected\n"),
    ("mqtt_con 127.0.0.1", "Can't connect!\n"),
    ("mqtt_sub uTasker/test1", "Subscribing (ref=1)...\nMQTT subscribed [1]\n"),
    ("mqtt_sub uTasker/test2 1", "Subscribing (ref=2)...\nMQTT subscribed [2]\n"),
    ("mqtt_top", "Reference:1 QoS:2 Topic:uTasker/test1\nReference:2 QoS:1 Topic:uTasker/test2\n\n"),
    ("mqtt_pub \"uTasker/test5\" 2", "Publishing...\nMQTT published - QoS2 [0]\n"),
    ("mqtt_pub_l \"uTasker/test5\" 0", "Publishing...\nMQTT published - QoS0 [0]\n"),
    ("mqtt_pub 0 1", "Publishing...\nMQTT published - QoS1 [0]\n"),
    ("mqtt_pub 2", "Publishing...\nMessage (14) [2]\nMQTT published - QoS1 [2]\n"),
    ("mqtt_pub_l 1 0", "Publishing...\nMQTT published - QoS0 [1]\nMessage (1028) [1]\n"),
    ("mqtt_pub 3", "MQTT error!\n"),
    ("mqtt_un 2", "Unsubscribing...\nMQTT subscribed [2]\n"),
    ("mqtt_un 1", "Unsubscribing...\nMQTT subscribed [1]\n"),
    ("mqtt_dis", "Disconnecting...\nMQTT closed\n"),
    ("mqtt_pub \"uTasker/test5\" 2", "MQTT error!\n"),
];

fn keep(mut from: impl Read + Send + 'static) -> Arc<Mutex<String>> {
    let text = Arc::new(Mutex::new(String::new()));
    let kept = text.clone();
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut bytes) {
            kept.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..length]).replace('\r', ""));
        }
    });
    text
}

/// The program, and someone who types.
struct User {
    child: Child,
    printed: Arc<Mutex<String>>,
    /// What the stand-in tells of its TCP, or why it has ended.
    told: Arc<Mutex<String>>,
}

impl User {
    fn of(port: u16, build: Build, name: &str) -> Self {
        let mut command = program(build, name);
        command.arg(port.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (printed, told) = (keep(child.stdout.take().unwrap()), keep(child.stderr.take().unwrap()));
        Self { child, printed, told }
    }

    fn types(&mut self, line: &str) {
        writeln!(self.child.stdin.as_ref().unwrap(), "{line}").unwrap();
    }

    /// Takes what is printed, up to this text, without what was asked for before.
    #[track_caller]
    fn sees(&mut self, text: &str) -> String {
        let find = |user: &Self| user.printed.lock().unwrap().find(text);
        wait_until(&format!("{text:?} is printed"), || find(self).is_some() || self.child.try_wait().unwrap().is_some());
        let Some(place) = find(self) else { panic!("no {text:?} in {:?}; {}", self.printed.lock().unwrap(), self.told.lock().unwrap()) };
        let mut printed = self.printed.lock().unwrap();
        let rest = printed.split_off(place + text.len());
        std::mem::replace(&mut *printed, rest)
    }

    #[track_caller]
    fn connects(&mut self) {
        self.types("mqtt_con 127.0.0.1");
        self.sees("MQTT connected\n");
    }

    #[track_caller]
    fn connects_and_subscribes(&mut self) {
        self.connects();
        self.types("mqtt_sub uTasker/test1");
        self.sees("MQTT subscribed [1]\n");
    }

    fn count(&self, text: &str) -> usize {
        self.told.lock().unwrap().matches(text).count()
    }

    /// Waits until the stand-in has told this so often.
    #[track_caller]
    fn is_told(&self, text: &str, count: usize) {
        wait_until(&format!("{text:?} is told"), || self.count(text) >= count);
        assert_eq!(self.count(text), count, "{text:?}");
    }

    /// Ends the input. The program disconnects and ends well.
    #[track_caller]
    fn leaves(mut self) {
        drop(self.child.stdin.take());
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}: {}", self.told.lock().unwrap());
    }
}

impl Drop for User {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a session with each of the programs.
fn each(session: impl Fn(&mut Broker, &mut User, &str)) {
    for name in PROGRAMS {
        let mut broker = Broker::open();
        let mut user = User::of(broker.port, Build::Sanitized, name);
        session(&mut broker, &mut user, name);
        user.leaves();
    }
}

#[test]
fn the_session_of_the_document() {
    for build in [Build::Plain, Build::Sanitized] {
        for name in PROGRAMS {
            let broker = Broker::open();
            let mut user = User::of(broker.port, build, name);
            for round in 0..2 {
                for (command, printed) in SESSION {
                    user.types(command);
                    assert_eq!(user.sees(printed).trim_start(), printed.trim_start(), "{command}, {round} of {name}");
                }
            }
            broker.wait_for("Received DISCONNECT from KINETIS", 2);
            assert_eq!(broker.count("'uTasker/test5', ... (14 bytes)"), 2);
            assert_eq!(broker.count("'uTasker/test5', ... (1028 bytes)"), 2);
            assert_eq!(broker.count("'xyz/abc', ... (14 bytes)"), 2);
            assert_eq!(user.count("repeated") + user.count("refused"), 0);
            user.leaves();
        }
    }
}

#[test]
fn what_was_lost_is_repeated() {
    each(|broker, user, name| {
        user.connects_and_subscribes();
        for (round, fault) in ["!lose_segment", "!no_buffer", "!lose_ack", "!half_ack", "!forget_address"].into_iter().enumerate() {
            for qos in 0..3 {
                user.types(fault);
                user.types(&format!("mqtt_pub_l 1 {qos}"));
                user.sees("Message (1028) [1]\n");
                user.is_told("bytes repeated", round * 3 + qos + 1);
            }
        }
        assert_eq!(broker.count("Received PUBLISH from KINETIS"), 15, "each once, {name}");
    });
}

#[test]
fn a_segment_is_lost_in_the_middle_of_a_packet() {
    let broker = Broker::open();
    let mut user = User::of(broker.port, Build::Sanitized, "utasker"); // whose host takes no whole packet at once
    user.connects_and_subscribes();
    for (round, fault) in ["!lose_segment", "!lose_second_segment"].into_iter().enumerate() {
        user.types(fault);
        user.types("mqtt_pub_l 1 2");
        user.sees("Message (1028) [1]\n");
        user.is_told("bytes repeated", round + 1);
    }
    user.is_told("TCP: 1000 bytes repeated", 1);
    user.leaves();
}

#[test]
fn the_host_aborts_in_the_middle_of_a_packet() {
    each(|_, user, _| {
        for fault in ["!lose_segment", "!no_buffer", "!half_ack", "!lose_second_segment"] {
            user.connects_and_subscribes();
            user.types(fault);
            user.types("mqtt_pub_l 1 1");
            user.sees("Publishing...\n");
            user.types("!abort");
            user.sees("MQTT event -15\nMQTT closed\n");
        }
        user.connects_and_subscribes();
        user.types("mqtt_pub 1 1");
        user.sees("Message (14) [1]\n");
    });
}

#[test]
fn the_last_segment_is_delivered_though_the_connection_is_closed() {
    each(|broker, user, _| {
        user.connects();
        user.types("!lose_segment");
        user.types("mqtt_dis");
        user.sees("MQTT closed\n");
        broker.wait_for("Received DISCONNECT from KINETIS", 1);
        user.is_told("TCP: 2 bytes repeated", 1);
    });
}

#[test]
fn a_new_connection_waits_for_the_one_before() {
    each(|broker, user, _| {
        user.connects();
        user.types("!lose_all");
        user.types("mqtt_dis");
        user.sees("MQTT closed\n");
        user.types("mqtt_con 127.0.0.1");
        user.types("!lose_nothing");
        user.sees("MQTT connected\n");
        assert_eq!(broker.count("Received DISCONNECT from KINETIS"), 0, "it was lost");
    });
}

#[test]
fn the_host_aborts() {
    each(|_, user, _| {
        for _ in 0..2 {
            user.connects_and_subscribes();
            user.types("!abort");
            assert_eq!(user.sees("MQTT closed\n").trim_start(), "MQTT event -15\nMQTT closed\n");
        }
    });
}

#[test]
fn the_host_closes_and_refuses() {
    each(|broker, user, _| {
        user.connects_and_subscribes();
        broker.stop();
        assert_eq!(user.sees("MQTT closed\n").trim_start(), "MQTT closed\n");
        user.types("mqtt_con 127.0.0.1");
        assert_eq!(user.sees("MQTT closed\n").trim_start(), "Connecting...\nMQTT event -15\nMQTT closed\n");
        assert!(broker.start());
        user.connects_and_subscribes();
    });
}

#[test]
fn the_host_vanishes() {
    each(|_, user, _| {
        user.connects_and_subscribes();
        user.types("!lose_all");
        user.types("mqtt_pub 1 1");
        assert!(user.sees("MQTT closed\n").ends_with("MQTT event -15\nMQTT closed\n"));
        user.is_told("bytes repeated", 7);
        user.types("!lose_nothing");
        user.connects_and_subscribes();
    });
}

#[test]
fn the_address_is_not_resolved() {
    each(|_, user, _| {
        user.types("!no_address");
        user.types("mqtt_con 127.0.0.1");
        user.sees("MQTT event -3\n");
        user.types("!address");
        user.connects_and_subscribes();
        user.types("!no_address");
        user.types("!forget_address");
        user.types("mqtt_pub 1 1");
        assert_eq!(user.sees("MQTT event -3\n").trim_start(), "Publishing...\nMQTT event -3\n", "and nothing else");
        user.types("!address");
        user.connects_and_subscribes();
    });
}

#[test]
fn an_attempt_is_given_up() {
    each(|_, user, _| {
        user.types("!lose_all");
        user.types("mqtt_con 127.0.0.1");
        user.types("mqtt_dis");
        assert_eq!(user.sees("MQTT closed\n"), "Connecting...\nDisconnecting...\nMQTT closed\n");
        user.types("!lose_nothing");
        user.connects_and_subscribes();
    });
}

#[test]
fn it_connects_again_by_itself() {
    each(|broker, user, _| {
        user.types("!reconnect");
        user.connects_and_subscribes();
        broker.stop();
        user.sees("MQTT closed\n");
        assert!(broker.start());
        user.sees("MQTT connected\n");
        broker.wait_for("Sending SUBACK to KINETIS", 2);
        user.types("!abort");
        user.sees("MQTT connected\n");
        broker.wait_for("Sending SUBACK to KINETIS", 3);
        run(broker.theirs("pub").args(["-t", "uTasker/test1", "-q", "2", "-m", "hello"])).well();
        user.sees("Message (5) [1]\n");
    });
}

#[test]
fn the_host_s_window_is_respected() {
    let broker = Broker::open();
    let mut user = User::of(broker.port, Build::Sanitized, "utasker");
    user.connects_and_subscribes();
    user.types("!window 0");
    user.types("mqtt_pub_l 1 2");
    user.sees("Publishing...\n");
    thread::sleep(Duration::from_millis(100));
    assert_eq!(broker.count("Received PUBLISH"), 0);
    user.types("!window 100");
    user.sees("Message (1028) [1]\n");
    user.leaves();
}

#[test]
fn messages_come_faster_than_they_are_read() {
    each(|broker, user, name| {
        user.connects_and_subscribes();
        let lines: String = (0..300).map(|number| format!("{number:01000}\n")).collect();
        signal(&user.child, "STOP"); // so that many wait to be read at once
        run_with(broker.theirs("pub").args(["-t", "uTasker/test1", "-q", "1", "-l"]), lines.as_bytes()).well();
        signal(&user.child, "CONT");
        for _ in 0..300 {
            assert_eq!(user.sees("]\n").trim_start(), "Message (1000) [1]\n");
        }
        assert_eq!(user.count("refused") > 0, name == "utasker_plain", "the window spares what would be refused");
    });
}

/// A broker that answers CONNECT, and then does as it likes.
fn listener(connections: usize, then: impl Fn(TcpStream) + Send + 'static) -> (u16, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = thread::spawn(move || {
        for _ in 0..connections {
            let mut link = listener.accept().unwrap().0;
            link.set_read_timeout(Some(LIMIT)).unwrap();
            assert_ne!(link.read(&mut [0; 100]).unwrap(), 0);
            link.write_all(b"\x20\x02\0\0").unwrap();
            then(link);
        }
    });
    (port, thread)
}

#[test]
fn the_host_leaves_the_closing_to_us() {
    for name in PROGRAMS {
        let (closed, closes) = mpsc::channel();
        let (port, host) = listener(3, move |mut link| {
            let mut bytes = Vec::new();
            link.read_to_end(&mut bytes).unwrap();
            assert_eq!(bytes, b"\xe0\0");
            thread::sleep(Duration::from_millis(200));
            drop(link);
            closed.send(()).unwrap();
        });
        let mut user = User::of(port, Build::Sanitized, name);
        for round in 0..3 {
            user.connects();
            user.types("mqtt_dis");
            user.sees("MQTT closed\n");
            // The second follows at once, the third in TIME_WAIT.
            if round == 1 {
                (0..2).for_each(|_| closes.recv_timeout(LIMIT).unwrap());
            }
        }
        // TIME_WAIT keeps a socket.
        user.is_told("socket released", if name == "utasker_plain" { 2 } else { 0 });
        user.leaves();
        host.join().unwrap();
    }
}

#[test]
fn the_host_never_closes() {
    for name in PROGRAMS {
        let (left, leaves) = mpsc::channel();
        let (port, host) = listener(4, move |mut link| {
            assert_eq!(link.read(&mut [0; 2]).unwrap(), 2);
            left.send(link).unwrap();
        });
        let mut user = User::of(port, Build::Sanitized, name);
        let mut links = Vec::new();
        for round in 0..4 {
            user.connects();
            user.types("mqtt_dis");
            links.push(leaves.recv_timeout(LIMIT).unwrap());
            if round == 1 {
                user.types("!lose_ack"); // of the end, which comes a second later
            }
            user.sees("MQTT closed\n");
        }
        host.join().unwrap();
        drop(links);
        user.leaves();
    }
}

#[test]
fn what_came_before_the_end_is_read_before_the_end() {
    for name in PROGRAMS {
        let (port, host) = listener(1, |mut link| link.write_all(b"\x30\x07\0\x02ab123".repeat(300).as_slice()).unwrap());
        let mut user = User::of(port, Build::Sanitized, name);
        user.types("mqtt_con 127.0.0.1");
        let printed = user.sees("MQTT closed\n");
        assert_eq!(printed.matches("Message (3) [0]\n").count(), 300, "{printed}");
        host.join().unwrap();
        user.leaves();
    }
}
