//! Reading and writing the data representations of the standard, section 1.5 and 2.2.3. Knows no packet.

use core::cell::Cell;

/// The largest remaining length that four bytes can carry.
pub const LONGEST_REMAINING_LENGTH: u32 = 0x0fff_ffff;

/// A remaining length at the start of `bytes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemainingLength {
    /// More bytes are needed.
    Incomplete,
    /// The fourth byte asks for a fifth [MQTT-2.2.3].
    Malformed,
    /// The value, and how many bytes it took.
    Complete(u32, usize),
}

/// Decodes the remaining length at the start of `bytes`.
pub fn remaining_length(bytes: &[u8]) -> RemainingLength {
    let mut value = 0;
    let mut shift = 0;
    for &byte in bytes {
        value |= u32::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return RemainingLength::Complete(value, shift / 7);
        }
        if shift == 28 {
            return RemainingLength::Malformed;
        }
    }
    RemainingLength::Incomplete
}

/// A big-endian number at the start of `bytes`, and what follows it.
pub fn number(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u16::from_be_bytes(*number), rest))
}

/// Copies bytes within one buffer, also where the two ranges overlap.
pub fn copy(from: &[Cell<u8>], to: &[Cell<u8>]) {
    let pairs = from.iter().zip(to);
    if from.as_ptr() < to.as_ptr() {
        pairs.rev().for_each(|(from, to)| to.set(from.get()));
    } else {
        pairs.for_each(|(from, to)| to.set(from.get()));
    }
}

/// Writes into a buffer that others may hold too. What does not fit is dropped.
pub struct Writer<'a> {
    bytes: &'a [Cell<u8>],
    position: usize,
}

impl<'a> Writer<'a> {
    /// Writes from the start of `bytes`.
    pub fn new(bytes: &'a [Cell<u8>]) -> Self {
        Self { bytes, position: 0 }
    }

    /// Appends one byte.
    pub fn byte(&mut self, byte: u8) {
        if let Some(cell) = self.bytes.get(self.position) {
            cell.set(byte);
        }
        self.position += 1;
    }

    /// Appends a big-endian number.
    pub fn number(&mut self, number: u16) {
        self.byte((number >> 8) as u8);
        self.byte(number as u8);
    }

    /// Appends bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.byte(byte);
        }
    }

    /// Appends a remaining length.
    pub fn remaining_length(&mut self, mut value: u32) {
        while value > 0x7f {
            self.byte(value as u8 | 0x80);
            value >>= 7;
        }
        self.byte(value as u8);
    }

    /// How many bytes were written.
    pub fn position(&self) -> u16 {
        self.position as u16
    }
}
