//! What was promised: requests in the order accepted, the table of subscriptions, what has to be told and answered next.

use crate::support::*;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use utasker_mqtt::config::{MAX_INCOMING_QOS2, MAX_SUBSCRIPTIONS};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    Closed,
    Starting,
    Open,
    Disconnecting,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Publish,
    Subscribe,
    Unsubscribe,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Data,
    Callback,
    Stream,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Copying,
    Waiting,
    /// Sent in an earlier connection, to be sent again.
    Again,
    Sent,
    /// Only for QoS 2.
    Released,
}

/// A request that was accepted and has not ended.
#[derive(Clone, Debug)]
pub struct Entry {
    pub serial: u32,
    pub what: What,
    pub state: State,
    pub reference: u8,
    pub qos: u8,
    pub retain: bool,
    /// Not known until it is asked for.
    pub topic: Option<String>,
    /// The topic is needed from the table, or from the callback for its entry.
    pub needs_table: bool,
    pub source: Source,
    /// Not known until it is asked for.
    pub payload: Option<Vec<u8>>,
    pub offset: usize,
    pub handle: u16,
    pub identifier: u16,
    pub duplicate: bool,
    pub restored: bool,
    /// The second request for a subscription.
    pub counted: bool,
    /// A stream that was given up: it fails with the connection.
    pub doomed: bool,
    /// It has failed while its payload was still being copied: it has no topic to ask for at its turn.
    pub given_up: bool,
    pub claim: (u16, usize),
}

#[derive(Clone, Debug)]
pub struct Subscription {
    pub topic: Option<String>,
    pub qos: u8,
    pub granted: u8,
    pub ending: bool,
}

/// A packet of the broker.
#[derive(Clone, Debug)]
pub enum Packet {
    Connack { present: bool, code: u8 },
    Message { topic: String, first: u8, identifier: u16, payload: Vec<u8>, serial: u32 },
    Acknowledgement { first: u8, identifier: u16 },
    Suback { identifier: u16, code: u8 },
    Pingresp,
    Violation,
}

/// How often a message was to arrive, and did.
#[derive(Clone, Debug, Default)]
pub struct Passed {
    /// Topic and payload.
    pub key: Option<(String, Vec<u8>)>,
    pub qos: u8,
    pub times: u32,
    pub acknowledged: bool,
    pub failed: bool,
    /// A session ended, or was forgotten, meanwhile.
    pub disturbed: bool,
}

pub struct Books {
    pub phase: Phase,
    pub flags: u8,
    pub old: bool,
    pub options: Options,
    pub entries: Vec<Entry>,
    pub table: Vec<Option<Subscription>>,
    /// Publications that have to be told as failed next, in this order.
    pub failures: VecDeque<Entry>,
    /// The QoS 0 publication that was just sent.
    pub sent: Option<Entry>,
    /// A subscription whose topic was refused.
    pub refused: Option<u8>,
    /// Answers due, in this order, and PUBRELs of the connection before.
    pub replies: VecDeque<(u8, u16)>,
    pub releases: VecDeque<u16>,
    /// What the broker wrote, each with where it ends, and how much of that was received.
    pub arriving: VecDeque<(Packet, u64)>,
    pub received: u64,
    /// Bytes of answers since all were sent.
    pub batch: usize,
    pub incoming: BTreeSet<u16>,
    /// How far the message in parts has come, and its reference.
    pub part: Option<(u32, u8)>,
    /// What ends the connection.
    pub ending: Option<(Kind, Kind)>,
    pub cause_told: bool,
    /// What was accepted since the connection has ended.
    pub failing: bool,
    pub link_open: bool,
    pub connect_begun: bool,
    pub connect_done: bool,
    pub accepted: bool,
    pub left: bool,
    pub reconnecting: bool,
    pub publications: BTreeMap<u32, Passed>,
    pub messages: BTreeMap<u32, Passed>,
    pub serial: u32,
    /// A publication that was just repeated: it may fail where there is no room.
    pub repeated: Option<Entry>,
    /// A request for a subscription was answered.
    pub answered: bool,
    /// The broker has forgotten its session, and the client may not know.
    pub forgotten: bool,
    /// A connection was asked for and not begun.
    pub begins: bool,
    /// Since when PINGRESP is awaited.
    pub ping: Option<u64>,
    /// The application is being told something; the topic of a publication that has ended is kept meanwhile.
    pub telling: bool,
    /// A copy was given up that may still hold its room.
    pub held: bool,
}

