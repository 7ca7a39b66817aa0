//! What is sent to the broker: acknowledgements as soon as the link is between two packets, requests in their order.
//!
//! `next` tells what is next to be sent: [`NOTHING`]; exactly the request of an index, which then is the only one; or that it
//! has to be found, [`SEARCH`].

use super::telling::is_before;
use super::{Host, Kind, Session, Stage, Work};
use crate::memory::{REPLIES, TRANSMIT_END};
use crate::outbox::{CONTROL, Entry, NO_GAP, OVERHEAD, PAYLOAD_ROOM, State, TOPIC_ROOM, source};
use crate::packet::{self, SLOT, TOPIC, first_byte};
use crate::subscriptions::{Subscription, flag};
use crate::topic::{self, Text};

/// Nothing waits to be sent.
pub(super) const NOTHING: u8 = 0;
/// Something may wait to be sent.
pub(super) const SEARCH: u8 = 0xff;
/// In an index: what remains is the reference of a subscription, which a SUBSCRIBE or UNSUBSCRIBE is for.
pub(super) const SUBSCRIPTION: u8 = 0x80;

impl Session {
    /// Queues a packet of two bytes, or of four with an identifier. There is room: acknowledgements leave some to one PINGREQ and
    /// one DISCONNECT, see [`Session::may_read`].
    #[inline(never)]
    pub(super) fn reply(&self, first: u8, identifier: u16) {
        let replies = self.replies.get();
        let place = REPLIES + usize::from(replies);
        let remaining = if identifier == 0 { 0 } else { 2 };
        if let [packet, length, high, low, ..] = self.memory.from(place) {
            packet.set(first);
            length.set(remaining);
            high.set((identifier >> 8) as u8);
            low.set(identifier as u8);
        }
        self.replies.set(replies + 2 + remaining);
    }

    /// Sends what there is to be sent, as far as the link takes it.
    #[inline(never)]
    pub(super) fn write(&self, host: impl Host) {
        while !self.blocked.get() && !self.is_ending() {
            let work = self.work.get();
            if !self.mid_packet.get() && work != Work::Connect && self.replies.get() != 0 {
                // They pass requests, but not a packet half sent.
                let replied = self.replied.get();
                let left = self.replies.get() - replied;
                let taken = self.send(host, REPLIES + usize::from(replied), left.into());
                self.replied.set(replied + taken as u8);
                if taken == left.into() {
                    self.replies.set(0);
                    self.replied.set(0);
                }
                continue;
            }
            let more = match work {
                Work::None => self.choose(host),
                Work::Piece => self.ask_piece(host),
                Work::Connect | Work::Entry => {
                    self.send_packet(host);
                    true
                }
            };
            if !more {
                break;
            }
        }
    }

    /// Hands bytes to the link. Returns how many it took; where it is none, nothing more is to be sent now.
    fn send(&self, host: impl Host, place: usize, length: usize) -> usize {
        let taken = host.send(place, length);
        if taken > 0 {
            self.sent.set(self.now.get());
            self.stalled.set(0);
            return taken as usize;
        }
        self.blocked.set(true);
        if taken < 0 {
            self.lose(taken);
        } else {
            self.stall();
        }
        0
    }

    /// Nothing can go on until the link, or the application, has more to give.
    #[inline(always)]
    fn stall(&self) {
        if self.stalled.get() == 0 {
            self.await_response(&self.stalled);
        }
    }

    /// Goes on with the packet at hand.
    fn send_packet(&self, host: impl Host) {
        let position = self.position.get();
        let taken = self.send(host, position, self.end.get() - position);
        if taken == 0 {
            return;
        }
        self.mid_packet.set(true);
        self.position.set(position + taken);
        let complete = position + taken == self.end.get();
        if self.work.get() == Work::Connect {
            return self.connect_sent(host, complete);
        }
        let entry = self.outbox.entry(self.at_hand.get());
        let qos = entry.qos();
        if qos != 0 {
            entry.state.set(State::Sent);
        }
        if !complete {
            return;
        }
        if entry.has(source::STREAMED) && self.given.get() < self.stream_total.get() {
            return self.work.set(Work::Piece);
        }
        self.mid_packet.set(false);
        self.work.set(Work::None);
        if entry.is_control() {
            self.subscription_sent(entry);
        } else if qos == 0 {
            self.tell_acknowledged(host, entry);
        }
    }

    /// A SUBSCRIBE or UNSUBSCRIBE has been sent.
    fn subscription_sent(&self, entry: &Entry) {
        entry.release();
        if let Some(subscription) = self.subscriptions.get(entry.reference.get()) {
            let queued = if entry.first.get() == first_byte::SUBSCRIBE { flag::SUBSCRIBE } else { flag::UNSUBSCRIBE };
            subscription.flags.set(subscription.flags.get() & !queued | queued << 1);
            subscription.identifier.set(entry.identifier.get());
        }
        let awaited = self.answers_awaited.get();
        if awaited == 0 {
            self.await_response(&self.answer_late);
        }
        self.answers_awaited.set(awaited + 1);
    }

