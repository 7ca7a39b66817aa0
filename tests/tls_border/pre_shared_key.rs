//! Against Mosquitto, with a pre-shared key.

use crate::broker::Broker;
use crate::client::{Client, Security};
use std::fs;

#[test]
fn a_pre_shared_key_connects() {
    let broker = Broker::configured(|directory| {
        let file = directory.join("keys");
        fs::write(&file, "device:00112233445566778899aabbccddeeff\n").unwrap();
        format!("allow_anonymous true\npsk_file {}\npsk_hint hint\nuse_identity_as_username true\n", file.display())
    });
    let client = Client::closed();
    let key: Vec<u8> = (0..16).map(|digit| digit * 0x11).collect();
    let security = Security { authority: Vec::new(), key_identity: b"device".into(), key, receive: 529, ..Security::trusting(&[]) };
    assert_eq!(security.choose(), 0);
    assert_eq!(client.connect(broker.port), 0);
    client.exchanges_messages();
    for wrong in [Security { key: vec![1; 16], ..security.clone() }, Security { key_identity: b"nobody".into(), ..security.clone() }] {
        assert_eq!(wrong.choose(), 0);
        assert_eq!(client.connect(broker.port), 0);
        assert!(client.refused() >= 256);
    }
}
