//! Payloads larger than any buffer, in both directions.

mod support;
use support::*;

/// The payload of an incoming message, put together from its parts. Checks that they lie behind each other, up to the end.
#[track_caller]
fn joined(told: &[Told], reference: u8) -> Vec<u8> {
    let mut payload = Vec::new();
    for event in told {
        let message = event.message();
        assert_eq!((event.kind, event.reference), (Kind::TopicMessagePart, reference));
        assert_eq!(message.offset, payload.len() as u32);
        payload.extend(&event.data);
    }
    let total = told.last().expect("parts").message().total;
    assert!(told.iter().all(|event| event.message().total == total));
    assert_eq!(total, payload.len() as u32);
    payload
}

#[test]
fn message_larger_than_the_buffer_comes_in_parts() {
    for (length, chunk) in [(1531, usize::MAX), (1532, 1), (2000, 700), (65_536, 1460), (262_144, usize::MAX)] {
        let mut client = Client::connected(CLEAN);
        client.subscribed("a", 0);
        client.link.chunk = chunk;
        let payload = stream(0, length);
        client.receive_bytes(&publish(0x30, "a", 0, &payload));
        let told = client.take_events();
        assert_eq!(joined(&told, 1), payload);
        assert!(told.iter().all(|event| event.message().topic.as_deref() == Some("a")));
        assert!(told.iter().all(|event| !event.data.is_empty()));
        client.receive("30 05 00 01 'a' 'hi'");
        client.expect_events([message(1, "hi")]);
    }
}

#[test]
fn parts_of_a_message_have_one_reference() {
    let mut client = Client::connected(CLEAN);
    client.subscribed("b", 0);
    client.subscribed("a", 0);
    client.unsubscribe(1);
    client.receive("b0 02 00 03");
    client.take_events();
    client.application.answers(|library, event| {
        if event.kind == Kind::TopicMessagePart {
            let _ = library.subscribe(Some("#"), 0);
        }
        None
    });
    client.receive_bytes(&publish(0x30, "a", 0, &stream(0, 4000)));
    let told = client.take_events();
    assert_eq!(told.iter().map(|event| event.reference).collect::<Vec<_>>(), [2, 2, 2]);
}

#[test]
fn message_may_follow_one_in_parts_at_once() {
    for length in [1531, 2000, 1536 + 1530, 5000] {
        let mut client = Client::connected(CLEAN);
        let payload = stream(0, length);
        client.receive_bytes(&[publish(0x30, "a", 0, &payload), publish(0x30, "b", 0, b"hi")].concat());
        let mut told = client.take_events();
        assert_eq!(told.pop(), Some(message(0, "hi")));
        assert_eq!(joined(&told, 0), payload);
    }
}

#[test]
fn message_in_parts_is_acknowledged_behind_the_last() {
    for (first, answer) in [(0x32, 0x40), (0x34, 0x50)] {
        let mut client = Client::connected(CLEAN);
        let bytes = publish(first, "a", 7, &stream(0, 5000));
        let (most, last) = bytes.split_at(bytes.len() - 1);
        client.receive_bytes(most);
        client.expect_sent("");
        client.receive_bytes(last);
        client.expect_sent_bytes(&[answer, 2, 0, 7]);
        assert_eq!(joined(&client.take_events(), 0), stream(0, 5000));
    }
}

#[test]
fn parts_of_a_qos_2_message_that_was_told_are_passed_over() {
    let mut client = Client::connected(KEPT);
    client.receive_bytes(&publish(0x34, "a", 7, &stream(0, 5000)));
    client.resume(KEPT, true);
    client.receive_bytes(&publish(0x3c, "a", 7, &stream(0, 5000)));
    client.expect_events([]);
    client.expect_sent("50 02 00 07");
    client.receive("62 02 00 07");
    client.expect_sent("70 02 00 07");
}

