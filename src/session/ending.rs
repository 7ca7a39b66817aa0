//! The end of a connection: what it is told as, in which order, and whether another attempt follows.

use super::{Host, Kind, LINGER, Phase, Session, Stage, Work, late, lost};
use crate::config::RECONNECT;
use crate::memory::RECEIVE;
use crate::outbox::State;
use crate::packet::first_byte;

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
        if self.stage.get() < Stage::Connecting || self.work.get() == Work::Connect && !self.mid_packet.get() {
            return self.end(Kind::None, Kind::ConnectionClosed);
        }
        if !self.mid_packet.get() {
            self.drop_work();
        }
        self.enter(Stage::Draining);
    }

    /// What was to be sent is not begun. Where the link took none of it, or the stream had nothing to give, what comes next is tried
    /// anew.
    pub(super) fn drop_work(&self) {
        self.work.set(Work::None);
        self.unlimit(late::PROGRESS);
        self.blocked.set(false);
        self.starved.set(false);
    }

    /// Whether nothing is under way any more.
    pub(super) fn is_drained(&self) -> bool {
        self.work.get() == Work::None
            && self.replies.get() == 0
            && (!self.connected.get() || self.outbox.all().all(|request| request.state.get() < State::Sent))
    }

    /// Sends DISCONNECT as the last packet.
    #[inline(always)]
    pub(super) fn take_leave(&self) {
        self.work.set(Work::None);
        self.drop_received();
        self.reply(first_byte::DISCONNECT, 0);
        self.stage.set(Stage::Lingering);
        self.await_nothing();
        self.limit_to(late::STAGE, LINGER);
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
        let options = &self.options;
        let reconnecting = RECONNECT && options.reconnect_first.get() != 0 && self.phase.get() != Phase::Disconnecting;
        self.phase.set(if reconnecting { Phase::Open } else { Phase::Disconnecting });
        if self.mid_packet.get() {
            // Some of it may have arrived.
            if let (Work::Request | Work::Piece, Some(request)) = (self.work.get(), self.outbox.next()) {
                request.state.set(State::Sent);
            }
        }
        // What was accepted between two attempts has not met a link yet.
        if self.connected.get() || !reconnecting {
            self.fail(self.is_clean() && !reconnecting);
        }
        self.forget_received(host);
        self.replies.set(0);
        self.replied.set(0);
        self.connected.set(false);
        self.mid_packet.set(false);
        self.await_nothing();
        self.tell_failures(host);

        let closing = self.closing.get();
        if !reconnecting {
            self.stage.set(Stage::Idle);
            self.phase.set(Phase::Closed);
            self.tell(host, closing, 0, 0, 0);
            return;
        }
        self.tell(host, closing, 0, 0, 0);
        // Exponential backoff with full jitter; not 0, so that the poll comes to an end.
        let pause = self.pause.get();
        let milliseconds = u32::from(pause) * 1000;
        let delay = (u64::from(host.random()) * u64::from(milliseconds) >> 32) as u32 + 1;
        let longest = options.reconnect_longest.get().max(options.reconnect_first.get());
        self.pause.set(pause.saturating_mul(2).min(longest));
        self.stage.set(Stage::Waiting);
        self.limit_to(late::STAGE, delay);
        if self.is_open() {
            self.tell(host, Kind::Reconnecting, 0, delay, 0);
        }
    }

    /// Has the publications fail that do not outlive a connection; where the session `ends`, its subscriptions end, too.
    #[inline(never)]
    pub(super) fn fail(&self, ends: bool) {
        let clean = self.is_clean();
        if clean {
            self.outbox.identifier.set(0);
        }
        for request in self.outbox.all() {
            if request.is_control() {
                if ends {
                    request.state.set(State::Done);
                }
            } else if clean || request.qos() == 0 {
                request.give_up();
            }
        }
        if ends {
            self.forget_incoming();
            self.subscriptions.0.iter().for_each(|subscription| subscription.release());
        }
    }
}
