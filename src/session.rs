//! The client's state machine: bytes, time and requests in; bytes and events out. No socket, clock, callback, static or
//! `unsafe`.
//!
//! [`Session::poll`] does the work and calls the [`Host`] for what lies outside. Requests may be made at any time, also while
//! the host is called: all state is in cells, so that nothing is borrowed meanwhile. What is under way is changed by the poll
//! alone; requests only add to the tables, and to `phase`.
//!
//! `requesting.rs` holds what the firmware asks for, `connecting.rs` what lies before CONNACK, `sending.rs` and
//! `receiving.rs` what lies behind it, `ending.rs` the end of a connection, `telling.rs` what the application is told.

mod connecting;
mod ending;
mod receiving;
mod requesting;
mod sending;
mod telling;

pub use requesting::{NO_KEEP_ALIVE, Options, Phase, Publish, SUBSCRIPTION_QOS};
pub use telling::Kind;

use crate::config::{MAX_INCOMING_QOS2, STREAM};
use crate::memory::{Byte, Memory, REPLIES, REPLIES_END, Short};
use crate::outbox::Outbox;
use crate::packet::first_byte;
use crate::subscriptions::Subscriptions;
use core::cell::Cell;

/// How long the link may take to close after DISCONNECT, in milliseconds.
const LINGER: u32 = 1000;
/// After how long a stream that had nothing to give is asked again, in milliseconds.
const STREAM_RETRY: u32 = 100;
/// Receptions, packets sent and connections begun in one poll, after which the driver is asked to come back, so that time and others
/// get their due.
const BURST: u8 = 32;
/// No need to poll again.
pub const NEVER: u32 = u32::MAX;
/// Bytes of acknowledgements that may wait for the link while packets are still read: there is room for one more, a PINGREQ and
/// a DISCONNECT.
const MOST_REPLIES: u8 = (REPLIES_END - REPLIES) as u8 - 2 * 4;

/// What lies outside of a session. While it is called requests may be made. It is handed on by value: the one of the C border
/// is nothing but its functions.
pub trait Host: Copy {
    /// Does work on bytes that nobody else touches, and that takes the longer the more they are: requests may be made meanwhile.
    fn aside(self, work: impl FnOnce());
    /// The time, in milliseconds modulo 2^32.
    fn milliseconds(self) -> u32;
    /// A random number.
    fn random(self) -> u32;
    /// Opens the link to the broker. Returns 0, or one of [`lost`].
    fn open(self) -> i32;
    /// Whether the link, still being made, has another step to make at once.
    fn is_eager(self) -> bool;
    /// Closes the link.
    fn close(self);
    /// Sends `length` bytes at a place of the memory. Returns how many were taken, or one of [`lost`].
    fn send(self, place: usize, length: usize) -> i32;
    /// Receives at most `length` bytes into a place of the memory. Returns how many were given, or one of [`lost`].
    fn receive(self, place: usize, length: usize) -> i32;
    /// Tells, or asks, the application. Where there are data, or is room for them, `place` is not 0, and `number` is their length.
    fn tell(self, kind: Kind, place: usize, number: u32, reference: usize) -> u16;
}

/// How a link was lost; any other negative number counts as `FAILED`.
pub mod lost {
    /// The other side closed it.
    pub const CLOSED: i32 = -1;
    /// It was reset, or timed out.
    pub const FAILED: i32 = -2;
    /// The host could not be reached.
    pub const UNREACHABLE: i32 = -3;
    /// It is not secure; the host knows why. No platform can say so.
    #[cfg(feature = "tls")]
    pub const SECURITY: i32 = i32::MIN;
}

/// What the connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
#[repr(u8)]
enum Stage {
    /// There is none.
    Idle,
    /// The wait for the next attempt.
    Waiting,
    /// The link is to be opened.
    Opening,
    /// CONNECT is being sent, or CONNACK awaited.
    Connecting,
    /// CONNACK has accepted it.
    Connected,
    /// What is under way is finished.
    Draining,
    /// DISCONNECT is sent; until the link closes all is discarded.
    Lingering,
    /// An incoming QoS 2 message had no place: nothing more is read, and what answers those before it is still sent.
    Overflowed,
    /// The link is to be closed, the end to be told.
    Ending,
}