#[test]
fn message_in_parts_begins_again_behind_a_lost_link() {
    for first in [0x32, 0x34] {
        let mut client = Client::connected(KEPT);
        let bytes = publish(first, "a", 7, &stream(0, 5000));
        client.receive_bytes(&bytes[..4000]);
        assert_eq!(client.take_events()[0].message().offset, 0);
        client.resume(KEPT, true);
        client.receive_bytes(&publish(first | 8, "a", 7, &stream(0, 5000)));
        assert_eq!(joined(&client.take_events(), 0), stream(0, 5000));
    }
}

#[test]
fn qos_2_message_in_parts_that_has_no_place_is_not_begun() {
    let mut client = Client::connected(KEPT);
    for identifier in 1..=32 {
        client.receive_bytes(&publish(0x34, "a", identifier, &[]));
    }
    client.take_events();
    client.receive_bytes(&publish(0x34, "a", 33, &stream(0, 5000)));
    client.expect_events([BUSY, CONNECTION_CLOSED]);
}

#[test]
fn lengths_around_that_of_the_buffer() {
    for first in [0x30, 0x32] {
        let identifier = if first == 0x30 { 0 } else { 9 };
        let mut client = Client::connected(CLEAN);
        for topic_length in [1, 700, 1490, 1505, 1510, 1512, 1513, 1514, 1516, 1518, 1520, 1525, 1529, 1530, 1531, 1535, 1536, 1600, 9000, 65535] {
            let topic = "t".repeat(topic_length);
            for payload_length in (0..40).chain(1510..1540) {
                let payload = stream(0, payload_length);
                let bytes = publish(first, &topic, identifier, &payload);
                client.receive_bytes(&bytes);
                let told = client.take_events();
                let whole = bytes.len() <= 1536;
                if whole {
                    assert_eq!(told, [message(0, &payload)]);
                } else {
                    assert_eq!(joined(&told, 0), payload, "{topic_length} {payload_length}");
                }
                for event in &told {
                    let details = event.message();
                    assert_eq!((usize::from(details.topic_length), details.identifier), (topic_length, identifier));
                    // Behind the topic there is room for an identifier, and a part of 16 bytes.
                    let is_kept = whole || 3 + 2 + topic_length + 2 + 16 <= 1536;
                    assert_eq!(details.topic, is_kept.then(|| topic.clone()));
                }
                let answer: &[u8] = if identifier == 0 { &[] } else { &[0x40, 2, 0, 9] };
                client.expect_sent_bytes(answer);
            }
        }
    }
}

#[test]
fn topic_that_does_not_fit_matches_only_what_has_no_stored_filter() {
    let mut client = Client::connected(CLEAN);
    client.subscribed("#", 0);
    client.receive_bytes(&publish(0x30, &"t".repeat(3000), 0, b"x"));
    assert_eq!(joined(&client.take_events(), 0), b"x");
    client.library.subscribe(None, 0).unwrap();
    client.poll();
    client.receive_bytes(&publish(0x30, &"t".repeat(3000), 0, b"x"));
    assert_eq!(joined(&client.take_events(), 2), b"x");
}

#[test]
fn topic_that_does_not_fit_is_checked_all_the_same() {
    let long = |text: &[u8]| [vec![b't'; 1520], text.to_vec(), vec![b't'; 1600]].concat();
    for chunk in [1, 2, 3, 7, usize::MAX] {
        let receive = |topic: &[u8]| {
            let mut client = Client::connected(CLEAN);
            client.link.chunk = chunk;
            let mut body = (topic.len() as u16).to_be_bytes().to_vec();
            body.extend(topic);
            client.receive_bytes(&packet(0x30, &[&body[..], b"hi"].concat()));
            client.take_events()
        };
        for shift in 0..4 {
            let mut topic = vec![b't'; shift];
            topic.extend("\u{7ff}\u{ffff}\u{10ffff}t".repeat(500).bytes());
            assert_eq!(joined(&receive(&topic), 0), b"hi");
            topic.push(0xc3);
            assert_eq!(receive(&topic), [PROTOCOL, CONNECTION_CLOSED]);
        }
        for text in ["00", "'+'", "'#'", "80", "80 80 80 80 80", "c3", "e2 82", "ed a0 80", "f0 9f 98", "f4 90 80 80", "ff"] {
            assert_eq!(receive(&long(&bytes(text))), [PROTOCOL, CONNECTION_CLOSED], "{text} by {chunk}");
        }
    }
}

