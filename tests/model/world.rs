//! A client, its broker, a link between them that does what it likes, and a clock.

use super::application::{content, length};
use super::books::{Books, Phase, Source, State, What};
use super::broker::Broker;
use super::wire::Wire;
use crate::support::random::Random;
use crate::support::*;
use std::collections::VecDeque;
use utasker_mqtt::outbox::{PAYLOAD_ROOM, TOPIC_ROOM};

/// How a run goes.
#[derive(Clone, Copy, Debug)]
pub struct Course {
    pub seed: u64,
    /// Other tasks make requests while the poll is outside of the session; streams have nothing to give.
    pub tasks: bool,
    /// Polls that nobody asked for.
    pub extra_polls: bool,
    /// All sessions are kept, and the broker keeps them.
    pub kept: bool,
    /// The broker breaks the protocol.
    pub hostile: bool,
}

pub struct World {
    pub course: Course,
    pub library: Library,
    pub books: Books,
    pub broker: Broker,
    pub wire: Wire,
    pub hooks: Random,
    pub polls: Random,
    pub events: u64,
    pub clock: u64,
    pub faults: bool,
    pub room: usize,
    pub chunk: usize,
    pub lost: Option<i32>,
    pub is_open: bool,
    /// What the broker wrote and the link has not brought; what it has brought.
    pub under_way: VecDeque<u8>,
    pub arrived: VecDeque<u8>,
    pub written: u64,
    /// Since when something is awaited.
    pub stage: Option<u64>,
    pub stalled: Option<u64>,
    pub answer: Option<u64>,
    pub controls: usize,
    pub attempt: Option<u64>,
    pub leaving: Option<u64>,
    pub starved: bool,
    pub blocked: bool,
    /// In this poll: something was sent, received or told.
    pub active: bool,
    /// Another task made a request during the poll.
    pub woken: bool,
    /// What happened, and when.
    pub trace: Vec<(u64, String)>,
}

impl World {
    pub fn new(course: Course) -> Self {
        let mut random = Random::new(course.seed);
        let mut broker = Broker::new();
        (broker.forgetful, broker.hostile) = (!course.kept, course.hostile);
        Self {
            course,
            library: Library::new(),
            books: Books::new(),
            broker,
            wire: Wire::new(),
            hooks: Random::new(course.seed + 500_000),
            polls: Random::new(course.seed + 600_000),
            events: 0,
            clock: u64::from(random.number()),
            faults: true,
            room: usize::MAX,
            chunk: usize::MAX,
            lost: None,
            is_open: false,
            under_way: VecDeque::new(),
            arrived: VecDeque::new(),
            written: 0,
            stage: None,
            stalled: None,
            answer: None,
            controls: 0,
            attempt: None,
            leaving: None,
            starved: false,
            blocked: false,
            active: false,
            woken: false,
            trace: Vec::new(),
        }
    }

    pub fn note(&mut self, text: String) {
        self.active = true;
        match self.trace.last_mut() {
            Some((clock, last)) if *clock == self.clock => {
                last.push(' ');
                last.push_str(&text);
            }
            _ => self.trace.push((self.clock, text)),
        }
    }

    /// What another task does while the poll is outside of the session.
    pub fn meanwhile(&mut self) {
        if self.course.tasks && self.faults && self.hooks.one_in(25) {
            if !self.books.telling {
                self.books.process();
            }
            let mut hooks = self.hooks.clone();
            self.books.request(&mut self.library, &mut hooks, true);
            self.hooks = hooks;
            self.woken = true;
        }
    }

    pub fn count_controls(&mut self) {
        if !self.books.accepted {
            return;
        }
        let controls = self.books.entries.iter().filter(|entry| entry.what != What::Publish && entry.state == State::Sent).count();
        if controls == 0 {
            self.answer = None;
        } else if std::mem::take(&mut self.books.answered) || self.controls == 0 {
            self.answer = Some(self.clock);
        }
        self.controls = controls;
    }

    pub fn link_lost(&mut self, how: i32) -> i32 {
        self.note(format!("lost {how}"));
        self.books.process();
        self.books.arriving.clear();
        self.books.ending = Some(match how {
            lost::CLOSED => (Kind::None, Kind::HostClosed),
            lost::UNREACHABLE => (Kind::None, Kind::Unreachable),
            _ => (Kind::Link, Kind::HostClosed),
        });
        how
    }

