//! A client to hold dialogues with: a session, a clock that stands still until time is to pass, a link whose other end is the
//! test, and an application that writes down what it is told.
//!
//! Bytes are written as hexadecimal numbers, and as text between `'`: `"30 07 00 03 'a/b' 'hi'"`.
#![allow(dead_code, unused_imports, reason = "each test file uses its part of it")]

pub mod broker;
mod events;
mod library;
mod link;
pub mod random;

pub use events::*;
pub use library::*;
pub use link::*;
pub use utasker_mqtt::error::Error;
pub use utasker_mqtt::session::{Kind, NEVER, NO_KEEP_ALIVE, lost};

use std::cell::RefCell;
use utasker_mqtt::session::Host;

/// The options that a firmware has which chooses none.
pub const DEFAULTS: Options = Options { port: 0, keep_alive: 0, response: 0, reconnect_first: 0, reconnect_longest: 0 };
/// Reconnects by itself, after 10 s at most, then 20, 40, 60.
pub const RECONNECTING: Options = Options { reconnect_first: 10, reconnect_longest: 60, ..DEFAULTS };

/// What another task does.
pub type Task = Box<dyn FnMut(&mut Library)>;

/// The client.
pub struct Client {
    /// What the firmware calls, without a poll behind it.
    pub library: Library,
    /// The link to the broker.
    pub link: Link,
    /// Milliseconds; runs over early in each test.
    pub now: u32,
    /// What the session gets where it asks for a random number: one that makes waits as long as they can be, and the first
    /// identifier 1.
    pub random: u32,
    /// How the application answers.
    pub application: Application,
    /// Another task, which runs wherever the poll works on bytes outside of the critical section.
    pub other_task: Option<Task>,
    /// Events that asked, with the room that they gave.
    pub asked: Vec<Told>,
    told: Vec<Told>,
}

impl Client {
    /// Without a connection.
    pub fn new() -> Self {
        Self {
            library: Library::new(),
            link: Link::new(),
            now: 0u32.wrapping_sub(5003),
            random: u32::MAX,
            application: Application::new(),
            other_task: None,
            asked: Vec::new(),
            told: Vec::new(),
        }
    }

    /// Without a connection, with options.
    pub fn with(options: Options) -> Self {
        let mut client = Self::new();
        client.library.set_options(options).unwrap();
        client
    }

    /// With a connection that the broker has accepted as a new session.
    pub fn connected(flags: u8) -> Self {
        Self::connected_with(DEFAULTS, flags)
    }

    /// The same, with options.
    pub fn connected_with(options: Options, flags: u8) -> Self {
        let mut client = Self::with(options);
        client.connect(flags);
        client.accept(false);
        client
    }

    /// The broker accepts the connection that CONNECT has been sent for.
    #[track_caller]
    pub fn accept(&mut self, session_present: bool) {
        let sent = self.take_sent();
        assert_eq!(sent.first(), Some(&0x10), "CONNECT was sent: {}", hexadecimal(&sent));
        self.receive(if session_present { "20 02 01 00" } else { "20 02 00 00" });
        assert!(!self.told.is_empty());
        let first = self.told.remove(0);
        assert_eq!(first, connack(session_present));
        self.asked.retain(|event| event.kind != Kind::ClientIdentifier);
    }

    /// Loses the link, connects again with the same flags and has the broker accept it. What is told of the end is left out.
    #[track_caller]
    pub fn resume(&mut self, flags: u8, session_present: bool) {
        self.lose(lost::CLOSED);
        self.told.clear();
        self.connect(flags);
        self.accept(session_present);
    }

    /// Does all that can be done now, and returns the milliseconds after which to be polled again.
    #[track_caller]
    pub fn poll(&mut self) -> u32 {
        for _ in 0..100_000 {
            let wait = self.poll_once();
            if wait != 0 {
                return wait;
            }
        }
        panic!("does not come to rest");
    }

    /// One poll. Returns the milliseconds after which to poll again.
    pub fn poll_once(&mut self) -> u32 {
        let library = self.library.clone();
        library.poll(&Outside(RefCell::new(self)))
    }