#[test]
fn topic_that_does_not_fit_may_come_in_pieces_of_a_character() {
    for (qos, identifier) in [(0, 0), (1, 0x4142), (2, 0x4142)] {
        for chunk in [1, 2, 3, 7, usize::MAX] {
            for shift in 0..4 {
                let topic = "t".repeat(shift) + &"\u{7ff}\u{ffff}\u{10ffff}t".repeat(500);
                let mut client = Client::connected(CLEAN);
                client.link.chunk = chunk;
                client.receive_bytes(&publish(0x30 | qos << 1, &topic, identifier, b"hi"));
                let told = client.take_events();
                assert_eq!(joined(&told, 0), b"hi", "{qos} {chunk} {shift}");
                assert_eq!(told[0].message().identifier, identifier);
            }
        }
    }
}

#[test]
fn packet_identifier_0_behind_a_topic_that_does_not_fit() {
    for first in [0x32, 0x34] {
        let mut client = Client::connected(CLEAN);
        client.receive_bytes(&publish(first, &"t".repeat(3000), 0, b"\0\0hello"));
        client.expect_events([PROTOCOL, CONNECTION_CLOSED]);
    }
}

#[test]
fn stream_is_asked_for_piece_by_piece() {
    for (total, qos) in [(1, 0), (1400, 1), (1401, 2), (65_536, 1), (262_144, 0)] {
        let mut client = Client::connected(CLEAN);
        let handle = client.publish_stream("a", qos, total);
        let identifier = u16::from(qos != 0);
        client.expect_sent_bytes(&publish(0x30 | qos << 1, "a", identifier, &stream(0, total)));
        assert!(client.asked.iter().all(|event| event.kind == Kind::PublishDataPart && event.number <= 1400));
        let mut offset = 0;
        for event in &client.asked {
            let details = event.message();
            assert_eq!((details.offset, details.total, details.handle, details.qos), (offset, total, handle, qos));
            assert_eq!(details.topic.as_deref(), Some("a"));
            offset += event.number;
        }
        client.receive(["", "40 02 00 01", "50 02 00 01 70 02 00 01"][usize::from(qos)]);
        let told = client.expect_events([acknowledged(qos)]);
        assert_eq!((told[0].message().handle, told[0].message().total), (handle, total));
    }
}

#[test]
fn stream_of_no_bytes_is_not_asked_for() {
    let mut client = Client::connected(CLEAN);
    client.publish_stream("a", 1, 0);
    client.expect_asked([]);
    client.expect_sent("32 05 00 01 'a' 00 01");
}

#[test]
fn stream_is_as_long_as_the_standard_allows() {
    let mut client = Client::connected(CLEAN);
    assert_eq!(client.library.publish_stream(0, Some("a"), 0, 0x1000_0000), Err(Error::MessageTooLong));
    assert_eq!(client.library.publish_stream(0, Some("a"), 0, 0x0fff_ffff), Err(Error::MessageTooLong), "with its topic");
    assert_eq!(client.library.publish_stream(0, Some("a"), 0, u32::MAX), Err(Error::MessageTooLong));
    client.link.room = 100;
    client.publish_stream("a", 0, 0x0fff_0000);
    assert!(client.take_sent().starts_with(&[0x30, 0x83, 0x80, 0xfc, 0x7f]));
}

#[test]
fn remaining_length_has_as_many_bytes_as_it_needs() {
    for (remaining, header) in [
        (127, "30 7f"), (128, "30 80 01"), (129, "30 81 01"), (16_383, "30 ff 7f"), (16_384, "30 80 80 01"),
        (2_097_151, "30 ff ff 7f"), (2_097_152, "30 80 80 80 01"),
    ] {
        let mut client = Client::connected(CLEAN);
        let header = bytes(header);
        client.link.room = header.len();
        client.publish_stream("a", 0, remaining - 3);
        client.expect_sent_bytes(&header);
    }
}

