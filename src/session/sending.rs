//! What is sent to the broker: acknowledgements as soon as the link is between two packets, requests in their order.

use super::{Area, Bytes, Event, Kind, Lost, Question, Session, Stage, Step, Work};
use crate::outbox::{CONTROL, Entry, OVERHEAD, PAYLOAD_ROOM, Payload, State, TOPIC_ROOM, Topic};
use crate::packet::{self, SLOT, TOPIC, first_byte};
use crate::requests::Guard;
use crate::subscriptions::flag;
use crate::topic;
use crate::wire::Writer;
use core::cell::Cell;

impl Session {
    /// What is to be sent next, or asked for so that it can be sent.
    pub(super) fn output(&mut self, shared: &impl Guard) -> Option<Step> {
        while !self.blocked {
            if self.sends_replies() {
                let end = self.replies.len() as u16;
                return Some(Step::Send(Bytes::new(Area::Replies, u16::from(self.replied)..end)));
            }
            match self.work {
                Work::Connect => return Some(Step::Send(Bytes::new(Area::Inbox, self.position..self.end))),
                Work::Send => return Some(Step::Send(Bytes::new(Area::Outbox, self.position..self.end))),
                Work::None | Work::Tell => self.choose(shared)?,
                Work::Claim => match shared.with(|requests| requests.claim(shared.memory(), self.index, &mut self.entry)) {
                    Ok(true) if self.entry.topic == Topic::Asked => {
                        return Some(self.ask(Question::Topic, Kind::PublishTopic, self.entry.start + TOPIC as u16, TOPIC_ROOM));
                    }
                    Ok(true) => self.work = Work::Payload,
                    Ok(false) => return None,
                    Err(_) => self.fail_entry(shared),
                },
                Work::Payload => match self.entry.payload {
                    Payload::Asked => return Some(self.ask(Question::Payload, Kind::PublishData, self.payload_start(shared), PAYLOAD_ROOM)),
                    _ => self.build(shared),
                },
                Work::Piece if self.starved => return None,
                Work::Piece => {
                    let start = self.payload_start(shared);
                    let room = u32::from(self.entry.start + self.entry.length - start).min(self.total - self.given) as u16;
                    return Some(self.ask(Question::Piece, Kind::PublishDataPart, start, room));
                }
            }
        }
        None
    }

    /// Acknowledgements pass requests, but not a packet half sent.
    fn sends_replies(&self) -> bool {
        !self.mid_packet && self.work != Work::Connect && !self.replies.is_empty()
    }

    /// Begins with the request whose turn it is.
    fn choose(&mut self, shared: &impl Guard) -> Option<()> {
        if self.stage != Stage::Connected || self.overflowed {
            return None;
        }
        (self.index, self.entry) = shared.with(|requests| requests.next())?;
        match self.entry.state {
            State::Unreleased => {
                self.entry.state = State::Released;
                self.reply(first_byte::PUBREL, Some(self.entry.identifier));
                shared.with(|requests| requests.put(self.index, self.entry));
            }
            State::Built => self.send_built(shared),
            _ => self.work = Work::Claim,
        }
        Some(())
    }

    fn ask(&mut self, question: Question, kind: Kind, start: u16, room: u16) -> Step {
        self.question = question;
        self.subject = self.entry;
        Event::with(kind, Bytes { area: Area::Outbox, start, length: room }, self.entry.reference)
    }

    fn payload_start(&self, shared: &impl Guard) -> u16 {
        self.entry.start + TOPIC as u16 + self.entry.topic_length(shared.memory()) + self.entry.identifier_length()
    }

    /// The application has answered an event; `length` is what it returned.
    pub fn answered(&mut self, shared: &impl Guard, length: u16) {
        match core::mem::replace(&mut self.question, Question::None) {
            Question::None => {}
            Question::Field => self.field_answered(length),
            Question::Topic => self.topic_answered(shared, length),
            Question::Payload if length > PAYLOAD_ROOM => self.fail_entry(shared),
            Question::Payload => {
                self.entry.length = self.payload_start(shared) - self.entry.start + length;
                self.build(shared);
            }
            Question::Piece => self.piece_answered(shared, length),
            Question::Repeat => {
                let wanted = length != 0 && self.stage == Stage::Connected;
                shared.with(|requests| requests.repeat(self.repeat, wanted));
            }
        }
    }

