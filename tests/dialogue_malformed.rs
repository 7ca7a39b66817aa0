//! What no broker may send ends the connection [MQTT-4.8.0-1].

mod support;
use support::*;

/// A client for which a SUBACK, an UNSUBACK, a PUBACK, a PUBREC and a PUBCOMP are outstanding, in this order from identifier 2 on.
fn busy() -> Client {
    let mut client = Client::connected(CLEAN);
    client.subscribed("b", 0);
    client.subscribe("a", 2);
    client.unsubscribe(1);
    client.publish_data("c", 1, "");
    client.publish_data("d", 2, "");
    client.publish_data("e", 2, "");
    client.receive("50 02 00 06");
    client.take_sent();
    client
}

#[track_caller]
fn ends_with_protocol_error(mut client: Client, text: &str) {
    client.receive(text);
    let told = client.take_events();
    let (cause, rest) = told.split_first().expect("events");
    assert_eq!(*cause, PROTOCOL, "{text}");
    let (end, failures) = rest.split_last().expect("an end");
    assert_eq!(*end, CONNECTION_CLOSED);
    assert!(failures.iter().all(|event| event.kind == Kind::PublishFailed));
    assert!(!client.link.is_open());
}

#[test]
fn packets_that_only_a_client_sends() {
    for packet in ["10 00", "82 06 00 01 00 01 'a' 00", "a2 05 00 01 00 01 'a'", "c0 00", "e0 00"] {
        ends_with_protocol_error(busy(), packet);
    }
}

/// What a broker may send in answer to `busy`, and at any time.
const ANSWERS: [&str; 7] = ["40 02 00 04", "50 02 00 05", "62 02 00 07", "70 02 00 06", "90 03 00 02 00", "b0 02 00 03", "d0 00"];

#[test]
fn each_answer_but_with_another_length() {
    for answer in ANSWERS {
        let right = bytes(answer);
        for length in 0..=8 {
            let mut packet = vec![right[0], length];
            packet.extend(right[2..].iter().chain(&[0; 8]).take(length.into()));
            if packet != right {
                ends_with_protocol_error(busy(), &hexadecimal(&packet));
            }
        }
        let mut client = busy();
        client.receive(answer);
        assert!(!client.take_events().contains(&PROTOCOL));
    }
}

#[test]
fn every_first_byte_but_those_of_the_standard() {
    // [MQTT-2.2.2-2, MQTT-3.3.1-2, MQTT-3.3.1-4]
    for first in 0..=0xff {
        let same_type = |answer: &Vec<u8>| answer[0] >> 4 == first >> 4;
        let mut packet = ANSWERS.map(bytes).into_iter().find(same_type).unwrap_or_else(|| publish(0x32, "a", 1, b""));
        packet[0] = first;
        let is_publish = first >> 4 == 3 && first & 6 != 6 && first & 0x0e != 8;
        if is_publish || ANSWERS.map(bytes).contains(&packet) {
            let mut client = busy();
            client.receive_bytes(&packet);
            assert!(client.link.is_open() && !client.take_events().contains(&PROTOCOL), "{first:02x}");
        } else {
            ends_with_protocol_error(busy(), &hexadecimal(&packet));
        }
    }
}

#[test]
fn pubrel_that_is_sent_again_has_dup_in_version_3_1() {
    let mut client = connecting_with_3_1();
    client.accept(false);
    client.receive("34 05 00 01 'a' 00 07 6a 02 00 07 6a 02 00 07");
    client.expect_sent("50 02 00 07 70 02 00 07 70 02 00 07");
    client.receive("34 05 00 01 'a' 00 07");
    client.expect_events([message(0, ""), message(0, "")]);
    ends_with_protocol_error(client, "68 02 00 07");
}

#[test]
fn remaining_length_of_five_bytes() {
    // [MQTT-2.2.3]
    for packet in ["30 80 80 80 80 01", "30 ff ff ff ff 7f", "40 80 80 80 80 00"] {
        ends_with_protocol_error(busy(), packet);
    }
}

