//! Secure connections: TLS 1.3 over a byte stream, in memory of fixed size, driven step by step. Knows neither MQTT nor the C border.
//!
//! A [`Link`] runs one future that opens the connection and then moves records both ways. It is polled wherever bytes are to be sent
//! or received, and never dropped half way: a record that was begun twice would use a nonce twice. After any failure it is wiped.
//!
//! `security.rs` holds what the firmware chooses, `gate.rs` what records may arrive, `suite.rs` what may be inside of them after the
//! handshake, `verifier.rs` whether the broker is the one it should be (`key_verifier.rs` in a build without certificates),
//! `certificates.rs`, `algorithms.rs` and `rsa.rs` what that needs, `provider.rs` the client's own part, `records.rs` the way to the
//! transport, `connection.rs` the future, `storage.rs` the memory of it.

#[cfg(feature = "secure-mqtt")]
mod algorithms;
#[cfg(feature = "secure-mqtt")]
mod certificates;
mod connection;
mod gate;
mod provider;
mod records;
#[cfg(feature = "rsa")]
mod rsa;
mod security;
mod storage;
mod suite;
#[cfg_attr(not(feature = "secure-mqtt"), path = "tls/key_verifier.rs")]
mod verifier;

pub use security::Security;
pub use storage::Buffer;

use crate::session::lost;
use connection::{Setup, connect};
use core::cell::Cell;
use core::task::Poll;
use embedded_tls::TlsError;
use records::Exchange;
use storage::{OPEN_STACK, OPENING_STACK, Storage, wipe_stack};

/// What carries the records. Handed on by value: the one of the C border is nothing but its functions.
pub trait Transport: Copy + 'static {
    /// Sends what it can take now: how many bytes, or one of [`lost`].
    fn send(self, bytes: &[u8]) -> i32;
    /// Receives what there is: how many bytes, or one of [`lost`].
    fn receive(self, room: &mut [u8]) -> i32;
    /// Fills in random bytes. Returns whether it could.
    fn random(self, bytes: &mut [u8]) -> bool;
    /// Seconds since 1970; `None`: there is no clock.
    fn unix_time(self) -> Option<u32>;
}

/// Why a connection was refused. The numbers are those of the C border.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
#[allow(missing_docs, reason = "explained where C sees them, in `ffi`")]
pub enum Reason {
    UnknownAuthority = 1,
    WrongName = 2,
    Expired = 3,
    NotYetValid = 4,
    WrongUsage = 5,
    BadSignature = 6,
    NoCertificate = 7,
    BadCertificate = 8,
    Random = 9,
    RecordTooLarge = 10,
    Protocol = 11,
}

/// Added to the number of an alert that the broker sent.
pub const ALERT: u16 = 0x100;

/// The room that a connection takes, besides the buffers of [`Security`].
pub const fn size_of_connection<T: Transport>() -> usize {
    storage::size_of_future(&connect::<T>)
}

/// A connection, or the place for one. `SIZE` is that of [`size_of_connection`].
pub struct Link<T: Transport, const SIZE: usize> {
    exchange: Exchange,
    storage: Storage<SIZE>,
    security: Cell<Option<Security>>,
    /// There is a connection.
    alive: Cell<bool>,
    /// What has become of the last one, of [`lost`].
    end: Cell<i32>,
    transport: core::marker::PhantomData<T>,
}

impl<T: Transport, const SIZE: usize> Link<T, SIZE> {
    /// No connection.
    pub const fn new() -> Self {
        Self {
            exchange: Exchange::new(),
            storage: Storage::new(),
            security: Cell::new(None),
            alive: Cell::new(false),
            end: Cell::new(0),
            transport: core::marker::PhantomData,
        }
    }

    /// Begins a connection.
    ///
    /// # Safety
    /// What `security` names stays as it is, and its buffers are this link's alone, until [`Link::close`].
    #[inline(never)]
    pub unsafe fn open(&'static self, transport: T, security: &Security) {
        self.close();
        self.exchange.reason.set(0);
        self.security.set(Some(*security));
        // SAFETY: as the caller promises.
        let (receive, transmit) = unsafe { (security.receive.whole(), security.transmit.whole()) };
        let setup = Setup { transport, exchange: &self.exchange, security: *security, receive, transmit };
        // SAFETY: `close` has ended the one before.
        unsafe { self.storage.begin(connect::<T>, setup) };
        self.alive.set(true);
        self.end.set(0);
    }

    /// Sends what the connection can take now: how many bytes, 0 as long as it is being made, or one of [`lost`].
    pub fn send(&'static self, bytes: &'static [Cell<u8>]) -> i32 {
        self.exchange.outgoing.set(Some(bytes));
        self.moved()
    }

    /// Receives what there is: how many bytes, or one of [`lost`].
    pub fn receive(&'static self, room: &'static [Cell<u8>]) -> i32 {
        self.exchange.incoming.set(Some(room));
        self.moved()
    }

    /// Whether the last call has made a step of the handshake.
    pub fn has_stepped(&self) -> bool {
        self.exchange.stepped.get()
    }

    /// Whether the transport has taken bytes in the last call, and given some.
    pub fn has_moved(&self) -> (bool, bool) {
        (self.exchange.taken.get(), self.exchange.given.get())
    }

    /// Whether there may be another step to make at once.
    pub fn is_eager(&self) -> bool {
        self.exchange.eager.get()
    }

    /// Why the connection was refused, after [`lost::SECURITY`]: a [`Reason`], or [`ALERT`] and the number of the broker's alert.
    pub fn reason(&self) -> u16 {
        self.exchange.reason.get()
    }

    /// Ends the connection, and leaves nothing of it in memory but the reason.
    pub fn close(&self) {
        self.alive.set(false);
        self.end.set(lost::CLOSED);
        self.storage.wipe();
        if let Some(security) = self.security.take() {
            // SAFETY: the future that used them is gone.
            unsafe {
                security.receive.wipe();
                security.transmit.wipe();
            }
        }
        self.exchange.forget();
    }

    /// Polls the connection once. Returns the bytes moved, or what has become of it.
    #[inline(never)]
    fn moved(&'static self) -> i32 {
        self.exchange.moved.set(0);
        self.exchange.stepped.set(false);
        self.exchange.taken.set(false);
        self.exchange.given.set(false);
        self.exchange.eager.set(false);
        self.exchange.records.set(0);
        if self.alive.get() {
            let opening = !self.exchange.open.get();
            let sends = self.exchange.outgoing.get().is_some(); // which is encrypted, though the transport may take nothing
            // SAFETY: `open` has begun it, and no `close` has ended it.
            let result = unsafe { self.storage.poll(connect::<T>) };
            if opening {
                wipe_stack::<OPENING_STACK>();
            } else if self.exchange.records.get() != 0 || sends {
                wipe_stack::<OPEN_STACK>();
            }
            match result {
                Poll::Ready(failure) => self.fail(failure),
                Poll::Pending if self.exchange.is_over() => self.fail(TlsError::IoError),
                Poll::Pending => {}
            }
        }
        self.exchange.outgoing.set(None);
        self.exchange.incoming.set(None);
        match self.exchange.moved.get() {
            0 => self.end.get(),
            moved => moved as i32,
        }
    }

    /// The connection has failed, and must not be polled again.
    fn fail(&self, failure: TlsError) {
        let security = self.security.get();
        // SAFETY: the future does not use its buffer any more.
        let last = |offset| security.map_or(0, |security| unsafe { security.receive.byte(self.exchange.last_record.get() + offset) });
        let end = self.exchange.explain(failure, [last(0), last(1), last(2)]);
        self.close();
        self.end.set(end);
    }
}
