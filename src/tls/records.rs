//! The way of the records between the TLS implementation and the transport, and what the connection shares with its [`Link`].
//!
//! [`Link`]: super::Link

use super::gate::{CHANGE_CIPHER_SPEC, Gate};
use super::{ALERT, Reason, Transport};
use crate::session::lost;
use core::cell::Cell;
use core::future::poll_fn;
use core::task::Poll;
use embedded_io_async::{ErrorKind, ErrorType, Read, Write};
use embedded_tls::TlsError;

/// Records in one poll of an open connection: it may bring many without anything inside.
const MOST_RECORDS: u8 = 16;

/// What the connection and its link share.
pub(super) struct Exchange {
    /// What is to be sent, and the room for what is received.
    pub(super) outgoing: Cell<Option<&'static [Cell<u8>]>>,
    pub(super) incoming: Cell<Option<&'static [Cell<u8>]>>,
    /// How many bytes were taken, or given.
    pub(super) moved: Cell<usize>,
    /// In this poll: how many records were read or written; another was held back for that; one was of the handshake.
    pub(super) records: Cell<u8>,
    pub(super) eager: Cell<bool>,
    pub(super) stepped: Cell<bool>,
    /// In this poll: the transport has taken bytes, or given some.
    pub(super) taken: Cell<bool>,
    pub(super) given: Cell<bool>,
    /// Some of a record has gone out.
    mid_record: Cell<bool>,
    /// The handshake is done, and the broker the right one.
    pub(super) open: Cell<bool>,
    /// Why the connection was refused; 0: it was not.
    pub(super) reason: Cell<u16>,
    /// How the transport was lost; 0: it was not.
    lost: Cell<i32>,
    /// Where in the buffer the content of the last record begins.
    pub(super) last_record: Cell<usize>,
    /// How often random bytes were drawn, and the first of those drawn last.
    pub(super) draws: Cell<u8>,
    pub(super) drawn: Cell<[u8; 16]>,
    gate: Gate,
}

impl Exchange {
    pub(super) const fn new() -> Self {
        Self {
            outgoing: Cell::new(None),
            incoming: Cell::new(None),
            moved: Cell::new(0),
            records: Cell::new(0),
            eager: Cell::new(false),
            stepped: Cell::new(false),
            taken: Cell::new(false),
            given: Cell::new(false),
            mid_record: Cell::new(false),
            open: Cell::new(false),
            reason: Cell::new(0),
            lost: Cell::new(0),
            last_record: Cell::new(0),
            draws: Cell::new(0),
            drawn: Cell::new([0; 16]),
            gate: Gate::new(),
        }
    }

    /// Forgets all but why the connection was refused.
    pub(super) fn forget(&self) {
        self.eager.set(false);
        self.mid_record.set(false);
        self.open.set(false);
        self.lost.set(0);
        self.last_record.set(0);
        self.draws.set(0);
        self.drawn.set([0; 16]);
        self.gate.reset();
    }

    /// The connection is refused; the first reason counts.
    pub(super) fn refuse(&self, reason: Reason) {
        if self.reason.get() == 0 {
            self.reason.set(reason as u16);
        }
    }

    /// A record was read, or written.
    fn step(&self) {
        self.records.set(self.records.get() + 1);
        if !self.open.get() {
            self.stepped.set(true);
        }
    }

    /// Whether the next record has to wait for the next poll.
    fn must_wait(&self) -> bool {
        let waits = self.records.get() >= if self.open.get() { MOST_RECORDS } else { 1 };
        if waits {
            self.eager.set(true);
        }
        waits
    }

    /// Whether the transport is lost; something that had arrived may still be unread.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.get() != 0
    }

    /// Whether the transport is lost, and all that had arrived is used up.
    pub(super) fn is_over(&self) -> bool {
        self.is_lost() && self.moved.get() == 0 && !self.eager.get()
    }

    /// What a failure means: one of [`lost`]. `content` is how the last record begins: it may be an alert, which the TLS implementation
    /// does not tell once messages are encrypted.
    pub(super) fn explain(&self, failure: TlsError, content: [u8; 3]) -> i32 {
        const INNER_ALERT: u8 = 21;
        let alert = match (failure, content) {
            (TlsError::ConnectionClosed, _) => Some(0),
            (TlsError::HandshakeAborted(_, number), _) => Some(number as u8),
            (TlsError::InvalidRecord | TlsError::InternalError | TlsError::DecodeError, [1 | 2, number, INNER_ALERT]) => Some(number),
            _ => None,
        };
        match alert {
            _ if self.reason.get() != 0 => {}
            Some(0) => return lost::CLOSED, // close_notify
            Some(number) => self.reason.set(ALERT + u16::from(number)),
            None if self.is_lost() => return self.lost.get(),
            None => self.refuse(Reason::Protocol),
        }
        lost::SECURITY
    }
}

