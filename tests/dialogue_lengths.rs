//! Packets around the lengths at which their remaining length takes one byte more.

mod support;
use support::*;

/// The remaining lengths up to which a byte less is enough, and those behind them.
const SHORT: [usize; 2] = [127, 128];
const ALL: [usize; 6] = [127, 128, 16_383, 16_384, 2_097_151, 2_097_152];

#[test]
fn connect() {
    for remaining in SHORT {
        let mut client = Client::new();
        client.application.client_identifier = "i".repeat(remaining - 12 - 2 - 2);
        client.application.user_name.clear();
        client.application.password.clear();
        client.connect(CLEAN | USER_NAME | PASSWORD);
        let mut body = bytes("00 04 'MQTT' 04 c2 01 2c 00");
        body.push(remaining as u8 - 16);
        body.extend("i".repeat(remaining - 16).bytes());
        body.extend([0, 0, 0, 0]);
        client.expect_sent_bytes(&packet(0x10, &body));
        client.receive("20 02 00 00");
        client.expect_events([connack(false)]);
    }
}

#[test]
fn connect_with_each_field_empty_that_may_be() {
    for (flags, sent) in [
        (CLEAN, "10 0c 00 04 'MQTT' 04 02 01 2c 00 00"),
        (CLEAN | USER_NAME, "10 0e 00 04 'MQTT' 04 82 01 2c 00 00 00 00"),
        (CLEAN | USER_NAME | PASSWORD, "10 10 00 04 'MQTT' 04 c2 01 2c 00 00 00 00 00 00"),
        (CLEAN | WILL, "10 14 00 04 'MQTT' 04 06 01 2c 00 00 00 04 'will' 00 00"),
        (CLEAN | WILL | WILL_QOS_1 | WILL_RETAIN, "10 14 00 04 'MQTT' 04 2e 01 2c 00 00 00 04 'will' 00 00"),
        (CLEAN | WILL | USER_NAME | PASSWORD, "10 18 00 04 'MQTT' 04 c6 01 2c 00 00 00 04 'will' 00 00 00 00 00 00"),
    ] {
        let mut client = Client::new();
        client.application.answers(|_, event| (event.kind != Kind::WillTopic).then(|| 0.into()));
        client.connect(flags);
        client.expect_sent(sent);
    }
}

#[test]
fn subscribe_and_unsubscribe() {
    for length in (120..=126).chain([256]) {
        let filter = "f".repeat(length);
        let mut body = vec![0, 1, (length >> 8) as u8, length as u8];
        body.extend(filter.bytes());
        let mut client = Client::connected(CLEAN);
        client.application.topic = filter;
        client.library.subscribe(None, 1).unwrap();
        client.poll();
        client.expect_sent_bytes(&packet(0x82, &[&body[..], &[1]].concat()));
        client.receive("90 03 00 01 01");
        client.expect_events([suback(1, 1)]);
        client.unsubscribe(1);
        body[1] = 2;
        client.expect_sent_bytes(&packet(0xa2, &body));
        client.receive("b0 02 00 02");
        client.expect_events([unsuback(1)]);
    }
}

#[test]
fn publish_of_a_payload_that_is_copied_or_asked_for() {
    for remaining in SHORT {
        for qos in 0..=2 {
            let identifier = u16::from(qos != 0);
            let payload = stream(0, remaining as u32 - 3 - if qos == 0 { 0 } else { 2 });
            let sent = publish(0x30 | qos << 1, "a", identifier, &payload);
            assert_eq!(sent[1..].len() - usize::from(remaining > 127), remaining + 1);
            let mut client = Client::connected(CLEAN);
            client.library.publish_data(0, Some("a"), qos, &payload).unwrap();
            client.poll();
            client.expect_sent_bytes(&sent);

            let mut client = Client::connected(CLEAN);
            client.application.payload = payload;
            client.publish("a", qos);
            client.expect_sent_bytes(&sent);
        }
    }
}

#[test]
fn publish_of_a_stream() {
    for remaining in ALL {
        for qos in 0..=2 {
            let identifier = u16::from(qos != 0);
            let total = remaining as u32 - 3 - if qos == 0 { 0 } else { 2 };
            let mut client = Client::connected(CLEAN);
            client.publish_stream("a", qos, total);
            client.expect_sent_bytes(&publish(0x30 | qos << 1, "a", identifier, &stream(0, total)));
        }
    }
}

#[test]
fn message_that_arrives() {
    for remaining in ALL {
        for qos in 0..=2 {
            let identifier = u16::from(qos != 0);
            let payload = stream(0, remaining as u32 - 3 - if qos == 0 { 0 } else { 2 });
            let mut client = Client::connected(CLEAN);
            client.receive_bytes(&publish(0x30 | qos << 1, "a", identifier, &payload));
            let told = client.take_events();
            assert_eq!(told.iter().flat_map(|event| event.data.clone()).collect::<Vec<_>>(), payload);
            assert!(told.iter().all(|event| event.message().total as usize == payload.len()));
            client.expect_sent(["", "40 02 00 01", "50 02 00 01"][usize::from(qos)]);
            client.receive("30 05 00 01 'b' 'hi'");
            client.expect_events([message(0, "hi")]);
        }
    }
}
