//! Random calls, a random broker and a link that fails at random: what was promised of each publication, message and
//! subscription holds.

mod support;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use support::broker::{Broker, payload, serial};
use support::random::Random;
use support::*;
use utasker_mqtt::config::{MAX_SUBSCRIPTIONS, PUBLISH_ROOM};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Outcome {
    Awaited,
    Acknowledged,
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Subscription {
    Free,
    Asked,
    Made,
    /// Its UNSUBACK is awaited; its SUBACK too where it was asked for only.
    Ending { answered: bool },
}

/// What was promised to the application.
struct Books {
    random: Random,
    next: u32,
    publications: BTreeMap<u32, (u8, Outcome)>,
    streams: BTreeSet<u32>,
    subscriptions: [Subscription; MAX_SUBSCRIPTIONS + 1],
    /// How often each message has arrived as a whole, and how far the one in parts has come.
    messages: BTreeMap<u32, u32>,
    offset: u32,
}

impl Books {
    fn request(&mut self, library: &mut Library) {
        let qos = self.random.below(3) as u8;
        let topic = format!("p/{}", self.next);
        let data = payload(self.next);
        let accepted = match self.random.below(9) {
            0 => library.publish(0, Some(&topic), qos).is_ok(),
            1 => {
                self.streams.insert(self.next);
                library.publish_stream(0, Some(&topic), qos, data.len() as u32).is_ok()
            }
            2 => return self.subscribe(library),
            3 => return self.unsubscribe(library),
            _ => library.publish_data(0, Some(&topic), qos, &data).is_ok(),
        };
        if !accepted {
            self.streams.remove(&self.next);
        } else {
            self.publications.insert(self.next, (qos, Outcome::Awaited));
            self.next += 1;
        }
    }

    fn subscribe(&mut self, library: &mut Library) {
        let filter = ["m/#", "+/5", "other"][self.random.below(3) as usize];
        if let Ok(reference) = library.subscribe((!self.random.one_in(4)).then_some(filter), 2) {
            let entry = &mut self.subscriptions[usize::from(reference)];
            assert_eq!(*entry, Subscription::Free);
            *entry = Subscription::Asked;
        }
    }

    fn unsubscribe(&mut self, library: &mut Library) {
        let reference = 1 + self.random.below(MAX_SUBSCRIPTIONS as u32) as u8;
        if library.unsubscribe(reference).is_ok() {
            let entry = &mut self.subscriptions[usize::from(reference)];
            assert!(matches!(entry, Subscription::Asked | Subscription::Made));
            *entry = Subscription::Ending { answered: *entry == Subscription::Made };
        }
    }

    fn told(&mut self, event: &Told) {
        let entry = &mut self.subscriptions[usize::from(event.reference)];
        match event.kind {
            Kind::PublishAcknowledged | Kind::PublishFailed => {
                let message = event.message();
                let topic = message.topic.as_deref().expect("the topic");
                let (qos, outcome) = self.publications.get_mut(&serial(topic)).expect("accepted");
                assert_eq!(*outcome, Outcome::Awaited, "{topic} ends once");
                assert_eq!(u32::from(*qos), event.number);
                *outcome = if event.kind == Kind::PublishFailed { Outcome::Failed } else { Outcome::Acknowledged };
            }
            Kind::Suback => match entry {
                Subscription::Asked => *entry = Subscription::Made,
                Subscription::Ending { answered: false } => *entry = Subscription::Ending { answered: true },
                _ => panic!("a second SUBACK: {entry:?}"),
            },
            Kind::SubscriptionRefused => {
                assert_ne!(*entry, Subscription::Free);
                *entry = Subscription::Free;
            }
            Kind::Unsuback => {
                assert_eq!(*entry, Subscription::Ending { answered: true });
                *entry = Subscription::Free;
            }
            Kind::TopicMessage | Kind::TopicMessagePart => self.arrived(event),
            _ => {}
        }
    }

    fn arrived(&mut self, event: &Told) {
        let message = event.message();
        let serial = serial(message.topic.as_deref().expect("the topic"));
        let expected = payload(serial);
        let range = message.offset as usize..message.offset as usize + event.data.len();
        assert!(expected.get(range) == Some(&event.data), "the payload of {serial}");
        assert!(message.offset == 0 || message.offset == self.offset);
        self.offset = message.offset + event.number;
        if self.offset == message.total {
            assert_eq!(self.offset, expected.len() as u32);
            *self.messages.entry(serial).or_default() += 1;
        }
    }

    fn answer(&mut self, event: &Told) -> Option<Answer> {
        match event.kind {
            Kind::PublishData => Some(payload(serial(event.message().topic.as_deref().expect("the topic"))).into()),
            Kind::PublishTopic if self.random.one_in(4) => Some("".into()),
            Kind::PublishDataPart if self.random.one_in(4) => Some(0.into()),
            Kind::PublishDataPart => {
                let message = event.message();
                let payload = payload(serial(message.topic.as_deref().expect("the topic")));
                let room = 1 + self.random.below(event.number) as usize;
                let rest = &payload[message.offset as usize..];
                Some(rest[..room.min(rest.len())].to_vec().into())
            }
            _ => None,
        }
    }
}

struct World {
    client: Client,
    books: Rc<RefCell<Books>>,
    broker: Broker,
    random: Random,
    flags: u8,
    version_3_1: bool,
    connection: usize,
    /// Whether the link fails.
    faults: bool,
}

impl World {
    fn new(seed: u64, flags: u8, reconnects: bool) -> Self {
        let mut random = Random::new(seed);
        let keep_alive = [0, 8][random.below(2) as usize];
        let options = Options { keep_alive, reconnect_first: if reconnects { 2 } else { 0 }, reconnect_longest: 8, ..DEFAULTS };
        let mut client = Client::with(options);
        let books = Rc::new(RefCell::new(Books {
            random: Random::new(seed + 1_000_000),
            next: 1,
            publications: BTreeMap::new(),
            streams: BTreeSet::new(),
            subscriptions: [Subscription::Free; MAX_SUBSCRIPTIONS + 1],
            messages: BTreeMap::new(),
            offset: 0,
        }));
        let shared = books.clone();
        client.application.answers(move |library, event| {
            let mut books = shared.borrow_mut();
            if !event.asks() {
                books.told(event);
                if books.random.one_in(12) {
                    books.request(library);
                }
            }
            books.answer(event)
        });
        let connection = 0;
        random.number();
        Self { client, books, broker: Broker::new(), random, flags, version_3_1: false, connection, faults: true }
    }

    /// The broker takes what the client sent, and gives some of what it has.
    fn exchange(&mut self) {
        if self.client.link.opened != self.connection {
            self.connection = self.client.link.opened;
            self.broker.link_lost();
        }
        let sent = self.client.take_sent();
        self.broker.input(&sent, &mut self.random);
        if self.client.link.is_open() {
            let most = if self.faults { self.random.below(3000) as usize } else { usize::MAX };
            self.client.link.arrives(&self.broker.output(most));
            if self.broker.closes && self.client.link.lost.is_none() {
                self.client.link.lost = Some(lost::CLOSED);
            }
        }
    }

    fn poll(&mut self) {
        self.client.random = self.random.number();
        self.client.poll();
        let told = self.client.take_events();
        for (index, event) in told.iter().enumerate() {
            if matches!(event.kind, Kind::ConnectionClosed | Kind::HostClosed | Kind::Unreachable) {
                self.closed(told.get(index + 1).is_some_and(|next| next.kind == Kind::Reconnecting));
            }
            assert_ne!(event.kind, Kind::Protocol);
            assert_ne!(event.kind, Kind::Busy);
        }
    }

    fn closed(&mut self, reconnecting: bool) {
        if self.flags == CLEAN && !reconnecting {
            self.books.borrow_mut().subscriptions = [Subscription::Free; MAX_SUBSCRIPTIONS + 1];
        }
    }

    fn fault(&mut self) {
        let link = &mut self.client.link;
        match self.random.below(8) {
            0 if link.is_open() => {
                link.lost = Some(-1 - self.random.below(3) as i32);
                if self.random.one_in(2) {
                    link.sent.clear();
                }
            }
            1 => link.room = 0,
            2 => link.room = self.random.below(100) as usize,
            3 => link.chunk = 1 + self.random.below(50) as usize,
            4 => link.opens = [-1 - self.random.below(3) as i32].into(),
            _ => (link.room, link.chunk) = (usize::MAX, usize::MAX),
        }
    }

    fn act(&mut self) {
        if self.faults {
            match self.random.below(40) {
                0..6 => self.fault(),
                6..26 => self.books.borrow_mut().request(&mut self.client.library),
                26..32 if self.broker.is_connected() && self.broker.window() < 16 => {
                    let serial = 1 + self.broker.published.len() as u32;
                    self.broker.publish(serial, self.random.below(3) as u8);
                }
                32 => drop(self.client.library.disconnect()),
                33 => self.client.now = self.client.now.wrapping_add(self.random.below(20_000)),
                _ => self.client.now = self.client.now.wrapping_add(self.random.below(200)),
            }
        }
        let _ = match self.version_3_1 {
            true => self.client.library.connect_3_1(self.flags),
            false => self.client.library.connect(self.flags),
        };
        self.poll();
        self.exchange();
    }

    /// Without faults all comes to an end.
    fn settle(&mut self) {
        self.faults = false;
        (self.client.link.room, self.client.link.chunk) = (usize::MAX, usize::MAX);
        self.client.link.opens.clear();
        for _ in 0..3000 {
            self.act();
            self.client.now = self.client.now.wrapping_add(50);
            let settled = self.books.borrow().publications.values().all(|(_, outcome)| *outcome != Outcome::Awaited);
            if settled && self.broker.is_connected() && self.broker.is_idle() && self.answered() {
                return;
            }
        }
        let books = self.books.borrow();
        let awaited: Vec<_> = books.publications.iter().filter(|(_, (_, outcome))| *outcome == Outcome::Awaited).collect();
        panic!("not settled: {awaited:?} {:?}, broker's window {}", books.subscriptions, self.broker.window());
    }

    fn answered(&self) -> bool {
        self.books.borrow().subscriptions.iter().all(|entry| matches!(entry, Subscription::Free | Subscription::Made))
    }
}

/// Names the seed of a run that fails.
struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed {}", self.0);
        }
    }
}

