//! What may be called inside the callback, and what its answers may be.

use super::c;
use super::client::{ACCEPTED, Client, connect};
use super::world::world;
use core::ffi::c_int;
use std::collections::BTreeSet;
use std::ptr;
use std::sync::{Arc, Mutex};

const WITH_MESSAGE: [c_int; 7] = [
    c::TOPIC_MESSAGE,
    c::TOPIC_MESSAGE_PART,
    c::PUBLISH_TOPIC,
    c::PUBLISH_DATA,
    c::PUBLISH_DATA_PART,
    c::PUBLISH_ACKNOWLEDGED,
    c::PUBLISH_FAILED,
];

/// Has every event of the border happen but those that end an attempt before CONNACK.
fn live(client: &Client) {
    assert!(course(client).iter().all(|accepted| *accepted));
}

/// The same, which goes on where the callback ends the connection. Returns whether each request was accepted.
fn course(client: &Client) -> Vec<bool> {
    let mut accepted = Vec::new();
    client.set_options(c::MQTT_OPTIONS { usReconnectMinSeconds: 1, ..c::MQTT_OPTIONS::default() });
    assert_eq!(connect(c::WILL | c::USER | c::PASSWORD), 0);
    client.poll();
    client.receives(&[0x20, 2, 0, 5]);
    client.passes(1000);
    client.receives(&ACCEPTED);
    client.sent();
    for topic in [Some(c"a"), None, Some(c"refused")] {
        let reference = c::subscribe(topic, 1);
        accepted.push(reference > 0);
        client.poll();
        answer(client, &[0x90, 3], &[if reference == 3 { 0x80 } else { 1 }]);
    }
    client.receives(b"\x30\x06\0\x01adef");
    client.receives(&[b"\x30\x83\x20\0\x01a", &[7; 4096][..]].concat());
    accepted.push(c::unsubscribe(1) == 0);
    client.poll();
    answer(client, &[0xb0, 2], &[]);
    for publish in [|| c::publish(2, None, 1), || c::publish_stream(0, c"b", 1, 4000), || c::publish(0, c"c", 0)] {
        accepted.push(publish() >= 0);
        client.poll();
        client.sent().iter().filter(|packet| packet[0] & 0xf0 == 0x30).for_each(|packet| client.acknowledges(packet));
    }
    world(|world| world.send_result = Some(0));
    accepted.push(c::publish_data(0, c"fails", 0, b"x") > 0);
    client.loses_link(c::LINK_FAILED);
    world(|world| world.send_result = None);
    client.passes(1000);
    client.receives(&[0xf0, 0]);
    client.passes(2000);
    accepted.push(c::disconnect() == 0);
    client.passes(1000);
    accepted
}

/// The broker answers the SUBSCRIBE or UNSUBSCRIBE that was sent last, if there was one.
fn answer(client: &Client, head: &[u8], tail: &[u8]) {
    if let Some(identifier) = client.sent().last().and_then(|packet| packet.get(2..4)) {
        client.receives(&[head, identifier, tail].concat());
    }
}

#[test]
fn fn_get_message_tells_details_in_its_seven_events_only() {
    let client = Client::closed();
    live(&client);
    let mut seen = BTreeSet::new();
    for event in client.events() {
        seen.insert(event.kind);
        assert_eq!(event.message.is_ok(), WITH_MESSAGE.contains(&event.kind), "{event:?}");
        assert_eq!(event.message.err().unwrap_or(c::NOT_READY), c::NOT_READY);
    }
    let all: BTreeSet<c_int> = [c::LINK, c::PROTOCOL].into_iter().chain(1..=20).collect();
    assert_eq!(seen, all, "every event has happened");
    assert_eq!(c::message(), Err(c::NOT_READY), "outside");
    // SAFETY: null is allowed.
    assert_eq!(unsafe { c::raw::fnGetMQTT_message(ptr::null_mut()) }, c::INVALID_ARGUMENT);
}

#[test]
fn a_null_message_is_an_invalid_argument_inside_events_too() {
    let client = Client::closed();
    client.on_event(|event, _| {
        // SAFETY: null is allowed.
        let result = unsafe { c::raw::fnGetMQTT_message(ptr::null_mut()) };
        assert!(result == c::INVALID_ARGUMENT, "{event:?}");
        None
    });
    live(&client);
}

