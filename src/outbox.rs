//! What waits to be sent or acknowledged: a table of entries, each of which claims a range of the transmit buffer.
//!
//! An entry lies in its range as its packet will: a slot for what precedes the topic, the topic's length, the topic, at
//! QoS 1 and 2 the packet identifier, the payload. Nothing is moved when an entry goes: a claim takes the lowest gap.

use crate::config::{MAX_INFLIGHT, PUBLISH_ROOM};
use crate::memory::{Memory, Short, TRANSMIT_END};
use crate::packet::{self, FixedHeader, SLOT, TOPIC};
use core::cell::Cell;

/// The payload's room that the callback may fill.
pub const PAYLOAD_ROOM: usize = PUBLISH_ROOM;
/// Bytes of an entry that are neither topic nor payload; the two after the topic are a packet identifier, or a QoS.
pub const OVERHEAD: usize = TOPIC + 2;
/// The topic's room that the callback may fill: what a callback's payload leaves, within reason.
pub const TOPIC_ROOM: usize = {
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

/// Where topic and payload come from: bits of [`Entry::source`]. A topic of neither bit lies in the entry's range, and so does
/// a payload of neither.
pub mod source {
    /// The topic is asked for.
    pub const TOPIC_ASKED: u8 = 0x01;
    /// The topic is in the table of subscriptions.
    pub const SUBSCRIPTION: u8 = 0x02;
    /// The payload is asked for, at once.
    pub const PAYLOAD_ASKED: u8 = 0x04;
    /// The payload is asked for piece by piece; the slot holds the total length until the header is written.
    pub const STREAMED: u8 = 0x08;
}

/// One entry.
#[repr(C)]
pub struct Entry {
    /// How far it has come.
    pub state: Cell<State>,
    /// The first byte of its packet.
    pub first: Cell<u8>,
    /// The subscription it belongs to, or 0.
    pub reference: Cell<u8>,
    /// Bits of [`source`].
    pub source: Cell<u8>,
    /// Its turn, see [`crate::session`].
    pub order: Cell<u16>,
    /// What the publish call returned.
    pub handle: Cell<u16>,
    /// The packet identifier; 0: none yet.
    pub identifier: Cell<u16>,
    /// Where its range begins.
    pub start: Short,
    /// Bytes of its range; 0: it has none.
    pub length: Short,
}

impl Entry {
    #[expect(clippy::declare_interior_mutable_const, reason = "only ever the start of a new entry")]
    const FREE: Self = Self {
        state: Cell::new(State::Free),
        first: Cell::new(0),
        reference: Cell::new(0),
        source: Cell::new(0),
        order: Cell::new(0),
        handle: Cell::new(0),
        identifier: Cell::new(0),
        start: Short::new(),
        length: Short::new(),
    };

    /// Gives up the entry and its range.
    #[inline(never)]
    pub fn release(&self) {
        self.state.set(State::Free);
        self.length.set(0);
    }

    /// Becomes what the application can be told of `entry`, which may be given up now.
    #[inline(never)]
    pub fn keep(&self, memory: &Memory, entry: &Entry) {
        self.first.set(entry.first.get());
        self.source.set(entry.source.get());
        self.handle.set(entry.handle.get());
        self.identifier.set(entry.identifier.get());
        self.start.set(entry.start.get());
        if !entry.has(source::TOPIC_ASKED | source::SUBSCRIPTION) {
            self.length.set(TOPIC + entry.topic_length(memory));
        }
    }

    /// Whether it has one of the bits of [`source`].
    pub fn has(&self, sources: u8) -> bool {
        self.source.get() & sources != 0
    }

    /// Whether it is a SUBSCRIBE or UNSUBSCRIBE.
    pub fn is_control(&self) -> bool {
        self.first.get() >= 0x80
    }

    /// The QoS of its PUBLISH.
    pub fn qos(&self) -> u8 {
        packet::qos(self.first.get())
    }

    /// Where its range ends.
    pub fn end(&self) -> usize {
        self.start.get() + self.length.get()
    }

    /// The length of its stored topic.
    #[inline(never)]
    pub fn topic_length(&self, memory: &Memory) -> usize {
        memory.number(self.start.get() + SLOT).into()
    }

    /// Where the payload begins, behind the stored topic.
    #[inline(never)]
    pub fn payload_start(&self, memory: &Memory) -> usize {
        self.start.get() + TOPIC + self.topic_length(memory) + packet::identifier_length(self.first.get())
    }

    /// Bytes of payload in all, once the packet is built.
    pub fn payload_length(&self, memory: &Memory) -> u32 {
        let start = self.packet_start(memory);
        let header = FixedHeader::read(memory.range(start, SLOT));
        header.remaining().wrapping_sub((self.payload_start(memory) - start - header.length()) as u32)
    }

    /// Where in the slot the packet begins, once it is built: unused bytes of the slot are zero.
    #[inline(never)]
    pub fn packet_start(&self, memory: &Memory) -> usize {
        let start = self.start.get();
        start + memory.range(start, SLOT).iter().take_while(|byte| byte.get() == 0).count()
    }

    /// Puts `topic` into its range.
    #[inline(never)]
    pub fn store_topic(&self, memory: &Memory, topic: &[Cell<u8>]) {
        let start = self.start.get();
        memory.set_number(start + SLOT, topic.len() as u16);
        memory.put(start + TOPIC, topic);
    }

    /// Gives up what lies behind the stored topic.
    #[inline(never)]
    pub fn keep_topic(&self, memory: &Memory) {
        self.length.set(self.length.get().min(TOPIC + self.topic_length(memory)));
    }
}

/// The index of the SUBSCRIBE or UNSUBSCRIBE at hand.
pub const CONTROL: u8 = 0;
/// The index of the first publication.
pub const PUBLICATIONS: u8 = 2;

/// The table: [`CONTROL`], [`Outbox::told`] and publications.
pub struct Outbox(pub [Entry; PUBLICATIONS as usize + MAX_INFLIGHT]);

impl Outbox {
    /// Empty.
    pub const fn new() -> Self {
        Self([Entry::FREE; PUBLICATIONS as usize + MAX_INFLIGHT])
    }

    /// What the application is just told about: it keeps the topic's range while the callback runs.
    pub fn told(&self) -> &Entry {
        let [_, told, ..] = &self.0;
        told
    }

    /// The entry at an index.
    #[inline(never)]
    pub fn entry(&self, index: u8) -> &Entry {
        let [control, publications @ ..] = &self.0;
        publications.get(usize::from(index).wrapping_sub(1)).unwrap_or(control)
    }

    /// Where `length` bytes below `limit` are claimed by nothing but perhaps `but`; [`NO_GAP`]: nowhere.
    #[inline(never)]
    pub fn gap(&self, length: usize, limit: usize, but: &Entry) -> usize {
        let mut start = 0;
        'from: loop {
            let end = start + length;
            if end > limit {
                return NO_GAP;
            }
            for entry in &self.0 {
                if entry.length.get() != 0 && entry.start.get() < end && start < entry.end() && !core::ptr::eq(entry, but) {
                    start = entry.end();
                    continue 'from;
                }
            }
            return start;
        }
    }

    /// The publication that was sent with a packet identifier, and is not acknowledged.
    #[inline(never)]
    pub fn find(&self, identifier: u16) -> Option<&Entry> {
        let [_, _, publications @ ..] = &self.0;
        publications.iter().find(|entry| entry.identifier.get() == identifier && entry.state.get() > State::Failed)
    }
}

/// There is no gap that is long enough.
pub const NO_GAP: usize = usize::MAX;
