//! Brokers that break the rules, and those who change what honest ones say: none of them is ever connected to.

use crate::certificates::Identity;
use crate::encounter::{Encounter, GOOD, Outcome, honest};
use crate::server::{ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, Server, by, kind::*, list, message, record, split};
use crate::wire::{Ends, Rig, Source};
use utasker_mqtt::session::lost;
use utasker_mqtt::tls::Reason;

const PROTOCOL: Outcome = Outcome::Refused(Reason::Protocol as u16);
const NO_CERTIFICATE: Outcome = Outcome::Refused(Reason::NoCertificate as u16);
const BAD_SIGNATURE: Outcome = Outcome::Refused(Reason::BadSignature as u16);
const TOO_LARGE: Outcome = Outcome::Refused(Reason::RecordTooLarge as u16);

/// What becomes of the client when these messages follow the ServerHello. It must not have said anything but its Finished.
fn outcome(kinds: &[u8]) -> Outcome {
    let mut encounter = Encounter::new();
    let outcome = encounter.shake(kinds);
    if outcome != Outcome::Connected {
        assert!(split(&encounter.rig.sent()).len() <= 1);
    }
    outcome
}

#[test]
fn a_broker_shows_its_certificate_and_then_that_it_has_the_key_exactly_once() {
    assert_eq!(outcome(&GOOD), Outcome::Connected);
    for (kinds, expected) in [
        (&[ENCRYPTED_EXTENSIONS, FINISHED][..], NO_CERTIFICATE),
        (&[FINISHED], PROTOCOL),
        (&GOOD[1..], PROTOCOL),
        (&[ENCRYPTED_EXTENSIONS, CERTIFICATE, FINISHED], NO_CERTIFICATE),
        (&[ENCRYPTED_EXTENSIONS, CERTIFICATE_VERIFY, FINISHED], PROTOCOL),
        (&[ENCRYPTED_EXTENSIONS, CERTIFICATE_VERIFY, CERTIFICATE, FINISHED], PROTOCOL),
        (&[ENCRYPTED_EXTENSIONS, CERTIFICATE, CERTIFICATE, CERTIFICATE_VERIFY, FINISHED], PROTOCOL),
        (&[ENCRYPTED_EXTENSIONS, CERTIFICATE, CERTIFICATE_VERIFY, CERTIFICATE_VERIFY, FINISHED], PROTOCOL),
        (&[ENCRYPTED_EXTENSIONS, CERTIFICATE, CERTIFICATE_VERIFY, CERTIFICATE, FINISHED], PROTOCOL),
        (&[ENCRYPTED_EXTENSIONS, CERTIFICATE, CERTIFICATE_VERIFY, CERTIFICATE, CERTIFICATE_VERIFY, FINISHED], PROTOCOL),
        (&[CERTIFICATE, ENCRYPTED_EXTENSIONS, CERTIFICATE_VERIFY, FINISHED], PROTOCOL),
        (&[ENCRYPTED_EXTENSIONS, CERTIFICATE, CERTIFICATE_REQUEST, CERTIFICATE_VERIFY, FINISHED], BAD_SIGNATURE),
        (&[ENCRYPTED_EXTENSIONS, CERTIFICATE, CERTIFICATE_VERIFY], Outcome::Waiting),
    ] {
        assert_eq!(outcome(kinds), expected, "{kinds:?}");
    }
}

#[test]
fn an_empty_list_of_certificates_is_none() {
    let (authority, _) = honest();
    let mut encounter = Encounter::between(&authority, Server::new(&[]));
    assert_eq!(encounter.shake(&GOOD), NO_CERTIFICATE);
}

#[test]
fn finished_must_prove_the_handshake() {
    let mut encounter = Encounter::new();
    let mut flight = encounter.flight(&GOOD[..3]);
    let finished = encounter.server.say_so(FINISHED, &[0; 32]);
    flight.extend(encounter.server.seal(HANDSHAKE, &finished));
    assert_eq!(encounter.after(&flight), PROTOCOL);
}

#[test]
fn only_known_signature_schemes_that_fit_the_certificate_count() {
    for scheme in [
        0x0401, 0x0501, 0x0601, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0807, 0x0808, 0x0809, 0x080a, 0x080b, 0x0201, 0x0203, 0x0301, 0x081a,
        0x0904, 0x0000, 0xfefe, 0xffff,
    ] {
        let mut encounter = Encounter::new();
        encounter.server.scheme = scheme;
        let outcome = encounter.shake(&GOOD);
        assert!(matches!(outcome, BAD_SIGNATURE | PROTOCOL), "{scheme:#06x}: {outcome:?}");
    }
}

