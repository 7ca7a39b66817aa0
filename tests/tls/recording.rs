//! Handshakes that are always the same, since the client's random numbers are: what `tests/measure/secure` plays to a firmware.
//! `RECORDING=file` writes one there as C, that with the most expensive keys of the build.

use crate::certificates::NOW;
use crate::encounter::Encounter;
#[cfg(feature = "secure-mqtt")]
use crate::keys::{self, Kind};
use crate::server::{APPLICATION_DATA, Server, list};
use crate::wire::{Ends, Rig, Source, kept};
use p256::elliptic_curve::sec1::ToEncodedPoint;
use std::fmt::Write;
use utasker_mqtt::tls::Security;

/// A message for the client: QoS 0, a topic of one byte, 1000 bytes.
fn message() -> Vec<u8> {
    [&b"\x30\xeb\x07\0\x01a"[..], &[b'x'; 1000]].concat()
}

/// Bytes by the names that they have in C.
type Bytes = Vec<(&'static str, Vec<u8>)>;

/// What the firmware chooses, what its broker says, and what of it must not be left on the stack.
struct Recording {
    chosen: Bytes,
    hello: Vec<u8>,
    said: [(&'static str, Vec<u8>); 3],
    secrets: Vec<Vec<u8>>,
}

/// A broker, what it says after its hello, and what the firmware has to choose to connect to it.
struct Cast {
    server: Server,
    kinds: Vec<u8>,
    chosen: Bytes,
    /// What of that is secret.
    secret: Option<Vec<u8>>,
}

fn record(Cast { server, kinds, chosen, secret }: Cast) -> Recording {
    let chosen_bytes = |name| chosen.iter().find(|(other, _)| *other == name).map_or(&[][..], |(_, bytes)| kept(bytes));
    let ends = Ends { random: Source::Counting(0), clock: Some(NOW as u32), ..Ends::default() };
    let mut encounter = Encounter::over_ends(Rig::new(), ends, server, |security| Security {
        authority: chosen_bytes("Authority"),
        certificate: chosen_bytes("Certificate"),
        private_key: chosen_bytes("Private_key"),
        key_identity: chosen_bytes("Key_identity"),
        key: chosen_bytes("Key"),
        ..security
    });
    let hello = encounter.server.hello_bytes.clone();
    let flight = encounter.flight(&kinds);
    encounter.server.finish();
    encounter.rig.give(&flight);
    encounter.outcome();
    assert_eq!(encounter.hear_connect().is_some(), cfg!(feature = "client-certificate"));
    let connack = encounter.server.seal(APPLICATION_DATA, b"\x20\x02\0\0");
    let publish = encounter.server.seal(APPLICATION_DATA, &message());
    let secrets = encounter.server.secrets.iter().cloned().chain(secret).chain([exchange_key(encounter.server.client_point())]).collect();
    Recording { chosen, hello, said: [("Flight", flight), ("Connack", connack), ("Publish", publish)], secrets }
}

/// The client's secret part of the key exchange, among the random numbers that it has drawn.
fn exchange_key(point: &[u8]) -> Vec<u8> {
    let mut drawn = [0; 200];
    Source::count(0, &mut drawn);
    let is_it = |bytes: &&[u8]| p256::SecretKey::from_slice(bytes).is_ok_and(|key| *key.public_key().to_encoded_point(false).as_bytes() == *point);
    drawn.windows(32).find(is_it).expect("the key is what was drawn").to_vec()
}

/// A broker certified by an authority between, which asks for the client's certificate where the build has that: one with each kind of
/// keys.
#[cfg(feature = "secure-mqtt")]
fn casts() -> Vec<Cast> {
    use crate::certificates::{Request, extension};
    use crate::encounter::{GOOD, WITH_REQUEST, honest};
    let device = honest().0.issue(&Request::new("device", &[extension::for_clients()]));
    let cast = |keys: &Kind| {
        let (authority, server) = keys.chain("broker.test");
        let mut cast = Cast { server, kinds: GOOD.to_vec(), chosen: vec![("Authority", authority)], secret: None };
        if cfg!(feature = "client-certificate") {
            cast.kinds = WITH_REQUEST.to_vec();
            cast.chosen.extend([("Certificate", device.der.clone()), ("Private_key", device.sec1())]);
            cast.secret = Some(device.key.to_bytes().to_vec());
        }
        cast
    };
    keys::ALL.iter().map(cast).collect()
}

/// A broker with a pre-shared key.
#[cfg(not(feature = "secure-mqtt"))]
fn casts() -> Vec<Cast> {
    use crate::server::kind::{ENCRYPTED_EXTENSIONS, FINISHED};
    let key = b"sixteen bytes of";
    let chosen = vec![("Key", key.to_vec()), ("Key_identity", b"device".to_vec())];
    vec![Cast { server: Server::with_key(key), kinds: vec![ENCRYPTED_EXTENSIONS, FINISHED], chosen, secret: Some(key.to_vec()) }]
}

/// A secret as it may lie in memory: its bytes, its words, the whole as a number.
fn forms(secret: &[u8]) -> Vec<u8> {
    let words = secret.chunks(4).flat_map(|word| word.iter().rev().copied()).collect();
    let number = secret.iter().rev().copied().collect();
    [secret.to_vec(), words, number].iter().flat_map(|form| list::<1>(form)).collect()
}

#[test]
fn the_same_random_numbers_give_the_same_handshake() {
    let (mut firsts, seconds): (Vec<_>, Vec<_>) = casts().into_iter().zip(casts()).map(|(first, second)| (record(first), record(second))).unzip();
    for (first, second) in firsts.iter().zip(&seconds) {
        assert_eq!((&first.hello, &first.said, &first.secrets), (&second.hello, &second.said, &second.secrets));
    }
    let Some(file) = std::env::var_os("RECORDING") else { return };
    let last = firsts.pop().unwrap();
    let mut text = format!("/* Written by tests/tls/recording.rs. */\n#define TIME {NOW}UL\n#define CHOOSE(security) do {{");
    for (name, _) in &last.chosen {
        let member = name.replace("_k", "K").replace("_i", "I");
        write!(text, " (security).ptr{member} = uc{name}; (security).us{member}Length = sizeof(uc{name});").unwrap();
    }
    text.push_str(" } while (0)\n");
    let secrets = ("Secrets", last.secrets.iter().flat_map(|secret| forms(secret)).collect());
    for (name, bytes) in last.chosen.iter().chain(&last.said).chain([&secrets]) {
        writeln!(text, "static const unsigned char uc{name}[] = {{{}}};", bytes.iter().map(|byte| format!("{byte},")).collect::<String>()).unwrap();
    }
    std::fs::write(file, text).unwrap();
}