    /// The index of the request whose turn it is, or [`NOTHING`].
    #[inline(never)]
    fn search(&self) -> u8 {
        let mut found = NOTHING;
        let mut earliest = 0;
        let mut consider = |index, order| {
            if found == NOTHING || is_before(order, earliest) {
                (found, earliest) = (index, order);
            }
            found
        };
        // A PUBREL needs no room, and what waits for room may wait for what it frees.
        for least in [State::Unreleased, State::Copying] {
            let mut turn = NOTHING;
            let mut index = 0;
            for entry in &self.outbox.0 {
                if entry.state.get() >= least {
                    turn = consider(index, entry.order.get());
                }
                index += 1;
            }
            if least == State::Unreleased && turn != NOTHING {
                return turn;
            }
        }
        let mut index = SUBSCRIPTION;
        for entry in &self.subscriptions.0 {
            index += 1;
            if entry.has(flag::SUBSCRIBE) {
                consider(index, entry.order.get());
            } else if entry.has(flag::UNSUBSCRIBE) {
                consider(index, entry.unsubscribe_order.get());
            }
        }
        found
    }

    /// Begins with the request whose turn it is. Returns whether there was one for which that can be done now.
    #[inline(never)]
    fn choose(&self, host: impl Host) -> bool {
        if self.stage.get() != Stage::Connected || self.overflowed.get() {
            return false;
        }
        let mut index = self.next.get();
        if index == SEARCH {
            index = self.search();
        }
        if index == NOTHING {
            self.next.set(NOTHING);
            return false;
        }
        let mut entry = self.outbox.entry(index);
        if index > SUBSCRIPTION {
            let reference = index & !SUBSCRIPTION;
            entry = self.outbox.entry(CONTROL);
            index = CONTROL;
            let Some(subscription) = self.subscriptions.get(reference) else { return false };
            if subscription.has(flag::SUBACK) {
                return false; // an UNSUBSCRIBE waits for it
            }
            let subscribe = subscription.has(flag::SUBSCRIBE);
            entry.first.set(if subscribe { first_byte::SUBSCRIBE } else { first_byte::UNSUBSCRIBE });
            entry.reference.set(reference);
            entry.source.set(source::SUBSCRIPTION);
        }
        self.at_hand.set(index);
        match entry.state.get() {
            State::Copying => return false,
            State::Unreleased => {
                entry.state.set(State::Released);
                self.reply(first_byte::PUBREL, entry.identifier.get());
            }
            State::Built => self.begin_packet(entry),
            _ => return self.prepare_entry(host, entry),
        }
        self.taken();
        true
    }

    /// The request whose turn it was waits no more.
    fn taken(&self) {
        if self.next.get() != SEARCH {
            self.next.set(NOTHING);
        }
    }

    /// Claims the room that an entry still needs, has the callback fill in what it is asked for, and completes the packet.
    /// Returns false where there is no room now.
    fn prepare_entry(&self, host: impl Host, entry: &Entry) -> bool {
        let memory = &self.memory;
        let subscription = self.subscriptions.get(entry.reference.get());
        let subscription = subscription.filter(|subscription| subscription.flags.get() != 0);
        if entry.is_control() || entry.has(source::PAYLOAD_ASKED) {
            let mut topic: &[_] = &[];
            let topic_length = if entry.has(source::TOPIC_ASKED) {
                TOPIC_ROOM
            } else if !entry.has(source::SUBSCRIPTION) {
                entry.topic_length(memory)
            } else {
                let Some(subscription) = subscription else {
                    self.taken();
                    return self.fail_entry(host, entry);
                };
                topic = subscription.topic();
                if topic.is_empty() {
                    entry.source.set(entry.source.get() ^ (source::TOPIC_ASKED | source::SUBSCRIPTION));
                    TOPIC_ROOM
                } else {
                    topic.len()
                }
            };
            let length = OVERHEAD + topic_length + if entry.is_control() { 0 } else { PAYLOAD_ROOM };
            let start = self.outbox.gap(length, TRANSMIT_END, entry);
            if start == NO_GAP {
                return false;
            }
            let old = entry.start.get();
            entry.start.set(start);
            entry.length.set(length);
            if entry.has(source::SUBSCRIPTION) {
                entry.store_topic(memory, topic);
                entry.source.set(entry.source.get() & !source::SUBSCRIPTION);
            } else {
                memory.shift(old, start, TOPIC + topic_length);
            }
        }
        self.taken();
        if entry.has(source::TOPIC_ASKED) {
            let start = entry.start.get() + TOPIC;
            let length = usize::from(self.tell_of(host, Kind::PublishTopic, start, TOPIC_ROOM, entry));
            let kind = if entry.is_control() { Text::Filter } else { Text::Name };
            if length > TOPIC_ROOM || !topic::is_valid(memory.range(start, length), kind) {
                return self.fail_entry(host, entry);
            }
            memory.set_number(start - 2, length as u16);
            entry.source.set(entry.source.get() & !source::TOPIC_ASKED);
            // What follows the room comes down to the topic.
            let unused = TOPIC_ROOM - length;
            let behind = start + TOPIC_ROOM;
            host.aside(|| memory.shift(behind, behind - unused, entry.end() - behind));
            entry.length.set(entry.length.get() - unused);
        }
        if entry.has(source::PAYLOAD_ASKED) {
            let start = entry.payload_start(memory);
            let length = usize::from(self.tell_of(host, Kind::PublishData, start, PAYLOAD_ROOM, entry));
            if length > PAYLOAD_ROOM {
                return self.fail_entry(host, entry);
            }
            entry.length.set(start + length - entry.start.get());
        }
        self.build(entry, subscription);
        self.begin_packet(entry);
        true
    }

