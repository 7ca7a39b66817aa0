//! What waits to be sent or acknowledged: requests in the order accepted, each of which claims a range of the transmit buffer.
//!
//! A request lies in its range as its packet will: a slot for what precedes the topic, the topic's length, the topic, at
//! QoS 1 and 2 the packet identifier, the payload. Bytes are never moved when a request goes: a claim takes the lowest gap.

use crate::config::{MAX_INFLIGHT, MAX_SUBSCRIPTIONS, MAX_TOPIC_LENGTH, PUBLISH_ROOM};
use crate::memory::{Byte, Memory, Short, TRANSMIT_END};
use crate::packet::{self, FixedHeader, SLOT, TOPIC, first_byte};
use core::cell::Cell;

/// The payload's room that the callback may fill.
pub const PAYLOAD_ROOM: usize = PUBLISH_ROOM;
/// The most bytes of a request that are neither topic nor payload; the two after the topic are a packet identifier, or a QoS.
const OVERHEAD: usize = TOPIC + 2;
/// The topic's room that the callback may fill: what a callback's payload leaves, within reason.
pub const TOPIC_ROOM: usize = {
    let left = TRANSMIT_END - OVERHEAD - PAYLOAD_ROOM;
    if left < 256 { left } else { 256 }
};
const _: () = assert!(TOPIC_ROOM >= MAX_TOPIC_LENGTH, "build.rs leaves a stored topic its place beside a callback's payload");

/// How far a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
#[repr(u8)]
pub enum State {
    /// Done, or given up; it only holds its topic while that is told.
    Done,
    /// To be told as failed.
    Failed,
    /// It has its room, whose content is just being put there. From here on it waits for its turn.
    Copying,
    /// Accepted; what is asked for comes at its turn.
    Queued,
    /// A complete packet (a stream's: up to its payload).
    Built,
    /// The same, sent in an earlier connection. From here on it can be acknowledged.
    Again,
    /// PUBREL is to be sent again.
    Unreleased,
    /// Sent, not acknowledged (QoS 2: not by PUBREC). From here on it waits for the broker.
    Sent,
    /// PUBREC has arrived, PUBREL went out; PUBCOMP is awaited.
    Released,
}

/// What is special about a request: bits of [`Request::source`].
pub mod source {
    /// The topic is asked for.
    pub const TOPIC_ASKED: u8 = 0x01;
    /// The topic is in the table of subscriptions. Beside [`TOPIC_ASKED`]: the subscription has ended, so that there is none to ask for.
    pub const SUBSCRIPTION: u8 = 0x02;
    /// The payload is asked for, at once; or it is a SUBSCRIBE or UNSUBSCRIBE, which has none.
    pub const PAYLOAD_ASKED: u8 = 0x04;
    /// In a build that has streams: the payload is asked for piece by piece.
    pub const STREAMED: u8 = if crate::config::STREAM { 0x08 } else { 0 };
    /// A SUBSCRIBE whose SUBACK was told before: the subscription is only being restored.
    pub const RESTORED: u8 = 0x10;
    /// One of [`MAX_INFLIGHT`](crate::config::MAX_INFLIGHT): a publication whose end is not told yet, or the second request for a subscription.
    pub const COUNTED: u8 = 0x20;
    /// In the bits from here on: how many bytes of the slot the packet leaves unused, once it is built.
    pub const UNUSED: u32 = 6;
}

/// One request: a PUBLISH, SUBSCRIBE or UNSUBSCRIBE.
#[derive(Clone)]
#[repr(C)]
pub struct Request {
    /// How far it has come.
    pub state: Cell<State>,
    /// The first byte of its packet.
    pub first: Cell<u8>,
    /// The subscription it belongs to, or 0.
    pub reference: Byte,
    /// Bits of [`source`].
    pub source: Cell<u8>,
    /// The packet identifier; at QoS 0 a number that no other request has.
    pub identifier: Short,
    /// Where its range begins.
    pub start: Short,
    /// Bytes of its range; 0: it has none.
    pub length: Short,
}

impl Request {
    #[expect(clippy::declare_interior_mutable_const, reason = "only ever the start of a new entry")]
    const NEW: Self = Self {
        state: Cell::new(State::Done),
        first: Cell::new(0),
        reference: Byte::new(),
        source: Cell::new(0),
        identifier: Short::new(),
        start: Short::new(),
        length: Short::new(),
    };

    /// Changes places with another.
    fn swap(&self, other: &Self) {
        let before = self.clone();
        self.turn_into(other);
        other.turn_into(&before);
    }

