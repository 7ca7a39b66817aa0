//! Lies of a broker that has proved who it is, thousands of them: it has all keys, signs what it says, and its Finished fits. The client
//! is compared with a plain reading of the standard: it takes nothing else than that, and every connection comes to an end.

use crate::encounter::{Encounter, GOOD, Outcome, WITH_REQUEST, honest};
use crate::fuzz::{change, rounds, settle};
use crate::random::Random;
use crate::server::{ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, Server, kind::*, list, message, record};
use utasker_mqtt::session::lost;

/// An encrypted record, before it is encrypted.
struct Inner {
    kind: u8,
    content: Vec<u8>,
}

/// The messages in a record's content, each its type and its content, if it is made of whole ones.
fn messages(mut content: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut messages = Vec::new();
    while !content.is_empty() {
        let [kind, high, middle, low, behind @ ..] = content else { return None };
        let (message, behind) = behind.split_at_checked(u32::from_be_bytes([0, *high, *middle, *low]) as usize)?;
        messages.push((*kind, message));
        content = behind;
    }
    (!messages.is_empty()).then_some(messages)
}

/// Whether a list of such a length field fills the bytes.
fn is_list<const BYTES: usize>(bytes: &[u8]) -> bool {
    bytes.get(BYTES..).is_some_and(|content| list::<BYTES>(content) == bytes)
}

/// Whether a client may be connected to a broker whose flight begins with these records.
fn may_connect(records: &[Inner]) -> bool {
    let mut said = Vec::new();
    for (number, Inner { kind, content }) in records.iter().enumerate() {
        let (HANDSHAKE, Some(messages)) = (*kind, messages(content)) else { return false };
        for (place, (kind, message)) in messages.iter().enumerate() {
            let is_whole = match *kind {
                ENCRYPTED_EXTENSIONS => is_list::<2>(message),
                CERTIFICATE_REQUEST => message.first() == Some(&0) && is_list::<2>(&message[1..]),
                CERTIFICATE => message.first() == Some(&0) && is_list::<3>(&message[1..]),
                CERTIFICATE_VERIFY => message.len() > 2 && is_list::<2>(&message[2..]),
                FINISHED => message.len() == 32,
                _ => false,
            };
            if !is_whole || number >= 5 {
                return false;
            }
            said.push(*kind);
            if *kind == FINISHED {
                // Requests may come too often, or too late: the client's certificate is for this broker anyway.
                let without_requests: Vec<u8> = said.iter().copied().filter(|kind| *kind != CERTIFICATE_REQUEST).collect();
                return without_requests == GOOD && said[0] == ENCRYPTED_EXTENSIONS && place == messages.len() - 1;
            }
        }
    }
    false
}

/// Messages and their order, mostly good.
fn order(random: &mut Random) -> Vec<u8> {
    let mut kinds = if random.one_in(2) { GOOD.to_vec() } else { WITH_REQUEST.to_vec() };
    for _ in 0..random.below(3) {
        let place = random.below(kinds.len() as u32) as usize;
        match random.below(4) {
            0 => drop(kinds.remove(place)),
            1 => kinds.insert(place, WITH_REQUEST[random.below(5) as usize]),
            2 => kinds.swap(place, 0),
            _ => kinds.push(WITH_REQUEST[random.below(5) as usize]),
        }
        if kinds.is_empty() {
            break;
        }
    }
    kinds
}

/// A message that is true to the handshake, or a lie that becomes part of it.
fn tell(random: &mut Random, server: &mut Server, kind: u8) -> Vec<u8> {
    let mut said = server.compose(kind);
    match random.below(24) {
        0 => change(random, &mut said),
        // A length that another does not agree with.
        1 => said = message(kind, &[&said[4..], &vec![0; random.below(5) as usize]].concat()),
        2 => said = [said, message(random.number() as u8, &[0; 3])].concat(),
        3 => said[3] = said[3].wrapping_add(random.below(9) as u8),
        4 => said = message(random.number() as u8, &said[4..]),
        5 => {
            let hidden = server.compose(WITH_REQUEST[random.below(5) as usize]);
            said = message(kind, &[&said[4..], &hidden].concat());
        }
        _ => {}
    }
    server.tell(said)
}

