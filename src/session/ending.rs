//! The end of a connection: what it is told as, in which order, and whether another attempt follows.

use super::{Event, Kind, Lost, Question, Session, Stage, Step, Work};
use crate::outbox::{Entry, State};
use crate::requests::{Guard, Phase};

impl Session {
    /// The link is lost.
    pub(super) fn lose(&mut self, lost: Lost) {
        match lost {
            _ if self.stage == Stage::Lingering => self.end(Kind::None, Kind::ConnectionClosed),
            Lost::Closed => self.end(Kind::None, Kind::HostClosed),
            Lost::Failed => self.end(Kind::Link, Kind::HostClosed),
            Lost::Unreachable => self.end(Kind::None, Kind::Unreachable),
        }
    }

    /// The broker broke the protocol [MQTT-4.8.0-1].
    pub(super) fn protocol_error(&mut self) {
        self.end(Kind::Protocol, Kind::ConnectionClosed);
    }

    /// The connection ends: `cause` is told first, `closing` last.
    pub(super) fn end(&mut self, cause: Kind, closing: Kind) {
        (self.cause, self.closing) = (cause, closing);
        self.stage = Stage::Ending;
    }

    /// The application wants the end.
    pub(super) fn leave(&mut self) {
        if !self.link_open || self.work == Work::Connect && !self.mid_packet {
            return self.end(Kind::None, Kind::ConnectionClosed);
        }
        if self.work != Work::Connect && !self.mid_packet {
            self.work = Work::None;
        }
        self.enter(Stage::Draining);
    }

    /// Whether nothing is under way any more.
    pub(super) fn is_drained(&self, shared: &impl Guard) -> bool {
        let unacknowledged = |entry: &Entry| matches!(entry.state, State::Sent | State::Released);
        self.work == Work::None
            && self.replies.is_empty()
            && (!self.connected
                || self.answers_awaited == 0 && !shared.with(|requests| requests.outbox.entries.iter().any(unacknowledged)))
    }

    /// Closes the link, tells the cause, and finds out what fails with the connection.
    pub(super) fn tell_cause(&mut self, shared: &impl Guard) -> Option<Step> {
        if self.link_open {
            self.link_open = false;
            return Some(Step::Close);
        }
        let cause = core::mem::replace(&mut self.cause, Kind::None);
        if cause != Kind::None {
            return Some(Event::new(cause, 0, 0));
        }
        let (connected, clean) = (self.connected, self.clean);
        let first = self.options.reconnect_first;
        self.reconnecting = shared.with(|requests| {
            let reconnecting = first != 0 && requests.phase != Phase::Disconnecting;
            requests.phase = if reconnecting { Phase::Open } else { Phase::Disconnecting };
            requests.link_lost(shared.memory());
            // What was accepted between two attempts has not met a link yet.
            if connected || !reconnecting {
                requests.fail(|entry| clean || entry.flags().qos() == 0);
            }
            if clean && !reconnecting {
                requests.subscriptions.clear();
                requests.identifier = 0;
            }
            reconnecting
        });
        self.inbox.wipe();
        self.replies.clear();
        (self.replied, self.answers_awaited) = (0, 0);
        (self.connected, self.overflowed, self.ping_awaited) = (false, false, false);
        (self.mid_packet, self.stalled) = (false, false);
        self.work = Work::None;
        self.failures = true;
        self.stage = Stage::Ended;
        None
    }

    /// Tells one publication that has failed.
    pub(super) fn tell_failure(&mut self, shared: &impl Guard) -> Option<Step> {
        match shared.with(|requests| requests.take_failed()) {
            Some(entry) => {
                self.subject = entry;
                Some(Event::new(Kind::PublishFailed, u32::from(entry.flags().qos()), entry.reference))
            }
            None => {
                self.failures = false;
                None
            }
        }
    }

    /// Tells the end itself.
    pub(super) fn tell_end(&mut self, shared: &impl Guard) -> Step {
        self.question = Question::None;
        if self.reconnecting {
            self.stage = Stage::Announcing;
        } else {
            self.stage = Stage::Idle;
            shared.with(|requests| requests.phase = Phase::Closed);
        }
        Event::new(self.closing, 0, 0)
    }

    /// Tells how long the next attempt is away: exponential backoff with full jitter.
    pub(super) fn announce(&mut self) -> Step {
        let delay = (u64::from(self.random) * (u64::from(self.pause) + 1) >> 32) as u32;
        self.pause = (self.pause * 2).min(u32::from(self.options.reconnect_longest) * 1000);
        self.delay = delay;
        self.enter(Stage::Waiting);
        Event::new(Kind::Reconnecting, delay, 0)
    }
}