    /// What the application has to write.
    pub fn answer(&mut self, event: &Told, random: &mut Random) -> Answer {
        if matches!(event.kind, Kind::PublishTopic | Kind::PublishData | Kind::PublishDataPart) {
            self.active |= event.kind != Kind::PublishDataPart;
            return self.answer_request(event, random);
        }
        assert!(event.details.is_none() && self.books.link_open && !self.books.connect_begun);
        let refused = self.faults && random.one_in(60);
        let field = match event.kind {
            Kind::WillTopic => "will/é".to_string(),
            _ => format!("{:?}", event.kind),
        };
        if refused || field.len() > event.number as usize {
            self.books.ending = Some((Kind::InvalidArgument, Kind::ConnectionClosed));
            return (event.number as u16 + 1).into();
        }
        self.wire.fields.push(field.as_bytes().to_vec());
        field.as_str().into()
    }

    fn answer_request(&mut self, event: &Told, random: &mut Random) -> Answer {
        let (tasks, faults) = (self.course.tasks, self.faults);
        let entry = self.books.asked(event);
        let serial = entry.serial;
        entry.needs_table &= entry.topic.is_none();
        match event.kind {
            Kind::PublishTopic => {
                let topic = match random.below(if faults { 10 } else { 4 }) {
                    0..4 => format!("a/{serial}"),
                    4..7 => format!("a/{}", "z".repeat(length(random, TOPIC_ROOM - 2))),
                    7 => String::new(),
                    8 => "a\0b".into(),
                    _ => "a#".into(),
                };
                if !topic.is_empty() && topic.len() <= TOPIC_ROOM && !topic.contains(['\0', '#']) {
                    (entry.topic, entry.needs_table) = (Some(topic.clone()), false);
                    return topic.as_str().into();
                }
                if entry.what == What::Publish {
                    self.fail_only(serial);
                } else {
                    self.books.refused = Some(entry.reference);
                }
                let number = if topic.len() > TOPIC_ROOM { TOPIC_ROOM as u16 + 1 } else { topic.len() as u16 };
                Answer { bytes: topic.into_bytes(), number }
            }
            Kind::PublishData => {
                if faults && random.one_in(30) {
                    self.fail_only(serial);
                    return (PAYLOAD_ROOM as u16 + 1).into();
                }
                let payload = content(serial, length(random, PAYLOAD_ROOM).min(PAYLOAD_ROOM));
                entry.payload = Some(payload.clone());
                payload.into()
            }
            _ if faults && random.one_in(60) => {
                entry.doomed = true;
                self.books.ending = Some((Kind::InvalidArgument, Kind::ConnectionClosed));
                0xffff.into()
            }
            _ if tasks && random.one_in(3) => {
                self.starved = true;
                self.stalled.get_or_insert(self.clock);
                0.into()
            }
            _ => {
                let length = 1 + random.below(event.number) as usize;
                let piece = entry.payload.as_ref().expect("a stream")[entry.offset..][..length].to_vec();
                entry.offset += length;
                self.stalled = None;
                self.active = true;
                piece.into()
            }
        }
    }

    fn fail_only(&mut self, serial: u32) {
        self.books.fail(|entry| entry.serial == serial);
    }

    /// An event that tells.
    pub fn told(&mut self, event: &Told, random: &mut Random) -> u16 {
        self.note(format!("{event:?} {:?}", event.details));
        if event.kind == Kind::Timeout {
            self.timed_out();
        }
        let entry = self.books.told(event);
        match event.kind {
            Kind::Connack => (self.stage, self.controls) = (None, 0),
            Kind::Reconnecting => self.attempt = Some(self.clock + u64::from(event.number)),
            Kind::ConnectionClosed | Kind::HostClosed | Kind::Unreachable => {
                self.attempt = None;
                if let Some(leaving) = self.leaving.take() {
                    assert!(self.clock - leaving <= u64::from(self.books.response()) + 1000, "the end comes late");
                }
            }
            _ => {}
        }
        self.books.telling = true;
        let requests = if self.faults && random.one_in(4) { 1 + random.below(3) } else { 0 };
        for _ in 0..requests {
            self.books.request(&mut self.library, random, self.course.tasks);
        }
        self.meanwhile();
        if self.books.phase == Phase::Closed && random.one_in(4) {
            self.connect(random);
        }
        self.books.telling = false;
        match entry {
            Some(entry) if self.faults && self.books.phase == Phase::Open && random.one_in(3) => {
                self.books.repeat(entry);
                1
            }
            Some(_) => 0,
            None => random.below(2) as u16 * u16::from(event.kind != Kind::PublishAcknowledged),
        }
    }

