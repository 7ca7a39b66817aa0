//! The broker: one session, what the standard lets it do, and at times what it does not.

use super::application::{content, length};
use super::books::{Books, Packet};
use crate::support::random::Random;
use crate::support::{packet, publish};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use utasker_mqtt::config::{MAX_INCOMING_QOS2, RX_BUFFER_LENGTH};

#[derive(Clone)]
struct Outgoing {
    identifier: u16,
    serial: u32,
    topic: String,
    first: u8,
    payload: Vec<u8>,
    released: bool,
}

pub struct Broker {
    pub forgetful: bool,
    pub hostile: bool,
    /// How often each payload of the client has arrived, by its topic and bytes.
    pub arrived: BTreeMap<(String, Vec<u8>), u32>,
    has_session: bool,
    pub connected: bool,
    pub closes: bool,
    incoming: BTreeSet<u16>,
    outgoing: Vec<Outgoing>,
    identifier: u16,
    pending: VecDeque<Packet>,
    /// Packets of the client that have not been read.
    pub input: VecDeque<Vec<u8>>,
    pub serial: u32,
}

fn number(bytes: &[u8]) -> u16 {
    u16::from_be_bytes([bytes[0], bytes[1]])
}

impl Broker {
    pub fn new() -> Self {
        Self {
            forgetful: false,
            hostile: false,
            arrived: BTreeMap::new(),
            has_session: false,
            connected: false,
            closes: false,
            incoming: BTreeSet::new(),
            outgoing: Vec::new(),
            identifier: 0,
            pending: VecDeque::new(),
            input: VecDeque::new(),
            serial: 0,
        }
    }

    pub fn is_idle(&self) -> bool {
        self.outgoing.is_empty() && self.pending.is_empty() && self.input.is_empty()
    }

    pub fn link_lost(&mut self) {
        (self.connected, self.closes) = (false, false);
        self.pending.clear();
        self.input.clear();
        self.outgoing.retain(|message| message.first & 6 != 0);
    }

    /// Reads the next packet of the client.
    pub fn read(&mut self, books: &mut Books, random: &mut Random) {
        let Some(bytes) = self.input.pop_front() else { return };
        if self.closes {
            return;
        }
        let header = 1 + bytes.iter().skip(1).position(|byte| *byte < 0x80).expect("whole") + 1;
        let (first, body) = (bytes[0], &bytes[header..]);
        let answer = |first, identifier| Packet::Acknowledgement { first, identifier };
        match first {
            0x10 => self.connect(body, books, random),
            0xc0 => self.pending.push_back(Packet::Pingresp),
            0xe0 => self.closes = true,
            0x82 => {
                let code = if random.one_in(6) { 0x80 } else { random.below(3) as u8 };
                self.pending.push_back(Packet::Suback { identifier: number(body), code });
            }
            0xa2 => self.pending.push_back(answer(0xb0, number(body))),
            0x62 => {
                self.incoming.remove(&number(body));
                self.pending.push_back(answer(0x70, number(body)));
            }
            0x40 => self.outgoing.retain(|message| message.identifier != number(body) || message.first & 6 != 2),
            0x50 => {
                if let Some(message) = self.outgoing.iter_mut().find(|message| message.identifier == number(body)) {
                    message.released = true;
                }
                self.pending.push_back(answer(0x62, number(body)));
            }
            0x70 => self.outgoing.retain(|message| message.identifier != number(body) || !message.released),
            _ => {
                let topic_end = 2 + usize::from(number(body));
                let topic = String::from_utf8(body[2..topic_end].to_vec()).unwrap();
                let qos = first >> 1 & 3;
                let payload_start = topic_end + if qos == 0 { 0 } else { 2 };
                let key = (topic, body[payload_start..].to_vec());
                if qos != 2 || self.incoming.insert(number(&body[topic_end..])) {
                    *self.arrived.entry(key).or_default() += 1;
                }
                if qos != 0 {
                    self.pending.push_back(answer(if qos == 1 { 0x40 } else { 0x50 }, number(&body[topic_end..])));
                }
            }
        }
    }

    fn connect(&mut self, body: &[u8], books: &mut Books, random: &mut Random) {
        let old = body[3] == b'Q' && body[4] == b'I';
        let flags = body[if old { 9 } else { 7 }];
        if random.one_in(10) && !books.publications.is_empty() {
            self.pending.push_back(Packet::Connack { present: false, code: 1 + random.below(5) as u8 });
            self.closes = true;
            return;
        }
        let clean = flags & 2 != 0;
        if clean || !self.has_session || self.forgetful && random.one_in(3) {
            self.has_session = false;
            self.incoming.clear();
            self.outgoing.clear();
            books.publications.values_mut().filter(|passed| !passed.acknowledged && !passed.failed).for_each(|passed| passed.disturbed = true);
            books.messages.values_mut().for_each(|passed| passed.disturbed = true);
            books.forgotten = true;
        }
        self.pending.push_back(Packet::Connack { present: self.has_session && !old, code: 0 });
        self.has_session = !clean;
        self.connected = true;
        for message in &self.outgoing {
            self.pending.push_back(if message.released {
                Packet::Acknowledgement { first: 0x62, identifier: message.identifier }
            } else {
                Self::message(message, 8)
            });
        }
    }