#[test]
fn remaining_length_of_four_bytes_that_could_have_been_one() {
    let mut client = Client::connected(CLEAN);
    client.receive("30 83 80 80 00 00 01 'a'");
    client.expect_events([message(0, "")]);
    client.receive("d0 80 00");
    client.expect_events([]);
}

#[test]
fn impossible_lengths_are_seen_before_their_packet_is_there() {
    for header in ["40 80 80 80 01", "20 ff ff ff 7f", "90 7f", "d0 05"] {
        ends_with_protocol_error(busy(), header);
    }
}

#[test]
fn packet_identifier_0() {
    // [MQTT-2.3.1-1]
    for packet in ["32 05 00 01 'a' 00 00", "34 05 00 01 'a' 00 00", "40 02 00 00", "50 02 00 00", "62 02 00 00", "70 02 00 00"] {
        ends_with_protocol_error(busy(), packet);
    }
    for packet in ["90 03 00 00 00", "b0 02 00 00"] {
        ends_with_protocol_error(busy(), packet);
    }
}

#[test]
fn publish_too_short_for_its_topic_or_identifier() {
    for packet in ["30 00", "30 01 00", "30 03 00 02 'a'", "30 03 ff ff 'a'", "32 03 00 01 'a'", "34 04 00 01 'a' 00"] {
        ends_with_protocol_error(busy(), packet);
        // Nor is it made up for by the packet behind it.
        ends_with_protocol_error(busy(), &format!("{packet} 30 03 00 01 'a'"));
    }
}

#[test]
fn topics_that_are_not_valid() {
    // [MQTT-1.5.3-1, MQTT-1.5.3-2, MQTT-3.3.2-2, MQTT-4.7.3-1]
    for topic in ["00", "'a' 00 'b'", "ff", "c0 80", "ed a0 80", "f4 90 80 80", "'a' c3", "'+'", "'a/+'", "'#'", "'a/#'", ""] {
        let topic = bytes(topic);
        let mut publish = vec![0, topic.len() as u8];
        publish.extend(topic);
        ends_with_protocol_error(busy(), &hexadecimal(&packet(0x30, &publish)));
    }
}

#[test]
fn suback_with_a_code_that_there_is_not() {
    // [MQTT-3.9.3-2]
    for code in ["03", "7f", "81", "ff"] {
        ends_with_protocol_error(busy(), &format!("90 03 00 02 {code}"));
    }
}

#[test]
fn answers_to_what_was_not_asked() {
    for packet in ["90 03 00 03 00", "90 03 00 09 00", "b0 02 00 02", "b0 02 00 09", "90 03 00 04 00", "90 03 00 01 00"] {
        ends_with_protocol_error(busy(), packet);
    }
}

#[test]
fn acknowledgements_of_another_qos() {
    for packet in ["40 02 00 05", "50 02 00 04", "70 02 00 04", "70 02 00 05", "40 02 00 06"] {
        ends_with_protocol_error(busy(), packet);
    }
}

#[test]
fn acknowledgements_of_unknown_identifiers_are_no_error() {
    // A session that one side has lost: what is left of it is taken to its end.
    let mut client = busy();
    client.receive("40 02 12 34 70 02 12 34 62 02 12 34");
    client.expect_sent("70 02 12 34");
    client.receive("50 02 12 34");
    client.expect_sent("62 02 12 34");
    client.receive("70 02 12 34");
    client.expect_events([]);
}

#[test]
fn acknowledgements_of_what_was_not_sent_yet_are_none() {
    let mut client = Client::connected(CLEAN);
    client.link.room = 0;
    client.publish_data("a", 1, "");
    client.publish_data("b", 2, "");
    client.receive("40 02 00 01 50 02 00 02 70 02 00 02");
    client.expect_events([]);
    client.link.room = usize::MAX;
    client.poll();
    client.expect_sent_of_each_type("32 05 00 01 'a' 00 01 34 05 00 01 'b' 00 02 62 02 00 02");
    client.receive("40 02 00 01 50 02 00 02 70 02 00 02");
    client.expect_events([acknowledged(1), acknowledged(2)]);

    for answer in ["90 03 00 01 00", "b0 02 00 01"] {
        let mut client = Client::connected(CLEAN);
        client.link.room = 0;
        client.subscribe("a", 0);
        ends_with_protocol_error(client, answer);
    }
}