#[test]
fn pieces_may_be_shorter_than_their_room() {
    let mut client = Client::connected(CLEAN);
    client.application.answers(|_, event| {
        let piece = |event: &Told| stream(event.message().offset, event.number.min(7));
        (event.kind == Kind::PublishDataPart).then(|| piece(event).into())
    });
    client.publish_stream("a", 0, 100);
    client.expect_sent_bytes(&publish(0x30, "a", 0, &stream(0, 100)));
    assert_eq!(client.asked.len(), 15);
}

#[test]
fn stream_goes_on_where_the_link_stopped() {
    let mut client = Client::connected(CLEAN);
    client.link.room = 0;
    client.publish_stream("a", 1, 5000);
    let bytes = publish(0x32, "a", 1, &stream(0, 5000));
    for _ in 0..=bytes.len() / 333 {
        client.link.room = 333;
        client.poll();
    }
    client.expect_sent_bytes(&bytes);
}

#[test]
fn stream_that_has_nothing_yet_is_asked_again_within_100_milliseconds() {
    let mut client = Client::connected(CLEAN);
    client.application.answers(|_, event| (event.kind == Kind::PublishDataPart).then(|| 0.into()));
    client.publish_stream("a", 0, 2000);
    assert_eq!(client.poll(), 100);
    for _ in 0..100 {
        client.asked.clear();
        client.now = client.now.wrapping_add(100);
        client.receive("30 03 00 01 'b'");
        assert_eq!(client.asked.len(), 1, "once in a poll");
    }
    client.take_events();
    client.application.answers(|_, _| None);
    client.pass(100);
    client.expect_sent_bytes(&publish(0x30, "a", 0, &stream(0, 2000)));
    client.expect_events([acknowledged(0)]);
}

#[test]
fn stream_without_progress_for_the_response_time_fails_with_its_connection() {
    for (flags, sent_before) in [(CLEAN, 0), (CLEAN, 1000), (KEPT, 0), (KEPT, 1000)] {
        let mut client = Client::connected(flags);
        client.application.answers(move |_, event| {
            let given = |event: &Told| event.message().offset >= sent_before;
            let piece = |event: &Told| stream(event.message().offset, event.number.min(sent_before));
            (event.kind == Kind::PublishDataPart).then(|| if given(event) { 0.into() } else { piece(event).into() })
        });
        client.publish_stream("a", 1, 2000);
        client.pass(14_999);
        client.expect_events([]);
        client.pass(1);
        client.expect_events([TIMEOUT, failed(1), CONNECTION_CLOSED]);
        client.connect(flags);
        client.take_sent();
        client.receive("20 02 01 00");
        client.expect_sent("");
    }
}

#[test]
fn acknowledgements_that_pass_a_stream_are_no_progress_of_it() {
    let mut client = Client::connected(CLEAN);
    client.application.answers(|_, event| (event.kind == Kind::PublishDataPart).then(|| 0.into()));
    client.publish_stream("a", 1, 2000);
    for _ in 0..2 {
        client.pass(5000);
        client.receive("32 05 00 01 'b' 00 07");
        client.expect_sent("40 02 00 07");
        client.expect_events([message(0, "")]);
    }
    client.pass(4999);
    client.expect_events([]);
    client.pass(1);
    client.expect_events([TIMEOUT, failed(1), CONNECTION_CLOSED]);
}

#[test]
fn stream_that_is_given_up_fails_with_its_connection() {
    for (flags, answer) in [(CLEAN, 0xffff), (KEPT, 0xffff), (CLEAN, 1401)] {
        let mut client = Client::connected(flags);
        client.application.answers(move |_, event| (event.kind == Kind::PublishDataPart).then(|| answer.into()));
        client.publish_stream("a", 1, 2000);
        client.expect_events([INVALID_ARGUMENT, failed(1), CONNECTION_CLOSED]);
    }
}

