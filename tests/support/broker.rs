//! A small broker: what the standard says of the other side, no more. It knows the messages by their serial numbers.

use super::random::Random;
use super::{packet, publish, stream};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The payload of a message: of any length, some longer than the client's buffers.
pub fn payload(serial: u32) -> Vec<u8> {
    let length = match serial % 16 {
        0 => 0,
        1 => 1300 + serial % 100,
        2 => 1500 + serial % 4000,
        _ => serial % 120,
    };
    stream(serial, length)
}

/// The serial number at the end of a topic.
#[track_caller]
pub fn serial(topic: &str) -> u32 {
    topic.rsplit('/').next().and_then(|number| number.parse().ok()).expect("a serial number")
}

/// A message on its way to the client.
struct Outgoing {
    identifier: u16,
    serial: u32,
    qos: u8,
    released: bool,
    sent: bool,
}

/// The broker and the one session that it has.
pub struct Broker {
    /// How often each message of the client has arrived.
    pub arrived: BTreeMap<u32, u32>,
    /// Messages that were to reach the client, with their QoS.
    pub published: BTreeMap<u32, u8>,
    /// The client said DISCONNECT, or what ends a connection.
    pub closes: bool,
    /// Whether it forgets sessions now and then.
    pub forgetful: bool,
    has_session: bool,
    connected: bool,
    old_version: bool,
    input: Vec<u8>,
    output: VecDeque<u8>,
    /// QoS 2 messages of the client that were not released.
    incoming: BTreeSet<u16>,
    outgoing: Vec<Outgoing>,
    identifier: u16,
    latest: u32,
}

impl Broker {
    pub fn new() -> Self {
        Self {
            arrived: BTreeMap::new(),
            published: BTreeMap::new(),
            closes: false,
            forgetful: false,
            has_session: false,
            connected: false,
            old_version: false,
            input: Vec::new(),
            output: VecDeque::new(),
            incoming: BTreeSet::new(),
            outgoing: Vec::new(),
            identifier: 0,
            latest: 0,
        }
    }

    /// The link is lost, or a new one there.
    pub fn link_lost(&mut self) {
        (self.connected, self.closes) = (false, false);
        self.input.clear();
        self.output.clear();
        self.outgoing.retain(|message| message.qos != 0);
        self.outgoing.iter_mut().for_each(|message| message.sent = false);
    }

    /// Nothing is under way.
    pub fn is_idle(&self) -> bool {
        self.outgoing.is_empty() && self.output.is_empty()
    }

    /// Messages under way.
    pub fn window(&self) -> usize {
        self.outgoing.len()
    }

    pub fn is_connected(&self) -> bool {
        self.connected
    }

    /// Sends a message.
    pub fn publish(&mut self, serial: u32, qos: u8) {
        self.published.insert(serial, qos);
        self.identifier = if qos == 0 { self.identifier } else { self.identifier % 300 + 1 };
        let identifier = if qos == 0 { 0 } else { self.identifier };
        self.outgoing.push(Outgoing { identifier, serial, qos, released: false, sent: false });
        self.send_messages();
    }

    fn send_messages(&mut self) {
        for message in &mut self.outgoing {
            if !message.sent && self.connected {
                message.sent = true;
                let Outgoing { identifier, serial, qos, .. } = *message;
                if message.released {
                    self.output.extend(packet(0x62, &identifier.to_be_bytes()));
                } else {
                    let topic = format!("m/{serial}");
                    self.output.extend(publish(0x30 | qos << 1, &topic, identifier, &payload(serial)));
                }
            }
        }
        self.outgoing.retain(|message| message.qos != 0 || !message.sent);
    }

    /// Takes some of the bytes for the client.
    pub fn output(&mut self, most: usize) -> Vec<u8> {
        let length = most.min(self.output.len());
        self.output.drain(..length).collect()
    }

    /// Bytes of the client.
    #[track_caller]
    pub fn input(&mut self, bytes: &[u8], random: &mut Random) {
        self.input.extend(bytes);
        while let Some((header, length)) = self.whole_packet() {
            let packet: Vec<u8> = self.input.drain(..length).collect();
            if !self.closes {
                self.packet(packet[0], &packet[header..], random);
            }
        }
    }