    /// A packet identifier that nothing else uses [MQTT-2.3.1-2].
    fn next_identifier(&self) -> u16 {
        loop {
            let identifier = self.identifier.get().wrapping_add(1).max(1);
            self.identifier.set(identifier);
            let is_free = |entry: &Subscription| entry.identifier.get() != identifier || !entry.has(flag::SUBACK | flag::UNSUBACK);
            if self.outbox.find(identifier).is_none() && self.subscriptions.0.iter().all(is_free) {
                return identifier;
            }
        }
    }

    /// Completes a packet whose topic and payload are in place (a stream's: whose topic is).
    fn build(&self, entry: &Entry, subscription: Option<&Subscription>) {
        let memory = &self.memory;
        let first = entry.first.get();
        let start = entry.start.get();
        let payload_start = entry.payload_start(memory);
        let mut header_end = start + SLOT;
        let mut end = entry.end();
        if entry.qos() != 0 {
            entry.identifier.set(self.next_identifier());
        }
        let identifier = entry.identifier.get();
        if entry.is_control() {
            header_end -= 2;
            memory.set_number(header_end, identifier);
            // Of the two bytes behind the topic a SUBSCRIBE needs one.
            end = payload_start - 2;
            if first == first_byte::SUBSCRIBE {
                memory.set(payload_start - 2, subscription.map_or(0, |subscription| subscription.qos.get() & 3));
                end += 1;
            }
            entry.length.set(end - start);
        } else {
            entry.state.set(State::Built);
            if identifier != 0 {
                memory.set_number(payload_start - 2, identifier);
            }
            if entry.has(source::STREAMED) {
                let total = u32::from(memory.number(start + 1)) << 16 | u32::from(memory.number(start + 3));
                end = payload_start + total as usize;
            }
        }
        let packet_start = packet::put_header(memory, header_end, first, (end - header_end) as u32);
        memory.wipe(start, packet_start - start);
    }

    /// Begins to send a complete packet.
    fn begin_packet(&self, entry: &Entry) {
        let memory = &self.memory;
        let position = entry.packet_start(memory);
        memory.set(position, entry.first.get()); // DUP may have come to it
        self.position.set(position);
        self.work.set(Work::Entry);
        self.end.set(entry.end());
        if entry.has(source::STREAMED) {
            self.end.set(entry.payload_start(memory));
            let total = entry.payload_length(memory);
            self.stream_total.set(total);
            self.given.set(0);
            if total != 0 {
                self.work.set(Work::Piece);
            }
        }
    }

    /// Asks for the next piece of a stream. Returns false where there is none now.
    fn ask_piece(&self, host: impl Host) -> bool {
        if self.starved.get() {
            return false;
        }
        let entry = self.outbox.entry(self.at_hand.get());
        let start = entry.payload_start(&self.memory);
        let room = (entry.end() - start).min((self.stream_total.get() - self.given.get()) as usize);
        let length = usize::from(self.tell_of(host, Kind::PublishDataPart, start, room, entry));
        if length > room {
            entry.state.set(State::Failed);
            self.end(Kind::InvalidArgument, Kind::ConnectionClosed);
        } else if length == 0 {
            self.starved.set(true);
            self.stall();
            return false;
        } else {
            self.stalled.set(0);
            self.given.set(self.given.get() + length as u32);
            if self.mid_packet.get() {
                self.position.set(start);
            }
            self.end.set(start + length);
            self.work.set(Work::Entry);
        }
        true
    }

    /// Has the entry at hand fail for want of a topic or a payload. Returns true: there is more to do.
    #[inline(always)]
    fn fail_entry(&self, host: impl Host, entry: &Entry) -> bool {
        if !entry.is_control() {
            self.tell_failed(host, entry);
            return true;
        }
        entry.release();
        let reference = entry.reference.get();
        if let Some(subscription) = self.subscriptions.get(reference) {
            subscription.flags.set(0);
            self.next.set(SEARCH);
        }
        self.tell(host, Kind::SubscriptionRefused, 0, 0, reference);
        true
    }
}