/// The records of a flight.
fn flight(random: &mut Random, server: &mut Server) -> Vec<Inner> {
    let mut records: Vec<Inner> = Vec::new();
    for kind in order(random) {
        let said = tell(random, server, kind);
        match records.last_mut() {
            Some(last) if last.kind == HANDSHAKE && random.one_in(3) => last.content.extend(said),
            _ => records.push(Inner { kind: HANDSHAKE, content: said }),
        }
        if random.one_in(60) {
            let kind = [ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, random.number() as u8][random.below(5) as usize];
            records.push(Inner { kind, content: (0..random.below(5)).map(|_| random.number() as u8).collect() });
        }
    }
    // A message in two records.
    if random.one_in(30) && !records.is_empty() {
        let place = random.below(records.len() as u32) as usize;
        let half = random.below(records[place].content.len() as u32 + 1) as usize;
        let content = records[place].content.split_off(half);
        records.insert(place + 1, Inner { kind: records[place].kind, content });
    }
    records
}

#[test]
fn a_handshake_is_read_as_it_was_meant_or_refused() {
    let (_, broker) = honest();
    let mut encounter = Encounter::new();
    let (mut connected, mut refused) = (0, 0);
    rounds(4000, |random| {
        encounter.again(Server::new(&[&broker]));
        let mut sent = encounter.server.hello();
        let records = flight(random, &mut encounter.server);
        for Inner { kind, content } in &records {
            let padding = if random.one_in(3) { random.below(300) as usize } else { 0 };
            sent.extend(encounter.server.seal_padded(*kind, content, padding));
            if random.one_in(60) {
                sent.extend(record(CHANGE_CIPHER_SPEC, &[1]));
            }
        }
        match settle(&encounter, &sent) {
            Outcome::Connected => {
                assert!(may_connect(&records));
                connected += 1;
            }
            Outcome::Waiting => {
                encounter.rig.wire.0.borrow_mut().lost = lost::CLOSED;
                assert_eq!(encounter.outcome(), Outcome::Lost(lost::CLOSED));
            }
            Outcome::Refused(_) => refused += 1,
            Outcome::Lost(how) => assert_eq!(how, lost::CLOSED), // a close_notify
        }
    });
    assert!(connected > 500 && refused > 500, "{connected} {refused}");
}

/// What becomes of an open connection at a record: its data, or the end.
fn taken(Inner { kind, content }: &Inner) -> Option<&[u8]> {
    match *kind {
        APPLICATION_DATA => Some(content),
        HANDSHAKE => messages(content)?.iter().all(|(kind, _)| *kind == NEW_SESSION_TICKET).then_some(&[]),
        _ => None,
    }
}

#[test]
fn what_follows_a_handshake_is_data_or_tickets_or_the_end() {
    let (_, broker) = honest();
    let mut encounter = Encounter::new();
    let (mut open, mut ended) = (0, 0);
    rounds(3000, |random| {
        encounter.again(Server::new(&[&broker]));
        encounter.connect(&GOOD);
        let ticket = message(NEW_SESSION_TICKET, &[&[0; 8][..], &list::<1>(b"nonce"), &list::<2>(&[1; 30]), &list::<2>(b"\0\x2a\0\x04\0\0\0\0")].concat());
        let mut expected = Vec::new();
        let mut is_open = true;
        for _ in 0..1 + random.below(30) {
            let mut content = match random.below(8) {
                0..4 => ticket.repeat(1 + random.below(3) as usize),
                4 => [ticket.clone(), message(random.number() as u8, &ticket)].concat(),
                5 => message(NEW_SESSION_TICKET, &(0..random.below(20)).map(|_| random.number() as u8).collect::<Vec<_>>()),
                _ => (0..random.below(40)).map(|_| random.number() as u8).collect(),
            };
            let kind = match random.below(40) {
                0 => random.number() as u8,
                1 => ALERT,
                2..20 => APPLICATION_DATA,
                _ => HANDSHAKE,
            };
            if kind == HANDSHAKE && !random.one_in(10) {
                content = ticket.clone();
            }
            if random.one_in(20) {
                change(random, &mut content);
            }
            let padding = if random.one_in(3) { random.below(300) as usize } else { 0 };
            let record = encounter.server.seal_padded(kind, &content, padding);
            encounter.rig.give(&record);
            match taken(&Inner { kind, content }) {
                Some(data) if is_open => expected.extend(data),
                _ => is_open = false,
            }
        }
        let (received, end) = encounter.received_to_the_end();
        assert_eq!(received, expected);
        assert_eq!(end == 0, is_open);
        *(if is_open { &mut open } else { &mut ended }) += 1;
    });
    assert!(open > 300 && ended > 300, "{open} {ended}");
}