    fn topic_answered(&mut self, shared: &impl Guard, length: u16) {
        let memory = shared.memory();
        let topic = memory.range(self.entry.start + TOPIC as u16, length).iter().map(Cell::get);
        let valid = match self.entry.first {
            first_byte::SUBSCRIBE | first_byte::UNSUBSCRIBE => topic::is_filter(topic),
            _ => topic::is_name(topic),
        };
        if length > TOPIC_ROOM || !valid {
            return self.fail_entry(shared);
        }
        // What follows stays where it is: the topic moves towards it.
        let unused = TOPIC_ROOM - length;
        let start = self.entry.start;
        let total = memory.range(start + 1, 4);
        let kept = [0, 1, 2, 3].map(|index| total.get(index).map_or(0, Cell::get));
        self.entry.start += unused;
        self.entry.length -= unused;
        memory.copy(start + TOPIC as u16, self.entry.start + TOPIC as u16, length);
        let mut slot = Writer::new(memory.range(self.entry.start + 1, OVERHEAD));
        slot.bytes(&kept);
        slot.number(length);
        self.entry.topic = Topic::Stored;
        shared.with(|requests| requests.put(self.index, self.entry));
        self.work = Work::Payload;
    }

    /// Completes a packet whose topic and payload are in place (a stream's: whose topic is).
    fn build(&mut self, shared: &impl Guard) {
        let memory = shared.memory();
        let before_payload = self.payload_start(shared) - self.entry.start;
        let topic_length = u32::from(self.entry.topic_length(memory));
        let slot = memory.range(self.entry.start, SLOT as u16);
        let total = match self.entry.payload {
            Payload::None => 0,
            Payload::Streamed => slot.iter().skip(1).fold(0, |total, byte| total << 8 | u32::from(byte.get())),
            Payload::Asked | Payload::Copied => u32::from(self.entry.length - before_payload),
        };
        self.entry.identifier = 0;
        if self.entry.flags().qos() != 0 {
            self.entry.identifier = shared.with(|requests| requests.next_identifier());
        }
        let identifier = self.entry.identifier;
        match self.entry.first {
            first_byte::SUBSCRIBE | first_byte::UNSUBSCRIBE => {
                let header = memory.range(self.entry.start, SLOT as u16 - 2);
                Writer::new(memory.range(self.entry.start + SLOT as u16 - 2, 2)).number(identifier);
                self.entry.length = TOPIC as u16 + topic_length as u16;
                if self.entry.first == first_byte::SUBSCRIBE {
                    let qos = shared.with(|requests| requests.subscriptions.get(self.entry.reference).map_or(0, |entry| entry.qos));
                    Writer::new(memory.range(self.entry.start + self.entry.length, 1)).byte(qos);
                    self.entry.length += 1;
                }
                packet::close_header(header, self.entry.first, u32::from(self.entry.length) - (SLOT - 2) as u32);
            }
            first => {
                let place = memory.range(self.entry.start + before_payload - self.entry.identifier_length(), self.entry.identifier_length());
                Writer::new(place).number(identifier);
                packet::close_header(slot, first, u32::from(before_payload) - SLOT as u32 + total);
            }
        }
        self.entry.state = State::Built;
        self.send_built(shared);
    }

    /// Begins to send a complete packet.
    fn send_built(&mut self, shared: &impl Guard) {
        let memory = shared.memory();
        let slot = memory.range(self.entry.start, SLOT as u16);
        let header = packet::header_start(slot);
        if let Some(first) = slot.get(header) {
            first.set(self.entry.first); // DUP may have come to it
        }
        self.position = self.entry.start + header as u16;
        self.end = self.entry.start + self.entry.length;
        self.work = Work::Send;
        self.given = 0;
        if self.entry.payload == Payload::Streamed {
            self.total = self.entry.payload_length(memory);
            self.end = self.payload_start(shared);
            if self.total != 0 {
                self.work = Work::Piece;
            }
        }
        shared.with(|requests| requests.put(self.index, self.entry));
    }

