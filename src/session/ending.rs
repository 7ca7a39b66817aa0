//! The end of a connection: what it is told as, in which order, and whether another attempt follows.

use super::{Kind, Session, Stage, Step, Work, lost};
use crate::memory::{Memory, RECEIVE, RECEIVE_END};
use crate::outbox::State;
use crate::requests::Phase;

impl Session {
    /// The link is lost, or could not be opened.
    pub(super) fn lose(&mut self, how: i32) {
        let (cause, closing) = match how {
            _ if self.stage == Stage::Lingering => (Kind::None, Kind::ConnectionClosed),
            lost::CLOSED => (Kind::None, Kind::HostClosed),
            lost::UNREACHABLE => (Kind::None, Kind::Unreachable),
            _ => (Kind::Link, Kind::HostClosed),
        };
        self.end(cause, closing);
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
        if !self.mid_packet {
            self.work = Work::None;
        }
        self.enter(Stage::Draining);
    }

    /// Whether nothing is under way any more.
    pub(super) fn is_drained(&self) -> bool {
        let unacknowledged = |state| matches!(state, State::Sent | State::Released);
        let answered = self.answers_awaited == 0 && !self.requests.outbox.entries.iter().any(|entry| unacknowledged(entry.state));
        self.work == Work::None && self.replies == 0 && (answered || !self.connected)
    }

    /// Closes the link, tells the cause, and finds out what fails with the connection.
    pub(super) fn tell_cause(&mut self, memory: &Memory) -> Option<Step> {
        if self.link_open {
            self.link_open = false;
            return Some(Step::Close);
        }
        let cause = core::mem::replace(&mut self.cause, Kind::None);
        if cause != Kind::None {
            return Some(self.tell(cause, 0, 0));
        }
        let clean = self.is_clean();
        let requests = &mut self.requests;
        self.reconnecting = requests.options.reconnect_first != 0 && requests.phase != Phase::Disconnecting;
        requests.phase = if self.reconnecting { Phase::Open } else { Phase::Disconnecting };
        requests.link_lost(memory);
        // What was accepted between two attempts has not met a link yet.
        if self.connected || !self.reconnecting {
            requests.fail(|entry| clean || entry.flags().qos() == 0);
        }
        if clean && !self.reconnecting {
            requests.subscriptions.clear();
            requests.identifier = 0;
        }
        memory.wipe(RECEIVE, RECEIVE_END - RECEIVE);
        self.inbox.clear();
        (self.replies, self.replied, self.answers_awaited) = (0, 0, 0);
        (self.connected, self.overflowed, self.ping_awaited) = (false, false, false);
        (self.mid_packet, self.stalled, self.failures) = (false, false, true);
        self.work = Work::None;
        self.stage = Stage::Ended;
        None
    }

    /// Tells one publication that has failed.
    pub(super) fn tell_failure(&mut self, memory: &Memory) -> Option<Step> {
        let Some(entry) = self.requests.take_failed() else {
            self.failures = false;
            return None;
        };
        self.requests.outbox.keep_told(memory, entry);
        Some(self.tell(Kind::PublishFailed, entry.flags().qos().into(), entry.reference))
    }

    /// Tells the end itself.
    pub(super) fn tell_end(&mut self) -> Step {
        if self.reconnecting {
            self.stage = Stage::Announcing;
        } else {
            self.stage = Stage::Idle;
            self.requests.phase = Phase::Closed;
        }
        self.tell(self.closing, 0, 0)
    }

    /// Tells how long the next attempt is away: exponential backoff with full jitter.
    pub(super) fn announce(&mut self) -> Step {
        self.delay = (u64::from(self.random) * (u64::from(self.pause) + 1) >> 32) as u32;
        let options = &self.requests.options;
        let longest = options.reconnect_longest.max(options.reconnect_first);
        self.pause = (self.pause * 2).min(u32::from(longest) * 1000);
        self.enter(Stage::Waiting);
        self.tell(Kind::Reconnecting, self.delay, 0)
    }
}
