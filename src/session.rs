//! The client's state machine: bytes, time and requests in; bytes and events out. No socket, clock, callback, static or
//! `unsafe`.
//!
//! Whoever drives it calls [`Session::wake`] with the time, and then does what each [`Session::step`] asks for, until that
//! is to wait. `connecting.rs` holds what lies before CONNACK, `sending.rs` and `receiving.rs` what lies behind it,
//! `ending.rs` the end of a connection.

mod connecting;
mod ending;
mod receiving;
mod sending;

use crate::config::MAX_INCOMING_QOS2;
use crate::error::Error;
use crate::inbox::{Inbox, Publication};
use crate::outbox::{Entry, Topic};
use crate::packet::{TOPIC, first_byte};
use crate::requests::{Guard, Options, Phase};
use core::cell::Cell;
use core::ops::Range;
use heapless::Vec;

/// Bytes of acknowledgements that may wait for the link; while there is no room for one, nothing is read.
const REPLIES: usize = 32;
/// What a PINGREQ or a DISCONNECT takes besides.
const REPLIES_RESERVE: usize = 4;
/// How long the link may take to close after DISCONNECT, in milliseconds.
const LINGER: u32 = 1000;
/// After how long a stream that had nothing to give is asked again, in milliseconds.
const STREAM_RETRY: u32 = 100;
/// Receptions in one go, after which the driver is asked to come back, so that time and others get their due.
const BURST: u8 = 16;
/// No need to wake again.
pub const NEVER: u32 = u32::MAX;

/// What the session wants done.
#[derive(Debug)]
pub enum Step {
    /// Open the link to [`crate::requests::Connection`]; then [`Session::opened`].
    Open,
    /// Close the link.
    Close,
    /// Send these bytes; then [`Session::sent`].
    Send(Bytes),
    /// Receive into these bytes; then [`Session::received`].
    Receive(Bytes),
    /// Tell, or ask, the application; then [`Session::answered`].
    Tell(Event),
    /// Nothing more to do for so many milliseconds, unless the link or a request changes something.
    Wait(u32),
}

/// Which buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Area {
    /// None: the event has no data.
    Nowhere,
    /// The reception buffer.
    Inbox,
    /// The transmit buffer.
    Outbox,
    /// The acknowledgements.
    Replies,
}

/// A range of a buffer, see [`Session::bytes`].
#[derive(Clone, Copy, Debug)]
pub struct Bytes {
    /// Which buffer.
    pub area: Area,
    /// Where it begins.
    pub start: u16,
    /// How long it is.
    pub length: u16,
}

impl Bytes {
    const NONE: Self = Self { area: Area::Nowhere, start: 0, length: 0 };

    fn new(area: Area, range: Range<u16>) -> Self {
        Self { area, start: range.start, length: range.end.saturating_sub(range.start) }
    }
}

/// What an event tells or asks. The numbers are those of the C border.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i8)]
#[expect(missing_docs, reason = "explained where C sees them, in `ffi`")]
pub enum Kind {
    None = 0,
    ClientIdentifier = 1,
    WillTopic = 2,
    WillMessage = 3,
    UserName = 4,
    UserPassword = 5,
    Connack = 6,
    Suback = 7,
    Unsuback = 8,
    PublishAcknowledged = 9,
    PublishTopic = 10,
    PublishData = 11,
    TopicMessage = 12,
    ConnectionClosed = 13,
    HostClosed = 14,
    ConnectionRefused = 15,
    SubscriptionRefused = 16,
    TopicMessagePart = 17,
    Reconnecting = 18,
    PublishDataPart = 19,
    PublishFailed = 20,
    Unreachable = -3,
    InvalidArgument = Error::InvalidArgument as i8,
    Busy = Error::Busy as i8,
    Protocol = Error::Protocol as i8,
    Timeout = Error::Timeout as i8,
    Link = Error::Link as i8,
}

/// An event for the application.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// Which.
    pub kind: Kind,
    /// What it points to: to be read, or to be written where it asks.
    pub data: Bytes,
    /// A length, a room, or another number that goes with it.
    pub number: u32,
    /// The subscription that it belongs to, or 0.
    pub reference: u8,
}

impl Event {
    fn new(kind: Kind, number: u32, reference: u8) -> Step {
        Step::Tell(Self { kind, data: Bytes::NONE, number, reference })
    }

    fn with(kind: Kind, data: Bytes, reference: u8) -> Step {
        Step::Tell(Self { kind, data, number: u32::from(data.length), reference })
    }
}

/// How a link ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// The other side closed it.
    Closed,
    /// It was reset, or timed out.
    Failed,
    /// The host could not be reached.
    Unreachable,
}

