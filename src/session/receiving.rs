//! What arrives from the broker: joins the byte stream into packets, and does what each wants.

use super::{Host, Kind, MOST_REPLIES, Session, Stage, Work, late};
use crate::memory::{RECEIVE, RECEIVE_END, Short};
use crate::outbox::{Request, State, source};
use crate::packet::first_byte::*;
use crate::packet::{self, FixedHeader};
use crate::topic::{self, Text};

/// The topic of a message longer than the buffer is passed over where less than this would be left for the parts.
const SHORTEST_PART: usize = 16;

impl Session {
    /// Whether an arriving packet can be answered.
    #[inline(always)]
    fn may_read(&self) -> bool {
        self.replies.get() <= MOST_REPLIES
    }

    /// Whether something can be received: not where CONNECT still lies.
    #[inline(always)]
    pub(super) fn may_receive(&self) -> bool {
        self.may_read() && self.work.get() != Work::Connect && self.stage.get() <= Stage::Lingering
    }

    /// Receives what the link has. Returns whether that was anything.
    pub(super) fn receive(&self, host: impl Host) -> bool {
        let mut wanted = usize::MAX;
        if self.long.get() {
            wanted = self.unreceived.get() as usize; // so that its last part has nothing behind it
        } else if self.unread.get() == self.unread_end.get() {
            self.drop_received();
        } else {
            self.close_up(host);
        }
        let place = self.unread_end.get();
        let length = host.receive(place, wanted.min(RECEIVE_END - place));
        if length < 0 {
            self.lose(length);
        }
        if length <= 0 {
            return false;
        }
        if self.stage.get() != Stage::Lingering {
            self.received.set(self.now.get());
            if self.is_awaited(late::PINGRESP) {
                self.limit(late::PINGRESP);
            }
            self.unread_end.set(place + length as usize);
            self.unreceived.set(self.unreceived.get().wrapping_sub(length as u32));
        }
        true
    }

    /// Moves what is unread to the front.
    fn close_up(&self, host: impl Host) {
        let start = self.unread.get();
        let length = self.unread_end.get() - start;
        if start != RECEIVE {
            host.aside(|| self.memory.shift(start, RECEIVE, length));
        }
        self.unread.set(RECEIVE);
        self.unread_end.set(RECEIVE + length);
    }

    /// Uses up what has arrived. Returns whether it stopped for want of room for answers.
    pub(super) fn read(&self, host: impl Host) -> bool {
        while self.stage.get() <= Stage::Draining {
            if !self.may_read() {
                return true;
            }
            let more = if self.long.get() { self.read_part(host) } else { self.read_packet(host) };
            if !more {
                break;
            }
        }
        false
    }

    /// Reads the next packet. Returns false where more has to be received for that.
    fn read_packet(&self, host: impl Host) -> bool {
        let start = self.unread.get();
        let available = self.unread_end.get() - start;
        if available == 0 {
            return false;
        }
        let bytes = self.memory.range(start, available);
        let header = FixedHeader::read(bytes);
        if header == FixedHeader::INCOMPLETE {
            return false;
        }
        let mut first = bytes.first().map_or(0, |first| first.get());
        if first == PUBREL | packet::DUPLICATE && self.is_3_1() {
            first = PUBREL; // MQTT 3.1 has DUP in one that is sent again, too
        }
        let is_publish = first & 0xf0 == PUBLISH;
        // QoS 3 [MQTT-3.3.1-4], or a duplicate of QoS 0 [MQTT-3.3.1-2]
        let acceptable = if is_publish { packet::qos(first) < 3 && first & 0x0e != packet::DUPLICATE } else { header.may_arrive(first) };
        if header == FixedHeader::MALFORMED || !acceptable {
            self.protocol_error();
            return true;
        }
        let body = start + header.length();
        let whole = header.length() + header.remaining() as usize;
        let wanted = whole.min(RECEIVE_END - RECEIVE);
        if available < wanted {
            return false;
        }
        self.unread.set(start + wanted);
        if !is_publish {
            self.packet(host, first, body);
        } else {
            self.first.set(first);
            self.unreceived.set((whole - wanted) as u32);
            self.publication(host, body, header.remaining() as usize);
        }
        true
    }

    /// A packet other than PUBLISH.
    fn packet(&self, host: impl Host, first: u8, body: usize) {
        let identifier = self.memory.number(body);
        if first == CONNACK {
            return self.connack(host, (identifier >> 8) as u8, identifier as u8);
        }
        if !self.connected.get() {
            return self.protocol_error(); // [MQTT-3.2.0-1]
        }
        if first == PINGRESP {
            return self.unlimit(late::PINGRESP);
        }
        if identifier == 0 {
            return self.protocol_error(); // [MQTT-2.3.1-1]
        }
        match first {
            PUBREL => {
                self.released(identifier);
                self.reply(PUBCOMP, identifier);
            }
            _ => self.acknowledged(host, first, identifier, self.memory.byte(body + 2)),
        }
    }

