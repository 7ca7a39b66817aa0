//! Joins the byte stream from the broker into packets. Knows the fixed header and the parts of a PUBLISH, no state.

use crate::config::RX_BUFFER_LENGTH;
use crate::packet::{self, FixedHeader, PublishFlags, first_byte};
use crate::{topic, wire};
use core::cell::Cell;
use core::ops::Range;

const LENGTH: u16 = RX_BUFFER_LENGTH as u16;

/// A message longer than the buffer is only given in parts if this much of the buffer is left for them.
const SHORTEST_PART: u32 = 16;

/// Bytes of the stream that have not been used up, and the PUBLISH being read.
pub struct Inbox {
    bytes: [u8; RX_BUFFER_LENGTH],
    start: u16,
    end: u16,
    /// The PUBLISH that arrived last, or whose parts are arriving.
    pub publication: Publication,
    /// A message longer than the buffer is being read: `start` is where each of its parts begins.
    long: bool,
    /// Bytes of its topic, too long for the buffer, that are still to be passed over.
    topic_left: u16,
    /// Bytes of it that have not been received.
    unreceived: u32,
}

/// What is known of an incoming PUBLISH.
#[derive(Clone, Copy, Debug)]
pub struct Publication {
    /// DUP, QoS, RETAIN.
    pub flags: PublishFlags,
    /// 0 at QoS 0.
    pub identifier: u16,
    /// Where the topic begins in the buffer; 0 where it did not fit.
    pub topic_start: u16,
    /// The topic's length.
    pub topic_length: u16,
    /// Bytes of payload in all.
    pub total: u32,
    /// Where in the payload the part at hand begins.
    pub offset: u32,
}

/// The next thing in the stream.
#[derive(Debug)]
pub enum Arrival {
    /// Nothing whole: receive more.
    Nothing,
    /// What no broker may send.
    Malformed,
    /// A packet other than PUBLISH: its first byte, and the bytes that follow the fixed header.
    Packet(u8, [u8; 3]),
    /// A PUBLISH, and where in the buffer its payload lies.
    Message(Range<u16>),
    /// A part of a PUBLISH that is longer than the buffer.
    Part(Range<u16>),
}

impl Inbox {
    /// Empty.
    pub const fn new() -> Self {
        Self {
            bytes: [0; RX_BUFFER_LENGTH],
            start: 0,
            end: 0,
            publication: Publication {
                flags: PublishFlags(0),
                identifier: 0,
                topic_start: 0,
                topic_length: 0,
                total: 0,
                offset: 0,
            },
            long: false,
            topic_left: 0,
            unreceived: 0,
        }
    }

    /// Forgets what was received.
    pub fn clear(&mut self) {
        (self.start, self.end, self.long) = (0, 0, false);
    }

    /// Forgets what was received, or sent from here, and leaves no trace of it.
    pub fn wipe(&mut self) {
        self.bytes.fill(0);
        self.clear();
    }