fn run(seed: u64, flags: u8, forgetful: bool, version_3_1: bool) {
    let _named = Named(seed);
    let mut world = World::new(seed, flags, seed & 1 == 0);
    world.version_3_1 = version_3_1;
    world.broker.forgetful = forgetful;
    for _ in 0..400 {
        world.act();
    }
    world.settle();
    let books = world.books.borrow();
    assert!(books.publications.len() > 5);
    let exactly_once = flags == KEPT && !forgetful;
    for (serial, (qos, outcome)) in &books.publications {
        let arrived = world.broker.arrived.get(serial).copied().unwrap_or_default();
        match (qos, outcome) {
            (0, Outcome::Failed) => assert_eq!(arrived, 0, "{serial}"),
            (0, _) => assert!(arrived <= 1, "{serial}"),
            (1, Outcome::Acknowledged) => assert!(arrived >= 1, "{serial}"),
            (2, Outcome::Acknowledged) if exactly_once => assert_eq!(arrived, 1, "{serial}"),
            (2, _) => assert!(arrived <= 1 || forgetful, "{serial}"),
            _ => {}
        }
        if exactly_once && *qos != 0 && !books.streams.contains(serial) {
            assert!(*outcome == Outcome::Acknowledged || payload(*serial).len() > PUBLISH_ROOM, "{serial} at QoS {qos}");
        }
    }
    for (serial, qos) in &world.broker.published {
        let arrived = books.messages.get(serial).copied().unwrap_or_default();
        match qos {
            0 => assert!(arrived <= 1, "{serial}"),
            1 if exactly_once => assert!(arrived >= 1, "{serial}"),
            2 if exactly_once => assert_eq!(arrived, 1, "{serial}"),
            2 => assert!(arrived <= 1, "{serial}"),
            _ => {}
        }
    }
}

#[test]
fn kept_session() {
    for seed in 150..250 {
        run(seed, KEPT, false, false);
    }
}

#[test]
fn clean_session() {
    for seed in 1000..1060 {
        run(seed, CLEAN, false, false);
    }
}

#[test]
fn kept_session_that_the_broker_forgets_now_and_then() {
    for seed in 2000..2060 {
        run(seed, KEPT, true, false);
    }
}

#[test]
fn sessions_with_version_3_1() {
    for seed in 3000..3060 {
        run(seed, if seed % 4 < 2 { KEPT } else { CLEAN }, false, true);
    }
}