    /// Reads the PUBLISH at hand: all of it, or as much as the buffer holds.
    fn publication(&self, host: impl Host, body: usize, remaining: usize) {
        let first = self.first.get();
        let memory = &self.memory;
        let topic_length = memory.number(body);
        let before_payload = 2 + topic_length + packet::identifier_length(first);
        let topic = body + 2;
        let total = remaining.wrapping_sub(before_payload);
        self.topic.set(topic);
        self.topic_length.set(topic_length);
        self.message_identifier.set(0);
        self.total.set(total as u32);
        self.offset.set(0);
        let long = self.unreceived.get() != 0;
        self.long.set(long);
        if remaining < before_payload || !self.connected.get() {
            return self.protocol_error();
        }
        if long && topic + topic_length > RECEIVE_END - 2 - SHORTEST_PART {
            self.topic.set(0);
            self.to_pass.set(topic_length);
            self.unread.set(topic);
            return;
        }
        let name = memory.range(topic, topic_length);
        let mut valid = false;
        host.aside(|| valid = topic::is_valid(name, Text::Name));
        if !valid {
            return self.protocol_error();
        }
        let payload = self.take_identifier(topic + topic_length);
        if long {
            self.unread.set(payload);
        } else if !self.is_ending() {
            self.deliver(host, Kind::TopicMessage, payload, total);
        }
    }

    /// Reads the packet identifier, if there is one. Returns where the payload begins.
    #[inline(always)]
    fn take_identifier(&self, place: usize) -> usize {
        if packet::qos(self.first.get()) == 0 {
            return place;
        }
        let identifier = self.memory.number(place);
        self.message_identifier.set(identifier);
        if identifier == 0 {
            self.protocol_error(); // [MQTT-2.3.1-1]
        }
        place + 2
    }

    /// Reads the next part of a long message: as much as the buffer holds. Returns whether more of what was received can be read.
    #[inline(never)]
    fn read_part(&self, host: impl Host) -> bool {
        let unreceived = self.unreceived.get();
        if self.topic.get() == 0 {
            let start = self.unread.get();
            let mut passed = self.to_pass.get().min(self.unread_end.get() - start);
            let text = self.memory.range(start, passed);
            let mut left = 0;
            host.aside(|| left = topic::unacceptable(text, Text::Name));
            if left > 3 || left != 0 && passed == self.to_pass.get() {
                self.protocol_error();
                return true;
            }
            passed -= left; // of the last character there may be more
            self.unread.set(start + passed);
            self.to_pass.set(self.to_pass.get() - passed);
            self.close_up(host); // where some is left to be passed over, nothing is left behind it
            if packet::qos(self.first.get()) != 0 && self.message_identifier.get() == 0 {
                if self.unread_end.get() < RECEIVE + 2 + self.to_pass.get() {
                    return false;
                }
                self.unread.set(self.take_identifier(RECEIVE));
                return true;
            }
        }
        let start = self.unread.get();
        let end = self.unread_end.get();
        if unreceived != 0 && end < RECEIVE_END {
            return false;
        }
        let length = end - start;
        self.offset.set(self.total.get() - unreceived - length as u32);
        self.unread_end.set(start);
        if unreceived == 0 {
            self.long.set(false);
        }
        self.deliver(host, Kind::TopicMessagePart, start, length);
        false // nothing lies behind a part, not even behind the last
    }

    /// Hands a message, or a part of one, to the application.
    fn deliver(&self, host: impl Host, kind: Kind, place: usize, length: usize) {
        let identifier = self.message_identifier.get();
        let complete = self.offset.get() + length as u32 == self.total.get();
        let qos = packet::qos(self.first.get());
        if qos == 2 {
            let Some(place) = self.incoming_place(identifier) else { return self.stage.set(Stage::Overflowed) };
            let known = place.get() != 0; // [MQTT-4.3.3-2]
            if complete {
                place.set(identifier);
                self.reply(PUBREC, identifier);
            }
            if known {
                return;
            }
        } else if qos != 0 && complete {
            self.reply(PUBACK, identifier);
        }
        if self.offset.get() == 0 {
            let topic = self.topic.get();
            let name = if topic == 0 { &[] } else { self.memory.range(topic, self.topic_length.get()) };
            self.reference.set(self.subscriptions.matching(name)); // of all parts
        }
        self.tell(host, kind, place, length as u32, self.reference.get());
    }