    /// A time limit has passed; which, is only known where the link takes all.
    fn timed_out(&mut self) {
        let response = u64::from(self.books.response());
        let since = [self.stage, self.stalled, self.answer, self.books.ping].into_iter().flatten();
        assert!(since.clone().any(|since| since + response <= self.clock) || self.blocked, "too early");
        if self.starved && self.stalled.is_some_and(|stalled| stalled + response <= self.clock) {
            if let Some(entry) = self.books.next().filter(|entry| entry.source == Source::Stream && entry.offset < entry.payload.as_ref().map_or(0, Vec::len)) {
                entry.doomed = true;
            }
        }
    }

    pub fn connect(&mut self, random: &mut Random) {
        let options = Options {
            keep_alive: [0, 4, 60, 65534, NO_KEEP_ALIVE][random.below(5) as usize],
            response: [0, 1, 30][random.below(3) as usize],
            reconnect_first: if cfg!(feature = "reconnect") { [0, 1, 20][random.below(3) as usize] } else { 0 },
            reconnect_longest: [0, 40][random.below(2) as usize],
            ..DEFAULTS
        };
        let flags = if self.course.kept || random.one_in(2) { KEPT } else { CLEAN };
        let flags = flags | [0, WILL, WILL | WILL_QOS_1 | WILL_RETAIN, USER_NAME, USER_NAME | PASSWORD][random.below(5) as usize];
        let old = cfg!(feature = "mqtt-3-1") && random.one_in(4);
        let answers = (self.library.set_options(options), if old { self.library.connect_3_1(flags) } else { self.library.connect(flags) });
        if self.books.phase != Phase::Closed {
            return assert_eq!(answers, (Err(Error::InUse), Err(Error::InUse)));
        }
        assert_eq!(answers, (Ok(()), Ok(())));
        let books = &mut self.books;
        (books.phase, books.options, books.flags, books.old) = (Phase::Starting, options, flags, old);
        books.begins = true;
        self.note(format!("connect {flags} {old} {options:?}"));
    }
}

impl World {
    pub fn is_settled(&self) -> bool {
        self.books.entries.is_empty() && self.books.accepted && self.broker.is_idle() && self.under_way.is_empty() && self.books.arriving.is_empty()
    }

    /// All that is possible without faults.
    pub fn go_on(&mut self, random: &mut Random) {
        for _ in 0..64 {
            let mut library = self.library.clone();
            self.books.copy(&mut library, random);
        }
        if self.books.phase == Phase::Closed {
            self.connect(random);
        }
        while !self.broker.input.is_empty() && !self.broker.closes {
            self.broker.read(&mut self.books, random);
            self.write(random);
        }
        if self.broker.closes {
            self.broker.input.clear();
        }
        self.write(random);
        self.bring(usize::MAX);
    }

    fn write(&mut self, random: &mut Random) {
        if self.is_open {
            while let Some((packet, bytes)) = self.broker.write(random) {
                self.written += bytes.len() as u64;
                self.books.arriving.push_back((packet, self.written));
                self.under_way.extend(bytes);
            }
        }
    }

    /// The link brings some of what the broker wrote. Returns whether there was any.
    fn bring(&mut self, most: usize) -> bool {
        let length = self.under_way.len().min(most);
        self.arrived.extend(self.under_way.drain(..length));
        if self.broker.closes && self.under_way.is_empty() && self.is_open && self.lost.is_none() {
            self.lost = Some(lost::CLOSED);
            return true;
        }
        length != 0
    }