    /// The buffer, for a packet to be sent before anything can arrive, and for what [`Arrival`] points to.
    pub fn buffer(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// Where received bytes go, and how many are wanted: never none.
    pub fn space(&mut self) -> Range<u16> {
        if self.long {
            // Up to the end of the message, so that its last part has nothing behind it.
            let wanted = self.unreceived.min(u32::from(LENGTH - self.end)) as u16;
            return self.end..self.end + wanted;
        }
        self.close_up();
        self.end..LENGTH
    }

    /// `length` bytes were put into the space.
    pub fn received(&mut self, length: u16) {
        self.end += length;
        self.unreceived = self.unreceived.saturating_sub(u32::from(length));
    }

    /// The topic of the PUBLISH at hand, where it fitted.
    pub fn topic(&self) -> Option<&[u8]> {
        let Publication { topic_start, topic_length, .. } = self.publication;
        let topic = self.bytes.get(usize::from(topic_start)..)?.get(..usize::from(topic_length));
        topic.filter(|_| topic_start != 0)
    }

    /// Moves what is unused to the front.
    fn close_up(&mut self) {
        if self.start != 0 {
            self.end -= self.start;
            let bytes = Cell::from_mut(&mut self.bytes[..]).as_slice_of_cells();
            let unused = bytes.get(usize::from(self.start)..).and_then(|bytes| bytes.get(..usize::from(self.end)));
            wire::copy(unused.unwrap_or_default(), bytes);
            self.start = 0;
        }
    }

    /// Takes the next thing out of the stream. What it points to stays until [`Inbox::space`] is asked for.
    pub fn next(&mut self) -> Arrival {
        if self.long {
            return self.next_part();
        }
        let Some(unused) = self.bytes.get(usize::from(self.start)..usize::from(self.end)) else { return Arrival::Nothing };
        let header = match packet::fixed_header(unused) {
            Err(()) => return Arrival::Malformed,
            Ok(None) => return Arrival::Nothing,
            Ok(Some(header)) => header,
        };
        let whole = header.length as u32 + header.remaining;
        let long = whole > u32::from(LENGTH);
        let wanted = if long { LENGTH } else { whole as u16 };
        let Some(packet) = unused.get(..usize::from(wanted)) else { return Arrival::Nothing };
        if header.first & 0xf0 != first_byte::PUBLISH {
            let body = packet.get(header.length..).unwrap_or_default();
            let mut bytes = [0; 3];
            for (byte, &received) in bytes.iter_mut().zip(body) {
                *byte = received;
            }
            self.start += wanted;
            return Arrival::Packet(header.first, bytes);
        }
        match self.publish(header, wanted, long) {
            Some(arrival) => arrival,
            None => Arrival::Malformed,
        }
    }

    /// Reads the PUBLISH of which `available` bytes lie at the start of the unused: all of it, or as much as the buffer
    /// holds where it is `long`.
    fn publish(&mut self, header: FixedHeader, available: u16, long: bool) -> Option<Arrival> {
        let packet = self.bytes.get(usize::from(self.start)..)?.get(..usize::from(available))?;
        let (topic_length, rest) = wire::number(packet.get(header.length..)?)?;
        let flags = PublishFlags(header.first);
        let identifier_length = if flags.qos() == 0 { 0 } else { 2 };
        let before_payload = u32::from(topic_length) + 2 + identifier_length;
        let total = header.remaining.checked_sub(before_payload)?;
        let topic_start = self.start + header.length as u16 + 2;
        self.publication = Publication { flags, identifier: 0, topic_start, topic_length, total, offset: 0 };

        if long {
            self.unreceived = header.length as u32 + header.remaining - u32::from(LENGTH);
            if header.length as u32 + before_payload + SHORTEST_PART > u32::from(LENGTH) {
                self.publication.topic_start = 0;
                self.topic_left = topic_length;
                (self.long, self.start) = (true, topic_start);
                return Some(self.next_part());
            }
        }
        let (topic, rest) = rest.split_at_checked(usize::from(topic_length))?;
        if !topic::is_name(topic.iter().copied()) {
            return None;
        }
        if flags.qos() != 0 {
            self.publication.identifier = wire::number(rest)?.0;
            if self.publication.identifier == 0 {
                return None; // [MQTT-2.3.1-1]
            }
        }
        let payload_start = topic_start + topic_length + identifier_length as u16;
        if long {
            (self.long, self.start) = (true, payload_start);
            return Some(self.next_part());
        }
        self.start += available;
        Some(Arrival::Message(payload_start..self.start))
    }

    /// The next part of a long message: as much as the buffer holds.
    fn next_part(&mut self) -> Arrival {
        if self.publication.topic_start == 0 {
            let passed = self.topic_left.min(self.end - self.start);
            self.topic_left -= passed;
            self.start += passed;
            self.close_up();
            if self.topic_left != 0 {
                return Arrival::Nothing;
            }
            if self.publication.flags.qos() != 0 && self.publication.identifier == 0 {
                match self.bytes.get(..usize::from(self.end)).and_then(wire::number) {
                    None => return Arrival::Nothing,
                    Some((0, _)) => return Arrival::Malformed,
                    Some((identifier, _)) => self.publication.identifier = identifier,
                }
                self.start = 2;
                self.close_up();
            }
        }
        if self.unreceived != 0 && self.end < LENGTH {
            return Arrival::Nothing;
        }
        let part = self.start..self.end;
        self.publication.offset = self.publication.total - self.unreceived - u32::from(self.end - self.start);
        if self.unreceived == 0 {
            self.clear();
        } else {
            self.end = self.start;
        }
        Arrival::Part(part)
    }
}
