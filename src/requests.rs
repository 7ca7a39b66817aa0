//! What the firmware has asked for and the session has not done yet. Calls of the C border change it at any time, so it
//! is only touched inside the critical section; nothing here takes longer than the tables are long.
//!
//! Requests are sent in the order accepted: each takes the next order number, in a circle without 0, of which the lower
//! half from any number counts as later.

use crate::config::{KEEPALIVE_TIME_SECONDS, MAX_TOPIC_LENGTH};
use crate::error::Error;
use crate::outbox::{CONTROL, Entry, LENGTH, Memory, OVERHEAD, Outbox, PAYLOAD_ROOM, Payload, State, TOPIC_ROOM, Topic};
use crate::packet::{PublishFlags, TOPIC, first_byte};
use crate::subscriptions::{Subscriptions, flag};
use crate::topic;
use crate::wire::{LONGEST_REMAINING_LENGTH, Writer};

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
    /// Seconds; 0: the default; [`NO_KEEP_ALIVE`]: none.
    pub keep_alive: u16,
    /// Seconds that the broker has for an answer; 0: the default.
    pub response: u16,
    /// Seconds that bound the first wait for a new attempt; 0: there is none.
    pub reconnect_first: u16,
    /// Seconds that bound every wait.
    pub reconnect_longest: u16,
}

