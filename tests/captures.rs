//! The bytes that the documents show which the library was made for: the same calls put them on the wire.

mod support;
use support::*;

const SIXTY_SECONDS: Options = Options { keep_alive: 60, ..DEFAULTS };

/// Bytes that are no text.
const PAYLOAD: &str = "61 62 63 64 0a 0b 0c 0d 0e 0f 10 11 12 13";

#[test]
fn kinetis_connects_with_a_clean_session() {
    let mut client = Client::new();
    client.connect(CLEAN);
    client.expect_sent("10 13 00 04 4d 51 54 54 04 02 01 2c 00 07 4b 49 4e 45 54 49 53");
    client.receive("20 02 00 00");
    client.expect_events([connack(false)]);
}

#[test]
fn kinetis_pings_after_a_quarter_of_300_seconds() {
    let mut client = Client::connected(CLEAN);
    client.pass(74_999);
    client.expect_sent("");
    client.pass(1);
    client.expect_sent("c0 00");
    client.receive("d0 00");
    client.pass(15_000);
    client.expect_events([]);
}

#[test]
fn kinetis_publishes_at_qos_1_with_identifier_2() {
    let mut client = Client::connected(CLEAN);
    client.subscribed("uTasker/test1", 1);
    client.application.payload = bytes(PAYLOAD);
    client.library.publish(1, None, SUBSCRIPTION_QOS).unwrap();
    client.poll();
    client.expect_sent(&format!("32 1f 00 0d 'uTasker/test1' 00 02 {PAYLOAD}"));
    client.receive("40 02 00 02");
    client.expect_events([acknowledged(1).of(1)]);
}

#[test]
fn kinetis_publishes_at_qos_0_in_31_bytes() {
    let mut client = Client::connected(CLEAN);
    client.application.payload = bytes(PAYLOAD);
    client.publish("uTasker/test1", 0);
    assert_eq!(client.link.sent.len(), 85 - 54);
    client.expect_sent(&format!("30 1d 00 0d 'uTasker/test1' {PAYLOAD}"));
    client.expect_events([acknowledged(0)]);
}

#[test]
fn kinetis_publishes_at_qos_2_in_packets_of_33_and_three_times_4_bytes() {
    let mut client = Client::connected(CLEAN);
    client.application.payload = bytes(PAYLOAD);
    client.publish("uTasker/test1", 2);
    assert_eq!(client.link.sent.len(), 33);
    client.expect_sent(&format!("34 1f 00 0d 'uTasker/test1' 00 01 {PAYLOAD}"));
    client.receive("50 02 00 01");
    client.expect_sent("62 02 00 01");
    client.expect_events([]);
    client.receive("70 02 00 01");
    client.expect_events([acknowledged(2)]);
}

#[test]
fn abcdef_connects_for_60_seconds() {
    let mut client = Client::with(SIXTY_SECONDS);
    client.application.client_identifier = "ABCDEF".into();
    client.connect(CLEAN);
    client.expect_sent("10 12 00 04 4d 51 54 54 04 02 00 3c 00 06 41 42 43 44 45 46");
}

#[test]
fn hello_is_published_to_element14() {
    let mut client = Client::connected(CLEAN);
    client.publish_data("ELEMENT14", 0, "hello");
    client.expect_sent("30 10 00 09 45 4c 45 4d 45 4e 54 31 34 68 65 6c 6c 6f");
}

#[test]
fn element14_is_subscribed_to() {
    let mut client = Client::connected(CLEAN);
    client.subscribe("element14", 0);
    client.expect_sent("82 0e 00 01 00 09 65 6c 65 6d 65 6e 74 31 34 00");
}

#[test]
fn paho_connects_with_a_will() {
    let mut client = Client::with(SIXTY_SECONDS);
    client.application.client_identifier = "paho/E0C91AD62A43018FE0".into();
    client.application.will_topic = "/ufscar/mqtt_activity".into();
    client.application.will_message = "Publisher disconnected".into();
    client.connect(CLEAN | WILL | WILL_QOS_1 | WILL_RETAIN);
    client.expect_sent(
        "10 52 00 04 4d 51 54 54 04 2e 00 3c 00 17 'paho/E0C91AD62A43018FE0' 00 15 '/ufscar/mqtt_activity' \
         00 16 'Publisher disconnected'",
    );
}

#[test]
fn paho_publishes_three_messages() {
    let mut client = Client::connected(CLEAN);
    client.subscribed("a", 0);
    client.publish_data("/ufscar/mqtt_activity", 0, "First Message");
    client.expect_sent("30 24 00 15 '/ufscar/mqtt_activity' 'First Message'");
    client.publish_data("/ufscar/mqtt_activity", 1, "Second Message");
    client.expect_sent("32 27 00 15 '/ufscar/mqtt_activity' 00 02 'Second Message'");
    client.publish_data("/ufscar/mqtt_activity", 2, "Third Message");
    client.expect_sent("34 26 00 15 '/ufscar/mqtt_activity' 00 03 'Third Message'");
}

#[test]
fn every_return_code_of_connack_is_told() {
    for code in 1..=5 {
        let mut client = Client::new();
        client.connect(CLEAN);
        client.receive_bytes(&[0x20, 2, 0, code]);
        client.expect_events([refused(code), CONNECTION_CLOSED]);
    }
}

#[test]
fn every_return_code_of_suback_is_told() {
    for code in 0..=2 {
        let mut client = Client::connected(CLEAN);
        client.subscribe("a/b", 2);
        client.receive_bytes(&[0x90, 3, 0, 1, code]);
        client.expect_events([suback(code, 1)]);
    }
    let mut client = Client::connected(CLEAN);
    client.subscribe("a/b", 2);
    client.receive("90 03 00 01 80");
    client.expect_events([subscription_refused(128, 1)]);
}

#[test]
fn both_versions_name_themselves() {
    let mut client = Client::new();
    client.library.connect_3_1(CLEAN).unwrap();
    client.poll();
    client.expect_sent("10 15 00 06 'MQIsdp' 03 02 01 2c 00 07 'KINETIS'");
    let mut client = Client::new();
    client.connect(CLEAN);
    client.expect_sent("10 13 00 04 'MQTT' 04 02 01 2c 00 07 'KINETIS'");
}
