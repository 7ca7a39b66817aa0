//! fnPublishMQTT, fnPublishMQTT_data, fnPublishMQTT_stream.

use super::c::{self, ACKNOWLEDGEMENTS, MAX_SUBSCRIPTIONS, PUBLISH_ROOM, TX_BUFFER_LENGTH};
use super::client::Client;
use super::world::{stream_byte, world};
use core::ffi::c_int;
use std::ffi::{CStr, CString};
use std::ptr;

type Publish = fn(u8, Option<&CStr>, i8) -> c_int;

/// The three functions, with a payload of one byte. A handle counts as 0.
const FUNCTIONS: [Publish; 3] = [
    |reference, topic, qos| c::publish(reference, topic, qos),
    |reference, topic, qos| c::publish_data(reference, topic, qos, b"x").min(0),
    |reference, topic, qos| c::publish_stream(reference, topic, qos, 1).min(0),
];

#[test]
fn every_qos_from_minus_128_to_127_has_its_meaning() {
    let client = Client::connected(c::CLEAN);
    let reference = client.subscribed(c"a", 1);
    for value in i8::MIN..=i8::MAX {
        for publish in FUNCTIONS {
            for (to, default) in [(reference, 1), (0, 2)] {
                let result = publish(to, Some(c"b"), value);
                if value > 0x1f {
                    assert_eq!(result, c::INVALID_ARGUMENT, "{value}");
                    continue;
                }
                assert_eq!(result, 0, "{value}");
                client.poll();
                let packet = client.sent().pop().unwrap();
                let qos = match value {
                    ..0 | 0x0f | 0x1f => default,
                    _ => (value as u8 & 0x0f).min(2),
                };
                let retain = u8::from(value >= 0 && value & 0x10 != 0);
                assert_eq!(packet[0], 0x30 | qos << 1 | retain, "{value}");
                client.acknowledges(&packet);
                let event = client.events().pop().unwrap();
                let message = event.message.unwrap();
                assert_eq!((event.kind, event.length, event.reference), (c::PUBLISH_ACKNOWLEDGED, qos.into(), to), "{value}");
                assert_eq!((message.qos, message.retained, message.duplicate), (qos, retain, 0), "{value}");
            }
        }
    }
}

#[test]
fn topics_and_references_are_checked() {
    let client = Client::connected(c::CLEAN);
    client.subscribed(c"a/+", 1);
    let longer = CString::new("l".repeat(TX_BUFFER_LENGTH)).unwrap();
    let huge = CString::new("l".repeat(70_000)).unwrap();
    for publish in FUNCTIONS {
        assert_eq!(publish(0, Some(c""), 0), c::MISSING_TOPIC);
        assert_eq!(publish(2, None, 0), c::MISSING_TOPIC, "not in use");
        for reference in [MAX_SUBSCRIPTIONS + 1, 128, 255] {
            assert_eq!(publish(reference, None, 0), c::INVALID_SUBSCRIPTION);
            assert_eq!(publish(reference, Some(c"a"), 0), c::INVALID_SUBSCRIPTION);
        }
        let invalid: [&CStr; 9] = [c"#", c"+", c"a/+", c"a/#", c"a+b", c"a#b", c"\xff", c"a\xed\xa0\x80", c"\xf4\x90\x80\x80"];
        for topic in invalid {
            assert_eq!(publish(0, Some(topic), 0), c::INVALID_TOPIC, "{topic:?}");
        }
        assert_eq!(publish(1, None, 0), c::INVALID_TOPIC, "the subscription's topic has a wildcard");
        assert_eq!(publish(0, Some(&longer), 0), c::TOPIC_TOO_LONG);
        assert_eq!(publish(0, Some(&huge), 0), c::TOPIC_TOO_LONG);
    }
    client.poll();
    assert_eq!((client.sent(), client.kinds()), (vec![], vec![]), "nothing was accepted");
}

#[test]
fn a_topic_is_copied_and_may_be_longer_than_a_stored_one() {
    let client = Client::connected(c::CLEAN);
    let mut topic = vec![b't'; 501];
    topic[500] = 0;
    for publish in FUNCTIONS {
        topic[..500].fill(b't');
        assert_eq!(publish(0, Some(CStr::from_bytes_with_nul(&topic).unwrap()), 0), 0);
        topic[..500].fill(b'x');
        client.poll();
        assert_eq!(client.sent().pop().unwrap()[5..505], [b't'; 500]);
    }
}