#[test]
fn signatures_of_other_shapes_are_refused() {
    for signature in [&b""[..], b"\x30\x00", b"\x30\x06\x02\x01\x00\x02\x01\x00", &[0x30; 80], &[0; 600]] {
        let mut encounter = Encounter::new();
        let mut flight = encounter.flight(&GOOD[..2]);
        let verify = encounter.server.say_so(CERTIFICATE_VERIFY, &[&b"\x04\x03"[..], &list::<2>(signature)].concat());
        flight.extend(encounter.server.seal(HANDSHAKE, &verify));
        assert_eq!(encounter.after(&flight), BAD_SIGNATURE, "{signature:x?}");
    }
}

/// Records that may come at no time, once messages are encrypted.
fn never() -> Vec<(Vec<u8>, Outcome)> {
    let mut records = vec![
        (record(HANDSHAKE, &message(FINISHED, &[0; 32])), PROTOCOL),
        (record(HANDSHAKE, &message(SERVER_HELLO, &Server::new(&[]).hello_content())), PROTOCOL),
        (record(ALERT, &[2, 40]), PROTOCOL),
        (record(ALERT, &[1, 0]), PROTOCOL),
        (record(CHANGE_CIPHER_SPEC, &[1, 1]), PROTOCOL),
        (record(0, b"x"), PROTOCOL),
        (record(24, b"x"), PROTOCOL),
        (record(255, b"x"), PROTOCOL),
        (record(APPLICATION_DATA, &[0; 17]), PROTOCOL),
        (record(APPLICATION_DATA, &[0; 2065]), PROTOCOL),
        (record(APPLICATION_DATA, &[0; 2066]), TOO_LARGE),
        (record(APPLICATION_DATA, &[0; 16640]), TOO_LARGE),
        (record(APPLICATION_DATA, &[0; 16641]), PROTOCOL),
        (record(APPLICATION_DATA, &[0; 65535]), PROTOCOL),
        ([&[APPLICATION_DATA, 3, 1, 0, 20][..], &[0; 20]].concat(), PROTOCOL),
    ];
    for short in 0..=16 {
        records.push((record(APPLICATION_DATA, &vec![0; short]), PROTOCOL));
    }
    records
}

#[test]
fn wrong_records_are_refused_at_every_step_of_the_handshake() {
    for step in 0..GOOD.len() {
        for (wrong, expected) in never() {
            let mut encounter = Encounter::new();
            let flight = encounter.flight(&GOOD[..step]);
            assert_eq!(encounter.after(&flight), Outcome::Waiting);
            assert_eq!(encounter.after(&wrong), expected, "step {step}: {:x?}", &wrong[..5]);
        }
    }
}

#[test]
fn wrong_records_are_refused_in_an_open_connection() {
    for (wrong, expected) in never() {
        let encounter = Encounter::connected();
        encounter.rig.give(&wrong);
        assert_eq!(Outcome::Refused(encounter.refused()), expected, "{:x?}", &wrong[..5]);
    }
    let encounter = Encounter::connected();
    encounter.rig.give(&record(CHANGE_CIPHER_SPEC, &[1]));
    assert_eq!(Outcome::Refused(encounter.refused()), PROTOCOL);
}

#[test]
fn encrypted_records_have_a_type() {
    for body in [vec![], vec![0], vec![0; 40]] {
        for step in 0..GOOD.len() {
            let mut encounter = Encounter::new();
            let mut flight = encounter.flight(&GOOD[..step]);
            flight.extend(encounter.server.seal_bare(body.clone()));
            assert_eq!(encounter.after(&flight), PROTOCOL, "step {step}");
        }
        let mut encounter = Encounter::connected();
        let record = encounter.server.seal_bare(body);
        encounter.rig.give(&record);
        assert_eq!(Outcome::Refused(encounter.refused()), PROTOCOL);
    }
}

#[test]
fn nothing_but_a_hello_or_an_alert_comes_first() {
    let first = [
        (record(APPLICATION_DATA, &[0; 40]), PROTOCOL),
        (record(CHANGE_CIPHER_SPEC, &[1]), PROTOCOL),
        (record(HANDSHAKE, &[]), PROTOCOL),
        (record(HANDSHAKE, &[2]), PROTOCOL),
        (record(HANDSHAKE, &message(FINISHED, &[0; 32])), PROTOCOL),
        (record(HANDSHAKE, &message(CERTIFICATE_VERIFY, &[4, 3, 0, 0])), PROTOCOL),
        (record(HANDSHAKE, &message(KEY_UPDATE, &[0])), PROTOCOL),
        (record(HANDSHAKE, &vec![2; 2066]), TOO_LARGE),
        (record(ALERT, &[2]), PROTOCOL),
        (record(ALERT, &[2, 40, 0]), PROTOCOL),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), PROTOCOL),
        (b"\x20\x02\0\0 plain MQTT".to_vec(), PROTOCOL),
    ];
    for (first, expected) in first {
        assert_eq!(Encounter::new().after(&first), expected, "{:x?}", &first[..5]);
    }
}