    /// Lets time pass, polling whenever that was asked for.
    pub fn pass(&mut self, milliseconds: u32) {
        let mut left = milliseconds;
        while left != 0 {
            let step = self.poll().min(left);
            self.now = self.now.wrapping_add(step);
            left -= step;
        }
        self.poll();
    }

    /// Bytes arrive from the broker, in one piece.
    #[track_caller]
    pub fn receive(&mut self, text: &str) {
        self.receive_bytes(&bytes(text));
    }

    /// The same, for bytes that are not written down.
    #[track_caller]
    pub fn receive_bytes(&mut self, bytes: &[u8]) {
        self.link.arrives(bytes);
        self.poll();
    }

    /// The link is lost, behind all that has arrived.
    #[track_caller]
    pub fn lose(&mut self, how: i32) {
        self.link.lost = Some(how);
        self.poll();
    }

    /// All that was sent on this connection and not expected yet.
    pub fn take_sent(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.link.sent)
    }

    /// Exactly this was sent since the last time.
    #[track_caller]
    pub fn expect_sent(&mut self, text: &str) {
        self.expect_sent_bytes(&bytes(text));
    }

    /// The same, for bytes that are not written down.
    #[track_caller]
    pub fn expect_sent_bytes(&mut self, expected: &[u8]) {
        let sent = self.take_sent();
        assert!(sent == expected, "sent:     {}\nexpected: {}", hexadecimal(&sent), hexadecimal(expected));
    }

    /// The same packets were sent, those of each type in this order; the types are written in the order of their numbers.
    #[track_caller]
    pub fn expect_sent_of_each_type(&mut self, text: &str) {
        let mut packets = packets(&self.take_sent());
        packets.sort_by_key(|packet| packet[0] >> 4);
        let (sent, expected) = (hexadecimal(&packets.concat()), hexadecimal(&bytes(text)));
        assert!(sent == expected, "sent, sorted: {sent}\nexpected:     {expected}");
    }

    /// Exactly this was told since the last time. Returns it, with the details of messages.
    #[track_caller]
    pub fn expect_events<const N: usize>(&mut self, expected: [Told; N]) -> Vec<Told> {
        let told = self.take_events();
        assert_eq!(told, expected);
        told
    }

    /// All that was told since the last time.
    pub fn take_events(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.told)
    }

    /// Exactly this was asked since the last time, with so much room.
    #[track_caller]
    pub fn expect_asked<const N: usize>(&mut self, expected: [(Kind, u32); N]) {
        let asked = std::mem::take(&mut self.asked);
        assert_eq!(asked.iter().map(|event| (event.kind, event.number)).collect::<Vec<_>>(), expected);
    }

    // Requests that are accepted, and polled for.

    #[track_caller]
    pub fn connect(&mut self, flags: u8) {
        self.library.connect(flags).unwrap();
        self.poll();
    }

    #[track_caller]
    pub fn disconnect(&mut self) {
        self.library.disconnect().unwrap();
        self.poll();
    }

    /// Returns the reference.
    #[track_caller]
    pub fn subscribe(&mut self, topic: &str, qos: u8) -> u8 {
        let reference = self.library.subscribe(Some(topic), qos).unwrap();
        self.poll();
        reference
    }

    /// Subscribes, and has the broker grant it. Returns the reference.
    #[track_caller]
    pub fn subscribed(&mut self, topic: &str, qos: u8) -> u8 {
        let reference = self.subscribe(topic, qos);
        let subscribe = self.take_sent();
        self.receive_bytes(&[0x90, 3, subscribe[2], subscribe[3], qos]);
        self.expect_events([suback(qos, reference)]);
        reference
    }

    #[track_caller]
    pub fn unsubscribe(&mut self, reference: u8) {
        self.library.unsubscribe(reference).unwrap();
        self.poll();
    }

    /// To a one-off topic; the payload will be asked for.
    #[track_caller]
    pub fn publish(&mut self, topic: &str, qos: u8) {
        self.library.publish(0, Some(topic), qos).unwrap();
        self.poll();
    }

    /// To a one-off topic. Returns the handle.
    #[track_caller]
    pub fn publish_data(&mut self, topic: &str, qos: u8, payload: &str) -> u16 {
        let handle = self.library.publish_data(0, Some(topic), qos, payload.as_bytes()).unwrap();
        self.poll();
        handle
    }

    /// To a one-off topic. Returns the handle.
    #[track_caller]
    pub fn publish_stream(&mut self, topic: &str, qos: u8, total: u32) -> u16 {
        let handle = self.library.publish_stream(0, Some(topic), qos, total).unwrap();
        self.poll();
        handle
    }
}

