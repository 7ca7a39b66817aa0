//! What arrives from the broker.

use super::{Kind, Session, Stage, Step, Work};
use crate::inbox::Arrival;
use crate::memory::Memory;
use crate::outbox::{Payload, State};
use crate::packet::first_byte::*;
use crate::subscriptions::flag;

impl Session {
    /// Uses up what has arrived, as far as answers have room.
    pub(super) fn read(&mut self, memory: &Memory) -> Option<Step> {
        while self.may_read() && self.stage <= Stage::Draining {
            let arrival = self.inbox.next(memory);
            let step = match arrival {
                Arrival::Nothing => return None,
                Arrival::Packet(CONNACK, body) => self.connack(memory.byte(body), memory.byte(body + 1)),
                Arrival::Malformed => {
                    self.protocol_error();
                    None
                }
                _ if !self.connected => {
                    self.protocol_error(); // [MQTT-3.2.0-1]
                    None
                }
                Arrival::Message => self.publication(memory, Kind::TopicMessage),
                Arrival::Part => self.publication(memory, Kind::TopicMessagePart),
                Arrival::Packet(PINGRESP, _) => {
                    self.ping_awaited = false;
                    None
                }
                Arrival::Packet(first, body) => match (first, memory.number(body)) {
                    (_, 0) => {
                        self.protocol_error(); // [MQTT-2.3.1-1]
                        None
                    }
                    (PUBREL, identifier) => {
                        self.released(identifier);
                        self.reply(memory, PUBCOMP, identifier);
                        None
                    }
                    (SUBACK | UNSUBACK, identifier) => self.subscription_answered(first, identifier, memory.byte(body + 2)),
                    (_, identifier) => self.acknowledged(memory, first, identifier),
                },
            };
            if step.is_some() {
                return step;
            }
        }
        None
    }

    /// A PUBLISH, or a part of one.
    fn publication(&mut self, memory: &Memory, kind: Kind) -> Option<Step> {
        let publication = self.inbox.publication;
        let identifier = publication.identifier;
        let complete = publication.offset + u32::from(publication.payload_length) == publication.total;
        let mut repeated = false;
        match publication.flags.qos() {
            0 => {}
            1 => {
                if complete {
                    self.reply(memory, PUBACK, identifier);
                }
            }
            _ => {
                repeated = self.incoming.contains(&identifier); // [MQTT-4.3.3-2]
                if !repeated && self.incoming.is_full() {
                    self.overflowed = true;
                    return None;
                }
                if complete {
                    if !repeated {
                        let _ = self.incoming.push(identifier); // there is room
                    }
                    self.reply(memory, PUBREC, identifier);
                }
            }
        }
        if repeated {
            return None;
        }
        let topic = (publication.topic_start != 0).then(|| memory.range(publication.topic_start, publication.topic_length));
        let reference = self.requests.subscriptions.matching(topic);
        Some(self.tell_data(kind, publication.payload_start, publication.payload_length, reference))
    }

    /// A QoS 2 message will not be sent again. Not to know it is no error: the answer to it may have been lost.
    fn released(&mut self, identifier: u16) {
        if let Some(index) = self.incoming.iter().position(|known| *known == identifier) {
            let last = self.incoming.pop();
            if let (Some(last), Some(place)) = (last, self.incoming.get_mut(index)) {
                *place = last;
            }
        }
    }

    /// PUBACK, PUBREC or PUBCOMP.
    fn acknowledged(&mut self, memory: &Memory, first: u8, identifier: u16) -> Option<Step> {
        let Some(index) = self.requests.find(identifier) else {
            if first == PUBREC {
                self.reply(memory, PUBREL, identifier); // our side of that session is gone
            }
            return None;
        };
        if self.index == index && self.work != Work::None {
            if self.mid_packet {
                return None; // it means an earlier attempt
            }
            self.work = Work::None;
        }
        let order = self.requests.next_order();
        let entry = self.requests.outbox.entry(index);
        let qos = entry.flags().qos();
        match (first, qos, entry.state) {
            // A broker may acknowledge what it got before the link was lost, without waiting to get it again.
            (PUBREC, 2, State::Sent | State::Built | State::Released | State::Unreleased) => {
                entry.state = State::Released;
                entry.order = order; // [MQTT-4.6.0-4]
                entry.keep_topic(memory);
                self.reply(memory, PUBREL, identifier); // [MQTT-4.3.3-1]
                return None;
            }
            (PUBACK, 1, State::Sent | State::Built) => {}
            (PUBCOMP, 2, State::Released) => {}
            _ => {
                self.protocol_error();
                return None;
            }
        }
        Some(self.tell_acknowledged(memory, index))
    }

    /// Tells that a publication has done its round, and gives it up, unless it may be repeated.
    pub(super) fn tell_acknowledged(&mut self, memory: &Memory, index: u8) -> Step {
        let entry = *self.requests.outbox.entry(index);
        let qos = entry.flags().qos();
        self.repeat = index;
        if qos != 2 || entry.payload != Payload::Asked {
            self.requests.outbox.entry(index).release();
            self.repeat = 0;
        }
        self.requests.outbox.keep_told(memory, entry);
        self.tell(Kind::PublishAcknowledged, qos.into(), entry.reference)
    }

    /// SUBACK or UNSUBACK.
    fn subscription_answered(&mut self, first: u8, identifier: u16, code: u8) -> Option<Step> {
        let awaited = if first == SUBACK { flag::SUBACK } else { flag::UNSUBACK };
        let mut entries = (1..).zip(&mut self.requests.subscriptions.entries);
        let found = entries.find(|(_, entry)| entry.has(awaited) && entry.identifier == identifier);
        let Some((reference, entry)) = found.filter(|_| first == UNSUBACK || matches!(code, 0..=2 | 0x80)) else {
            self.protocol_error();
            return None;
        };
        let restored = entry.has(flag::RESTORED);
        entry.flags &= !(awaited | flag::RESTORED);
        entry.granted = code;
        self.answers_awaited -= 1;
        self.subscribed = self.now;
        let kind = match (first, code) {
            (UNSUBACK, _) => Kind::Unsuback,
            (_, 0x80) => Kind::SubscriptionRefused,
            _ if restored => return None,
            _ => Kind::Suback,
        };
        if kind != Kind::Suback {
            entry.release();
        }
        let code = if first == UNSUBACK { 0 } else { code };
        Some(self.tell(kind, code.into(), reference))
    }
}
