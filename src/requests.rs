//! What the firmware asks for, and the tables of what the session has not done yet.
//!
//! Requests are sent in the order accepted: each takes the next order number, in a circle without 0, of which the lower
//! half from any number counts as later.

use crate::config::{KEEPALIVE_TIME_SECONDS, MAX_SUBSCRIPTIONS, MAX_TOPIC_LENGTH};
use crate::error::Error;
use crate::memory::{Memory, TRANSMIT_END};
use crate::outbox::{CONTROL, Entry, NONE, OVERHEAD, Outbox, PAYLOAD_ROOM, PUBLICATIONS, Payload, State, TOPIC_ROOM, Topic};
use crate::packet::{LONGEST_REMAINING_LENGTH, PublishFlags, TOPIC, first_byte};
use crate::subscriptions::{Subscription, Subscriptions, flag};
use core::cell::Cell;

/// What the client may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
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
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    /// The broker: 4 or 16 bytes are used, or none where the platform knows it.
    pub address: [u8; 16],
    /// Bytes of `address`.
    pub address_length: u8,
    /// The flags of the CONNECT packet.
    pub flags: u8,
    /// MQTT 3.1.
    pub version_3_1: bool,
}

/// A keep-alive time that stands for none.
pub const NO_KEEP_ALIVE: u16 = 0xffff;
const RESPONSE_SECONDS: u16 = 15;

/// What the firmware may choose for all its connections.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The broker's port; 0: the default.
    pub port: u16,
    /// Seconds; 0: the default; [`NO_KEEP_ALIVE`]: none.
    pub keep_alive: u16,
    /// Seconds that the broker has for an answer; 0: the default.
    pub response: u16,
    /// Seconds that bound the first wait for a new attempt; 0: there is none.
    pub reconnect_first: u16,
    /// Seconds that bound every wait; 0: as the first.
    pub reconnect_longest: u16,
}

impl Options {
    /// Seconds for CONNECT; 0: none.
    pub fn keep_alive(&self) -> u16 {
        match self.keep_alive {
            0 => KEEPALIVE_TIME_SECONDS as u16,
            NO_KEEP_ALIVE => 0,
            seconds => seconds,
        }
    }

    /// Milliseconds that the broker has for an answer.
    pub fn response(&self) -> u32 {
        u32::from(if self.response == 0 { RESPONSE_SECONDS } else { self.response }) * 1000
    }
}

/// A payload that comes with a request to publish.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// It will be asked for.
    Asked,
    /// The caller copies this many bytes now.
    Copied(u16),
    /// It will be asked for piece by piece, this many bytes.
    Streamed(u32),
}

/// A request to publish.
#[derive(Clone, Copy, Debug)]
pub struct Publish<'a> {
    /// The subscription it belongs to, or 0.
    pub reference: u8,
    /// A valid name; `None`: that of the subscription, or the one that the callback will give.
    pub topic: Option<&'a [Cell<u8>]>,
    /// 0 to 2; `None`: the subscription's, or 2.
    pub qos: Option<u8>,
    /// Whether the broker is to retain it.
    pub retain: bool,
    /// Where the payload comes from.
    pub source: Source,
}

/// The tables, and what is wanted of the connection.
#[repr(C)]
pub struct Requests {
    /// What may be asked for now.
    pub phase: Phase,
    /// Something may wait for its turn.
    pub waiting: bool,
    order: u16,
    /// The packet identifier given out last; 0: none yet.
    pub identifier: u16,
    /// What was chosen for the connection.
    pub options: Options,
    /// How to connect.
    pub connection: Connection,
    /// The table of publications.
    pub outbox: Outbox,
    /// The table of subscriptions.
    pub subscriptions: Subscriptions,
}

fn is_before(order: u16, other: u16) -> bool {
    order.wrapping_sub(other) > 0x7fff
}

impl Requests {
    /// No connection.
    pub const fn new() -> Self {
        Self {
            phase: Phase::Closed,
            connection: Connection { address: [0; 16], address_length: 0, flags: 0, version_3_1: false },
            options: Options { port: 0, keep_alive: 0, response: 0, reconnect_first: 0, reconnect_longest: 0 },
            subscriptions: Subscriptions::new(),
            outbox: Outbox::new(),
            order: 0,
            identifier: 0,
            waiting: false,
        }
    }

    /// Chooses for the connections that follow.
    pub fn set_options(&mut self, options: Options) -> Result<(), Error> {
        if self.phase != Phase::Closed {
            return Err(Error::InUse);
        }
        self.options = options;
        Ok(())
    }

    /// Asks for a connection.
    pub fn connect(&mut self, connection: Connection) -> Result<(), Error> {
        if self.phase != Phase::Closed {
            return Err(Error::InUse);
        }
        self.connection = connection;
        self.phase = Phase::Starting;
        Ok(())
    }

