//! Against Mosquitto.

use crate::broker::Broker;
use crate::c;
use crate::certificates::{Identity, Request, pem};
use crate::client::{Client, Security};
use std::fs;
use std::path::Path;

/// A broker with a certificate, and what its configuration says besides.
fn secure(settings: &str) -> (Broker, Identity) {
    let authority = Identity::authority();
    let identity = authority.issue(&Request::broker("localhost"));
    let broker = Broker::configured(|directory| format!("allow_anonymous true\n{}{settings}", configuration(directory, &authority, &identity)));
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
    let (broker, authority) = secure("");
    let client = Client::closed();
    assert_eq!(Security::trusting(&authority.der).choose(), 0);
    assert_eq!(client.connect(broker.port), 0);
    client.wait_for(c::CONNACK_RECEIVED);
    let reference = c::subscribe(c"a/b", 2);
    assert_eq!(reference, 1);
    client.wait_for(c::SUBACK_RECEIVED);
    assert!(c::publish_data(1, None, 2, b"hello") > 0);
    assert_eq!(client.wait_for(c::TOPIC_MESSAGE).data, b"hello");
    client.disconnect();
}
