//! From the request for a connection to CONNACK.

use super::{Area, Bytes, Event, Kind, Lost, Question, Session, Stage, Step, Work};
use crate::config::RX_BUFFER_LENGTH;
use crate::outbox::State;
use crate::packet::{self, PublishFlags, SLOT, first_byte};
use crate::requests::{Guard, Phase, Requests};
use crate::subscriptions::flag;
use crate::topic;
use crate::wire::Writer;
use core::cell::Cell;

// The flags of CONNECT, section 3.1.2.3 of the standard.
const CLEAN_SESSION: u8 = 0x02;
const WILL: u8 = 0x04;
const PASSWORD: u8 = 0x40;
const USER_NAME: u8 = 0x80;

/// The fields of CONNECT's payload, in their order [MQTT-3.1.3-1], each with the flag that it depends on.
const FIELDS: [(Kind, u8); 5] = [
    (Kind::ClientIdentifier, 0),
    (Kind::WillTopic, WILL),
    (Kind::WillMessage, WILL),
    (Kind::UserName, USER_NAME),
    (Kind::UserPassword, PASSWORD),
];

impl Session {
    /// Begins the first attempt of a connection that is wanted.
    pub(super) fn begin(&mut self, shared: &impl Guard) {
        shared.with(|requests| {
            let connection = requests.connection;
            self.options = requests.options.resolved();
            self.flags = connection.flags;
            self.version_3_1 = connection.version_3_1;
            self.clean = connection.flags & CLEAN_SESSION != 0;
            if self.clean {
                requests.fail(|_| true);
                requests.subscriptions.clear();
                requests.identifier = 0;
            }
        });
        self.failures = true;
        self.reconnecting = false;
        self.pause = u32::from(self.options.reconnect_first) * 1000;
        self.stage = Stage::Opening;
    }

    /// The link is being opened, or could not be; `random` is any number that others cannot guess.
    pub fn opened(&mut self, shared: &impl Guard, result: Result<(), Lost>, random: u32) {
        self.random = random;
        shared.with(|requests| {
            if !self.clean && requests.identifier == 0 {
                requests.identifier = random as u16;
            }
        });
        if let Err(lost) = result {
            return self.lose(lost);
        }
        self.link_open = true;
        (self.sent, self.received) = (self.now, self.now);
        let (name, level) = if self.version_3_1 { (&b"MQIsdp"[..], 3) } else { (&b"MQTT"[..], 4) };
        let mut packet = Writer::new(Cell::from_mut(self.inbox.buffer()).as_slice_of_cells());
        packet.bytes(&[0; SLOT]);
        packet.number(name.len() as u16);
        packet.bytes(name);
        packet.byte(level);
        packet.byte(self.flags);
        packet.number(self.options.keep_alive);
        self.end = packet.position();
        self.field = 0;
        self.enter(Stage::Asking);
    }

    /// Asks for the next field of CONNECT, or completes it.
    pub(super) fn ask_field(&mut self) -> Option<Step> {
        while let Some(&(kind, flag)) = FIELDS.get(usize::from(self.field)) {
            if flag == 0 || self.flags & flag != 0 {
                self.question = Question::Field;
                let room = Bytes::new(Area::Inbox, self.end + 2..RX_BUFFER_LENGTH as u16);
                return Some(Event::with(kind, room, 0));
            }
            self.field += 1;
        }
        let packet = Cell::from_mut(self.inbox.buffer()).as_slice_of_cells();
        if let Some(slot) = packet.get(..SLOT) {
            packet::close_header(slot, first_byte::CONNECT, u32::from(self.end) - SLOT as u32);
            self.position = packet::header_start(slot) as u16;
        }
        self.work = Work::Connect;
        self.stage = Stage::Connecting;
        None
    }

    /// The application has written `length` bytes of a field.
    pub(super) fn field_answered(&mut self, length: u16) {
        let field = FIELDS.get(usize::from(self.field)).map_or(Kind::None, |(kind, _)| *kind);
        let packet = Cell::from_mut(self.inbox.buffer()).as_slice_of_cells();
        let Some(room) = packet.get(usize::from(self.end)..) else { return };
        let Some(text) = room.get(2..).and_then(|room| room.get(..usize::from(length))) else {
            return self.end(Kind::InvalidArgument, Kind::ConnectionClosed);
        };
        let mut text_bytes = text.iter().map(Cell::get);
        let valid = match field {
            // [MQTT-3.1.3-7], and MQTT 3.1 has no empty identifier.
            Kind::ClientIdentifier => topic::is_text(text_bytes) && (length != 0 || self.clean && !self.version_3_1),
            Kind::WillTopic => topic::is_name(text_bytes),
            Kind::UserName => topic::is_text(text_bytes),
            _ => text_bytes.next().is_some() || length == 0,
        };
        if !valid {
            return self.end(Kind::InvalidArgument, Kind::ConnectionClosed);
        }
        Writer::new(room).number(length);
        self.end += 2 + length;
        self.field += 1;
    }

    /// The link took some of CONNECT, for the first time or all that was left.
    pub(super) fn connect_sent(&mut self, shared: &impl Guard, first_bytes: bool, complete: bool) {
        self.entered = self.now;
        if first_bytes {
            shared.with(|requests| {
                if requests.phase == Phase::Starting {
                    requests.phase = Phase::Open;
                }
            });
        }
        if complete {
            self.mid_packet = false;
            self.work = Work::None;
            self.inbox.wipe();
        }
    }

    /// CONNACK has arrived.
    pub(super) fn connack(&mut self, shared: &impl Guard, acknowledge_flags: u8, return_code: u8) -> Option<Step> {
        if self.connected || acknowledge_flags > 1 && !self.version_3_1 {
            self.protocol_error();
            return None;
        }
        if return_code != 0 {
            self.end(Kind::None, Kind::ConnectionClosed);
            return Some(Event::new(Kind::ConnectionRefused, u32::from(return_code), 0));
        }
        let present = acknowledge_flags & 1 != 0 && !self.clean && !self.version_3_1;
        // MQTT 3.1 does not tell: the broker may know our messages.
        let resumed = present || self.version_3_1 && !self.clean;
        if !resumed {
            self.incoming.clear();
        }
        shared.with(|requests| restore(requests, resumed, present));
        self.failures = true;
        self.connected = true;
        self.pause = u32::from(self.options.reconnect_first) * 1000;
        (self.sent, self.received) = (self.now, self.now);
        self.enter(Stage::Connected);
        Some(Event::new(Kind::Connack, u32::from(present), 0))
    }
}

/// Has what was unacknowledged sent again, and the subscriptions made again that the broker does not know.
fn restore(requests: &mut Requests, resumed: bool, subscribed: bool) {
    for entry in &mut requests.outbox.entries {
        match entry.state {
            State::Built if !resumed => entry.first &= !PublishFlags::DUPLICATE,
            State::Sent => {
                entry.state = State::Built;
                let duplicate = if resumed { PublishFlags::DUPLICATE } else { 0 }; // [MQTT-3.3.1-1]
                entry.first = entry.first & !PublishFlags::DUPLICATE | duplicate;
            }
            State::Released | State::Unreleased => entry.state = if resumed { State::Unreleased } else { State::Failed },
            _ => {}
        }
    }
    for entry in &mut requests.subscriptions.entries {
        if !subscribed && entry.has(flag::USED) && entry.flags & (flag::SUBSCRIBE | flag::UNSUBSCRIBE) == 0 {
            entry.flags |= flag::SUBSCRIBE | flag::RESTORED;
        }
    }
    requests.waiting = true;
}