/// The client, as the session's poll sees what lies outside of it.
struct Outside<'a>(RefCell<&'a mut Client>);

impl Host for &Outside<'_> {
    fn aside(self, work: impl FnOnce()) {
        let client: &mut Client = &mut self.0.borrow_mut();
        if let Some(task) = &mut client.other_task {
            task(&mut client.library);
        }
        work();
    }

    fn milliseconds(self) -> u32 {
        self.0.borrow().now
    }

    fn random(self) -> u32 {
        self.0.borrow().random
    }

    fn open(self) -> i32 {
        self.0.borrow_mut().link.open()
    }

    fn is_eager(self) -> bool {
        false
    }

    fn close(self) {
        self.0.borrow_mut().link.close();
    }

    fn send(self, place: usize, length: usize) -> i32 {
        let mut client = self.0.borrow_mut();
        let bytes = client.library.data(place, length);
        client.link.send(&bytes)
    }

    fn receive(self, place: usize, length: usize) -> i32 {
        let mut client = self.0.borrow_mut();
        assert_ne!(length, 0, "nothing is wanted");
        match client.link.receive(length) {
            Ok(bytes) => client.library.put(place, length, &bytes),
            Err(lost) => lost,
        }
    }

    fn tell(self, kind: Kind, place: usize, number: u32, reference: usize) -> u16 {
        let client: &mut Client = &mut self.0.borrow_mut();
        let event = client.library.event(kind, place, number, reference as u8);
        let log = if event.asks() { &mut client.asked } else { &mut client.told };
        log.push(event.clone());
        let answer = client.application.answer(&mut client.library, &event);
        if event.asks() {
            client.library.put(place, number as usize, &answer.bytes);
        }
        answer.number
    }
}

/// The bytes that a text stands for.
pub fn bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (index, part) in text.split('\'').enumerate() {
        if index % 2 == 1 {
            bytes.extend(part.as_bytes());
        } else {
            bytes.extend(part.split_whitespace().map(|number| u8::from_str_radix(number, 16).expect("hexadecimal")));
        }
    }
    bytes
}

/// A text that stands for bytes.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

/// A packet: its first byte, the remaining length, and what follows.
pub fn packet(first: u8, rest: &[u8]) -> Vec<u8> {
    let mut packet = vec![first];
    let mut remaining = rest.len();
    loop {
        let more = if remaining > 0x7f { 0x80 } else { 0 };
        packet.push(remaining as u8 & 0x7f | more);
        remaining >>= 7;
        if remaining == 0 {
            break;
        }
    }
    packet.extend(rest);
    packet
}

/// A PUBLISH; `identifier` 0: none.
pub fn publish(first: u8, topic: &str, identifier: u16, payload: &[u8]) -> Vec<u8> {
    let mut rest = (topic.len() as u16).to_be_bytes().to_vec();
    rest.extend(topic.as_bytes());
    if identifier != 0 {
        rest.extend(identifier.to_be_bytes());
    }
    rest.extend(payload);
    packet(first, &rest)
}

/// Whole packets of less than 128 bytes.
fn packets(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    while let [_, remaining, ..] = bytes {
        let (packet, rest) = bytes.split_at(2 + usize::from(*remaining));
        packets.push(packet.to_vec());
        bytes = rest;
    }
    packets
}

/// How many packets there are of each type that comes.
pub fn types(sent: &[u8]) -> Vec<(u8, usize)> {
    let mut types: Vec<(u8, usize)> = Vec::new();
    let mut rest = sent;
    while let [first, length, ..] = rest {
        match types.last_mut() {
            Some((last, count)) if last == first => *count += 1,
            _ => types.push((*first, 1)),
        }
        rest = &rest[2 + usize::from(*length)..];
    }
    types
}
