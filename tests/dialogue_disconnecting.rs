//! `fnDisconnectMQTT` in every state: what is under way is finished, then DISCONNECT goes out [MQTT-3.14.4].

mod support;
use support::*;

#[track_caller]
fn is_closed(client: &mut Client) {
    assert!(!client.link.is_open());
    assert_eq!(client.poll(), NEVER);
    assert_eq!(client.library.disconnect(), Err(Error::NotReady));
    client.connect(CLEAN);
    client.accept(false);
}

#[test]
fn disconnect_is_sent_and_the_link_has_a_second_to_close() {
    let mut client = Client::connected(CLEAN);
    client.disconnect();
    client.expect_sent("e0 00");
    client.expect_events([]);
    client.pass(999);
    assert!(client.link.is_open());
    client.pass(1);
    client.expect_events([CONNECTION_CLOSED]);
    is_closed(&mut client);
}

#[test]
fn what_else_is_late_does_not_shorten_the_second() {
    // SUBACK, then PINGRESP.
    for ping in [false, true] {
        let mut client = Client::connected(CLEAN);
        if ping {
            client.pass(75_000 + 14_500);
        } else {
            client.subscribe("a", 0);
        }
        client.take_sent();
        client.disconnect();
        client.pass(if ping { 0 } else { 15_000 });
        client.expect_sent("e0 00");
        client.pass(999);
        client.expect_events([]);
        client.pass(1);
        client.expect_events([CONNECTION_CLOSED]);
    }
}

#[test]
fn link_that_closes_behind_disconnect_ends_it_at_once() {
    for how in [lost::CLOSED, lost::FAILED, lost::UNREACHABLE] {
        let mut client = Client::connected(CLEAN);
        client.disconnect();
        client.expect_sent("e0 00");
        client.lose(how);
        client.expect_events([CONNECTION_CLOSED]);
        is_closed(&mut client);
    }
}

#[test]
fn nothing_is_sent_behind_disconnect() {
    // [MQTT-3.14.4-2]; nor a PINGREQ while acknowledgements are awaited.
    let mut client = Client::connected_with(Options { keep_alive: 1, ..DEFAULTS }, CLEAN);
    client.publish_data("a", 1, "");
    client.take_sent();
    client.disconnect();
    client.pass(10_000);
    client.expect_sent("");
    client.receive("40 02 00 01");
    client.pass(999);
    client.expect_sent("e0 00");
}

#[test]
fn what_arrives_behind_disconnect_is_discarded() {
    let mut client = Client::connected(CLEAN);
    client.receive_bytes(&publish(0x30, "a", 0, &[0; 2000])[..2004]);
    client.take_events();
    client.disconnect();
    client.receive("32 05 00 01 'a' 00 07");
    let before = client.link.receives;
    client.receive_bytes(&[0xff; 5000]);
    assert!(client.link.all_read());
    assert!(client.link.receives - before <= 5, "as much as the buffer holds at a time");
    client.expect_sent("e0 00");
    client.pass(1000);
    client.expect_events([CONNECTION_CLOSED]);
}

#[test]
fn nothing_is_accepted_meanwhile() {
    let mut client = Client::connected(CLEAN);
    client.publish_data("a", 1, "");
    client.disconnect();
    assert_eq!(client.library.publish(0, Some("a"), 0), Err(Error::NotReady));
    assert_eq!(client.library.subscribe(Some("a"), 0), Err(Error::NotReady));
    assert_eq!(client.library.unsubscribe(1), Err(Error::NotReady));
    assert_eq!(client.library.disconnect(), Err(Error::NotReady));
    assert_eq!(client.library.connect(CLEAN), Err(Error::InUse));
    client.receive("40 02 00 01");
    client.expect_sent("32 05 00 01 'a' 00 01 e0 00");
    assert_eq!(client.library.disconnect(), Err(Error::NotReady));
}

#[test]
fn acknowledgements_of_what_was_sent_are_awaited() {
    let mut client = Client::connected(CLEAN);
    client.publish_data("a", 1, "");
    client.publish_data("b", 2, "");
    client.subscribe("c", 0);
    client.take_sent();
    client.disconnect();
    client.expect_sent("");
    client.receive("40 02 00 01 50 02 00 02");
    client.expect_sent("62 02 00 02");
    client.receive("90 03 00 03 00");
    client.expect_sent("");
    client.receive("70 02 00 02");
    client.expect_sent("e0 00");
    client.pass(1000);
    client.expect_events([acknowledged(1), suback(0, 1), acknowledged(2), CONNECTION_CLOSED]);
}

#[test]
fn publication_is_not_repeated_meanwhile() {
    let mut client = Client::connected(CLEAN);
    client.application.answers(|_, event| (event.kind == Kind::PublishAcknowledged).then(|| 1.into()));
    client.publish("a", 2);
    client.receive("50 02 00 01");
    client.disconnect();
    client.take_sent();
    client.receive("70 02 00 01");
    client.expect_sent("e0 00");
    client.pass(1000);
    client.expect_events([acknowledged(2), CONNECTION_CLOSED]);
}