    /// The application has written a piece of a stream.
    fn piece_answered(&mut self, shared: &impl Guard, length: u16) {
        let start = self.payload_start(shared);
        let room = u32::from(self.entry.start + self.entry.length - start).min(self.total - self.given);
        if u32::from(length) > room {
            self.end(Kind::InvalidArgument, Kind::ConnectionClosed);
            self.fail_entry(shared);
        } else if length == 0 {
            self.starved = true;
            self.stall();
        } else {
            self.given += u32::from(length);
            if self.mid_packet {
                self.position = start;
            }
            self.end = start + length;
            self.work = Work::Send;
            self.stalled = false;
        }
    }

    /// Has the entry at hand fail for want of a topic or a payload.
    fn fail_entry(&mut self, shared: &impl Guard) {
        if self.index == CONTROL {
            shared.with(|requests| {
                requests.put(CONTROL, Entry::FREE);
                if let Some(subscription) = requests.subscriptions.get(self.entry.reference) {
                    subscription.release();
                }
            });
            self.work = Work::Tell;
        } else {
            self.entry.state = State::Failed;
            shared.with(|requests| requests.put(self.index, self.entry));
            self.failures = true;
            self.work = Work::None;
        }
    }

    /// Tells what has become of the entry at hand: a QoS 0 publication was sent, or a subscription has no topic.
    pub(super) fn tell_entry(&mut self) -> Step {
        self.work = Work::None;
        if self.index == CONTROL {
            return Event::new(Kind::SubscriptionRefused, 0, self.entry.reference);
        }
        self.tell_acknowledged(self.index, self.entry)
    }

    /// The link took so many of the bytes to be sent, or was lost.
    pub fn sent(&mut self, shared: &impl Guard, result: Result<u16, Lost>) {
        let length = match result {
            Err(lost) => return self.lose(lost),
            Ok(0) => {
                self.blocked = true;
                return self.stall();
            }
            Ok(length) => length,
        };
        self.stalled = false;
        self.sent = self.now;
        if self.sends_replies() {
            self.replied += length as u8;
            if usize::from(self.replied) >= self.replies.len() {
                self.replies.clear();
                self.replied = 0;
            }
            return;
        }
        let first_bytes = !core::mem::replace(&mut self.mid_packet, true);
        self.position += length;
        let complete = self.position >= self.end;
        if self.work == Work::Connect {
            self.connect_sent(shared, first_bytes, complete);
            return;
        }
        if first_bytes && self.index != CONTROL && self.entry.flags().qos() != 0 {
            self.entry.state = State::Sent;
            shared.with(|requests| requests.put(self.index, self.entry));
        }
        if !complete {
            return;
        }
        if self.entry.payload == Payload::Streamed && self.given < self.total {
            self.work = Work::Piece;
            return;
        }
        self.mid_packet = false;
        self.work = Work::None;
        if self.index == CONTROL {
            self.subscription_sent(shared);
        } else if self.entry.flags().qos() == 0 {
            shared.with(|requests| requests.put(self.index, Entry::FREE));
            self.work = Work::Tell;
        }
    }

    /// A SUBSCRIBE or UNSUBSCRIBE has been sent.
    fn subscription_sent(&mut self, shared: &impl Guard) {
        shared.with(|requests| {
            requests.put(CONTROL, Entry::FREE);
            if let Some(subscription) = requests.subscriptions.get(self.entry.reference) {
                let (queued, awaited) = match self.entry.first {
                    first_byte::SUBSCRIBE => (flag::SUBSCRIBE, flag::SUBACK),
                    _ => (flag::UNSUBSCRIBE, flag::UNSUBACK),
                };
                subscription.flags = subscription.flags & !queued | awaited;
                subscription.identifier = self.entry.identifier;
            }
        });
        if self.answers_awaited == 0 {
            self.subscribed = self.now;
        }
        self.answers_awaited += 1;
    }
}
