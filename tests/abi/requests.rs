//! fnSubscribeMQTT, fnUnsubscribeMQTT, fnShowMQTT_subscription, fnGetMQTT_subscription; and in which states requests are accepted.

use super::c::{self, MAX_SUBSCRIPTIONS, MAX_TOPIC_LENGTH};
use super::client::{ACCEPTED, Client, connect};
use super::world::world;
use core::ffi::c_int;
use std::ffi::{CStr, CString};
use std::ptr;

/// What each request returns now; the first reference is taken by the first of them.
fn requests() -> [c_int; 5] {
    [
        c::subscribe(c"a", 0).min(0),
        c::publish(0, c"a", 0),
        c::publish_data(0, c"a", 0, b"x").min(0),
        c::publish_stream(0, c"a", 0, 1).min(0),
        c::unsubscribe(1),
    ]
}

#[test]
fn requests_are_accepted_from_the_first_byte_of_connect_until_disconnect() {
    let client = Client::closed();
    assert_eq!(requests(), [c::NOT_READY; 5], "closed");
    assert_eq!(connect(c::CLEAN), 0);
    assert_eq!(requests(), [c::NOT_READY; 5], "starting");
    world(|world| world.send_result = Some(0));
    client.poll();
    assert_eq!(requests(), [c::NOT_READY; 5], "the link is not there yet");
    world(|world| (world.send_result, world.send_limit) = (None, Some(1)));
    c::poll();
    assert_eq!(requests(), [0; 5], "connecting");
    world(|world| world.send_limit = None);
    client.poll();
    client.forget();
    client.receives(&ACCEPTED);
    let sent: Vec<u8> = client.sent().iter().map(|packet| packet[0]).collect();
    assert_eq!(sent, [0x82, 0x30, 0x30, 0x30], "in the order accepted; UNSUBSCRIBE waits for SUBACK");
    assert_eq!(c::disconnect(), 0);
    assert_eq!(requests(), [c::NOT_READY; 5], "disconnecting");
    client.poll();
    assert_eq!(requests(), [c::NOT_READY; 5], "disconnecting");
    client.passes(15_000);
    client.passes(1000);
    assert_eq!(requests(), [c::NOT_READY; 5], "closed");
}

#[test]
fn requests_that_come_too_early_are_not_ready_whatever_their_arguments() {
    let _client = Client::closed();
    for topic in [c"", c"a#", c"\xff"] {
        assert_eq!(c::subscribe(topic, 0), c::NOT_READY);
        assert_eq!(c::publish(0, topic, 0), c::NOT_READY);
        assert_eq!(c::publish_data(0, topic, 0, b"x"), c::NOT_READY);
        assert_eq!(c::publish_stream(0, topic, 0, 1), c::NOT_READY);
    }
    assert_eq!(c::publish(0, c"a", 0x20), c::NOT_READY);
    // SAFETY: null is allowed.
    assert_eq!(unsafe { c::raw::fnPublishMQTT_data(0, c"a".as_ptr(), 0, ptr::null(), 1) }, c::NOT_READY);
}

#[test]
fn requests_are_accepted_while_reconnecting() {
    let client = Client::closed();
    client.set_options(c::MQTT_OPTIONS { usReconnectMinSeconds: 1, ..c::MQTT_OPTIONS::default() });
    assert_eq!(connect(c::CLEAN), 0);
    client.poll();
    client.receives(&ACCEPTED);
    client.loses_link(c::LINK_FAILED);
    assert_eq!(client.kinds().last(), Some(&c::RECONNECTING));
    assert_eq!(requests(), [0; 5]);
}

#[test]
fn a_subscription_takes_the_lowest_free_entry_until_none_is_left() {
    let client = Client::connected(c::CLEAN);
    for reference in 1..=MAX_SUBSCRIPTIONS {
        assert_eq!(client.subscribed(c"a", 1), reference);
    }
    assert_eq!(c::subscribe(c"a", 1), c::NO_SUBSCRIPTION_ENTRY);
    assert_eq!(c::unsubscribe(3), 0);
    client.poll();
    assert_eq!(c::subscribe(c"a", 1), c::NO_SUBSCRIPTION_ENTRY, "in use until UNSUBACK");
    let packet = client.sent().pop().unwrap();
    assert_eq!(packet[0], 0xa2);
    client.receives(&[0xb0, 2, packet[2], packet[3]]);
    let event = client.events().pop().unwrap();
    assert_eq!((event.kind, event.data, event.length, event.reference), (c::UNSUBACK_RECEIVED, None, 0, 3));
    assert_eq!(c::subscribe(c"a", 1), 3);
}

