//! Bytes over a link that is slow, small, or has enough of them.

use crate::certificates::Identity;
use crate::encounter::{Encounter, GOOD, Outcome, bytes, honest};
use crate::random::Random;
use crate::server::{ALERT, APPLICATION_DATA, HANDSHAKE, Server, kind::NEW_SESSION_TICKET, list, message, split};
use crate::wire::{Rig, kept, room};
use utasker_mqtt::session::lost;
use utasker_mqtt::tls::Security;

/// The first bytes of something long.
fn text(length: usize) -> Vec<u8> {
    (0..length).map(|place| (place * 7 + place / 251) as u8).collect()
}

#[test]
fn a_link_may_move_one_to_seven_bytes_at_a_time_and_now_and_then_none() {
    for seed in 0..20 {
        let mut encounter = Encounter::new();
        encounter.rig.wire.0.borrow_mut().trickle = Some(Random::new(seed));
        let flight = encounter.flight(&GOOD);
        encounter.server.finish();
        encounter.rig.give(&flight);
        let mut polls = 0;
        while encounter.outcome() == Outcome::Waiting {
            polls += 1;
            assert!(polls < 5000, "seed {seed}");
        }
        let data = text(3000);
        for part in data.chunks(900) {
            encounter.send(part);
        }
        let (mut received, mut sent) = (Vec::new(), 0);
        let outgoing = bytes(&data);
        while received.len() < data.len() || sent < data.len() {
            received.extend(encounter.received().unwrap());
            sent += encounter.rig.link.send(&outgoing[sent..]) as usize;
            polls += 1;
            assert!(polls < 50_000, "seed {seed}");
        }
        // What was taken last may still be on its way.
        for _ in 0..5000 {
            encounter.received().unwrap();
        }
        assert!(received == data, "seed {seed}");
        let all = encounter.rig.sent();
        let records = split(&all);
        encounter.server.hear_finished(records[0]);
        assert_eq!(encounter.server.read(&records[1..].concat()), [b"CONNECT", &data[..]].concat());
    }
}

#[test]
fn a_long_message_comes_through_a_small_buffer() {
    let mut encounter = Encounter::connected();
    let data = text(65_536);
    for part in data.chunks(2048) {
        encounter.send(part);
    }
    let place = room(1536);
    let mut received = Vec::new();
    loop {
        let length = encounter.rig.link.receive(place);
        if length == 0 {
            break;
        }
        received.extend(place[..length as usize].iter().map(core::cell::Cell::get));
    }
    assert!(received == data);
}

#[test]
fn a_record_that_just_fits_is_read() {
    let (authority, broker) = honest();
    for receive in [529, 1041, 2065, 4113, 16401] {
        let choose = |security| Security { authority: kept(&authority.der), ..security };
        let mut encounter = Encounter::over(Rig::with_buffers(receive, 1024), Server::new(&[&broker]), choose);
        encounter.connect(&GOOD);
        for _ in 0..3 {
            encounter.send(&text(receive - 17));
            encounter.send(&text(1));
        }
        let all = [text(receive - 17), text(1)].concat().repeat(3);
        assert!(encounter.received().unwrap() == all, "{receive}");
    }
}

#[test]
fn records_that_are_sent_keep_to_what_was_agreed_and_to_the_buffer() {
    let (authority, broker) = honest();
    for (receive, transmit, longest) in [(529, 4000, 512), (2065, 1024, 1024 - 134), (2065, 4000, 2048), (16401, 20_000, 16384)] {
        let choose = |security| Security { authority: kept(&authority.der), ..security };
        let mut encounter = Encounter::over(Rig::with_buffers(receive, transmit), Server::new(&[&broker]), choose);
        encounter.connect(&GOOD);
        let data = text(30_000);
        let outgoing = bytes(&data);
        let mut taken = 0;
        while taken < data.len() {
            let more = encounter.rig.link.send(&outgoing[taken..]);
            assert_eq!(more as usize, longest.min(data.len() - taken));
            taken += more as usize;
        }
        let sent = encounter.rig.sent();
        assert!(encounter.server.read(&sent) == data);
        encounter.server.seal(APPLICATION_DATA, b"");
    }
}

