//! Messages that arrive, on one connection.

mod support;
use support::*;

#[test]
fn qos_0_is_told_and_not_answered() {
    let mut client = Client::connected(CLEAN);
    client.receive("30 07 00 03 'a/b' 'hi'");
    client.expect_events([message(0, "hi")]);
    client.expect_sent("");
}

#[test]
fn qos_1_is_told_and_answered_with_puback() {
    // [MQTT-4.3.2-2]
    let mut client = Client::connected(CLEAN);
    client.receive("32 09 00 03 'a/b' 12 34 'hi'");
    client.expect_events([message(0, "hi")]);
    client.expect_sent("40 02 12 34");
    client.receive("3a 09 00 03 'a/b' 12 34 'hi'");
    client.expect_events([message(0, "hi")]);
    client.expect_sent("40 02 12 34");
}

#[test]
fn qos_2_is_told_once_until_it_is_released() {
    // [MQTT-4.3.3-2]
    let mut client = Client::connected(CLEAN);
    client.receive("34 09 00 03 'a/b' 12 34 'hi'");
    client.expect_sent("50 02 12 34");
    client.expect_events([message(0, "hi")]);
    client.receive("3c 09 00 03 'a/b' 12 34 'hi'");
    client.expect_sent("50 02 12 34");
    client.receive("62 02 12 34");
    client.expect_sent("70 02 12 34");
    client.receive("62 02 12 34");
    client.expect_sent("70 02 12 34");
    client.expect_events([]);

    client.receive("34 09 00 03 'a/b' 12 34 'ho'");
    client.expect_events([message(0, "ho")]);
}

#[test]
fn several_qos_2_messages_are_under_way_at_once() {
    let mut client = Client::connected(CLEAN);
    for identifier in 1..=32 {
        client.receive_bytes(&publish(0x34, "a", identifier, &[]));
    }
    client.take_events();
    client.take_sent();
    for identifier in [7, 32, 1] {
        client.receive_bytes(&[0x62, 2, 0, identifier]);
        client.expect_sent_bytes(&[0x70, 2, 0, identifier]);
    }
    for identifier in (1..=32).filter(|identifier| ![7, 32, 1].contains(identifier)) {
        client.receive_bytes(&publish(0x3c, "a", identifier, &[]));
    }
    client.expect_events([]);
    client.take_sent();
    for identifier in [7, 32, 1] {
        client.receive_bytes(&publish(0x34, "a", identifier, &[]));
        client.expect_sent_bytes(&[0x50, 2, 0, identifier as u8]);
        client.expect_events([message(0, "")]);
    }
}

#[test]
fn one_qos_2_message_too_many_ends_the_connection_once_the_answers_due_are_sent() {
    let mut client = Client::connected(KEPT);
    for identifier in 1..=31 {
        client.receive_bytes(&publish(0x34, "a", identifier, &[]));
    }
    client.take_events();
    client.take_sent();
    client.link.room = 0;
    client.receive("32 05 00 01 'a' 00 40 34 05 00 01 'a' 00 20 34 05 00 01 'a' 00 21 62 02 00 01");
    client.expect_events([message(0, ""), message(0, "")]);
    client.link.room = usize::MAX;
    client.poll();
    client.expect_sent("40 02 00 40 50 02 00 20");
    client.expect_events([BUSY, CONNECTION_CLOSED]);

    client.connect(KEPT);
    client.accept(true);
    client.receive("62 02 00 01");
    client.expect_sent("70 02 00 01");
    client.receive("34 05 00 01 'a' 00 21 3c 05 00 01 'a' 00 20");
    client.expect_events([message(0, "")]);
    client.expect_sent("50 02 00 21 50 02 00 20");
}

#[test]
fn one_qos_2_message_too_many_does_not_keep_from_disconnecting() {
    for too_many_first in [false, true] {
        let mut client = Client::connected(KEPT);
        for identifier in 1..=32 {
            client.receive_bytes(&publish(0x34, "a", identifier, &[]));
        }
        client.take_events();
        client.take_sent();
        client.link.room = 0;
        client.receive("32 05 00 01 'a' 00 40");
        client.expect_events([message(0, "")]);
        if too_many_first {
            client.receive("34 05 00 01 'a' 00 21");
            client.library.disconnect().unwrap();
        } else {
            client.library.disconnect().unwrap();
            client.receive("34 05 00 01 'a' 00 21");
        }
        client.link.room = usize::MAX;
        client.poll();
        client.expect_sent("40 02 00 40 e0 00");
        client.pass(1000);
        client.expect_events([CONNECTION_CLOSED]);
    }
}