    /// Asks for the end of the connection.
    pub fn disconnect(&mut self) -> Result<(), Error> {
        if matches!(self.phase, Phase::Closed | Phase::Disconnecting) {
            return Err(Error::NotReady);
        }
        self.phase = Phase::Disconnecting;
        Ok(())
    }

    fn accept(&self) -> Result<(), Error> {
        if self.phase == Phase::Open { Ok(()) } else { Err(Error::NotReady) }
    }

    /// The next order number.
    pub fn next_order(&mut self) -> u16 {
        self.order = self.order.checked_add(1).unwrap_or(1);
        self.order
    }

    /// The subscription of a reference.
    pub fn subscription(&mut self, reference: u8) -> Result<&mut Subscription, Error> {
        if !(1..=MAX_SUBSCRIPTIONS).contains(&usize::from(reference)) {
            return Err(Error::InvalidSubscription);
        }
        self.subscriptions.get(reference).ok_or(Error::NoSubscriptionEntry)
    }

    /// Asks for a subscription to `topic`, a valid filter; `None`: to the topic that the callback will give. Returns its
    /// reference.
    pub fn subscribe(&mut self, topic: Option<&[Cell<u8>]>, qos: u8) -> Result<u16, Error> {
        self.accept()?;
        if topic.unwrap_or_default().len() > MAX_TOPIC_LENGTH {
            return Err(Error::TopicTooLong);
        }
        let order = self.next_order();
        let (reference, entry) = self.subscriptions.lowest_free().ok_or(Error::NoSubscriptionEntry)?;
        entry.take(topic, qos.min(2), order);
        self.waiting = true;
        Ok(reference.into())
    }

    /// Asks for the end of a subscription.
    pub fn unsubscribe(&mut self, reference: u8) -> Result<(), Error> {
        self.accept()?;
        let order = self.next_order();
        let entry = self.subscription(reference)?;
        if entry.flags & (flag::UNSUBSCRIBE | flag::UNSUBACK) != 0 {
            return Err(Error::NoSubscriptionEntry);
        }
        entry.flags |= flag::UNSUBSCRIBE;
        entry.unsubscribe_order = order;
        self.waiting = true;
        Ok(())
    }

    /// The most bytes that one of the requests waiting will have to claim at its turn. They are left to them: what comes
    /// later must not take them, since it is also sent later.
    fn promised(&self) -> u16 {
        let mut promised = 0;
        if self.waiting {
            for entry in &self.subscriptions.entries {
                if entry.flags & (flag::SUBSCRIBE | flag::UNSUBSCRIBE) != 0 {
                    promised = promised.max(OVERHEAD + entry.topic().map_or(TOPIC_ROOM, |topic| topic.len() as u16));
                }
            }
            for entry in &self.outbox.entries {
                if entry.state == State::Queued && entry.payload == Payload::Asked {
                    let before_payload = match entry.topic {
                        Topic::Subscription => OVERHEAD + MAX_TOPIC_LENGTH as u16,
                        Topic::Stored => entry.length + 2,
                        Topic::Asked => OVERHEAD + TOPIC_ROOM,
                    };
                    promised = promised.max(before_payload + PAYLOAD_ROOM);
                }
            }
        }
        promised
    }