#[test]
fn a_null_topic_is_that_of_the_subscription_or_asked_for() {
    let client = Client::connected(c::CLEAN);
    let stored = client.subscribed(c"stored", 1);
    assert_eq!(c::subscribe(None, 2), 2);
    client.poll();
    client.forget();
    for (reference, topic, asks) in [(stored, "stored", false), (2, "asked", true), (0, "asked", true)] {
        for publish in FUNCTIONS {
            assert_eq!(publish(reference, None, 0), 0);
            client.poll();
            let packet = client.sent().pop().unwrap();
            assert_eq!(packet[2..4 + topic.len()], [&[0, topic.len() as u8], topic.as_bytes()].concat());
            let asked = client.events().iter().any(|event| event.kind == c::PUBLISH_TOPIC && event.reference == reference);
            assert_eq!(asked, asks);
        }
    }
}

#[test]
fn fn_publish_returns_0_and_asks_for_its_payload_in_the_whole_room() {
    let client = Client::connected(c::CLEAN);
    let reference = client.subscribed(c"a", 0);
    assert_eq!(c::publish(reference, None, 0), 0);
    client.poll();
    assert_eq!(client.sent(), [b"\x30\x07\0\x01adata"]);
    let events = client.events();
    let [asked, told] = &events[..] else { panic!("{events:?}") };
    assert_eq!((asked.kind, asked.length, asked.reference), (c::PUBLISH_DATA, PUBLISH_ROOM as u64, reference));
    assert_eq!((told.kind, told.length, told.reference, &told.data), (c::PUBLISH_ACKNOWLEDGED, 0, reference, &None));
}

#[test]
fn a_full_room_and_an_empty_payload_are_published() {
    let client = Client::connected(c::CLEAN);
    for length in [0, 1, PUBLISH_ROOM] {
        client.on_event(move |event, room| {
            (event.kind == c::PUBLISH_DATA).then(|| {
                room[..length].fill(b'p');
                length as u16
            })
        });
        assert_eq!(c::publish(0, c"a", 1), 0);
        client.poll();
        let packet = client.sent().pop().unwrap();
        assert_eq!(packet[packet.len() - length..], vec![b'p'; length]);
        client.acknowledges(&packet);
        assert_eq!(client.events().pop().unwrap().message.unwrap().total, length as u64);
    }
}

#[test]
fn a_payload_is_copied_during_the_call() {
    let client = Client::connected(c::CLEAN);
    let mut data = *b"payload";
    let handle = c::publish_data(0, c"a", 1, &data);
    assert!(handle > 0);
    data.fill(0);
    std::hint::black_box(&data);
    client.poll();
    let packet = client.sent().pop().unwrap();
    assert_eq!(packet[..5], *b"\x32\x0c\0\x01a");
    assert_eq!(packet[7..], *b"payload");
    client.acknowledges(&packet);
    let event = client.events().pop().unwrap();
    assert_eq!((event.kind, c_int::from(event.message.unwrap().handle)), (c::PUBLISH_ACKNOWLEDGED, handle));
}

#[test]
fn a_null_payload_must_be_empty() {
    let client = Client::connected(c::CLEAN);
    // SAFETY: null is allowed.
    let publish = |length| unsafe { c::raw::fnPublishMQTT_data(0, c"a".as_ptr(), 0, ptr::null(), length) };
    assert_eq!(publish(1), c::INVALID_ARGUMENT);
    assert_eq!(publish(u16::MAX), c::INVALID_ARGUMENT);
    assert!(publish(0) > 0);
    client.poll();
    assert_eq!(client.sent(), [b"\x30\x03\0\x01a"]);
}

