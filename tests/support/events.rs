//! Events, and the application that answers them.

use super::library::Library;
use std::fmt;
use utasker_mqtt::session::Kind;

/// An event that tells, or asks, something. The details are no part of a comparison.
#[derive(Clone)]
pub struct Told {
    pub kind: Kind,
    pub reference: u8,
    pub number: u32,
    pub data: Vec<u8>,
    pub details: Option<Details>,
}

/// What `fnGetMQTT_message` tells in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    pub topic: Option<String>,
    pub topic_length: u16,
    pub identifier: u16,
    pub handle: u16,
    pub qos: u8,
    pub retained: bool,
    pub duplicate: bool,
    pub total: u32,
    pub offset: u32,
}

const fn told(kind: Kind, number: u32) -> Told {
    Told { kind, reference: 0, number, data: Vec::new(), details: None }
}

pub const CONNECTION_CLOSED: Told = told(Kind::ConnectionClosed, 0);
pub const HOST_CLOSED: Told = told(Kind::HostClosed, 0);
/// `ERROR_MQTT_ARP_FAIL`.
pub const UNREACHABLE: Told = told(Kind::Unreachable, 0);
pub const PROTOCOL: Told = told(Kind::Protocol, 0);
pub const TIMEOUT: Told = told(Kind::Timeout, 0);
pub const LINK: Told = told(Kind::Link, 0);
pub const BUSY: Told = told(Kind::Busy, 0);
pub const INVALID_ARGUMENT: Told = told(Kind::InvalidArgument, 0);

pub fn connack(session_present: bool) -> Told {
    told(Kind::Connack, session_present.into())
}

pub fn refused(return_code: u8) -> Told {
    told(Kind::ConnectionRefused, return_code.into())
}

pub fn reconnecting(milliseconds: u32) -> Told {
    told(Kind::Reconnecting, milliseconds)
}

pub fn suback(granted: u8, reference: u8) -> Told {
    told(Kind::Suback, granted.into()).of(reference)
}

pub fn subscription_refused(code: u8, reference: u8) -> Told {
    told(Kind::SubscriptionRefused, code.into()).of(reference)
}

pub fn unsuback(reference: u8) -> Told {
    told(Kind::Unsuback, 0).of(reference)
}

pub fn acknowledged(qos: u8) -> Told {
    told(Kind::PublishAcknowledged, qos.into())
}

pub fn failed(qos: u8) -> Told {
    told(Kind::PublishFailed, qos.into())
}

pub fn message(reference: u8, payload: impl AsRef<[u8]>) -> Told {
    let data = payload.as_ref().to_vec();
    Told { kind: Kind::TopicMessage, reference, number: data.len() as u32, data, details: None }
}

impl Told {
    /// For a subscription.
    pub fn of(self, reference: u8) -> Self {
        Self { reference, ..self }
    }

    /// Whether the application is to write something.
    pub fn asks(&self) -> bool {
        super::has_data(self.kind) && !matches!(self.kind, Kind::TopicMessage | Kind::TopicMessagePart)
    }

    /// The details, which are there.
    #[track_caller]
    pub fn message(&self) -> &Details {
        self.details.as_ref().expect("details")
    }
}

impl PartialEq for Told {
    fn eq(&self, other: &Self) -> bool {
        (self.kind, self.reference, self.number, &self.data) == (other.kind, other.reference, other.number, &other.data)
    }
}

impl fmt::Debug for Told {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "{:?}({})[{}]", self.kind, self.number, self.reference)?;
        if !self.data.is_empty() && self.data.len() < 80 {
            write!(formatter, " {:?}", String::from_utf8_lossy(&self.data))?;
        }
        Ok(())
    }
}

/// What a callback writes and returns.
pub struct Answer {
    pub bytes: Vec<u8>,
    pub number: u16,
}

impl From<&str> for Answer {
    fn from(text: &str) -> Self {
        Self::from(text.as_bytes().to_vec())
    }
}

impl From<Vec<u8>> for Answer {
    fn from(bytes: Vec<u8>) -> Self {
        let number = bytes.len() as u16;
        Self { bytes, number }
    }
}

/// Returned, with nothing written.
impl From<u16> for Answer {
    fn from(number: u16) -> Self {
        Self { bytes: Vec::new(), number }
    }
}

type Callback = Box<dyn FnMut(&mut Library, &Told) -> Option<Answer>>;

/// The application. What its callback does not answer it answers from here.
pub struct Application {
    pub client_identifier: String,
    pub will_topic: String,
    pub will_message: String,
    pub user_name: String,
    pub password: String,
    pub topic: String,
    pub payload: Vec<u8>,
    callback: Callback,
}

impl Application {
    pub(super) fn new() -> Self {
        Self {
            client_identifier: "KINETIS".into(),
            will_topic: "will".into(),
            will_message: "gone".into(),
            user_name: "user".into(),
            password: "secret".into(),
            topic: "asked".into(),
            payload: b"payload".to_vec(),
            callback: Box::new(|_, _| None),
        }
    }

    /// How events are answered from now on.
    pub fn answers(&mut self, callback: impl FnMut(&mut Library, &Told) -> Option<Answer> + 'static) {
        self.callback = Box::new(callback);
    }

    pub(super) fn answer(&mut self, library: &mut Library, event: &Told) -> Answer {
        if let Some(answer) = (self.callback)(library, event) {
            return answer;
        }
        match event.kind {
            Kind::ClientIdentifier => self.client_identifier.as_str().into(),
            Kind::WillTopic => self.will_topic.as_str().into(),
            Kind::WillMessage => self.will_message.as_str().into(),
            Kind::UserName => self.user_name.as_str().into(),
            Kind::UserPassword => self.password.as_str().into(),
            Kind::PublishTopic => self.topic.as_str().into(),
            Kind::PublishData => self.payload.clone().into(),
            Kind::PublishDataPart => stream(event.message().offset, event.number).into(),
            _ => 0.into(),
        }
    }
}

/// A piece of the stream that the application gives.
pub fn stream(offset: u32, length: u32) -> Vec<u8> {
    (offset..offset + length).map(|place| (place % 251) as u8).collect()
}
