//! What the application asks for, with the answer that each call must get.

use super::books::{Books, Entry, Passed, Phase, Source, State, Subscription, What};
use crate::support::random::Random;
use crate::support::*;
use utasker_mqtt::config::{MAX_INFLIGHT, MAX_SUBSCRIPTIONS, MAX_TOPIC_LENGTH};
use utasker_mqtt::memory::TRANSMIT_END;
use utasker_mqtt::outbox::{PAYLOAD_ROOM, TOPIC_ROOM};

/// The bytes of a message.
pub fn content(serial: u32, length: usize) -> Vec<u8> {
    (0..length as u32).map(|place| (place.wrapping_add(serial).wrapping_mul(0x9e37_79b1) >> 13) as u8).collect()
}

/// A length: most often short, sometimes about a limit, sometimes any up to there.
pub fn length(random: &mut Random, limit: usize) -> usize {
    match random.below(8) {
        0 => (limit + random.below(12) as usize).saturating_sub(8),
        1 => random.below(limit as u32 + 1) as usize,
        2 => 0,
        _ => random.below(40) as usize,
    }
}

fn topic(random: &mut Random, serial: u32) -> String {
    let start = format!("p/{serial}");
    match random.below(12) {
        0 => {
            let length = length(random, TRANSMIT_END);
            start + &"x".repeat(length)
        }
        1 => start + "/é",
        _ => start,
    }
}

impl Books {
    /// Something at random.
    #[track_caller]
    pub fn request(&mut self, library: &mut Library, random: &mut Random, may_copy_later: bool) {
        match random.below(24) {
            0..4 => self.subscribe(library, random),
            4..6 => self.unsubscribe(library, random),
            6..8 => self.look(library, random),
            8 => self.disconnect(library, random),
            9 if may_copy_later => self.copy(library, random),
            _ => self.publish(library, random, may_copy_later),
        }
    }

    #[track_caller]
    fn disconnect(&mut self, library: &mut Library, random: &mut Random) {
        if !random.one_in(20) {
            return;
        }
        let is_wanted = matches!(self.phase, Phase::Starting | Phase::Open);
        assert_eq!(library.disconnect().is_ok(), is_wanted);
        if is_wanted {
            self.phase = Phase::Disconnecting;
        }
    }

    /// The table is as it must be.
    #[track_caller]
    pub fn look(&mut self, library: &mut Library, random: &mut Random) {
        let reference = random.below(MAX_SUBSCRIPTIONS as u32 + 2) as u8;
        let expected = match self.entry(reference) {
            Some(entry) => Ok((entry.qos, entry.granted)),
            None if usize::from(reference).wrapping_sub(1) >= MAX_SUBSCRIPTIONS => Err(Error::InvalidSubscription),
            None => Err(Error::NoSubscriptionEntry),
        };
        assert_eq!(library.subscription(reference), expected);
    }

    #[track_caller]
    fn subscribe(&mut self, library: &mut Library, random: &mut Random) {
        let serial = self.serial;
        let filter = match random.below(8) {
            0 => None,
            1 => Some("#".into()),
            2 => Some("m/+".into()),
            3 => Some(format!("m/{}", serial % 8)),
            4 => Some("x".repeat(1 + length(random, MAX_TOPIC_LENGTH))),
            5 => Some("+/#".into()),
            _ => Some(format!("s{}", serial % 1000)),
        };
        let qos = random.below(4) as u8;
        let free = self.table.iter().position(Option::is_none);
        let expected = if self.phase != Phase::Open {
            Err(Error::NotReady)
        } else if filter.as_ref().is_some_and(|filter: &String| filter.len() > MAX_TOPIC_LENGTH) {
            Err(Error::TopicTooLong)
        } else {
            free.map(|place| place as u8 + 1).ok_or(Error::NoSubscriptionEntry)
        };
        assert_eq!(library.subscribe(filter.as_deref(), qos), expected, "{filter:?}");
        if let Ok(reference) = expected {
            *self.subscription(reference) = Some(Subscription { topic: filter, qos: qos.min(2), granted: 0, ending: false });
            self.add_control(What::Subscribe, reference, false);
        }
    }

    #[track_caller]
    fn unsubscribe(&mut self, library: &mut Library, random: &mut Random) {
        let reference = random.below(MAX_SUBSCRIPTIONS as u32 + 2) as u8;
        let expected = if self.phase != Phase::Open {
            Err(Error::NotReady)
        } else if usize::from(reference).wrapping_sub(1) >= MAX_SUBSCRIPTIONS {
            Err(Error::InvalidSubscription)
        } else if self.entry(reference).is_none_or(|entry| entry.ending) {
            Err(Error::NoSubscriptionEntry)
        } else if self.under_way(reference) && self.counted() >= MAX_INFLIGHT {
            Err(Error::Busy)
        } else {
            Ok(())
        };
        let answer = library.unsubscribe(reference);
        assert_eq!(answer, expected, "{reference}");
        if expected.is_ok() {
            self.subscription(reference).as_mut().expect("in use").ending = true;
            self.add_control(What::Unsubscribe, reference, false);
        }
    }

    /// A range of the transmit buffer that is surely enough for a request.
    fn most(entry: &Entry) -> usize {
        let topic = entry.topic.as_ref().map_or(TOPIC_ROOM, String::len);
        let payload = entry.payload.as_ref().map_or(PAYLOAD_ROOM, Vec::len);
        9 + topic + match entry.source {
            _ if entry.what != What::Publish => 0,
            Source::Stream => payload.min(PAYLOAD_ROOM),
            Source::Callback if entry.state == State::Waiting => PAYLOAD_ROOM,
            _ => payload,
        }
    }