#[test]
fn a_topic_filter_is_checked() {
    let client = Client::connected(c::CLEAN);
    let longest = CString::new("l".repeat(MAX_TOPIC_LENGTH)).unwrap();
    let longer = CString::new("l".repeat(MAX_TOPIC_LENGTH + 1)).unwrap();
    let huge = CString::new("l".repeat(70_000)).unwrap();
    assert_eq!(c::subscribe(c"", 0), c::MISSING_TOPIC);
    assert_eq!(c::subscribe(&*longer, 0), c::TOPIC_TOO_LONG);
    assert_eq!(c::subscribe(&*huge, 0), c::TOPIC_TOO_LONG);
    let invalid: [&CStr; 10] =
        [c"a/#/b", c"#a", c"a#", c"##", c"a+", c"+a/b", c"a/b+/c", c"\xff", c"a\xed\xa0\x80", c"\xc0\x80"];
    for topic in invalid {
        assert_eq!(c::subscribe(topic, 0), c::INVALID_TOPIC, "{topic:?}");
    }
    assert_eq!(c::poll(), client.poll(), "nothing was accepted");
    assert_eq!(client.sent(), [[0; 0]; 0]);
    let valid: [&CStr; 7] = [&longest, c"#", c"+", c"+/+/#", c"/", c"$SYS/#", c"\xc3\xa9\xf0\x9f\x98\x80"];
    for (reference, topic) in (1..).zip(valid) {
        assert_eq!(client.subscribed(topic, 0), reference, "{topic:?}");
        assert_eq!(c::subscription(reference.into()), Ok((Some(topic.to_bytes().to_vec()), 0, 0)));
    }
}

#[test]
fn a_qos_above_2_counts_as_2() {
    let client = Client::connected(c::CLEAN);
    for (qos, asked) in [(0, 0), (1, 1), (2, 2), (3, 2), (0x0f, 2), (0x80, 2), (0xff, 2)] {
        let reference = c::subscribe(c"a", qos);
        client.poll();
        let packet = client.sent().pop().unwrap();
        assert_eq!(packet[..2], [0x82, 6]);
        assert_eq!(packet[4..], [0, 1, b'a', asked], "{qos:#x}");
        assert_eq!(c::subscription(reference).unwrap().1, asked);
    }
}

#[test]
fn the_answers_of_suback_are_told() {
    let client = Client::connected(c::CLEAN);
    for (asked, granted) in [(2, 0), (2, 1), (2, 2), (0, 0)] {
        let reference = c::subscribe(c"a", asked);
        client.poll();
        let packet = client.sent().pop().unwrap();
        client.receives(&[0x90, 3, packet[2], packet[3], granted]);
        let event = client.events().pop().unwrap();
        assert_eq!((event.kind, event.length, c_int::from(event.reference)), (c::SUBACK_RECEIVED, granted.into(), reference));
        assert_eq!(c::subscription(reference), Ok((Some(b"a".into()), asked, granted)));
    }
    let reference = c::subscribe(c"a", 1);
    client.poll();
    let packet = client.sent().pop().unwrap();
    client.receives(&[0x90, 3, packet[2], packet[3], 0x80]);
    let event = client.events().pop().unwrap();
    assert_eq!((event.kind, event.length, event.data, c_int::from(event.reference)), (c::SUBSCRIPTION_REFUSED, 128, None, reference));
    assert_eq!(c::subscribe(c"a", 1), reference, "the entry is free again");
}

#[test]
fn a_null_topic_is_asked_for_each_time_it_is_needed() {
    let client = Client::connected(c::CLEAN);
    assert_eq!(c::subscribe(None, 1), 1);
    client.poll();
    let packet = client.sent().pop().unwrap();
    assert_eq!(packet[4..], *b"\0\x05asked\x01");
    client.receives(&[0x90, 3, packet[2], packet[3], 1]);
    let event = client.events().remove(0);
    assert_eq!((event.kind, event.reference, event.length > 0), (c::PUBLISH_TOPIC, 1, true));
    assert_eq!(c::subscription(1), Ok((None, 1, 1)));
    assert_eq!(c::unsubscribe(1), 0);
    client.poll();
    assert_eq!(client.kinds(), [c::PUBLISH_TOPIC]);
    assert_eq!(client.sent().pop().unwrap()[4..], *b"\0\x05asked");
}