#[test]
fn stream_that_is_given_up_half_sent_leaves_what_comes_behind() {
    let mut client = Client::connected(KEPT);
    client.application.answers(|_, event| {
        let given_up = event.kind == Kind::PublishDataPart && event.message().offset != 0;
        given_up.then(|| 0xffff.into())
    });
    client.library.publish_stream(0, Some("a"), 1, 2000).unwrap();
    client.library.publish_data(0, Some("b"), 1, b"x").unwrap();
    client.poll();
    client.expect_events([INVALID_ARGUMENT, failed(1), CONNECTION_CLOSED]);
    client.connect(KEPT);
    client.accept(true);
    client.expect_sent("32 06 00 01 'b' 00 02 'x'");
}

#[test]
fn piece_is_progress_though_the_link_does_not_take_it() {
    let mut client = Client::connected(CLEAN);
    client.application.answers(|_, event| (event.kind == Kind::PublishDataPart).then(|| 0.into()));
    client.publish_stream("a", 0, 100);
    client.pass(10_000);
    client.application.answers(|_, _| None);
    client.link.room = 0;
    client.pass(14_999);
    client.expect_events([]);
    client.pass(101); // a stream that has nothing is asked again within 100 ms
    client.expect_events([TIMEOUT, failed(0), CONNECTION_CLOSED]);
}

#[test]
fn stream_that_is_sent_again_begins_at_0() {
    let mut client = Client::connected(KEPT);
    client.link.room = 2500;
    let handle = client.publish_stream("a", 2, 5000);
    client.link.room = usize::MAX;
    client.resume(KEPT, true);
    client.expect_sent_bytes(&publish(0x3c, "a", 1, &stream(0, 5000)));
    client.resume(KEPT, true);
    client.expect_sent_bytes(&publish(0x3c, "a", 1, &stream(0, 5000)));
    client.receive("50 02 00 01");
    client.asked.clear();
    client.resume(KEPT, true);
    client.expect_asked([]);
    client.expect_sent("62 02 00 01");
    client.receive("70 02 00 01");
    let told = client.expect_events([acknowledged(2)]);
    assert_eq!(told[0].message().handle, handle);
}

#[test]
fn stream_that_waited_for_its_next_piece_is_sent_again() {
    let mut client = Client::connected(KEPT);
    client.application.answers(|_, event| {
        let waits = event.kind == Kind::PublishDataPart && event.message().offset != 0;
        waits.then(|| 0.into())
    });
    client.publish_stream("a", 1, 2000);
    client.lose(lost::CLOSED);
    client.expect_events([HOST_CLOSED]);
    client.application.answers(|_, _| None);
    client.connect(KEPT);
    client.accept(true);
    client.expect_sent_bytes(&publish(0x3a, "a", 1, &stream(0, 2000)));
}

#[test]
fn stream_does_not_fail_where_something_else_is_late() {
    let mut client = Client::connected(KEPT);
    client.subscribe("s", 0);
    client.pass(10_000);
    client.application.answers(|_, event| (event.kind == Kind::PublishDataPart).then(|| 0.into()));
    client.publish_stream("a", 1, 100);
    client.pass(5000);
    client.expect_events([TIMEOUT, CONNECTION_CLOSED]);
    client.application.answers(|_, _| None);
    client.connect(KEPT);
    client.accept(true);
    let sent = [bytes("82 06 00 01 00 01 's' 00"), publish(0x32, "a", 2, &stream(0, 100))];
    client.expect_sent_bytes(&sent.concat());
}

#[test]
fn stream_whose_turn_has_not_come_keeps_it() {
    let mut client = Client::connected(CLEAN);
    client.link.room = 10;
    client.publish_stream("a", 0, 3000);
    client.publish_data("b", 0, "later");
    client.publish_stream("c", 0, 30);
    client.link.room = usize::MAX;
    client.poll();
    let sent = [publish(0x30, "a", 0, &stream(0, 3000)), publish(0x30, "b", 0, b"later"), publish(0x30, "c", 0, &stream(0, 30))];
    client.expect_sent_bytes(&sent.concat());
}