#[test]
fn acknowledgements_are_awaited_for_15_seconds() {
    let mut client = Client::connected(CLEAN);
    client.publish_data("a", 1, "");
    client.take_sent();
    client.disconnect();
    client.pass(14_999);
    client.expect_sent("");
    client.pass(1);
    client.expect_sent("e0 00");
    client.pass(1000);
    client.expect_events([failed(1), CONNECTION_CLOSED]);
    is_closed(&mut client);
}

#[test]
fn acknowledgements_are_awaited_for_15_seconds_behind_a_stream_that_has_nothing_yet() {
    let mut client = Client::connected(CLEAN);
    client.publish_data("a", 1, "");
    client.application.answers(|_, event| (event.kind == Kind::PublishDataPart).then(|| 0.into()));
    client.publish_stream("b", 0, 10);
    client.take_sent();
    client.pass(14_000);
    client.disconnect();
    client.pass(14_999);
    client.expect_sent("");
    client.pass(1);
    client.expect_sent("e0 00");
}

#[test]
fn messages_are_still_told_and_answered_while_acknowledgements_are_awaited() {
    let mut client = Client::connected(CLEAN);
    client.publish_data("a", 1, "");
    client.take_sent();
    client.disconnect();
    client.receive("32 05 00 01 'x' 00 09");
    client.expect_sent("40 02 00 09");
    client.expect_events([message(0, "")]);
}

#[test]
fn acknowledgements_that_the_link_does_not_take_are_sent_before_it() {
    let mut client = Client::connected(CLEAN);
    client.link.room = 0;
    client.receive("32 05 00 01 'x' 00 09");
    client.disconnect();
    client.pass(14_999);
    client.link.room = usize::MAX;
    client.poll();
    client.expect_sent("40 02 00 09 e0 00");
}

#[test]
fn acknowledgements_of_an_earlier_connection_are_not_awaited() {
    for accepted in [false, true] {
        let mut client = Client::connected(KEPT);
        client.publish_data("a", 1, "");
        client.publish_data("b", 2, "");
        client.publish_data("c", 2, "");
        client.receive("50 02 00 03");
        client.lose(lost::CLOSED);
        client.take_events();
        client.link.room = 21;
        client.connect(KEPT);
        if accepted {
            client.accept(true);
        }
        client.take_sent();
        client.disconnect();
        client.link.room = usize::MAX;
        client.poll();
        if accepted {
            client.expect_sent("62 02 00 03");
            client.receive("70 02 00 03");
        }
        client.expect_sent("e0 00");
    }
}

#[test]
fn packet_half_sent_is_finished_and_the_rest_fails() {
    let mut client = Client::connected(CLEAN);
    client.link.room = 4;
    client.library.publish_data(0, Some("a"), 0, b"x").unwrap();
    client.library.publish_data(0, Some("b"), 0, b"y").unwrap();
    client.library.publish_data(0, Some("c"), 1, b"z").unwrap();
    client.poll();
    client.disconnect();
    client.expect_sent("30 04 00 01");
    client.link.room = usize::MAX;
    client.poll();
    client.expect_sent("'ax' e0 00");
    client.expect_events([acknowledged(0)]);
    client.pass(1000);
    client.expect_events([failed(0), failed(1), CONNECTION_CLOSED]);
}

#[test]
fn disconnect_behind_a_packet_half_sent_for_15_seconds_is_left_out() {
    let mut client = Client::connected(CLEAN);
    client.link.room = 4;
    client.publish_data("a", 0, "x");
    client.disconnect();
    client.pass(15_000);
    client.expect_sent("30 04 00 01");
    let told = client.take_events();
    assert!(told.ends_with(&[failed(0), CONNECTION_CLOSED]), "{told:?}");
    is_open_again(client);
}

#[track_caller]
fn is_open_again(mut client: Client) {
    client.link.room = usize::MAX;
    is_closed(&mut client);
}

#[test]
fn kept_session_keeps_qos_1_and_2() {
    let mut client = Client::connected(KEPT);
    client.link.room = 7;
    for (topic, qos) in [("a", 1), ("b", 0), ("c", 1), ("d", 2)] {
        client.library.publish_data(0, Some(topic), qos, b"").unwrap();
    }
    client.poll();
    client.disconnect();
    client.expect_sent("32 05 00 01 'a' 00 01");
    client.link.room = usize::MAX;
    client.pass(16_000);
    client.expect_sent("e0 00");
    client.expect_events([failed(0), CONNECTION_CLOSED]);
    client.connect(KEPT);
    client.accept(true);
    client.expect_sent("3a 05 00 01 'a' 00 01 32 05 00 01 'c' 00 02 34 05 00 01 'd' 00 03");
}

#[test]
fn link_that_is_lost_while_acknowledgements_are_awaited_ends_it() {
    let mut client = Client::connected(CLEAN);
    client.publish_data("a", 1, "");
    client.disconnect();
    client.lose(lost::CLOSED);
    client.expect_events([failed(1), HOST_CLOSED]);
    is_closed(&mut client);
}

