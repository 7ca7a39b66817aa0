//! The client's own certificate: chosen well, and shown to the broker alone.

use crate::certificates::{Identity, Request, element, extension, sequence};
use crate::credentials::{INVALID, said, says};
use crate::encounter::{Encounter, GOOD, Outcome, WITH_REQUEST, honest};
use crate::server::{Server, kind::*};
use crate::wire::{Rig, kept};
use utasker_mqtt::tls::{Reason, Security};

/// A device with its certificate.
fn device() -> Identity {
    Identity::authority().issue(&Request::new("device", &[extension::for_clients()]))
}

fn with(security: Security, device: &Identity, key: &[u8]) -> Security {
    Security { authority: kept(&Identity::authority().der), certificate: kept(&device.der), private_key: kept(key), ..security }
}

#[test]
fn the_key_must_be_there_and_belong_to_the_certificate() {
    let device = device();
    let (sec1, pkcs8) = (device.sec1(), device.pkcs8());
    for key in [&sec1, &pkcs8] {
        says(0, |security| with(security, &device, key));
        says(INVALID, |security| Security { certificate: &[], ..with(security, &device, key) });
        says(INVALID, |security| Security { certificate: b"no certificate", ..with(security, &device, key) });
        says(INVALID, |security| with(security, &device, &key[..key.len() - 1]));
        says(INVALID, |security| with(security, &device, &[key, &b"\0"[..]].concat()));
    }
    // The number is the same, but said to belong to another curve: the object identifier of P-256 ends so.
    let mut elsewhere = pkcs8.clone();
    let place = elsewhere.windows(3).position(|bytes| bytes == [0x03, 0x01, 0x07]).expect("P-256");
    elsewhere[place + 2] = 1;
    says(INVALID, |security| with(security, &device, &elsewhere));
    says(INVALID, |security| with(security, &device, &[]));
    says(INVALID, |security| with(security, &device, b"no key"));
    let another = Request::new("another", &[]).self_signed();
    says(INVALID, |security| with(security, &device, &another.sec1()));
    says(INVALID, |security| with(security, &device, &another.pkcs8()));
}

#[test]
fn the_certificate_must_fit_the_transmit_buffer() {
    let device = device();
    let key = device.sec1();
    let least = 64 + device.der.len();
    assert_eq!(said(2065, least, |security| with(security, &device, &key)), 0);
    assert_eq!(said(2065, least - 1, |security| with(security, &device, &key)), INVALID);
}

/// Its message is not cut into fragments, and those are as short as the broker's have to be.
#[test]
fn the_certificate_must_fit_the_fragments_that_the_receive_buffer_allows() {
    let comment = |length: usize| {
        let text = element(0x16, &[&vec![b'x'; length]]);
        sequence(&[&element(6, &[b"\x60\x86\x48\x01\x86\xf8\x42\x01\x0d"]), &element(4, &[&text])])
    };
    let mut answers = Vec::new();
    for length in 1..250 {
        let device = Request::new("device", &[extension::for_clients(), comment(length)]).self_signed();
        let key = device.sec1();
        let fits = device.der.len() + 13 <= 512;
        assert_eq!(said(529, 4096, |security| with(security, &device, &key)), if fits { 0 } else { INVALID }, "{}", device.der.len());
        answers.push(fits);
    }
    assert!(answers[0] && !answers[answers.len() - 1]);
}

#[test]
fn it_is_shown_where_it_is_asked_for_through_the_smallest_buffer() {
    let (_, broker) = honest();
    let device = device();
    for key in [device.sec1(), device.pkcs8()] {
        let rig = Rig::with_buffers(2065, 64 + device.der.len());
        let mut encounter = Encounter::over(rig, Server::new(&[&broker]), |security| with(security, &device, &key));
        assert_eq!(encounter.connect(&WITH_REQUEST), Some(device.der.clone()));
        encounter.again(Server::new(&[&broker]));
        assert_eq!(encounter.connect(&GOOD), None);
    }
}

#[test]
fn it_is_not_shown_to_whom_is_not_the_broker() {
    let (_, broker) = honest();
    let device = device();
    let mut encounter = Encounter::choosing(Server::new(&[&broker]), |security| with(security, &device, &device.sec1()));
    assert_eq!(encounter.shake(&[ENCRYPTED_EXTENSIONS, CERTIFICATE_REQUEST, FINISHED]), Outcome::Refused(Reason::NoCertificate as u16));
    let sent = encounter.rig.sent();
    assert_eq!(encounter.server.hear_finished(&sent), None);
    encounter.again(Server::new(&[&broker]));
    let kinds = [ENCRYPTED_EXTENSIONS, CERTIFICATE_REQUEST, CERTIFICATE, FINISHED];
    assert_eq!(encounter.shake(&kinds), Outcome::Refused(Reason::NoCertificate as u16));
    let sent = encounter.rig.sent();
    assert_eq!(encounter.server.hear_finished(&sent), None);
}
