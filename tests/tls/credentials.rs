//! What the firmware may choose.

use crate::certificates::Identity;
use crate::wire::Rig;
use utasker_mqtt::error::Error;
#[cfg(feature = "secure-mqtt")]
use utasker_mqtt::tls::Buffer;
use utasker_mqtt::tls::Security;

pub const INVALID: i32 = Error::InvalidArgument as i32;

/// What is said to a choice, with buffers of these lengths.
pub fn said(receive: usize, transmit: usize, choose: impl Fn(Security) -> Security) -> i32 {
    let authority = Identity::authority();
    choose(Rig::with_buffers(receive, transmit).security(&authority.der)).check()
}

#[track_caller]
pub fn says(expected: i32, choose: impl Fn(Security) -> Security) {
    assert_eq!(said(2065, 1024, choose), expected);
}

#[cfg(feature = "secure-mqtt")]
#[test]
fn a_choice_must_name_the_broker() {
    says(0, |security| security);
    for name in ["", " ", "a b", "name:8883", "a..b", ".a", "-", "ä.test", "256.1.1.1", "1.2.3", "fe80:::1", "*.test"] {
        says(INVALID, |security| Security { server_name: name, ..security });
    }
    for name in ["localhost", "a-b.c_d.test", "broker.test.", "10.0.0.1", "::1"] {
        says(0, |security| Security { server_name: name, ..security });
    }
}

#[cfg(feature = "secure-mqtt")]
#[test]
fn a_choice_must_say_whom_to_trust() {
    let authority = Identity::authority().der;
    for bad in [vec![], b"text".to_vec(), authority[..authority.len() - 1].to_vec(), [&authority[..], b"\0"].concat(), [&authority[..], b"\x30\0"].concat()] {
        says(INVALID, |security| Security { authority: crate::wire::kept(&bad), ..security });
    }
    says(0, |security| Security { authority: crate::wire::kept(&authority.repeat(3)), ..security });
}

#[cfg(feature = "secure-mqtt")]
#[test]
fn buffers_must_not_be_too_small() {
    for (receive, transmit, expected) in [(529, 267, 0), (528, 1024, INVALID), (2065, 266, INVALID), (0, 1024, INVALID), (2065, 0, INVALID)] {
        assert_eq!(said(receive, transmit, |security| security), expected, "{receive} {transmit}");
    }
}

#[cfg(feature = "secure-mqtt")]
#[test]
fn buffers_must_not_overlap() {
    let memory = crate::wire::room(4000);
    let authority = Identity::authority();
    // SAFETY: kept for ever, and not used.
    let part = |start: usize, length: u16| unsafe { Buffer::new(memory[start..].as_ptr().cast_mut().cast(), length) };
    for (receive, transmit, expected) in [
        ((0, 2065), (2065, 1024), 0),
        ((1024, 2065), (0, 1024), 0),
        ((0, 2065), (2064, 1024), INVALID),
        ((1023, 2065), (0, 1024), INVALID),
        ((0, 2065), (0, 2065), INVALID),
        ((0, 3000), (500, 1024), INVALID),
    ] {
        let security = Rig::new().security(&authority.der);
        let security = Security { receive: part(receive.0, receive.1), transmit: part(transmit.0, transmit.1), ..security };
        assert_eq!(security.check(), expected, "{receive:?} {transmit:?}");
    }
}

#[cfg(not(feature = "secure-mqtt"))]
#[test]
fn authorities_are_not_supported() {
    says(Error::NotSupported as i32, |security| security);
    says(INVALID, |security| Security { authority: &[], ..security });
}

#[cfg(not(feature = "client-certificate"))]
#[test]
fn a_client_certificate_is_not_supported() {
    says(Error::NotSupported as i32, |security| Security { certificate: b"x", ..security });
    says(Error::NotSupported as i32, |security| Security { private_key: b"x", ..security });
}

#[cfg(not(feature = "psk"))]
#[test]
fn a_pre_shared_key_is_not_supported() {
    says(Error::NotSupported as i32, |security| Security { key: b"x", ..security });
    says(Error::NotSupported as i32, |security| Security { key_identity: b"x", ..security });
}