#[test]
fn acknowledgements_queue_behind_a_stream_until_reading_stops() {
    let mut client = Client::connected(CLEAN);
    client.application.answers(|_, event| {
        let waits = event.kind == Kind::PublishDataPart && event.message().offset == 1400;
        waits.then(|| 0.into())
    });
    client.publish_stream("a", 0, 2000);
    assert_eq!(client.take_sent().len(), 3 + 3 + 1400);
    for identifier in 1..=600 {
        client.link.arrives(&publish(0x32, "a", identifier, &[]));
    }
    client.pass(1000);
    client.expect_sent("");
    assert!((8..=9).contains(&client.take_events().len()));
    assert!(!client.link.all_read());

    client.application.answers(|_, _| None);
    client.pass(100);
    let sent = client.take_sent();
    assert_eq!(&sent[..600], stream(1400, 600));
    assert_eq!(&sent[600..608], bytes("40 02 00 01 40 02 00 02"));
    assert_eq!(sent.len(), 600 + 600 * 4);
    assert!(client.link.all_read());
}

#[test]
fn disconnect_finishes_a_stream_half_sent() {
    let mut client = Client::connected(CLEAN);
    client.link.room = 2000;
    client.publish_stream("a", 0, 5000);
    client.disconnect();
    client.link.room = usize::MAX;
    client.poll();
    client.expect_sent_bytes(&[publish(0x30, "a", 0, &stream(0, 5000)), vec![0xe0, 0]].concat());
    client.expect_events([acknowledged(0)]);
}

#[test]
fn topic_of_a_stream_is_asked_for_too() {
    for total in [0, 1, 2000, 0xffff, 0x1_0000, 0x2_0001] {
        let mut client = Client::connected(CLEAN);
        client.library.publish_stream(0, None, 1, total).unwrap();
        client.poll();
        client.expect_sent_bytes(&publish(0x32, "asked", 1, &stream(0, total)));
    }
}

#[test]
fn stream_that_waits_for_the_link_does_not_fail_with_it() {
    let mut client = Client::connected(KEPT);
    client.application.answers(|_, event| (event.kind == Kind::PublishDataPart).then(|| 0.into()));
    client.publish_stream("a", 1, 2);
    client.link.room = 0;
    client.receive("32 05 00 01 'b' 00 01");
    client.pass(15_000);
    client.expect_events([message(0, ""), TIMEOUT, CONNECTION_CLOSED]);
    client.link.room = usize::MAX;
    client.application.answers(|_, _| None);
    client.connect(KEPT);
    client.accept(true);
    client.expect_sent("32 07 00 01 'a' 00 01 00 01");
}

#[test]
fn stream_has_its_time_though_the_link_took_nothing_before_it() {
    let mut client = Client::connected(CLEAN);
    let mut left = 31;
    client.application.answers(move |library, event| match event.kind {
        Kind::PublishAcknowledged if left > 1 => {
            left -= 1;
            library.publish_data(0, Some("x"), 0, b"").unwrap();
            None
        }
        Kind::PublishAcknowledged if left == 1 => {
            left = 0;
            library.publish_stream(0, Some("s"), 1, 100).unwrap();
            None
        }
        Kind::PublishDataPart => Some(0.into()),
        _ => None,
    });
    client.library.publish_data(0, Some("x"), 0, b"").unwrap();
    client.link.arrives(&bytes("32 05 00 01 'b' 00 07"));
    client.poll_once();
    client.link.room = 0;
    client.poll();
    let (mut asked, mut late) = (None, None);
    for second in 0..40 {
        if !client.asked.is_empty() {
            asked.get_or_insert(second);
        }
        if client.take_events().contains(&TIMEOUT) {
            late.get_or_insert(second);
        }
        if second == 14 {
            client.link.room = usize::MAX;
        }
        client.pass(1000);
    }
    let (asked, late) = (asked.unwrap(), late.unwrap());
    assert!(late - asked >= 15, "asked for the first time in second {asked}, given up in second {late}");
}

