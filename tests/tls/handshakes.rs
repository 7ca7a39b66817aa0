//! Handshakes with a broker that keeps the rules.

use crate::encounter::{Encounter, GOOD, Outcome, WITH_REQUEST, bytes, honest};
use crate::server::{HANDSHAKE, Server, kind::*, list, message, split};
use crate::wire::{Rig, kept, room};
use utasker_mqtt::session::lost;
use utasker_mqtt::tls::Security;

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
        let choose = |security| Security { authority: kept(&authority.der), ..security };
        let encounter = Encounter::over(Rig::with_buffers(receive, 1024), Server::new(&[]), choose);
        let asked = |number| encounter.server.asked(number).unwrap();
        assert_eq!(asked(1), [code], "max_fragment_length for {receive}");
        assert_eq!(asked(0), b"\0\x0e\0\0\x0bbroker.test", "server_name");
        assert_eq!(asked(16), b"\0\x05\x04mqtt", "application_layer_protocol_negotiation");
        assert_eq!(asked(43), b"\x02\x03\x04", "supported_versions");
        assert_eq!(asked(10), b"\0\x02\0\x17", "supported_groups");
        assert!(encounter.server.asked(41).is_none(), "pre_shared_key");
    }
    let choose = |security| Security { authority: kept(&authority.der), ..security };
    let encounter = Encounter::over(Rig::with_buffers(16401, 1024), Server::new(&[]), choose);
    assert!(encounter.server.asked(1).is_none());
}

#[test]
fn a_dot_at_the_end_of_a_name_is_not_told() {
    let (authority, broker) = honest();
    let mut encounter =
        Encounter::choosing(Server::new(&[&broker]), |security| Security { server_name: "broker.test.", authority: kept(&authority.der), ..security });
    assert_eq!(encounter.server.asked(0), Some(&b"\0\x0e\0\0\x0bbroker.test"[..]));
    encounter.connect(&GOOD);
}

#[test]
fn an_address_is_no_server_name_to_be_told() {
    let (authority, _) = honest();
    for address in ["192.168.0.8", "fe80::1"] {
        let choose = |security| Security { server_name: address, authority: kept(&authority.der), ..security };
        let encounter = Encounter::choosing(Server::new(&[]), choose);
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
