//! What the application is told, and asked.

use super::{Host, Session};
use crate::error::Error;
use crate::outbox::{Entry, State, source};
use crate::packet::TOPIC;
use core::cell::Cell;

/// What an event tells or asks. The numbers are those of the C border.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i8)]
#[expect(missing_docs, reason = "explained where C sees them, in `ffi`")]
pub enum Kind {
    None = 0,
    ClientIdentifier = 1,
    WillTopic = 2,
    WillMessage = 3,
    UserName = 4,
    UserPassword = 5,
    Connack = 6,
    Suback = 7,
    Unsuback = 8,
    PublishAcknowledged = 9,
    PublishTopic = 10,
    PublishData = 11,
    TopicMessage = 12,
    ConnectionClosed = 13,
    HostClosed = 14,
    ConnectionRefused = 15,
    SubscriptionRefused = 16,
    TopicMessagePart = 17,
    Reconnecting = 18,
    PublishDataPart = 19,
    PublishFailed = 20,
    Unreachable = -3,
    InvalidArgument = Error::InvalidArgument as i8,
    Busy = Error::Busy as i8,
    Protocol = -13,
    Timeout = -14,
    Link = -15,
    #[cfg(feature = "tls")]
    Security = -16,
}

/// Details of the message that an event is about.
pub struct Message<'a> {
    /// Its topic; `None` where that is not known, or was not kept.
    pub topic: Option<&'a [Cell<u8>]>,
    /// The topic's length.
    pub topic_length: u16,
    /// 0 at QoS 0.
    pub identifier: u16,
    /// What the publish call returned; 0 for one that arrived.
    pub handle: u16,
    /// The first byte of its PUBLISH: DUP, QoS, RETAIN.
    pub first: u8,
    /// Bytes of payload in all, where known.
    pub total: u32,
    /// Where in it the event's data begin.
    pub offset: u32,
}

impl Session {
    /// Tells the application something, or asks it for what is to be put into `number` bytes at `place`, where that is not 0.
    #[inline(never)]
    pub(super) fn tell(&self, host: impl Host, kind: Kind, place: usize, number: u32, reference: u8) -> u16 {
        self.event.set(kind);
        let answer = host.tell(kind, place, number, reference);
        self.event.set(Kind::None);
        answer
    }

    /// The same, about a publication.
    #[inline(never)]
    pub(super) fn tell_of(&self, host: impl Host, kind: Kind, place: usize, number: usize, entry: &Entry) -> u16 {
        let told = self.outbox.told();
        told.keep(&self.memory, entry);
        let answer = self.tell(host, kind, place, number as u32, entry.reference.get());
        told.length.set(0);
        answer
    }

    /// Tells that a publication has failed.
    #[inline(never)]
    pub(super) fn tell_failed(&self, host: impl Host, entry: &Entry) {
        entry.release();
        self.tell_of(host, Kind::PublishFailed, 0, entry.qos().into(), entry);
    }

    /// Tells which publications have failed, in their order.
    pub(super) fn tell_failures(&self, host: impl Host) {
        loop {
            let mut earliest: Option<&Entry> = None;
            for entry in &self.outbox.0 {
                if entry.state.get() == State::Failed && earliest.is_none_or(|earliest| is_before(entry.order.get(), earliest.order.get())) {
                    earliest = Some(entry);
                }
            }
            match earliest {
                Some(entry) => self.tell_failed(host, entry),
                None => break,
            }
        }
    }

    /// Tells that a publication has done its round, and gives it up, unless it is to be repeated.
    #[inline(never)]
    pub(super) fn tell_acknowledged(&self, host: impl Host, entry: &Entry) {
        let qos = entry.qos();
        let repeatable = qos == 2 && entry.has(source::PAYLOAD_ASKED);
        if !repeatable {
            entry.release();
        }
        let answer = self.tell_of(host, Kind::PublishAcknowledged, 0, qos.into(), entry);
        if repeatable {
            if answer != 0 && self.is_connected() {
                self.repeat(entry);
            } else {
                entry.release();
            }
        }
    }

    /// Details of the message that the present event is about; `None` where it is about none.
    #[inline(always)]
    pub fn message(&self) -> Option<Message<'_>> {
        let memory = &self.memory;
        let kind = self.event.get();
        let (total, offset) = match kind {
            Kind::TopicMessage | Kind::TopicMessagePart => {
                let topic = self.topic.get();
                return Some(Message {
                    topic: (topic != 0).then(|| memory.from(topic)),
                    topic_length: self.topic_length.get() as u16,
                    identifier: self.message_identifier.get(),
                    handle: 0,
                    first: self.first.get(),
                    total: self.total.get(),
                    offset: self.offset.get(),
                });
            }
            Kind::PublishDataPart => (self.stream_total.get(), self.given.get()),
            Kind::PublishTopic | Kind::PublishData | Kind::PublishFailed | Kind::PublishAcknowledged => (0, 0),
            _ => return None,
        };
        let entry = self.outbox.told();
        let stored = entry.length.get() != 0;
        Some(Message {
            topic: stored.then(|| memory.from(entry.start.get() + TOPIC)),
            topic_length: if stored { entry.topic_length(memory) as u16 } else { 0 },
            identifier: entry.identifier.get(),
            handle: entry.handle.get(),
            first: entry.first.get(),
            total: if kind == Kind::PublishAcknowledged { entry.payload_length(memory) } else { total },
            offset,
        })
    }
}

/// Whether a request was accepted before another.
pub(super) fn is_before(order: u16, other: u16) -> bool {
    order.wrapping_sub(other) > 0x7fff
}
