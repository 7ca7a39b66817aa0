//! fnSetMQTT_security and fnConnectMQTT: what they accept, and when.

use crate::c::{self, MQTT_PLATFORM, MQTT_SECURITY};
use crate::certificates::Identity;
use crate::client::{Client, PLATFORM, Security};
use std::net::TcpListener;
use std::ptr;

fn good() -> Security {
    Security::trusting(&Identity::authority().der)
}

/// Platforms that lack something.
static WITHOUT_RANDOM: MQTT_PLATFORM = MQTT_PLATFORM { fnRandom: None, ..PLATFORM };

#[test]
fn what_is_missing_or_wrong_is_an_invalid_argument() {
    let _client = Client::closed();
    assert_eq!(good().choose(), 0);
    // SAFETY: null is allowed.
    assert_eq!(unsafe { c::raw::fnSetMQTT_security(ptr::null()) }, c::INVALID_ARGUMENT);
    let authority = Identity::authority().der;
    for bad in [
        Security { server_name: String::new(), ..good() },
        Security { server_name: "not a name".into(), ..good() },
        Security { authority: Vec::new(), ..good() },
        Security { authority: b"not a certificate".into(), ..good() },
        Security { receive: 0, ..good() },
        Security { receive: 528, ..good() },
        Security { transmit: 200, ..good() },
        Security { certificate: authority.clone(), ..good() },
        Security { private_key: Identity::authority().sec1(), ..good() },
        Security { certificate: authority.clone(), private_key: crate::certificates::Request::new("other", &[]).self_signed().sec1(), ..good() },
        Security { key: b"key".into(), ..good() },
        Security { key_identity: b"identity".into(), ..good() },
        Security { key: b"key".into(), key_identity: b"identity".into(), ..good() },
    ] {
        let of_features = |has: bool| if has { c::INVALID_ARGUMENT } else { c::NOT_SUPPORTED };
        let expected = if !bad.key.is_empty() || !bad.key_identity.is_empty() {
            of_features(cfg!(feature = "psk"))
        } else if !bad.certificate.is_empty() || !bad.private_key.is_empty() {
            of_features(cfg!(feature = "client-certificate"))
        } else {
            c::INVALID_ARGUMENT
        };
        assert_eq!(bad.choose(), expected);
    }
    let mut buffer = [0; 2065];
    let nothing = MQTT_SECURITY {
        ptrServerName: ptr::null(),
        ptrAuthority: authority.as_ptr(),
        usAuthorityLength: authority.len() as u16,
        ptrCertificate: ptr::null(),
        usCertificateLength: 100,
        ptrPrivateKey: ptr::null(),
        usPrivateKeyLength: 0,
        ptrKeyIdentity: ptr::null(),
        usKeyIdentityLength: 0,
        ptrKey: ptr::null(),
        usKeyLength: 0,
        ptrReceive: buffer.as_mut_ptr(),
        usReceiveLength: 2065,
        ptrTransmit: buffer.as_mut_ptr(),
        usTransmitLength: 1024,
    };
    // SAFETY: refused at once.
    assert_eq!(unsafe { c::raw::fnSetMQTT_security(&nothing) }, c::INVALID_ARGUMENT);
    let without_buffer = MQTT_SECURITY { ptrServerName: c"localhost".as_ptr(), ptrReceive: ptr::null_mut(), ..nothing };
    // SAFETY: refused at once.
    assert_eq!(unsafe { c::raw::fnSetMQTT_security(&without_buffer) }, c::INVALID_ARGUMENT);
    let not_text = MQTT_SECURITY { ptrServerName: c"\xff\xfe".as_ptr(), ptrReceive: nothing.ptrReceive, ..without_buffer };
    // SAFETY: refused at once.
    assert_eq!(unsafe { c::raw::fnSetMQTT_security(&not_text) }, c::INVALID_ARGUMENT);
}

#[test]
fn it_is_chosen_between_connections() {
    let client = Client::closed();
    assert_eq!(good().choose(), 0);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    assert_eq!(client.connect(listener.local_addr().unwrap().port()), 0);
    assert_eq!(good().choose(), c::IN_USE);
    c::poll();
    assert_eq!(good().choose(), c::IN_USE);
    client.disconnect();
    assert_eq!(good().choose(), 0);
}

#[test]
fn a_secure_connection_needs_random_numbers() {
    let client = Client::closed();
    assert_eq!(good().choose(), 0);
    assert_eq!(c::set_platform(&WITHOUT_RANDOM), 0);
    assert_eq!(client.connect(1), c::NOT_READY);
    assert_eq!(c::set_platform(&PLATFORM), 0);
}

#[test]
fn its_port_is_another() {
    let client = Client::closed();
    assert_eq!(good().choose(), 0);
    for (port, opened) in [(0, 8883), (1234, 1234)] {
        assert_eq!(client.connect(port), 0);
        c::poll();
        assert_eq!(client.port(), opened);
        if !client.kinds().contains(&c::HOST_CLOSED) {
            client.disconnect(); // somebody listens there
        }
    }
}
