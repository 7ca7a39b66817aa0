//! The room that publications have in the transmit buffer.

mod support;
use support::*;

#[test]
fn payload_that_is_asked_for_waits_for_its_room() {
    let mut client = Client::connected(CLEAN);
    client.subscribed("c", 0);
    client.application.payload = vec![1; 1400];
    client.publish("a", 1);
    client.publish("b", 1);
    client.library.publish(1, None, 0).unwrap();
    client.poll();
    client.expect_sent_bytes(&publish(0x32, "a", 2, &[1; 1400]));
    client.expect_asked([(Kind::PublishData, 1400)]);
    client.receive("40 02 00 02");
    client.expect_sent_bytes(&publish(0x32, "b", 3, &[1; 1400]));
    client.receive("40 02 00 03");
    client.expect_sent_bytes(&publish(0x30, "c", 0, &[1; 1400]));
    client.expect_asked([(Kind::PublishData, 1400), (Kind::PublishData, 1400)]);
    client.expect_events([acknowledged(1), acknowledged(1), acknowledged(0).of(1)]);
}

#[test]
fn room_of_a_payload_that_is_asked_for_is_not_taken_by_later_ones() {
    let mut client = Client::connected(CLEAN);
    client.link.room = 0;
    client.publish_data("a", 1, &"x".repeat(470));
    client.publish("b", 1);
    client.publish_data("c", 1, &"y".repeat(90));
    assert_eq!(client.library.publish_data(0, Some("d"), 1, &[0; 100]), Err(Error::Busy));
    client.link.room = usize::MAX;
    client.poll();
    let sent = [publish(0x32, "a", 1, &[b'x'; 470]), publish(0x32, "b", 2, b"payload"), publish(0x32, "c", 3, &[b'y'; 90])];
    client.expect_sent_bytes(&sent.concat());
    client.publish_data("d", 1, &"z".repeat(100));
}

#[test]
fn copied_payload_is_limited_by_the_transmit_buffer() {
    let mut client = Client::connected(CLEAN);
    assert_eq!(client.library.publish_data(0, Some("a"), 0, &[0; 2005]), Err(Error::MessageTooLong));
    client.publish_data("a", 0, &"x".repeat(2004));
    assert_eq!(client.take_sent().len(), 3 + 3 + 2004);
    client.expect_events([acknowledged(0)]);
}

#[test]
fn one_off_topic_is_limited_by_the_transmit_buffer() {
    let mut client = Client::connected(CLEAN);
    client.library.publish_data(0, Some(&"t".repeat(2005)), 0, b"").unwrap();
    assert_eq!(client.library.publish_data(0, Some(&"t".repeat(2005)), 0, b"x"), Err(Error::MessageTooLong));
    assert_eq!(client.library.publish_data(0, Some(&"t".repeat(2006)), 0, b""), Err(Error::TopicTooLong));
    assert_eq!(client.library.publish(0, Some(&"t".repeat(2006 - 1400)), 0), Err(Error::TopicTooLong));
    client.poll();
    client.publish(&"t".repeat(2005 - 1400), 0);
    client.publish(&"t".repeat(2005 - 1400 - 2), 1);
    client.expect_events([acknowledged(0), acknowledged(0)]);
    assert_eq!(client.take_sent().len(), (3 + 2 + 2005) + (3 + 2 + 605 + 7) + (3 + 2 + 603 + 2 + 7));
}

#[test]
fn publication_that_fails_for_want_of_a_topic_leaves_its_room() {
    let mut client = Client::connected(CLEAN);
    client.publish_data("a", 0, &"x".repeat(1900));
    client.publish_data("b", 1, "");
    client.application.answers(|library, event| {
        if event.kind == Kind::PublishFailed {
            library.publish_data(0, Some("c"), 0, &[0; 1900]).unwrap();
        }
        (event.kind == Kind::PublishTopic).then(|| 0.into())
    });
    client.library.publish(0, None, 2).unwrap();
    client.poll();
    client.expect_events([acknowledged(0), failed(2), acknowledged(0)]);
}

#[test]
fn answers_as_long_as_their_room_are_sent() {
    let mut client = Client::connected(CLEAN);
    client.application.topic = "t".repeat(256);
    client.application.payload = vec![7; 1400];
    client.library.publish(0, None, 1).unwrap();
    client.poll();
    client.expect_sent_bytes(&publish(0x32, &"t".repeat(256), 1, &[7; 1400]));
    assert_eq!(client.link.sends, 2, "one for CONNECT, one for this");
}

#[test]
fn payload_leaves_its_room_with_pubrec() {
    let mut client = Client::connected(CLEAN);
    client.publish_data("a", 2, &"x".repeat(1900));
    assert_eq!(client.library.publish_data(0, Some("b"), 2, &[0; 1900]), Err(Error::Busy));
    client.receive("50 02 00 01");
    client.publish_data("b", 2, &"y".repeat(1900));
    client.receive("70 02 00 01");
    let told = client.expect_events([acknowledged(2)]);
    assert_eq!(told[0].message().topic.as_deref(), Some("a"));
}