/// Details of the message that an event is about.
#[derive(Clone, Copy, Debug)]
pub struct Message {
    /// Its topic, where that is known and kept.
    pub topic: Bytes,
    /// The topic's length.
    pub topic_length: u16,
    /// 0 at QoS 0.
    pub identifier: u16,
    /// What the publish call returned; 0 for one that arrived.
    pub handle: u16,
    /// DUP, QoS, RETAIN.
    pub flags: crate::packet::PublishFlags,
    /// Bytes of payload in all, where known.
    pub total: u32,
    /// Where in it the event's data begin.
    pub offset: u32,
}

/// What the connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Stage {
    /// There is none.
    Idle,
    /// The link is to be opened.
    Opening,
    /// CONNECT is being made.
    Asking,
    /// CONNECT is being sent, or CONNACK awaited.
    Connecting,
    /// CONNACK has accepted it.
    Connected,
    /// What is under way is finished.
    Draining,
    /// DISCONNECT is sent; until the link closes all is discarded.
    Lingering,
    /// The link is to be closed, and the cause told.
    Ending,
    /// What had to fail has been told; now the end itself.
    Ended,
    /// The wait for the next attempt is to be told.
    Announcing,
    /// The wait for the next attempt.
    Waiting,
}

/// What the answer to an event is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Question {
    /// Nothing.
    None,
    /// A field of CONNECT.
    Field,
    /// A topic.
    Topic,
    /// A payload.
    Payload,
    /// A piece of a stream.
    Piece,
    /// Whether a QoS 2 publication is repeated.
    Repeat,
}

/// What is being done about `entry`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Work {
    /// There is none.
    None,
    /// CONNECT, `position..end` of the reception buffer, is being sent.
    Connect,
    /// It needs room.
    Claim,
    /// It needs its payload.
    Payload,
    /// The next piece of a stream is needed.
    Piece,
    /// `position..end` of the transmit buffer is being sent.
    Send,
    /// What has become of it is to be told.
    Tell,
}

/// A client's session.
pub struct Session {
    stage: Stage,
    question: Question,
    work: Work,
    // The connection.
    options: Options,
    clean: bool,
    version_3_1: bool,
    /// The CONNECT flags.
    flags: u8,
    /// The field of CONNECT that is asked for.
    field: u8,
    link_open: bool,
    /// CONNACK has accepted this connection.
    connected: bool,
    /// The next attempt is the session's own.
    reconnecting: bool,
    /// An incoming QoS 2 message had no place.
    overflowed: bool,
    ping_awaited: bool,
    cause: Kind,
    closing: Kind,
    // This round of steps.
    /// The link takes no more.
    blocked: bool,
    /// The stream has nothing to give.
    starved: bool,
    /// Something could not go on, in this round or an earlier one.
    stalled: bool,
    /// The link has nothing more to give.
    quiet: bool,
    /// Receptions that are left in this round.
    receptions: u8,
    /// Entries may be waiting to be told as failed.
    failures: bool,
    // Time, in milliseconds.
    now: u32,
    /// The present stage was entered, or went on.
    entered: u32,
    /// The link first took nothing, or the stream first gave nothing, since `stalled`.
    stalled_since: u32,
    sent: u32,
    received: u32,
    /// A PINGREQ, or any byte behind it.
    pinged: u32,
    /// A SUBSCRIBE or UNSUBSCRIBE, or an answer to one of several.
    subscribed: u32,
    /// SUBACKs and UNSUBACKs that are awaited.
    answers_awaited: u8,
    /// The limit of the next wait for a new attempt.
    pause: u32,
    /// The wait for a new attempt.
    delay: u32,
    random: u32,
    // What is sent.
    /// The entry at hand, and its index in the table.
    entry: Entry,
    index: usize,
    /// The index of the publication that may be repeated.
    repeat: usize,
    /// The entry that the last event was about.
    subject: Entry,
    /// A packet has been sent in part.
    mid_packet: bool,
    position: u16,
    end: u16,
    /// Bytes of payload in all.
    total: u32,
    /// Bytes of a stream that have been given.
    given: u32,
    replies: Vec<u8, { REPLIES + REPLIES_RESERVE }, u8>,
    replied: u8,
    // What arrives.
    /// Identifiers of QoS 2 messages that were told and not released [MQTT-4.3.3-2].
    incoming: Vec<u16, MAX_INCOMING_QOS2, u16>,
    inbox: Inbox,
}