    /// Something happens outside. Returns whether that is a reason to poll.
    pub fn happen(&mut self, random: &mut Random) -> bool {
        let serial = (self.books.serial, self.books.phase);
        match random.below(40) {
            0..10 => self.books.request(&mut self.library, random, self.course.tasks),
            10..13 => {
                self.connect(random);
            }
            13..15 => self.broker.publish(&mut self.books, random),
            15 => self.broker.surprise(&self.books, random),
            16..22 => self.broker.read(&mut self.books, random),
            22..34 => {
                for _ in 0..random.below(6) {
                    self.broker.read(&mut self.books, random);
                }
                self.write(random);
                let few = random.one_in(3);
                let most = random.below(if few { 20 } else { 6000 }) as usize;
                if self.blocked && self.books.batch > 8 {
                    return false;
                }
                return self.bring(most);
            }
            34 => {
                self.room = random.below(60) as usize;
                return true;
            }
            35 => self.chunk = 1 + random.below(60) as usize,
            36 if self.is_open && random.one_in(3) => {
                self.lost = Some(-1 - random.below(3) as i32);
                return true;
            }
            36..39 => {
                (self.room, self.chunk) = (usize::MAX, usize::MAX);
                return true;
            }
            _ => self.books.copy(&mut self.library, random),
        }
        if self.books.phase == Phase::Disconnecting && self.leaving.is_none() {
            self.leaving = Some(self.clock);
        }
        serial != (self.books.serial, self.books.phase) || self.course.tasks
    }

    /// The poll has come to rest: nothing is left that could be done.
    pub fn rested(&mut self, wait: u32) {
        self.books.process();
        self.count_controls();
        let books = &mut self.books;
        assert!(books.failures.is_empty() && books.sent.is_none() && books.refused.is_none(), "not told: {:?}", books.failures);
        if books.phase == Phase::Closed {
            return assert!(wait == NEVER || self.starved);
        }
        if let Some(attempt) = self.attempt {
            assert!(u64::from(wait) <= attempt - self.clock);
        }
        if books.phase == Phase::Disconnecting || !self.is_open {
            return;
        }
        let response = u64::from(books.response());
        // Where acknowledgements wait for the link there may be no room for more of them, so that answers are not read.
        let may_be_unread = self.blocked && !(books.replies.is_empty() && books.releases.is_empty() && books.ending.is_none());
        let [answer, ping] = [self.answer, books.ping].map(|since| since.filter(|_| !may_be_unread));
        let awaited = [self.stage, self.stalled, answer, ping];
        for since in awaited.into_iter().flatten() {
            assert!(since + response > self.clock, "overdue: {awaited:?}");
            assert!(u64::from(wait) <= since + response - self.clock, "{wait} is too long: {awaited:?}");
        }
        assert!(!self.starved || wait <= 100);
        if self.blocked || self.starved {
            return;
        }
        assert!(self.arrived.is_empty() && books.ending.is_none(), "{:?}", books.ending);
        if books.accepted {
            assert!(books.replies.is_empty() && books.releases.is_empty(), "not sent: {:?} {:?}", books.replies, books.releases);
            let done = books.arriving.front().is_none_or(|(_, end)| *end > books.received);
            assert!(done, "not told: {:?}", books.arriving.front());
            let answered = books.entries.iter().all(|entry| !matches!(entry.state, State::Sent | State::Released));
            let next = books.next().map(|entry| entry.state);
            assert!(!answered || matches!(next, None | Some(State::Copying)), "not sent: {:?}", books.entries);
        }
    }
}

impl World {
    /// Everything has arrived as often as it must.
    pub fn check_passed(&self) {
        for (serial, passed) in &self.books.publications {
            assert!(passed.acknowledged || passed.failed, "{serial} has not ended");
            let Some(key) = passed.key.as_ref().filter(|(_, payload)| payload.len() > 3) else { continue };
            let arrived = self.broker.arrived.get(key).copied().unwrap_or_default();
            match passed.qos {
                0 => assert!(arrived <= 1, "{serial}"),
                _ if passed.disturbed => {}
                1 => assert!(arrived >= 1 || passed.failed, "{serial}"),
                _ if passed.failed => assert!(arrived <= 1, "{serial}"),
                _ => assert_eq!(arrived, 1, "{serial}"),
            }
        }
        for (serial, passed) in &self.books.messages {
            match passed.qos {
                _ if passed.disturbed => {}
                0 => assert!(passed.times <= 1, "{serial}"),
                1 => assert!(passed.times >= 1, "{serial}"),
                _ => assert_eq!(passed.times, 1, "{serial}"),
            }
        }
    }
}

/// Tells what a course that fails has come to.
impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for (clock, text) in self.trace.iter().rev().take(20).rev() {
                eprintln!("{clock} {text}");
            }
            eprintln!("{:?}", self.course);
        }
    }
}
