//! Brokers that choose what was not offered, or say more than there is to say.

use crate::encounter::{Encounter, GOOD, Outcome, WITH_REQUEST};
use crate::server::{ALERT, HANDSHAKE, Server, extension, kind::*, list, message, record};
use utasker_mqtt::tls::Reason;

const PROTOCOL: Outcome = Outcome::Refused(Reason::Protocol as u16);

/// A ServerHello of these parts.
fn hello(version: &[u8], session: &[u8], suite: &[u8], compression: u8, extensions: &[u8]) -> Vec<u8> {
    [version, &[0x5a; 32], &list::<1>(session), suite, &[compression], &list::<2>(extensions)].concat()
}

/// The extensions of a good one.
fn extensions(server: &Server) -> Vec<u8> {
    [extension(43, b"\x03\x04"), share(0x17, server.point().as_bytes())].concat()
}

fn share(group: u16, point: &[u8]) -> Vec<u8> {
    extension(51, &[&group.to_be_bytes()[..], &list::<2>(point)].concat())
}

/// What becomes of the client when the rest of the handshake goes with such a hello.
fn with_hello(content: impl Fn(&Server) -> Vec<u8>) -> Outcome {
    let mut encounter = Encounter::new();
    let content = content(&encounter.server);
    let hello = encounter.server.hello_saying(&content);
    let flight = encounter.server.flight(&GOOD);
    encounter.server.finish();
    encounter.after(&[hello, flight].concat())
}

/// The same, where other extensions are in it.
fn with_extensions(choose: impl Fn(&Server) -> Vec<u8>) -> Outcome {
    with_hello(|server| hello(b"\x03\x03", b"", b"\x13\x01", 0, &choose(server)))
}

#[test]
fn a_hello_keeps_to_what_was_offered() {
    assert_eq!(with_extensions(extensions), Outcome::Connected);
    for (version, session, suite, compression) in [
        (b"\x03\x02", &b""[..], b"\x13\x01", 0),
        (b"\x03\x04", b"", b"\x13\x01", 0),
        (b"\x03\x03", b"x", b"\x13\x01", 0),
        (b"\x03\x03", &[1; 32], b"\x13\x01", 0),
        (b"\x03\x03", b"", b"\x13\x02", 0),
        (b"\x03\x03", b"", b"\x13\x03", 0),
        (b"\x03\x03", b"", b"\x13\x05", 0),
        (b"\x03\x03", b"", b"\0\xa8", 0),
        (b"\x03\x03", b"", b"\xc0\x2b", 0),
        (b"\x03\x03", b"", b"\0\0", 0),
        (b"\x03\x03", b"", b"\x13\x01", 1),
    ] {
        let outcome = with_hello(|server| hello(version, session, suite, compression, &extensions(server)));
        assert_eq!(outcome, PROTOCOL, "{version:x?} {session:x?} {suite:x?} {compression}");
    }
}

/// A HelloRetryRequest, which differs from a ServerHello by its random bytes, in all shapes that section 4.1.4 of RFC 8446 has for it.
#[test]
fn a_request_for_another_hello_is_refused() {
    let random: [u8; 32] = [
        0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07,
        0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
    ];
    let version = extension(43, b"\x03\x04");
    let cookie = |length| extension(44, &list::<2>(&vec![b'c'; length]));
    let shapes = [
        Vec::new(),
        version.clone(),
        cookie(1),
        extension(51, b"\0\x17"),
        [version.clone(), extension(51, b"\0\x17")].concat(),
        [version.clone(), extension(51, b"\0\x18")].concat(),
        [version.clone(), extension(51, b"\0\x1d")].concat(),
        [version.clone(), cookie(32)].concat(),
        [version.clone(), cookie(1000)].concat(),
        [extension(51, b"\0\x17"), version.clone(), cookie(32)].concat(),
    ];
    for extensions in shapes {
        let content = [&b"\x03\x03"[..], &random, b"\0\x13\x01\0", &list::<2>(&extensions)].concat();
        let mut encounter = Encounter::new();
        let hello = encounter.server.hello_saying(&content);
        assert_eq!(encounter.after(&hello), PROTOCOL, "{extensions:x?}");
        assert!(encounter.rig.sent().is_empty());
    }
}