#[test]
fn next_stream_is_asked_at_once_where_the_one_before_needs_no_more() {
    let mut client = Client::connected(KEPT);
    let first = client.publish_stream("a", 2, 2);
    client.lose(lost::CLOSED);
    client.application.answers(move |_, event| {
        (event.kind == Kind::PublishDataPart && event.message().handle == first).then(|| 0.into())
    });
    client.connect(KEPT);
    client.library.publish_stream(0, Some("b"), 0, 2).unwrap();
    client.link.chunk = 4; // the first stream is asked again, and has nothing to give, before PUBREC comes
    client.take_sent();
    client.link.arrives(&bytes("20 02 01 00 50 02 00 01"));
    client.poll_once();
    client.expect_sent("62 02 00 01 30 05 00 01 'b' 00 01");
}

#[test]
fn stream_is_not_begun_behind_the_call_to_disconnect() {
    for asked_before in [false, true] {
        let mut client = Client::connected(CLEAN);
        client.application.answers(|_, event| (event.kind == Kind::PublishDataPart).then(|| 0.into()));
        client.library.publish_stream(0, Some("a"), 0, 100_000).unwrap();
        if asked_before {
            client.poll();
            client.asked.clear();
        }
        client.library.disconnect().unwrap();
        client.poll();
        client.expect_asked([]);
        client.expect_sent("e0 00");
        client.pass(1000);
        client.expect_events([failed(0), CONNECTION_CLOSED]);
    }
}

/// A stream that the link takes slowly: answers to what arrives wait behind it, and when there is no room for more of them, nothing
/// is read.
fn slow_stream(client: &mut Client) {
    client.library.publish_stream(0, Some("b"), 1, 100_000).unwrap();
    client.poll();
    for identifier in 1..=20 {
        client.link.arrives(&publish(0x32, "a/b", identifier, &[]));
    }
    client.poll();
}

/// Seconds, in each of which the link takes 1000 bytes.
fn slow_passes(client: &mut Client, seconds: u32) {
    for _ in 0..seconds {
        client.pass(1000);
        client.link.room += 1000;
    }
}

#[test]
fn suback_that_is_not_read_for_want_of_room_for_answers_is_not_late() {
    let mut client = Client::connected(KEPT);
    client.library.subscribe(Some("a/#"), 1).unwrap();
    client.link.room = 1000;
    slow_stream(&mut client);
    client.link.arrives(&bytes("90 03 00 01 01"));
    slow_passes(&mut client, 110);
    let mut told = client.take_events();
    told.retain(|event| event.kind != Kind::TopicMessage);
    assert_eq!(told, [suback(1, 1)]);
}

#[test]
fn pingresp_that_is_not_read_for_want_of_room_for_answers_is_not_late() {
    let mut client = Client::connected_with(Options { keep_alive: 40, ..DEFAULTS }, KEPT);
    client.pass(10_000);
    client.expect_sent("c0 00");
    client.link.room = 1000;
    slow_stream(&mut client);
    client.link.arrives(&bytes("d0 00"));
    slow_passes(&mut client, 110);
    let mut told = client.take_events();
    told.retain(|event| event.kind != Kind::TopicMessage);
    assert_eq!(told, []);
}

#[test]
fn suback_that_is_not_read_behind_one_qos_2_message_too_many_is_not_late() {
    let mut client = Client::connected(KEPT);
    for identifier in 1..=32 {
        client.receive_bytes(&publish(0x34, "m", identifier, &[]));
    }
    client.take_sent();
    client.take_events();
    client.link.room = 8 + 1000; // SUBSCRIBE, and the beginning of a stream
    client.library.subscribe(Some("a"), 1).unwrap();
    client.library.publish_stream(0, Some("b"), 0, 30_000).unwrap();
    client.poll();
    client.receive_bytes(&publish(0x34, "m", 33, &[]));
    client.receive("90 03 00 01 01");
    slow_passes(&mut client, 40);
    client.expect_events([acknowledged(0), BUSY, CONNECTION_CLOSED]);
}