#[test]
fn two_change_cipher_specs_may_come_and_no_third() {
    let change = record(CHANGE_CIPHER_SPEC, &[1]);
    let mut encounter = Encounter::new();
    let hello = encounter.server.hello();
    assert_eq!(encounter.after(&[hello, change.clone(), change.clone()].concat()), Outcome::Waiting);
    let flight = encounter.server.flight(&GOOD);
    encounter.server.finish();
    assert_eq!(encounter.after(&flight), Outcome::Connected);
    let mut encounter = Encounter::new();
    let hello = encounter.server.hello();
    assert_eq!(encounter.after(&[hello, change.repeat(3)].concat()), PROTOCOL);
}

#[test]
fn a_changed_hello_is_noticed() {
    let mut encounter = Encounter::new();
    let length = encounter.server.hello().len();
    for place in 5..length {
        for change in [1, 0x80] {
            let (_, broker) = honest();
            encounter.again(Server::new(&[&broker]));
            let mut flight = encounter.flight(&GOOD);
            encounter.server.finish();
            flight[place] ^= change;
            let outcome = encounter.after(&flight);
            assert!(matches!(outcome, PROTOCOL), "byte {place}: {outcome:?}");
        }
    }
}

#[test]
fn a_certificate_of_somebody_who_has_not_its_key_does_not_help() {
    let (authority, broker) = honest();
    let mut server = Server::new(&[&broker]);
    server.prove = by(crate::certificates::key("somebody else"));
    assert_eq!(Encounter::between(&authority, server).shake(&GOOD), BAD_SIGNATURE);
}

#[test]
fn messages_split_over_records_are_refused() {
    let mut encounter = Encounter::new();
    let mut flight = encounter.flight(&GOOD[..1]);
    let certificate = encounter.server.say(CERTIFICATE);
    for half in certificate.chunks(200) {
        flight.extend(encounter.server.seal(HANDSHAKE, half));
    }
    assert_eq!(encounter.after(&flight), PROTOCOL);
}

#[test]
fn after_the_handshake_only_tickets_come_beside_data() {
    let ticket = message(NEW_SESSION_TICKET, &[&[0; 8][..], b"\0", &list::<2>(b"t"), &list::<2>(&[])].concat());
    let request = message(CERTIFICATE_REQUEST, b"\0\0\0");
    let others = [
        message(KEY_UPDATE, &[0]),
        message(KEY_UPDATE, &[1]),
        request.clone(),
        message(FINISHED, &[0; 32]),
        message(CERTIFICATE, b"\0\0\0\0"),
        message(CERTIFICATE_VERIFY, b"\x04\x03\0\0"),
        message(SERVER_HELLO, &[0; 40]),
        message(CLIENT_HELLO, &[0; 40]),
        message(ENCRYPTED_EXTENSIONS, b"\0\0"),
        message(0, &[]),
        message(254, &[0; 32]),
        [ticket.clone(), request].concat(),
        ticket[..ticket.len() - 1].to_vec(),
        [&ticket[..], b"\x04"].concat(),
        Vec::new(),
    ];
    for other in others {
        let mut encounter = Encounter::connected();
        let record = encounter.server.seal(HANDSHAKE, &other);
        encounter.rig.give(&record);
        encounter.send(b"data");
        assert_eq!(Outcome::Refused(encounter.refused()), PROTOCOL, "{other:x?}");
    }
}

#[test]
fn records_without_content_do_not_hold_up_a_poll() {
    let mut encounter = Encounter::connected();
    for _ in 0..100 {
        let record = encounter.server.seal(APPLICATION_DATA, b"");
        encounter.rig.give(&record);
    }
    encounter.send(b"data");
    let place = crate::wire::room(10);
    let mut polls = 1;
    while encounter.rig.link.receive(place) == 0 {
        assert!(encounter.rig.link.is_eager());
        polls += 1;
    }
    assert_eq!(polls, 1 + 100 / 16);
    assert!(!encounter.rig.link.has_stepped());
}