#[test]
fn an_empty_invalid_or_too_long_answer_refuses_the_subscription() {
    let client = Client::connected(c::CLEAN);
    for (text, claimed) in [("", 0), ("a/#/b", 5), ("a", u16::MAX)] {
        client.on_event(move |event, room| {
            if event.kind != c::PUBLISH_TOPIC {
                return None;
            }
            room[..text.len()].copy_from_slice(text.as_bytes());
            Some(claimed)
        });
        assert_eq!(c::subscribe(None, 1), 1, "the entry is free");
        client.poll();
        let event = client.events().pop().unwrap();
        assert_eq!((event.kind, event.length, event.reference), (c::SUBSCRIPTION_REFUSED, 0, 1), "{text}");
        assert_eq!(client.sent(), [[0; 0]; 0]);
    }
}

#[test]
fn a_reference_is_checked() {
    let client = Client::connected(c::CLEAN);
    assert_eq!(client.subscribed(c"a", 1), 1);
    for reference in 2..=MAX_SUBSCRIPTIONS {
        assert_eq!(c::unsubscribe(reference), c::NO_SUBSCRIPTION_ENTRY);
        assert_eq!(c::show_subscription(reference.into()), c::NO_SUBSCRIPTION_ENTRY);
        assert_eq!(c::subscription(reference.into()), Err(c::NO_SUBSCRIPTION_ENTRY));
    }
    for reference in [0, MAX_SUBSCRIPTIONS + 1, 127, 128, 255] {
        assert_eq!(c::unsubscribe(reference), c::INVALID_SUBSCRIPTION);
    }
    for reference in [0, -1, i32::MIN, 9, 255, 256, 257, 65537, i32::MAX] {
        assert_eq!(c::show_subscription(reference), c::INVALID_SUBSCRIPTION, "{reference}");
        assert_eq!(c::subscription(reference), Err(c::INVALID_SUBSCRIPTION), "{reference}");
    }
    // SAFETY: null is allowed.
    assert_eq!(unsafe { c::raw::fnGetMQTT_subscription(1, ptr::null_mut()) }, c::INVALID_ARGUMENT);
    assert_eq!(c::unsubscribe(1), 0);
    assert_eq!(c::unsubscribe(1), c::NO_SUBSCRIPTION_ENTRY, "ending already");
    assert_eq!(world(|world| world.printed.len()), 0);
}

#[test]
fn a_subscription_is_printed_as_mu_tasker_prints_it() {
    let client = Client::connected(c::CLEAN);
    let longest = CString::new("0123456789abcdef").unwrap();
    client.subscribed(c"uTasker/test1", 2);
    client.subscribed(&longest, 0);
    c::subscribe(None, 1);
    for reference in 1..=3 {
        assert_eq!(c::show_subscription(reference), 0);
    }
    let expected: [&[u8]; 3] =
        [b"Reference:1 QoS:2 Topic:uTasker/test1\r\n", b"Reference:2 QoS:0 Topic:0123456789abcdef\r\n", b"Reference:3 QoS:1 Topic:\r\n"];
    assert_eq!(world(|world| world.printed.clone()), expected);
}

#[test]
fn all_subscriptions_are_printed_in_any_configuration() {
    use utasker_mqtt::config;
    let _client = Client::connected(c::CLEAN);
    let longest = "l".repeat(config::MAX_TOPIC_LENGTH);
    let topic = CString::new(&*longest).unwrap();
    for reference in 1..=config::MAX_SUBSCRIPTIONS as i32 {
        assert_eq!(c::subscribe(&*topic, 1), reference);
        assert_eq!(c::show_subscription(reference), 0);
        assert_eq!(world(|world| world.printed.pop()), Some(format!("Reference:{reference} QoS:1 Topic:{longest}\r\n").into_bytes()));
    }
}

#[test]
fn subscriptions_are_forgotten_when_a_clean_connection_closes_and_kept_otherwise() {
    for (flags, left) in [(c::CLEAN, Err(c::NO_SUBSCRIPTION_ENTRY)), (0, Ok((Some(b"a".to_vec()), 1, 1)))] {
        let client = Client::connected(flags);
        client.subscribed(c"a", 1);
        client.loses_link(c::LINK_CLOSED);
        assert_eq!(c::subscription(1), left);
        assert_eq!(c::show_subscription(1), left.map_or_else(|error| error, |_| 0));
    }
}
