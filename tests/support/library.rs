//! What the firmware calls. All that the tests know of the crate's interface is here.

use super::events::{Details, Told};
use std::cell::Cell;
use std::rc::Rc;
use utasker_mqtt::error::Error;
use utasker_mqtt::memory::RECEIVE_END;
use utasker_mqtt::outbox::{PAYLOAD_ROOM, source};
use utasker_mqtt::packet;
use utasker_mqtt::session::{Host, Kind, Publish, Session};

/// What a firmware chooses.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub port: u16,
    pub keep_alive: u16,
    pub response: u16,
    pub reconnect_first: u16,
    pub reconnect_longest: u16,
}

/// What an answer to a request means.
fn result(answer: i32) -> Result<u16, Error> {
    const ERRORS: [Error; 11] = [
        Error::NotReady,
        Error::InUse,
        Error::NoSubscriptionEntry,
        Error::MissingTopic,
        Error::InvalidSubscription,
        Error::InvalidArgument,
        Error::InvalidTopic,
        Error::TopicTooLong,
        Error::MessageTooLong,
        Error::Busy,
        Error::NotSupported,
    ];
    match u16::try_from(answer) {
        Ok(answer) => Ok(answer),
        Err(_) => Err(*ERRORS.iter().find(|error| **error as i32 == answer).expect("an error")),
    }
}

/// The flag of a clean session, of a kept one, and others of CONNECT.
pub const CLEAN: u8 = 0x02;
pub const KEPT: u8 = 0;
pub const WILL: u8 = 0x04;
pub const WILL_QOS_1: u8 = 0x08;
pub const WILL_RETAIN: u8 = 0x20;
pub const PASSWORD: u8 = 0x40;
pub const USER_NAME: u8 = 0x80;

/// As a QoS: that of the subscription, or 2.
pub const SUBSCRIPTION_QOS: u8 = 0x0f;
/// With a QoS: the broker is to retain the message.
pub const RETAIN: u8 = 0x10;

/// A session.
#[derive(Clone)]
pub struct Library {
    session: Rc<Session>,
}

fn cells(text: &str) -> Vec<Cell<u8>> {
    text.bytes().map(Cell::new).collect()
}

impl Library {
    pub fn new() -> Self {
        let session = Rc::new(Session::new());
        session.prepare();
        Self { session }
    }

    pub fn set_options(&mut self, options: Options) -> Result<(), Error> {
        result(self.session.between_connections())?;
        let chosen = self.session.options();
        chosen.port.set(options.port);
        chosen.keep_alive.set(options.keep_alive);
        chosen.response.set(options.response);
        chosen.reconnect_first.set(options.reconnect_first);
        chosen.reconnect_longest.set(options.reconnect_longest);
        Ok(())
    }

    pub fn connect(&mut self, flags: u8) -> Result<(), Error> {
        self.connect_as(flags, false)
    }

    /// With MQTT 3.1.
    pub fn connect_3_1(&mut self, flags: u8) -> Result<(), Error> {
        self.connect_as(flags, true)
    }

    fn connect_as(&mut self, flags: u8, version_3_1: bool) -> Result<(), Error> {
        result(self.session.between_connections())?;
        self.session.connect(flags, version_3_1);
        Ok(())
    }

    pub fn disconnect(&mut self) -> Result<(), Error> {
        result(self.session.disconnect()).map(|_| ())
    }

    /// Returns the reference.
    pub fn subscribe(&mut self, topic: Option<&str>, qos: u8) -> Result<u8, Error> {
        result(self.session.subscribe(&cells(topic.unwrap_or_default()), qos, 0)).map(|reference| reference as u8)
    }

    pub fn unsubscribe(&mut self, reference: u8) -> Result<(), Error> {
        result(self.session.unsubscribe(reference.into())).map(|_| ())
    }

    /// The QoS asked for and the one granted.
    pub fn subscription(&mut self, reference: u8) -> Result<(u8, u8), Error> {
        let reference = reference.into();
        let subscription = self.session.subscription(reference).ok_or_else(|| self.session.no_subscription(reference))?;
        Ok((subscription.qos(), subscription.granted()))
    }

    /// The payload will be asked for.
    pub fn publish(&mut self, reference: u8, topic: Option<&str>, qos: u8) -> Result<(), Error> {
        self.request(reference, topic, qos, source::PAYLOAD_ASKED, PAYLOAD_ROOM as u32).map(|_| ())
    }