/// What is being sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Work {
    /// Nothing but acknowledgements.
    None,
    /// CONNECT.
    Connect,
    /// The request whose turn it is.
    Request,
    /// The same, a stream of which the next piece is needed.
    Piece,
}

/// What may be awaited too long; the index of its time.
mod late {
    /// The end of the present stage.
    pub const STAGE: usize = 0;
    /// That the link takes something, or a stream gives something.
    pub const PROGRESS: usize = 1;
    /// SUBACK or UNSUBACK. From here on it is what has to be read.
    pub const ANSWER: usize = 2;
    /// PINGRESP.
    pub const PINGRESP: usize = 3;
    /// How many there are.
    pub const COUNT: usize = 4;
}

/// A client's session. The small fields come first, where a Cortex-M reaches them with short instructions.
#[repr(C)]
pub struct Session {
    stage: Cell<Stage>,
    phase: Cell<Phase>,
    /// The incoming PUBLISH is longer than the buffer.
    long: Cell<bool>,
    work: Cell<Work>,
    /// A packet has been sent in part.
    mid_packet: Cell<bool>,
    /// Bytes of acknowledgements, and how many of them are sent.
    replies: Cell<u8>,
    replied: Cell<u8>,
    /// CONNACK has accepted this connection.
    connected: Cell<bool>,
    /// The first byte of the incoming PUBLISH, and the subscription that it belongs to.
    first: Cell<u8>,
    reference: Byte,
    /// In this poll: what is left of [`BURST`].
    turns: Cell<u8>,
    /// In this poll: the link takes no more.
    blocked: Cell<bool>,
    /// In this poll: the stream has nothing to give.
    starved: Cell<bool>,
    /// A poll is under way.
    polling: Cell<bool>,
    link_open: Cell<bool>,
    /// What the application is being told, or asked.
    event: Cell<Kind>,
    /// What ends the connection, and how that is told.
    cause: Cell<Kind>,
    closing: Cell<Kind>,
    /// The flags of CONNECT, and whether it is one of MQTT 3.1.
    flags: Cell<u8>,
    version_3_1: Cell<bool>,
    /// The identifier or number of the publication that is being told about; 0: none is.
    told: Short,
    /// What is left to be sent of the packet at hand.
    position: Short,
    end: Short,
    /// What was received and not used up.
    unread: Short,
    unread_end: Short,
    /// The incoming PUBLISH: where its topic lies (0: it did not fit), its length, how much of it is to be passed over, and
    /// the packet identifier.
    topic: Short,
    topic_length: Short,
    to_pass: Short,
    message_identifier: Short,
    /// The limit of the next wait for a new attempt, in seconds.
    pause: Cell<u16>,
    /// What was chosen for the connection.
    options: Options,
    /// The time; all times are in milliseconds modulo 2^32.
    now: Cell<u32>,
    /// When what is awaited is too late, see [`late`]; 0: nothing is.
    late: [Cell<u32>; late::COUNT],
    /// When something was sent last, and received.
    sent: Cell<u32>,
    received: Cell<u32>,
    /// The incoming PUBLISH: bytes of payload, how many come before the part at hand, how many bytes are not received.
    total: Cell<u32>,
    offset: Cell<u32>,
    unreceived: Cell<u32>,
    /// Bytes that the stream at hand has not given yet.
    ungiven: Cell<u32>,
    /// Publications.
    pub outbox: Outbox,
    subscriptions: Subscriptions,
    /// Identifiers of QoS 2 messages that were told and not released [MQTT-4.3.3-2]; behind them zeros.
    incoming: [Short; MAX_INCOMING_QOS2],
    /// The packet buffers.
    pub memory: Memory,
}

