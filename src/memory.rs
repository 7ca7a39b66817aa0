//! The packet buffers, one behind the other: what is to be sent, acknowledgements, what was received.
//!
//! A range belongs to whom the session gave it: the link while it sends or receives, the application while it writes what it
//! was asked for, a publish call while it copies its payload. Nobody else touches it meanwhile.

use crate::config::{RX_BUFFER_LENGTH, TX_BUFFER_LENGTH};
use core::cell::Cell;

/// Where the requests' part of the transmit buffer ends, which begins at 0.
pub const TRANSMIT_END: usize = TX_BUFFER_LENGTH - REPLIES_LENGTH;
/// Where acknowledgements begin, which have the rest of it.
pub const REPLIES: usize = TRANSMIT_END;
/// Room for eight acknowledgements of four bytes, a PINGREQ and a DISCONNECT.
const REPLIES_LENGTH: usize = 8 * 4 + 2 + 2;
/// Where acknowledgements end.
pub const REPLIES_END: usize = TX_BUFFER_LENGTH;
/// Where received bytes begin.
pub const RECEIVE: usize = REPLIES_END;
/// Where received bytes end.
pub const RECEIVE_END: usize = RECEIVE + RX_BUFFER_LENGTH;

/// A place or a length, kept in two bytes.
#[derive(Clone, Debug)]
pub struct Short(Cell<u16>);

impl Short {
    /// 0.
    pub const fn new() -> Self {
        Self(Cell::new(0))
    }

    /// What it is.
    pub fn get(&self) -> usize {
        self.0.get().into()
    }

    /// Changes it.
    pub fn set(&self, value: usize) {
        self.0.set(value as u16);
    }
}

/// A small number, kept in a byte.
#[derive(Clone, Debug)]
pub struct Byte(Cell<u8>);

impl Byte {
    /// 0.
    pub const fn new() -> Self {
        Self(Cell::new(0))
    }

    /// What it is.
    pub fn get(&self) -> usize {
        self.0.get().into()
    }

    /// Changes it.
    pub fn set(&self, value: usize) {
        self.0.set(value as u8);
    }
}

/// The buffers. What lies outside of them reads as zero, and is not written.
pub struct Memory([Cell<u8>; RECEIVE_END]);

impl Memory {
    /// All zero.
    pub const fn new() -> Self {
        Self([const { Cell::new(0) }; RECEIVE_END])
    }

    /// All bytes from a place on; `None` outside of the buffers.
    pub fn from(&self, place: usize) -> Option<&[Cell<u8>]> {
        self.0.get(place..)
    }

    /// The byte at a place.
    pub fn byte(&self, place: usize) -> u8 {
        self.0.get(place).map_or(0, Cell::get)
    }

    /// Changes the byte at a place.
    #[inline(never)]
    pub fn set(&self, place: usize, byte: u8) {
        if let Some(cell) = self.0.get(place) {
            cell.set(byte);
        }
    }

    /// The big-endian number at a place.
    #[inline(never)]
    pub fn number(&self, place: usize) -> usize {
        match self.from(place) {
            Some([high, low, ..]) => u16::from_be_bytes([high.get(), low.get()]).into(),
            _ => 0,
        }
    }

    /// Changes the big-endian number at a place.
    #[inline(never)]
    pub fn set_number(&self, place: usize, number: usize) {
        if let Some([high, low, ..]) = self.from(place) {
            high.set((number >> 8) as u8);
            low.set(number as u8);
        }
    }

    /// `length` bytes from `start`; none where the buffers do not have them.
    #[inline(never)]
    pub fn range(&self, start: usize, length: usize) -> &[Cell<u8>] {
        let (start, length) = (start & 0xffff, length & 0xffff); // as all are, so that the sum has no overflow to look for
        self.0.get(start..start + length).unwrap_or_default()
    }

    /// Moves `length` bytes from one place to another, as [`Memory::put`] does.
    pub fn shift(&self, from: usize, to: usize, length: usize) {
        self.put(to, self.range(from, length));
    }

    /// Puts `bytes` at a place, where the buffers have room for all of them. Where the two overlap, it must be further down.
    #[inline(never)]
    pub fn put(&self, place: usize, bytes: &[Cell<u8>]) {
        let (mut to, mut from) = (self.range(place, bytes.len()), bytes);
        while let ([a, b, c, d, to_behind @ ..], [_, _, _, _, from_behind @ ..]) = (to, from) {
            let [first, second, third, fourth] = word(from).to_le_bytes();
            a.set(first);
            b.set(second);
            c.set(third);
            d.set(fourth);
            (to, from) = (to_behind, from_behind);
        }
        for (to, from) in to.iter().zip(from) {
            to.set(from.get());
        }
    }

    /// Leaves no trace of what was received, or of the CONNECT that was built there.
    pub fn wipe_received(&self) {
        self.range(RECEIVE, RX_BUFFER_LENGTH).iter().for_each(|byte| byte.set(0));
    }
}

/// The first four bytes in one word; 0 where there are less.
#[inline(always)]
pub fn word(text: &[Cell<u8>]) -> u32 {
    match text {
        [first, second, third, fourth, ..] => u32::from_le_bytes([first.get(), second.get(), third.get(), fourth.get()]),
        _ => 0,
    }
}

/// What follows the first four bytes.
#[inline(always)]
pub fn behind_word(text: &[Cell<u8>]) -> &[Cell<u8>] {
    text.get(4..).unwrap_or_default()
}