#[test]
fn nothing_follows_a_hello_in_its_record() {
    for behind in [&b"\0"[..], &message(ENCRYPTED_EXTENSIONS, b"\0\0"), &[0x5a; 40]] {
        let mut encounter = Encounter::new();
        let mut hello = encounter.server.hello()[5..].to_vec();
        hello.extend(behind);
        let flight = encounter.server.flight(&GOOD);
        assert_eq!(encounter.after(&[record(HANDSHAKE, &hello), flight].concat()), PROTOCOL, "{behind:x?}");
    }
}

#[test]
fn a_share_is_a_point_of_the_curve() {
    let with_point = |change: fn(&mut Vec<u8>)| {
        with_extensions(|server| {
            let mut point = server.point().as_bytes().to_vec();
            change(&mut point);
            [extension(43, b"\x03\x04"), share(0x17, &point)].concat()
        })
    };
    assert_eq!(with_point(|_| {}), Outcome::Connected);
    let wrong: [fn(&mut Vec<u8>); 9] = [
        |point| point[64] ^= 1,              // not on the curve
        |point| point[1..].fill(0),
        |point| point[1..].fill(0xff),       // not in the field
        |point| *point = vec![0],            // infinity
        |point| point[0] = 0,
        |point| point[0] = 6,                // hybrid
        |point| point.truncate(64),
        |point| point.push(0),
        |point| point.clear(),
    ];
    for (number, change) in wrong.into_iter().enumerate() {
        assert_eq!(with_point(change), PROTOCOL, "{number}");
    }
}

#[test]
fn a_hello_needs_its_share_and_has_only_what_belongs_there() {
    assert_eq!(with_extensions(|_| extension(43, b"\x03\x04")), PROTOCOL);
    assert_eq!(with_extensions(|_| Vec::new()), PROTOCOL);
    for (number, content) in [(0, &b""[..]), (1, b"\x01"), (10, b"\0\x02\0\x17"), (13, b"\0\x02\x04\x03"), (16, b"\0\x05\x04mqtt"), (42, b""), (51, b"\0\x17")] {
        assert_eq!(with_extensions(|server| [extensions(server), extension(number, content)].concat()), PROTOCOL, "{number}");
    }
}

/// What becomes of the client when the encrypted extensions are these.
fn with_encrypted(content: &[u8]) -> Outcome {
    let mut encounter = Encounter::new();
    let mut flight = encounter.server.hello();
    let said = encounter.server.say_so(ENCRYPTED_EXTENSIONS, &list::<2>(content));
    flight.extend(encounter.server.seal(HANDSHAKE, &said));
    flight.extend(encounter.server.flight(&GOOD[1..]));
    encounter.server.finish();
    encounter.after(&flight)
}

#[test]
fn encrypted_extensions_that_belong_elsewhere_are_refused_and_unknown_ones_ignored() {
    for (number, content) in [(5, &b""[..]), (13, b"\0\x02\x04\x03"), (18, b""), (41, b"\0\0"), (43, b"\x03\x04"), (44, b"x"), (47, b""), (51, b"\0\x17")] {
        assert_eq!(with_encrypted(&extension(number, content)), PROTOCOL, "{number}");
    }
    for (number, content) in [(0, &b"x"[..]), (1, b"\0"), (1, b"\x05"), (1, b""), (10, b"\0\x02"), (16, b"\0\x05\x04mq"), (16, b"\0\x01\0")] {
        assert_eq!(with_encrypted(&extension(number, content)), PROTOCOL, "{number} {content:x?}");
    }
    // What the TLS implementation would say to that, in the clear, is not said; it would also wait for the link.
    let mut encounter = Encounter::new();
    let hello = encounter.server.hello();
    let said = encounter.server.say_so(ENCRYPTED_EXTENSIONS, &list::<2>(&extension(13, b"\0\x02\x04\x03")));
    let flight = [hello, encounter.server.seal(HANDSHAKE, &said)].concat();
    encounter.rig.wire.0.borrow_mut().room = Some(0);
    assert_eq!(encounter.after(&flight), PROTOCOL);
    assert_eq!(encounter.rig.sent(), b"");
    for content in [&b"\0"[..], b"\0\x10\0", b"\0\x10\0\x01"] {
        assert_eq!(with_encrypted(content), PROTOCOL, "{content:x?}");
    }
    for good in [extension(16, b"\0\x05\x04mqtt"), extension(0, b""), extension(1, b"\x03"), extension(10, b"\0\x04\0\x1d\0\x17"), extension(0xfafa, b"grease")] {
        assert_eq!(with_encrypted(&good), Outcome::Connected, "{good:x?}");
    }
}