#[test]
fn the_topic_of_a_message_stays_until_the_callback_returns() {
    let client = Client::connected(c::CLEAN);
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let compared = seen.clone();
    client.on_event(move |event, _| {
        let topic = event.message.as_ref().ok().and_then(|message| message.topic.as_deref());
        if topic.is_some_and(|topic| topic != b"another") {
            while c::publish_data(0, c"another", 0, &[7; 100]) > 0 {}
            assert_eq!(c::message().unwrap().topic.as_deref(), topic, "{event:?}");
            compared.lock().unwrap().insert(event.kind);
        }
        None
    });
    client.receives(b"\x30\x06\0\x01adef");
    client.receives(&[b"\x30\x83\x20\0\x01a", &[7; 4096][..]].concat());
    for publish in [|| c::publish(0, c"b", 1), || c::publish_stream(0, c"c", 1, 400)] {
        assert!(publish() >= 0);
        client.poll();
        client.sent().iter().for_each(|packet| client.acknowledges(packet));
    }
    assert!(c::publish_data(0, c"fails", 1, b"x") > 0);
    client.loses_link(c::LINK_FAILED);
    let expected = WITH_MESSAGE.into_iter().filter(|kind| *kind != c::PUBLISH_TOPIC).collect();
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[test]
fn data_are_null_in_every_event_that_neither_asks_nor_brings_a_message() {
    let client = Client::closed();
    live(&client);
    for event in client.events() {
        let expected = matches!(event.kind, 1..=5 | c::PUBLISH_TOPIC | c::PUBLISH_DATA | c::PUBLISH_DATA_PART | c::TOPIC_MESSAGE | c::TOPIC_MESSAGE_PART);
        assert_eq!(event.data.is_some(), expected, "{event:?}");
    }
}

#[test]
fn a_nested_poll_returns_never_and_changes_nothing() {
    let run = |nested: bool| {
        let client = Client::closed();
        let results = Arc::new(Mutex::new(Vec::new()));
        if nested {
            let results = results.clone();
            client.on_event(move |_, _| {
                results.lock().unwrap().push(c::poll());
                None
            });
        }
        live(&client);
        // That the hook ran for every event, and what the wire saw.
        let results = std::mem::take(&mut *results.lock().unwrap());
        (client.kinds(), client.sent(), results)
    };
    let (kinds, sent, _) = run(false);
    let (nested_kinds, nested_sent, results) = run(true);
    assert_eq!(results, vec![c::NEVER; kinds.len()]);
    assert_eq!((nested_kinds, nested_sent), (kinds, sent));
}

#[test]
fn every_function_may_be_called_inside_every_event() {
    let client = Client::closed();
    client.set_options(c::MQTT_OPTIONS { usReconnectMinSeconds: 1, ..c::MQTT_OPTIONS::default() });
    let mut events = 0;
    client.on_event(move |_, _| {
        events += 1;
        if events > 1000 {
            return None; // each acknowledgement would have another publication follow, without end
        }
        let allowed = [0, c::NOT_READY, c::IN_USE, c::BUSY, c::NO_SUBSCRIPTION_ENTRY, c::MISSING_TOPIC];
        let results = [
            c::set_platform(&super::world::PLATFORM),
            c::set_options(c::MQTT_OPTIONS::default()),
            c::publish(0, c"inside", 0),
            c::publish(7, None, 0),
            c::publish_data(0, c"inside", 1, b"x").min(0),
            c::publish_stream(0, c"inside", 0, 1).min(0),
            c::subscribe(c"inside", 1).min(0),
            c::unsubscribe(8),
            c::show_subscription(8),
            c::subscription(8).err().unwrap_or(0),
        ];
        assert!(results.iter().all(|result| allowed.contains(result)), "{results:?}");
        None
    });
    assert_eq!(connect(c::CLEAN), 0);
    for round in 0..50 {
        client.poll();
        client.receives(match round {
            0 => &ACCEPTED,
            10 => b"\x30\x06\0\x01adef",
            _ => b"\xd0\0",
        });
        client.sent().iter().filter(|packet| packet[0] & 0xf0 == 0x30).for_each(|packet| {
            let topic_length = usize::from(packet[3]);
            if packet[0] & 0x06 == 0x02 {
                client.receives(&[0x40, 2, packet[4 + topic_length], packet[5 + topic_length]]);
            }
        });
    }
    client.loses_link(c::LINK_FAILED);
    let kinds = client.kinds();
    assert!(kinds.contains(&c::RECONNECTING) && kinds.contains(&c::PUBLISH_ACKNOWLEDGED), "{kinds:?}");
}

#[test]
fn a_request_of_the_callback_is_seen_before_fn_poll_returns() {
    let client = Client::connecting(c::CLEAN);
    client.sent();
    client.on_event(|event, _| {
        if event.kind == c::CONNACK_RECEIVED {
            assert_eq!(c::subscribe(c"a", 0), 1);
            assert!(c::publish_data(0, c"b", 0, b"x") > 0);
        }
        None
    });
    world(|world| world.incoming.extend_from_slice(&ACCEPTED));
    c::poll();
    assert_eq!(client.sent().iter().map(|packet| packet[0]).collect::<Vec<_>>(), [0x82, 0x30]);
}

type End = fn(&Client);

#[test]
fn fn_connect_may_be_called_inside_the_last_event() {
    let ends: [(&str, c_int, End); 4] = [
        ("host closed", c::HOST_CLOSED, |client| client.loses_link(c::LINK_CLOSED)),
        ("reset", c::HOST_CLOSED, |client| client.loses_link(c::LINK_FAILED)),
        ("unreachable", c::ARP_FAIL, |client| client.loses_link(c::LINK_UNREACHABLE)),
        ("protocol", c::CONNECTION_CLOSED, |client| assert_ne!(client.receives(&[0xf0, 0]), c::NEVER)),
    ];
    for (name, last, end) in ends {
        let client = Client::connected(c::CLEAN);
        let results = Arc::new(Mutex::new(Vec::new()));
        let written = results.clone();
        client.on_event(move |event, _| {
            if matches!(event.kind, c::PUBLISH_FAILED | c::PROTOCOL | c::LINK | c::HOST_CLOSED | c::ARP_FAIL | c::CONNECTION_CLOSED) {
                written.lock().unwrap().push((event.kind, connect(c::CLEAN)));
            }
            None
        });
        world(|world| world.send_result = Some(0));
        assert!(c::publish_data(0, c"a", 1, b"x") > 0);
        end(&client);
        world(|world| world.send_result = None);
        client.poll();
        let results = results.lock().unwrap().clone();
        let (&(kind, result), causes) = results.split_last().unwrap();
        assert_eq!((kind, result), (last, 0), "{name}");
        assert!(causes.iter().all(|&(_, result)| result == c::IN_USE), "{name}: {causes:?}");
        assert_eq!(world(|world| (world.opened.len(), world.closed)), (2, 1), "{name}");
        client.on_event(|_, _| None);
        client.receives(&ACCEPTED);
        assert_eq!(client.kinds().last(), Some(&c::CONNACK_RECEIVED), "{name}");
    }
}

#[test]
fn fn_disconnect_may_be_called_inside_every_event() {
    for inside in (1..=20).chain([c::LINK, c::PROTOCOL]) {
        let client = Client::closed();
        let result = Arc::new(Mutex::new(None));
        let written = result.clone();
        client.on_event(move |event, _| {
            if event.kind == inside {
                written.lock().unwrap().get_or_insert_with(|| c::disconnect());
            }
            None
        });
        course(&client);
        assert_eq!(*result.lock().unwrap(), Some(0), "{inside}");
        let kinds = client.kinds();
        let before = kinds.iter().position(|&kind| kind == inside).unwrap();
        assert!(!kinds[before + 1..].contains(&c::RECONNECTING), "{inside}: {kinds:?}");
        let last = if inside == c::LINK { c::HOST_CLOSED } else { c::CONNECTION_CLOSED };
        assert_eq!(kinds.last(), Some(&last), "{inside}: {kinds:?}");
        assert_eq!(c::disconnect(), c::NOT_READY, "{inside}");
    }
}

#[test]
fn an_answer_above_its_room_fails_the_publication() {
    let client = Client::connected(c::CLEAN);
    for (asking, claimed) in [(c::PUBLISH_DATA, 1401), (c::PUBLISH_DATA, u16::MAX), (c::PUBLISH_TOPIC, u16::MAX), (c::PUBLISH_TOPIC, 0)] {
        client.on_event(move |event, _| (event.kind == asking).then_some(claimed));
        assert_eq!(c::publish(0, None, 1), 0);
        client.poll();
        let event = client.events().pop().unwrap();
        assert_eq!((event.kind, event.length, event.reference), (c::PUBLISH_FAILED, 1, 0), "{asking} {claimed}");
        assert_eq!(client.sent(), [[0; 0]; 0]);
    }
    client.on_event(|_, _| None);
    assert_eq!(c::publish(0, c"a", 0), 0);
    client.poll();
    assert_eq!(client.kinds(), [c::PUBLISH_DATA, c::PUBLISH_ACKNOWLEDGED], "the room is free again");
}

#[test]
fn an_invalid_answer_to_publish_topic_fails_the_publication() {
    let client = Client::connected(c::CLEAN);
    for text in ["+", "a/#", "a\0b"] {
        client.on_event(move |event, room| {
            (event.kind == c::PUBLISH_TOPIC).then(|| {
                room[..text.len()].copy_from_slice(text.as_bytes());
                text.len() as u16
            })
        });
        assert!(c::publish_data(0, None, 2, b"x") > 0);
        client.poll();
        assert_eq!(client.kinds(), [c::PUBLISH_TOPIC, c::PUBLISH_FAILED], "{text}");
    }
}

#[test]
fn an_answer_above_its_room_or_an_invalid_one_fails_the_attempt_to_connect() {
    for field in 1..=5 {
        for (claimed, first) in [(u16::MAX, b'a'), (1, 0xff)] {
            if claimed == 1 && matches!(field, c::WILL_MESSAGE | c::USER_PASSWORD) {
                continue; // any bytes may be there
            }
            let client = Client::closed();
            client.on_event(move |event, room| {
                (event.kind == field).then(|| {
                    room[0] = first;
                    claimed
                })
            });
            assert_eq!(connect(c::CLEAN | c::WILL | c::USER | c::PASSWORD), 0);
            client.poll();
            let kinds = client.kinds();
            assert_eq!(kinds[kinds.len() - 3..], [field, c::INVALID_ARGUMENT, c::CONNECTION_CLOSED], "{field}");
            assert_eq!(client.sent(), [[0; 0]; 0]);
        }
    }
}

#[test]
fn a_piece_above_its_room_or_0xffff_ends_the_connection_and_fails_the_stream() {
    for extra in [1, u16::MAX] {
        let client = Client::connected(c::CLEAN);
        client.on_event(move |event, _| (event.kind == c::PUBLISH_DATA_PART).then(|| extra.saturating_add(event.length as u16)));
        let handle = c::publish_stream(0, c"a", 1, 10);
        client.poll();
        let events = client.events();
        let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [c::PUBLISH_DATA_PART, c::INVALID_ARGUMENT, c::PUBLISH_FAILED, c::CONNECTION_CLOSED]);
        assert_eq!(c_int::from(events[2].message.as_ref().unwrap().handle), handle);
    }
}

