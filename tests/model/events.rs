//! What the application is told: every event is due, in its order, with the details of what it is about.

use super::books::{Books, Entry, Packet, Phase, Source, State, What};
use crate::support::*;
use utasker_mqtt::outbox::{PAYLOAD_ROOM, TOPIC_ROOM};

/// The reference that a message belongs to, found level by level.
pub fn matching(books: &Books, topic: &str) -> u8 {
    let matches = |filter: &str| {
        let (filter, name): (Vec<_>, Vec<_>) = (filter.split('/').collect(), topic.split('/').collect());
        for (index, level) in filter.iter().enumerate() {
            if matches!(*level, "#" | "+") && index == 0 && topic.starts_with('$') {
                return false;
            }
            if *level == "#" {
                return true;
            }
            match name.get(index) {
                Some(word) if *level == "+" || level == word => {}
                _ => return false,
            }
        }
        filter.len() == name.len()
    };
    let find = |wanted: &dyn Fn(Option<&str>) -> bool| {
        books.table.iter().position(|entry| entry.as_ref().is_some_and(|entry| wanted(entry.topic.as_deref())))
    };
    let place = find(&|filter| filter.is_some_and(matches)).or_else(|| find(&|filter| filter.is_none()));
    place.map_or(0, |place| place as u8 + 1)
}

impl Books {
    /// The next packet of the broker, which is told now. Only that of a long message need not be there as a whole.
    #[track_caller]
    fn told_packet(&mut self) -> Packet {
        while self.process_one() {}
        assert!(self.ending.is_none(), "the connection is to end: {:?}", self.ending);
        let (packet, end) = self.arriving.front().expect("a packet of the broker").clone();
        assert!(end <= self.received || matches!(packet, Packet::Message { .. }));
        packet
    }

    /// An event that tells. Returns whether a non-zero answer would repeat a publication.
    #[track_caller]
    pub fn told(&mut self, event: &Told) -> Option<Entry> {
        use Kind::*;
        self.begin();
        let details = matches!(event.kind, TopicMessage | TopicMessagePart | PublishAcknowledged | PublishFailed);
        assert_eq!(event.details.is_some(), details, "{event:?}");
        if event.kind != PublishFailed {
            self.repeated = Option::None;
            let is_end = matches!(event.kind, ConnectionClosed | HostClosed | Unreachable);
            if is_end {
                self.fail_with_connection();
            }
            assert!(self.failures.is_empty(), "{event:?} before {:?} has failed", self.failures);
        }
        if let Some(sent) = &self.sent {
            assert_eq!((event.kind, event.reference), (PublishAcknowledged, sent.reference), "{sent:?} was sent");
        }
        if let Some(reference) = self.refused.take() {
            assert_eq!((event.kind, event.number, event.reference), (SubscriptionRefused, 0, reference));
            self.end_subscription(reference);
            return Option::None;
        }
        match event.kind {
            PublishFailed => {
                if let Some(entry) = self.repeated.take().filter(|_| self.failures.is_empty() && self.link_open) {
                    assert!(self.may_be_full(9 + entry.topic.as_ref().map_or(0, String::len)));
                    self.fail(|other| other.serial == entry.serial);
                } else if self.failures.is_empty() {
                    let handle = event.message().handle;
                    let next = self.next().filter(|next| next.given_up && next.needs_table && next.handle == handle);
                    match next.map(|next| next.serial) {
                        Some(serial) => self.fail(|entry| entry.serial == serial),
                        Option::None => self.fail_with_connection(),
                    }
                }
                let entry = self.failures.pop_front().unwrap_or_else(|| panic!("nothing fails: {event:?} {:?}", event.details));
                self.ended(event, &entry, true);
            }
            PublishAcknowledged => return self.acknowledged(event),
            Connack => {
                let Packet::Connack { present, code: 0 } = self.told_packet() else { panic!("{event:?}") };
                self.arriving.pop_front();
                assert_eq!(event.number != 0, self.restore(present));
                self.held = false;
            }
            ConnectionRefused => {
                let Packet::Connack { code, .. } = self.told_packet() else { panic!("{event:?}") };
                assert_eq!(event.number, code.into());
                self.arriving.clear();
                self.ending = Some((ConnectionRefused, ConnectionClosed));
                self.cause_told = true;
            }
            Suback | SubscriptionRefused => {
                let Packet::Suback { identifier, code } = self.told_packet() else { panic!("{event:?}") };
                self.arriving.pop_front();
                let place = self.find(identifier).expect("under way");
                let entry = self.entries.remove(place);
                self.answered = true;
                assert_eq!((entry.what, entry.reference, u32::from(code)), (What::Subscribe, event.reference, event.number));
                if event.kind == Suback {
                    self.subscription(entry.reference).as_mut().expect("in use").granted = code;
                } else {
                    self.end_subscription(entry.reference);
                }
            }
            Unsuback => {
                let Packet::Acknowledgement { first: 0xb0, identifier } = self.told_packet() else { panic!("{event:?}") };
                self.arriving.pop_front();
                let place = self.find(identifier).expect("under way");
                let entry = self.entries.remove(place);
                self.answered = true;
                assert_eq!((entry.what, entry.reference), (What::Unsubscribe, event.reference));
                self.end_subscription(entry.reference);
            }
            TopicMessage | TopicMessagePart => self.message(event),
            Busy | Protocol | Link | Timeout | InvalidArgument => self.cause(event.kind),
            ConnectionClosed | HostClosed | Unreachable => self.closed(event.kind),
            Reconnecting => {
                assert!(self.reconnecting && self.ending.is_none() && !self.link_open);
                let longest = self.options.reconnect_longest.max(self.options.reconnect_first);
                assert!(event.number <= 1000 * u32::from(longest));
            }
            kind => panic!("{kind:?}"),
        }
        Option::None
    }

