//! What the application is told, and asked.

use super::{Host, Session};
use crate::error::Error;
use crate::outbox::{Request, State, source};
use crate::packet::TOPIC;

/// What an event tells or asks. The numbers are those of the C border.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i8)]
#[allow(missing_docs, reason = "explained where C sees them, in `ffi`")]
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
pub struct Message {
    /// Where its topic lies; 0 where that is not known, or was not kept.
    pub topic: usize,
    /// The topic's length.
    pub topic_length: usize,
    /// 0 at QoS 0.
    pub identifier: usize,
    /// What the publish call returned; 0 for one that arrived.
    pub handle: usize,
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
    pub(super) fn tell(&self, host: impl Host, kind: Kind, place: usize, number: u32, reference: usize) -> u16 {
        self.event.set(kind);
        let answer = host.tell(kind, place, number, reference);
        self.event.set(Kind::None);
        self.told.set(0);
        answer
    }

    /// The same, about a request.
    #[inline(never)]
    pub(super) fn tell_of(&self, host: impl Host, kind: Kind, place: usize, number: usize, request: &Request) -> u16 {
        self.told.set(request.identifier.get());
        self.tell(host, kind, place, number as u32, request.reference.get())
    }

    /// Tells which publications have failed, in their order; what else is done is given up, too.
    pub(super) fn tell_failures(&self, host: impl Host) {
        while let Some(request) = self.outbox.all().find(|request| request.state.get() <= State::Failed) {
            if request.state.get() == State::Failed {
                self.tell_end(host, Kind::PublishFailed, request);
            } else {
                self.outbox.remove(request);
            }
        }
    }

    /// Tells the end of a publication, and gives it up, unless it is to be repeated. Its place and its payload's room are free
    /// already while that is told, its topic is kept.
    #[inline(never)]
    pub(super) fn tell_end(&self, host: impl Host, kind: Kind, request: &Request) {
        request.state.set(State::Done);
        request.source.set(request.source.get() & !source::COUNTED);
        request.keep_topic(&self.memory);
        let repeat = self.tell_of(host, kind, 0, request.qos().into(), request) != 0;
        if repeat && kind == Kind::PublishAcknowledged && request.qos() == 2 && request.has(source::PAYLOAD_ASKED) && self.is_connected() {
            if self.repeat(request) {
                return;
            }
            self.tell_of(host, Kind::PublishFailed, 0, request.qos().into(), request);
        }
        self.outbox.remove(request);
    }

    /// Details of the message that the present event is about; `None` where it is about none.
    #[inline(always)]
    pub fn message(&self) -> Option<Message> {
        let memory = &self.memory;
        let kind = self.event.get();
        if matches!(kind, Kind::TopicMessage | Kind::TopicMessagePart) {
            return Some(Message {
                topic: self.topic.get(),
                topic_length: self.topic_length.get(),
                identifier: self.message_identifier.get(),
                handle: 0,
                first: self.first.get(),
                total: self.total.get(),
                offset: self.offset.get(),
            });
        }
        let told = self.told.get(); // 0, which no request has, where the event is about none
        let request = self.outbox.find(told)?;
        let stored = request.length.get() != 0 && !request.has(source::TOPIC_ASKED);
        let is_built = matches!(kind, Kind::PublishDataPart | Kind::PublishAcknowledged);
        let total = if is_built { request.payload_length(memory) } else { 0 };
        Some(Message {
            topic: if stored { request.start.get() + TOPIC } else { 0 },
            topic_length: if stored { request.topic_length(memory) } else { 0 },
            identifier: if request.qos() == 0 { 0 } else { told },
            handle: request.handle(),
            first: request.first.get(),
            total,
            offset: if kind == Kind::PublishDataPart { total - self.ungiven.get() } else { 0 },
        })
    }
}
