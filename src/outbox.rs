//! What waits to be sent or acknowledged: a table of entries, each of which claims a range of the transmit buffer.
//!
//! An entry lies in its range as its packet will: a slot for what precedes the topic, the topic's length, the topic, at
//! QoS 1 and 2 the packet identifier, the payload. Nothing is moved when an entry goes: a claim takes the lowest gap.

use crate::config::{MAX_INFLIGHT, MAX_TOPIC_LENGTH, PUBLISH_ROOM, TX_BUFFER_LENGTH};
use crate::packet::{self, PublishFlags, SLOT, TOPIC};
use crate::wire::{self, RemainingLength, Writer};
use core::cell::Cell;

/// Bytes in the transmit buffer.
pub const LENGTH: u16 = TX_BUFFER_LENGTH as u16;
/// The payload's room that the callback may fill.
pub const PAYLOAD_ROOM: u16 = PUBLISH_ROOM as u16;
/// Bytes of an entry that are neither topic nor payload; the two after the topic are a packet identifier, or a QoS.
pub const OVERHEAD: u16 = TOPIC as u16 + 2;
/// The topic's room that the callback may fill: what a callback's payload leaves, within reason.
pub const TOPIC_ROOM: u16 = {
    let left = LENGTH - OVERHEAD - PAYLOAD_ROOM;
    if left < 256 { left } else { 256 }
};
/// The entry of the SUBSCRIBE or UNSUBSCRIBE under way, behind those of publications.
pub const CONTROL: usize = MAX_INFLIGHT;

/// The transmit buffer. Each range belongs to whom claimed it; only that one may touch it.
pub struct Memory(pub [Cell<u8>; TX_BUFFER_LENGTH]);

impl Memory {
    /// All zero.
    pub const fn new() -> Self {
        Self([const { Cell::new(0) }; TX_BUFFER_LENGTH])
    }

    /// `length` bytes from `start`; empty where the buffer does not have them.
    pub fn range(&self, start: u16, length: u16) -> &[Cell<u8>] {
        self.0.get(usize::from(start)..).and_then(|bytes| bytes.get(..usize::from(length))).unwrap_or_default()
    }

    /// Copies `length` bytes, which may overlap.
    pub fn copy(&self, from: u16, to: u16, length: u16) {
        wire::copy(self.range(from, length), self.range(to, length));
    }
}

/// How far an entry has come. From `Copying` on it waits for its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
#[repr(u8)]
pub enum State {
    /// Free.
    Free,
    /// Sent, not acknowledged (QoS 2: not by PUBREC).
    Sent,
    /// PUBREC has arrived, PUBREL went out; PUBCOMP is awaited.
    Released,
    /// To be told as failed.
    Failed,
    /// The caller is still copying its payload.
    Copying,
    /// Accepted.
    Queued,
    /// A complete packet (a stream's: up to its payload).
    Built,
    /// PUBREL is to be sent again.
    Unreleased,
}

/// Where the topic comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Topic {
    /// The table of subscriptions.
    Subscription,
    /// It lies in the entry's range.
    Stored,
    /// The callback.
    Asked,
}

/// Where the payload comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Payload {
    /// There is none: SUBSCRIBE, UNSUBSCRIBE.
    None,
    /// It lies in the entry's range.
    Copied,
    /// The callback, at once.
    Asked,
    /// The callback, piece by piece; the slot holds the total length until the header is written.
    Streamed,
}

/// One entry.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// How far it has come.
    pub state: State,
    /// The first byte of its packet.
    pub first: u8,
    /// The subscription it belongs to, or 0.
    pub reference: u8,
    /// Where the topic comes from.
    pub topic: Topic,
    /// Where the payload comes from.
    pub payload: Payload,
    /// Its turn, see [`crate::requests`].
    pub order: u16,
    /// What the publish call returned.
    pub handle: u16,
    /// The packet identifier; 0: none yet.
    pub identifier: u16,
    /// Where its range begins.
    pub start: u16,
    /// Bytes of its range; 0: it has none.
    pub length: u16,
}