#[test]
fn disconnecting_takes_no_longer_than_the_response_time_behind_one_qos_2_message_too_many() {
    let mut client = Client::connected(KEPT);
    for identifier in 1..=32 {
        client.receive_bytes(&publish(0x34, "a", identifier, &[]));
    }
    client.take_events();
    client.link.room = 4;
    client.publish_data("a", 1, &"x".repeat(100));
    client.receive("34 05 00 01 'a' 00 21");
    client.library.disconnect().unwrap();
    for _ in 0..15 {
        client.expect_events([]);
        client.link.room = 1;
        client.pass(1000);
    }
    client.expect_events([CONNECTION_CLOSED]);
}

#[test]
fn nothing_is_sent_behind_disconnect_behind_one_qos_2_message_too_many() {
    let mut client = Client::connected(KEPT);
    for identifier in 1..=32 {
        client.receive_bytes(&publish(0x34, "a", identifier, &[]));
    }
    client.take_sent();
    client.link.room = 0;
    client.publish_data("a", 1, "");
    client.receive("32 05 00 01 'a' 00 40 34 05 00 01 'a' 00 21");
    client.library.disconnect().unwrap();
    client.link.room = 4;
    client.poll();
    client.expect_sent("40 02 00 40");
    client.link.room = usize::MAX;
    client.pass(500);
    client.expect_sent("e0 00");
}

#[test]
fn message_is_told_with_the_lowest_reference_that_matches() {
    let mut client = Client::connected(CLEAN);
    for filter in ["a/b", "a/#", "+/b", "a/b"] {
        client.subscribed(filter, 0);
    }
    client.receive("30 05 00 03 'a/b'");
    client.receive("30 05 00 03 'a/c'");
    client.receive("30 03 00 01 'a'");
    client.receive("30 05 00 03 'x/b'");
    client.receive("30 05 00 03 'x/y'");
    let told = [message(1, ""), message(2, ""), message(2, ""), message(3, ""), message(0, "")];
    client.expect_events(told);
}

#[test]
fn wildcards_at_the_start_do_not_match_topics_that_begin_with_a_dollar() {
    // [MQTT-4.7.2-1]
    let mut client = Client::connected(CLEAN);
    for filter in ["#", "+/x", "$SYS/#"] {
        client.subscribed(filter, 0);
    }
    client.receive("30 08 00 06 '$SYS/x'");
    client.receive("30 04 00 02 '$a'");
    client.receive("30 07 00 05 'SYS/x'");
    client.expect_events([message(3, ""), message(0, ""), message(1, "")]);
}

#[test]
fn message_that_matches_no_stored_filter_goes_to_the_lowest_subscription_without_one() {
    let mut client = Client::connected(CLEAN);
    client.subscribed("a", 0);
    for _ in 0..2 {
        client.library.subscribe(None, 0).unwrap();
        client.poll();
    }
    client.take_sent();
    client.subscribed("b", 0);
    client.receive("30 03 00 01 'a' 30 03 00 01 'b' 30 03 00 01 'c'");
    client.expect_events([message(1, ""), message(4, ""), message(2, "")]);
}

#[test]
fn details_of_a_message_are_told() {
    let mut client = Client::connected(CLEAN);
    client.receive("3b 09 00 03 'a/b' 12 34 'hi'");
    let told = client.expect_events([message(0, "hi")]);
    let details = Details {
        topic: Some("a/b".into()),
        topic_length: 3,
        identifier: 0x1234,
        handle: 0,
        qos: 1,
        retained: true,
        duplicate: true,
        total: 2,
        offset: 0,
    };
    assert_eq!(*told[0].message(), details);
    client.receive("30 03 00 01 'c'");
    let told = client.expect_events([message(0, "")]);
    let details = told[0].message();
    assert_eq!((details.identifier, details.qos, details.retained, details.duplicate), (0, 0, false, false));
    assert_eq!(details.topic.as_deref(), Some("c"));
}

#[test]
fn details_are_told_in_no_other_event() {
    let mut client = Client::connected(CLEAN);
    client.subscribe("a", 0);
    client.receive("90 03 00 01 00");
    client.unsubscribe(1);
    client.receive("b0 02 00 02");
    client.lose(lost::FAILED);
    let told = client.expect_events([suback(0, 1), unsuback(1), LINK, HOST_CLOSED]);
    assert!(told.iter().all(|event| event.details.is_none()));
}

