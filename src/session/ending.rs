//! The end of a connection: what it is told as, in which order, and whether another attempt follows.

use super::{Host, Kind, Phase, Session, Stage, Work, lost};
use crate::memory::RECEIVE;
use crate::outbox::{CONTROL, Entry, State};
use crate::session::sending::SEARCH;
use crate::subscriptions::{Subscription, flag};

impl Session {
    /// The link is lost, or could not be opened.
    #[inline(never)]
    pub(super) fn lose(&self, how: i32) {
        let (cause, closing) = match how {
            _ if self.stage.get() == Stage::Lingering => (Kind::None, Kind::ConnectionClosed),
            lost::CLOSED => (Kind::None, Kind::HostClosed),
            lost::UNREACHABLE => (Kind::None, Kind::Unreachable),
            #[cfg(feature = "tls")]
            lost::SECURITY => (Kind::Security, Kind::ConnectionClosed),
            _ => (Kind::Link, Kind::HostClosed),
        };
        self.end(cause, closing);
    }

    /// The broker broke the protocol [MQTT-4.8.0-1].
    #[inline(always)]
    pub(super) fn protocol_error(&self) {
        self.end(Kind::Protocol, Kind::ConnectionClosed);
    }

    /// The connection ends: `cause` is told first, `closing` last.
    #[inline(never)]
    pub(super) fn end(&self, cause: Kind, closing: Kind) {
        self.cause.set(cause);
        self.closing.set(closing);
        self.stage.set(Stage::Ending);
    }

    /// The application wants the end.
    pub(super) fn leave(&self) {
        if !self.link_open.get() || self.work.get() == Work::Connect && !self.mid_packet.get() {
            return self.end(Kind::None, Kind::ConnectionClosed);
        }
        if !self.mid_packet.get() {
            self.work.set(Work::None);
        }
        self.enter(Stage::Draining);
    }

    /// Whether nothing is under way any more.
    pub(super) fn is_drained(&self) -> bool {
        let acknowledged = |entry: &Entry| !matches!(entry.state.get(), State::Sent | State::Released);
        self.work.get() == Work::None
            && self.replies.get() == 0
            && (!self.connected.get() || self.answers_awaited.get() == 0 && self.outbox.0.iter().all(acknowledged))
    }

    /// Forgets what was received, and leaves no trace of it, nor of CONNECT.
    pub(super) fn forget_received(&self, host: impl Host) {
        host.aside(|| self.memory.wipe_received());
        self.drop_received();
    }

    /// Nothing of what was received will be used.
    pub(super) fn drop_received(&self) {
        self.unread.set(RECEIVE);
        self.unread_end.set(RECEIVE);
        self.long.set(false);
    }

    /// Closes the link, tells the cause, what fails with the connection, and the end.
    pub(super) fn finish(&self, host: impl Host) {
        if self.link_open.replace(false) {
            host.close();
        }
        let cause = self.cause.get();
        if cause != Kind::None {
            self.tell(host, cause, 0, 0, 0);
        }
        let clean = self.is_clean();
        let options = &self.options;
        let reconnecting = options.reconnect_first.get() != 0 && self.phase.get() != Phase::Disconnecting;
        self.phase.set(if reconnecting { Phase::Open } else { Phase::Disconnecting });
        self.take_back();
        // What was accepted between two attempts has not met a link yet.
        if self.connected.get() || !reconnecting {
            self.fail(clean);
        }
        if clean && !reconnecting {
            self.subscriptions.clear();
            self.identifier.set(0);
        }
        self.forget_received(host);
        self.replies.set(0);
        self.replied.set(0);
        self.answers_awaited.set(0);
        self.connected.set(false);
        self.overflowed.set(false);
        self.ping_late.set(0);
        self.answer_late.set(0);
        self.mid_packet.set(false);
        self.stalled.set(0);
        self.work.set(Work::None);
        self.tell_failures(host);

        let closing = self.closing.get();
        if !reconnecting {
            self.stage.set(Stage::Idle);
            self.phase.set(Phase::Closed);
            self.tell(host, closing, 0, 0, 0);
            return;
        }
        self.tell(host, closing, 0, 0, 0);
        // Exponential backoff with full jitter.
        let pause = self.pause.get();
        let milliseconds = u32::from(pause) * 1000;
        let delay = (u64::from(host.random()) * (u64::from(milliseconds) + 1) >> 32) as u32;
        let longest = options.reconnect_longest.get().max(options.reconnect_first.get());
        self.pause.set(pause.saturating_mul(2).min(longest));
        self.stage.set(Stage::Waiting);
        self.stage_over.set(self.now.get().wrapping_add(delay));
        self.tell(host, Kind::Reconnecting, 0, delay, 0);
    }

    /// Has all publications fail, or only those of QoS 0.
    #[inline(never)]
    pub(super) fn fail(&self, all: bool) {
        for entry in &self.outbox.0 {
            if !matches!(entry.state.get(), State::Free | State::Copying) && (all || entry.qos() == 0) {
                entry.state.set(State::Failed);
            }
        }
    }

    /// Has a SUBSCRIBE or UNSUBSCRIBE, of which `flag` tells, sent again: behind what has its room already, since that would otherwise
    /// wait for it, and it for that.
    pub(super) fn make_again(&self, entry: &Subscription, flag: u8) {
        let order = self.wait_turn(SEARCH);
        if flag & flag::SUBSCRIBE != 0 {
            entry.order.set(order);
        }
        if flag & flag::UNSUBSCRIBE != 0 {
            entry.unsubscribe_order.set(order);
        }
        entry.flags.set(entry.flags.get() | flag);
    }

    /// Takes back what was under way on the link: it will be done again, as far as it does not fail.
    fn take_back(&self) {
        self.outbox.entry(CONTROL).release();
        for entry in &self.subscriptions.0 {
            let flags = entry.flags.get();
            let awaited = flags & (flag::SUBACK | flag::UNSUBACK);
            self.make_again(entry, awaited >> 1);
            entry.flags.set(entry.flags.get() & !awaited);
        }
        self.next.set(SEARCH);
    }
}
