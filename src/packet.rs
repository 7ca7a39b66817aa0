//! The control packets of the standard, section 3, on the wire: fixed headers, and where a topic lies in what is sent.
//! Knows no state.

use crate::memory::Memory;

/// First bytes of the fixed header, type and flags [MQTT-2.2.2-1].
pub mod first_byte {
    #![expect(missing_docs, reason = "the names of the standard, table 2.1")]
    pub const CONNECT: u8 = 0x10;
    pub const CONNACK: u8 = 0x20;
    pub const PUBLISH: u8 = 0x30;
    pub const PUBACK: u8 = 0x40;
    pub const PUBREC: u8 = 0x50;
    pub const PUBREL: u8 = 0x62;
    pub const PUBCOMP: u8 = 0x70;
    pub const SUBSCRIBE: u8 = 0x82;
    pub const SUBACK: u8 = 0x90;
    pub const UNSUBSCRIBE: u8 = 0xa2;
    pub const UNSUBACK: u8 = 0xb0;
    pub const PINGREQ: u8 = 0xc0;
    pub const PINGRESP: u8 = 0xd0;
    pub const DISCONNECT: u8 = 0xe0;
}
use first_byte::*;

/// The largest remaining length that four bytes can carry.
pub const LONGEST_REMAINING_LENGTH: u32 = 0x0fff_ffff;

/// The first byte of a PUBLISH.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishFlags(pub u8);

impl PublishFlags {
    /// DUP: an earlier attempt may have arrived [MQTT-3.3.1-1].
    pub const DUPLICATE: u8 = 8;

    /// Quality of service, 0 to 2; 3 is malformed. That of a SUBSCRIBE or UNSUBSCRIBE is 1.
    pub const fn qos(self) -> u8 {
        self.0 >> 1 & 3
    }

    /// Bytes of the packet identifier.
    pub const fn identifier_length(self) -> u16 {
        if self.qos() == 0 { 0 } else { 2 }
    }

    /// Whether the broker retains it, or had retained it.
    pub fn retained(self) -> bool {
        self.0 & 1 != 0
    }

    /// Whether it is sent again.
    pub fn duplicate(self) -> bool {
        self.0 & Self::DUPLICATE != 0
    }
}

/// A fixed header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FixedHeader {
    /// Type and flags.
    pub first: u8,
    /// Bytes of the fixed header itself.
    pub length: u16,
    /// Bytes that follow it.
    pub remaining: u32,
}

/// What stands where a fixed header is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// Not all of one.
    Incomplete,
    /// One with a remaining length of more than four bytes [MQTT-2.2.3].
    Malformed,
    /// One.
    Complete(FixedHeader),
}

/// Reads the fixed header at `start`, of which `available` bytes are there.
pub fn fixed_header(memory: &Memory, start: u16, available: u16) -> Header {
    let mut remaining = 0;
    for index in 0..4 {
        if index + 1 >= available {
            return Header::Incomplete;
        }
        let byte = memory.byte(start + 1 + index);
        remaining |= u32::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Header::Complete(FixedHeader { first: memory.byte(start), length: index + 2, remaining });
        }
    }
    Header::Malformed
}

impl FixedHeader {
    /// Whether a broker may send it to this client.
    pub fn may_arrive(&self) -> bool {
        let flags = PublishFlags(self.first);
        match self.first {
            CONNACK | PUBACK | PUBREC | PUBREL | PUBCOMP | UNSUBACK => self.remaining == 2,
            SUBACK => self.remaining == 3, // this client's SUBSCRIBEs carry one filter each
            PINGRESP => self.remaining == 0,
            first if first & 0xf0 == PUBLISH => match flags.qos() {
                0 => !flags.duplicate(), // [MQTT-3.3.1-2]
                qos => qos != 3,         // [MQTT-3.3.1-4]
            },
            _ => false,
        }
    }
}

/// Bytes kept free before the topic of what is sent: a fixed header, and the identifier of a SUBSCRIBE.
pub const SLOT: u16 = 5;
/// Where the topic begins, counted from the start of its slot: its length comes before it.
pub const TOPIC: u16 = SLOT + 2;

/// Writes a fixed header so that it ends at `end`, and returns where it begins.
pub fn put_header(memory: &Memory, end: u16, first: u8, remaining: u32) -> u16 {
    let mut start = end;
    let mut length = 1;
    while remaining >> (7 * length) != 0 {
        length += 1;
    }
    for index in (0..length).rev() {
        start -= 1;
        let more = if index + 1 < length { 0x80 } else { 0 };
        memory.set(start, (remaining >> (7 * index)) as u8 & 0x7f | more);
    }
    start -= 1;
    memory.set(start, first);
    start
}