    /// Asks for a publication, and returns the index of its entry. A copied payload has to be put at the end of the entry's
    /// range, and then [`Requests::copied`] called.
    pub fn publish(&mut self, memory: &Memory, publish: &Publish) -> Result<u8, Error> {
        self.accept()?;
        let mut entry = Entry { reference: publish.reference, topic: Topic::Asked, ..Entry::FREE };
        let mut qos = 2;
        let mut topic = publish.topic;
        if publish.reference != 0 {
            match (self.subscription(publish.reference), topic) {
                (Ok(subscription), _) => {
                    qos = subscription.qos;
                    if topic.is_none() && !subscription.has(flag::TOPIC_ASKED) {
                        entry.topic = Topic::Subscription;
                    }
                }
                (Err(Error::NoSubscriptionEntry), Some(_)) => entry.reference = 0,
                (Err(Error::NoSubscriptionEntry), None) => return Err(Error::MissingTopic),
                (Err(error), _) => return Err(error),
            }
        }
        entry.first = first_byte::PUBLISH | publish.qos.unwrap_or(qos) << 1 | u8::from(publish.retain);
        let limit = TRANSMIT_END.saturating_sub(self.promised());
        let order = self.next_order();
        if entry.topic == Topic::Subscription {
            topic = self.subscriptions.get(entry.reference).and_then(|subscription| subscription.topic());
            if topic.unwrap_or_default().iter().any(|byte| matches!(byte.get(), b'+' | b'#')) {
                return Err(Error::InvalidTopic);
            }
        } else if topic.is_some() {
            entry.topic = Topic::Stored;
        }

        let topic_length = topic.map_or(usize::from(TOPIC_ROOM), <[_]>::len);
        let before_payload = usize::from(TOPIC + entry.flags().identifier_length()) + topic_length;
        let (room, error) = match publish.source {
            Source::Asked => (PAYLOAD_ROOM, Error::TopicTooLong),
            Source::Copied(length) => (length, Error::MessageTooLong),
            Source::Streamed(LONGEST_PAYLOAD..) => return Err(Error::MessageTooLong),
            Source::Streamed(total) => (total.min(PAYLOAD_ROOM.into()) as u16, Error::TopicTooLong),
        };
        if before_payload + usize::from(room) > usize::from(TRANSMIT_END) {
            return Err(if before_payload > usize::from(TRANSMIT_END) { Error::TopicTooLong } else { error });
        }
        entry.length = before_payload as u16 + room;
        entry.state = State::Queued;
        match publish.source {
            Source::Asked => {
                // Its room is claimed at its turn; until then only a topic that nobody else keeps needs a place.
                entry.payload = Payload::Asked;
                entry.length = if entry.topic == Topic::Stored { before_payload as u16 } else { 0 };
            }
            Source::Copied(_) => {
                entry.payload = Payload::Copied;
                entry.state = State::Copying;
            }
            Source::Streamed(_) => entry.payload = Payload::Streamed,
        }
        if entry.length != 0 {
            entry.start = self.outbox.gap(entry.length, limit, NONE).ok_or(Error::Busy)?;
        }
        let (index, free) = (0..).zip(&mut self.outbox.entries).skip(PUBLICATIONS.into()).find(|(_, entry)| entry.state == State::Free).ok_or(Error::Busy)?;
        entry.order = order;
        if entry.length != 0 {
            if let Some(topic) = topic {
                entry.store_topic(memory, topic);
            }
            if let Source::Streamed(total) = publish.source {
                memory.set_number(entry.start + 1, (total >> 16) as u16);
                memory.set_number(entry.start + 3, total as u16);
            }
        }
        if entry.payload != Payload::Asked {
            entry.handle = order;
        }
        *free = entry;
        self.waiting = true;
        Ok(index)
    }

    /// The payload of a publication is in place.
    pub fn copied(&mut self, index: u8) -> Result<(), Error> {
        let accepted = self.accept();
        let entry = self.outbox.entry(index);
        entry.state = State::Queued;
        if accepted.is_err() {
            entry.release();
        }
        accepted
    }

    /// The index of the entry whose turn it is. A SUBSCRIBE or UNSUBSCRIBE is put into [`CONTROL`].
    pub fn next(&mut self) -> Option<u8> {
        let mut first: Option<(u16, u8)> = None;
        let mut consider = |order, index| {
            if first.is_none_or(|(earliest, _)| is_before(order, earliest)) {
                first = Some((order, index));
            }
        };
        for (index, entry) in (0..).zip(&self.outbox.entries) {
            if entry.state == State::Unreleased {
                consider(entry.order, index);
            }
        }
        if let Some((_, index)) = first {
            return Some(index); // needs no room, and what waits for room may wait for what it frees
        }
        let mut consider = |order, index| {
            if first.is_none_or(|(earliest, _)| is_before(order, earliest)) {
                first = Some((order, index));
            }
        };
        for (index, entry) in (0..).zip(&self.outbox.entries) {
            if entry.state >= State::Copying {
                consider(entry.order, index);
            }
        }
        for (reference, entry) in (1..).zip(&self.subscriptions.entries) {
            if entry.flags & (flag::SUBSCRIBE | flag::UNSUBSCRIBE) != 0 {
                let order = if entry.has(flag::SUBSCRIBE) { entry.order } else { entry.unsubscribe_order };
                consider(order, reference | SUBSCRIPTION);
            }
        }
        let Some((_, index)) = first else {
            self.waiting = false;
            return None;
        };
        if index & SUBSCRIPTION == 0 {
            return (self.outbox.entry(index).state != State::Copying).then_some(index);
        }
        let reference = index & !SUBSCRIPTION;
        let subscription = self.subscriptions.get(reference)?;
        if subscription.has(flag::SUBACK) {
            return None; // an UNSUBSCRIBE waits for it
        }
        let first = if subscription.has(flag::SUBSCRIBE) { first_byte::SUBSCRIBE } else { first_byte::UNSUBSCRIBE };
        let topic = if subscription.has(flag::TOPIC_ASKED) { Topic::Asked } else { Topic::Subscription };
        *self.outbox.entry(CONTROL) = Entry { first, reference, topic, ..Entry::FREE };
        Some(CONTROL)
    }