#[test]
fn a_link_that_takes_nothing_takes_nothing_more_and_goes_on_where_it_stopped() {
    for free in 0..40 {
        let mut encounter = Encounter::connected();
        encounter.rig.wire.0.borrow_mut().room = Some(free);
        let (first, second) = (bytes(b"first"), bytes(b"second"));
        let fits = free >= 5 + 5 + 17;
        assert_eq!(encounter.rig.link.send(first), if fits { 5 } else { 4 }, "the last byte stands for the whole record");
        if !fits {
            assert_eq!(encounter.rig.link.send(&first[4..]), 0);
            assert_eq!(encounter.received().unwrap(), b"");
        }
        encounter.send(b"data");
        assert_eq!(encounter.received().unwrap(), b"data", "what arrives is not held up");
        encounter.rig.wire.0.borrow_mut().room = None;
        if !fits {
            assert_eq!(encounter.rig.link.send(&first[4..]), 1);
        }
        assert_eq!(encounter.rig.link.send(second), 6);
        let sent = encounter.rig.sent();
        assert_eq!(encounter.server.read(&sent), b"firstsecond", "{free}");
    }
}

#[test]
fn a_broker_with_the_longest_name_is_reached_through_the_smallest_buffers() {
    let name: &'static str = ["a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(61)].join(".").leak();
    assert_eq!(name.len(), 253);
    let authority = Identity::authority();
    let broker = authority.issue(&crate::certificates::Request::new("long", &[crate::certificates::extension::names(&[name])]));
    let choose = |security| Security { server_name: name, authority: kept(&authority.der), ..security };
    let mut encounter = Encounter::over(Rig::with_buffers(1041, 256 + 253), Server::new(&[&broker]), choose);
    encounter.connect(&GOOD);
}

#[test]
fn what_had_arrived_before_a_link_was_lost_for_sending_is_read_to_the_end() {
    let mut encounter = Encounter::connected();
    let ticket = message(NEW_SESSION_TICKET, &[&[0; 8][..], b"\0", &list::<2>(&[1; 20]), &list::<2>(&[])].concat());
    for _ in 0..40 {
        let record = encounter.server.seal(HANDSHAKE, &ticket);
        encounter.rig.give(&record);
    }
    encounter.send(b"last");
    encounter.rig.wire.0.borrow_mut().send_lost = lost::FAILED;
    assert_eq!(encounter.rig.link.send(bytes(b"more")), 3, "it is in the buffer, but not sent");
    assert_eq!(encounter.received_to_the_end().0, b"last");
}

#[test]
fn an_alert_that_comes_in_pieces_is_told_with_its_number() {
    for seed in 0..20 {
        let mut encounter = Encounter::connected();
        encounter.rig.wire.0.borrow_mut().trickle = Some(Random::new(seed));
        let alert = encounter.server.seal(ALERT, &[2, 116]);
        encounter.rig.give(&alert);
        let refusal = (0..1000).find_map(|_| encounter.received().err());
        assert_eq!((refusal, encounter.rig.link.reason()), (Some(lost::SECURITY), 256 + 116), "seed {seed}");
    }
}

#[test]
fn a_link_that_is_lost_for_sending_still_tells_the_brokers_reason() {
    let mut encounter = Encounter::connected();
    encounter.rig.wire.0.borrow_mut().send_lost = lost::FAILED;
    encounter.send(b"data");
    let alert = encounter.server.seal(ALERT, &[2, 116]);
    encounter.rig.give(&alert);
    let place = room(100);
    assert_eq!(encounter.rig.link.send(bytes(b"more")), 3, "it is in the buffer, but not sent");
    assert_eq!(encounter.rig.link.receive(place), 4, "and what had arrived is read");
    assert_eq!(encounter.refused(), 256 + 116);
    // So it may be in the midst of the client's own part of the handshake.
    let mut encounter = Encounter::new();
    let flight = encounter.flight(&GOOD);
    encounter.server.finish();
    let alert = encounter.server.seal(ALERT, &[2, 48]);
    encounter.rig.wire.0.borrow_mut().send_lost = lost::FAILED;
    assert_eq!(encounter.after(&[flight, alert].concat()), Outcome::Refused(256 + 48));
    // Where there is none, it is lost as it was lost.
    let encounter = Encounter::connected();
    encounter.rig.wire.0.borrow_mut().send_lost = lost::FAILED;
    assert_eq!(encounter.rig.link.send(bytes(b"more")), 3);
    assert_eq!(encounter.received(), Err(lost::FAILED));
    let rig = Rig::new();
    rig.open(&rig.security(&Identity::authority().der));
    rig.wire.0.borrow_mut().send_lost = lost::CLOSED;
    assert_eq!(rig.poll(bytes(b"CONNECT")), lost::CLOSED);
}

#[test]
fn the_first_loss_tells_how_the_link_was_lost() {
    let rig = Rig::new();
    rig.open(&rig.security(&Identity::authority().der));
    {
        let mut ends = rig.wire.0.borrow_mut();
        ends.send_lost = lost::UNREACHABLE;
        ends.lost = lost::FAILED; // as a socket says that could not be connected
    }
    assert_eq!(rig.poll(bytes(b"CONNECT")), lost::UNREACHABLE);
}