#[test]
fn place_and_room_are_free_while_the_end_of_a_publication_is_told() {
    for qos in 0..=2 {
        let mut client = Client::connected(CLEAN);
        client.application.answers(|library, event| {
            if event.kind == Kind::PublishAcknowledged && event.message().topic.as_deref() == Some("a") {
                library.publish_data(0, Some("b"), 1, &[0; 1900]).unwrap();
            }
            None
        });
        client.publish_data("a", qos, &"x".repeat(1900));
        client.receive(["", "40 02 00 01", "50 02 00 01 70 02 00 01"][usize::from(qos)]);
        client.expect_events([acknowledged(qos)]);
    }
    let mut client = Client::connected(CLEAN);
    client.application.answers(|library, event| {
        if event.kind == Kind::PublishAcknowledged {
            library.publish_data(0, Some("b"), 1, b"").unwrap();
        }
        None
    });
    for _ in 0..8 {
        client.publish_data("a", 1, "");
        client.subscribe("s", 0);
    }
    assert_eq!(client.library.publish_data(0, Some("a"), 1, b""), Err(Error::Busy));
    client.receive("40 02 00 01");
    client.expect_events([acknowledged(1)]);
}

#[test]
fn room_that_a_stream_has_is_not_kept_for_it_again() {
    let mut client = Client::connected(CLEAN);
    client.library.publish_stream(0, None, 0, 2000).unwrap();
    client.library.publish_data(0, Some("b"), 0, &[0; 300]).unwrap();
}

#[test]
fn subscription_lies_where_its_whole_filter_has_room() {
    let mut client = Client::connected(KEPT);
    client.publish_data("a", 1, "");
    client.publish_data("b", 1, &"x".repeat(100));
    client.receive("40 02 00 01");
    client.subscribe("0123456789abcdef", 0);
    client.receive("90 03 00 03 00");
    client.resume(KEPT, true);
    client.expect_sent_bytes(&publish(0x3a, "b", 2, &[b'x'; 100]));
}

#[test]
fn subscription_whose_turn_has_not_come_is_left_its_room_and_no_more() {
    let mut client = Client::connected(CLEAN);
    client.publish_data("a", 0, "x");
    client.library.subscribe(Some("s"), 0).unwrap();
    assert_eq!(client.library.publish_data(0, Some("b"), 0, &[0; 2012 - 25 - 8 + 1]), Err(Error::Busy));
    client.library.publish_data(0, Some("b"), 0, &[0; 2012 - 25 - 8]).unwrap();
}

#[test]
fn gap_is_filled_to_the_last_byte() {
    let mut client = Client::connected(CLEAN);
    client.publish_data("a", 1, "");
    client.publish_data("b", 1, &"x".repeat(2012 - 10 - 10));
    assert_eq!(client.library.publish_data(0, Some("c"), 1, b""), Err(Error::Busy));
    client.receive("40 02 00 01");
    assert_eq!(client.library.publish_data(0, Some("c"), 1, b"x"), Err(Error::Busy));
    client.library.publish_data(0, Some("c"), 1, b"").unwrap();
}

#[test]
fn subscription_whose_turn_has_not_come_lies_nowhere() {
    let mut client = Client::connected(CLEAN);
    client.publish_data("a", 1, &"x".repeat(100));
    client.publish_data("b", 1, "");
    client.receive("40 02 00 02 40 02 00 01");
    client.library.publish_data(0, Some("c"), 1, b"").unwrap();
    client.library.subscribe(Some("s"), 0).unwrap();
    client.library.publish_data(0, Some("d"), 1, &[0; 2012 - 25 - 10 - 10]).unwrap();
}

#[test]
fn inside_the_question_for_a_payload_there_is_the_room_beside_it() {
    let mut client = Client::connected(CLEAN);
    client.application.answers(|library, event| {
        if event.kind == Kind::PublishData && event.message().topic.as_deref() == Some("a") {
            library.publish_data(0, Some("b"), 0, &[b'x'; 580]).unwrap();
            library.publish(0, Some("c"), 0).unwrap();
        }
        None
    });
    client.publish("a", 1);
    let sent = [publish(0x32, "a", 1, b"payload"), publish(0x30, "b", 0, &[b'x'; 580]), publish(0x30, "c", 0, b"payload")];
    client.expect_sent_bytes(&sent.concat());
}

/// Has PUBCOMP arrive for a publication that is to be repeated, whose topic lies where another waits for the room of its payload.
fn repeated_in_the_way(between: usize) -> Client {
    let mut client = Client::connected(CLEAN);
    client.application.answers(|_, event| (event.kind == Kind::PublishAcknowledged).then(|| u16::from(event.number == 2).into()));
    client.publish_data("d", 1, &"x".repeat(592));
    client.publish("a", 2);
    client.receive("50 02 00 02 40 02 00 01");
    client.take_sent();
    client.publish("b", 0);
    client.publish_data("c", 0, &"y".repeat(between));
    client.expect_sent("");
    client.receive("70 02 00 02");
    client
}

#[test]
fn repeated_publication_leaves_the_room_to_those_before_it() {
    let mut client = repeated_in_the_way(1);
    client.expect_sent("30 0a 00 01 'b' 'payload' 30 04 00 01 'c' 'y' 34 0c 00 01 'a' 00 03 'payload'");
    client.expect_events([acknowledged(1), acknowledged(2), acknowledged(0), acknowledged(0)]);
}

#[test]
fn repeated_publication_fails_where_its_topic_has_no_room_beside_them() {
    for (between, repeated) in [(578, true), (579, false)] {
        let mut client = repeated_in_the_way(between);
        let types: Vec<_> = client.take_events().iter().map(|event| event.kind).collect();
        let (failed, acknowledged) = (Kind::PublishFailed, Kind::PublishAcknowledged);
        let expected = [acknowledged, acknowledged, if repeated { acknowledged } else { failed }, acknowledged, acknowledged];
        assert_eq!(types, expected[..if repeated { 4 } else { 5 }], "{between}");
    }
}
