//! A handshake that is always the same, since the client's random numbers are: what `tests/measure/secure` plays to a firmware.
//! `RECORDING=file` writes it there as C.

use crate::certificates::NOW;
use crate::encounter::Encounter;
use crate::server::{APPLICATION_DATA, Server};
use crate::wire::{Ends, Rig, Source, kept};
use std::fmt::Write;
use utasker_mqtt::tls::Security;

/// A message for the client: QoS 0, a topic of one byte, 1000 bytes.
fn message() -> Vec<u8> {
    [&b"\x30\xeb\x07\0\x01a"[..], &[b'x'; 1000]].concat()
}

/// Bytes by the names that they have in C.
type Bytes = Vec<(&'static str, Vec<u8>)>;

/// What the firmware chooses, and what its broker says.
struct Recording {
    chosen: Bytes,
    hello: Vec<u8>,
    said: [(&'static str, Vec<u8>); 3],
}

fn record() -> Recording {
    let (server, kinds, chosen) = cast();
    let ends = Ends { random: Source::Counting(0), clock: Some(NOW as u32), ..Ends::default() };
    let mut encounter = Encounter::over_ends(Rig::new(), ends, server, |security| {
        let bytes = |name| chosen.iter().find(|(other, _)| *other == name).map_or(&[][..], |(_, bytes)| kept(bytes));
        Security {
            authority: bytes("Authority"),
            certificate: bytes("Certificate"),
            private_key: bytes("Private_key"),
            key_identity: bytes("Key_identity"),
            key: bytes("Key"),
            ..security
        }
    });
    let hello = encounter.server.hello_bytes.clone();
    let flight = encounter.flight(&kinds);
    encounter.server.finish();
    encounter.rig.give(&flight);
    encounter.outcome();
    assert_eq!(encounter.hear_connect().is_some(), cfg!(feature = "client-certificate"));
    let connack = encounter.server.seal(APPLICATION_DATA, b"\x20\x02\0\0");
    let publish = encounter.server.seal(APPLICATION_DATA, &message());
    Recording { chosen, hello, said: [("Flight", flight), ("Connack", connack), ("Publish", publish)] }
}

/// A broker certified by an authority between, which asks for the client's certificate where the build has that.
#[cfg(feature = "secure-mqtt")]
fn cast() -> (Server, Vec<u8>, Bytes) {
    use crate::certificates::{Request, extension};
    use crate::encounter::{GOOD, WITH_REQUEST, honest};
    let (authority, _) = honest();
    let between = authority.issue(&Request::authority("Between"));
    let broker = between.issue(&Request::broker("broker.test"));
    let device = authority.issue(&Request::new("device", &[extension::for_clients()]));
    let mut chosen = vec![("Authority", authority.der)];
    let mut kinds = GOOD.to_vec();
    if cfg!(feature = "client-certificate") {
        chosen.extend([("Certificate", device.der.clone()), ("Private_key", device.sec1())]);
        kinds = WITH_REQUEST.to_vec();
    }
    (Server::new(&[&broker, &between]), kinds, chosen)
}

/// A broker with a pre-shared key.
#[cfg(not(feature = "secure-mqtt"))]
fn cast() -> (Server, Vec<u8>, Bytes) {
    use crate::server::kind::{ENCRYPTED_EXTENSIONS, FINISHED};
    let key = b"sixteen bytes of";
    (Server::with_key(key), vec![ENCRYPTED_EXTENSIONS, FINISHED], vec![("Key", key.to_vec()), ("Key_identity", b"device".to_vec())])
}

#[test]
fn the_same_random_numbers_give_the_same_handshake() {
    let (first, second) = (record(), record());
    assert_eq!((&first.hello, &first.said), (&second.hello, &second.said));
    let Some(file) = std::env::var_os("RECORDING") else { return };
    let mut text = format!("/* Written by tests/tls/recording.rs. */\n#define TIME {NOW}UL\n#define CHOOSE(security) do {{");
    for (name, _) in &first.chosen {
        let member = name.replace("_k", "K").replace("_i", "I");
        write!(text, " (security).ptr{member} = uc{name}; (security).us{member}Length = sizeof(uc{name});").unwrap();
    }
    text.push_str(" } while (0)\n");
    for (name, bytes) in first.chosen.iter().chain(&first.said) {
        writeln!(text, "static const unsigned char uc{name}[] = {{{}}};", bytes.iter().map(|byte| format!("{byte},")).collect::<String>()).unwrap();
    }
    std::fs::write(file, text).unwrap();
}