    fn message(message: &Outgoing, duplicate: u8) -> Packet {
        let Outgoing { identifier, serial, topic, first, payload, .. } = message.clone();
        Packet::Message { topic, first: first | duplicate, identifier, payload, serial }
    }

    /// Another message for the client.
    pub fn publish(&mut self, books: &mut Books, random: &mut Random) {
        let qos = random.below(3) as u8;
        let unreleased = self.outgoing.iter().filter(|message| message.first & 6 == 4).count();
        if !self.connected || self.outgoing.len() > 60 || unreleased + 1 > MAX_INCOMING_QOS2 && !random.one_in(8) {
            return;
        }
        self.serial += 1;
        let serial = self.serial;
        let topic = match random.below(6) {
            0 => format!("m/{}", serial % 8),
            1 => format!("$x/{serial}"),
            2 => format!("m/{serial}/é"),
            3 => format!("long/{}", "y".repeat(length(random, RX_BUFFER_LENGTH))),
            _ => format!("m/{serial}"),
        };
        let most = if random.one_in(3) { 3 * RX_BUFFER_LENGTH } else { RX_BUFFER_LENGTH.saturating_sub(topic.len()) };
        let length = length(random, most);
        while qos != 0 && self.outgoing.iter().any(|message| message.identifier == self.identifier) || self.identifier == 0 {
            self.identifier = self.identifier % 500 + 1;
        }
        let first = 0x30 | qos << 1 | u8::from(random.one_in(4));
        let message = Outgoing { identifier: if qos == 0 { 0 } else { self.identifier }, serial, topic, first, payload: content(serial, length), released: false };
        books.messages.insert(serial, super::books::Passed { qos, disturbed: books.forgotten, ..Default::default() });
        self.pending.push_back(Self::message(&message, 0));
        if qos != 0 {
            self.outgoing.push(message);
        }
    }

    /// What needs not be: answers to nothing, the same again.
    pub fn surprise(&mut self, books: &Books, random: &mut Random) {
        if !self.connected {
            return;
        }
        let identifier = 40_000 + random.below(20_000) as u16;
        if books.find(identifier).is_some() {
            return;
        }
        let packet = match random.below(6) {
            0 => Packet::Acknowledgement { first: 0x40, identifier },
            1 => Packet::Acknowledgement { first: 0x50, identifier },
            2 => Packet::Acknowledgement { first: 0x70, identifier },
            3 => Packet::Acknowledgement { first: 0x62, identifier },
            4 => Packet::Pingresp,
            _ if self.hostile && random.one_in(4) => Packet::Violation,
            _ => return,
        };
        self.pending.push_back(packet);
    }

    /// Writes the next packet.
    pub fn write(&mut self, random: &mut Random) -> Option<(Packet, Vec<u8>)> {
        let packet_ = self.pending.pop_front()?;
        let bytes = match &packet_ {
            Packet::Connack { present, code } => packet(0x20, &[u8::from(*present), *code]),
            Packet::Message { topic, first, identifier, payload, .. } => publish(*first, topic, *identifier, payload),
            Packet::Acknowledgement { first, identifier } => packet(*first, &identifier.to_be_bytes()),
            Packet::Suback { identifier, code } => packet(0x90, &[identifier.to_be_bytes()[0], identifier.to_be_bytes()[1], *code]),
            Packet::Pingresp => packet(0xd0, &[]),
            Packet::Violation => {
                let all: [&[u8]; 12] = [
                    &[0x00, 0], &[0xf0, 0], &[0x36, 2, 0, 1], &[0x30, 3, 0, 1, b'#'], &[0x40, 2, 0, 0], &[0x40, 3, 0, 1, 0], &[0x20, 2, 0, 0],
                    &[0x90, 3, 0xff, 0xff, 0], &[0xb0, 2, 0xff, 0xff], &[0xd0, 1, 0], &[0x30, 0xff, 0xff, 0xff, 0xff], &[0x32, 5, 0, 1, b'a', 0, 0],
                ];
                all[random.below(12) as usize].to_vec()
            }
        };
        Some((packet_, bytes))
    }
}
