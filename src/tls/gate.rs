//! Which records may arrive. Looks at their headers before the TLS implementation does, which would stop the program at some.

use super::Reason;
use super::suite::{OPEN, Suite};
use core::cell::Cell;
use embedded_tls::TlsCipherSuite;

/// Bytes of a record's header: type, version, length.
const HEADER: usize = 5;

// The types of records, section 5.1 of RFC 8446.
pub(super) const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
pub(super) const HANDSHAKE: u8 = 22;
pub(super) const APPLICATION_DATA: u8 = 23;

/// The type of a ServerHello, section 4 of RFC 8446.
const SERVER_HELLO: u8 = 2;

/// The shortest encrypted record with anything inside: a byte, and the tag.
const SHORTEST_ENCRYPTED: usize = 1 + 16;
/// The longest that may be sent, section 5.2.
const LONGEST_ENCRYPTED: usize = 16384 + 256;
/// How many ChangeCipherSpecs, which mean nothing, a handshake may have.
const MOST_CHANGES: u8 = 2;
/// How many encrypted records: none is empty, and the broker has five messages to send at most.
const MOST_ENCRYPTED: u8 = 5;

/// Watches the records of one connection.
pub(super) struct Gate {
    header: Cell<[u8; HEADER]>,
    /// Bytes of the header that have arrived.
    arrived: Cell<usize>,
    /// Bytes of the record that are to come.
    left: Cell<usize>,
    /// The ServerHello has arrived: all that follows is encrypted.
    hello: Cell<bool>,
    changes: Cell<u8>,
    /// Encrypted records of the handshake that have begun.
    encrypted: Cell<u8>,
}

impl Gate {
    pub(super) const fn new() -> Self {
        Self {
            header: Cell::new([0; HEADER]),
            arrived: Cell::new(0),
            left: Cell::new(0),
            hello: Cell::new(false),
            changes: Cell::new(0),
            encrypted: Cell::new(0),
        }
    }

    /// Nothing has arrived.
    pub(super) fn reset(&self) {
        self.arrived.set(0);
        self.left.set(0);
        self.hello.set(false);
        self.changes.set(0);
        self.encrypted.set(0);
    }

    /// Whether a record is complete, and the next has not begun.
    pub(super) fn is_between(&self) -> bool {
        self.arrived.get() == 0
    }

    /// Whether a record's content begins with the next byte.
    pub(super) fn is_at_content(&self) -> bool {
        let header = self.header.get();
        self.arrived.get() == HEADER && self.left.get() == length(&header)
    }

    /// Lets bytes pass that have arrived, none of them beyond a header or beyond a record: that is how they are asked for. The version
    /// in a header, which by the standard says nothing, then tells which encrypted record it is, or that the connection is open.
    pub(super) fn pass(&self, bytes: &mut [u8], room: usize, open: bool) -> Result<(), Reason> {
        let mut header = self.header.get();
        if self.arrived.get() == HEADER {
            let left = self.left.get();
            if header[0] == HANDSHAKE && !is_hello(bytes, length(&header), length(&header) - left) {
                return Err(Reason::Protocol);
            }
            let left = left.saturating_sub(bytes.len());
            self.left.set(left);
            if left == 0 {
                self.arrived.set(0);
            }
            return Ok(());
        }
        for byte in bytes {
            let place = self.arrived.get();
            if let Some(part) = header.get_mut(place) {
                *part = *byte;
            }
            if place == 1 {
                *byte = if open { OPEN } else { self.encrypted.get() };
            }
            self.arrived.set(place + 1);
        }
        self.header.set(header);
        if self.arrived.get() < HEADER {
            return Ok(());
        }
        self.left.set(length(&header));
        self.judge(&header, room, open)
    }

    /// Whether a record with this header may come now.
    fn judge(&self, header: &[u8; HEADER], room: usize, open: bool) -> Result<(), Reason> {
        let length = length(header);
        let may_come = match header {
            [APPLICATION_DATA, 3, 3, ..] => {
                let encrypted = self.encrypted.get();
                if !open {
                    self.encrypted.set(encrypted + 1);
                }
                self.hello.get() && (open || encrypted < MOST_ENCRYPTED) && matches!(length, SHORTEST_ENCRYPTED..=LONGEST_ENCRYPTED)
            }
            [HANDSHAKE, ..] => !self.hello.replace(true) && length != 0,
            [ALERT, ..] => !self.hello.get() && length == 2,
            [CHANGE_CIPHER_SPEC, ..] => {
                let changes = self.changes.get() + 1;
                self.changes.set(changes);
                self.hello.get() && !open && length == 1 && changes <= MOST_CHANGES
            }
            _ => false,
        };
        if !may_come {
            return Err(Reason::Protocol);
        }
        if length > room { Err(Reason::RecordTooLarge) } else { Ok(()) }
    }
}

/// Whether a part of a record, behind so many bytes of its content, is what can be foretold of a ServerHello (section 4.1.3) that fills
/// the record and answers the client's hello: the TLS implementation does not look.
fn is_hello(part: &[u8], length: usize, behind: usize) -> bool {
    let [high, low] = (length as u16).wrapping_sub(4).to_be_bytes();
    let [suite_high, suite_low] = Suite::CODE_POINT.to_be_bytes();
    part.iter().zip(behind..).all(|(byte, place)| {
        let expected = match place {
            0 => SERVER_HELLO,
            2 => high,
            3 => low,
            4 | 5 => 3,                // the version of TLS 1.2
            1 | 38 | 41 => 0,          // no session, no compression
            39 => suite_high,
            40 => suite_low,
            _ => return true,
        };
        *byte == expected
    })
}

/// The length in a header.
fn length(header: &[u8; HEADER]) -> usize {
    let [.., high, low] = *header;
    u16::from_be_bytes([high, low]).into()
}
