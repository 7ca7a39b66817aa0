//! Handshakes with a broker that keeps the rules, and what the tests of others need.

use crate::certificates::{Identity, NOW, Request};
use crate::server::{APPLICATION_DATA, HANDSHAKE, Server, kind::*, list, message, split};
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
    connect: &'static [Cell<u8>],
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
        let mut encounter = Self { rig, server, security, connect: bytes(b"CONNECT"), room: room(4096) };
        assert_eq!(encounter.rig.open_over(ends, &security), 0);
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
        assert_eq!(self.rig.open(&self.security), 0);
        self.meet();
    }

    /// Lets the client do what it can.
    pub fn outcome(&self) -> Outcome {
        match self.rig.poll(self.connect) {
            0 => Outcome::Waiting,
            lost::SECURITY => {
                assert_eq!(self.rig.link.send(self.connect), lost::SECURITY, "it stays refused");
                Outcome::Refused(self.rig.link.reason())
            }
            lost if lost < 0 => Outcome::Lost(lost),
            taken => {
                assert_eq!(taken as usize, self.connect.len());
                Outcome::Connected
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
        let mut received = Vec::new();
        loop {
            match self.rig.link.receive(self.room) {
                0 => return Ok(received),
                lost if lost < 0 => return Err(lost),
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

#[test]
fn opens_and_moves_bytes_both_ways() {
    let mut encounter = Encounter::connected();
    encounter.send(b"CONNACK");
    let place = room(3);
    let lengths: Vec<i32> = (0..4).map(|_| encounter.rig.link.receive(place)).collect();
    assert_eq!(lengths, [3, 3, 1, 0]);
    assert_eq!(encounter.rig.link.send(bytes(b"PUBLISH")), 7);
    let sent = encounter.rig.sent();
    assert_eq!(encounter.server.read(&sent), b"PUBLISH");
    encounter.send(b"one");
    encounter.send(b"two");
    assert_eq!(encounter.received().unwrap(), b"onetwo");
}

#[test]
fn the_whole_flight_may_come_in_one_record_padded_and_with_tickets_behind() {
    let mut encounter = Encounter::new();
    let hello = encounter.server.hello();
    let messages: Vec<u8> = GOOD.iter().flat_map(|kind| encounter.server.say(*kind)).collect();
    let flight = encounter.server.seal_padded(HANDSHAKE, &messages, 200);
    encounter.server.finish();
    assert_eq!(encounter.after(&[hello, flight].concat()), Outcome::Connected);
    encounter.hear_connect();
    let ticket = message(NEW_SESSION_TICKET, &[&[0; 8][..], b"\x02ab", &list::<2>(&[1; 200]), &list::<2>(&[])].concat());
    for tickets in [ticket.clone(), [ticket.clone(), ticket].concat()] {
        let record = encounter.server.seal_padded(HANDSHAKE, &tickets, 3);
        encounter.rig.give(&record);
        encounter.send(b"data");
        assert_eq!(encounter.received().unwrap(), b"data");
    }
}

#[test]
fn the_hello_tells_name_protocol_and_length_and_offers_what_there_is() {
    let (authority, _) = honest();
    for (receive, code) in [(529, 1), (1040, 1), (1041, 2), (2064, 2), (2065, 3), (4113, 4), (16400, 4)] {
        let encounter = Encounter::over(Rig::with_buffers(receive, 1024), Server::new(&[]), |security| Security { authority: kept(&authority.der), ..security });
        let asked = |number| encounter.server.asked(number).unwrap();
        assert_eq!(asked(1), [code], "max_fragment_length for {receive}");
        assert_eq!(asked(0), b"\0\x0e\0\0\x0bbroker.test", "server_name");
        assert_eq!(asked(16), b"\0\x05\x04mqtt", "application_layer_protocol_negotiation");
        assert_eq!(asked(43), b"\x02\x03\x04", "supported_versions");
        assert_eq!(asked(10), b"\0\x02\0\x17", "supported_groups");
        assert!(encounter.server.asked(41).is_none(), "pre_shared_key");
    }
    let encounter = Encounter::over(Rig::with_buffers(16401, 1024), Server::new(&[]), |security| Security { authority: kept(&authority.der), ..security });
    assert!(encounter.server.asked(1).is_none());
}

#[test]
fn an_address_is_no_server_name_to_be_told() {
    let (authority, _) = honest();
    for address in ["192.168.0.8", "fe80::1"] {
        let encounter = Encounter::choosing(Server::new(&[]), |security| Security { server_name: address, authority: kept(&authority.der), ..security });
        assert!(encounter.server.asked(0).is_none());
    }
}

#[test]
fn one_record_of_the_handshake_is_handled_in_each_poll() {
    let mut encounter = Encounter::new();
    let flight = encounter.flight(&GOOD);
    encounter.server.finish();
    encounter.rig.give(&flight);
    let mut steps = 0;
    while encounter.rig.link.send(encounter.connect) == 0 {
        assert!(encounter.rig.link.has_stepped() && encounter.rig.link.is_eager());
        steps += 1;
    }
    assert_eq!(steps, split(&flight).len());
}

#[test]
fn a_closed_link_can_be_opened_again() {
    let (_, broker) = honest();
    let mut encounter = Encounter::connected();
    for _ in 0..3 {
        encounter.rig.link.close();
        assert_eq!(encounter.received(), Err(lost::CLOSED));
        encounter.again(Server::new(&[&broker]));
        encounter.connect(&GOOD);
    }
}

#[test]
fn a_client_without_a_certificate_says_so() {
    assert_eq!(Encounter::new().connect(&WITH_REQUEST), None);
}
