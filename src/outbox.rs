//! What waits to be sent or acknowledged: a table of entries, each of which claims a range of the transmit buffer.
//!
//! An entry lies in its range as its packet will: a slot for what precedes the topic, the topic's length, the topic, at
//! QoS 1 and 2 the packet identifier, the payload. Nothing is moved when an entry goes: a claim takes the lowest gap.

use crate::config::{MAX_INFLIGHT, PUBLISH_ROOM};
use crate::memory::{Memory, TRANSMIT_END};
use crate::packet::{self, Header, PublishFlags, SLOT, TOPIC};
use core::cell::Cell;

/// The payload's room that the callback may fill.
pub const PAYLOAD_ROOM: u16 = PUBLISH_ROOM as u16;
/// Bytes of an entry that are neither topic nor payload; the two after the topic are a packet identifier, or a QoS.
pub const OVERHEAD: u16 = TOPIC + 2;
/// The topic's room that the callback may fill: what a callback's payload leaves, within reason.
pub const TOPIC_ROOM: u16 = {
    let left = TRANSMIT_END - OVERHEAD - PAYLOAD_ROOM;
    if left < 256 { left } else { 256 }
};

/// How far an entry has come. From `Copying` on it waits for its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
#[repr(u8)]
pub enum State {
    /// Free.
    Free,
    /// To be told as failed.
    Failed,
    /// Sent, not acknowledged (QoS 2: not by PUBREC).
    Sent,
    /// PUBREC has arrived, PUBREL went out; PUBCOMP is awaited.
    Released,
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

    /// Gives up the entry and its range.
    pub fn release(&mut self) {
        (self.state, self.length) = (State::Free, 0);
    }

    /// The flags of its PUBLISH.
    pub fn flags(&self) -> PublishFlags {
        PublishFlags(self.first)
    }

    /// The length of its stored topic.
    pub fn topic_length(&self, memory: &Memory) -> u16 {
        memory.number(self.start + SLOT)
    }

    /// Where the payload begins, behind the stored topic.
    pub fn payload_start(&self, memory: &Memory) -> u16 {
        self.start + TOPIC + self.topic_length(memory) + self.flags().identifier_length()
    }

    /// Bytes of payload in all, once the packet is built.
    pub fn payload_length(&self, memory: &Memory) -> u32 {
        let start = self.packet_start(memory);
        match packet::fixed_header(memory, start, SLOT) {
            Header::Complete(header) => (u32::from(start + header.length) + header.remaining).saturating_sub(self.payload_start(memory).into()),
            _ => 0,
        }
    }

    /// Where in the slot the packet begins, once it is built: unused bytes of the slot are zero.
    pub fn packet_start(&self, memory: &Memory) -> u16 {
        let mut start = self.start;
        while memory.byte(start) == 0 && start < self.start + SLOT {
            start += 1;
        }
        start
    }

    /// Puts `topic` into its range.
    pub fn store_topic(&mut self, memory: &Memory, topic: &[Cell<u8>]) {
        memory.set_number(self.start + SLOT, topic.len() as u16);
        memory.put(self.start + TOPIC, topic);
        self.topic = Topic::Stored;
    }

    /// Gives up what lies behind the stored topic.
    pub fn keep_topic(&mut self, memory: &Memory) {
        self.length = self.length.min(TOPIC + self.topic_length(memory));
    }
}

/// The index of the SUBSCRIBE or UNSUBSCRIBE at hand.
pub const CONTROL: u8 = 0;
/// The index of what the application is just told about: it keeps the topic's range while the callback runs.
pub const TOLD: u8 = 1;
/// The index of the first publication.
pub const PUBLICATIONS: u8 = 2;
/// The index of none.
pub const NONE: u8 = u8::MAX;

/// The table.
pub struct Outbox {
    /// [`CONTROL`], [`TOLD`] and publications.
    pub entries: [Entry; PUBLICATIONS as usize + MAX_INFLIGHT],
}

impl Outbox {
    /// Empty.
    pub const fn new() -> Self {
        Self { entries: [Entry::FREE; PUBLICATIONS as usize + MAX_INFLIGHT] }
    }

    /// The entry at an index.
    #[inline(never)]
    pub fn entry(&mut self, index: u8) -> &mut Entry {
        let [control, publications @ ..] = &mut self.entries;
        publications.get_mut(usize::from(index).wrapping_sub(1)).unwrap_or(control)
    }

    /// What the application is just told about.
    pub fn told(&self) -> &Entry {
        let [_, told, ..] = &self.entries;
        told
    }

    /// Keeps of `entry`, which may be given up now, what the application can be told while the callback runs.
    pub fn keep_told(&mut self, memory: &Memory, entry: Entry) {
        let told = self.entry(TOLD);
        *told = Entry { state: State::Free, ..entry };
        if told.topic == Topic::Stored {
            told.keep_topic(memory);
        } else {
            told.length = 0;
        }
    }

    /// Where `length` bytes below `limit` are claimed by nothing but perhaps the entry at `index`; `NONE`: by nothing.
    pub fn gap(&self, length: u16, limit: u16, index: u8) -> Option<u16> {
        let mut start = 0;
        'from: loop {
            let end = start + length;
            if end > limit {
                return None;
            }
            for (other, entry) in (0..).zip(&self.entries) {
                if other != index && entry.length != 0 && entry.start < end && start < entry.start + entry.length {
                    start = entry.start + entry.length;
                    continue 'from;
                }
            }
            return Some(start);
        }
    }
}