    #[track_caller]
    fn cause(&mut self, kind: Kind) {
        assert!(!self.link_open && !self.cause_told, "{kind:?}");
        self.process();
        if kind == Kind::Protocol && matches!(self.arriving.front(), Some((Packet::Violation, _))) {
            self.ending = Some((kind, Kind::ConnectionClosed)); // which shows before it is there as a whole
        }
        if self.ending.is_none() || kind == Kind::Timeout && self.ending == Some((Kind::Busy, Kind::ConnectionClosed)) {
            let overflows = match self.arriving.front() {
                Some((Packet::Message { first, identifier, .. }, _)) => first & 6 == 4 && !self.incoming.contains(identifier),
                _ => false,
            };
            assert!(kind == Kind::Timeout || kind == Kind::Busy && overflows, "{kind:?} without reason");
            self.ending = Some((kind, Kind::ConnectionClosed));
        }
        assert_eq!(self.ending.expect("it ends").0, kind);
        self.cause_told = true;
        self.arriving.clear();
    }

    #[track_caller]
    fn closed(&mut self, kind: Kind) {
        assert!(!self.link_open);
        let (cause, closing) = self.ending.take().unwrap_or((Kind::None, Kind::ConnectionClosed));
        if self.reconnecting || self.cause_told || kind != Kind::ConnectionClosed {
            assert_eq!(closing, kind);
            assert!(self.cause_told || cause == Kind::None, "{cause:?} was not told");
        }
        assert!(self.cause_told || !self.reconnecting || kind != Kind::ConnectionClosed, "an end without reason");
        (self.cause_told, self.failing, self.held) = (false, false, false);
        (self.connect_begun, self.connect_done, self.left) = (false, false, false);
        if !self.reconnecting {
            assert_eq!(self.phase, Phase::Disconnecting);
            self.phase = Phase::Closed;
        }
    }

    /// The end of a publication.
    #[track_caller]
    fn ended(&mut self, event: &Told, entry: &Entry, failed: bool) {
        let details = event.message();
        assert_eq!((event.number, event.reference), (entry.qos.into(), entry.reference), "{entry:?}");
        assert_eq!((details.qos, details.retained, details.handle), (entry.qos, entry.retain, entry.handle), "{entry:?}");
        if !failed || !entry.needs_table {
            assert_eq!(details.topic, entry.topic, "{entry:?}");
        }
        assert_eq!(details.topic_length, details.topic.as_ref().map_or(0, String::len) as u16);
        assert_eq!(details.identifier == 0, entry.qos == 0);
        assert!(entry.identifier == 0 || details.identifier == entry.identifier, "{entry:?} {details:?}");
        assert_eq!(details.offset, 0);
        if !failed {
            assert_eq!(details.total as usize, entry.payload.as_ref().expect("sent").len());
            assert_eq!(details.duplicate, entry.duplicate, "{entry:?}");
        }
        let passed = self.publications.get_mut(&entry.serial).expect("accepted");
        passed.key = entry.topic.clone().zip(entry.payload.clone());
        assert!(!passed.acknowledged && !passed.failed, "{} ends once", entry.serial);
        *(if failed { &mut passed.failed } else { &mut passed.acknowledged }) = true;
    }

