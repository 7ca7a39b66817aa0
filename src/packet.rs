//! The control packets of the standard, section 3, on the wire: fixed headers, and where a topic lies in what is sent.
//! Knows no state.

use crate::memory::Memory;
use core::cell::Cell;

/// First bytes of the fixed header, type and flags [MQTT-2.2.2-1].
pub mod first_byte {
    #![allow(missing_docs, reason = "the names of the standard, table 2.1")]
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

/// In the first byte of a PUBLISH, DUP: an earlier attempt may have arrived [MQTT-3.3.1-1].
pub const DUPLICATE: u8 = 8;
/// In the first byte of a PUBLISH, RETAIN.
pub const RETAIN: u8 = 1;

/// Whether a request with this first byte is a PUBLISH: SUBSCRIBE and UNSUBSCRIBE do not have this bit.
pub const fn is_publish(first: u8) -> bool {
    first & 0x10 != 0
}

/// The QoS in the first byte of a PUBLISH, 0 to 2; 3 is malformed. That of a SUBSCRIBE or UNSUBSCRIBE is 1.
pub const fn qos(first: u8) -> u8 {
    first >> 1 & 3
}

/// Bytes of the packet identifier.
pub const fn identifier_length(first: u8) -> usize {
    if first & 6 == 0 { 0 } else { 2 }
}

/// A fixed header: the remaining length in its lower 28 bits, above them the bytes of the header itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FixedHeader(u32);

impl FixedHeader {
    /// Not all of it is there.
    pub const INCOMPLETE: Self = Self(0);
    /// It has a remaining length of more than four bytes [MQTT-2.2.3].
    pub const MALFORMED: Self = Self(u32::MAX);

    /// Reads the one that `bytes` begin with.
    #[inline(never)]
    pub fn read(bytes: &[Cell<u8>]) -> Self {
        let [_, bytes @ ..] = bytes else { return Self::INCOMPLETE };
        let mut remaining = 0;
        let mut length = 1;
        for byte in bytes {
            let byte = u32::from(byte.get());
            remaining |= (byte & 0x7f) << (7 * length - 7);
            length += 1;
            if byte < 0x80 {
                return Self(remaining | length << 28);
            }
            if length == 5 {
                return Self::MALFORMED;
            }
        }
        Self::INCOMPLETE
    }

    /// Bytes of the header itself.
    pub fn length(self) -> usize {
        (self.0 >> 28) as usize
    }

    /// Bytes that follow it.
    pub fn remaining(self) -> u32 {
        self.0 & LONGEST_REMAINING_LENGTH
    }

    /// Whether a broker may send a packet other than PUBLISH with this header and `first` byte to this client, whose
    /// SUBSCRIBEs carry one filter each.
    pub fn may_arrive(self, first: u8) -> bool {
        let remaining = match first {
            CONNACK | PUBACK | PUBREC | PUBREL | PUBCOMP | UNSUBACK => 2,
            SUBACK => 3,
            PINGRESP => 0,
            _ => return false,
        };
        self.remaining() == remaining
    }
}

/// Bytes kept free before the topic of what is sent: a fixed header, and the identifier of a SUBSCRIBE.
pub const SLOT: usize = 5;
/// Where the topic begins, counted from the start of its slot: its length comes before it.
pub const TOPIC: usize = SLOT + 2;

/// Writes a fixed header so that it ends at `end`, and returns where it begins.
#[inline(never)]
pub fn put_header(memory: &Memory, end: usize, first: u8, remaining: u32) -> usize {
    let mut start = end - 2;
    let mut longer = remaining >> 7;
    while longer != 0 {
        start -= 1;
        longer >>= 7;
    }
    memory.set(start, first);
    let mut place = start + 1;
    let mut remaining = remaining;
    while remaining > 0x7f {
        memory.set(place, remaining as u8 | 0x80);
        remaining >>= 7;
        place += 1;
    }
    memory.set(place, remaining as u8);
    start
}
