//! What the original got wrong must not come back: one test for each defect that is known of it.

mod support;
use support::*;

#[test]
fn topic_longer_than_an_entry_overwrites_nothing() {
    let mut client = Client::connected(CLEAN);
    client.subscribed("0123456789abcdef", 0);
    client.subscribed("next", 1);
    assert_eq!(client.library.subscribe(Some(&"x".repeat(17)), 0), Err(Error::TopicTooLong));
    assert_eq!(client.library.subscribe(Some(&"x".repeat(1000)), 0), Err(Error::TopicTooLong));
    client.receive("30 12 00 10 '0123456789abcdef' 30 06 00 04 'next'");
    client.expect_events([message(1, ""), message(2, "")]);
}

#[test]
fn entry_past_the_table_is_neither_read_nor_written() {
    let mut client = Client::connected(CLEAN);
    for reference in 1..=8 {
        assert_eq!(client.subscribed("a", 0), reference);
    }
    assert_eq!(client.library.subscribe(Some("a"), 0), Err(Error::NoSubscriptionEntry));
    for reference in [0, 9, 255] {
        assert_eq!(client.library.unsubscribe(reference), Err(Error::InvalidSubscription));
        assert_eq!(client.library.subscription(reference), Err(Error::InvalidSubscription));
    }
    assert_eq!(client.library.publish(9, None, 0), Err(Error::InvalidSubscription));
}

#[test]
fn return_code_of_connack_is_regarded() {
    let mut client = Client::new();
    client.connect(CLEAN);
    client.receive("20 02 00 04");
    client.expect_events([refused(4), CONNECTION_CLOSED]);
}

#[test]
fn return_code_of_suback_and_the_granted_qos_are_regarded() {
    let mut client = Client::connected(CLEAN);
    client.subscribe("a", 2);
    client.subscribe("b", 2);
    client.receive("90 03 00 01 01 90 03 00 02 80");
    client.expect_events([suback(1, 1), subscription_refused(128, 2)]);
}

#[test]
fn packet_in_two_segments_is_one() {
    let packet = bytes("32 0b 00 03 'a/b' 00 07 'data'");
    for cut in 1..packet.len() {
        let mut client = Client::connected(CLEAN);
        let (first, second) = packet.split_at(cut);
        client.receive_bytes(first);
        client.expect_events([]);
        client.receive_bytes(second);
        client.expect_events([message(0, "data")]);
        client.expect_sent("40 02 00 07");
    }
}

#[test]
fn two_packets_in_one_segment_are_two() {
    let mut client = Client::connected(CLEAN);
    client.receive("30 07 00 03 'a/b' 'hi' 30 07 00 03 'a/b' 'ho'");
    client.expect_events([message(0, "hi"), message(0, "ho")]);
}

#[test]
fn end_of_the_reception_buffer_is_regarded() {
    let mut client = Client::connected(CLEAN);
    let payload = stream(0, 10_000);
    client.receive_bytes(&publish(0x30, "a", 0, &payload));
    let told = client.take_events();
    assert!(told.iter().all(|event| event.kind == Kind::TopicMessagePart && event.data.len() <= 1536));
    assert_eq!(told.iter().flat_map(|event| event.data.clone()).collect::<Vec<_>>(), payload);
}

#[test]
fn incoming_topic_is_compared_as_a_whole() {
    let mut client = Client::connected(CLEAN);
    client.subscribed("a/b", 0);
    client.receive("30 03 00 01 'a' 30 04 00 02 'a/' 30 06 00 04 'a/bc'");
    client.expect_events([message(0, ""), message(0, ""), message(0, "")]);
}

#[test]
fn wildcards_match() {
    let mut client = Client::connected(CLEAN);
    client.subscribed("a/+/c", 0);
    client.subscribed("b/#", 0);
    client.receive("30 07 00 05 'a/x/c' 30 07 00 05 'b/x/y' 30 03 00 01 'b'");
    client.expect_events([message(1, ""), message(2, ""), message(2, "")]);
}

#[test]
fn several_qos_2_messages_are_received_at_a_time_and_duplicates_not_delivered() {
    let mut client = Client::connected(CLEAN);
    client.receive("34 06 00 01 'a' 00 01 'x' 34 06 00 01 'a' 00 02 'y' 3c 06 00 01 'a' 00 01 'x'");
    client.expect_sent("50 02 00 01 50 02 00 02 50 02 00 01");
    client.receive("62 02 00 01 62 02 00 02");
    client.expect_sent("70 02 00 01 70 02 00 02");
    client.expect_events([message(0, "x"), message(0, "y")]);
}

#[test]
fn pubrel_is_answered_in_any_state() {
    let mut client = Client::connected(CLEAN);
    client.receive("62 02 00 05");
    client.expect_sent("70 02 00 05");
    client.publish_data("a", 2, "");
    client.subscribe("b", 0);
    client.take_sent();
    client.receive("62 02 00 05");
    client.expect_sent("70 02 00 05");
    client.expect_events([]);
}

#[test]
fn what_was_not_acknowledged_is_sent_again_on_the_next_connection() {
    let mut client = Client::connected(KEPT);
    client.publish_data("a", 1, "x");
    client.expect_sent("32 06 00 01 'a' 00 01 'x'");
    client.resume(KEPT, true);
    client.expect_sent("3a 06 00 01 'a' 00 01 'x'");
}

#[test]
fn callback_knows_how_much_room_it_has() {
    let mut client = Client::new();
    client.connect(CLEAN | WILL | USER_NAME | PASSWORD);
    client.receive("20 02 00 00");
    client.library.publish(0, None, 0).unwrap();
    client.publish_stream("a", 0, 10);
    assert_eq!(client.asked.len(), 8);
    assert!(client.asked.iter().all(|event| event.number != 0));
}

#[test]
fn unsubscribe_waits_its_turn_like_any_other_request() {
    let mut client = Client::connected(CLEAN);
    client.subscribed("a", 0);
    client.library.subscribe(Some("b"), 0).unwrap();
    client.library.unsubscribe(1).unwrap();
    client.library.subscribe(Some("c"), 0).unwrap();
    client.poll();
    client.expect_sent("82 06 00 02 00 01 'b' 00 a2 05 00 03 00 01 'a' 82 06 00 04 00 01 'c' 00");
    client.receive("90 03 00 02 00 b0 02 00 03 90 03 00 04 00");
    client.expect_events([suback(0, 2), unsuback(1), suback(0, 3)]);
}
