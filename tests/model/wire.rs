//! What the client sends: every packet is one that is due, and in its turn.

use super::books::{Books, Phase, Source, State, What};
use crate::support::*;

/// The packets of a connection, as they are taken by the link.
pub struct Wire {
    pub partial: Vec<u8>,
    /// The fields of CONNECT, as they were answered.
    pub fields: Vec<Vec<u8>>,
    /// What the broker will read.
    pub whole: Vec<Vec<u8>>,
}

/// The length of the fixed header and of the packet, where the former is there.
fn lengths(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut remaining = 0;
    for (index, byte) in bytes.iter().skip(1).enumerate() {
        remaining |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((2 + index, 2 + index + remaining));
        }
        assert!(index < 3, "remaining length");
    }
    None
}

fn number(bytes: &[u8]) -> u16 {
    u16::from_be_bytes([bytes[0], bytes[1]])
}

impl Wire {
    pub fn new() -> Self {
        Self { partial: Vec::new(), fields: Vec::new(), whole: Vec::new() }
    }

    /// The link took bytes.
    #[track_caller]
    pub fn sent(&mut self, books: &mut Books, bytes: &[u8]) {
        self.partial.extend(bytes);
        while let Some((header, length)) = lengths(&self.partial).filter(|(_, length)| self.partial.len() >= *length) {
            let packet: Vec<u8> = self.partial.drain(..length).collect();
            self.packet(books, packet[0], &packet[header..]);
            self.whole.push(packet);
        }
        if !books.connect_done {
            books.connect_begun = true;
            if books.phase == Phase::Starting {
                books.phase = Phase::Open;
            }
        }
        if self.partial.is_empty() && books.replies.is_empty() {
            books.batch = 0;
        }
    }

    /// The link is lost: the request that was sent in part may have arrived.
    pub fn lost(&mut self, books: &mut Books) {
        let first = self.partial.first().copied().unwrap_or_default();
        if matches!(first >> 4, 3 | 8 | 10) && books.failures.is_empty() {
            books.next().expect("the request that was sent in part").state = State::Sent;
        }
        self.partial.clear();
        self.whole.clear();
    }

    #[track_caller]
    fn packet(&mut self, books: &mut Books, first: u8, body: &[u8]) {
        assert!(!books.left, "nothing follows DISCONNECT");
        assert_eq!(first == 0x10, !books.connect_done, "CONNECT comes first, and once");
        match first {
            0x10 => return self.connect(books, body),
            0xe0 => {
                assert!(body.is_empty() && books.phase == Phase::Disconnecting);
                books.left = true;
                return;
            }
            _ => assert!(books.accepted, "nothing but DISCONNECT before CONNACK: {first:02x}"),
        }
        match first {
            0xc0 => assert!(body.is_empty() && books.options.keep_alive != NO_KEEP_ALIVE),
            0x40 | 0x50 | 0x62 | 0x70 => {
                assert_eq!(body.len(), 2);
                let reply = (first, number(body));
                while books.replies.is_empty() && books.process_one() {}
                if books.replies.front() == Some(&reply) {
                    books.replies.pop_front();
                } else {
                    assert!(first == 0x62 && books.releases.front() == Some(&reply.1), "{first:02x} {} is not due: {:?} {:?}", reply.1, books.replies, books.releases);
                    books.releases.pop_front();
                }
            }
            0x82 | 0xa2 => Self::control(books, first, body),
            _ if first >> 4 == 3 => Self::message(books, first, body),
            _ => panic!("packet {first:02x}"),
        }
    }

    #[track_caller]
    fn connect(&mut self, books: &mut Books, body: &[u8]) {
        let mut expected: Vec<u8> = if books.old { b"\0\x06MQIsdp\x03".to_vec() } else { b"\0\x04MQTT\x04".to_vec() };
        let keep_alive = match books.options.keep_alive {
            0 => utasker_mqtt::config::KEEPALIVE_TIME_SECONDS as u16,
            NO_KEEP_ALIVE => 0,
            seconds => seconds,
        };
        expected.push(books.flags);
        expected.extend(keep_alive.to_be_bytes());
        for field in self.fields.drain(..) {
            expected.extend((field.len() as u16).to_be_bytes());
            expected.extend(field);
        }
        assert_eq!(body, expected, "CONNECT");
        books.connect_done = true;
        if books.phase == Phase::Starting {
            books.phase = Phase::Open;
        }
    }

    #[track_caller]
    fn control(books: &mut Books, first: u8, body: &[u8]) {
        let topic_end = 4 + usize::from(number(&body[2..]));
        let topic = std::str::from_utf8(&body[4..topic_end]).unwrap().to_string();
        let entry = books.next().expect("a request is due");
        assert_eq!(entry.what, if first == 0x82 { What::Subscribe } else { What::Unsubscribe }, "{entry:?}");
        assert_eq!(entry.topic.as_deref(), Some(&topic[..]), "{entry:?}");
        assert_eq!(&body[topic_end..], if first == 0x82 { std::slice::from_ref(&entry.qos) } else { &[] });
        entry.state = State::Sent;
        let serial = entry.serial;
        books.identify(serial, number(body));
    }

    #[track_caller]
    fn message(books: &mut Books, first: u8, body: &[u8]) {
        let topic_end = 2 + usize::from(number(body));
        let topic = std::str::from_utf8(&body[2..topic_end]).unwrap().to_string();
        let entry = books.next().expect("a request is due");
        assert_eq!(entry.what, What::Publish);
        assert_ne!(entry.state, State::Copying);
        assert_eq!(entry.topic.as_deref(), Some(&topic[..]), "{entry:?}");
        assert_eq!(first, 0x30 | u8::from(entry.duplicate) << 3 | entry.qos << 1 | u8::from(entry.retain), "{entry:?}");
        let payload_start = topic_end + if entry.qos == 0 { 0 } else { 2 };
        assert!(entry.payload.as_deref() == Some(&body[payload_start..]), "the payload of {}", entry.serial);
        assert!(entry.source != Source::Stream || entry.offset == body.len() - payload_start);
        entry.needs_table = false;
        entry.state = State::Sent;
        let (serial, qos) = (entry.serial, entry.qos);
        if qos == 0 {
            let place = books.entries.iter().position(|entry| entry.serial == serial).expect("it is there");
            let entry = books.entries.remove(place);
            books.sent = Some(entry);
        } else {
            books.identify(serial, number(&body[topic_end..]));
        }
    }
}