    #[track_caller]
    fn acknowledged(&mut self, event: &Told) -> Option<Entry> {
        let entry = if let Some(entry) = self.sent.take() {
            entry
        } else {
            let Packet::Acknowledgement { first, identifier } = self.told_packet() else { panic!("{event:?}") };
            self.arriving.pop_front();
            let place = self.find(identifier).expect("under way");
            let entry = self.entries.remove(place);
            let awaited = if entry.qos == 1 { (0x40, State::Sent) } else { (0x70, State::Released) };
            assert_eq!((first, entry.state), awaited);
            entry
        };
        self.ended(event, &entry, false);
        let may_repeat = entry.qos == 2 && entry.source == Source::Callback && self.phase == Phase::Open && self.ending.is_none();
        may_repeat.then_some(entry)
    }

    /// The application wants a publication again: it is a new one, with the same topic.
    pub fn repeat(&mut self, entry: Entry) {
        self.serial += 1;
        let serial = self.serial;
        self.publications.insert(serial, super::books::Passed { qos: 2, ..Default::default() });
        let entry = Entry { serial, state: State::Waiting, payload: None, offset: 0, identifier: 0, duplicate: false, needs_table: false, ..entry };
        self.repeated = Some(entry.clone());
        self.entries.push(entry);
    }

    #[track_caller]
    fn message(&mut self, event: &Told) {
        let Packet::Message { topic, first, identifier, payload, serial } = self.told_packet() else { panic!("{event:?}") };
        let details = event.message();
        let whole = event.kind == Kind::TopicMessage;
        if let Some(kept) = &details.topic {
            assert_eq!(*kept, topic);
        } else {
            assert!(!whole);
        }
        assert_eq!(usize::from(details.topic_length), topic.len());
        assert_eq!((details.identifier, details.handle, details.qos), (identifier, 0, first >> 1 & 3));
        assert_eq!((details.retained, details.duplicate), (first & 1 != 0, first & 8 != 0));
        assert_eq!(details.total as usize, payload.len());
        let expected = self.part.map_or(0, |(offset, _)| offset);
        assert_eq!(details.offset, expected, "{event:?}");
        let range = expected as usize..expected as usize + event.data.len();
        assert!(payload.get(range) == Some(&event.data), "the payload of {serial}");
        let reference = match self.part {
            Some((_, reference)) => reference,
            None if details.topic.is_none() => self.table.iter().position(|entry| entry.as_ref().is_some_and(|entry| entry.topic.is_none())).map_or(0, |place| place as u8 + 1),
            None => matching(self, &topic),
        };
        assert_eq!(event.reference, reference, "{topic} {:?}", self.table);
        let end = expected + event.number;
        self.part = (end != details.total).then_some((end, reference));
        assert!(!whole || self.part.is_none());
        if self.part.is_none() {
            self.arriving.pop_front();
            self.messages.get_mut(&serial).expect("published").times += 1;
            match first & 6 {
                4 => {
                    self.incoming.insert(identifier);
                    self.reply(0x50, identifier);
                }
                2 => self.reply(0x40, identifier),
                _ => {}
            }
        }
    }

    /// An event that asks for a topic or a payload: the request whose turn it is.
    #[track_caller]
    pub fn asked(&mut self, event: &Told) -> &mut Entry {
        self.repeated = None;
        self.process();
        assert!(self.accepted && self.failures.is_empty() && self.sent.is_none() && self.refused.is_none() && self.ending.is_none());
        let details = event.message().clone();
        let serial = self.next().expect("a request is due").serial;
        if details.identifier != 0 {
            self.identify(serial, details.identifier);
        }
        let entry = self.next().expect("a request is due");
        assert_ne!(entry.state, State::Copying);
        assert_eq!(event.reference, entry.reference, "{event:?} {entry:?}");
        assert_eq!(details.topic, entry.topic, "{event:?} {entry:?}");
        match event.kind {
            Kind::PublishTopic => {
                assert!(entry.topic.is_none() && !entry.given_up, "{entry:?}");
                assert_eq!((event.number as usize, details.total, details.offset), (TOPIC_ROOM, 0, 0));
            }
            Kind::PublishData => {
                assert!(entry.source == Source::Callback && entry.payload.is_none());
                assert_eq!((event.number as usize, details.total, details.offset), (PAYLOAD_ROOM, 0, 0));
            }
            _ => {
                let payload = entry.payload.as_ref().expect("a stream");
                assert!(entry.source == Source::Stream && entry.offset < payload.len());
                assert_eq!((details.total as usize, details.offset as usize), (payload.len(), entry.offset));
                assert_eq!(event.number as usize, PAYLOAD_ROOM.min(payload.len() - entry.offset));
            }
        }
        if entry.what == What::Publish {
            assert_eq!((details.qos, details.retained, details.duplicate), (entry.qos, entry.retain, entry.duplicate), "{entry:?}");
            assert_eq!(details.handle, entry.handle);
        }
        entry
    }
}
