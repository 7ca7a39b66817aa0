//! From the request for a connection to CONNACK.

use super::{Kind, Session, Stage, Step, Work};
use crate::memory::{Memory, RECEIVE, RECEIVE_END};
use crate::outbox::State;
use crate::packet::{self, PublishFlags, SLOT, first_byte};
use crate::requests::Phase;
use crate::subscriptions::flag;
use crate::topic::{self, Text};

// The flags of CONNECT, section 3.1.2.3 of the standard.
const CLEAN_SESSION: u8 = 0x02;
const WILL: u8 = 0x04;
const PASSWORD: u8 = 0x40;
const USER_NAME: u8 = 0x80;

/// The fields of CONNECT's payload, in their order [MQTT-3.1.3-1], with the flags that they depend on.
const FIELDS: [(Kind, u8); 5] = [
    (Kind::ClientIdentifier, 0),
    (Kind::WillTopic, WILL),
    (Kind::WillMessage, WILL),
    (Kind::UserName, USER_NAME),
    (Kind::UserPassword, PASSWORD),
];

impl Session {
    pub(super) fn is_clean(&self) -> bool {
        self.requests.connection.flags & CLEAN_SESSION != 0
    }

    /// Begins the first attempt of a connection that is wanted.
    pub(super) fn begin(&mut self) {
        if self.is_clean() {
            self.requests.fail(|_| true);
            self.requests.subscriptions.clear();
            self.requests.identifier = 0;
        }
        self.failures = true;
        self.pause = u32::from(self.requests.options.reconnect_first) * 1000;
        self.stage = Stage::Opening;
    }

    /// The link is being opened: begins CONNECT where later the broker's bytes go.
    pub(super) fn opened(&mut self, memory: &Memory) {
        self.link_open = true;
        if !self.is_clean() && self.requests.identifier == 0 {
            self.requests.identifier = self.random as u16;
        }
        let connection = &self.requests.connection;
        let mut place = RECEIVE + SLOT;
        let mut put = |bytes: &[u8]| {
            for &byte in bytes {
                memory.set(place, byte);
                place += 1;
            }
        };
        put(if connection.version_3_1 { b"\0\x06MQIsdp\x03" } else { b"\0\x04MQTT\x04" });
        put(&[connection.flags]);
        put(&self.requests.options.keep_alive().to_be_bytes());
        self.end = place;
        self.field = 0;
        self.enter(Stage::Asking);
    }

    /// Asks for the next field of CONNECT, or completes it.
    pub(super) fn ask_field(&mut self, memory: &Memory) -> Option<Step> {
        while let Some(&(kind, flag)) = FIELDS.get(usize::from(self.field)) {
            if flag == 0 || self.requests.connection.flags & flag != 0 {
                let start = self.end + 2;
                return Some(self.tell_data(kind, start, RECEIVE_END.saturating_sub(start), 0));
            }
            self.field += 1;
        }
        let remaining = u32::from(self.end - RECEIVE - SLOT);
        self.position = packet::put_header(memory, RECEIVE + SLOT, first_byte::CONNECT, remaining);
        self.work = Work::Connect;
        self.stage = Stage::Connecting;
        None
    }

    /// The application has written `length` bytes of a field.
    pub(super) fn field_answered(&mut self, memory: &Memory, length: u16) {
        let text = match self.event.kind {
            Kind::WillTopic => Some(Text::Name),
            Kind::ClientIdentifier | Kind::UserName => Some(Text::Any),
            _ => None,
        };
        let connection = &self.requests.connection;
        // [MQTT-3.1.3-7]; MQTT 3.1 has no empty identifier at all.
        let nameless = self.event.kind == Kind::ClientIdentifier && length == 0 && (!self.is_clean() || connection.version_3_1);
        let valid = |kind| topic::is_valid(memory.range(self.data.start, length), kind);
        let fits = length <= self.data.length && self.data.start <= RECEIVE_END;
        if !fits || nameless || !text.is_none_or(valid) {
            return self.end(Kind::InvalidArgument, Kind::ConnectionClosed);
        }
        memory.set_number(self.end, length);
        self.end += 2 + length;
        self.field += 1;
    }

    /// The link took some of CONNECT, for the first time or all that was left.
    pub(super) fn connect_sent(&mut self, memory: &Memory, complete: bool) {
        self.entered = self.now;
        if self.requests.phase == Phase::Starting {
            self.requests.phase = Phase::Open;
        }
        if complete {
            self.mid_packet = false;
            self.work = Work::None;
            memory.wipe(RECEIVE, RECEIVE_END - RECEIVE);
            self.inbox.clear();
        }
    }

    /// CONNACK has arrived.
    pub(super) fn connack(&mut self, acknowledge_flags: u8, return_code: u8) -> Option<Step> {
        let old = self.requests.connection.version_3_1;
        if self.connected || acknowledge_flags > 1 && !old {
            self.protocol_error();
            return None;
        }
        if return_code != 0 {
            self.end(Kind::None, Kind::ConnectionClosed);
            return Some(self.tell(Kind::ConnectionRefused, return_code.into(), 0));
        }
        let known = acknowledge_flags == 1 && !self.is_clean() && !old;
        // MQTT 3.1 does not tell: the broker may know our messages.
        let resumed = known || old && !self.is_clean();
        if !resumed {
            self.incoming.clear();
        }
        self.restore(resumed, known);
        self.connected = true;
        self.pause = u32::from(self.requests.options.reconnect_first) * 1000;
        (self.sent, self.received) = (self.now, self.now);
        self.stage = Stage::Connected;
        Some(self.tell(Kind::Connack, known.into(), 0))
    }

    /// Has what was unacknowledged sent again, and the subscriptions made again that the broker does not know.
    fn restore(&mut self, resumed: bool, subscribed: bool) {
        for entry in &mut self.requests.outbox.entries {
            match entry.state {
                State::Sent | State::Built => {
                    if !resumed {
                        entry.first &= !PublishFlags::DUPLICATE;
                    } else if entry.state == State::Sent {
                        entry.first |= PublishFlags::DUPLICATE; // [MQTT-3.3.1-1]
                    }
                    entry.state = State::Built;
                }
                State::Released | State::Unreleased => entry.state = if resumed { State::Unreleased } else { State::Failed },
                _ => {}
            }
        }
        let order = self.requests.next_order();
        for entry in &mut self.requests.subscriptions.entries {
            if !subscribed && entry.has(flag::USED) && entry.flags & (flag::SUBSCRIBE | flag::UNSUBSCRIBE) == 0 {
                entry.flags |= flag::SUBSCRIBE | flag::RESTORED;
                entry.order = order;
            }
        }
        self.requests.waiting = true;
        self.failures = true;
    }
}