    /// Claims the room that an entry still needs, and puts a topic in it that is kept elsewhere. `Ok(false)`: there is no
    /// room now. `Err`: the subscription whose topic was meant is gone.
    pub fn claim(&mut self, memory: &Memory, index: u8) -> Result<bool, Error> {
        let Entry { reference, topic, payload, start: place, .. } = *self.outbox.entry(index);
        let room = match payload {
            Payload::Copied | Payload::Streamed => return Ok(true),
            Payload::None => 0,
            Payload::Asked => PAYLOAD_ROOM,
        };
        let topic_length = match topic {
            Topic::Stored => memory.number(place + TOPIC - 2),
            Topic::Asked => TOPIC_ROOM,
            Topic::Subscription => self.subscription(reference)?.topic().map_or(0, |topic| topic.len() as u16),
        };
        let length = OVERHEAD + topic_length + room;
        let Some(start) = self.outbox.gap(length, TRANSMIT_END, index) else { return Ok(false) };
        let stored = self.subscriptions.get(reference).and_then(|subscription| subscription.topic());
        let entry = self.outbox.entry(index);
        (entry.start, entry.length) = (start, length);
        match topic {
            Topic::Stored => memory.shift(place, start, TOPIC + topic_length),
            Topic::Subscription => entry.store_topic(memory, stored.unwrap_or_default()),
            Topic::Asked => {}
        }
        Ok(true)
    }

    /// A packet identifier that nothing else uses [MQTT-2.3.1-2].
    pub fn next_identifier(&mut self) -> u16 {
        loop {
            self.identifier = self.identifier.checked_add(1).unwrap_or(1);
            let identifier = self.identifier;
            let awaited = |entry: &Subscription| entry.flags & (flag::SUBACK | flag::UNSUBACK) != 0 && entry.identifier == identifier;
            if self.find(identifier).is_none() && !self.subscriptions.entries.iter().any(awaited) {
                return identifier;
            }
        }
    }

    /// The index of the publication that an acknowledgement with `identifier` is for.
    pub fn find(&self, identifier: u16) -> Option<u8> {
        let is_it = |entry: &Entry| entry.identifier == identifier && entry.state > State::Failed;
        (0..).zip(&self.outbox.entries).find(|(_, entry)| is_it(entry)).map(|(index, _)| index)
    }

    /// Has a QoS 2 publication that has done its round sent once more.
    pub fn repeat(&mut self, index: u8) {
        let order = self.next_order();
        let entry = self.outbox.entry(index);
        entry.state = State::Queued;
        entry.order = order;
        entry.identifier = 0;
        entry.first &= !PublishFlags::DUPLICATE;
        self.waiting = true;
    }

    /// Has the publications fail of which `fails` says so.
    pub fn fail(&mut self, fails: impl Fn(&Entry) -> bool) {
        for entry in &mut self.outbox.entries {
            if !matches!(entry.state, State::Free | State::Copying) && fails(entry) {
                entry.state = State::Failed;
            }
        }
    }

    /// Takes the earliest publication out of the table that is to be told as failed.
    pub fn take_failed(&mut self) -> Option<Entry> {
        let mut earliest: Option<&mut Entry> = None;
        for entry in &mut self.outbox.entries {
            if entry.state == State::Failed && earliest.as_ref().is_none_or(|earliest| is_before(entry.order, earliest.order)) {
                earliest = Some(entry);
            }
        }
        let entry = earliest?;
        let failed = *entry;
        entry.release();
        Some(failed)
    }

    /// Takes back what was under way on a link: it will be done again, as far as it does not fail.
    pub fn link_lost(&mut self, memory: &Memory) {
        self.outbox.entry(CONTROL).release();
        for entry in &mut self.outbox.entries {
            if entry.state == State::Queued && entry.payload == Payload::Asked {
                match entry.topic {
                    Topic::Stored => entry.keep_topic(memory),
                    Topic::Subscription | Topic::Asked => entry.length = 0,
                }
            }
        }
        // Behind all that has its room already: otherwise they could wait for each other.
        let order = self.next_order();
        for entry in &mut self.subscriptions.entries {
            if entry.has(flag::SUBACK) {
                entry.order = order;
            }
            if entry.has(flag::UNSUBACK) {
                entry.unsubscribe_order = order;
            }
            // Each awaited flag stands one above that of the packet which it answers.
            let again = (entry.flags & (flag::SUBACK | flag::UNSUBACK)) >> 1;
            entry.flags = entry.flags & !(flag::SUBACK | flag::UNSUBACK) | again;
        }
        self.waiting = true;
    }
}

/// Payloads from this length on might not fit a packet behind the longest topic.
const LONGEST_PAYLOAD: u32 = LONGEST_REMAINING_LENGTH - TRANSMIT_END as u32;
/// In an index, a subscription's reference.
const SUBSCRIPTION: u8 = 0x80;
