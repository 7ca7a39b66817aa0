//! How long a broker may take for each step, and what the application is told of one that says nothing, or the wrong thing.

use crate::c;
use crate::certificates::{Identity, Request};
use crate::client::{Client, Security};
use crate::server::{ALERT, APPLICATION_DATA, HANDSHAKE, Server, kind::*, record, split};
use crate::tools::LIMIT;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

const GOOD: [u8; 4] = [ENCRYPTED_EXTENSIONS, CERTIFICATE, CERTIFICATE_VERIFY, FINISHED];

/// A client that connects, and the server that it connects to.
struct Encounter {
    client: Client,
    socket: TcpStream,
    server: Server,
}

impl Encounter {
    fn new() -> Self {
        let client = Client::closed();
        client.stop_clock();
        let authority = Identity::authority();
        assert_eq!(Security::trusting(&authority.der).choose(), 0);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        assert_eq!(client.connect(listener.local_addr().unwrap().port()), 0);
        c::poll();
        let (socket, _) = listener.accept().unwrap();
        socket.set_nonblocking(true).unwrap();
        socket.set_nodelay(true).unwrap();
        let mut encounter = Self { client, socket, server: Server::new(&[&authority.issue(&Request::broker("localhost"))]) };
        let hello = encounter.hear(1);
        encounter.server.hear(&hello);
        encounter
    }