#[test]
fn details_are_told_of_nothing_that_was_told_before() {
    let mut client = Client::connected(CLEAN);
    client.publish("p", 1);
    client.subscribe("a", 0);
    client.receive("30 03 00 01 'a' 90 03 00 02 00");
    let told = client.expect_events([message(1, ""), suback(0, 1)]);
    assert_eq!(told[1].details, None);
    client.receive("30 03 00 01 'a'");
    assert!(!client.library.has_message(), "outside of events");
}

#[test]
fn packet_may_arrive_byte_by_byte() {
    let mut client = Client::connected(CLEAN);
    client.link.chunk = 1;
    for byte in publish(0x32, "a/b", 7, &[5; 200]) {
        client.expect_events([]);
        client.receive_bytes(&[byte]);
    }
    client.expect_events([message(0, [5; 200])]);
    client.expect_sent("40 02 00 07");
}

#[test]
fn many_packets_may_arrive_at_once_and_are_received_in_one_go() {
    let mut client = Client::connected(CLEAN);
    client.subscribe("a", 1);
    client.take_sent();
    let before = client.link.receives;
    client.receive("90 03 00 01 01 30 03 00 01 'a' 32 05 00 01 'b' 00 01 34 05 00 01 'c' 00 02 d0 00 62 02 00 02");
    client.expect_events([suback(1, 1), message(1, ""), message(0, ""), message(0, "")]);
    client.expect_sent("40 02 00 01 50 02 00 02 70 02 00 02");
    assert!(client.link.receives - before <= 2, "one that gives, one that gives nothing");
}

#[test]
fn broker_that_sends_without_end_does_not_keep_the_firmware_from_its_other_work() {
    let mut client = Client::connected(CLEAN);
    client.link.chunk = 2;
    client.link.arrives(&bytes("d0 00").repeat(100));
    for polls in 1..=3 {
        assert_eq!(client.poll_once(), 0, "wants to be polled again at once");
        assert_eq!(client.link.unread(), 2 * (100 - 33 * polls));
    }
    client.poll();
    assert!(client.link.all_read());
}

#[test]
fn message_as_long_as_the_buffer_comes_in_one_piece() {
    let mut client = Client::connected(CLEAN);
    let payload = [9; 1536 - 3 - 2 - 1];
    client.receive_bytes(&publish(0x30, "a", 0, &payload));
    client.expect_events([message(0, payload)]);
}

#[test]
fn reading_stops_while_answers_have_no_room() {
    let mut client = Client::connected(CLEAN);
    client.link.room = 0;
    client.poll();
    for identifier in 1..=600 {
        client.link.arrives(&publish(0x32, "a", identifier, &[]));
    }
    client.poll();
    assert_eq!(client.take_events().len(), 8, "answers of four bytes for which there is room");
    let unread = client.link.unread();
    assert!(unread >= 600 * 7 - 1536);
    client.poll();
    assert_eq!(client.link.unread(), unread);

    client.link.room = usize::MAX;
    client.poll();
    assert!(client.link.all_read());
    let answers: Vec<u8> = (1..=600u16).flat_map(|identifier| [0x40, 2, (identifier >> 8) as u8, identifier as u8]).collect();
    client.expect_sent_bytes(&answers);
}

#[test]
fn answers_go_in_as_many_pieces_as_the_link_wants() {
    let mut client = Client::connected(CLEAN);
    client.link.room = 0;
    client.receive("32 05 00 01 'a' 00 07 34 05 00 01 'a' 00 08");
    for _ in 0..8 {
        client.link.room = 1;
        client.poll();
    }
    client.expect_sent("40 02 00 07 50 02 00 08");
}

#[test]
fn acknowledgements_have_room_however_full_the_outbox() {
    let mut client = Client::connected(CLEAN);
    client.link.room = 0;
    client.publish_data("a", 1, &"x".repeat(1960));
    client.publish_stream("b", 0, 0);
    while client.library.publish_data(0, Some("c"), 1, b"").is_ok() {}
    client.receive("32 05 00 01 'a' 00 07 34 05 00 01 'a' 00 08");
    client.expect_events([message(0, ""), message(0, "")]);
    client.link.room = 8;
    client.poll();
    client.expect_sent("40 02 00 07 50 02 00 08");
}
