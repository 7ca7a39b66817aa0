//! A link without a network: what the client sends waits for the test, and what the test has for the client waits for it.

use crate::certificates::NOW;
use crate::random::Random;
use core::cell::{Cell, RefCell};
use std::collections::VecDeque;
use utasker_mqtt::tls::{Buffer, Link, Security, Transport, size_of_connection};

/// What lies between the client and the test.
#[derive(Default)]
pub struct Ends {
    pub to_server: VecDeque<u8>,
    pub to_client: VecDeque<u8>,
    /// What becomes of the link once all has been received; 0: nothing.
    pub lost: i32,
    /// What is said to bytes that are sent; 0: they are taken.
    pub send_lost: i32,
    /// How many bytes may be sent before the link takes no more.
    pub room: Option<usize>,
    /// Bytes are moved in pieces of 1 to 7, and now and then not at all.
    pub trickle: Option<Random>,
    pub random: Source,
    pub clock: Option<u32>,
}

/// Where random numbers come from.
#[derive(Clone, Copy, Default, Debug, PartialEq)]
pub enum Source {
    #[default]
    Sound,
    Failing,
    Constant(u8),
    /// The same bytes each time.
    Repeating,
    /// Sound for so many draws, then constant.
    FailingAfter(u32),
    /// Never the same, but none is a key: all are above the order of the curve.
    TooLarge,
    /// Always the same, by the number of bytes drawn before.
    Counting(u32),
}

impl Source {
    /// What [`Source::Counting`] gives after so many bytes.
    pub fn count(drawn: u32, bytes: &mut [u8]) {
        bytes.iter_mut().zip(drawn..).for_each(|(byte, place)| *byte = (place.wrapping_mul(167) + (place >> 8) * 13 + 41) as u8);
    }
}

#[derive(Clone, Copy)]
pub struct Wire(pub &'static RefCell<Ends>);

thread_local! {
    static NUMBERS: RefCell<Random> = RefCell::new(Random::new(1));
    static DRAWS: Cell<u32> = const { Cell::new(0) };
}

impl Wire {
    /// How many of `wanted` bytes are moved now.
    fn piece(self, wanted: usize) -> usize {
        match &mut self.0.borrow_mut().trickle {
            Some(random) => wanted.min(random.below(8) as usize),
            None => wanted,
        }
    }
}

impl Transport for Wire {
    fn send(self, bytes: &[u8]) -> i32 {
        let mut length = self.piece(bytes.len());
        let mut ends = self.0.borrow_mut();
        if ends.send_lost != 0 {
            return ends.send_lost;
        }
        if let Some(room) = &mut ends.room {
            length = length.min(*room);
            *room -= length;
        }
        ends.to_server.extend(&bytes[..length]);
        length as i32
    }

    fn receive(self, room: &mut [u8]) -> i32 {
        let length = self.piece(room.len());
        let mut ends = self.0.borrow_mut();
        if ends.to_client.is_empty() {
            return ends.lost;
        }
        let length = length.min(ends.to_client.len());
        for (place, byte) in room.iter_mut().zip(ends.to_client.drain(..length)) {
            *place = byte;
        }
        length as i32
    }

    fn random(self, bytes: &mut [u8]) -> bool {
        let source = self.0.borrow().random;
        let draw = DRAWS.replace(DRAWS.get() + 1);
        NUMBERS.with_borrow_mut(|numbers| bytes.fill_with(|| numbers.number() as u8));
        match source {
            Source::Constant(byte) => bytes.fill(byte),
            Source::Repeating => bytes.iter_mut().zip(0..).for_each(|(byte, value)| *byte = value),
            Source::Counting(drawn) => {
                Source::count(drawn, bytes);
                self.0.borrow_mut().random = Source::Counting(drawn + bytes.len() as u32);
            }
            Source::TooLarge => bytes.iter_mut().take(5).for_each(|byte| *byte = 0xff),
            Source::FailingAfter(sound) if draw >= sound => bytes.fill(0x55),
            _ => {}
        }
        source != Source::Failing
    }

    fn unix_time(self) -> Option<u32> {
        self.0.borrow().clock
    }
}

type TestLink = Link<Wire, { size_of_connection::<Wire>() }>;

/// A client's link with its buffers, used for one connection after another.
pub struct Rig {
    pub wire: Wire,
    pub link: &'static TestLink,
    pub receive: &'static [Cell<u8>],
    pub transmit: &'static [Cell<u8>],
}

/// Bytes that are kept for ever.
pub fn kept(bytes: &[u8]) -> &'static [u8] {
    bytes.to_vec().leak()
}

/// Room that is kept for ever.
pub fn room(length: usize) -> &'static [Cell<u8>] {
    vec![Cell::new(0); length].leak()
}

impl Rig {
    pub fn new() -> Self {
        Self::with_buffers(2065, 1024)
    }

    pub fn with_buffers(receive: usize, transmit: usize) -> Self {
        Self {
            wire: Wire(Box::leak(Box::default())),
            link: Box::leak(Box::new(Link::new())),
            receive: room(receive),
            transmit: room(transmit),
        }
    }

    /// What has to be chosen to trust an authority.
    pub fn security(&self, authority: &[u8]) -> Security {
        // SAFETY: the rooms are kept for ever, and used by nobody else.
        let buffer = |room: &'static [Cell<u8>]| unsafe { Buffer::new(room.as_ptr().cast_mut().cast(), room.len() as u16) };
        Security {
            server_name: "broker.test",
            authority: kept(authority),
            certificate: &[],
            private_key: &[],
            key_identity: &[],
            key: &[],
            receive: buffer(self.receive),
            transmit: buffer(self.transmit),
        }
    }

    /// Begins a connection over a new transport.
    pub fn open(&self, security: &Security) {
        self.open_over(Ends { clock: Some(NOW as u32), ..Ends::default() }, security);
    }

    pub fn open_over(&self, ends: Ends, security: &Security) {
        self.wire.0.replace(ends);
        DRAWS.set(0);
        assert_eq!(security.check(), 0);
        // SAFETY: all that it names is kept for ever.
        unsafe { self.link.open(self.wire, security) };
    }

    /// What the client has sent.
    pub fn sent(&self) -> Vec<u8> {
        self.wire.0.borrow_mut().to_server.drain(..).collect()
    }

    /// The client gets this.
    pub fn give(&self, bytes: &[u8]) {
        self.wire.0.borrow_mut().to_client.extend(bytes);
    }

    /// Polls as the session does before it is connected, until nothing more can be done. Returns the last result.
    pub fn poll(&self, connect: &'static [Cell<u8>]) -> i32 {
        loop {
            let result = self.link.send(connect);
            if result != 0 || !self.link.is_eager() {
                return result;
            }
        }
    }
}