impl Options {
    /// With the defaults for what was left 0.
    pub fn resolved(self) -> Self {
        let keep_alive = match self.keep_alive {
            0 => KEEPALIVE_TIME_SECONDS as u16,
            NO_KEEP_ALIVE => 0,
            seconds => seconds,
        };
        let response = if self.response == 0 { RESPONSE_SECONDS } else { self.response };
        Self { keep_alive, response, reconnect_longest: self.reconnect_longest.max(self.reconnect_first), ..self }
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

/// How the session gets at the requests, and the transmit buffer beside them.
pub trait Guard {
    /// Runs `change` inside the critical section. It must not call `with` itself.
    fn with<R>(&self, change: impl FnOnce(&mut Requests) -> R) -> R;

    /// The transmit buffer.
    fn memory(&self) -> &Memory;
}

/// A request to publish.
#[derive(Clone, Copy, Debug)]
pub struct Publish<'a> {
    /// The subscription it belongs to, or 0.
    pub reference: u8,
    /// The topic; `None`: that of the subscription, or the one that the callback will give.
    pub topic: Option<&'a [u8]>,
    /// 0 to 2; `None`: the subscription's, or 2.
    pub qos: Option<u8>,
    /// Whether the broker is to retain it.
    pub retain: bool,
    /// Where the payload comes from.
    pub source: Source,
}

/// A publication that was accepted.
#[derive(Clone, Copy, Debug)]
pub struct Accepted {
    /// Its entry.
    pub index: usize,
    /// Its handle.
    pub handle: u16,
    /// Where in the transmit buffer a payload to be copied belongs.
    pub payload_start: u16,
}

/// The tables, and what is wanted of the connection.
pub struct Requests {
    /// What may be asked for now.
    pub phase: Phase,
    /// How to connect.
    pub connection: Connection,
    /// What was chosen for it.
    pub options: Options,
    /// The table of subscriptions.
    pub subscriptions: Subscriptions,
    /// The table of publications.
    pub outbox: Outbox,
    order: u16,
    /// The packet identifier given out last; 0: none yet.
    pub identifier: u16,
    /// Something may wait for its turn.
    pub waiting: bool,
}

fn is_before(order: u16, other: u16) -> bool {
    order.wrapping_sub(other) > 0x7fff
}

impl Requests {
    /// No connection.
    pub const fn new() -> Self {
        Self {
            phase: Phase::Closed,
            options: Options { keep_alive: 0, response: 0, reconnect_first: 0, reconnect_longest: 0 },
            connection: Connection { address: [0; 16], address_length: 0, flags: 0, version_3_1: false },
            subscriptions: Subscriptions::new(),
            outbox: Outbox::new(),
            order: 0,
            identifier: 0,
            waiting: false,
        }
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

    fn accept(&mut self) -> Result<(), Error> {
        if self.phase == Phase::Open { Ok(()) } else { Err(Error::NotReady) }
    }

    /// The next order number.
    pub fn take_order(&mut self) -> u16 {
        self.order = self.order.checked_add(1).unwrap_or(1);
        self.order
    }

    /// The next order number, for something that now waits for its turn.
    fn next_order(&mut self) -> u16 {
        self.waiting = true;
        self.take_order()
    }

    /// Asks for a subscription to `topic`, a valid filter; `None`: to the topic that the callback will give. Returns its
    /// reference.
    pub fn subscribe(&mut self, topic: Option<&[u8]>, qos: u8) -> Result<u8, Error> {
        self.accept()?;
        if topic.is_some_and(|topic| topic.len() > MAX_TOPIC_LENGTH) {
            return Err(Error::TopicTooLong);
        }
        let order = self.next_order();
        let (reference, entry) = self.subscriptions.lowest_free().ok_or(Error::NoSubscriptionEntry)?;
        entry.take(topic, qos.min(2), order);
        Ok(reference)
    }

    /// Asks for the end of a subscription.
    pub fn unsubscribe(&mut self, reference: u8) -> Result<(), Error> {
        self.accept()?;
        let order = self.next_order();
        let entry = self.subscriptions.get(reference).ok_or(Error::NoSubscriptionEntry)?;
        if entry.flags & (flag::UNSUBSCRIBE | flag::UNSUBACK) != 0 {
            return Err(Error::NoSubscriptionEntry);
        }
        entry.flags |= flag::UNSUBSCRIBE;
        entry.unsubscribe_order = order;
        Ok(())
    }

    /// The most bytes that one of the requests waiting will have to claim at its turn.
    fn promised(&self) -> u16 {
        if !self.waiting {
            return 0;
        }
        let subscriptions = self.subscriptions.entries.iter().map(|entry| {
            let topic = entry.topic().map_or(TOPIC_ROOM, |topic| topic.len() as u16);
            if entry.flags & (flag::SUBSCRIBE | flag::UNSUBSCRIBE) == 0 { 0 } else { OVERHEAD + topic }
        });
        let publications = self.outbox.entries.iter().map(Entry::lacks);
        subscriptions.chain(publications).fold(0, u16::max)
    }

    /// Asks for a publication. A copied payload has to be put in place, and then [`Requests::copied`] called.
    pub fn publish(&mut self, memory: &Memory, publish: Publish) -> Result<Accepted, Error> {
        self.accept()?;
        let promised = self.promised();
        let subscription = self.subscriptions.get(publish.reference);
        let qos = publish.qos.or(subscription.as_ref().map(|subscription| subscription.qos)).unwrap_or(2);
        let mut entry = Entry { first: first_byte::PUBLISH | qos << 1 | u8::from(publish.retain), ..Entry::FREE };
        let topic = match (publish.topic, subscription) {
            (topic, Some(subscription)) => {
                entry.reference = publish.reference;
                topic.or(subscription.topic())
            }
            (None, None) if publish.reference != 0 => return Err(Error::MissingTopic),
            (topic, None) => topic,
        };
        if topic.is_some_and(|topic| !topic::is_name(topic.iter().copied())) {
            return Err(Error::InvalidTopic);
        }
        let topic_length = topic.map_or(usize::from(TOPIC_ROOM), <[u8]>::len);
        let before_payload = topic_length + usize::from(OVERHEAD - 2 + entry.identifier_length());
        entry.topic = if topic.is_some() { Topic::Stored } else { Topic::Asked };

        let (room, total) = match publish.source {
            Source::Asked => (usize::from(PAYLOAD_ROOM), 0),
            Source::Copied(length) => (usize::from(length), 0),
            Source::Streamed(total) => (usize::from(PAYLOAD_ROOM).min(total as usize), total),
        };
        if before_payload > usize::from(LENGTH) {
            return Err(Error::TopicTooLong);
        }
        if before_payload + room > usize::from(LENGTH) || total > LONGEST_REMAINING_LENGTH - u32::from(LENGTH) {
            return Err(if matches!(publish.source, Source::Asked) { Error::TopicTooLong } else { Error::MessageTooLong });
        }
        let mut length = before_payload + room;
        (entry.state, entry.payload) = match publish.source {
            Source::Asked => {
                // Its room is claimed at its turn; until then only a topic that nobody else keeps needs a place.
                length = before_payload;
                if publish.topic.is_none() {
                    length = 0;
                    if topic.is_some() {
                        entry.topic = Topic::Subscription;
                    }
                }
                (State::Queued, Payload::Asked)
            }
            Source::Copied(_) => (State::Copying, Payload::Copied),
            Source::Streamed(_) => (State::Queued, Payload::Streamed),
        };
        if length != 0 {
            entry.length = length as u16;
            entry.start = self.outbox.gap(entry.length, LENGTH.saturating_sub(promised), usize::MAX).ok_or(Error::Busy)?;
        }
        let index = self.outbox.lowest_free().ok_or(Error::Busy)?;
        if let (Some(topic), Topic::Stored) = (topic, entry.topic) {
            entry.store_topic(memory, topic);
        }
        if entry.payload == Payload::Streamed {
            let mut slot = Writer::new(memory.range(entry.start + 1, 4));
            slot.number((total >> 16) as u16);
            slot.number(total as u16);
        }
        entry.order = self.next_order();
        entry.handle = if entry.payload == Payload::Asked { 0 } else { entry.order };
        self.put(index, entry);
        Ok(Accepted { index, handle: entry.handle, payload_start: entry.start + before_payload as u16 })
    }

    /// The payload of a publication is in place.
    pub fn copied(&mut self, index: usize) -> Result<(), Error> {
        let accepted = self.accept();
        if let Some(entry) = self.outbox.entry(index) {
            if accepted.is_ok() {
                entry.state = State::Queued;
            } else {
                *entry = Entry::FREE;
            }
        }
        accepted
    }

    /// The entry whose turn it is. A SUBSCRIBE or UNSUBSCRIBE gets [`CONTROL`].
    pub fn next(&mut self) -> Option<(usize, Entry)> {
        if !self.waiting {
            return None;
        }
        let mut first: Option<(u16, usize)> = None;
        let mut consider = |order, index| {
            if first.is_none_or(|(earliest, _)| is_before(order, earliest)) {
                first = Some((order, index));
            }
        };
        for (index, entry) in self.outbox.entries.iter().enumerate() {
            if entry.state >= State::Copying {
                consider(entry.order, index);
            }
        }
        for (reference, entry) in (1..).zip(&self.subscriptions.entries) {
            if entry.has(flag::SUBSCRIBE) {
                consider(entry.order, CONTROL + reference);
            } else if entry.has(flag::UNSUBSCRIBE) {
                consider(entry.unsubscribe_order, CONTROL + reference);
            }
        }
        let Some((_, index)) = first else {
            self.waiting = false;
            return None;
        };
        if index > CONTROL {
            let reference = (index - CONTROL) as u8;
            let subscription = self.subscriptions.get(reference)?;
            let first = if subscription.has(flag::SUBSCRIBE) { first_byte::SUBSCRIBE } else { first_byte::UNSUBSCRIBE };
            if subscription.has(flag::SUBACK) {
                return None; // an UNSUBSCRIBE waits for it
            }
            let topic = if subscription.topic().is_some() { Topic::Subscription } else { Topic::Asked };
            return Some((CONTROL, Entry { state: State::Queued, first, reference, topic, ..Entry::FREE }));
        }
        let entry = *self.outbox.entry(index)?;
        (entry.state != State::Copying).then_some((index, entry))
    }

    /// Claims the room that `entry` still needs, and puts a topic in it that is kept elsewhere. `Ok(false)`: there is no
    /// room now. `Err`: the subscription whose topic was meant is gone.
    pub fn claim(&mut self, memory: &Memory, index: usize, entry: &mut Entry) -> Result<bool, Error> {
        if matches!(entry.payload, Payload::Copied | Payload::Streamed) {
            return Ok(true);
        }
        let subscription = self.subscriptions.get(entry.reference);
        let topic = subscription.and_then(|subscription| subscription.topic()).filter(|_| entry.topic == Topic::Subscription);
        let topic_length = match (entry.topic, topic) {
            (Topic::Stored, _) => entry.topic_length(memory),
            (Topic::Asked, _) => TOPIC_ROOM,
            (Topic::Subscription, Some(topic)) => topic.len() as u16,
            (Topic::Subscription, None) => return Err(Error::MissingTopic),
        };
        let payload = if entry.payload == Payload::Asked { PAYLOAD_ROOM } else { 0 };
        let length = OVERHEAD + topic_length + payload;
        let Some(start) = self.outbox.gap(length, LENGTH, index) else { return Ok(false) };
        if entry.topic == Topic::Stored {
            memory.copy(entry.start, start, TOPIC as u16 + topic_length);
        }
        (entry.start, entry.length) = (start, length);
        if let Some(topic) = topic {
            entry.store_topic(memory, topic);
            entry.topic = Topic::Stored;
        }
        self.put(index, *entry);
        Ok(true)
    }

    /// Writes an entry back.
    pub fn put(&mut self, index: usize, entry: Entry) {
        if let Some(place) = self.outbox.entry(index) {
            *place = entry;
        }
    }

    /// A packet identifier that nothing else uses [MQTT-2.3.1-2].
    pub fn next_identifier(&mut self) -> u16 {
        loop {
            self.identifier = self.identifier.checked_add(1).unwrap_or(1);
            let identifier = self.identifier;
            let published = self.outbox.entries.iter().any(|entry| entry.state != State::Free && entry.identifier == identifier);
            let subscribed = self.subscriptions.entries.iter().any(|entry| {
                entry.flags & (flag::SUBACK | flag::UNSUBACK) != 0 && entry.identifier == identifier
            });
            if !published && !subscribed {
                return identifier;
            }
        }
    }

    /// The publication that an acknowledgement with `identifier` is for.
    pub fn find(&mut self, identifier: u16) -> Option<(usize, Entry)> {
        let awaits = |entry: &Entry| {
            entry.identifier == identifier && !matches!(entry.state, State::Free | State::Failed)
        };
        let index = self.outbox.entries.iter().position(awaits)?;
        Some((index, *self.outbox.entry(index)?))
    }

    /// Has a QoS 2 publication that has done its round sent once more, or ends it.
    pub fn repeat(&mut self, index: usize, wanted: bool) {
        let order = self.next_order();
        let wanted = wanted && self.phase == Phase::Open;
        let Some(entry) = self.outbox.entry(index) else { return };
        if wanted {
            entry.state = State::Queued;
            entry.order = order;
            entry.identifier = 0;
            entry.first &= !PublishFlags::DUPLICATE;
        } else {
            *entry = Entry::FREE;
        }
    }

    /// Has the publications fail of which `fails` says so.
    pub fn fail(&mut self, fails: impl Fn(&Entry) -> bool) {
        for entry in &mut self.outbox.entries {
            if !matches!(entry.state, State::Free | State::Copying) && fails(entry) {
                entry.state = State::Failed;
            }
        }
    }

    /// Takes a publication out of the table that is to be told as failed, the earliest first.
    pub fn take_failed(&mut self) -> Option<Entry> {
        let mut earliest: Option<&mut Entry> = None;
        for entry in &mut self.outbox.entries {
            if entry.state == State::Failed && earliest.as_ref().is_none_or(|earliest| is_before(entry.order, earliest.order)) {
                earliest = Some(entry);
            }
        }
        earliest.map(|entry| core::mem::replace(entry, Entry::FREE))
    }

    /// Takes back what was under way on a link: it will be done again, as far as it does not fail.
    pub fn link_lost(&mut self, memory: &Memory) {
        self.put(CONTROL, Entry::FREE);
        for entry in &mut self.outbox.entries {
            if entry.state == State::Queued && entry.payload == Payload::Asked {
                match entry.topic {
                    Topic::Stored => entry.keep_topic(memory),
                    Topic::Subscription | Topic::Asked => entry.length = 0,
                }
            }
        }
        for entry in &mut self.subscriptions.entries {
            if entry.has(flag::SUBACK) {
                entry.flags = entry.flags & !flag::SUBACK | flag::SUBSCRIBE;
            }
            if entry.has(flag::UNSUBACK) {
                entry.flags = entry.flags & !flag::UNSUBACK | flag::UNSUBSCRIBE;
            }
        }
        self.waiting = true;
    }
}
