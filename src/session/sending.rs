//! What is sent to the broker: acknowledgements as soon as the link is between two packets, requests in their order.

use super::{Host, Kind, Session, Work, late};
use crate::config::STREAM;
use crate::memory::{REPLIES, TRANSMIT_END};
use crate::outbox::{PAYLOAD_ROOM, Request, State, TOPIC_ROOM, source};
use crate::packet::{self, SLOT, TOPIC, first_byte};
use crate::topic::{self, Text};

impl Session {
    /// Queues a packet of two bytes, or of four with an identifier. There is room: acknowledgements leave some to one PINGREQ and
    /// one DISCONNECT, see [`MOST_REPLIES`](super::MOST_REPLIES).
    #[inline(never)]
    pub(super) fn reply(&self, first: u8, identifier: usize) {
        let replies = self.replies.get();
        let place = REPLIES + usize::from(replies);
        let remaining = if identifier == 0 { 0 } else { 2 };
        if let Some([packet, length, high, low, ..]) = self.memory.from(place) {
            packet.set(first);
            length.set(remaining);
            high.set((identifier >> 8) as u8);
            low.set(identifier as u8);
        }
        self.replies.set(replies + 2 + remaining);
    }

    /// Whether there is nothing to be sent, now or later.
    #[inline(always)]
    pub(super) fn is_idle(&self) -> bool {
        self.work.get() as u8 | self.replies.get() == 0 && self.outbox.is_empty()
    }

    /// Sends what there is to be sent, as far as the link takes it.
    #[inline(never)]
    pub(super) fn write(&self, host: impl Host) {
        while !self.blocked.get() && !self.is_ending() && self.take_turn() {
            let work = self.work.get();
            let mut request = None;
            if work != Work::Connect {
                if !self.mid_packet.get() {
                    // Acknowledgements pass requests, but not a packet half sent.
                    if self.replies.get() != 0 {
                        self.send_replies(host);
                        continue;
                    }
                    // Nothing is begun any more where the end is wanted.
                    if self.outbox.is_empty() || !self.is_open() {
                        break;
                    }
                }
                request = self.outbox.next();
                let Some(next) = request else { break };
                let mut more = work != Work::None || self.choose(host, next);
                // In the same turn: from here on what is late is the stream, not the link.
                if STREAM && more && self.work.get() == Work::Piece {
                    more = self.ask_piece(host, next);
                }
                if !more {
                    break;
                }
                if self.work.get() != Work::Request {
                    continue;
                }
            }
            self.send_packet(host, request);
        }
    }

    /// Goes on with the acknowledgements.
    #[inline(always)]
    fn send_replies(&self, host: impl Host) {
        let replied = self.replied.get();
        let left = self.replies.get() - replied;
        let taken = self.send(host, REPLIES + usize::from(replied), left.into());
        // Only a PINGREQ, always the first of them, has two bytes. Until now the link was waited for.
        if left & 2 != 0 && replied == 0 && taken != 0 && !self.is_awaited(late::PINGRESP) {
            self.limit(late::PINGRESP);
        }
        self.replied.set(replied + taken as u8);
        if taken == left.into() {
            self.replies.set(0);
            self.replied.set(0);
        }
    }

