//! From the request for a connection to CONNACK.

use super::{Host, Kind, Phase, Session, Stage, Work, late};
use crate::config::MQTT_3_1;
use crate::memory::{RECEIVE, RECEIVE_END};
use crate::outbox::{State, source};
use crate::packet::{self, DUPLICATE, SLOT, first_byte};
use crate::topic::{self, Text};

// The flags of CONNECT, section 3.1.2.3 of the standard.
const CLEAN_SESSION: u8 = 0x02;
const WILL: u8 = 0x04;
const PASSWORD: u8 = 0x40;
const USER_NAME: u8 = 0x80;
/// Of the client identifier, which depends on no flag.
const ALWAYS: u8 = 0;

/// The fields of CONNECT's payload, in their order [MQTT-3.1.3-1], the flag that each depends on, and what text it is.
const FIELDS: [(Kind, u8, Option<Text>); 5] = [
    (Kind::ClientIdentifier, ALWAYS, Some(Text::Any)),
    (Kind::WillTopic, WILL, Some(Text::Name)),
    (Kind::WillMessage, WILL, None),
    (Kind::UserName, USER_NAME, Some(Text::Any)),
    (Kind::UserPassword, PASSWORD, None),
];

impl Session {
    /// Whether the session ends with the connection.
    pub(super) fn is_clean(&self) -> bool {
        self.flags.get() & CLEAN_SESSION != 0
    }

    /// Whether MQTT 3.1 is spoken.
    pub(super) fn is_3_1(&self) -> bool {
        MQTT_3_1 && self.version_3_1.get()
    }

    /// Begins the first attempt of a connection that is wanted: a clean one knows nothing of those before [MQTT-3.1.2-6].
    pub(super) fn begin(&self, host: impl Host) {
        self.pause.set(self.options.reconnect_first.get());
        if self.is_clean() {
            self.fail(true);
        }
        self.tell_failures(host);
        if self.phase.get() == Phase::Starting {
            self.stage.set(Stage::Opening);
        }
    }

    /// Opens the link, and makes CONNECT where later the broker's bytes go.
    #[inline(never)]
    pub(super) fn open(&self, host: impl Host) {
        if !self.is_clean() && self.outbox.identifier.get() == 0 {
            self.outbox.identifier.set(host.random() as usize);
        }
        let result = host.open();
        if result < 0 {
            return self.lose(result);
        }
        self.link_open.set(true);
        self.blocked.set(false);
        self.work.set(Work::Connect);
        self.enter(Stage::Connecting);
        let memory = &self.memory;
        let mut end = RECEIVE + SLOT;
        let old = self.is_3_1();
        let protocol: &[u8] = if old { b"\0\x06MQIsdp\x03" } else { b"\0\x04MQTT\x04" };
        for byte in protocol {
            memory.set(end, *byte);
            end += 1;
        }
        let flags = self.flags.get();
        memory.set(end, flags);
        memory.set_number(end + 1, self.options.keep_alive().into());
        end += 3;
        for &(kind, flag, text) in &FIELDS {
            if flags & flag != flag {
                continue;
            }
            let start = end + 2;
            let room = RECEIVE_END.saturating_sub(start);
            let length = usize::from(self.tell(host, kind, start, room as u32, 0));
            end = start + length;
            // [MQTT-3.1.3-7]; MQTT 3.1 has no empty identifier at all.
            let missing = length == 0 && flag == ALWAYS && (old || flags & CLEAN_SESSION == 0);
            if end > RECEIVE_END || missing || text.is_some_and(|text| !topic::is_valid(memory.range(start, length), text)) {
                return self.end(Kind::InvalidArgument, Kind::ConnectionClosed);
            }
            memory.set_number(start - 2, length);
        }
        self.position.set(packet::put_header(memory, RECEIVE + SLOT, first_byte::CONNECT, (end - RECEIVE - SLOT) as u32));
        self.end.set(end);
    }

    /// The link took some of CONNECT, for the first time or all that was left.
    pub(super) fn connect_sent(&self, host: impl Host, complete: bool) {
        if self.stage.get() == Stage::Connecting {
            self.enter(Stage::Connecting);
        }
        if self.phase.get() == Phase::Starting {
            self.tell_failures(host); // copies that were given up make room for what is now accepted
            self.phase.set(Phase::Open);
        }
        if complete {
            self.mid_packet.set(false);
            self.work.set(Work::None);
            self.forget_received(host);
        }
    }

    /// CONNACK has arrived.
    pub(super) fn connack(&self, host: impl Host, acknowledge_flags: u8, return_code: u8) {
        let old = self.is_3_1();
        // There are no other return codes [MQTT-3.2.2-6], nor is a session present where it is refused [MQTT-3.2.2-4].
        let most = u8::from(return_code == 0);
        if self.connected.get() || return_code > 5 || acknowledge_flags > most && !old {
            return self.protocol_error();
        }
        if return_code != 0 {
            self.end(Kind::None, Kind::ConnectionClosed);
            self.tell(host, Kind::ConnectionRefused, 0, return_code.into(), 0);
            return;
        }
        let kept = !self.is_clean();
        let known = acknowledge_flags == 1 && kept && !old;
        // MQTT 3.1 does not tell: the broker may know our messages.
        let resumed = known || old && kept;
        if !resumed {
            self.forget_incoming();
        }
        self.restore(resumed, known);
        self.connected.set(true);
        self.pause.set(self.options.reconnect_first.get());
        if self.stage.get() == Stage::Connecting {
            self.stage.set(Stage::Connected);
            self.unlimit(late::STAGE);
        }
        self.tell(host, Kind::Connack, 0, known.into(), 0);
        self.tell_failures(host);
    }

    /// Has what was unacknowledged sent again, and the subscriptions made again that the broker does not know.
    fn restore(&self, resumed: bool, subscribed: bool) {
        for request in self.outbox.all() {
            match request.state.get() {
                State::Sent | State::Again => {
                    request.state.set(if resumed { State::Again } else { State::Built });
                    if !request.is_control() {
                        let first = request.first.get() & !DUPLICATE;
                        request.first.set(if resumed { first | DUPLICATE } else { first }); // [MQTT-3.3.1-1]
                        self.memory.set(request.packet_start(), request.first.get());
                    }
                }
                State::Released | State::Unreleased => request.state.set(if resumed { State::Unreleased } else { State::Failed }),
                _ => {}
            }
        }
        let mut reference = 0;
        for subscription in &self.subscriptions.0 {
            reference += 1;
            if !subscribed && subscription.is_used() && self.under_way(reference).is_none() {
                self.request_subscription(first_byte::SUBSCRIBE, reference, subscription, source::RESTORED);
            }
        }
    }
}