#[test]
fn before_the_link_is_opened() {
    let mut client = Client::new();
    client.library.connect(CLEAN).unwrap();
    client.library.disconnect().unwrap();
    client.poll();
    client.expect_events([CONNECTION_CLOSED]);
    assert_eq!(client.link.opened, 0);
    is_closed(&mut client);
}

#[test]
fn inside_what_fails_before_the_link_is_opened() {
    let mut client = Client::connected(KEPT);
    client.publish_data("a", 1, "");
    client.lose(lost::CLOSED);
    client.application.answers(|library, event| {
        if event.kind == Kind::PublishFailed {
            library.disconnect().unwrap();
        }
        None
    });
    client.connect(CLEAN);
    client.expect_events([HOST_CLOSED, failed(1), CONNECTION_CLOSED]);
    assert_eq!(client.link.opened, 1);
    is_closed(&mut client);
}

#[test]
fn while_the_link_is_being_opened() {
    let mut client = Client::new();
    client.link.room = 0;
    client.connect(CLEAN);
    client.disconnect();
    client.expect_sent("");
    client.expect_events([CONNECTION_CLOSED]);
    is_open_again(client);
}

#[test]
fn while_connect_is_half_sent() {
    let mut client = Client::new();
    client.link.room = 5;
    client.connect(CLEAN);
    client.disconnect();
    client.link.room = usize::MAX;
    client.poll();
    client.expect_sent("10 13 00 04 'MQTT' 04 02 01 2c 00 07 'KINETIS' e0 00");
    client.pass(1000);
    client.expect_events([CONNECTION_CLOSED]);
    is_closed(&mut client);
}

#[test]
fn requests_are_not_sent_though_connack_comes_while_connect_is_half_sent() {
    let mut client = Client::new();
    client.link.room = 5;
    client.connect(CLEAN);
    client.publish("a", 0);
    client.library.disconnect().unwrap();
    client.link.arrives(&bytes("20 02 00 00"));
    client.poll();
    client.link.room = usize::MAX;
    client.poll();
    client.expect_sent("10 13 00 04 'MQTT' 04 02 01 2c 00 07 'KINETIS' e0 00");
}

#[test]
fn while_the_link_is_being_opened_behind_one_lost_with_a_packet_half_sent() {
    let mut client = Client::connected(CLEAN);
    client.link.room = 4;
    client.publish_data("a", 0, "x");
    client.lose(lost::CLOSED);
    client.expect_events([failed(0), HOST_CLOSED]);
    client.link.room = 0;
    client.connect(CLEAN);
    client.disconnect();
    client.expect_events([CONNECTION_CLOSED]);
}

#[test]
fn while_connect_is_half_sent_for_15_seconds() {
    let mut client = Client::new();
    client.link.room = 5;
    client.connect(CLEAN);
    client.disconnect();
    for _ in 0..15 {
        client.expect_events([]);
        client.link.room = 1;
        client.pass(1000);
    }
    client.expect_events([CONNECTION_CLOSED]);
    is_open_again(client);
}

#[test]
fn while_connack_is_awaited() {
    let mut client = Client::new();
    client.connect(CLEAN);
    client.publish("a", 1);
    client.take_sent();
    client.disconnect();
    client.expect_sent("e0 00");
    client.receive("20 02 00 00");
    client.pass(1000);
    client.expect_events([failed(1), CONNECTION_CLOSED]);
    is_closed(&mut client);
}

#[test]
fn inside_an_event() {
    for kind in [Kind::Connack, Kind::Suback, Kind::PublishAcknowledged, Kind::TopicMessage, Kind::PublishData, Kind::ClientIdentifier] {
        let mut client = Client::new();
        client.application.answers(move |library, event| {
            if event.kind == kind {
                library.disconnect().unwrap();
            }
            None
        });
        client.connect(CLEAN);
        if kind != Kind::ClientIdentifier {
            client.accept(false);
            if kind != Kind::Connack {
                client.subscribe("a", 0);
                client.receive("90 03 00 01 00");
                if kind != Kind::Suback {
                    let _ = client.library.publish(0, Some("a"), 0);
                    client.poll();
                    client.receive("30 03 00 01 'a'");
                }
            }
            assert!(client.take_sent().ends_with(&[0xe0, 0]), "{kind:?}");
        }
        client.pass(16_000);
        let told = client.take_events();
        assert!(told.ends_with(&[CONNECTION_CLOSED]), "{kind:?} {told:?}");
        client.application.answers(|_, _| None);
        is_closed(&mut client);
    }
}

#[test]
fn payload_is_not_asked_for_any_more() {
    let mut client = Client::connected(CLEAN);
    client.application.answers(|library, event| {
        if event.kind == Kind::PublishAcknowledged {
            library.disconnect().unwrap();
        }
        None
    });
    client.library.publish_data(0, Some("a"), 0, b"").unwrap();
    client.library.publish(0, Some("b"), 0).unwrap();
    client.poll();
    client.expect_asked([]);
    client.expect_sent("30 03 00 01 'a' e0 00");
    client.pass(1000);
    client.expect_events([acknowledged(0), failed(0), CONNECTION_CLOSED]);
}
