//! Joins the byte stream from the broker into packets. Knows the fixed header and the parts of a PUBLISH, no state.

use crate::memory::{Memory, RECEIVE, RECEIVE_END};
use crate::packet::{self, FixedHeader, Header, PublishFlags, first_byte};
use crate::topic::{self, Text};

/// The topic of a message longer than the buffer is passed over where less than this would be left for the parts.
const SHORTEST_PART: u16 = 16;

/// What has been received and not used up, and the PUBLISH being read.
pub struct Inbox {
    /// Where the unused bytes begin, and end, counted from the start of the buffer; where the parts of a long message begin.
    start: u16,
    end: u16,
    /// A message longer than the buffer is being read.
    long: bool,
    /// Bytes of its topic, which did not fit, that are to be passed over.
    to_pass: u16,
    /// Bytes of it that have not been received.
    unreceived: u32,
    /// The PUBLISH that arrived last, or whose parts are arriving.
    pub publication: Publication,
}

/// What is known of an incoming PUBLISH.
#[derive(Clone, Copy, Debug)]
pub struct Publication {
    /// DUP, QoS, RETAIN.
    pub flags: PublishFlags,
    /// 0 at QoS 0.
    pub identifier: u16,
    /// Where the topic lies; 0 where it did not fit.
    pub topic_start: u16,
    /// The topic's length.
    pub topic_length: u16,
    /// Where the payload, or the part at hand, lies.
    pub payload_start: u16,
    /// Bytes there.
    pub payload_length: u16,
    /// Bytes of payload in all.
    pub total: u32,
    /// Where in the payload the part at hand begins.
    pub offset: u32,
}

/// The next thing in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// Nothing whole: receive more.
    Nothing,
    /// What no broker may send.
    Malformed,
    /// A packet other than PUBLISH: its first byte, and where the bytes behind the fixed header lie.
    Packet(u8, u16),
    /// A PUBLISH, see [`Inbox::publication`].
    Message,
    /// A part of a PUBLISH that is longer than the buffer.
    Part,
}

impl Inbox {
    /// Empty.
    pub const fn new() -> Self {
        Self {
            start: 0,
            end: 0,
            long: false,
            to_pass: 0,
            unreceived: 0,
            publication: Publication {
                flags: PublishFlags(0),
                identifier: 0,
                topic_start: 0,
                topic_length: 0,
                payload_start: 0,
                payload_length: 0,
                total: 0,
                offset: 0,
            },
        }
    }

    /// Forgets what was received.
    pub fn clear(&mut self) {
        (self.start, self.end, self.long) = (0, 0, false);
    }

    /// Where received bytes go, and how many are wanted: never none.
    pub fn space(&mut self, memory: &Memory) -> (u16, u16) {
        let mut wanted = u32::MAX;
        if self.long {
            wanted = self.unreceived; // so that its last part has nothing behind it
        } else {
            self.close_up(memory);
        }
        let place = RECEIVE + self.end;
        (place, wanted.min(u32::from(RECEIVE_END - place)) as u16)
    }

    /// `length` bytes were put into the space.
    pub fn received(&mut self, length: u16) {
        self.end += length;
        self.unreceived = self.unreceived.saturating_sub(u32::from(length));
    }

    /// Moves what is unused to the front.
    fn close_up(&mut self, memory: &Memory) {
        self.end -= self.start;
        if self.start != 0 {
            memory.shift(RECEIVE + self.start, RECEIVE, self.end);
        }
        self.start = 0;
    }

    /// Takes the next thing out of the stream. It stays where it lies until [`Inbox::space`] is asked for.
    pub fn next(&mut self, memory: &Memory) -> Arrival {
        if self.long {
            return self.next_part(memory);
        }
        let available = self.end - self.start;
        let start = RECEIVE + self.start;
        let header = match packet::fixed_header(memory, start, available) {
            Header::Complete(header) if header.may_arrive() => header,
            Header::Incomplete => return Arrival::Nothing,
            _ => return Arrival::Malformed,
        };
        let whole = u32::from(header.length) + header.remaining;
        let long = whole > u32::from(RECEIVE_END - RECEIVE);
        let wanted = whole.min(u32::from(RECEIVE_END - RECEIVE)) as u16;
        if available < wanted {
            return Arrival::Nothing;
        }
        self.start += wanted;
        if header.first & 0xf0 != first_byte::PUBLISH {
            return Arrival::Packet(header.first, start + header.length);
        }
        self.long = long;
        self.unreceived = whole - u32::from(wanted);
        self.begin(memory, start, header)
    }

    /// Reads the PUBLISH at `start`: all of it, or as much as the buffer holds.
    fn begin(&mut self, memory: &Memory, start: u16, header: FixedHeader) -> Arrival {
        let publication = &mut self.publication;
        publication.flags = PublishFlags(header.first);
        publication.topic_start = start + header.length + 2;
        publication.topic_length = memory.number(start + header.length);
        publication.offset = 0;
        let before_payload = u32::from(publication.topic_length) + 2 + u32::from(publication.flags.identifier_length());
        if header.remaining < before_payload {
            return Arrival::Malformed;
        }
        publication.total = header.remaining - before_payload;
        let topic_end = u32::from(publication.topic_start) + u32::from(publication.topic_length);
        if self.long && topic_end > u32::from(RECEIVE_END - 2 - SHORTEST_PART) {
            self.to_pass = publication.topic_length;
            self.start = publication.topic_start - RECEIVE;
            (publication.topic_start, publication.identifier) = (0, 0);
            return self.next_part(memory);
        }
        if !topic::is_valid(memory.range(publication.topic_start, publication.topic_length), Text::Name) {
            return Arrival::Malformed;
        }
        publication.payload_start = topic_end as u16;
        if !self.take_identifier(memory) {
            return Arrival::Malformed;
        }
        if self.long {
            self.start = self.publication.payload_start - RECEIVE;
            return self.next_part(memory);
        }
        self.publication.payload_length = self.publication.total as u16;
        Arrival::Message
    }

    /// Reads the packet identifier, if there is one, where the payload seems to begin.
    fn take_identifier(&mut self, memory: &Memory) -> bool {
        let publication = &mut self.publication;
        publication.identifier = 0;
        if publication.flags.qos() == 0 {
            return true;
        }
        publication.identifier = memory.number(publication.payload_start);
        publication.payload_start += 2;
        publication.identifier != 0 // [MQTT-2.3.1-1]
    }

    /// The next part of a long message: as much as the buffer holds.
    fn next_part(&mut self, memory: &Memory) -> Arrival {
        if self.publication.topic_start == 0 {
            let passed = self.to_pass.min(self.end - self.start);
            self.start += passed;
            self.to_pass -= passed;
            self.close_up(memory);
            if self.to_pass != 0 {
                return Arrival::Nothing;
            }
            if self.publication.identifier == 0 {
                self.publication.payload_start = RECEIVE;
                self.start = self.publication.flags.identifier_length();
                if self.end < self.start {
                    self.start = 0;
                    return Arrival::Nothing;
                }
                if !self.take_identifier(memory) {
                    return Arrival::Malformed;
                }
            }
        }
        if self.unreceived != 0 && RECEIVE + self.end < RECEIVE_END {
            return Arrival::Nothing;
        }
        let publication = &mut self.publication;
        publication.payload_start = RECEIVE + self.start;
        publication.payload_length = self.end - self.start;
        publication.offset = publication.total - self.unreceived - u32::from(publication.payload_length);
        self.end = self.start;
        if self.unreceived == 0 {
            self.clear();
        }
        Arrival::Part
    }
}