#[test]
fn a_payload_that_never_fits_is_too_long_and_one_that_fits_later_busy() {
    let client = Client::connected(c::CLEAN);
    assert_eq!(c::publish_data(0, c"a", 1, &[0; 65535]), c::MESSAGE_TOO_LONG);
    assert_eq!(c::publish_data(0, c"a", 1, &[0; TX_BUFFER_LENGTH]), c::MESSAGE_TOO_LONG);
    let longest = (1..TX_BUFFER_LENGTH).rev().find(|&length| c::publish_data(0, c"a", 1, &vec![b'p'; length]) > 0).unwrap();
    assert!(longest >= TX_BUFFER_LENGTH - ACKNOWLEDGEMENTS - 16, "{longest}");
    assert_eq!(c::publish_data(0, c"a", 1, b"x"), c::BUSY);
    client.poll();
    let packet = client.sent().pop().unwrap();
    assert_eq!(packet[8..], vec![b'p'; longest]);
    assert_eq!(c::publish_data(0, c"a", 1, b"x"), c::BUSY, "until it is acknowledged");
    client.acknowledges(&packet);
    assert!(c::publish_data(0, c"a", 1, b"x") > 0);
}

#[test]
fn more_publications_than_entries_are_busy() {
    let client = Client::connected(c::CLEAN);
    for publish in FUNCTIONS {
        world(|world| world.send_result = Some(0));
        let accepted = (0..200).take_while(|_| publish(0, Some(c"a"), 1) == 0).count();
        assert!((1..200).contains(&accepted));
        assert_eq!(publish(0, Some(c"a"), 1), c::BUSY);
        world(|world| world.send_result = None);
        let mut acknowledged = 0;
        while acknowledged < accepted {
            client.poll();
            let sent = client.sent();
            assert!(!sent.is_empty(), "{acknowledged} of {accepted}");
            sent.iter().for_each(|packet| client.acknowledges(packet));
            acknowledged += sent.len();
        }
        let told = client.kinds().iter().filter(|&&kind| kind == c::PUBLISH_ACKNOWLEDGED).count();
        assert_eq!(told, accepted);
    }
}

#[test]
fn handles_differ_and_are_told_in_the_last_event() {
    let client = Client::connected(c::CLEAN);
    let handles = [c::publish_data(0, c"a", 0, b"1"), c::publish_stream(0, c"a", 1, 1), c::publish_data(0, c"a", 2, b"3")];
    assert!(handles.iter().all(|&handle| handle > 0 && handle <= 0xffff));
    assert!(handles[0] != handles[1] && handles[1] != handles[2] && handles[0] != handles[2]);
    client.poll();
    client.sent().iter().for_each(|packet| client.acknowledges(packet));
    let mut told: Vec<_> = client.events();
    told.retain(|event| event.kind == c::PUBLISH_ACKNOWLEDGED);
    assert_eq!(told.iter().map(|event| c_int::from(event.message.as_ref().unwrap().handle)).collect::<Vec<_>>(), handles);
}

#[test]
fn a_stream_is_asked_for_piece_by_piece() {
    let client = Client::connected(c::CLEAN);
    for (total, qos) in [(0, 0), (1, 1), (100_000, 0), (100_000, 2)] {
        assert!(c::publish_stream(0, c"a", qos, total) > 0);
        client.poll();
        let packet = client.sent().pop().unwrap();
        let (begin, end) = packet.split_at(packet.len() - total as usize);
        assert_eq!((begin[0], begin.last()), (0x30 | (qos as u8) << 1, if qos == 0 { Some(&b'a') } else { begin.last() }));
        assert!(end.iter().zip(0..).all(|(&byte, offset)| byte == stream_byte(offset)), "{total}");
        client.acknowledges(&packet);
        let mut offset = 0;
        for event in client.events() {
            let message = event.message.clone().unwrap();
            assert_eq!((message.total, message.qos), (total, qos as u8));
            if event.kind == c::PUBLISH_DATA_PART {
                assert_eq!(message.offset, offset);
                assert!(event.length > 0);
                offset += event.length;
            } else {
                assert_eq!((event.kind, event.length), (c::PUBLISH_ACKNOWLEDGED, qos as u64));
            }
        }
        assert_eq!(offset, total);
    }
}

#[test]
fn a_stream_longer_than_mqtt_can_carry_is_too_long() {
    let client = Client::connected(c::CLEAN);
    client.on_event(|event, _| (event.kind == c::PUBLISH_DATA_PART).then_some(u16::MAX));
    for total in [1 << 28, u64::from(u32::MAX), 1 << 32, u64::MAX] {
        assert_eq!(c::publish_stream(0, c"a", 0, total), c::MESSAGE_TOO_LONG, "{total:#x}");
    }
    assert!(c::publish_stream(0, c"a", 0, (1 << 28) - 4096) > 0);
    client.poll();
    let asked = client.events().remove(0);
    assert_eq!((asked.kind, asked.message.unwrap().total), (c::PUBLISH_DATA_PART, (1 << 28) - 4096));
}

