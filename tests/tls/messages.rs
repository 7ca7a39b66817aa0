//! The messages of the encrypted part of the handshake, from a broker that has all keys: their order, their lengths, their records.

use crate::encounter::{Encounter, GOOD, Outcome, WITH_REQUEST};
use crate::server::{HANDSHAKE, kind::*, list, message};
use utasker_mqtt::tls::Reason;

const PROTOCOL: Outcome = Outcome::Refused(Reason::Protocol as u16);

/// What becomes of the client when these messages come, as many in each record as there are in a group.
fn grouped(groups: &[&[u8]]) -> Outcome {
    let mut encounter = Encounter::new();
    let mut flight = encounter.server.hello();
    for group in groups {
        let said: Vec<u8> = group.iter().flat_map(|kind| encounter.server.say(*kind)).collect();
        flight.extend(encounter.server.seal(HANDSHAKE, &said));
    }
    encounter.server.finish();
    encounter.after(&flight)
}

#[test]
fn messages_may_share_a_record() {
    assert_eq!(grouped(&[&GOOD]), Outcome::Connected);
    assert_eq!(grouped(&[&WITH_REQUEST]), Outcome::Connected);
    for place in 1..WITH_REQUEST.len() {
        let (first, second) = WITH_REQUEST.split_at(place);
        assert_eq!(grouped(&[first, second]), Outcome::Connected, "{place}");
    }
}

#[test]
fn encrypted_extensions_come_first_and_once() {
    assert_eq!(grouped(&[&GOOD[1..]]), PROTOCOL);
    assert_eq!(grouped(&[&[ENCRYPTED_EXTENSIONS], &GOOD]), PROTOCOL);
    assert_eq!(grouped(&[&[ENCRYPTED_EXTENSIONS, ENCRYPTED_EXTENSIONS], &GOOD[1..]]), PROTOCOL);
    assert_eq!(grouped(&[&[CERTIFICATE_REQUEST, ENCRYPTED_EXTENSIONS], &GOOD[1..]]), PROTOCOL);
    assert_eq!(grouped(&[&GOOD[..3], &[ENCRYPTED_EXTENSIONS, FINISHED]]), PROTOCOL);
}

#[test]
fn nothing_follows_finished_in_its_record() {
    assert_eq!(grouped(&[&[ENCRYPTED_EXTENSIONS, FINISHED, CERTIFICATE, CERTIFICATE_VERIFY]]), PROTOCOL);
    assert_eq!(grouped(&[&[ENCRYPTED_EXTENSIONS], &[FINISHED, CERTIFICATE, CERTIFICATE_VERIFY]]), PROTOCOL);
    assert_eq!(grouped(&[&[ENCRYPTED_EXTENSIONS, CERTIFICATE, CERTIFICATE_VERIFY, FINISHED, FINISHED]]), PROTOCOL);
    assert_eq!(grouped(&[&[ENCRYPTED_EXTENSIONS, CERTIFICATE, CERTIFICATE_VERIFY, FINISHED, CERTIFICATE_REQUEST]]), PROTOCOL);
}

#[test]
fn messages_of_other_times_are_refused_at_every_step() {
    let ticket = [&[0; 8][..], b"\0", &list::<2>(b"t"), &list::<2>(&[])].concat();
    for (kind, content) in [
        (CLIENT_HELLO, &[0; 40][..]),
        (SERVER_HELLO, &[0; 40]),
        (NEW_SESSION_TICKET, &ticket),
        (5, b""),
        (KEY_UPDATE, b"\0"),
        (0, b""),
        (254, &[0; 32]),
        (255, b""),
    ] {
        for step in 0..GOOD.len() {
            let mut encounter = Encounter::new();
            let mut flight = encounter.flight(&GOOD[..step]);
            let said = encounter.server.say_so(kind, content);
            flight.extend(encounter.server.seal(HANDSHAKE, &said));
            assert_eq!(encounter.after(&flight), PROTOCOL, "{kind} at step {step}");
        }
    }
}

/// Each step starts the deadline anew: there must be an end of them.
#[test]
fn records_that_bring_nothing_do_not_prolong_a_handshake() {
    for step in 0..GOOD.len() {
        let mut encounter = Encounter::new();
        let mut flight = encounter.flight(&GOOD[..step]);
        flight.extend(encounter.server.seal(HANDSHAKE, b""));
        assert_eq!(encounter.after(&flight), PROTOCOL, "step {step}");
    }
    let request = CERTIFICATE_REQUEST;
    assert_eq!(grouped(&[&[ENCRYPTED_EXTENSIONS], &[request], &[request], &[request], &[request]]), Outcome::Waiting);
    assert_eq!(grouped(&[&[ENCRYPTED_EXTENSIONS], &[request], &[request], &[request], &[request], &[request]]), PROTOCOL);
}

/// What becomes of the client when one message is changed before it becomes part of the handshake.
fn changed(kind: u8, change: impl Fn(&mut Vec<u8>), in_one_record: bool) -> Outcome {
    let mut encounter = Encounter::new();
    let mut flight = encounter.server.hello();
    let mut together = Vec::new();
    for step in WITH_REQUEST {
        let mut said = encounter.server.compose(step);
        if step == kind {
            change(&mut said);
        }
        said = encounter.server.tell(said);
        if in_one_record {
            together.extend(said);
        } else {
            flight.extend(encounter.server.seal(HANDSHAKE, &said));
        }
    }
    if in_one_record {
        flight.extend(encounter.server.seal(HANDSHAKE, &together));
    }
    encounter.server.finish();
    encounter.after(&flight)
}

#[test]
fn messages_are_as_long_as_they_say() {
    for kind in WITH_REQUEST {
        for together in [false, true] {
            assert_eq!(changed(kind, |_| {}, together), Outcome::Connected);
            for difference in [1, 2, 3, 8, 40, 0x80, 0xff] {
                let longer = |said: &mut Vec<u8>| said[3] = said[3].wrapping_add(difference);
                assert_eq!(changed(kind, longer, together), PROTOCOL, "{kind} {difference}");
                let much_longer = |said: &mut Vec<u8>| said[1] = difference;
                assert_eq!(changed(kind, much_longer, together), PROTOCOL, "{kind} {difference}");
            }
            // Also where the bytes are there.
            for hidden in [vec![0], vec![0; 4], message(ENCRYPTED_EXTENSIONS, b"\0\0"), message(CERTIFICATE_REQUEST, b"\0\0\0")] {
                let hiding = |said: &mut Vec<u8>| *said = message(said[0], &[&said[4..], &hidden].concat());
                assert_eq!(changed(kind, hiding, together), PROTOCOL, "{kind} {hidden:x?}");
            }
            for missing in 1..3 {
                let shorter = |said: &mut Vec<u8>| *said = message(said[0], &said[4..said.len() - missing]);
                // A signature without its end is whole, but wrong: its own length tells.
                assert_eq!(changed(kind, shorter, together), PROTOCOL, "{kind} {missing}");
            }
        }
    }
}

#[test]
fn a_certificate_answers_no_request() {
    let with_context = |said: &mut Vec<u8>| *said = message(said[0], &[b"\x01x", &said[5..]].concat());
    assert_eq!(changed(CERTIFICATE, with_context, false), PROTOCOL);
    assert_eq!(changed(CERTIFICATE_REQUEST, with_context, false), PROTOCOL);
}