    /// Whether there may be no room for a request: none of the gaps between the others need be longer than their mean.
    pub fn may_be_full(&self, wanted: usize) -> bool {
        let ranges = self.entries.iter().chain(&self.failures).map(Self::most);
        let promised = ranges.clone().max().unwrap_or_default();
        let left = TRANSMIT_END.saturating_sub(promised + ranges.sum::<usize>() + if self.telling { TRANSMIT_END } else { 0 });
        self.counted() >= MAX_INFLIGHT || wanted > left / (self.entries.len() + self.failures.len() + 1)
    }

    #[track_caller]
    fn publish(&mut self, library: &mut Library, random: &mut Random, may_copy_later: bool) {
        let serial = self.serial + 1;
        let mut reference = if random.one_in(3) { random.below(MAX_SUBSCRIPTIONS as u32 + 2) as u8 } else { 0 };
        let given = if random.one_in(4) { None } else { Some(topic(random, serial)) };
        let source = [Source::Data, Source::Data, Source::Callback, Source::Stream][random.below(if cfg!(feature = "stream") { 4 } else { 3 }) as usize];
        let asked_qos = [0, 1, 2, SUBSCRIPTION_QOS][random.below(4) as usize];
        let retain = random.one_in(4);
        let entry = self.entry(reference).cloned();
        let qos = if asked_qos == SUBSCRIPTION_QOS { entry.as_ref().map_or(2, |entry| entry.qos) } else { asked_qos };
        let topic = given.clone().or_else(|| entry.as_ref().and_then(|entry| entry.topic.clone()));
        let before = 7 + if qos == 0 { 0 } else { 2 } + topic.as_ref().map_or(TOPIC_ROOM, String::len);
        let total = match source {
            Source::Data => length(random, TRANSMIT_END.saturating_sub(before)),
            Source::Stream if random.one_in(20) => 0x0fff_ffff,
            _ => length(random, 3 * PAYLOAD_ROOM),
        };
        let room = match source {
            Source::Data => total,
            Source::Stream => total.min(PAYLOAD_ROOM),
            Source::Callback => PAYLOAD_ROOM,
        };
        let wildcards = topic.as_ref().is_some_and(|topic| topic.contains(['#', '+']));
        let expected = if self.phase != Phase::Open {
            Some(Error::NotReady)
        } else if usize::from(reference) > MAX_SUBSCRIPTIONS {
            Some(Error::InvalidSubscription)
        } else if reference != 0 && entry.is_none() && given.is_none() {
            Some(Error::MissingTopic)
        } else if given.is_none() && wildcards {
            Some(Error::InvalidTopic)
        } else if source == Source::Stream && total == 0x0fff_ffff {
            Some(Error::MessageTooLong)
        } else if before + room > TRANSMIT_END {
            Some(if source == Source::Data && before <= TRANSMIT_END { Error::MessageTooLong } else { Error::TopicTooLong })
        } else if self.counted() >= MAX_INFLIGHT {
            Some(Error::Busy)
        } else {
            None
        };
        let payload = (expected.is_none() && source != Source::Callback).then(|| content(serial, total));
        let asked = asked_qos | if retain { RETAIN } else { 0 };
        let copies_later = may_copy_later && source == Source::Data && random.one_in(3);
        let mut claim = (0, 0);
        let answer = match source {
            Source::Callback => library.publish(reference, given.as_deref(), asked).map(|()| 0),
            Source::Stream => library.publish_stream(reference, given.as_deref(), asked, total as u32),
            Source::Data => library.claim_data(reference, given.as_deref(), asked, total).and_then(|claimed| {
                claim = claimed;
                if copies_later { Ok(claimed.0) } else { library.copy_data(claimed, &content(serial, total)) }
            }),
        };
        match (answer, expected) {
            (Err(error), Some(expected)) => return assert_eq!(error, expected),
            (Err(Error::Busy), None) => return assert!(self.held || self.may_be_full(before + room), "no room for {before} and {room} beside {:?}", self.entries),
            (Ok(_), None) => {}
            _ => panic!("{answer:?}, not {expected:?}"),
        }
        let handle = answer.expect("accepted");
        assert_eq!(handle == 0, source == Source::Callback);
        if entry.is_none() {
            reference = 0;
        }
        self.serial = serial;
        self.publications.insert(serial, Passed { qos, ..Default::default() });
        self.entries.push(Entry {
            serial,
            what: What::Publish,
            state: if copies_later { State::Copying } else { State::Waiting },
            reference,
            qos,
            retain,
            needs_table: given.is_none() && (topic.is_none() || source == Source::Callback),
            topic,
            source,
            payload,
            offset: 0,
            handle,
            identifier: if qos == 0 { 0 } else { handle },
            duplicate: false,
            restored: false,
            counted: false,
            doomed: false,
            given_up: false,
            claim,
        });
    }

    /// Another task goes on with its call.
    #[track_caller]
    pub fn copy(&mut self, library: &mut Library, random: &mut Random) {
        let copying: Vec<_> = self.entries.iter().enumerate().filter(|(_, entry)| entry.state == State::Copying).map(|(place, _)| place).collect();
        if copying.is_empty() {
            return;
        }
        let place = copying[random.below(copying.len() as u32) as usize];
        let entry = &mut self.entries[place];
        let answer = library.copy_data(entry.claim, entry.payload.as_ref().expect("data"));
        if self.phase == Phase::Open {
            assert_eq!(answer, Ok(entry.handle));
            entry.state = State::Waiting;
        } else {
            assert_eq!(answer, Err(Error::NotReady));
            let entry = self.entries.remove(place);
            self.publications.remove(&entry.serial);
            self.held = true;
        }
    }
}
