//! The client's state machine: bytes, time and requests in; bytes and events out. No socket, clock, callback, static or
//! `unsafe`.
//!
//! Whoever drives it does what each [`Session::step`] asks for, and hands the outcome to the next, until that is to wait.
//! `connecting.rs` holds what lies before CONNACK, `sending.rs` and `receiving.rs` what lies behind it, `ending.rs` the end
//! of a connection.

mod connecting;
mod ending;
mod receiving;
mod sending;

use crate::config::MAX_INCOMING_QOS2;
use crate::error::Error;
use crate::inbox::Inbox;
use crate::memory::{Memory, REPLIES, REPLIES_END};
use crate::outbox::State;
use crate::packet::{PublishFlags, TOPIC, first_byte};
use crate::requests::{Phase, Requests};
use heapless::Vec;

/// How long the link may take to close after DISCONNECT, in milliseconds.
const LINGER: u32 = 1000;
/// After how long a stream that had nothing to give is asked again, in milliseconds.
const STREAM_RETRY: u32 = 100;
/// Receptions in one go, after which the driver is asked to come back, so that time and others get their due.
const BURST: u8 = 16;
/// No need to wake again.
pub const NEVER: u32 = u32::MAX;

/// What the session wants done. The outcome goes to the next [`Session::step`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Step {
    /// Nothing more to do for [`Session::wait`] milliseconds, unless the link or a request changes something. Outcome: the time
    /// at which to go on, in milliseconds modulo 2^32.
    Wait,
    /// Give a random number.
    Random,
    /// Open the link to [`Requests::connection`]. Outcome: 0, or one of [`lost`].
    Open,
    /// Close the link.
    Close,
    /// Send [`Session::data`]. Outcome: the number of bytes taken, or one of [`lost`].
    Send,
    /// Receive into [`Session::data`]. Outcome: the number of bytes given, or one of [`lost`].
    Receive,
    /// Tell, or ask, the application [`Session::event`]. Outcome: its answer.
    Tell,
}

/// How a link was lost; any other negative number counts as `FAILED`.
pub mod lost {
    /// The other side closed it.
    pub const CLOSED: i32 = -1;
    /// It was reset, or timed out.
    pub const FAILED: i32 = -2;
    /// The host could not be reached.
    pub const UNREACHABLE: i32 = -3;
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

impl Kind {
    /// Whether [`Session::data`] goes with it.
    pub fn has_data(self) -> bool {
        use Kind::*;
        matches!(
            self,
            ClientIdentifier | WillTopic | WillMessage | UserName | UserPassword
                | PublishTopic | PublishData | PublishDataPart | TopicMessage | TopicMessagePart
        )
    }
}

/// An event for the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Which.
    pub kind: Kind,
    /// The subscription that it belongs to, or 0.
    pub reference: u8,
    /// A length, a room, or another number that goes with it.
    pub number: u32,
}

/// A range of [`Memory`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data {
    /// Where it begins.
    pub start: u16,
    /// How long it is.
    pub length: u16,
}

/// Details of the message that an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its topic; `None` where that is not known, or was not kept.
    pub topic: Option<Data>,
    /// The topic's length.
    pub topic_length: u16,
    /// 0 at QoS 0.
    pub identifier: u16,
    /// What the publish call returned; 0 for one that arrived.
    pub handle: u16,
    /// DUP, QoS, RETAIN.
    pub flags: PublishFlags,
    /// Bytes of payload in all, where known.
    pub total: u32,
    /// Where in it the event's data begin.
    pub offset: u32,
}

/// What the connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
#[repr(u8)]
enum Stage {
    /// There is none.
    Idle,
    /// The wait for the next attempt.
    Waiting,
    /// CONNECT is being sent, or CONNACK awaited.
    Connecting,
    /// CONNACK has accepted it.
    Connected,
    /// What is under way is finished.
    Draining,
    /// DISCONNECT is sent; until the link closes all is discarded.
    Lingering,
    /// The link is to be opened.
    Opening,
    /// CONNECT is being made.
    Asking,
    /// The link is to be closed, the cause to be told.
    Ending,
    /// The end itself is to be told.
    Ended,
    /// The wait for the next attempt is to be told.
    Announcing,
}

