//! What the firmware asks for. An answer below 0 is an [`Error`].

use super::Session;
use crate::config::{KEEPALIVE_TIME_SECONDS, MAX_TOPIC_LENGTH};
use crate::error::Error;
use crate::memory::TRANSMIT_END;
use crate::outbox::{NO_GAP, OVERHEAD, PAYLOAD_ROOM, PUBLICATIONS, State, TOPIC_ROOM, source};
use crate::packet::{self, LONGEST_REMAINING_LENGTH, TOPIC, first_byte};
use crate::session::sending::{NOTHING, SEARCH, SUBSCRIPTION};
use crate::subscriptions::flag;
use core::cell::Cell;

/// What the client may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
#[repr(u8)]
pub enum Phase {
    /// Nothing: there is no platform.
    Unprepared,
    /// There is no connection and none is wanted.
    Closed,
    /// A connection is wanted, but nothing has been sent.
    Starting,
    /// CONNECT has gone out, or did before the link was lost: requests are accepted.
    Open,
    /// The connection is to end.
    Disconnecting,
}

/// How to connect.
#[repr(C)]
pub struct Connection {
    /// The flags of the CONNECT packet.
    pub flags: Cell<u8>,
    /// MQTT 3.1.
    pub version_3_1: Cell<bool>,
    /// Bytes of `address`.
    pub address_length: Cell<u8>,
    /// The broker: 4 or 16 bytes are used, or none where the platform knows it.
    pub address: [Cell<u8>; 16],
}

impl Connection {
    pub(super) const fn new() -> Self {
        Self {
            flags: Cell::new(0),
            version_3_1: Cell::new(false),
            address_length: Cell::new(0),
            address: [const { Cell::new(0) }; 16],
        }
    }
}

/// A keep-alive time that stands for none.
pub const NO_KEEP_ALIVE: u16 = 0xffff;
const RESPONSE_SECONDS: u16 = 15;

/// What the firmware may choose for all its connections.
#[derive(Clone)]
pub struct Options {
    /// The broker's port; 0: the default.
    pub port: Cell<u16>,
    /// Seconds; 0: the default; [`NO_KEEP_ALIVE`]: none.
    pub keep_alive: Cell<u16>,
    /// Seconds that the broker has for an answer; 0: the default.
    pub response: Cell<u16>,
    /// Seconds that bound the first wait for a new attempt; 0: there is none.
    pub reconnect_first: Cell<u16>,
    /// Seconds that bound every wait; 0: as the first.
    pub reconnect_longest: Cell<u16>,
}

impl Options {
    /// The default for everything.
    pub const fn new() -> Self {
        Self {
            port: Cell::new(0),
            keep_alive: Cell::new(0),
            response: Cell::new(0),
            reconnect_first: Cell::new(0),
            reconnect_longest: Cell::new(0),
        }
    }

    /// Seconds for CONNECT; 0: none.
    pub fn keep_alive(&self) -> u16 {
        match self.keep_alive.get() {
            0 => KEEPALIVE_TIME_SECONDS as u16,
            NO_KEEP_ALIVE => 0,
            seconds => seconds,
        }
    }

    /// Milliseconds that the broker has for an answer.
    pub fn response(&self) -> u32 {
        let seconds = self.response.get();
        u32::from(if seconds == 0 { RESPONSE_SECONDS } else { seconds }) * 1000
    }
}

/// A request to publish.
pub struct Publish<'a> {
    /// A valid name; empty: that of the subscription, or the one that the callback will give.
    pub topic: &'a [Cell<u8>],
    /// The subscription it belongs to, or 0.
    pub reference: u8,
    /// 0 to 2; [`SUBSCRIPTION_QOS`]: the subscription's, or 2.
    pub qos: u8,
    /// Whether the broker is to retain it.
    pub retain: bool,
    /// Where the payload comes from, a bit of [`source`]; 0: the caller copies it now.
    pub source: u8,
    /// Bytes of the payload, where it is not asked for at once.
    pub total: u32,
}

/// The QoS of the subscription.
pub const SUBSCRIPTION_QOS: u8 = 0x0f;

impl Session {
    /// Whether something may be asked for that is only possible between connections: 0, or an error.
    pub fn between_connections(&self) -> i32 {
        match self.phase.get() {
            Phase::Unprepared => Error::NotReady as i32,
            Phase::Closed => 0,
            _ => Error::InUse as i32,
        }
    }