    /// Hands bytes to the link. Returns how many it took; where it is none, nothing more is to be sent now.
    fn send(&self, host: impl Host, place: usize, length: usize) -> usize {
        let taken = host.send(place, length);
        if taken > 0 {
            self.sent.set(self.now.get());
            if self.work.get() != Work::Piece {
                self.unlimit(late::PROGRESS); // else it is a stream's that has not begun
            }
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
        if !self.is_awaited(late::PROGRESS) {
            self.limit(late::PROGRESS);
        }
    }

    /// Goes on with the packet at hand.
    #[inline(always)]
    fn send_packet(&self, host: impl Host, request: Option<&Request>) {
        let position = self.position.get();
        let taken = self.send(host, position, self.end.get() - position);
        if taken == 0 {
            return;
        }
        self.mid_packet.set(true);
        self.position.set(position + taken);
        let complete = position + taken == self.end.get();
        let Some(request) = request else { return self.connect_sent(host, complete) };
        if !complete {
            return;
        }
        if STREAM && self.ungiven.get() != 0 {
            return self.work.set(Work::Piece);
        }
        self.mid_packet.set(false);
        self.work.set(Work::None);
        if request.qos() == 0 {
            return self.tell_end(host, Kind::PublishAcknowledged, request);
        }
        request.state.set(State::Sent);
        if request.is_control() && !self.is_awaited(late::ANSWER) {
            self.limit(late::ANSWER);
        }
    }

    /// Begins with the request whose turn it is. Returns whether there was one for which that can be done now.
    fn choose(&self, host: impl Host, request: &Request) -> bool {
        if !self.is_connected() {
            return false;
        }
        match request.state.get() {
            State::Copying => return false,
            State::Unreleased => {
                request.state.set(State::Released);
                self.reply(first_byte::PUBREL, request.identifier.get());
            }
            State::Queued => return self.complete(host, request),
            _ => self.begin_packet(request),
        }
        true
    }

    /// Claims the room that a request still needs, has the callback fill in what it is asked for, and completes the packet.
    /// Returns false where that cannot be done now.
    #[inline(never)]
    fn complete(&self, host: impl Host, request: &Request) -> bool {
        let memory = &self.memory;
        let reference = request.reference.get();
        let control = request.is_control();
        if request.claims() {
            if control && self.under_way(reference).is_some_and(|first| first.state.get() == State::Sent) {
                return false; // an UNSUBSCRIBE waits for SUBACK
            }
            let topic = match self.subscriptions.get(reference) {
                _ if request.has(source::TOPIC_ASKED) => &[],
                Some(subscription) if request.has(source::SUBSCRIPTION) => subscription.topic(),
                _ => request.topic(memory),
            };
            if !self.outbox.claim(memory, request, request.room(), TRANSMIT_END, topic) {
                return false;
            }
            request.state.set(State::Copying);
        }
        let start = request.start.get();
        if request.has(source::TOPIC_ASKED) {
            if request.has(source::SUBSCRIPTION) {
                return self.fail_request(host, request); // there is none to ask for any more
            }
            let length = usize::from(self.tell_of(host, Kind::PublishTopic, start + TOPIC, TOPIC_ROOM, request));
            let kind = if control { Text::Filter } else { Text::Name };
            if length > TOPIC_ROOM || !topic::is_valid(memory.range(start + TOPIC, length), kind) {
                return self.fail_request(host, request);
            }
            request.source.set(request.source.get() & !source::TOPIC_ASKED);
            memory.set_number(start + SLOT, length);
            let unused = TOPIC_ROOM - length;
            if !request.has(source::PAYLOAD_ASKED | source::STREAMED) {
                // The payload, which is there already, comes down to the topic.
                let payload = request.payload_start(memory);
                host.aside(|| memory.shift(payload + unused, payload, request.end() - unused - payload));
            }
            request.length.set(request.length.get() - unused);
        }
        let slot = start;
        let mut start = request.payload_start(memory);
        let payload;
        if control {
            start -= 2; // the identifier comes before the topic
            let qos = self.subscriptions.get(reference).map_or(0, |subscription| subscription.qos());
            memory.set(start, qos);
            payload = u32::from(request.first.get() == first_byte::SUBSCRIBE);
            request.length.set(start + payload as usize - request.start.get());
        } else if request.has(source::STREAMED) {
            payload = (memory.number(slot + 1) << 16 | memory.number(slot + 3)) as u32;
        } else {
            let mut length = request.end() - start;
            if request.has(source::PAYLOAD_ASKED) {
                length = self.tell_of(host, Kind::PublishData, start, PAYLOAD_ROOM, request).into();
                if length > PAYLOAD_ROOM {
                    return self.fail_request(host, request);
                }
                request.length.set(start + length - request.start.get());
            }
            payload = length as u32;
        }
        self.build(request, start, payload);
        self.begin_packet(request);
        true
    }

    /// Completes the packet around a topic that is in place, and `payload` bytes that are, or will be, at `payload_start`.
    #[inline(never)]
    pub(super) fn build(&self, request: &Request, payload_start: usize, payload: u32) {
        let start = request.start.get();
        let mut header_end = start + SLOT;
        let mut identifier_place = payload_start - 2;
        if request.is_control() {
            header_end -= 2;
            identifier_place = header_end;
        }
        if request.qos() != 0 {
            self.memory.set_number(identifier_place, request.identifier.get());
        }
        let remaining = (payload_start - header_end) as u32 + payload;
        request.set_built(packet::put_header(&self.memory, header_end, request.first.get(), remaining) - start);
    }

    /// Begins to send a complete packet. That of a stream ends where its range does, until there is a piece of it to send.
    #[inline(never)]
    fn begin_packet(&self, request: &Request) {
        self.position.set(request.packet_start());
        self.end.set(request.end());
        let ungiven = if request.has(source::STREAMED) { request.payload_length(&self.memory) } else { 0 };
        self.ungiven.set(ungiven);
        self.work.set(if ungiven == 0 { Work::Request } else { Work::Piece });
    }

    /// Asks for the next piece of a stream. Returns false where there is none now.
    fn ask_piece(&self, host: impl Host, request: &Request) -> bool {
        if self.starved.get() {
            return false;
        }
        let start = request.payload_start(&self.memory);
        let room = (request.end() - start).min(self.ungiven.get() as usize);
        let length = usize::from(self.tell_of(host, Kind::PublishDataPart, start, room, request));
        if length > room {
            self.fail_stream(request);
            self.end(Kind::InvalidArgument, Kind::ConnectionClosed);
        } else if length == 0 {
            self.starved.set(true);
            self.stall();
            return false;
        } else {
            self.unlimit(late::PROGRESS);
            self.ungiven.set(self.ungiven.get() - length as u32);
            if self.mid_packet.get() {
                self.position.set(start);
            }
            self.end.set(start + length);
            self.work.set(Work::Request);
        }
        true
    }

    /// Has the stream that is being sent fail. The connection must end.
    pub(super) fn fail_stream(&self, request: &Request) {
        request.state.set(State::Failed);
        self.work.set(Work::None);
    }

    /// Has a request fail for want of a topic or a payload. Returns true: there is more to do.
    fn fail_request(&self, host: impl Host, request: &Request) -> bool {
        if request.is_control() {
            self.end_subscription(host, Kind::SubscriptionRefused, 0, request.reference.get());
        } else {
            self.tell_end(host, Kind::PublishFailed, request);
        }
        true
    }
}