#[test]
fn identifier_of_a_subscription_is_none_of_a_publication() {
    let mut client = busy();
    client.receive("40 02 00 02 70 02 00 03");
    client.expect_events([]);
    client.receive("90 03 00 02 02 b0 02 00 03");
    client.expect_events([suback(2, 2), unsuback(1)]);
}

#[test]
fn pingresp_that_was_not_asked_for_is_no_error() {
    let mut client = busy();
    client.receive("d0 00 d0 00");
    client.expect_events([]);
}

fn connecting_with_3_1() -> Client {
    let mut client = Client::new();
    client.library.connect_3_1(KEPT).unwrap();
    client.poll();
    client
}

#[test]
fn second_connack() {
    // [MQTT-3.2.0-1]
    ends_with_protocol_error(busy(), "20 02 00 00");
    ends_with_protocol_error(busy(), "20 02 00 05");
}

#[test]
fn connack_with_reserved_bits() {
    for connack in ["20 02 02 00", "20 02 80 00", "20 02 ff 00", "21 02 00 00", "20 01 00", "20 03 00 00 00"] {
        let mut client = Client::new();
        client.connect(KEPT);
        ends_with_protocol_error(client, connack);
    }
    let mut client = connecting_with_3_1();
    client.receive("20 02 ff 00");
    client.expect_events([connack(false)]);
}

#[test]
fn connack_with_a_return_code_that_there_is_not() {
    // [MQTT-3.2.2-6]
    for code in 6..=255 {
        let mut client = Client::new();
        client.connect(KEPT);
        ends_with_protocol_error(client, &format!("20 02 00 {code:02x}"));
    }
    ends_with_protocol_error(connecting_with_3_1(), "20 02 00 06");
}

#[test]
fn connack_that_refuses_and_has_a_session() {
    // [MQTT-3.2.2-4]
    for connack in ["20 02 01 01", "20 02 01 05"] {
        let mut client = Client::new();
        client.connect(KEPT);
        ends_with_protocol_error(client, connack);
    }
    let mut client = connecting_with_3_1();
    client.receive("20 02 01 05");
    client.expect_events([refused(5), CONNECTION_CLOSED]);
}

#[test]
fn packets_before_connack() {
    // [MQTT-3.2.0-1]
    for packet in ["d0 00", "30 03 00 01 'a'", "40 02 00 01", "90 03 00 01 00", "62 02 00 01", "f0 00", "36 00"] {
        let mut client = Client::new();
        client.connect(CLEAN);
        ends_with_protocol_error(client, packet);
    }
}

#[test]
fn what_came_before_is_told_and_what_comes_behind_is_not() {
    let mut client = Client::connected(CLEAN);
    client.receive("32 07 00 01 'a' 00 01 'hi' f0 00 30 05 00 01 'a' 'ho'");
    client.expect_events([message(0, "hi"), PROTOCOL, CONNECTION_CLOSED]);
    client.expect_sent("");
}

#[test]
fn kept_session_goes_on_behind_a_protocol_error() {
    let mut client = Client::connected(KEPT);
    client.publish_data("a", 1, "");
    client.receive("34 05 00 01 'a' 00 07 f0 00");
    client.expect_events([message(0, ""), PROTOCOL, CONNECTION_CLOSED]);
    client.connect(KEPT);
    client.accept(true);
    client.expect_sent("3a 05 00 01 'a' 00 01");
    client.receive("3c 05 00 01 'a' 00 07");
    client.expect_events([]);
}

#[test]
fn nothing_of_a_malformed_packet_is_left_for_the_next_connection() {
    let mut client = Client::connected(CLEAN);
    client.receive_bytes(&[0xff; 5000]);
    client.expect_events([PROTOCOL, CONNECTION_CLOSED]);
    client.connect(CLEAN);
    client.accept(false);
    client.receive("30 03 00 01 'a'");
    client.expect_events([message(0, "")]);
}