    /// There is a platform.
    pub fn prepare(&self) {
        self.phase.set(Phase::Closed);
    }

    /// The options, which may be changed between connections.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Asks for the connection that [`Session::connection`] describes.
    pub fn connect(&self) {
        self.phase.set(Phase::Starting);
    }

    /// Asks for the end of the connection.
    pub fn disconnect(&self) -> i32 {
        match self.phase.get() {
            Phase::Starting | Phase::Open => {
                self.phase.set(Phase::Disconnecting);
                0
            }
            _ => Error::NotReady as i32,
        }
    }

    /// Whether requests are accepted.
    pub fn is_open(&self) -> bool {
        self.phase.get() == Phase::Open
    }

    /// Another request waits for its turn, which is told by the order number returned.
    #[inline(never)]
    pub(super) fn wait_turn(&self, index: u8) -> u16 {
        self.next.set(if self.next.get() == NOTHING { index } else { SEARCH });
        let next = self.order.get().wrapping_add(1);
        self.order.set(if next == 0 { 1 } else { next });
        self.order.get()
    }

    /// Whether there is a subscription with a reference: 0, or an error.
    #[inline(never)]
    pub fn check_reference(&self, reference: u8) -> i32 {
        match self.subscriptions.get(reference) {
            _ if self.phase.get() == Phase::Unprepared => Error::NotReady as i32,
            None => Error::InvalidSubscription as i32,
            Some(entry) if entry.flags.get() == 0 => Error::NoSubscriptionEntry as i32,
            _ => 0,
        }
    }

    /// The QoS of a subscription that there is, the one that was granted, and its stored topic.
    pub fn subscription(&self, reference: u8) -> (u8, u8, &[Cell<u8>]) {
        self.subscriptions.get(reference).map_or((0, 0, &[]), |entry| (entry.qos.get() & 3, entry.qos.get() >> 4, entry.topic()))
    }

    /// Asks for a subscription to `topic`, a valid filter; empty: to the topic that the callback will give. Returns its
    /// reference.
    pub fn subscribe(&self, topic: &[Cell<u8>], qos: u8) -> i32 {
        if !self.is_open() {
            return Error::NotReady as i32;
        }
        if topic.len() > MAX_TOPIC_LENGTH {
            return Error::TopicTooLong as i32;
        }
        let mut reference = 0;
        for entry in &self.subscriptions.0 {
            reference += 1;
            if entry.flags.get() == 0 {
                entry.take(topic, qos.min(2), self.wait_turn(SUBSCRIPTION | reference));
                return reference.into();
            }
        }
        Error::NoSubscriptionEntry as i32
    }

    /// Asks for the end of a subscription.
    #[inline(never)]
    pub fn unsubscribe(&self, reference: u8) -> i32 {
        if !self.is_open() {
            return Error::NotReady as i32;
        }
        match self.subscriptions.get(reference) {
            None => Error::InvalidSubscription as i32,
            Some(entry) if entry.flags.get() == 0 || entry.has(flag::UNSUBSCRIBE | flag::UNSUBACK) => Error::NoSubscriptionEntry as i32,
            Some(entry) => {
                entry.flags.set(entry.flags.get() | flag::UNSUBSCRIBE);
                entry.unsubscribe_order.set(self.wait_turn(SUBSCRIPTION | reference));
                0
            }
        }
    }

    /// The most bytes that one of the requests waiting will have to claim at its turn. They are left to them: what comes
    /// later must not take them, since it is also sent later.
    fn promised(&self) -> usize {
        let mut promised = 0;
        for entry in &self.subscriptions.0 {
            if entry.has(flag::SUBSCRIBE | flag::UNSUBSCRIBE) {
                promised = promised.max(OVERHEAD + topic_room(entry.topic()));
            }
        }
        for entry in &self.outbox.0 {
            if entry.state.get() == State::Queued && entry.has(source::PAYLOAD_ASKED) {
                let topic = if entry.has(source::TOPIC_ASKED) { TOPIC_ROOM } else { entry.length.get().max(MAX_TOPIC_LENGTH) };
                promised = promised.max(OVERHEAD + topic + PAYLOAD_ROOM);
            }
        }
        promised
    }