/// What is being done about the entry at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Work {
    /// There is none.
    None,
    /// CONNECT is being sent.
    Connect,
    /// It needs room.
    Claim,
    /// It needs its payload.
    Payload,
    /// The next piece of a stream is needed.
    Piece,
    /// It is being sent.
    Send,
    /// What has become of it is to be told.
    Tell,
}

/// A client's session. The small fields come first, where a Cortex-M reaches them with short instructions.
#[repr(C)]
pub struct Session {
    /// The step whose outcome is awaited.
    asked: Step,
    stage: Stage,
    work: Work,
    /// The field of CONNECT that is asked for.
    field: u8,
    cause: Kind,
    closing: Kind,
    link_open: bool,
    /// CONNACK has accepted this connection.
    connected: bool,
    /// Another attempt follows.
    reconnecting: bool,
    /// Publications may be waiting to be told as failed.
    failures: bool,
    /// An incoming QoS 2 message had no place.
    overflowed: bool,
    ping_awaited: bool,
    /// SUBACKs and UNSUBACKs that are awaited.
    answers_awaited: u8,
    /// Something could not go on, since `stalled_since`.
    stalled: bool,
    /// In this round of steps: the link takes no more.
    blocked: bool,
    /// In this round of steps: the stream has nothing to give.
    starved: bool,
    /// In this round of steps: the link has nothing more to give.
    quiet: bool,
    /// Receptions that are left in this round of steps.
    receptions: u8,
    /// The index of the entry at hand.
    index: u8,
    /// The index of the publication that may be repeated.
    repeat: u8,
    /// A packet has been sent in part.
    mid_packet: bool,
    /// Bytes of acknowledgements, and how many of them are sent.
    replies: u8,
    replied: u8,
    /// What [`Step::Tell`] is about.
    pub event: Event,
    /// What goes with a step, or with an event that has data.
    pub data: Data,
    /// What is left to be sent of the packet at hand.
    position: u16,
    end: u16,
    /// What [`Step::Wait`] waits, in milliseconds.
    pub wait: u32,
    /// The time; all times are in milliseconds modulo 2^32.
    now: u32,
    /// When the present stage was entered, or went on.
    entered: u32,
    stalled_since: u32,
    sent: u32,
    received: u32,
    /// When a PINGREQ went out, or any byte came in behind it.
    pinged: u32,
    /// When a SUBSCRIBE or UNSUBSCRIBE went out, or an answer to one of several came in.
    subscribed: u32,
    /// The limit of the next wait for a new attempt, and the wait.
    pause: u32,
    delay: u32,
    random: u32,
    /// Bytes of a stream's payload in all, and how many of them were given.
    total: u32,
    given: u32,
    inbox: Inbox,
    /// What the firmware asks for.
    pub requests: Requests,
    /// Identifiers of QoS 2 messages that were told and not released [MQTT-4.3.3-2].
    incoming: Vec<u16, MAX_INCOMING_QOS2, u16>,
}

impl Session {
    /// No connection.
    pub const fn new() -> Self {
        Self {
            requests: Requests::new(),
            event: Event { kind: Kind::None, reference: 0, number: 0 },
            data: Data { start: 0, length: 0 },
            wait: 0,
            asked: Step::Wait,
            stage: Stage::Idle,
            work: Work::None,
            field: 0,
            link_open: false,
            connected: false,
            reconnecting: false,
            overflowed: false,
            ping_awaited: false,
            answers_awaited: 0,
            cause: Kind::None,
            closing: Kind::None,
            blocked: false,
            starved: false,
            quiet: false,
            receptions: 0,
            failures: false,
            now: 0,
            entered: 0,
            stalled: false,
            stalled_since: 0,
            sent: 0,
            received: 0,
            pinged: 0,
            subscribed: 0,
            pause: 0,
            delay: 0,
            random: 0,
            index: 0,
            repeat: 0,
            mid_packet: false,
            replies: 0,
            replied: 0,
            position: 0,
            end: 0,
            total: 0,
            given: 0,
            incoming: Vec::new(),
            inbox: Inbox::new(),
        }
    }