impl Session {
    /// No connection.
    pub const fn new() -> Self {
        Self {
            stage: Cell::new(Stage::Idle),
            phase: Cell::new(Phase::Unprepared),
            long: Cell::new(false),
            work: Cell::new(Work::None),
            mid_packet: Cell::new(false),
            replies: Cell::new(0),
            replied: Cell::new(0),
            connected: Cell::new(false),
            first: Cell::new(0),
            reference: Byte::new(),
            turns: Cell::new(0),
            blocked: Cell::new(false),
            starved: Cell::new(false),
            polling: Cell::new(false),
            link_open: Cell::new(false),
            event: Cell::new(Kind::None),
            cause: Cell::new(Kind::None),
            closing: Cell::new(Kind::None),
            flags: Cell::new(0),
            version_3_1: Cell::new(false),
            told: Short::new(),
            position: Short::new(),
            end: Short::new(),
            unread: Short::new(),
            unread_end: Short::new(),
            topic: Short::new(),
            topic_length: Short::new(),
            to_pass: Short::new(),
            message_identifier: Short::new(),
            pause: Cell::new(0),
            options: Options::new(),
            now: Cell::new(0),
            late: [const { Cell::new(0) }; late::COUNT],
            sent: Cell::new(0),
            received: Cell::new(0),
            total: Cell::new(0),
            offset: Cell::new(0),
            unreceived: Cell::new(0),
            ungiven: Cell::new(0),
            outbox: Outbox::new(),
            subscriptions: Subscriptions::new(),
            incoming: [const { Short::new() }; MAX_INCOMING_QOS2],
            memory: Memory::new(),
        }
    }

    /// Does all that can be done now. Returns the milliseconds after which there is more to do if nothing happens before: 0 at
    /// once, [`NEVER`]. While the host is called it does nothing.
    pub fn poll(&self, host: impl Host) -> u32 {
        if self.polling.replace(true) {
            return NEVER;
        }
        let wait = self.work_off(host);
        self.polling.set(false);
        wait
    }

    /// Does all that can be done now. Returns as [`Session::poll`].
    fn work_off(&self, host: impl Host) -> u32 {
        self.now.set(host.milliseconds());
        self.blocked.set(false);
        self.starved.set(false);
        self.turns.set(BURST);
        loop {
            match self.stage.get() {
                Stage::Idle if self.phase.get() == Phase::Starting && self.take_turn() => self.begin(host),
                Stage::Opening => self.open(host),
                Stage::Ending => self.finish(host),
                stage => {
                    if stage >= Stage::Connecting {
                        let full = self.read(host);
                        if !self.is_idle() {
                            self.write(host);
                        }
                        // Answers that were sent have left room for others.
                        if self.may_receive() && (full || self.receive(host)) && self.take_turn() {
                            continue;
                        }
                    }
                    let wait = self.rest();
                    if wait != AGAIN {
                        return if self.turns.get() == 0 || host.is_eager() { 0 } else { wait };
                    }
                }
            }
        }
    }

    /// Whether another turn is left, which is taken.
    fn take_turn(&self) -> bool {
        let turns = self.turns.get();
        if turns != 0 {
            self.turns.set(turns - 1);
        }
        turns != 0
    }

    fn is_ending(&self) -> bool {
        self.stage.get() == Stage::Ending
    }

    /// Nothing more can be done now: begins what is wanted, ends what has lasted too long, or finds out how long to wait;
    /// [`AGAIN`]: not at all.
    fn rest(&self) -> u32 {
        let stage = self.stage.get();
        if stage == Stage::Ending {
            return AGAIN;
        }
        if self.phase.get() == Phase::Disconnecting && stage < Stage::Draining {
            self.leave();
            return AGAIN;
        }
        let mut wait = NEVER;
        if self.is_anything_awaited() {
            // Where not all is read, answers may lie in the link.
            let unread = self.turns.get() == 0 || !self.may_receive();
            for late in self.late.iter().take(if unread { late::ANSWER } else { late::COUNT }) {
                if late.get() != 0 {
                    wait = wait.min(self.left(late.get()));
                }
            }
        }
        if wait == 0 || stage == Stage::Draining && self.is_drained() {
            self.expire();
            return AGAIN;
        }
        if stage == Stage::Overflowed {
            let leaving = self.phase.get() == Phase::Disconnecting;
            if self.mid_packet.get() || self.replies.get() != 0 {
                if leaving && !self.is_awaited(late::STAGE) {
                    self.limit(late::STAGE);
                    return AGAIN;
                }
            } else {
                if leaving {
                    self.take_leave();
                } else {
                    self.end(Kind::Busy, Kind::ConnectionClosed);
                }
                return AGAIN;
            }
        }
        if stage == Stage::Connected {
            let quarter = u32::from(self.options.keep_alive()) * 250;
            // Answers that wait for the link tell as much as a PINGREQ, which would come behind them.
            if quarter != 0 && self.replies.get() == 0 {
                let mut silence = self.left(self.sent.get().wrapping_add(quarter));
                let awaited = self.is_awaited(late::PINGRESP);
                if !awaited {
                    silence = silence.min(self.left(self.received.get().wrapping_add(quarter)));
                }
                if silence == 0 {
                    self.reply(first_byte::PINGREQ, 0);
                    return AGAIN;
                }
                wait = wait.min(silence);
            }
        }
        if self.starved.get() {
            wait = wait.min(STREAM_RETRY);
        }
        wait
    }