/// The transport, as the TLS implementation sees it: a receiver waits where nothing has arrived, a sender where nothing is taken.
#[derive(Clone)]
pub(super) struct Records<T> {
    pub(super) transport: T,
    pub(super) exchange: &'static Exchange,
    /// Where the receive buffer begins, and how long it is.
    pub(super) buffer: usize,
    pub(super) room: usize,
}

/// The exchange knows why.
#[derive(Debug)]
pub(super) struct Stopped;

impl core::fmt::Display for Stopped {
    fn fmt(&self, _: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        Ok(())
    }
}

impl core::error::Error for Stopped {}

impl embedded_io_async::Error for Stopped {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

impl<T> ErrorType for Records<T> {
    type Error = Stopped;
}

impl<T: Transport> Records<T> {
    /// What the transport has moved, if anything.
    fn moved(&self, result: i32) -> Poll<Result<usize, Stopped>> {
        match result {
            0 => Poll::Pending,
            lost if lost < 0 => {
                if !self.exchange.is_lost() {
                    self.exchange.lost.set(lost);
                }
                Poll::Ready(Err(Stopped))
            }
            moved => Poll::Ready(Ok(moved as usize)),
        }
    }

    fn receive(&self, room: &mut [u8]) -> Poll<Result<usize, Stopped>> {
        let exchange = self.exchange;
        let gate = &exchange.gate;
        if gate.is_between() && exchange.must_wait() {
            return Poll::Pending;
        }
        if gate.is_at_content() {
            exchange.last_record.set((room.as_ptr() as usize).wrapping_sub(self.buffer));
        }
        let moved = self.moved(self.transport.receive(room));
        if let Poll::Ready(Ok(length)) = moved {
            exchange.given.set(true);
            let arrived = room.get_mut(..length).unwrap_or_default();
            if let Err(reason) = gate.pass(arrived, self.room, exchange.open.get()) {
                exchange.refuse(reason);
                return Poll::Ready(Err(Stopped));
            }
            if gate.is_between() {
                exchange.step();
            }
        }
        moved
    }
}

impl<T: Transport> Read for Records<T> {
    fn read(&mut self, room: &mut [u8]) -> impl Future<Output = Result<usize, Stopped>> {
        poll_fn(|_| self.receive(room))
    }
}

impl<T: Transport> Write for Records<T> {
    fn write(&mut self, bytes: &[u8]) -> impl Future<Output = Result<usize, Stopped>> {
        poll_fn(|_| {
            if self.exchange.reason.get() != 0 {
                return Poll::Ready(Err(Stopped)); // the random source has failed
            }
            if self.exchange.must_wait() {
                return Poll::Pending;
            }
            // What the TLS implementation takes for an alert, in the clear: it has refused the broker.
            if !self.exchange.mid_record.get() && bytes.first() == Some(&CHANGE_CIPHER_SPEC) {
                self.exchange.refuse(Reason::Protocol);
                return Poll::Ready(Err(Stopped));
            }
            // After a loss the client goes on into the void, up to the last that has arrived: it may be the broker's reason.
            let sent = if self.exchange.is_lost() { Poll::Ready(Err(Stopped)) } else { self.moved(self.transport.send(bytes)) };
            match sent {
                Poll::Ready(Ok(_)) => {
                    self.exchange.taken.set(true);
                    self.exchange.mid_record.set(true);
                    sent
                }
                Poll::Ready(Err(Stopped)) => Poll::Ready(Ok(bytes.len())),
                Poll::Pending => sent,
            }
        })
    }

    fn flush(&mut self) -> impl Future<Output = Result<(), Stopped>> {
        poll_fn(|_| {
            self.exchange.mid_record.set(false);
            self.exchange.step();
            Poll::Ready(Ok(()))
        })
    }
}
