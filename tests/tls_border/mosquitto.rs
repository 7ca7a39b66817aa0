//! Against Mosquitto.

use crate::broker::Broker;
use crate::c;
use crate::certificates::{Identity, Request, extension, pem};
use crate::client::{Client, Security};
use std::fs;
use std::path::Path;

/// A broker with a certificate of this name, and what its configuration says besides.
fn secure(request: &Request, settings: &str) -> (Broker, Identity) {
    let authority = Identity::authority();
    let identity = authority.issue(request);
    let broker = Broker::configured(|directory| format!("allow_anonymous true\n{}{settings}\n", configuration(directory, &authority, &identity)));
    (broker, authority)
}

/// Puts certificates where the broker finds them.
fn configuration(directory: &Path, authority: &Identity, identity: &Identity) -> String {
    let put = |name: &str, label, der: &[u8]| {
        let file = directory.join(name);
        fs::write(&file, pem(label, der)).unwrap();
        file.display().to_string()
    };
    format!(
        "cafile {}\ncertfile {}\nkeyfile {}\n",
        put("authority.pem", "CERTIFICATE", &authority.der),
        put("certificate.pem", "CERTIFICATE", &identity.der),
        put("key.pem", "EC PRIVATE KEY", &identity.sec1())
    )
}

#[test]
fn connects_and_exchanges_messages() {
    let (broker, authority) = secure(&Request::broker("localhost"), "");
    let client = Client::closed();
    assert_eq!(Security::trusting(&authority.der).choose(), 0);
    for _ in 0..3 {
        assert_eq!(client.connect(broker.port), 0);
        client.exchanges_messages();
    }
}

#[test]
fn addresses_are_names_too() {
    let (broker, authority) = secure(&Request::new("host", &[extension::addresses(&[&[127, 0, 0, 1]])]), "");
    let client = Client::closed();
    assert_eq!(Security { server_name: "127.0.0.1".into(), ..Security::trusting(&authority.der) }.choose(), 0);
    assert_eq!(client.connect(broker.port), 0);
    client.exchanges_messages();
}

#[test]
fn a_long_message_comes_back_through_small_buffers() {
    let (broker, authority) = secure(&Request::broker("localhost"), "");
    let client = Client::closed();
    assert_eq!(Security::trusting(&authority.der).choose(), 0);
    assert_eq!(client.connect(broker.port), 0);
    client.wait_for(c::CONNACK_RECEIVED);
    c::subscribe(c"long", 1);
    client.wait_for(c::SUBACK_RECEIVED);
    let message: Vec<u8> = (0..65_536_usize).map(|place| (place * 7 + place / 251) as u8).collect();
    let file = broker.directory.join("message");
    fs::write(&file, &message).unwrap();
    let sent = crate::tools::Running::start(
        broker.theirs("pub").args(["-t", "long", "-q", "1", "--insecure", "-f"]).arg(&file).arg("--cafile").arg(broker.directory.join("authority.pem")),
    );
    let mut received = Vec::new();
    while received.len() < message.len() {
        received.extend(client.wait_for(c::TOPIC_MESSAGE_PART).data);
    }
    assert!(received == message);
    sent.finish().well();
    client.disconnect();
}

#[test]
fn a_broker_that_cannot_be_trusted_is_refused_with_the_reason() {
    let (broker, authority) = secure(&Request::broker("localhost"), "");
    let client = Client::closed();
    let other = Request::authority("Other").self_signed();
    for (security, reason) in [
        (Security::trusting(&other.der), 1),
        (Security { server_name: "elsewhere".into(), ..Security::trusting(&authority.der) }, 2),
        (Security { receive: 529, ..Security::trusting(&authority.der) }, 11),
    ] {
        assert_eq!(security.choose(), 0);
        assert_eq!(client.connect(broker.port), 0);
        assert_eq!(client.refused(), reason);
    }
}

#[test]
fn a_broker_without_tls_is_refused() {
    let broker = Broker::open();
    let client = Client::closed();
    assert_eq!(Security::trusting(&Identity::authority().der).choose(), 0);
    assert_eq!(client.connect(broker.port), 0);
    // It takes the hello for a malformed packet and hangs up.
    client.wait_for(c::HOST_CLOSED);
}

#[test]
fn reconnects() {
    let (mut broker, authority) = secure(&Request::broker("localhost"), "");
    let client = Client::closed();
    assert_eq!(Security::trusting(&authority.der).choose(), 0);
    let options = c::MQTT_OPTIONS { usPort: broker.port, usReconnectMinSeconds: 1, ..Default::default() };
    assert_eq!(client.connect_with(options), 0);
    client.wait_for(c::CONNACK_RECEIVED);
    broker.stop();
    client.wait_for(c::HOST_CLOSED);
    client.wait_for(c::RECONNECTING);
    assert!(broker.start());
    client.wait_for(c::CONNACK_RECEIVED);
    exchanges_after_reconnect(&client);
}

fn exchanges_after_reconnect(client: &Client) {
    assert!(c::publish_data(0, c"a", 1, b"again") > 0);
    client.wait_for(c::PUBLISH_ACKNOWLEDGED);
    client.disconnect();
}

#[cfg(feature = "client-certificate")]
mod client_certificate {
    use super::*;

    const REQUIRED: &str = "require_certificate true\nuse_identity_as_username true";

    fn device(authority: &Identity) -> Identity {
        authority.issue(&Request::new("device 7", &[extension::for_clients()]))
    }

    #[test]
    fn opens_a_broker_that_requires_it() {
        let (broker, authority) = secure(&Request::broker("localhost"), REQUIRED);
        let client = Client::closed();
        let device = device(&authority);
        for private_key in [device.sec1(), device.pkcs8()] {
            assert_eq!(Security { certificate: device.der.clone(), private_key, ..Security::trusting(&authority.der) }.choose(), 0);
            assert_eq!(client.connect(broker.port), 0);
            client.exchanges_messages();
        }
        assert!(broker.count("'device 7'") > 0);
    }

    #[test]
    fn is_missed_with_the_alert_that_says_so() {
        let (broker, authority) = secure(&Request::broker("localhost"), REQUIRED);
        let client = Client::closed();
        assert_eq!(Security::trusting(&authority.der).choose(), 0);
        assert_eq!(client.connect(broker.port), 0);
        assert_eq!(client.refused(), 256 + 116, "certificate_required");
        let stranger = device(&Request::authority("Other").self_signed());
        let security = Security { certificate: stranger.der.clone(), private_key: stranger.sec1(), ..Security::trusting(&authority.der) };
        assert_eq!(security.choose(), 0);
        assert_eq!(client.connect(broker.port), 0);
        assert_eq!(client.refused(), 256 + 48, "unknown_ca");
    }
}