/// What becomes of the client, with a certificate, when it is asked for that with such extensions.
fn with_request(context: &[u8], extensions: &[u8]) -> Outcome {
    let mut encounter = Encounter::new();
    let mut flight = encounter.flight(&WITH_REQUEST[..1]);
    let said = encounter.server.say_so(CERTIFICATE_REQUEST, &[list::<1>(context), list::<2>(extensions)].concat());
    flight.extend(encounter.server.seal(HANDSHAKE, &said));
    flight.extend(encounter.server.flight(&WITH_REQUEST[2..]));
    encounter.server.finish();
    encounter.after(&flight)
}

/// A limit of the TLS implementation; the standard would ignore them.
#[test]
fn lists_of_the_brokers_own_with_an_unknown_entry_end_the_handshake() {
    assert_eq!(with_encrypted(&extension(10, &list::<2>(&[0, 0x17, 0xfa, 0xfa]))), PROTOCOL);
    assert_eq!(with_request(b"", &extension(13, &list::<2>(&[4, 3, 0xfa, 0xfa]))), PROTOCOL);
}

#[test]
fn a_request_for_a_certificate_may_say_much() {
    let schemes = extension(13, &list::<2>(&[4, 3, 8, 4]));
    let authorities = extension(47, &list::<2>(&list::<2>(&[0x30; 300])));
    for good in [schemes.clone(), [&schemes[..], &authorities].concat(), [&schemes[..], &extension(0xfafa, b"grease"), &extension(50, b"\0\x02\x04\x03")].concat()] {
        assert_eq!(with_request(b"", &good), Outcome::Connected);
        assert_eq!(with_request(b"x", &good), PROTOCOL, "a context belongs to requests after the handshake");
        assert_eq!(with_request(&[7; 255], &good), PROTOCOL);
    }
    for bad in [extension(0, b""), extension(51, b"\0\x17"), extension(13, b"\0\x03\x04\x03\x08"), extension(13, b"\0\x40\x04\x03"), b"\0".to_vec(), extension(47, b"x").repeat(7)] {
        assert_eq!(with_request(b"", &bad), PROTOCOL, "{bad:x?}");
    }
}

#[test]
fn a_ticket_hides_no_other_message() {
    let body = [&[0; 8][..], b"\0", &list::<2>(b"t"), &list::<2>(&[])].concat();
    for hidden in [message(CERTIFICATE_REQUEST, b"\0\0\0"), message(KEY_UPDATE, &[0]), message(FINISHED, &[0; 32]), message(ENCRYPTED_EXTENSIONS, b"\0\0")] {
        let mut encounter = Encounter::connected();
        let ticket = message(NEW_SESSION_TICKET, &[&body[..], &hidden].concat());
        let record = encounter.server.seal(HANDSHAKE, &ticket);
        encounter.rig.give(&record);
        encounter.send(b"data");
        assert_eq!(encounter.received().unwrap(), b"data");
    }
}

#[test]
fn a_flood_of_tickets_does_not_hold_up_a_poll() {
    let ticket = message(NEW_SESSION_TICKET, &[&[0; 8][..], b"\0", &list::<2>(&[1; 200]), &list::<2>(&[])].concat());
    let mut encounter = Encounter::connected();
    for _ in 0..100 {
        let record = encounter.server.seal(HANDSHAKE, &ticket.repeat(3));
        encounter.rig.give(&record);
    }
    encounter.send(b"data");
    let place = crate::wire::room(10);
    let mut polls = 1;
    while encounter.rig.link.receive(place) == 0 {
        polls += 1;
    }
    assert_eq!(polls, 1 + 100 / 16);
}

#[test]
fn alerts_are_whole_and_alone_in_their_record() {
    for content in [&b""[..], b"\x02", b"\x03\x28", b"\0\0"] {
        let mut encounter = Encounter::connected();
        let record = encounter.server.seal(ALERT, content);
        encounter.rig.give(&record);
        assert_eq!(Outcome::Refused(encounter.refused()), PROTOCOL, "{content:x?}");
        let mut encounter = Encounter::new();
        let mut flight = encounter.flight(&GOOD[..2]);
        flight.extend(encounter.server.seal(ALERT, content));
        assert_eq!(encounter.after(&flight), PROTOCOL, "{content:x?}");
    }
}