#[test]
fn a_stream_with_nothing_to_give_is_asked_again_within_100_ms_and_fails_after_the_response_time() {
    let client = Client::connected(c::CLEAN);
    client.on_event(|event, _| (event.kind == c::PUBLISH_DATA_PART).then_some(0));
    assert!(c::publish_stream(0, c"a", 1, 10) > 0);
    let mut waited = 0;
    let mut asked = 0;
    loop {
        let wait = client.poll();
        let kinds = client.kinds();
        asked += kinds.iter().filter(|&&kind| kind == c::PUBLISH_DATA_PART).count();
        if kinds.contains(&c::CONNECTION_CLOSED) {
            assert!(kinds.ends_with(&[c::TIMEOUT, c::PUBLISH_FAILED, c::CONNECTION_CLOSED]), "{kinds:?}");
            break;
        }
        assert!((1..=100).contains(&wait), "{wait}");
        waited += wait;
        world(|world| world.now += wait);
    }
    assert_eq!(waited, 15_000);
    assert!(asked >= 150, "{asked}");
}

#[test]
fn qos_2_is_repeated_where_the_last_event_is_answered_so_but_only_for_fn_publish() {
    let client = Client::connected(c::CLEAN);
    client.on_event(|event, _| (event.kind == c::PUBLISH_ACKNOWLEDGED).then_some(1));
    for (publish, repeats) in FUNCTIONS.iter().zip([true, false, false]) {
        assert_eq!(publish(0, Some(c"a"), 2), 0);
        client.poll();
        let packet = client.sent().pop().unwrap();
        client.acknowledges(&packet);
        let repeated = client.sent();
        assert_eq!(repeated.len(), usize::from(repeats));
        if repeats {
            assert_eq!(repeated[0][0], 0x34, "not a duplicate");
            client.on_event(|_, _| None);
            client.acknowledges(&repeated[0]);
            client.on_event(|event, _| (event.kind == c::PUBLISH_ACKNOWLEDGED).then_some(1));
            assert_eq!(client.kinds(), [c::PUBLISH_DATA, c::PUBLISH_ACKNOWLEDGED, c::PUBLISH_DATA, c::PUBLISH_ACKNOWLEDGED]);
        }
    }
}

#[test]
fn what_was_accepted_before_disconnect_is_sent_before_it_or_fails() {
    for publish in FUNCTIONS {
        for qos in 0..=2 {
            let client = Client::connected(c::CLEAN);
            assert_eq!(publish(0, Some(c"a"), qos), 0);
            assert_eq!(c::disconnect(), 0);
            client.poll();
            let mut packets = client.sent();
            let is_published = packets[0][0] & 0xf0 == 0x30;
            if is_published {
                client.acknowledges(&packets[0]);
                packets.extend(client.sent());
            }
            assert_eq!(packets.pop().unwrap(), [0xe0, 0]);
            client.loses_link(c::LINK_CLOSED);
            let mut kinds = client.kinds();
            kinds.retain(|&kind| !matches!(kind, c::PUBLISH_DATA | c::PUBLISH_DATA_PART));
            assert_eq!(kinds, [if is_published { c::PUBLISH_ACKNOWLEDGED } else { c::PUBLISH_FAILED }, c::CONNECTION_CLOSED]);
        }
    }
}

#[test]
fn every_accepted_publication_ends_with_one_event() {
    let client = Client::connected(c::CLEAN);
    let accepted: usize = FUNCTIONS.iter().map(|publish| (0..=2).filter(|&qos| publish(0, Some(c"a"), qos) == 0).count()).sum();
    world(|world| world.send_limit = Some(1));
    c::poll();
    client.loses_link(c::LINK_CLOSED);
    let mut ends = client.kinds();
    assert_eq!(ends.pop(), Some(c::HOST_CLOSED));
    ends.retain(|kind| matches!(*kind, c::PUBLISH_ACKNOWLEDGED | c::PUBLISH_FAILED));
    assert_eq!(ends.len(), accepted);
}