    /// The payload is copied. Returns the handle.
    pub fn publish_data(&mut self, reference: u8, topic: Option<&str>, qos: u8, payload: &[u8]) -> Result<u16, Error> {
        let claimed = self.claim_data(reference, topic, qos, payload.len())?;
        self.copy_data(claimed, payload)
    }

    /// The first half of it, behind which something else may come between.
    pub fn claim_data(&mut self, reference: u8, topic: Option<&str>, qos: u8, length: usize) -> Result<(u16, usize), Error> {
        self.request(reference, topic, qos, 0, length as u32)
    }

    /// The second half.
    pub fn copy_data(&mut self, (handle, end): (u16, usize), payload: &[u8]) -> Result<u16, Error> {
        let payload: Vec<_> = payload.iter().copied().map(Cell::new).collect();
        self.session.memory.put(end - payload.len(), &payload);
        result(self.session.copied(handle.into()))
    }

    /// The payload will be asked for piece by piece. Returns the handle.
    pub fn publish_stream(&mut self, reference: u8, topic: Option<&str>, qos: u8, total: u32) -> Result<u16, Error> {
        self.request(reference, topic, qos, source::STREAMED, total).map(|(handle, _)| handle)
    }

    /// Returns the handle, and where the range of the transmit buffer ends.
    fn request(&mut self, reference: u8, topic: Option<&str>, qos: u8, source: u8, total: u32) -> Result<(u16, usize), Error> {
        let topic = cells(topic.unwrap_or_default());
        let publish = Publish { checked: 0, reference: reference.into(), topic: &topic, qos: qos & 0x0f, retain: qos & RETAIN != 0, source, total };
        let answer = self.session.publish(&publish);
        result(if answer < 0 { answer } else { answer & 0xffff }).map(|handle| (handle, answer as usize >> 16))
    }

    /// Whether `fnGetMQTT_message` has anything to tell.
    pub fn has_message(&self) -> bool {
        self.session.message().is_some()
    }

    /// Whether a text lies anywhere in the packet buffers.
    pub fn remembers(&self, text: &str) -> bool {
        self.range(0, RECEIVE_END).windows(text.len()).any(|window| window == text.as_bytes())
    }

    fn range(&self, start: usize, length: usize) -> Vec<u8> {
        self.cells(start, length).iter().map(Cell::get).collect()
    }

    fn cells(&self, start: usize, length: usize) -> &[Cell<u8>] {
        let cells = self.session.memory.range(start, length);
        assert_eq!(cells.len(), length, "within the buffers");
        cells
    }

    // For the driver.

    pub fn poll(&self, host: impl Host) -> u32 {
        self.session.poll(host)
    }

    /// What is sent.
    pub fn data(&self, place: usize, length: usize) -> Vec<u8> {
        self.range(place, length)
    }

    /// Puts bytes, as far as they fit, where so many are wanted, and returns how many there were.
    pub fn put(&self, place: usize, length: usize, bytes: &[u8]) -> i32 {
        for (cell, byte) in self.cells(place, length).iter().zip(bytes) {
            cell.set(*byte);
        }
        bytes.len() as i32
    }

    /// The event that the application is being told.
    pub fn event(&self, kind: Kind, place: usize, number: u32, reference: u8) -> Told {
        let details = self.session.message().map(|message| Details {
            topic: (message.topic != 0).then(|| String::from_utf8(self.range(message.topic, message.topic_length)).unwrap()),
            topic_length: message.topic_length as u16,
            identifier: message.identifier as u16,
            handle: message.handle as u16,
            qos: packet::qos(message.first),
            retained: message.first & packet::RETAIN != 0,
            duplicate: message.first & packet::DUPLICATE != 0,
            total: message.total,
            offset: message.offset,
        });
        let mut told = Told { kind, reference, number, data: Vec::new(), details };
        assert_eq!(place != 0, has_data(kind), "{kind:?}");
        if place != 0 {
            let data = self.data(place, number as usize);
            if !told.asks() {
                told.data = data;
            }
        }
        told
    }
}

/// Whether data, or room for them, go with an event.
pub fn has_data(kind: Kind) -> bool {
    use Kind::*;
    matches!(
        kind,
        ClientIdentifier | WillTopic | WillMessage | UserName | UserPassword
            | PublishTopic | PublishData | PublishDataPart | TopicMessage | TopicMessagePart
    )
}

// The critical section of a firmware that has one task.

/// Nothing else runs.
#[unsafe(no_mangle)]
pub extern "C" fn fnEnterMQTT_critical() -> std::ffi::c_ulong {
    0
}

/// Nothing else ran.
#[unsafe(no_mangle)]
pub extern "C" fn fnExitMQTT_critical(_: std::ffi::c_ulong) {}