    /// Becomes what another is.
    fn turn_into(&self, other: &Self) {
        let Self { state, first, reference, source, identifier, start, length } = other.clone(); // all of it before anything changes
        self.state.set(state.get());
        self.first.set(first.get());
        self.reference.set(reference.get());
        self.source.set(source.get());
        self.identifier.set(identifier.get());
        self.start.set(start.get());
        self.length.set(length.get());
    }

    /// Whether it has one of the bits of [`source`].
    pub fn has(&self, sources: u8) -> bool {
        self.source.get() & sources != 0
    }

    /// Whether it is a SUBSCRIBE or UNSUBSCRIBE.
    pub fn is_control(&self) -> bool {
        !packet::is_publish(self.first.get())
    }

    /// The QoS of its PUBLISH.
    pub fn qos(&self) -> u8 {
        packet::qos(self.first.get())
    }

    /// The first byte of the packet that it waits for.
    pub fn awaited(&self) -> u8 {
        let first = self.first.get();
        if self.is_control() {
            first + (first_byte::SUBACK - first_byte::SUBSCRIBE)
        } else if packet::qos(first) == 1 {
            first_byte::PUBACK
        } else if matches!(self.state.get(), State::Unreleased | State::Released) {
            first_byte::PUBCOMP
        } else {
            first_byte::PUBREC
        }
    }

    /// What the publish call returned; 0 where there was none.
    pub fn handle(&self) -> usize {
        if self.has(source::PAYLOAD_ASKED) { 0 } else { self.identifier.get() }
    }

    /// Its stored topic.
    #[inline(always)]
    pub fn topic<'a>(&self, memory: &'a Memory) -> &'a [Cell<u8>] {
        memory.range(self.start.get() + TOPIC, self.topic_length(memory))
    }

    /// Where its range ends.
    pub fn end(&self) -> usize {
        self.start.get() + self.length.get()
    }

    /// The length of its stored topic.
    #[inline(never)]
    pub fn topic_length(&self, memory: &Memory) -> usize {
        memory.number(self.start.get() + SLOT)
    }

    /// Where the payload begins, behind the stored topic.
    #[inline(never)]
    pub fn payload_start(&self, memory: &Memory) -> usize {
        self.start.get() + TOPIC + self.topic_length(memory) + packet::identifier_length(self.first.get())
    }

    /// Bytes of payload in all, once the packet is built.
    #[inline(never)]
    pub fn payload_length(&self, memory: &Memory) -> u32 {
        let start = self.packet_start();
        let header = FixedHeader::read(memory.range(start, SLOT));
        header.remaining().wrapping_sub((self.payload_start(memory) - start - header.length()) as u32)
    }

    /// Where in the slot the packet begins, once it is built.
    pub fn packet_start(&self) -> usize {
        self.start.get() + usize::from(self.source.get() >> source::UNUSED)
    }

    /// The packet is built, its topic in place, and leaves so many bytes of the slot unused.
    pub fn set_built(&self, unused: usize) {
        self.state.set(State::Built);
        let sources = (1 << source::UNUSED) - 1 - source::SUBSCRIPTION;
        self.source.set(self.source.get() & sources | (unused << source::UNUSED) as u8);
    }

    /// Gives up what lies behind the stored topic; all of it where there is none yet.
    #[inline(never)]
    pub fn keep_topic(&self, memory: &Memory) {
        if self.has(source::TOPIC_ASKED) {
            self.length.set(0);
        } else if self.length.get() != 0 {
            self.length.set(TOPIC + self.topic_length(memory));
        }
    }

    /// Has a publication fail. One whose payload is still being copied has to have its turn: without the subscription that it may
    /// need the topic of, it fails then.
    #[inline(always)]
    pub fn give_up(&self) {
        if self.state.get() > State::Copying {
            self.state.set(State::Failed);
        }
        self.source.set(self.source.get() | source::SUBSCRIPTION);
    }

    /// Whether it claims its range at its turn, rather than when it is accepted.
    pub fn claims(&self) -> bool {
        self.has(source::PAYLOAD_ASKED)
    }

    /// The bytes that it will claim at its turn.
    #[inline(never)]
    pub fn room(&self) -> usize {
        let mut room = self.length.get(); // of a topic that is there already
        if self.state.get() != State::Queued || !self.claims() {
            return 0;
        }
        if room == 0 {
            room = TOPIC + packet::identifier_length(self.first.get()) + if self.has(source::TOPIC_ASKED) { TOPIC_ROOM } else { MAX_TOPIC_LENGTH };
        }
        if self.is_control() { room } else { room + PAYLOAD_ROOM }
    }
}

/// Publications, what there may be for each subscription, and one that is just told.
const CAPACITY: usize = MAX_INFLIGHT + MAX_SUBSCRIPTIONS + 1;