    /// Asks for a publication. Returns the index of its entry in the low byte, and above it where its range ends. A payload that
    /// the caller copies has to be put at that end, and then [`Session::copied`] called.
    pub fn publish(&self, publish: &Publish) -> i32 {
        if !self.is_open() {
            return Error::NotReady as i32;
        }
        let mut reference = publish.reference;
        let mut sources = publish.source;
        let mut qos = 2;
        let mut topic = publish.topic;
        if topic.is_empty() {
            sources |= source::TOPIC_ASKED;
        }
        if reference != 0 {
            match self.subscriptions.get(reference) {
                None => return Error::InvalidSubscription as i32,
                Some(entry) if entry.flags.get() == 0 => {
                    if topic.is_empty() {
                        return Error::MissingTopic as i32;
                    }
                    reference = 0;
                }
                Some(entry) => {
                    qos = entry.qos.get() & 3;
                    if topic.is_empty() {
                        topic = entry.topic();
                        if topic.iter().any(|byte| matches!(byte.get(), b'+' | b'#')) {
                            return Error::InvalidTopic as i32;
                        }
                        if !topic.is_empty() {
                            sources ^= source::TOPIC_ASKED | source::SUBSCRIPTION;
                        }
                    }
                }
            }
        }
        if publish.qos != SUBSCRIPTION_QOS {
            qos = publish.qos;
        }
        let first = first_byte::PUBLISH | qos << 1 | u8::from(publish.retain);

        let before_payload = TOPIC + packet::identifier_length(first) + topic_room(topic);
        let mut error = Error::TopicTooLong;
        let mut room = PAYLOAD_ROOM;
        if sources & source::PAYLOAD_ASKED == 0 {
            if publish.total >= LONGEST_PAYLOAD {
                return Error::MessageTooLong as i32;
            }
            if sources & source::STREAMED != 0 {
                room = room.min(publish.total as usize);
            } else {
                room = publish.total as usize;
                error = Error::MessageTooLong;
            }
        }
        if before_payload > TRANSMIT_END {
            return Error::TopicTooLong as i32;
        }
        if before_payload + room > TRANSMIT_END {
            return error as i32;
        }
        let mut length = before_payload + room;
        if sources & source::PAYLOAD_ASKED != 0 {
            // Its room is claimed at its turn; until then only a topic that nobody else keeps needs a place.
            length = if sources & (source::TOPIC_ASKED | source::SUBSCRIPTION) == 0 { before_payload } else { 0 };
        }
        let mut index = 0;
        for entry in &self.outbox.0 {
            if index >= PUBLICATIONS && entry.state.get() == State::Free {
                if length != 0 {
                    let promised = if self.next.get() == NOTHING { 0 } else { self.promised() };
                    let start = self.outbox.gap(length, TRANSMIT_END.saturating_sub(promised), entry);
                    if start == NO_GAP {
                        break;
                    }
                    entry.start.set(start);
                    if sources & source::TOPIC_ASKED == 0 {
                        entry.store_topic(&self.memory, topic);
                        sources &= !source::SUBSCRIPTION;
                    }
                    if sources & source::STREAMED != 0 {
                        self.memory.set_number(start + 1, (publish.total >> 16) as u16);
                        self.memory.set_number(start + 3, publish.total as u16);
                    }
                }
                let order = self.wait_turn(index);
                entry.order.set(order);
                entry.handle.set(if sources & source::PAYLOAD_ASKED == 0 { order } else { 0 });
                entry.first.set(first);
                entry.reference.set(reference);
                entry.source.set(sources);
                entry.identifier.set(0);
                entry.length.set(length);
                let copied = sources & (source::PAYLOAD_ASKED | source::STREAMED) == 0;
                entry.state.set(if copied { State::Copying } else { State::Queued });
                return (entry.end() << 8) as i32 | i32::from(index);
            }
            index += 1;
        }
        Error::Busy as i32
    }

    /// The payload of a publication is in place. Returns its handle.
    pub fn copied(&self, index: u8) -> i32 {
        let entry = self.outbox.entry(index);
        if self.is_open() {
            entry.state.set(State::Queued);
            return entry.handle.get().into();
        }
        entry.release();
        self.next.set(SEARCH);
        Error::NotReady as i32
    }
}

/// The room that a topic needs; empty: it will be asked for.
fn topic_room(topic: &[Cell<u8>]) -> usize {
    if topic.is_empty() { TOPIC_ROOM } else { topic.len() }
}

/// Payloads from this length on might not fit a packet behind the longest topic.
const LONGEST_PAYLOAD: u32 = LONGEST_REMAINING_LENGTH - TRANSMIT_END as u32;