#[test]
fn unknown_content_and_records_changed_or_repeated_end_an_open_connection() {
    for kind in [0, 20, 24, 0x80] {
        let mut encounter = Encounter::connected();
        let record = encounter.server.seal(kind, b"x");
        encounter.rig.give(&record);
        assert_eq!(Outcome::Refused(encounter.refused()), PROTOCOL, "{kind}");
    }
    let mut encounter = Encounter::connected();
    let record = encounter.server.seal(APPLICATION_DATA, b"data");
    encounter.rig.give(&record.repeat(2));
    assert_eq!(Outcome::Refused(encounter.refused()), PROTOCOL, "repeated");
    for place in 5..5 + 4 + 1 + 16 {
        let mut encounter = Encounter::connected();
        let mut record = encounter.server.seal(APPLICATION_DATA, b"data");
        record[place] ^= 1;
        encounter.rig.give(&record);
        assert_eq!(Outcome::Refused(encounter.refused()), PROTOCOL, "byte {place}");
    }
}

#[test]
fn alerts_are_told_with_their_number_at_every_step() {
    for (level, number) in [(2, 40), (2, 48), (1, 112), (2, 255), (2, 80)] {
        if number != 255 {
            assert_eq!(Encounter::new().after(&record(ALERT, &[level, number])), Outcome::Refused(0x100 + u16::from(number)));
        }
        for step in 0..GOOD.len() {
            let mut encounter = Encounter::new();
            let mut flight = encounter.flight(&GOOD[..step]);
            flight.extend(encounter.server.seal(ALERT, &[level, number]));
            assert_eq!(encounter.after(&flight), Outcome::Refused(0x100 + u16::from(number)), "step {step}");
        }
        let mut encounter = Encounter::connected();
        let alert = encounter.server.seal(ALERT, &[level, number]);
        encounter.rig.give(&alert);
        assert_eq!(encounter.refused(), 0x100 + u16::from(number));
    }
}

#[test]
fn a_close_notify_closes() {
    assert_eq!(Encounter::new().after(&record(ALERT, &[1, 0])), Outcome::Lost(lost::CLOSED));
    for step in 0..GOOD.len() {
        let mut encounter = Encounter::new();
        let mut flight = encounter.flight(&GOOD[..step]);
        flight.extend(encounter.server.seal(ALERT, &[1, 0]));
        assert_eq!(encounter.after(&flight), Outcome::Lost(lost::CLOSED), "step {step}");
    }
    let mut encounter = Encounter::connected();
    encounter.send(b"last");
    let alert = encounter.server.seal(ALERT, &[1, 0]);
    encounter.rig.give(&alert);
    let place = crate::wire::room(100);
    assert_eq!(encounter.rig.link.receive(place), 4);
    assert_eq!(encounter.received(), Err(lost::CLOSED));
}

#[test]
fn a_link_lost_at_any_byte_is_told_as_it_was_lost() {
    let mut encounter = Encounter::new();
    let length = encounter.flight(&GOOD).len();
    for how in [lost::CLOSED, lost::FAILED, lost::UNREACHABLE] {
        for place in 0..length {
            let (_, broker) = honest();
            encounter.again(Server::new(&[&broker]));
            let flight = encounter.flight(&GOOD);
            encounter.rig.wire.0.borrow_mut().lost = how;
            assert_eq!(encounter.after(&flight[..place.min(flight.len() - 1)]), Outcome::Lost(how), "byte {place}");
        }
    }
}

#[test]
fn a_link_lost_without_a_close_notify_is_told_as_lost() {
    for how in [lost::CLOSED, lost::FAILED] {
        for length in 0..25 {
            let mut encounter = Encounter::connected();
            let whole = encounter.server.seal(APPLICATION_DATA, b"whole");
            let mut cut = encounter.server.seal(APPLICATION_DATA, b"cut");
            cut.truncate(length);
            encounter.rig.give(&[whole, cut].concat());
            encounter.rig.wire.0.borrow_mut().lost = how;
            let place = crate::wire::room(10);
            assert_eq!(encounter.rig.link.receive(place), 5, "{length}");
            assert_eq!(encounter.received(), Err(how), "{length}");
        }
    }
}

#[test]
fn an_unsound_random_source_is_refused_before_anything_is_sent() {
    let authority = Identity::authority();
    let rig = Rig::new();
    let unsound = [Source::Failing, Source::Constant(0), Source::Constant(0xff), Source::Constant(0x55), Source::Repeating, Source::TooLarge];
    // Two draws come before the ClientHello.
    for source in unsound.into_iter().chain((0..2).map(Source::FailingAfter)) {
        rig.open_over(Ends { random: source, ..Ends::default() }, &rig.security(&authority.der));
        assert_eq!((rig.poll(crate::wire::room(1)), rig.link.reason()), (lost::SECURITY, Reason::Random as u16), "{source:?}");
        assert!(rig.sent().is_empty(), "{source:?}");
    }
}
