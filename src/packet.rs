//! The control packets of the standard, section 3: one reader for what arrives, one encoder for what is sent.
//! Knows no state.

use crate::wire::{self, RemainingLength, Writer};
use core::cell::Cell;

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

/// The flags in a PUBLISH's first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishFlags(pub u8);

impl PublishFlags {
    /// DUP: an earlier attempt may have arrived [MQTT-3.3.1-1].
    pub const DUPLICATE: u8 = 8;

    /// Quality of service, 0 to 2; 3 is malformed.
    pub fn qos(self) -> u8 {
        self.0 >> 1 & 3
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

/// A fixed header that a broker may send to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FixedHeader {
    /// Type and flags.
    pub first: u8,
    /// Bytes that follow the fixed header.
    pub remaining: u32,
    /// Bytes of the fixed header itself.
    pub length: usize,
}

/// Reads the fixed header at the start of `bytes`: `Ok(None)` if it is not all there, `Err` if no broker may send it.
#[expect(clippy::result_unit_err, reason = "malformed is all there is to say")]
pub fn fixed_header(bytes: &[u8]) -> Result<Option<FixedHeader>, ()> {
    let Some((&first, rest)) = bytes.split_first() else { return Ok(None) };
    let (remaining, length) = match wire::remaining_length(rest) {
        RemainingLength::Incomplete => return Ok(None),
        RemainingLength::Malformed => return Err(()),
        RemainingLength::Complete(remaining, length) => (remaining, length),
    };
    let flags = PublishFlags(first);
    let allowed = match first {
        CONNACK | PUBACK | PUBREC | PUBREL | PUBCOMP | UNSUBACK => remaining == 2,
        SUBACK => remaining == 3, // this client's SUBSCRIBEs carry one filter each
        PINGRESP => remaining == 0,
        _ => first & 0xf0 == PUBLISH && remaining >= 2 && flags.qos() != 3 && !(flags.duplicate() && flags.qos() == 0),
    };
    if allowed { Ok(Some(FixedHeader { first, remaining, length: length + 1 })) } else { Err(()) }
}

/// Bytes kept free before a topic's length for what precedes it: a fixed header, and the identifier of a SUBSCRIBE.
pub const SLOT: usize = 5;
/// Where the topic of an outgoing PUBLISH, SUBSCRIBE or UNSUBSCRIBE begins, counted from the start of its slot.
pub const TOPIC: usize = SLOT + 2;

/// Writes a fixed header so that it ends where `slot` ends, and zeros before it.
///
/// `slot` must be long enough for `remaining`.
pub fn close_header(slot: &[Cell<u8>], first: u8, remaining: u32) {
    let digits = match remaining {
        0..0x80 => 1,
        0x80..0x4000 => 2,
        0x4000..0x20_0000 => 3,
        _ => 4,
    };
    let mut writer = Writer::new(slot);
    for _ in digits + 1..slot.len() {
        writer.byte(0);
    }
    writer.byte(first);
    writer.remaining_length(remaining);
}

/// Where in `slot` the header begins that [`close_header`] wrote.
pub fn header_start(slot: &[Cell<u8>]) -> usize {
    slot.iter().position(|byte| byte.get() != 0).unwrap_or(0)
}

/// The length of the topic whose length field `bytes` starts with.
pub fn topic_length(bytes: &[Cell<u8>]) -> usize {
    match bytes {
        [high, low, ..] => usize::from(u16::from_be_bytes([high.get(), low.get()])),
        _ => 0,
    }
}
