//! Handshakes that are always the same, since the client's random numbers are: what `tests/measure/secure` plays to a firmware.
//! `RECORDING=file` writes them there as the elements of a table in C: first a good one, that with the most expensive keys of the
//! build, then those of brokers that must be refused.

use crate::certificates::NOW;
#[cfg(feature = "secure-mqtt")]
use crate::certificates::{Request, START, extension, key};
#[cfg(feature = "secure-mqtt")]
use crate::encounter::{GOOD, WITH_REQUEST, honest};
use crate::encounter::{Encounter, Outcome};
#[cfg(feature = "secure-mqtt")]
use crate::keys::{self, Kind};
use crate::server::{APPLICATION_DATA, HANDSHAKE, Server, kind::*, list};
#[cfg(feature = "secure-mqtt")]
use crate::server::{ECDSA_P256, by};
use crate::wire::{Ends, Rig, Source, kept};
use p256::elliptic_curve::sec1::ToEncodedPoint;
use std::fmt::Write;
use utasker_mqtt::tls::{Reason, Security};

/// A message for the client: QoS 0, a topic of one byte, 1000 bytes.
fn message() -> Vec<u8> {
    [&b"\x30\xeb\x07\0\x01a"[..], &[b'x'; 1000]].concat()
}

/// Bytes by the names that they have in C.
type Bytes = Vec<(&'static str, Vec<u8>)>;

/// What the firmware chooses, what its broker says, what of it must not be left on the stack, and what becomes of the connection.
#[derive(PartialEq, Debug)]
struct Recording {
    name: String,
    chosen: Bytes,
    hello: Vec<u8>,
    said: [(&'static str, Vec<u8>); 3],
    secrets: Vec<Vec<u8>>,
    outcome: Outcome,
}

/// A broker, what it says after its hello, and what the firmware has to choose to connect to it.
struct Cast {
    name: String,
    server: Server,
    kinds: Vec<u8>,
    /// How it says them.
    say: fn(&mut Server, &[u8]) -> Vec<u8>,
    chosen: Bytes,
    /// What of that is secret.
    secret: Option<Vec<u8>>,
    outcome: Outcome,
}

impl Cast {
    /// One that must be refused.
    fn refused(self, how: &str, reason: Reason) -> Self {
        Self { name: self.name + how, outcome: Outcome::Refused(reason as u16), ..self }
    }

    /// One whose Finished proves nothing.
    fn without_proof(self) -> Self {
        let say = |server: &mut Server, kinds: &[u8]| {
            let mut flight = server.flight(&kinds[..kinds.len() - 1]);
            let finished = server.say_so(FINISHED, &[0; 32]);
            flight.extend(server.seal(HANDSHAKE, &finished));
            flight
        };
        Self { say, ..self }.refused("_wrong_finished", Reason::Protocol)
    }
}

fn record(Cast { name, server, kinds, say, chosen, secret, outcome }: Cast) -> Recording {
    let chosen_bytes = |name| chosen.iter().find(|(other, _)| *other == name).map_or(&[][..], |(_, bytes)| kept(bytes));
    let ends = Ends { random: Source::Counting(0), clock: Some(NOW as u32), ..Ends::default() };
    let mut encounter = Encounter::over_ends(Rig::new(), ends, server, |security| Security {
        authority: chosen_bytes("Authority"),
        certificate: chosen_bytes("Certificate"),
        private_key: chosen_bytes("PrivateKey"),
        key_identity: chosen_bytes("KeyIdentity"),
        key: chosen_bytes("Key"),
        ..security
    });
    let hello = encounter.server.hello_bytes.clone();
    let flight = [encounter.server.hello(), say(&mut encounter.server, &kinds)].concat();
    encounter.server.finish();
    assert_eq!(encounter.after(&flight), outcome, "{name}");
    if outcome == Outcome::Connected {
        assert_eq!(encounter.hear_connect().is_some(), cfg!(feature = "client-certificate"));
    }
    let connack = encounter.server.seal(APPLICATION_DATA, b"\x20\x02\0\0");
    let publish = encounter.server.seal(APPLICATION_DATA, &message());
    let secrets = encounter.server.secrets.iter().cloned().chain(secret).chain([exchange_key(encounter.server.client_point())]).collect();
    Recording { name, chosen, hello, said: [("flight", flight), ("connack", connack), ("publish", publish)], secrets, outcome }
}

/// The client's secret part of the key exchange, among the random numbers that it has drawn.
fn exchange_key(point: &[u8]) -> Vec<u8> {
    let mut drawn = [0; 200];
    Source::count(0, &mut drawn);
    let is_it = |bytes: &&[u8]| p256::SecretKey::from_slice(bytes).is_ok_and(|key| *key.public_key().to_encoded_point(false).as_bytes() == *point);
    drawn.windows(32).find(is_it).expect("the key is what was drawn").to_vec()
}

/// A broker certified by an authority between, which asks for the client's certificate where the build has that.
#[cfg(feature = "secure-mqtt")]
fn cast(keys: &Kind, broker: &Request) -> Cast {
    let (authority, server) = keys.chain(broker);
    let mut kinds = GOOD.to_vec();
    let mut chosen = vec![("Authority", authority)];
    let mut secret = None;
    if cfg!(feature = "client-certificate") {
        let device = honest().0.issue(&Request::new("device", &[extension::for_clients()]));
        kinds = WITH_REQUEST.to_vec();
        chosen.extend([("Certificate", device.der.clone()), ("PrivateKey", device.sec1())]);
        secret = Some(device.key.to_bytes().to_vec());
    }
    Cast { name: keys.name.into(), server, kinds, say: Server::flight, chosen, secret, outcome: Outcome::Connected }
}

/// A good broker, and what must be refused: one of each with each kind of keys.
#[cfg(feature = "secure-mqtt")]
fn casts() -> Vec<Cast> {
    let of = |keys| {
        let broker = Request::broker("broker.test");
        let good = || cast(keys, &broker);
        let expired = cast(keys, &broker.clone().valid(START, NOW - 1)).refused("_expired", Reason::Expired);
        let mut casts = vec![good(), expired, good().without_proof()];
        // Its key has signed, but something else.
        let mut other = good().refused("_signature_of_other", Reason::BadSignature);
        let prove = std::mem::replace(&mut other.server.prove, Box::new(|_| Vec::new()));
        other.server.prove = Box::new(move |message| prove(&message[1..]));
        casts.push(other);
        // A certificate's number has become another since it was signed.
        for (place, how) in ["_changed_certificate", "_changed_authority_between"].into_iter().enumerate() {
            let mut changed = good().refused(how, Reason::BadSignature);
            let certificate = &mut changed.server.chain[place];
            let number = certificate.windows(3).position(|bytes| bytes == [2, 9, 0x11]).unwrap() + 3;
            certificate[number] ^= 1;
            casts.push(changed);
        }
        if casts[0].server.scheme == ECDSA_P256 {
            let mut thief = good().refused("_signature_by_other", Reason::BadSignature);
            thief.server.prove = by(key("another"));
            let mut namesake = good().refused("_authority_of_same_name", Reason::BadSignature);
            namesake.chosen[0].1 = Request::authority("Authority").seed("another").self_signed().der;
            casts.extend([thief, namesake]);
        }
        casts
    };
    keys::ALL.iter().rev().flat_map(of).collect()
}

/// A broker with a pre-shared key, and what must be refused.
#[cfg(not(feature = "secure-mqtt"))]
fn casts() -> Vec<Cast> {
    let key = b"sixteen bytes of";
    let with = |known: &[u8]| Cast {
        name: "psk".into(),
        server: Server::with_key(known),
        kinds: vec![ENCRYPTED_EXTENSIONS, FINISHED],
        say: Server::flight,
        chosen: vec![("Key", key.to_vec()), ("KeyIdentity", b"device".to_vec())],
        secret: Some(key.to_vec()),
        outcome: Outcome::Connected,
    };
    vec![with(key), with(b"another").refused("_other_key", Reason::Protocol), with(key).without_proof()]
}

/// A secret as it may lie in memory: its bytes, its words, the whole as a number.
fn forms(secret: &[u8]) -> Vec<u8> {
    let words = secret.chunks(4).flat_map(|word| word.iter().rev().copied()).collect();
    let number = secret.iter().rev().copied().collect();
    [secret.to_vec(), words, number].iter().flat_map(|form| list::<1>(form)).collect()
}

impl Recording {
    /// An element of the table in `tests/measure/secure.c`.
    fn write(&self, text: &mut String) {
        let reason = if let Outcome::Refused(reason) = self.outcome { reason } else { 0 };
        write!(text, "{{.ptrName = \"{}\", .ulReason = {reason}", self.name).unwrap();
        let mut bytes = |start: String, length: String, bytes: &[u8]| {
            let list: String = bytes.iter().map(|byte| format!("{byte},")).collect();
            write!(text, ",\n{start} = (const unsigned char[]){{{list}}}, {length} = {}", bytes.len()).unwrap();
        };
        for (name, chosen) in &self.chosen {
            bytes(format!(".choice.ptr{name}"), format!(".choice.us{name}Length"), chosen);
        }
        let secrets = ("secrets", self.secrets.iter().flat_map(|secret| forms(secret)).collect());
        for (name, said) in self.said.iter().chain([&secrets]) {
            bytes(format!(".{name}.ptrStart"), format!(".{name}.ulLength"), said);
        }
        text.push_str("},\n");
    }
}

#[test]
fn the_same_random_numbers_give_the_same_handshake() {
    let record_all = || casts().into_iter().map(record).collect::<Vec<_>>();
    let recordings = record_all();
    assert_eq!(recordings, record_all());
    let Some(file) = std::env::var_os("RECORDING") else { return };
    let mut text = format!("/* Written by tests/tls/recording.rs. */\n#define TIME {NOW}UL\n");
    let (first, others) = recordings.split_first().unwrap();
    first.write(&mut text);
    others.iter().filter(|other| other.outcome != Outcome::Connected).for_each(|other| other.write(&mut text));
    std::fs::write(file, text).unwrap();
}
