//! A client and a server that meet, and what becomes of the client.

use crate::certificates::{Identity, NOW, Request};
use crate::server::{APPLICATION_DATA, Server, kind::*, split};
use crate::wire::{Ends, Rig, kept, room};
use core::cell::Cell;
use utasker_mqtt::session::lost;
use utasker_mqtt::tls::Security;

/// The messages that follow the ServerHello.
pub const GOOD: [u8; 4] = [ENCRYPTED_EXTENSIONS, CERTIFICATE, CERTIFICATE_VERIFY, FINISHED];
/// The same, where the broker asks for the client's certificate.
pub const WITH_REQUEST: [u8; 5] = [ENCRYPTED_EXTENSIONS, CERTIFICATE_REQUEST, CERTIFICATE, CERTIFICATE_VERIFY, FINISHED];

/// What has become of a connection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// It waits for the server.
    Waiting,
    /// The client sends.
    Connected,
    /// Refused, for this reason.
    Refused(u16),
    /// The transport was lost.
    Lost(i32),
}

/// Somebody trustworthy, and a broker that he has certified.
pub fn honest() -> (Identity, Identity) {
    let authority = Identity::authority();
    let broker = authority.issue(&Request::broker("broker.test"));
    (authority, broker)
}

/// Bytes to be sent.
pub fn bytes(text: &[u8]) -> &'static [Cell<u8>] {
    kept(text).iter().map(|byte| Cell::new(*byte)).collect::<Vec<_>>().leak()
}

/// A client that has sent its hello, and the server that has heard it.
pub struct Encounter {
    pub rig: Rig,
    pub server: Server,
    security: Security,
    pub connect: &'static [Cell<u8>],
    /// How much of it the client has taken.
    taken: Cell<usize>,
    room: &'static [Cell<u8>],
}

impl Encounter {
    pub fn new() -> Self {
        let (authority, broker) = honest();
        Self::between(&authority, Server::new(&[&broker]))
    }

    pub fn between(authority: &Identity, server: Server) -> Self {
        Self::choosing(server, |security| Security { authority: kept(&authority.der), ..security })
    }

    pub fn choosing(server: Server, choose: impl Fn(Security) -> Security) -> Self {
        Self::over(Rig::new(), server, choose)
    }

    pub fn over(rig: Rig, server: Server, choose: impl Fn(Security) -> Security) -> Self {
        Self::over_ends(rig, Ends { clock: Some(NOW as u32), ..Ends::default() }, server, choose)
    }

    pub fn over_ends(rig: Rig, ends: Ends, server: Server, choose: impl Fn(Security) -> Security) -> Self {
        let security = choose(rig.security(&[]));
        let mut encounter = Self { rig, server, security, connect: bytes(b"CONNECT"), taken: Cell::new(0), room: room(4096) };
        encounter.rig.open_over(ends, &security);
        encounter.meet();
        encounter
    }

    /// The client says hello.
    fn meet(&mut self) {
        assert_eq!(self.outcome(), Outcome::Waiting);
        let hello = self.rig.sent();
        self.server.hear(&hello);
    }

    /// Another connection over the same rig.
    pub fn again(&mut self, server: Server) {
        self.server = server;
        self.taken.set(0);
        self.rig.open(&self.security);
        self.meet();
    }

    /// Lets the client do what it can.
    pub fn outcome(&self) -> Outcome {
        match self.rig.poll(&self.connect[self.taken.get()..]) {
            0 => Outcome::Waiting,
            lost::SECURITY => {
                assert_eq!(self.rig.link.send(self.connect), lost::SECURITY, "it stays refused");
                Outcome::Refused(self.rig.link.reason())
            }
            lost if lost < 0 => Outcome::Lost(lost),
            taken => {
                self.taken.set((self.taken.get() + taken as usize) % self.connect.len());
                if self.taken.get() == 0 { Outcome::Connected } else { Outcome::Waiting }
            }
        }
    }

    /// The client gets these bytes.
    pub fn after(&self, bytes: &[u8]) -> Outcome {
        self.rig.give(bytes);
        self.outcome()
    }

    /// The server says hello, and these messages.
    pub fn flight(&mut self, kinds: &[u8]) -> Vec<u8> {
        [self.server.hello(), self.server.flight(kinds)].concat()
    }

    /// What becomes of the client when the server says so.
    pub fn shake(&mut self, kinds: &[u8]) -> Outcome {
        let flight = self.flight(kinds);
        self.server.finish();
        self.after(&flight)
    }

    /// A connection over which CONNECT has gone.
    pub fn connected() -> Self {
        let mut encounter = Self::new();
        encounter.connect(&GOOD);
        encounter
    }

    /// Does a good handshake; returns the client's certificate.
    pub fn connect(&mut self, kinds: &[u8]) -> Option<Vec<u8>> {
        assert_eq!(self.shake(kinds), Outcome::Connected);
        self.hear_connect()
    }

    /// The server hears the client's Finished, and CONNECT.
    pub fn hear_connect(&mut self) -> Option<Vec<u8>> {
        let sent = self.rig.sent();
        let records = split(&sent);
        let (connect, flight) = records.split_last().unwrap();
        let certificate = self.server.hear_finished(&flight.concat());
        assert_eq!(self.server.read(connect), b"CONNECT");
        certificate
    }

    /// The client receives what there is.
    pub fn received(&self) -> Result<Vec<u8>, i32> {
        match self.received_to_the_end() {
            (received, 0) => Ok(received),
            (_, lost) => Err(lost),
        }
    }

    /// What the client receives, and what has become of the connection.
    pub fn received_to_the_end(&self) -> (Vec<u8>, i32) {
        let mut received = Vec::new();
        loop {
            match self.rig.link.receive(self.room) {
                0 if self.rig.link.is_eager() => {}
                result if result <= 0 => return (received, result),
                length => received.extend(self.room[..length as usize].iter().map(Cell::get)),
            }
        }
    }

    /// The same, where it is refused.
    #[track_caller]
    pub fn refused(&self) -> u16 {
        assert_eq!(self.received(), Err(lost::SECURITY));
        self.rig.link.reason()
    }

    /// The server sends application data.
    pub fn send(&mut self, content: &[u8]) {
        let record = self.server.seal(APPLICATION_DATA, content);
        self.rig.give(&record);
    }
}
