//! A handshake that is always the same, since the client's random numbers are: what `tests/measure/secure` plays to a firmware.
//! `RECORDING=file` writes it there as C.

use crate::certificates::{Identity, NOW, Request, extension};
use crate::handshakes::{Encounter, WITH_REQUEST, honest};
use crate::server::{APPLICATION_DATA, Server, kind::CERTIFICATE_REQUEST};
use crate::wire::{Ends, Rig, Source, kept};
use std::fmt::Write;
use utasker_mqtt::tls::Security;

/// A message for the client: QoS 0, a topic of one byte, 1000 bytes.
fn message() -> Vec<u8> {
    [&b"\x30\xeb\x07\0\x01a"[..], &[b'x'; 1000]].concat()
}

struct Recording {
    authority: Identity,
    device: Identity,
    hello: Vec<u8>,
    flight: Vec<u8>,
    connack: Vec<u8>,
    publish: Vec<u8>,
}

/// A broker certified by an authority between, and a client with a certificate of its own where the build has that.
fn record() -> Recording {
    let (authority, _) = honest();
    let between = authority.issue(&Request::authority("Between"));
    let broker = between.issue(&Request::broker("broker.test"));
    let device = authority.issue(&Request::new("device", &[extension::for_clients()]));
    let with_certificate = cfg!(feature = "client-certificate");
    let mut encounter = Encounter::over_ends(Rig::new(), Ends { random: Source::Counting(0), clock: Some(NOW as u32), ..Ends::default() }, Server::new(&[&broker, &between]), |security| {
        let authority = kept(&authority.der);
        if !with_certificate {
            return Security { authority, ..security };
        }
        Security { authority, certificate: kept(&device.der), private_key: kept(&device.sec1()), ..security }
    });
    let hello = encounter.server.hello_bytes.clone();
    let kinds: Vec<u8> = WITH_REQUEST.into_iter().filter(|kind| with_certificate || *kind != CERTIFICATE_REQUEST).collect();
    let flight = encounter.flight(&kinds);
    encounter.server.finish();
    encounter.rig.give(&flight);
    encounter.outcome();
    assert_eq!(encounter.hear_connect().is_some(), with_certificate);
    let connack = encounter.server.seal(APPLICATION_DATA, b"\x20\x02\0\0");
    let publish = encounter.server.seal(APPLICATION_DATA, &message());
    Recording { authority, device, hello, flight, connack, publish }
}

#[test]
fn the_same_random_numbers_give_the_same_handshake() {
    let (first, second) = (record(), record());
    assert_eq!((&first.hello, &first.flight, &first.connack), (&second.hello, &second.flight, &second.connack));
    let Some(file) = std::env::var_os("RECORDING") else { return };
    let mut text = format!("/* Written by tests/tls/recording.rs. */\n#define TIME {NOW}UL\n");
    for (name, bytes) in [
        ("Authority", &first.authority.der),
        ("Certificate", &first.device.der),
        ("Private_key", &first.device.sec1()),
        ("Flight", &first.flight),
        ("Connack", &first.connack),
        ("Publish", &first.publish),
    ] {
        writeln!(text, "static const unsigned char uc{name}[] = {{{}}};", bytes.iter().map(|byte| format!("{byte},")).collect::<String>()).unwrap();
    }
    std::fs::write(file, text).unwrap();
}