    /// Where the identifier of an incoming QoS 2 message is kept, or else can be.
    fn incoming_place(&self, identifier: usize) -> Option<&Short> {
        self.incoming.iter().find(|known| known.get() == identifier || known.get() == 0)
    }

    /// The broker knows none of the QoS 2 messages that were told.
    pub(super) fn forget_incoming(&self) {
        self.incoming.iter().for_each(|known| known.set(0));
    }

    /// A QoS 2 message will not be sent again. Not to know it is no error: the answer to it may have been lost.
    fn released(&self, identifier: usize) {
        let mut place: Option<&Short> = None;
        for known in self.incoming.iter().take_while(|known| known.get() != 0) {
            if let Some(place) = place {
                place.set(known.get());
            } else if known.get() != identifier {
                continue;
            }
            place = Some(known);
        }
        if let Some(last) = place {
            last.set(0);
        }
    }

    /// PUBACK, PUBREC, PUBCOMP, SUBACK, with its return code, or UNSUBACK.
    fn acknowledged(&self, host: impl Host, first: u8, identifier: usize, code: u8) {
        let sent = |request: &&Request| request.state.get() >= State::Again && request.is_control() == (first >= SUBACK);
        let Some(request) = self.outbox.find(identifier).filter(sent) else {
            return match first {
                PUBREC => self.reply(PUBREL, identifier), // our side of that session is gone
                SUBACK | UNSUBACK => self.protocol_error(),
                _ => {}
            };
        };
        if self.work.get() != Work::None && self.outbox.next().is_some_and(|next| core::ptr::eq(next, request)) {
            if self.mid_packet.get() {
                return; // it means an earlier attempt
            }
            self.drop_work();
        }
        if first == PUBREC && request.qos() == 2 {
            request.state.set(State::Released);
            request.keep_topic(&self.memory);
            self.outbox.postpone(request); // [MQTT-4.6.0-4]
            self.reply(PUBREL, identifier); // [MQTT-4.3.3-1]
        } else if first != request.awaited() {
            self.protocol_error();
        } else if request.is_control() {
            self.subscription_answered(host, request, code);
        } else {
            self.tell_end(host, Kind::PublishAcknowledged, request);
        }
    }

    /// Has a QoS 2 publication that has done its round sent once more. Returns false where its topic would take the room that was
    /// left to those before it.
    pub(super) fn repeat(&self, request: &Request) -> bool {
        let memory = &self.memory;
        let Some(limit) = self.outbox.limit() else { return false };
        let length = request.length.get() + 2; // its topic, and the packet identifier
        if !self.outbox.claim(memory, request, length, limit, request.topic(memory)) {
            return false;
        }
        request.state.set(State::Queued);
        request.source.set(request.source.get() | source::COUNTED);
        self.outbox.renew(request);
        request.first.set(request.first.get() & !packet::DUPLICATE);
        self.outbox.postpone(request);
        true
    }

    /// SUBACK or UNSUBACK.
    fn subscription_answered(&self, host: impl Host, request: &Request, code: u8) {
        let subscribed = request.first.get() == SUBSCRIBE;
        if subscribed && !matches!(code, 0..=2 | 0x80) {
            return self.protocol_error();
        }
        let reference = request.reference.get();
        let restored = request.has(source::RESTORED);
        self.outbox.remove(request);
        self.unlimit(late::ANSWER);
        if self.outbox.all().any(|request| request.is_control() && request.state.get() == State::Sent) {
            self.limit(late::ANSWER);
        }
        if !subscribed {
            self.end_subscription(host, Kind::Unsuback, 0, reference);
        } else if code == 0x80 {
            self.end_subscription(host, Kind::SubscriptionRefused, code.into(), reference);
        } else if let Some(subscription) = self.subscriptions.get(reference) {
            subscription.set_granted(code);
            if !restored {
                self.tell(host, Kind::Suback, 0, code.into(), reference);
            }
        }
    }

    /// Frees the entry of a subscription, and tells why. Publications that still need its topic fail: the entry may soon be
    /// another's.
    #[inline(never)]
    pub(super) fn end_subscription(&self, host: impl Host, kind: Kind, code: u32, reference: usize) {
        if let Some(subscription) = self.subscriptions.get(reference) {
            subscription.release();
        }
        while let Some(request) = self.under_way(reference) {
            self.outbox.remove(request);
        }
        for request in self.outbox.all() {
            let needs_topic = request.state.get() <= State::Queued && request.has(source::TOPIC_ASKED | source::SUBSCRIPTION);
            if needs_topic && request.reference.get() == reference {
                request.give_up();
            }
        }
        self.tell(host, kind, 0, code, reference);
        self.tell_failures(host);
    }
}
