//! What is sent to the broker: acknowledgements as soon as the link is between two packets, requests in their order.

use super::{Kind, Session, Stage, Step, Work};
use crate::memory::{Memory, REPLIES};
use crate::outbox::{CONTROL, PAYLOAD_ROOM, Payload, State, TOLD, TOPIC_ROOM, Topic};
use crate::packet::{self, SLOT, TOPIC, first_byte};
use crate::subscriptions::flag;
use crate::topic::{self, Text};

impl Session {
    /// What is to be sent next, or asked for so that it can be sent.
    pub(super) fn output(&mut self, memory: &Memory) -> Option<Step> {
        loop {
            if self.sends_replies() {
                return Some(self.send(REPLIES + u16::from(self.replied), REPLIES + u16::from(self.replies)));
            }
            match self.work {
                Work::Connect | Work::Send => return Some(self.send(self.position, self.end)),
                Work::None | Work::Tell => self.choose(memory)?,
                Work::Claim => match self.requests.claim(memory, self.index) {
                    Ok(true) => {
                        self.work = Work::Payload;
                        let entry = self.requests.outbox.entry(self.index);
                        if entry.topic == Topic::Asked {
                            let start = entry.start + TOPIC;
                            return Some(self.ask(memory, Kind::PublishTopic, start, TOPIC_ROOM));
                        }
                    }
                    Ok(false) => return None,
                    Err(_) => self.fail_entry(),
                },
                Work::Payload => {
                    let entry = self.requests.outbox.entry(self.index);
                    if entry.payload == Payload::Asked {
                        let start = entry.payload_start(memory);
                        return Some(self.ask(memory, Kind::PublishData, start, PAYLOAD_ROOM));
                    }
                    self.build(memory);
                }
                Work::Piece if self.starved => return None,
                Work::Piece => {
                    let entry = self.requests.outbox.entry(self.index);
                    let start = entry.payload_start(memory);
                    let room = u32::from(entry.start + entry.length - start).min(self.total - self.given);
                    return Some(self.ask(memory, Kind::PublishDataPart, start, room as u16));
                }
            }
        }
    }

    fn send(&mut self, start: u16, end: u16) -> Step {
        self.data = super::Data { start, length: end - start };
        Step::Send
    }

    fn ask(&mut self, memory: &Memory, kind: Kind, start: u16, room: u16) -> Step {
        let entry = *self.requests.outbox.entry(self.index);
        self.requests.outbox.keep_told(memory, entry);
        self.tell_data(kind, start, room, entry.reference)
    }

    /// Acknowledgements pass requests, but not a packet half sent.
    fn sends_replies(&self) -> bool {
        !self.mid_packet && self.work != Work::Connect && self.replies != 0
    }

    /// Begins with the request whose turn it is.
    fn choose(&mut self, memory: &Memory) -> Option<()> {
        if self.stage != Stage::Connected || self.overflowed || !self.requests.waiting {
            return None;
        }
        self.index = self.requests.next()?;
        let entry = self.requests.outbox.entry(self.index);
        match entry.state {
            State::Unreleased => {
                entry.state = State::Released;
                let identifier = entry.identifier;
                self.reply(memory, first_byte::PUBREL, identifier);
            }
            State::Built => self.begin_packet(memory),
            _ => self.work = Work::Claim,
        }
        Some(())
    }

    /// The application has answered an event; `length` is what it returned.
    pub(super) fn answered(&mut self, memory: &Memory, length: u16) {
        self.requests.outbox.entry(TOLD).release();
        match self.event.kind {
            Kind::ClientIdentifier | Kind::WillTopic | Kind::WillMessage | Kind::UserName | Kind::UserPassword => {
                self.field_answered(memory, length);
            }
            Kind::PublishTopic => self.topic_answered(memory, length),
            Kind::PublishData => {
                if length > PAYLOAD_ROOM {
                    return self.fail_entry();
                }
                let entry = self.requests.outbox.entry(self.index);
                entry.length = self.data.start + length - entry.start;
                self.build(memory);
            }
            Kind::PublishDataPart => self.piece_answered(length),
            Kind::PublishAcknowledged if self.repeat != 0 => {
                if length != 0 && self.stage == Stage::Connected {
                    self.requests.repeat(self.repeat);
                } else {
                    self.requests.outbox.entry(self.repeat).release();
                }
            }
            _ => {}
        }
    }

    fn topic_answered(&mut self, memory: &Memory, length: u16) {
        let entry = self.requests.outbox.entry(self.index);
        let kind = if entry.first & 0xf0 == first_byte::PUBLISH { Text::Name } else { Text::Filter };
        if length > TOPIC_ROOM || !topic::is_valid(memory.range(self.data.start, length), kind) {
            return self.fail_entry();
        }
        // What follows stays where it is: the slot and the topic move towards it.
        let unused = TOPIC_ROOM - length;
        memory.shift(entry.start, entry.start + unused, TOPIC + length);
        entry.start += unused;
        entry.length -= unused;
        entry.topic = Topic::Stored;
        memory.set_number(entry.start + SLOT, length);
    }