impl Session {
    /// No connection.
    pub const fn new() -> Self {
        Self {
            stage: Stage::Idle,
            question: Question::None,
            work: Work::None,
            options: Options { keep_alive: 0, response: 0, reconnect_first: 0, reconnect_longest: 0 },
            clean: false,
            version_3_1: false,
            flags: 0,
            field: 0,
            link_open: false,
            connected: false,
            reconnecting: false,
            overflowed: false,
            ping_awaited: false,
            cause: Kind::None,
            closing: Kind::None,
            blocked: false,
            starved: false,
            stalled: false,
            quiet: false,
            receptions: 0,
            failures: false,
            now: 0,
            entered: 0,
            stalled_since: 0,
            sent: 0,
            received: 0,
            pinged: 0,
            subscribed: 0,
            answers_awaited: 0,
            pause: 0,
            delay: 0,
            random: 0,
            entry: Entry::FREE,
            index: 0,
            repeat: 0,
            subject: Entry::FREE,
            mid_packet: false,
            position: 0,
            end: 0,
            total: 0,
            given: 0,
            replies: Vec::new(),
            replied: 0,
            incoming: Vec::new(),
            inbox: Inbox::new(),
        }
    }

    /// Begins a round of steps at the time `now`, in milliseconds modulo 2^32.
    pub fn wake(&mut self, now: u32) {
        self.now = now;
        self.blocked = false;
        self.starved = false;
        self.quiet = false;
        self.receptions = BURST;
    }

    /// The next thing to do.
    pub fn step(&mut self, shared: &impl Guard) -> Step {
        loop {
            let step = match self.stage {
                _ if self.work == Work::Tell => Some(self.tell_entry()),
                _ if self.failures => self.tell_failure(shared),
                Stage::Idle | Stage::Waiting => None,
                Stage::Opening => Some(Step::Open),
                Stage::Asking => self.ask_field(),
                Stage::Connecting | Stage::Connected | Stage::Draining | Stage::Lingering => self.exchange(shared),
                Stage::Ending => self.tell_cause(shared),
                Stage::Ended => Some(self.tell_end(shared)),
                Stage::Announcing => Some(self.announce()),
            };
            if let Some(step) = step {
                return step;
            }
            if let Some(wait) = self.rest(shared) {
                return Step::Wait(wait);
            }
        }
    }

    /// Moves bytes: what has arrived is used up, what waits is sent, more is received.
    fn exchange(&mut self, shared: &impl Guard) -> Option<Step> {
        if self.may_read() && self.stage != Stage::Lingering {
            if let Some(step) = self.read(shared) {
                return Some(step);
            }
        }
        if let Some(step) = self.output(shared) {
            return Some(step);
        }
        if self.may_read() && !self.quiet && self.receptions != 0 {
            self.receptions -= 1;
            return Some(Step::Receive(Bytes::new(Area::Inbox, self.inbox.space())));
        }
        None
    }

    /// Whether arriving packets can be answered.
    fn may_read(&self) -> bool {
        self.work != Work::Connect && !self.overflowed && self.replies.len() < REPLIES - 3
    }

    /// `length` bytes were received, or the link was lost.
    pub fn received(&mut self, result: Result<u16, Lost>) {
        match result {
            Ok(0) => self.quiet = true,
            Ok(_) if self.stage == Stage::Lingering => self.inbox.clear(),
            Ok(length) => {
                self.received = self.now;
                self.pinged = self.now;
                self.inbox.received(length);
            }
            Err(lost) => self.lose(lost),
        }
    }

    /// Nothing more can be done now: begins what is wanted, ends what has lasted too long, or says how long to wait.
    fn rest(&mut self, shared: &impl Guard) -> Option<u32> {
        match (shared.with(|requests| requests.phase), self.stage) {
            (Phase::Starting, Stage::Idle) => {
                self.begin(shared);
                return None;
            }
            (Phase::Disconnecting, Stage::Idle | Stage::Connecting | Stage::Connected | Stage::Waiting) => {
                self.leave();
                return None;
            }
            _ => {}
        }
        let response = u32::from(self.options.response) * 1000;
        let mut limit = match self.stage {
            Stage::Idle => return Some(NEVER),
            Stage::Waiting => self.left(self.entered, self.delay),
            Stage::Connecting => self.left(self.entered, response),
            Stage::Connected => self.answers_limit(response),
            Stage::Draining if self.is_drained(shared) => 0,
            Stage::Draining => self.left(self.entered, response),
            Stage::Lingering => self.left(self.entered, LINGER),
            Stage::Opening | Stage::Asking | Stage::Ending | Stage::Ended | Stage::Announcing => return None,
        };
        if self.stalled && self.stage != Stage::Lingering {
            limit = limit.min(self.left(self.stalled_since, response));
        }
        if limit == 0 {
            self.expire();
            return None;
        }
        if self.stage == Stage::Connected {
            if self.overflowed && !self.mid_packet && self.replies.is_empty() {
                self.end(Kind::Busy, Kind::ConnectionClosed);
                return None;
            }
            let quarter = u32::from(self.options.keep_alive) * 250;
            if quarter != 0 && !self.ping_awaited {
                let quiet = self.left(self.sent, quarter).min(self.left(self.received, quarter));
                if quiet == 0 {
                    self.reply(first_byte::PINGREQ, None);
                    self.ping_awaited = true;
                    self.pinged = self.now;
                    return None;
                }
                limit = limit.min(quiet);
            }
        }
        if self.starved {
            limit = limit.min(STREAM_RETRY);
        }
        if self.receptions == 0 && !self.quiet {
            limit = 0;
        }
        Some(limit)
    }

