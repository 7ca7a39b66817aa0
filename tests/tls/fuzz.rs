//! Changed handshakes, thousands of them: no panic, no standstill, and nobody is connected to who should not be.

use crate::certificates::{Identity, Request};
use crate::encounter::{Encounter, GOOD, Outcome, honest};
use crate::random::Random;
use crate::server::{HANDSHAKE, Server, split};
use crate::wire::kept;
use core::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use utasker_mqtt::tls::Security;

/// Ends the program where no round has ended for this long.
const STANDSTILL: Duration = Duration::from_secs(120);

/// Does rounds, each with numbers of its own, and watches that they end. The environment variable ROUNDS has so many times more of them.
pub fn rounds(count: u32, mut round: impl FnMut(&mut Random)) {
    let done = Arc::new(AtomicU32::new(0));
    let watched = Arc::downgrade(&done);
    thread::spawn(move || {
        let mut before = u32::MAX;
        while let Some(done) = watched.upgrade() {
            let now = done.load(Ordering::Relaxed);
            if now == before {
                eprintln!("round {now} does not end");
                std::process::abort();
            }
            before = now;
            drop(done);
            thread::sleep(STANDSTILL);
        }
    });
    let times = std::env::var("ROUNDS").map_or(1, |times| times.parse().expect("ROUNDS is a number"));
    for number in 0..count * times {
        round(&mut Random::new(u64::from(number) + 1));
        done.fetch_add(1, Ordering::Relaxed);
    }
}

/// Changes bytes in one of many ways. They are different afterwards.
pub fn change(random: &mut Random, bytes: &mut Vec<u8>) {
    let before = bytes.clone();
    while *bytes == before {
        let place = random.below(bytes.len().max(1) as u32) as usize;
        let length = 1 + random.below(8) as usize;
        let end = (place + length).min(bytes.len());
        match random.below(9) {
            _ if bytes.is_empty() => bytes.push(random.number() as u8),
            0 => bytes[place] ^= 1 << random.below(8),
            1 => bytes[place] = random.number() as u8,
            2 => bytes[place] = bytes[place].wrapping_add(1),
            3 => bytes[place] = bytes[place].wrapping_sub(1),
            4 => drop(bytes.drain(place..end)),
            5 => drop(bytes.splice(place..place, (0..length).map(|_| random.number() as u8))),
            6 => bytes.truncate(place),
            7 => bytes.extend_from_within(place..end),
            _ => bytes[place..end].fill(if random.one_in(2) { 0 } else { 0xff }),
        }
    }
}

/// Lets the client do all it can with these bytes.
pub fn settle(encounter: &Encounter, bytes: &[u8]) -> Outcome {
    for piece in bytes.chunks(700) {
        match encounter.after(piece) {
            Outcome::Waiting => {}
            outcome => return outcome,
        }
    }
    encounter.outcome()
}

#[test]
fn changed_records_of_an_honest_broker_connect_nobody() {
    let (_, broker) = honest();
    let mut encounter = Encounter::new();
    rounds(4000, |random| {
        encounter.again(Server::new(&[&broker]));
        let flight = encounter.flight(&GOOD);
        encounter.server.finish();
        let mut records: Vec<Vec<u8>> = split(&flight).iter().map(|record| record.to_vec()).collect();
        let one = random.below(records.len() as u32) as usize;
        match random.below(8) {
            0 => drop(records.remove(one)),
            1 => records.insert(one, records[one].clone()),
            2 => {
                let other = (one + 1) % records.len();
                records.swap(one, other);
            }
            // The whole, so that lengths and types are changed too.
            3 => {
                let mut all = records.concat();
                change(random, &mut all);
                records = vec![all];
            }
            _ => change(random, &mut records[one]),
        }
        let changed = records.concat();
        if changed.starts_with(&flight) {
            return; // what is behind a handshake is another matter
        }
        let outcome = settle(&encounter, &changed);
        // The version in the header of the first record says nothing.
        let same_hello = changed.len() == flight.len() && changed[0] == flight[0] && changed[3..] == flight[3..];
        assert!(outcome != Outcome::Connected || same_hello);
    });
}

#[test]
fn changed_messages_of_an_impostor_connect_nobody() {
    let impostor = Request::authority("Authority").seed("impostor").self_signed();
    let broker = impostor.issue(&Request::broker("broker.test"));
    let mut encounter = Encounter::new();
    rounds(4000, |random| {
        let mut chain = vec![broker.der.clone()];
        if random.one_in(2) {
            chain.push(impostor.der.clone());
        }
        for certificate in &mut chain {
            if random.one_in(2) {
                change(random, certificate);
            }
        }
        let mut server = Server::new(&[&broker]);
        server.chain = chain;
        encounter.again(server);
        let flight = changed_flight(random, &mut encounter);
        let outcome = settle(&encounter, &flight);
        assert_ne!(outcome, Outcome::Connected);
    });
}

/// A flight of which some messages are changed, left out or said twice, by somebody who has the keys of the handshake.
fn changed_flight(random: &mut Random, encounter: &mut Encounter) -> Vec<u8> {
    let mut flight = encounter.server.hello();
    let mut messages = Vec::new();
    for kind in GOOD {
        let count = if random.one_in(12) { random.below(3) } else { 1 };
        for _ in 0..count {
            let mut said = encounter.server.say(kind);
            if random.one_in(4) {
                change(random, &mut said);
            }
            messages.push(said);
        }
    }
    if random.one_in(3) {
        flight.extend(encounter.server.seal_padded(HANDSHAKE, &messages.concat(), random.below(20) as usize));
    } else {
        for said in messages {
            let kind = if random.one_in(20) { random.number() as u8 } else { HANDSHAKE };
            flight.extend(encounter.server.seal(kind, &said));
        }
    }
    encounter.server.finish();
    flight
}

#[test]
fn changed_authorities_and_keys_are_taken_or_refused() {
    let authority = Identity::authority();
    let rig = crate::wire::Rig::new();
    rounds(20_000, |random| {
        let mut der = authority.der.clone();
        change(random, &mut der);
        let mut key = if random.one_in(2) { authority.pkcs8() } else { authority.sec1() };
        change(random, &mut key);
        let mut security: Security = rig.security(&[]);
        // Kept for ever, as all that a firmware chooses.
        security.authority = kept(&der);
        if cfg!(feature = "client-certificate") {
            security.certificate = kept(&authority.der);
            security.private_key = kept(&key);
        }
        let _ = security.check();
    });
}

#[test]
fn random_names_are_taken_or_refused() {
    const CHARACTERS: &[u8] = b"..::::0012f9aF-_*%[]/ x";
    let authority = Identity::authority();
    let rig = crate::wire::Rig::new();
    let trusted = rig.security(&authority.der);
    let mut taken = 0;
    rounds(20_000, |random| {
        let longest = if random.one_in(20) { 260 } else { 45 };
        let length = random.below(longest);
        let name: String = (0..length).map(|_| char::from(CHARACTERS[random.below(CHARACTERS.len() as u32) as usize])).collect();
        if (Security { server_name: name.leak(), ..trusted }).check() == 0 {
            taken += 1;
        }
    });
    assert!(taken > 100, "{taken}");
}