    /// The lengths of the fixed header and of the packet, once it is there.
    fn whole_packet(&self) -> Option<(usize, usize)> {
        let mut remaining = 0;
        for (index, byte) in self.input.iter().skip(1).enumerate() {
            remaining |= usize::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                let length = 2 + index + remaining;
                return (self.input.len() >= length).then_some((2 + index, length));
            }
            assert!(index < 3, "remaining length");
        }
        None
    }

    #[track_caller]
    fn packet(&mut self, first: u8, body: &[u8], random: &mut Random) {
        let number = |place: usize| u16::from_be_bytes([body[place], body[place + 1]]);
        assert_eq!(first == 0x10, !self.connected, "CONNECT comes first, and once");
        if first == 0x10 {
            return self.connect(body, random);
        }
        if first >> 4 == 3 {
            return self.message(first, body);
        }
        match first {
            0xc0 => self.output.extend([0xd0, 0]),
            0xe0 => self.closes = true,
            0x82 | 0xa2 => {
                assert_ne!(number(0), 0);
                assert!(!self.incoming.contains(&number(0)), "identifier in use");
                let topic_end = 4 + usize::from(number(2));
                assert_eq!(body.len(), topic_end + usize::from(first == 0x82));
                let mut answer = body[..2].to_vec();
                if first == 0x82 {
                    answer.push(if random.one_in(6) { 0x80 } else { random.below(1 + u32::from(body[topic_end])) as u8 });
                }
                self.output.extend(packet(if first == 0x82 { 0x90 } else { 0xb0 }, &answer));
            }
            0x62 => {
                self.incoming.remove(&number(0));
                self.output.extend(packet(0x70, &body[..2]));
            }
            0x40 => self.outgoing.retain(|message| message.identifier != number(0) || message.qos != 1),
            0x50 => {
                if let Some(message) = self.outgoing.iter_mut().find(|message| message.identifier == number(0)) {
                    assert_eq!(message.qos, 2);
                    message.released = true;
                }
                self.output.extend(packet(0x62, &body[..2]));
            }
            0x70 => self.outgoing.retain(|message| message.identifier != number(0) || !message.released),
            _ => panic!("packet {first:02x}"),
        }
    }

    fn connect(&mut self, body: &[u8], random: &mut Random) {
        self.old_version = body[3] == b'Q' && body[4] == b'I';
        let flags = body[if self.old_version { 9 } else { 7 }];
        if random.one_in(8) {
            self.output.extend([0x20, 2, 0, 1 + random.below(5) as u8]);
            self.closes = true;
            return;
        }
        let clean = flags & 2 != 0;
        if clean || !self.has_session || self.forgetful && random.one_in(3) {
            self.has_session = false;
            self.incoming.clear();
            self.outgoing.clear();
        }
        self.output.extend([0x20, 2, u8::from(self.has_session && !self.old_version), 0]);
        self.has_session = !clean;
        self.connected = true;
        self.resend();
    }

    fn resend(&mut self) {
        for message in &mut self.outgoing {
            message.sent = true;
            let Outgoing { identifier, serial, qos, .. } = *message;
            if message.released {
                let duplicate = if self.old_version { 8 } else { 0 };
                self.output.extend(packet(0x62 | duplicate, &identifier.to_be_bytes()));
            } else {
                self.output.extend(publish(0x38 | qos << 1, &format!("m/{serial}"), identifier, &payload(serial)));
            }
        }
    }

    #[track_caller]
    fn message(&mut self, first: u8, body: &[u8]) {
        let qos = first >> 1 & 3;
        let topic_end = 2 + usize::from(u16::from_be_bytes([body[0], body[1]]));
        let serial = serial(std::str::from_utf8(&body[2..topic_end]).unwrap());
        let payload_start = topic_end + if qos == 0 { 0 } else { 2 };
        assert!(body[payload_start..] == payload(serial), "the payload of {serial}");
        let identifier = body[topic_end..payload_start].try_into().map_or(0, u16::from_be_bytes);
        assert_eq!(identifier == 0, qos == 0);
        let known = self.arrived.contains_key(&serial);
        if !self.forgetful {
            // [MQTT-3.3.1-1, MQTT-4.6.0-1]
            assert!(!known || first & 8 != 0, "{serial} again without DUP");
            assert!(known || serial > self.latest, "{serial} behind {}", self.latest);
        }
        self.latest = self.latest.max(serial);
        match qos {
            0 => *self.arrived.entry(serial).or_default() += 1,
            1 => {
                *self.arrived.entry(serial).or_default() += 1;
                self.output.extend(packet(0x40, &identifier.to_be_bytes()));
            }
            _ => {
                if self.incoming.insert(identifier) {
                    *self.arrived.entry(serial).or_default() += 1;
                }
                self.output.extend(packet(0x50, &identifier.to_be_bytes()));
            }
        }
    }
}