impl Entry {
    /// Free.
    pub const FREE: Self = Self {
        state: State::Free,
        first: 0,
        reference: 0,
        topic: Topic::Subscription,
        payload: Payload::None,
        order: 0,
        handle: 0,
        identifier: 0,
        start: 0,
        length: 0,
    };

    /// The flags of its PUBLISH.
    pub fn flags(&self) -> PublishFlags {
        PublishFlags(self.first)
    }

    /// Bytes between topic and payload.
    pub fn identifier_length(&self) -> u16 {
        if self.flags().qos() == 0 { 0 } else { 2 }
    }

    /// Its range.
    pub fn bytes<'a>(&self, memory: &'a Memory) -> &'a [Cell<u8>] {
        memory.range(self.start, self.length)
    }

    /// The length of its stored topic.
    pub fn topic_length(&self, memory: &Memory) -> u16 {
        packet::topic_length(memory.range(self.start + SLOT as u16, 2)) as u16
    }

    /// Bytes of payload in all, once the header is written.
    pub fn payload_length(&self, memory: &Memory) -> u32 {
        let slot = memory.range(self.start, SLOT as u16);
        let mut header = [0; SLOT];
        for (byte, stored) in header.iter_mut().zip(slot.iter().skip(packet::header_start(slot) + 1)) {
            *byte = stored.get();
        }
        let before_payload = 2 + u32::from(self.topic_length(memory) + self.identifier_length());
        match wire::remaining_length(&header) {
            RemainingLength::Complete(remaining, _) => remaining.saturating_sub(before_payload),
            _ => 0,
        }
    }

    /// Puts `topic` into its range.
    pub fn store_topic(&self, memory: &Memory, topic: &[u8]) {
        let mut writer = Writer::new(memory.range(self.start + SLOT as u16, 2 + topic.len() as u16));
        writer.number(topic.len() as u16);
        writer.bytes(topic);
    }

    /// Gives up what lies behind the stored topic.
    pub fn keep_topic(&mut self, memory: &Memory) {
        self.length = self.length.min(TOPIC as u16 + self.topic_length(memory));
    }

    /// An upper limit of the bytes that it has to claim when its turn comes; 0: it has what it needs.
    pub fn lacks(&self) -> u16 {
        if self.state != State::Queued || self.payload != Payload::Asked {
            return 0;
        }
        let topic = match self.topic {
            Topic::Subscription => OVERHEAD + MAX_TOPIC_LENGTH as u16,
            Topic::Stored => self.length + 2,
            Topic::Asked => OVERHEAD + TOPIC_ROOM,
        };
        topic + PAYLOAD_ROOM
    }
}

/// The table.
pub struct Outbox {
    /// Publications, and [`CONTROL`].
    pub entries: [Entry; MAX_INFLIGHT + 1],
}

impl Outbox {
    /// Empty.
    pub const fn new() -> Self {
        Self { entries: [Entry::FREE; MAX_INFLIGHT + 1] }
    }

    /// The entry at an index.
    pub fn entry(&mut self, index: usize) -> Option<&mut Entry> {
        self.entries.get_mut(index)
    }

    /// The lowest free entry for a publication.
    pub fn lowest_free(&self) -> Option<usize> {
        self.entries.iter().take(MAX_INFLIGHT).position(|entry| entry.state == State::Free)
    }

    /// Where `length` bytes below `limit` are claimed by no entry but `index`.
    pub fn gap(&self, length: u16, limit: u16, index: usize) -> Option<u16> {
        let mut start = 0;
        loop {
            let end = start + length;
            if end > limit {
                return None;
            }
            let mut others = self.entries.iter().enumerate().filter(|(other, _)| *other != index);
            match others.find(|(_, other)| other.length != 0 && other.start < end && start < other.start + other.length) {
                Some((_, other)) => start = other.start + other.length,
                None => return Some(start),
            }
        }
    }
}