impl Books {
    pub fn new() -> Self {
        Self {
            phase: Phase::Closed,
            flags: KEPT,
            old: false,
            options: DEFAULTS,
            entries: Vec::new(),
            table: vec![None; MAX_SUBSCRIPTIONS],
            failures: VecDeque::new(),
            sent: None,
            refused: None,
            replies: VecDeque::new(),
            releases: VecDeque::new(),
            arriving: VecDeque::new(),
            received: 0,
            batch: 0,
            incoming: BTreeSet::new(),
            part: None,
            ending: None,
            cause_told: false,
            failing: false,
            link_open: false,
            connect_begun: false,
            connect_done: false,
            accepted: false,
            left: false,
            reconnecting: false,
            publications: BTreeMap::new(),
            messages: BTreeMap::new(),
            serial: 0,
            repeated: None,
            answered: false,
            forgotten: false,
            begins: false,
            ping: None,
            telling: false,
            held: false,
        }
    }

    pub fn is_clean(&self) -> bool {
        self.flags & CLEAN != 0
    }

    pub fn response(&self) -> u32 {
        1000 * if self.options.response == 0 { 15 } else { u32::from(self.options.response) }
    }

    pub fn entry(&self, reference: u8) -> Option<&Subscription> {
        self.table.get(usize::from(reference).wrapping_sub(1)).and_then(Option::as_ref)
    }

    pub fn subscription(&mut self, reference: u8) -> &mut Option<Subscription> {
        &mut self.table[usize::from(reference) - 1]
    }

    /// Whether a request for a subscription is under way.
    pub fn under_way(&self, reference: u8) -> bool {
        self.entries.iter().any(|entry| entry.what != What::Publish && entry.reference == reference)
    }

    /// Publications, and second requests for subscriptions.
    pub fn counted(&self) -> usize {
        self.failures.len() + self.entries.iter().filter(|entry| entry.what == What::Publish || entry.counted).count()
    }