    /// What is left of `period` since a time.
    fn left(&self, since: u32, period: u32) -> u32 {
        period.saturating_sub(self.now.wrapping_sub(since))
    }

    /// How long the answers that are awaited may still take.
    fn answers_limit(&self, response: u32) -> u32 {
        let ping = if self.ping_awaited { self.left(self.pinged, response) } else { NEVER };
        let subscription = if self.answers_awaited != 0 { self.left(self.subscribed, response) } else { NEVER };
        ping.min(subscription)
    }

    /// The time of the present stage, or of an answer, is over.
    fn expire(&mut self) {
        match self.stage {
            Stage::Waiting => self.stage = Stage::Opening,
            Stage::Draining if !self.mid_packet => {
                self.reply(first_byte::DISCONNECT, None);
                self.work = Work::None;
                self.enter(Stage::Lingering);
            }
            Stage::Draining | Stage::Lingering => self.end(Kind::None, Kind::ConnectionClosed),
            _ => self.end(Kind::Timeout, Kind::ConnectionClosed),
        }
    }

    fn enter(&mut self, stage: Stage) {
        self.stage = stage;
        self.entered = self.now;
    }

    /// Nothing can go on until the link, or the application, has more to give.
    fn stall(&mut self) {
        if !self.stalled {
            self.stalled = true;
            self.stalled_since = self.now;
        }
    }

    /// Queues a packet of two bytes, or of four with an identifier; there is room, see [`Session::may_read`].
    fn reply(&mut self, first: u8, identifier: Option<u16>) {
        // Cannot overflow: acknowledgements leave the reserve to one PINGREQ and one DISCONNECT.
        let _ = match identifier.map(u16::to_be_bytes) {
            Some([high, low]) => self.replies.extend_from_slice(&[first, 2, high, low]),
            None => self.replies.extend_from_slice(&[first, 0]),
        };
    }

    /// The bytes of a range, `None` for none.
    pub fn bytes<'a>(&'a mut self, shared: &'a impl Guard, bytes: Bytes) -> Option<&'a [Cell<u8>]> {
        let buffer = match bytes.area {
            Area::Nowhere => return None,
            Area::Inbox => Cell::from_mut(self.inbox.buffer()).as_slice_of_cells(),
            Area::Outbox => return Some(shared.memory().range(bytes.start, bytes.length)),
            Area::Replies => Cell::from_mut(self.replies.as_mut_slice()).as_slice_of_cells(),
        };
        buffer.get(usize::from(bytes.start)..)?.get(..usize::from(bytes.length))
    }

    /// Details of the message that the event `kind`, the last one told, is about.
    pub fn message(&self, shared: &impl Guard, kind: Kind) -> Option<Message> {
        let Session { subject, inbox, .. } = self;
        let memory = shared.memory();
        let mut total = 0;
        let mut offset = 0;
        match kind {
            Kind::TopicMessage | Kind::TopicMessagePart => {
                let publication = inbox.publication;
                let Publication { topic_start, topic_length, .. } = publication;
                let area = if topic_start == 0 { Area::Nowhere } else { Area::Inbox };
                return Some(Message {
                    topic: Bytes { area, start: topic_start, length: topic_length },
                    topic_length,
                    identifier: publication.identifier,
                    handle: 0,
                    flags: publication.flags,
                    total: publication.total,
                    offset: publication.offset,
                });
            }
            Kind::PublishDataPart => (total, offset) = (self.total, self.given),
            Kind::PublishTopic | Kind::PublishData => {}
            Kind::PublishAcknowledged | Kind::PublishFailed => {
                if subject.identifier != 0 || kind == Kind::PublishAcknowledged {
                    total = subject.payload_length(memory);
                }
            }
            _ => return None,
        }
        let stored = subject.topic == Topic::Stored;
        let topic_length = if stored { subject.topic_length(memory) } else { 0 };
        let area = if stored { Area::Outbox } else { Area::Nowhere };
        Some(Message {
            topic: Bytes { area, start: subject.start + TOPIC as u16, length: topic_length },
            topic_length,
            identifier: subject.identifier,
            handle: subject.handle,
            flags: subject.flags(),
            total,
            offset,
        })
    }
}
