//! A pre-shared key instead of certificates.

use crate::credentials::{INVALID, said, says};
use crate::encounter::{Encounter, GOOD, Outcome, honest};
use crate::server::{Server, kind::*};
use utasker_mqtt::error::Error;
use utasker_mqtt::tls::{Reason, Security};

const KEY: &[u8] = b"sixteen bytes of";
const FLIGHT: [u8; 2] = [ENCRYPTED_EXTENSIONS, FINISHED];

fn with(security: Security) -> Security {
    Security { authority: &[], key_identity: b"device 1", key: KEY, ..security }
}

fn encounter(key: &[u8]) -> Encounter {
    Encounter::choosing(Server::with_key(key), with)
}

#[test]
fn it_goes_with_its_identity_and_without_certificates() {
    says(0, with);
    says(INVALID, |security| Security { key: &[], ..with(security) });
    says(INVALID, |security| Security { key_identity: &[], ..with(security) });
    let with_authority = if cfg!(feature = "secure-mqtt") { INVALID } else { Error::NotSupported as i32 };
    says(with_authority, |security| Security { key_identity: b"device 1", key: KEY, ..security });
    assert_eq!(said(529, 256 + 11 + 8, with), 0);
    assert_eq!(said(529, 256 + 11 + 7, with), INVALID);
}

#[cfg(feature = "client-certificate")]
#[test]
fn it_does_not_go_with_a_client_certificate() {
    let device = crate::certificates::Identity::authority();
    says(INVALID, |security| Security { certificate: crate::wire::kept(&device.der), private_key: crate::wire::kept(&device.sec1()), ..with(security) });
}

#[test]
fn it_connects_and_is_proved_at_once() {
    let mut encounter = encounter(KEY);
    assert!(encounter.server.binder_is_right(b"device 1"));
    encounter.connect(&FLIGHT);
    encounter.send(b"data");
    assert_eq!(encounter.received().unwrap(), b"data");
    let wrong = Server::with_key(b"another");
    encounter.again(wrong);
    assert!(!encounter.server.binder_is_right(b"device 1"));
}

#[test]
fn a_broker_that_does_not_know_it_is_refused() {
    assert_eq!(encounter(b"another").shake(&FLIGHT), Outcome::Refused(Reason::Protocol as u16));
}

#[test]
fn certificates_do_not_replace_it() {
    let (_, broker) = honest();
    let mut without = Encounter::choosing(Server::new(&[&broker]), with);
    assert_eq!(without.shake(&GOOD), Outcome::Refused(Reason::Protocol as u16));
    let mut server = Server::new(&[&broker]);
    server.pre_shared_key = Some(KEY.into());
    let mut both = Encounter::choosing(server, with);
    assert_eq!(both.shake(&GOOD), Outcome::Refused(Reason::Protocol as u16));
}

#[cfg(feature = "secure-mqtt")]
#[test]
fn a_broker_cannot_bring_one_of_its_own() {
    let (authority, broker) = honest();
    let mut server = Server::new(&[&broker]);
    server.pre_shared_key = Some(KEY.into());
    assert_eq!(Encounter::between(&authority, server).shake(&FLIGHT), Outcome::Refused(Reason::Protocol as u16));
}
