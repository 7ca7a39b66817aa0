//! What the firmware asks for. An answer below 0 is an [`Error`].

use super::Session;
use crate::config::{KEEPALIVE_TIME_SECONDS, MAX_TOPIC_LENGTH, STREAM};
use crate::error::Error;
use crate::memory::TRANSMIT_END;
use crate::outbox::{PAYLOAD_ROOM, Request, State, TOPIC_ROOM, source};
use crate::packet::{self, LONGEST_REMAINING_LENGTH, TOPIC, first_byte};
use crate::subscriptions::Subscription;
use crate::topic::{self, Text};
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
    /// 0, or why the arguments are none.
    pub checked: i32,
    /// A valid name; empty: that of the subscription, or the one that the callback will give.
    pub topic: &'a [Cell<u8>],
    /// The subscription it belongs to, or 0.
    pub reference: usize,
    /// Above 2 it counts as 2; [`SUBSCRIPTION_QOS`]: the subscription's, or 2.
    pub qos: u8,
    /// Whether the broker is to retain it.
    pub retain: bool,
    /// Where the payload comes from, a bit of [`source`]; 0: the caller copies it now.
    pub source: u8,
    /// Bytes of the payload; where it is asked for at once, of its room.
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

    /// Asks for a connection, with these flags in CONNECT, and whether with MQTT 3.1.
    pub fn connect(&self, flags: u8, version_3_1: bool) {
        self.flags.set(flags);
        self.version_3_1.set(version_3_1);
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

    /// The subscription that there is with a reference.
    pub fn subscription(&self, reference: usize) -> Option<&Subscription> {
        self.subscriptions.used(reference)
    }

    /// Why there is no subscription with a reference.
    #[inline(never)]
    pub fn no_subscription(&self, reference: usize) -> Error {
        match self.subscriptions.get(reference) {
            _ if self.phase.get() == Phase::Unprepared => Error::NotReady,
            None => Error::InvalidSubscription,
            Some(_) => Error::NoSubscriptionEntry,
        }
    }

    /// Asks for a subscription to `topic`, a valid filter; empty: to the topic that the callback will give. `checked` is 0, or why
    /// the topic is none. Returns the reference.
    pub fn subscribe(&self, topic: &[Cell<u8>], qos: u8, checked: i32) -> i32 {
        if !self.is_open() {
            return Error::NotReady as i32;
        }
        if checked < 0 {
            return checked;
        }
        if topic.len() > MAX_TOPIC_LENGTH {
            return Error::TopicTooLong as i32;
        }
        let mut reference = 0;
        for subscription in &self.subscriptions.0 {
            reference += 1;
            if !subscription.is_used() {
                subscription.take(topic, qos.min(2));
                self.request_subscription(first_byte::SUBSCRIBE, reference, subscription, 0);
                return reference as i32;
            }
        }
        Error::NoSubscriptionEntry as i32
    }

    /// Adds a SUBSCRIBE or UNSUBSCRIBE.
    #[inline(never)]
    pub(super) fn request_subscription(&self, first: u8, reference: usize, subscription: &Subscription, sources: u8) {
        let sources = sources | source::PAYLOAD_ASKED | if subscription.topic().is_empty() { source::TOPIC_ASKED } else { source::SUBSCRIPTION };
        self.outbox.add(first, reference, sources);
    }

    /// The SUBSCRIBE or UNSUBSCRIBE that is under way for a subscription; the first, where it is both.
    #[inline(never)]
    pub(super) fn under_way(&self, reference: usize) -> Option<&Request> {
        self.outbox.all().find(|request| request.is_control() && request.reference.get() == reference)
    }

    /// Asks for the end of a subscription.
    pub fn unsubscribe(&self, reference: usize) -> i32 {
        if !self.is_open() {
            return Error::NotReady as i32;
        }
        match self.subscriptions.get(reference) {
            None => Error::InvalidSubscription as i32,
            Some(entry) if !entry.is_used() || entry.is_ending() => Error::NoSubscriptionEntry as i32,
            Some(entry) => {
                let mut sources = 0;
                if self.under_way(reference).is_some() {
                    if self.outbox.limit().is_none() {
                        return Error::Busy as i32;
                    }
                    sources = source::COUNTED;
                }
                entry.set_ending();
                self.request_subscription(first_byte::UNSUBSCRIBE, reference, entry, sources);
                0
            }
        }
    }

    /// Asks for a publication. Returns its handle in the lower half, and above it where its range ends. A payload that the caller
    /// copies has to be put at that end, and then [`Session::copied`] called.
    pub fn publish(&self, publish: &Publish) -> i32 {
        if !self.is_open() {
            return Error::NotReady as i32;
        }
        if publish.checked < 0 {
            return publish.checked;
        }
        let mut reference = publish.reference;
        let mut qos = 2;
        let mut topic = publish.topic;
        if reference != 0 {
            let Some(subscription) = self.subscriptions.get(reference) else { return Error::InvalidSubscription as i32 };
            if subscription.is_used() {
                qos = subscription.qos();
                if topic.is_empty() {
                    topic = subscription.topic();
                    if !topic.is_empty() && !topic::is_valid(topic, Text::Name) {
                        return Error::InvalidTopic as i32;
                    }
                }
            } else {
                if topic.is_empty() {
                    return Error::MissingTopic as i32;
                }
                reference = 0;
            }
        }
        if publish.qos != SUBSCRIPTION_QOS {
            qos = publish.qos.min(2);
        }
        let first = first_byte::PUBLISH | qos << 1 | u8::from(publish.retain);

        let mut sources = publish.source | source::COUNTED;
        let mut topic_room = topic.len();
        if topic.is_empty() {
            sources |= source::TOPIC_ASKED;
            topic_room = TOPIC_ROOM;
        } else if publish.topic.is_empty() && sources & source::PAYLOAD_ASKED != 0 {
            sources |= source::SUBSCRIPTION;
        }
        let before_payload = TOPIC + packet::identifier_length(first) + topic_room;
        if publish.total >= LONGEST_PAYLOAD {
            return Error::MessageTooLong as i32;
        }
        let mut room = publish.total as usize;
        let mut error = Error::TopicTooLong;
        if publish.source != 0 {
            room = room.min(PAYLOAD_ROOM);
        } else if before_payload <= TRANSMIT_END {
            error = Error::MessageTooLong;
        }
        let mut length = before_payload + room;
        if length > TRANSMIT_END {
            return error as i32;
        }
        if publish.source == source::PAYLOAD_ASKED {
            // The payload's room is claimed at its turn; so is that of a topic that is not there yet.
            length = if publish.topic.is_empty() { 0 } else { before_payload };
        }
        let Some(limit) = self.outbox.limit() else { return Error::Busy as i32 };
        let Some(request) = self.outbox.add(first, reference, sources) else { return Error::Busy as i32 };
        if length != 0 && !self.outbox.claim(&self.memory, request, length, limit, topic) {
            self.outbox.remove(request);
            return Error::Busy as i32;
        }
        let start = request.start.get();
        if sources & (source::TOPIC_ASKED | source::PAYLOAD_ASKED) == 0 {
            self.build(request, start + before_payload, publish.total);
        } else if STREAM && publish.source == source::STREAMED {
            self.memory.set_number(start + 1, publish.total as usize >> 16);
            self.memory.set_number(start + 3, publish.total as usize);
        }
        if publish.source == 0 {
            request.state.set(State::Copying);
        }
        (request.end() << 16) as i32 | request.handle() as i32
    }

    /// The payload of the publication with a handle is in place. Returns the handle.
    pub fn copied(&self, handle: usize) -> i32 {
        let Some(request) = self.outbox.find(handle) else { return Error::NotReady as i32 };
        if !self.is_open() {
            request.state.set(State::Done);
            return Error::NotReady as i32;
        }
        request.state.set(if request.has(source::TOPIC_ASKED) { State::Queued } else { State::Built });
        handle as i32
    }
}

/// Payloads from this length on might not fit a packet behind the longest topic.
const LONGEST_PAYLOAD: u32 = LONGEST_REMAINING_LENGTH - TRANSMIT_END as u32;
