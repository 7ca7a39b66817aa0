//! What arrives from the broker.

use super::{Area, Bytes, Event, Kind, Question, Session, Stage, Step, Work};
use crate::inbox::Arrival;
use crate::outbox::{Entry, Payload, State};
use crate::packet::first_byte::*;
use crate::requests::Guard;
use crate::subscriptions::flag;
use core::ops::Range;

/// What an acknowledgement means.
enum Acknowledgement {
    /// Nothing that is known.
    Unknown,
    /// What the broker must not send.
    Forbidden,
    /// The first half of a QoS 2 round.
    First(usize),
    /// The round is complete.
    Last(usize, Entry),
}

impl Session {
    /// Uses up what has arrived, as far as answers have room.
    pub(super) fn read(&mut self, shared: &impl Guard) -> Option<Step> {
        while self.may_read() && matches!(self.stage, Stage::Connecting | Stage::Connected | Stage::Draining) {
            let step = match self.inbox.next() {
                Arrival::Nothing => return None,
                Arrival::Malformed => {
                    self.protocol_error();
                    None
                }
                Arrival::Packet(CONNACK, [flags, code, _]) => self.connack(shared, flags, code),
                _ if !self.connected => {
                    self.protocol_error(); // [MQTT-3.2.0-1]
                    None
                }
                Arrival::Packet(PINGRESP, _) => {
                    self.ping_awaited = false;
                    None
                }
                Arrival::Packet(first, [high, low, code]) => match u16::from_be_bytes([high, low]) {
                    0 => {
                        self.protocol_error(); // [MQTT-2.3.1-1]
                        None
                    }
                    identifier if matches!(first, SUBACK | UNSUBACK) => self.subscription_answered(shared, first, identifier, code),
                    identifier => self.acknowledged(shared, first, identifier),
                },
                Arrival::Message(payload) => self.publication(shared, Kind::TopicMessage, payload),
                Arrival::Part(payload) => self.publication(shared, Kind::TopicMessagePart, payload),
            };
            if step.is_some() {
                return step;
            }
        }
        None
    }

    /// A PUBLISH, or a part of one.
    fn publication(&mut self, shared: &impl Guard, kind: Kind, payload: Range<u16>) -> Option<Step> {
        let publication = self.inbox.publication;
        let identifier = publication.identifier;
        let payload = Bytes::new(Area::Inbox, payload);
        let complete = publication.offset + u32::from(payload.length) == publication.total;
        let qos = publication.flags.qos();
        let mut repeated = false;
        if qos == 2 {
            repeated = self.incoming.contains(&identifier);
            if !repeated && self.incoming.is_full() {
                self.overflowed = true;
                return None;
            }
        }
        if complete {
            match qos {
                0 => {}
                1 => self.reply(PUBACK, Some(identifier)),
                _ => {
                    if !repeated {
                        let _ = self.incoming.push(identifier); // there is room
                    }
                    self.reply(PUBREC, Some(identifier));
                }
            }
        }
        if repeated {
            return None; // [MQTT-4.3.3-2]
        }
        let reference = shared.with(|requests| requests.subscriptions.matching(self.inbox.topic()));
        Some(Event::with(kind, payload, reference))
    }

    /// PUBACK, PUBREC, PUBREL or PUBCOMP.
    fn acknowledged(&mut self, shared: &impl Guard, first: u8, identifier: u16) -> Option<Step> {
        if first == PUBREL {
            if let Some(index) = self.incoming.iter().position(|known| *known == identifier) {
                let last = self.incoming.pop();
                if let (Some(last), Some(place)) = (last, self.incoming.get_mut(index)) {
                    *place = last;
                }
            }
            // Also where it is not known: the answer to it was lost.
            self.reply(PUBCOMP, Some(identifier));
            return None;
        }
        let at_hand = (self.work != Work::None).then_some(self.index);
        let mid_packet = self.mid_packet;
        let acknowledgement = shared.with(|requests| {
            let Some((index, mut entry)) = requests.find(identifier) else { return Acknowledgement::Unknown };
            if at_hand == Some(index) && mid_packet {
                return Acknowledgement::Unknown; // it means an earlier attempt
            }
            let acknowledgement = match (first, entry.flags().qos(), entry.state) {
                // A broker may acknowledge what it got before the link was lost, without waiting to get it again.
                (PUBACK, 1, State::Sent | State::Built) => Acknowledgement::Last(index, entry),
                (PUBREC, 2, State::Sent | State::Built | State::Released | State::Unreleased) => {
                    if entry.state < State::Released || entry.state == State::Built {
                        entry.order = requests.take_order(); // [MQTT-4.6.0-4]
                        entry.keep_topic(shared.memory());
                    }
                    entry.state = State::Released;
                    requests.put(index, entry);
                    return Acknowledgement::First(index);
                }
                (PUBCOMP, 2, State::Released) => Acknowledgement::Last(index, entry),
                _ => return Acknowledgement::Forbidden,
            };
            if first == PUBACK || entry.payload != Payload::Asked {
                requests.put(index, Entry::FREE);
            }
            acknowledgement
        });
        if let Acknowledgement::First(index) | Acknowledgement::Last(index, _) = acknowledgement {
            if at_hand == Some(index) {
                self.work = Work::None;
            }
        }
        match acknowledgement {
            Acknowledgement::Forbidden => self.protocol_error(),
            Acknowledgement::Last(index, entry) => return Some(self.tell_acknowledged(index, entry)),
            // Also where it is not known: our side of that session is gone.
            _ if first == PUBREC => self.reply(PUBREL, Some(identifier)), // [MQTT-4.3.3-1]
            _ => {}
        }
        None
    }

    /// Tells that a publication has done its round.
    pub(super) fn tell_acknowledged(&mut self, index: usize, entry: Entry) -> Step {
        let qos = entry.flags().qos();
        if qos == 2 && entry.payload == Payload::Asked {
            self.question = Question::Repeat;
            self.repeat = index;
        }
        self.subject = entry;
        Event::new(Kind::PublishAcknowledged, u32::from(qos), entry.reference)
    }

    /// SUBACK or UNSUBACK.
    fn subscription_answered(&mut self, shared: &impl Guard, first: u8, identifier: u16, code: u8) -> Option<Step> {
        let awaited = if first == SUBACK { flag::SUBACK } else { flag::UNSUBACK };
        let answered = shared.with(|requests| {
            let mut entries = (1..).zip(&mut requests.subscriptions.entries);
            let (reference, entry) = entries.find(|(_, entry)| entry.has(awaited) && entry.identifier == identifier)?;
            let restored = entry.has(flag::RESTORED);
            entry.flags &= !(awaited | flag::RESTORED);
            entry.granted = code;
            if first == UNSUBACK || code == 0x80 {
                entry.release();
            }
            Some((reference, restored))
        });
        let Some((reference, restored)) = answered.filter(|_| first == UNSUBACK || matches!(code, 0..=2 | 0x80)) else {
            self.protocol_error();
            return None;
        };
        self.answers_awaited = self.answers_awaited.saturating_sub(1);
        self.subscribed = self.now;
        match (first, code) {
            (UNSUBACK, _) => Some(Event::new(Kind::Unsuback, 0, reference)),
            (_, 0x80) => Some(Event::new(Kind::SubscriptionRefused, 0x80, reference)),
            _ if restored => None,
            _ => Some(Event::new(Kind::Suback, u32::from(code), reference)),
        }
    }
}