    /// The request whose turn it is.
    pub fn next(&mut self) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| matches!(entry.state, State::Copying | State::Waiting | State::Again))
    }

    pub fn find(&self, identifier: u16) -> Option<usize> {
        self.entries.iter().position(|entry| entry.identifier == identifier && (entry.what != What::Publish || entry.qos != 0))
    }

    /// The identifier of a request is known now: no other has it.
    #[track_caller]
    pub fn identify(&mut self, serial: u32, identifier: u16) {
        assert_ne!(identifier, 0);
        if let Some(other) = self.find(identifier) {
            assert_eq!(self.entries[other].serial, serial, "identifier {identifier} in use twice");
        }
        let entry = self.entries.iter_mut().find(|entry| entry.serial == serial).expect("under way");
        assert!(matches!(entry.identifier, 0) || entry.identifier == identifier, "another identifier: {entry:?}");
        entry.identifier = identifier;
    }

    /// Has publications fail.
    pub fn fail(&mut self, which: impl Fn(&Entry) -> bool) {
        let fails = |entry: &Entry| entry.what == What::Publish && which(entry);
        let (failed, mut left): (Vec<_>, Vec<_>) = self.entries.drain(..).partition(|entry| fails(entry) && entry.state != State::Copying);
        left.iter_mut().filter(|entry| fails(entry)).for_each(|entry| entry.given_up = true);
        self.entries = left;
        self.failures.extend(failed);
    }

    /// The session ends.
    pub fn end_session(&mut self) {
        self.entries.retain(|entry| entry.what == What::Publish);
        self.table.iter_mut().for_each(|entry| *entry = None);
        self.incoming.clear();
    }

    /// A connection begins that was asked for; a clean one knows nothing of those before.
    pub fn begin(&mut self) {
        if std::mem::take(&mut self.begins) && self.is_clean() {
            self.messages.values_mut().for_each(|passed| passed.disturbed = true);
            self.fail(|_| true);
            self.end_session();
        }
    }

    /// The connection has ended: what fails with it.
    pub fn fail_with_connection(&mut self) {
        if self.failing {
            return;
        }
        self.failing = true;
        self.replies.clear();
        self.releases.clear();
        self.arriving.clear();
        (self.batch, self.part) = (0, None);
        self.reconnecting = cfg!(feature = "reconnect") && self.options.reconnect_first != 0 && self.phase != Phase::Disconnecting;
        self.phase = if self.reconnecting { Phase::Open } else { Phase::Disconnecting };
        if self.accepted || !self.reconnecting {
            let clean = self.is_clean();
            self.fail(|entry| entry.doomed || clean || entry.qos == 0);
            if clean && !self.reconnecting {
                self.end_session();
            }
        }
        self.accepted = false;
    }

    /// CONNACK has accepted the connection.
    pub fn restore(&mut self, present: bool) -> bool {
        let kept = !self.is_clean();
        let known = present && kept && !self.old;
        let resumed = known || self.old && kept;
        if !resumed {
            self.incoming.clear();
            self.forgotten = false;
            self.fail(|entry| entry.state == State::Released);
        }
        for entry in &mut self.entries {
            entry.offset = 0;
            match entry.state {
                State::Sent | State::Again => {
                    entry.state = if resumed { State::Again } else { State::Waiting };
                    entry.duplicate = resumed && entry.what == What::Publish;
                }
                State::Released => self.releases.push_back(entry.identifier),
                _ => {}
            }
        }
        for reference in 1..=MAX_SUBSCRIPTIONS as u8 {
            if !known && self.entry(reference).is_some() && !self.under_way(reference) {
                self.add_control(What::Subscribe, reference, true);
            }
        }
        self.accepted = true;
        known
    }

    pub fn add_control(&mut self, what: What, reference: u8, restored: bool) {
        let counted = self.under_way(reference);
        let subscription = self.entry(reference).expect("in use").clone();
        self.serial += 1;
        self.entries.push(Entry {
            serial: self.serial,
            what,
            state: State::Waiting,
            reference,
            qos: subscription.qos,
            retain: false,
            topic: subscription.topic,
            needs_table: true,
            source: Source::Data,
            payload: None,
            offset: 0,
            handle: 0,
            identifier: 0,
            duplicate: false,
            restored,
            counted,
            doomed: false,
            given_up: false,
            claim: (0, 0),
        });
    }

    /// A subscription has ended: what still needs its topic fails.
    pub fn end_subscription(&mut self, reference: u8) {
        *self.subscription(reference) = None;
        self.entries.retain(|entry| entry.what == What::Publish || entry.reference != reference);
        self.fail(|entry| matches!(entry.state, State::Copying | State::Waiting) && entry.needs_table && entry.reference == reference);
    }

    pub fn reply(&mut self, first: u8, identifier: u16) {
        self.batch += 4;
        self.replies.push_back((first, identifier));
    }

    /// What has arrived and is not told has its effect, as far as answers have room.
    pub fn process(&mut self) {
        while self.batch <= 28 && self.process_one() {}
    }

    /// The next packet, where it has wholly arrived and is not told.
    pub fn process_one(&mut self) -> bool {
        let Some((packet, end)) = self.arriving.front() else { return false };
        if *end > self.received || self.ending.is_some() || self.left {
            return false;
        }
        match packet.clone() {
            Packet::Pingresp if self.accepted => self.ping = None,
            Packet::Acknowledgement { first: 0x62, identifier } if self.accepted => {
                self.incoming.remove(&identifier);
                self.reply(0x70, identifier);
            }
            Packet::Acknowledgement { first: 0x50, identifier } if self.accepted => {
                let found = self.find(identifier).filter(|&place| matches!(self.entries[place].state, State::Sent | State::Again | State::Released));
                if let Some(place) = found {
                    let mut entry = self.entries.remove(place);
                    assert_eq!((entry.what, entry.qos), (What::Publish, 2));
                    entry.state = State::Released;
                    self.releases.retain(|release| *release != identifier);
                    self.entries.push(entry);
                }
                self.reply(0x62, identifier);
            }
            Packet::Acknowledgement { identifier, .. } if self.accepted && self.find(identifier).is_none() => {}
            Packet::Message { first, identifier, .. } if self.accepted && first & 6 == 4 => {
                if !self.incoming.contains(&identifier) {
                    if self.incoming.len() == MAX_INCOMING_QOS2 {
                        self.arriving.clear();
                        self.ending = Some((Kind::Busy, Kind::ConnectionClosed));
                    }
                    return false;
                }
                self.reply(0x50, identifier);
            }
            Packet::Suback { identifier, code } if self.accepted && code < 0x80 => {
                let place = self.find(identifier).expect("under way");
                if !self.entries[place].restored {
                    return false;
                }
                let entry = self.entries.remove(place);
                self.answered = true;
                self.subscription(entry.reference).as_mut().expect("in use").granted = code;
            }
            Packet::Connack { .. } | Packet::Message { .. } | Packet::Suback { .. } | Packet::Acknowledgement { .. } if self.accepted != matches!(packet, Packet::Connack { .. }) => return false,
            _ => {
                self.arriving.clear();
                self.ending = Some((Kind::Protocol, Kind::ConnectionClosed));
                return false;
            }
        }
        self.arriving.pop_front();
        true
    }
}