    /// Milliseconds until a time; 0: it has come.
    #[inline(always)]
    fn left(&self, time: u32) -> u32 {
        (time.wrapping_sub(self.now.get()) as i32).max(0) as u32
    }

    /// What is awaited, one of [`late`], comes too late after so many milliseconds.
    fn limit_to(&self, what: usize, milliseconds: u32) {
        let time = self.now.get().wrapping_add(milliseconds);
        if let Some(late) = self.late.get(what) {
            late.set(time.max(1));
        }
    }

    /// What is awaited comes too late after the response time.
    #[inline(never)]
    fn limit(&self, what: usize) {
        self.limit_to(what, self.options.response());
    }

    /// Nothing of the kind is awaited any more.
    fn unlimit(&self, what: usize) {
        if let Some(late) = self.late.get(what) {
            late.set(0);
        }
    }

    /// Nothing is awaited any more.
    fn await_nothing(&self) {
        let [stage, progress, answer, pingresp] = &self.late;
        stage.set(0);
        progress.set(0);
        answer.set(0);
        pingresp.set(0);
    }

    fn is_awaited(&self, what: usize) -> bool {
        self.late.get(what).is_some_and(|late| late.get() != 0)
    }

    /// The same for all in one go, since most often nothing is.
    fn is_anything_awaited(&self) -> bool {
        let [stage, progress, answer, pingresp] = &self.late;
        stage.get() | progress.get() | answer.get() | pingresp.get() != 0
    }

    /// The time of the present stage, or of an answer, is over.
    fn expire(&self) {
        match self.stage.get() {
            Stage::Waiting => self.stage.set(Stage::Opening),
            Stage::Draining if !self.mid_packet.get() => self.take_leave(),
            _ if self.phase.get() == Phase::Disconnecting => self.end(Kind::None, Kind::ConnectionClosed),
            _ => {
                if let (true, Some(stream)) = (STREAM && self.starved.get(), self.outbox.next()) {
                    let [_, progress, ..] = &self.late;
                    if progress.get() != 0 && self.left(progress.get()) == 0 {
                        self.fail_stream(stream);
                    }
                }
                self.end(Kind::Timeout, Kind::ConnectionClosed);
            }
        }
    }

    /// Enters a stage that lasts as long as the response time at most.
    #[inline(always)]
    fn enter(&self, stage: Stage) {
        self.stage.set(stage);
        self.limit(late::STAGE);
    }

    /// The link, still being made, has got a step further: the next may take the response time again.
    #[cfg(feature = "tls")]
    pub fn link_stepped(&self) {
        if self.stage.get() == Stage::Connecting {
            self.enter(Stage::Connecting);
            self.unlimit(late::PROGRESS);
        }
    }

    /// The link has taken bytes of what it was handed before, or has been given some of what is to come.
    #[cfg(feature = "tls")]
    pub fn link_moved(&self, taken: bool, given: bool) {
        if taken && self.work.get() != Work::Piece {
            self.unlimit(late::PROGRESS);
        }
        if given && self.is_awaited(late::PINGRESP) {
            self.limit(late::PINGRESP);
        }
    }

    fn is_connected(&self) -> bool {
        self.stage.get() == Stage::Connected
    }
}

/// There is more to do.
const AGAIN: u32 = NEVER - 1;