    /// Takes the outcome of the last step, and says what is to be done next. The first outcome is the time.
    pub fn step(&mut self, memory: &Memory, outcome: i32) -> Step {
        match self.asked {
            Step::Wait => {
                self.now = outcome as u32;
                (self.blocked, self.starved, self.quiet) = (false, false, false);
                self.receptions = BURST;
            }
            Step::Random => {
                self.random = outcome as u32;
                self.asked = Step::Open;
                return Step::Open;
            }
            Step::Open | Step::Send | Step::Receive if outcome < 0 => self.lose(outcome),
            Step::Open => self.opened(memory),
            Step::Close => {}
            Step::Send => self.sent(memory, outcome as u16),
            Step::Receive => self.received(outcome as u16),
            Step::Tell => self.answered(memory, outcome as u16),
        }
        self.asked = self.next_step(memory);
        self.asked
    }

    fn next_step(&mut self, memory: &Memory) -> Step {
        loop {
            let step = match self.stage {
                _ if self.work == Work::Tell => Some(self.tell_entry(memory)),
                _ if self.failures => self.tell_failure(memory),
                Stage::Opening => Some(Step::Random),
                Stage::Asking => self.ask_field(memory),
                Stage::Ending => self.tell_cause(memory),
                Stage::Ended => Some(self.tell_end()),
                Stage::Announcing => Some(self.announce()),
                Stage::Idle | Stage::Waiting | Stage::Connecting | Stage::Connected | Stage::Draining | Stage::Lingering => {
                    let step = if self.link_open { self.exchange(memory) } else { None };
                    if step.is_none() && self.stage <= Stage::Lingering && self.rest(memory) {
                        return Step::Wait;
                    }
                    step
                }
            };
            if let Some(step) = step {
                return step;
            }
        }
    }

    /// Moves bytes: what has arrived is used up, what waits is sent, more is received.
    fn exchange(&mut self, memory: &Memory) -> Option<Step> {
        if self.stage != Stage::Lingering {
            if let Some(step) = self.read(memory) {
                return Some(step);
            }
            if self.stage > Stage::Lingering {
                return None;
            }
        }
        if !self.blocked {
            if let Some(step) = self.output(memory) {
                return Some(step);
            }
        }
        if self.may_read() && !self.quiet && self.receptions != 0 {
            self.receptions -= 1;
            let (start, length) = self.inbox.space(memory);
            self.data = Data { start, length };
            return Some(Step::Receive);
        }
        None
    }

    /// Whether arriving packets can be answered.
    fn may_read(&self) -> bool {
        self.work != Work::Connect && !self.overflowed && self.replies <= MOST_REPLIES - 4
    }

    /// So many bytes were received.
    fn received(&mut self, length: u16) {
        if length == 0 {
            self.quiet = true;
        } else if self.stage != Stage::Lingering {
            (self.received, self.pinged) = (self.now, self.now);
            self.inbox.received(length);
        }
    }

