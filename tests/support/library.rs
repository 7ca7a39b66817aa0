//! What the firmware calls. All that the tests know of the crate's interface is here.

use super::events::{Details, Told};
use std::cell::Cell;
use utasker_mqtt::error::Error;
use utasker_mqtt::memory::{Memory, RECEIVE_END};
use utasker_mqtt::requests::{Connection, Options, Publish, Source};
use utasker_mqtt::session::{Data, Session, Step};

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

/// A session and its memory.
pub struct Library {
    session: Box<Session>,
    memory: Box<Memory>,
}

fn cells(text: &str) -> Vec<Cell<u8>> {
    text.bytes().map(Cell::new).collect()
}

impl Library {
    pub fn new() -> Self {
        Self { session: Box::new(Session::new()), memory: Box::new(Memory::new()) }
    }

    pub fn set_options(&mut self, options: Options) -> Result<(), Error> {
        self.session.requests.set_options(options)
    }

    pub fn connect(&mut self, flags: u8) -> Result<(), Error> {
        self.connect_as(flags, false)
    }

    /// With MQTT 3.1.
    pub fn connect_3_1(&mut self, flags: u8) -> Result<(), Error> {
        self.connect_as(flags, true)
    }

    fn connect_as(&mut self, flags: u8, version_3_1: bool) -> Result<(), Error> {
        self.session.requests.connect(Connection { address: [0; 16], address_length: 4, flags, version_3_1 })
    }

    pub fn disconnect(&mut self) -> Result<(), Error> {
        self.session.requests.disconnect()
    }

    /// Returns the reference.
    pub fn subscribe(&mut self, topic: Option<&str>, qos: u8) -> Result<u8, Error> {
        let topic = topic.map(cells);
        self.session.requests.subscribe(topic.as_deref(), qos).map(|reference| reference as u8)
    }

    pub fn unsubscribe(&mut self, reference: u8) -> Result<(), Error> {
        self.session.requests.unsubscribe(reference)
    }

    /// The QoS asked for and the one granted.
    pub fn subscription(&mut self, reference: u8) -> Result<(u8, u8), Error> {
        self.session.requests.subscription(reference).map(|subscription| (subscription.qos, subscription.granted))
    }

    /// The payload will be asked for.
    pub fn publish(&mut self, reference: u8, topic: Option<&str>, qos: u8) -> Result<(), Error> {
        self.request(reference, topic, qos, Source::Asked).map(|_| ())
    }

    /// The payload is copied. Returns the handle.
    pub fn publish_data(&mut self, reference: u8, topic: Option<&str>, qos: u8, payload: &[u8]) -> Result<u16, Error> {
        let index = self.request(reference, topic, qos, Source::Copied(payload.len() as u16))?;
        let entry = self.session.requests.outbox.entry(index);
        let payload: Vec<_> = payload.iter().copied().map(Cell::new).collect();
        self.memory.put(entry.start + entry.length - payload.len() as u16, &payload);
        self.session.requests.copied(index)?;
        Ok(self.session.requests.outbox.entry(index).handle)
    }

    /// The payload will be asked for piece by piece. Returns the handle.
    pub fn publish_stream(&mut self, reference: u8, topic: Option<&str>, qos: u8, total: u32) -> Result<u16, Error> {
        let index = self.request(reference, topic, qos, Source::Streamed(total))?;
        Ok(self.session.requests.outbox.entry(index).handle)
    }

    fn request(&mut self, reference: u8, topic: Option<&str>, qos: u8, source: Source) -> Result<u8, Error> {
        let topic = topic.map(cells);
        let qos_alone = (qos & 0x0f != SUBSCRIPTION_QOS).then_some(qos & 0x0f);
        let publish = Publish { reference, topic: topic.as_deref(), qos: qos_alone, retain: qos & RETAIN != 0, source };
        self.session.requests.publish(&self.memory, &publish)
    }

    /// Whether a text lies anywhere in the packet buffers.
    pub fn remembers(&self, text: &str) -> bool {
        self.range(0, RECEIVE_END).windows(text.len()).any(|window| window == text.as_bytes())
    }

    fn range(&self, start: u16, length: u16) -> Vec<u8> {
        self.cells(start, length).iter().map(Cell::get).collect()
    }

    fn cells(&self, start: u16, length: u16) -> &[Cell<u8>] {
        let cells = self.memory.range(start, length);
        assert_eq!(cells.len(), usize::from(length), "within the buffers");
        cells
    }

    // For the driver.

    pub(super) fn step(&mut self, outcome: i32) -> Step {
        self.session.step(&self.memory, outcome)
    }

    pub(super) fn wait(&self) -> u32 {
        self.session.wait
    }

    /// What goes with the present step.
    pub(super) fn data(&self) -> Vec<u8> {
        self.range(self.session.data.start, self.session.data.length)
    }

    /// How much the present step has, or wants.
    pub(super) fn length(&self) -> usize {
        self.session.data.length.into()
    }

    /// Puts bytes, as far as they fit, where the present step wants them, and returns how many there were.
    pub(super) fn put(&self, bytes: &[u8]) -> i32 {
        let Data { start, length } = self.session.data;
        for (cell, byte) in self.cells(start, length).iter().zip(bytes) {
            cell.set(*byte);
        }
        bytes.len() as i32
    }

    /// The present event.
    pub(super) fn event(&self) -> Told {
        let event = self.session.event;
        let details = self.session.message(&self.memory).map(|message| Details {
            topic: message.topic.map(|Data { start, length }| String::from_utf8(self.range(start, length)).unwrap()),
            topic_length: message.topic_length,
            identifier: message.identifier,
            handle: message.handle,
            qos: message.flags.qos(),
            retained: message.flags.retained(),
            duplicate: message.flags.duplicate(),
            total: message.total,
            offset: message.offset,
        });
        let mut told = Told { kind: event.kind, reference: event.reference, number: event.number, data: Vec::new(), details };
        if event.kind.has_data() {
            assert_eq!(u32::from(self.session.data.length), event.number);
            let data = self.data();
            if !told.asks() {
                told.data = data;
            }
        }
        told
    }
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