/// The requests.
pub struct Outbox {
    count: Cell<u8>,
    /// The packet identifier given out last; 0: none yet.
    pub identifier: Short,
    /// The same at QoS 0, where it is just a number.
    number: Short,
    requests: [Request; CAPACITY],
}

impl Outbox {
    /// Empty.
    pub const fn new() -> Self {
        Self { count: Cell::new(0), identifier: Short::new(), number: Short::new(), requests: [Request::NEW; CAPACITY] }
    }

    /// All requests in the order accepted.
    #[inline(never)]
    pub fn all(&self) -> core::slice::Iter<'_, Request> {
        self.requests.get(..self.count.get().into()).unwrap_or_default().iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count.get() == 0
    }

    /// Up to where a request that is accepted now, or once more, may claim room: those that claim it at their turn are left what the
    /// largest of them needs, since what comes later is also sent later. `None`: no more of those that are [`source::COUNTED`] can be accepted.
    #[inline(never)]
    pub fn limit(&self) -> Option<usize> {
        if self.is_empty() {
            return Some(TRANSMIT_END);
        }
        let mut limit = TRANSMIT_END;
        let mut count = 0;
        for request in self.all() {
            limit = limit.min(TRANSMIT_END - request.room());
            if request.has(source::COUNTED) {
                count += 1;
            }
        }
        if count >= MAX_INFLIGHT { None } else { Some(limit) }
    }

    /// Has a request claim `length` bytes below `limit`, in place of what it has, and stores its topic there. Returns false where there is no
    /// room.
    #[inline(never)]
    pub fn claim(&self, memory: &Memory, request: &Request, length: usize, limit: usize, topic: &[Cell<u8>]) -> bool {
        let start = self.gap(length, limit, request);
        if start == NO_GAP {
            return false;
        }
        request.start.set(start);
        request.length.set(length);
        memory.set_number(start + SLOT, topic.len());
        memory.put(start + TOPIC, topic);
        true
    }

    /// Takes another one; `None`: there is no place for it.
    #[inline(never)]
    pub fn add(&self, first: u8, reference: usize, sources: u8) -> Option<&Request> {
        let count = self.count.get();
        let request = self.requests.get(usize::from(count))?;
        request.first.set(first);
        self.renew(request);
        self.count.set(count + 1);
        request.state.set(State::Queued);
        request.reference.set(reference);
        request.source.set(sources);
        request.length.set(0);
        Some(request)
    }

    /// Gives one of them a packet identifier that nothing else uses [MQTT-2.3.1-2]; at QoS 0 a number that nothing else uses, counted down,
    /// so that the two do not meet.
    #[inline(never)]
    pub fn renew(&self, request: &Request) {
        let (counter, step) = if request.qos() == 0 { (&self.number, 0xffff) } else { (&self.identifier, 1) };
        loop {
            counter.set(counter.get() + step);
            let identifier = counter.get();
            if identifier != 0 && self.find(identifier).is_none() {
                return request.identifier.set(identifier);
            }
        }
    }

    /// Has one of them come after all others.
    #[inline(never)]
    pub fn postpone(&self, request: &Request) {
        let mut place = request;
        let mut requests = self.all();
        while requests.next().is_some_and(|next| !core::ptr::eq(next, request)) {}
        for next in requests {
            place.swap(next);
            place = next;
        }
    }

    /// Gives up one of them.
    #[inline(never)]
    pub fn remove(&self, request: &Request) {
        self.postpone(request);
        self.count.set(self.count.get() - 1);
    }

    /// The request whose turn it is: a PUBREL first, which needs no room, while the others may wait for what it frees.
    #[inline(never)]
    pub fn next(&self) -> Option<&Request> {
        let waiting = |request: &&Request| request.state.get() >= State::Copying && request.state.get() < State::Unreleased;
        self.all().find(|request| request.state.get() == State::Unreleased).or_else(|| self.all().find(waiting))
    }

    /// Where `length` bytes below `limit` are claimed by nothing but perhaps `but`; [`NO_GAP`]: nowhere.
    fn gap(&self, length: usize, limit: usize, but: *const Request) -> usize {
        let mut start = 0;
        'from: loop {
            let end = start + length;
            if end > limit {
                return NO_GAP;
            }
            for request in self.all() {
                if request.length.get() != 0 && request.start.get() < end && start < request.end() && !core::ptr::eq(request, but) {
                    start = request.end();
                    continue 'from;
                }
            }
            return start;
        }
    }

    /// The request with an identifier.
    #[inline(never)]
    pub fn find(&self, identifier: usize) -> Option<&Request> {
        self.all().find(|request| request.identifier.get() == identifier)
    }
}

/// There is no gap that is long enough.
const NO_GAP: usize = usize::MAX;