    /// Nothing more can be done now: begins what is wanted, ends what has lasted too long, or finds out how long to wait.
    fn rest(&mut self, memory: &Memory) -> bool {
        let wanted = self.requests.phase;
        if wanted == Phase::Starting && self.stage == Stage::Idle {
            self.begin();
            return false;
        }
        if wanted == Phase::Disconnecting && self.stage < Stage::Draining {
            self.leave();
            return false;
        }
        let response = self.requests.options.response();
        let mut limit = match self.stage {
            Stage::Waiting => self.left(self.entered, self.delay),
            Stage::Connecting => self.left(self.entered, response),
            Stage::Draining if self.is_drained() => 0,
            Stage::Draining => self.left(self.entered, response),
            Stage::Lingering => self.left(self.entered, LINGER),
            _ => NEVER,
        };
        if self.stage != Stage::Idle {
            for (awaited, since) in [
                (self.stalled, self.stalled_since),
                (self.ping_awaited, self.pinged),
                (self.answers_awaited != 0, self.subscribed),
            ] {
                if awaited {
                    limit = limit.min(self.left(since, response));
                }
            }
        }
        if limit == 0 {
            self.expire(memory);
            return false;
        }
        if self.stage == Stage::Connected {
            if self.overflowed && !self.mid_packet && self.replies == 0 {
                self.end(Kind::Busy, Kind::ConnectionClosed);
                return false;
            }
            let quarter = u32::from(self.requests.options.keep_alive()) * 250;
            if quarter != 0 && self.replies == 0 {
                let mut quiet = self.left(self.sent, quarter);
                if !self.ping_awaited {
                    quiet = quiet.min(self.left(self.received, quarter));
                }
                if quiet == 0 {
                    self.ping_awaited = true;
                    self.pinged = self.now;
                    self.sent = self.now;
                    self.reply(memory, first_byte::PINGREQ, 0);
                    return false;
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
        self.wait = limit;
        true
    }

    /// What is left of `period` since a time.
    fn left(&self, since: u32, period: u32) -> u32 {
        period.saturating_sub(self.now.wrapping_sub(since))
    }

    /// The time of the present stage, or of an answer, is over.
    fn expire(&mut self, memory: &Memory) {
        match self.stage {
            Stage::Waiting => self.stage = Stage::Opening,
            Stage::Draining if !self.mid_packet => {
                self.work = Work::None;
                self.reply(memory, first_byte::DISCONNECT, 0);
                self.inbox.clear();
                self.enter(Stage::Lingering);
            }
            Stage::Draining | Stage::Lingering => self.end(Kind::None, Kind::ConnectionClosed),
            _ => {
                if self.work == Work::Piece {
                    self.requests.outbox.entry(self.index).state = State::Failed; // told behind the cause
                }
                self.end(Kind::Timeout, Kind::ConnectionClosed);
            }
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

    /// Queues a packet of two bytes, or of four with an identifier. There is room: acknowledgements leave some to one PINGREQ and
    /// one DISCONNECT, see [`Session::may_read`].
    fn reply(&mut self, memory: &Memory, first: u8, identifier: u16) {
        let place = REPLIES + u16::from(self.replies);
        let remaining = if identifier == 0 { 0 } else { 2 };
        memory.set(place, first);
        memory.set(place + 1, remaining);
        memory.set_number(place + 2, identifier);
        self.replies += 2 + remaining;
    }

    /// Has the application told.
    fn tell(&mut self, kind: Kind, number: u32, reference: u8) -> Step {
        self.event = Event { kind, reference, number };
        Step::Tell
    }

    /// Has the application told of data, or asked for them.
    fn tell_data(&mut self, kind: Kind, start: u16, length: u16, reference: u8) -> Step {
        self.data = Data { start, length };
        self.tell(kind, length.into(), reference)
    }

    /// Details of the message that the present event is about; `None` where it is about none.
    pub fn message(&self, memory: &Memory) -> Option<Message> {
        let told = self.requests.outbox.told();
        let (total, offset) = match self.event.kind {
            _ if self.asked != Step::Tell => return None,
            Kind::TopicMessage | Kind::TopicMessagePart => {
                let publication = &self.inbox.publication;
                let Data { start, length } = Data { start: publication.topic_start, length: publication.topic_length };
                return Some(Message {
                    topic: (start != 0).then_some(Data { start, length }),
                    topic_length: length,
                    identifier: publication.identifier,
                    handle: 0,
                    flags: publication.flags,
                    total: publication.total,
                    offset: publication.offset,
                });
            }
            Kind::PublishDataPart => (self.total, self.given),
            Kind::PublishTopic | Kind::PublishData | Kind::PublishFailed => (0, 0),
            Kind::PublishAcknowledged => (told.payload_length(memory), 0),
            _ => return None,
        };
        let stored = told.length != 0;
        let length = if stored { told.topic_length(memory) } else { 0 };
        Some(Message {
            topic: stored.then_some(Data { start: told.start + TOPIC, length }),
            topic_length: length,
            identifier: told.identifier,
            handle: told.handle,
            flags: told.flags(),
            total,
            offset,
        })
    }
}

/// Bytes of acknowledgements that may wait for the link; while there is no room for one more, nothing is read.
const MOST_REPLIES: u8 = (REPLIES_END - REPLIES) as u8 - 4;