    /// Polls until the client has sent so many records.
    fn hear(&mut self, count: usize) -> Vec<u8> {
        let (mut bytes, mut room, start) = (Vec::new(), [0; 4096], Instant::now());
        loop {
            c::poll();
            match self.socket.read(&mut room) {
                Ok(length) => bytes.extend(&room[..length]),
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
            let whole = bytes.len() > 5 && bytes.len() >= 5 + usize::from(u16::from_be_bytes([bytes[3], bytes[4]]));
            if whole && split(&bytes).len() == count {
                return bytes;
            }
            assert!(start.elapsed() < LIMIT);
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// The server says something, and the client has understood it, or told of it.
    fn say(&mut self, bytes: &[u8]) {
        let all = self.client.read() + bytes.len();
        self.socket.write_all(bytes).unwrap();
        self.client.poll_until(|wait| wait != 0 && self.client.read() == all);
    }

    /// The records of a good handshake.
    fn records(&mut self) -> Vec<Vec<u8>> {
        let mut records = vec![self.server.hello()];
        records.extend(GOOD.map(|kind| self.server.flight(&[kind])));
        records
    }
}

#[test]
fn silence_at_any_step_ends_the_attempt_after_the_response_time() {
    for step in 0..=GOOD.len() {
        let mut encounter = Encounter::new();
        for record in &encounter.records()[..step] {
            encounter.say(record);
        }
        encounter.client.passes(14_000);
        let wait = c::poll();
        assert!((1..=1000).contains(&wait), "step {step}: {wait}");
        assert_eq!(encounter.client.kinds(), [0; 0], "step {step}");
        encounter.client.passes(1000);
        encounter.client.wait_for(c::TIMEOUT);
        encounter.client.wait_for(c::CONNECTION_CLOSED);
    }
}

#[test]
fn each_step_has_the_response_time() {
    let mut encounter = Encounter::new();
    for record in encounter.records() {
        encounter.client.passes(14_000);
        encounter.say(&record);
    }
    encounter.server.finish();
    let sent = encounter.hear(2);
    let records = split(&sent);
    encounter.server.hear_finished(records[0]);
    assert_eq!(encounter.server.read(records[1])[..2], [0x10, 18]);
    encounter.client.passes(14_000);
    let connack = encounter.server.seal(crate::server::APPLICATION_DATA, b"\x20\x02\0\0");
    encounter.say(&connack);
    encounter.client.wait_for(c::CONNACK_RECEIVED);
}

#[test]
fn a_record_that_comes_byte_by_byte_is_one_step() {
    let mut encounter = Encounter::new();
    let hello = encounter.records().remove(0);
    for byte in &hello[..15] {
        encounter.say(&[*byte]);
        encounter.client.passes(1000);
    }
    encounter.client.wait_for(c::TIMEOUT);
    encounter.client.wait_for(c::CONNECTION_CLOSED);
}

#[test]
fn a_refusal_is_told_with_its_reason_and_then_the_end() {
    let mut encounter = Encounter::new();
    encounter.say(&record(ALERT, &[2, 40]));
    assert_eq!(encounter.client.refused(), 256 + 40);
    drop(encounter);
    let mut encounter = Encounter::new();
    encounter.say(&record(HANDSHAKE, &[0; 3000]));
    assert_eq!(encounter.client.refused(), 10, "MQTT_SECURITY_RECORD_TOO_LARGE");
}

#[test]
fn a_broker_that_hangs_up_is_told_as_that() {
    let encounter = Encounter::new();
    let Encounter { client, socket, .. } = encounter;
    drop(socket);
    client.wait_for(c::HOST_CLOSED);
}

#[test]
fn an_attempt_can_be_ended_at_any_step() {
    for step in 0..GOOD.len() {
        let mut encounter = Encounter::new();
        for record in &encounter.records()[..step] {
            encounter.say(record);
        }
        encounter.client.disconnect();
    }
}

/// An encounter behind CONNACK.
fn connected() -> Encounter {
    let mut encounter = Encounter::new();
    for record in encounter.records() {
        encounter.say(&record);
    }
    encounter.server.finish();
    let sent = encounter.hear(2);
    let records = split(&sent);
    encounter.server.hear_finished(records[0]);
    encounter.server.read(records[1]);
    let connack = encounter.server.seal(APPLICATION_DATA, b"\x20\x02\0\0");
    encounter.say(&connack);
    encounter.client.wait_for(c::CONNACK_RECEIVED);
    encounter
}

/// The broker goes away.
fn end(encounter: Encounter) {
    let Encounter { client, socket, .. } = encounter;
    drop(socket);
    client.link_takes(None);
    client.wait_for_any(&[c::HOST_CLOSED, c::CONNECTION_CLOSED]);
}

#[test]
fn what_the_link_has_not_taken_is_not_sent() {
    for taken in [0, 10] {
        let encounter = connected();
        encounter.client.link_takes(Some(taken));
        assert!(c::publish_data(0, c"a", 0, b"hello") > 0);
        encounter.client.rest();
        assert_eq!(encounter.client.kinds(), []);
        let Encounter { client, socket, .. } = encounter;
        drop(socket);
        client.wait_for(c::PUBLISH_FAILED);
        client.wait_for(c::HOST_CLOSED);
    }
}

#[test]
fn what_is_half_sent_is_finished_before_the_end() {
    let mut encounter = connected();
    encounter.client.link_takes(Some(10));
    assert!(c::publish_data(0, c"a", 0, &[0x55; 600]) > 0);
    encounter.client.rest();
    assert!(encounter.client.link_is_full());
    assert_eq!(c::disconnect(), 0);
    encounter.client.rest();
    encounter.client.passes(5000); // of 15 s
    assert_eq!(encounter.client.kinds(), []);
    encounter.client.link_takes(None);
    let sent = encounter.hear(2);
    let said = encounter.server.read(&sent);
    assert_eq!((said[0], said.len(), &said[said.len() - 2..]), (0x30, 3 + 3 + 600 + 2, &b"\xe0\0"[..]));
    end(encounter);
}

#[test]
fn a_link_that_takes_some_of_a_record_is_not_late() {
    let encounter = connected();
    encounter.client.link_takes(Some(0));
    for _ in 0..2 {
        assert!(c::publish_data(0, c"a", 1, &[0x55; 600]) > 0);
    }
    for second in 0..40 {
        encounter.client.link_takes(Some(30));
        encounter.client.rest();
        assert!(encounter.client.link_is_full());
        assert_eq!(encounter.client.kinds(), [], "after {second} s");
        encounter.client.passes(1000);
    }
    end(encounter);
}

#[test]
fn a_record_that_arrives_slowly_is_no_silence() {
    let mut encounter = connected();
    encounter.client.passes(75_000); // a quarter of the keep-alive time
    let ping = encounter.hear(1);
    assert_eq!(encounter.server.read(&ping), b"\xc0\0");
    let message = [&b"\x30\x8a\x0f\0\x01a"[..], &[0x55; 1927]].concat();
    let record = encounter.server.seal(APPLICATION_DATA, &message);
    for part in record.chunks(100) {
        encounter.say(part);
        assert!(!encounter.client.kinds().contains(&c::TIMEOUT));
        encounter.client.passes(1000);
    }
    encounter.client.wait_for(c::TOPIC_MESSAGE_PART);
    end(encounter);
}