#[test]
fn a_message_goes_to_the_lowest_matching_reference() {
    let client = Client::connected(c::CLEAN);
    client.receives(b"\x31\x04\0\x01ax");
    let event = client.events().pop().unwrap();
    assert_eq!((event.kind, event.reference), (c::TOPIC_MESSAGE, 0), "it is never dropped");
    assert_eq!(event.message.unwrap().retained, 1);
    for topic in [Some(c"b/#"), None, Some(c"b/c"), None, Some(c"+/d"), Some(c"#")] {
        let reference = c::subscribe(topic, 0);
        client.poll();
        let packet = client.sent().pop().unwrap();
        client.receives(&[0x90, 3, packet[2], packet[3], 0]);
        assert!(reference > 0);
    }
    client.forget();
    for (topic, reference) in [("b/c", 1), ("b", 1), ("b/d", 1), ("x/d", 5), ("zzz", 6), ("$SYS", 2), ("$x/d", 2)] {
        let length = topic.len() as u8;
        client.receives(&[&[0x32, length + 6, 0, length], topic.as_bytes(), &[0, 9, b'h', b'i']].concat());
        let event = client.events().pop().unwrap();
        assert_eq!((event.kind, event.reference, event.data.unwrap()), (c::TOPIC_MESSAGE, reference, b"hi".to_vec()), "{topic}");
        let expected = c::Message { topic: Some(topic.into()), identifier: 9, handle: 0, qos: 1, retained: 0, duplicate: 0, total: 2, offset: 0 };
        assert_eq!(event.message, Ok(expected));
        assert_eq!(client.sent(), [[0x40, 2, 0, 9]]);
    }
}

#[test]
fn a_message_above_the_reception_buffer_comes_in_parts() {
    let client = Client::connected(c::CLEAN);
    let payload: Vec<u8> = (0..10_000).map(|offset: u32| (offset % 253) as u8).collect();
    let longest = c::RX_BUFFER_LENGTH as u64;
    client.receives(&[&[0x3a, 0x97, 0x4e, 0, 3], &b"big"[..], &[0, 7], &payload].concat());
    let mut offset = 0;
    for event in client.events() {
        let message = event.message.unwrap();
        assert_eq!((event.kind, message.offset, message.total), (c::TOPIC_MESSAGE_PART, offset, 10_000));
        assert_eq!((message.topic, message.identifier, message.qos, message.duplicate), (Some(b"big".into()), 7, 1, 1));
        assert!((1..=longest).contains(&event.length));
        assert_eq!(event.data.unwrap(), payload[offset as usize..][..event.length as usize]);
        offset += event.length;
    }
    assert_eq!(offset, 10_000);
    assert_eq!(client.sent(), [[0x40, 2, 0, 7]]);
}