    /// Completes a packet whose topic and payload are in place (a stream's: whose topic is).
    fn build(&mut self, memory: &Memory) {
        let entry = self.requests.outbox.entry(self.index);
        let (first, start, payload_start) = (entry.first, entry.start, entry.payload_start(memory));
        let mut identifier = 0;
        if entry.flags().qos() != 0 {
            identifier = self.requests.next_identifier();
        }
        let entry = self.requests.outbox.entry(self.index);
        entry.identifier = identifier;
        entry.state = State::Built;
        let mut header_end = start + SLOT;
        let mut end = u32::from(start + entry.length);
        if self.index == CONTROL {
            header_end -= 2;
            memory.set_number(header_end, identifier);
            // Of the two bytes behind the topic a SUBSCRIBE needs one.
            end = u32::from(payload_start - 2);
            if first == first_byte::SUBSCRIBE {
                let qos = self.requests.subscriptions.get(entry.reference).map_or(0, |subscription| subscription.qos);
                memory.set(payload_start - 2, qos);
                end += 1;
            }
            entry.length = end as u16 - start;
        } else {
            if identifier != 0 {
                memory.set_number(payload_start - 2, identifier);
            }
            if entry.payload == Payload::Streamed {
                let total = u32::from(memory.number(start + 1)) << 16 | u32::from(memory.number(start + 3));
                end = u32::from(payload_start) + total;
            }
        }
        memory.wipe(start, header_end - start);
        packet::put_header(memory, header_end, first, end - u32::from(header_end));
        self.begin_packet(memory);
    }

    /// Begins to send a complete packet.
    fn begin_packet(&mut self, memory: &Memory) {
        let entry = self.requests.outbox.entry(self.index);
        self.position = entry.packet_start(memory);
        memory.set(self.position, entry.first); // DUP may have come to it
        self.end = entry.start + entry.length;
        self.work = Work::Send;
        if entry.payload == Payload::Streamed {
            self.end = entry.payload_start(memory);
            (self.total, self.given) = (entry.payload_length(memory), 0);
            if self.total != 0 {
                self.work = Work::Piece;
            }
        }
    }

    /// The application has written a piece of a stream.
    fn piece_answered(&mut self, length: u16) {
        if length > self.data.length {
            self.requests.outbox.entry(self.index).state = State::Failed; // told behind the cause
            self.end(Kind::InvalidArgument, Kind::ConnectionClosed);
        } else if length == 0 {
            self.starved = true;
            self.stall();
        } else {
            self.given += u32::from(length);
            if self.mid_packet {
                self.position = self.data.start;
            }
            self.end = self.data.start + length;
            self.work = Work::Send;
            self.stalled = false;
        }
    }

    /// Has the entry at hand fail for want of a topic or a payload.
    fn fail_entry(&mut self) {
        let entry = self.requests.outbox.entry(self.index);
        self.work = Work::None;
        if self.index != CONTROL {
            entry.state = State::Failed;
            self.failures = true;
            return;
        }
        let reference = entry.reference;
        entry.release();
        if let Some(subscription) = self.requests.subscriptions.get(reference) {
            subscription.release();
            self.work = Work::Tell;
        }
    }

    /// Tells what has become of the entry at hand: a QoS 0 publication was sent, or a subscription has no topic.
    pub(super) fn tell_entry(&mut self, memory: &Memory) -> Step {
        self.work = Work::None;
        if self.index == CONTROL {
            let reference = self.requests.outbox.entry(CONTROL).reference;
            return self.tell(Kind::SubscriptionRefused, 0, reference);
        }
        self.tell_acknowledged(memory, self.index)
    }

    /// The link took `length` of the bytes to be sent.
    pub(super) fn sent(&mut self, memory: &Memory, length: u16) {
        if length == 0 {
            self.blocked = true;
            return self.stall();
        }
        self.stalled = false;
        self.sent = self.now;
        if self.sends_replies() {
            self.replied += length as u8;
            if self.replied >= self.replies {
                (self.replies, self.replied) = (0, 0);
            }
            return;
        }
        self.mid_packet = true;
        self.position += length;
        let complete = self.position >= self.end;
        if self.work == Work::Connect {
            return self.connect_sent(memory, complete);
        }
        let entry = self.requests.outbox.entry(self.index);
        let qos = entry.flags().qos();
        if qos != 0 {
            entry.state = State::Sent;
        }
        if !complete {
            return;
        }
        if entry.payload == Payload::Streamed && self.given < self.total {
            self.work = Work::Piece;
            return;
        }
        self.mid_packet = false;
        self.work = if qos == 0 { Work::Tell } else { Work::None };
        if self.index == CONTROL {
            self.subscription_sent();
        }
    }

    /// A SUBSCRIBE or UNSUBSCRIBE has been sent.
    fn subscription_sent(&mut self) {
        let entry = self.requests.outbox.entry(CONTROL);
        let queued = if entry.first == first_byte::SUBSCRIBE { flag::SUBSCRIBE } else { flag::UNSUBSCRIBE };
        let (reference, identifier) = (entry.reference, entry.identifier);
        entry.release();
        if let Some(subscription) = self.requests.subscriptions.get(reference) {
            // The flag of the answer stands one above.
            subscription.flags = subscription.flags & !queued | queued << 1;
            subscription.identifier = identifier;
        }
        if self.answers_awaited == 0 {
            self.subscribed = self.now;
        }
        self.answers_awaited += 1;
    }
}

