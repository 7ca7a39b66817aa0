//! What outlives a connection: sessions that the broker keeps.

mod support;
use support::*;

#[test]
fn unacknowledged_packets_are_sent_again_in_their_order() {
    // [MQTT-4.4.0-1, MQTT-4.6.0-1, MQTT-4.6.0-4]: PUBRELs in the order of their PUBRECs.
    let mut client = Client::connected(KEPT);
    for (topic, qos) in [("a", 1), ("b", 2), ("c", 2), ("d", 1), ("e", 2)] {
        client.publish_data(topic, qos, "");
    }
    client.receive("50 02 00 03 50 02 00 02");
    client.resume(KEPT, true);
    client.expect_sent_of_each_type("3a 05 00 01 'a' 00 01 3a 05 00 01 'd' 00 04 3c 05 00 01 'e' 00 05 62 02 00 03 62 02 00 02");
    client.receive("40 02 00 01 70 02 00 02 50 02 00 05 70 02 00 03 40 02 00 04 70 02 00 05");
    client.expect_events([acknowledged(1), acknowledged(2), acknowledged(2), acknowledged(1), acknowledged(2)]);
    client.expect_sent("62 02 00 05");
}

#[test]
fn unacknowledged_packets_are_sent_again_at_each_connection() {
    let mut client = Client::connected(KEPT);
    client.publish_data("a", 1, "x");
    client.publish_data("b", 2, "y");
    client.receive("50 02 00 02");
    for _ in 0..3 {
        client.resume(KEPT, true);
        client.expect_sent_of_each_type("3a 06 00 01 'a' 00 01 'x' 62 02 00 02");
    }
}

#[test]
fn what_was_not_sent_goes_behind_without_dup() {
    // [MQTT-3.3.1-1]
    let mut client = Client::connected(KEPT);
    client.publish_data("a", 1, "");
    client.link.room = 0;
    client.library.publish_data(0, Some("b"), 1, b"").unwrap();
    client.library.publish_data(0, Some("c"), 2, b"").unwrap();
    client.poll();
    client.link.room = usize::MAX;
    client.link.lost = Some(lost::CLOSED);
    client.poll();
    client.expect_events([HOST_CLOSED]);
    client.connect(KEPT);
    client.accept(true);
    client.expect_sent("3a 05 00 01 'a' 00 01 32 05 00 01 'b' 00 02 34 05 00 01 'c' 00 03");
}

#[test]
fn packet_half_sent_is_sent_again_as_a_whole() {
    let mut client = Client::connected(KEPT);
    client.link.room = 4;
    client.publish_data("a", 1, "xyz");
    client.link.room = usize::MAX;
    client.resume(KEPT, true);
    client.expect_sent("3a 08 00 01 'a' 00 01 'xyz'");
}

#[test]
fn payload_is_asked_for_once_even_if_it_is_sent_twice() {
    let mut client = Client::connected(KEPT);
    client.publish("a", 1);
    client.publish("b", 2);
    client.expect_asked([(Kind::PublishData, 1400), (Kind::PublishData, 1400)]);
    client.resume(KEPT, true);
    client.expect_asked([]);
    client.expect_sent("3a 0c 00 01 'a' 00 01 'payload' 3c 0c 00 01 'b' 00 02 'payload'");
}

#[test]
fn qos_0_that_was_not_wholly_sent_has_failed() {
    let mut client = Client::connected(KEPT);
    client.link.room = 4;
    client.library.publish_data(0, Some("a"), 0, b"x").unwrap();
    client.library.publish_data(0, Some("b"), 0, b"y").unwrap();
    client.library.publish_data(0, Some("c"), 1, b"z").unwrap();
    client.poll();
    client.lose(lost::CLOSED);
    client.expect_events([failed(0), failed(0), HOST_CLOSED]);
    client.link.room = usize::MAX;
    client.connect(KEPT);
    client.accept(true);
    client.expect_sent("32 06 00 01 'c' 00 01 'z'");
}

#[test]
fn acknowledgement_may_come_before_the_packet_is_sent_again() {
    let mut client = Client::connected(KEPT);
    client.publish_data("a", 1, "");
    client.publish_data("b", 2, "");
    client.publish_data("c", 2, "");
    client.receive("50 02 00 03");
    client.lose(lost::CLOSED);
    client.take_events();
    client.connect(KEPT);
    client.take_sent();
    client.receive("20 02 01 00 40 02 00 01 50 02 00 02 70 02 00 03");
    client.expect_sent("62 02 00 02");
    client.receive("70 02 00 02");
    client.expect_events([connack(true), acknowledged(1), acknowledged(2), acknowledged(2)]);
}

#[test]
fn acknowledgement_does_not_cut_a_packet_that_is_half_sent_again() {
    let mut client = Client::connected(KEPT);
    client.publish_data("a", 1, "xyz");
    client.lose(lost::CLOSED);
    client.take_events();
    client.link.room = 21 + 4;
    client.connect(KEPT);
    client.accept(true);
    client.receive("40 02 00 01");
    client.link.room = usize::MAX;
    client.poll();
    client.expect_sent("3a 08 00 01 'a' 00 01 'xyz'");
    client.expect_events([]);
    client.receive("40 02 00 01");
    client.expect_events([acknowledged(1)]);
}

#[test]
fn publication_that_is_repeated_behind_a_lost_link_has_no_dup() {
    let mut client = Client::connected(KEPT);
    client.publish("a", 2);
    client.resume(KEPT, true);
    client.expect_sent("3c 0c 00 01 'a' 00 01 'payload'");
    client.application.answers(|_, event| (event.kind == Kind::PublishAcknowledged).then(|| 1.into()));
    client.receive("50 02 00 01");
    client.receive("70 02 00 01");
    client.expect_sent("62 02 00 01 34 0c 00 01 'a' 00 02 'payload'");
}

#[test]
fn packet_that_need_not_be_sent_again_is_not_waited_for() {
    let quiet = Options { keep_alive: NO_KEEP_ALIVE, ..DEFAULTS };
    for stream in [false, true] {
        let mut client = Client::connected_with(quiet, KEPT);
        if stream {
            client.publish_stream("a", 1, 10);
            client.application.answers(|_, event| (event.kind == Kind::PublishDataPart).then(|| 0.into()));
        } else {
            client.publish_data("a", 1, "x");
        }
        client.take_sent();
        client.lose(lost::CLOSED);
        client.expect_events([HOST_CLOSED]);
        client.link.room = if stream { usize::MAX } else { 21 };
        client.connect(KEPT);
        client.accept(true);
        client.receive("40 02 00 01");
        client.pass(100_000);
        client.expect_events([acknowledged(1)]);
        client.expect_sent("");
    }
}

#[test]
fn what_comes_behind_a_packet_that_need_not_be_sent_again_is_waited_for() {
    for acknowledgement in [false, true] {
        let mut client = Client::connected_with(Options { keep_alive: NO_KEEP_ALIVE, ..DEFAULTS }, KEPT);
        client.publish_data("a", 1, "x");
        if !acknowledgement {
            client.publish_data("b", 1, "y");
        }
        client.lose(lost::CLOSED);
        client.take_events();
        client.link.room = 21;
        client.connect(KEPT);
        client.accept(true);
        if acknowledgement {
            client.receive("34 05 00 01 'c' 00 07");
            client.expect_events([message(0, "")]);
        }
        client.link.arrives(&bytes("40 02 00 01"));
        assert_eq!(client.poll(), 15_000);
        client.expect_events([acknowledged(1)]);
    }
}

#[test]
fn session_that_the_broker_forgot_before_all_was_sent_again_begins_anew() {
    // [MQTT-3.3.1-1]: no DUP, though the attempt between would have had it.
    let mut client = Client::connected(KEPT);
    client.publish_data("a", 1, "");
    client.lose(lost::CLOSED);
    client.link.room = 21;
    client.connect(KEPT);
    client.take_sent();
    client.receive("20 02 01 00");
    client.link.room = usize::MAX;
    client.resume(KEPT, false);
    client.expect_sent("32 05 00 01 'a' 00 01");
}

#[test]
fn pubrel_that_was_not_sent_again_fails_with_the_session() {
    let mut client = Client::connected(KEPT);
    client.publish_data("a", 2, "");
    client.receive("50 02 00 01");
    client.resume(KEPT, true);
    client.lose(lost::CLOSED);
    client.take_events();
    client.link.room = 5;
    client.connect(KEPT);
    client.library.disconnect().unwrap();
    client.poll();
    client.link.arrives(&bytes("20 02 01 00"));
    client.link.room = usize::MAX;
    client.poll();
    client.lose(lost::CLOSED);
    client.take_events();
    client.connect(KEPT);
    client.accept(false);
    client.expect_events([failed(2)]);
    client.expect_sent("");
}

#[test]
fn session_that_the_broker_forgot_begins_anew() {
    let mut client = Client::connected(KEPT);
    client.subscribed("s", 2);
    client.publish_data("a", 1, "");
    client.publish_data("b", 2, "");
    client.publish_data("c", 2, "");
    client.receive("50 02 00 03 34 05 00 01 's' 00 09");
    client.resume(KEPT, false);
    client.expect_events([failed(2)]);
    client.expect_sent_of_each_type("32 05 00 01 'a' 00 02 34 05 00 01 'c' 00 04 82 06 00 05 00 01 's' 02");
    client.receive("90 03 00 05 02");
    client.expect_events([]);
    client.receive("34 05 00 01 's' 00 09");
    client.expect_events([message(1, "")]);
}

#[test]
fn subscription_that_is_refused_when_made_again_is_told() {
    let mut client = Client::connected(KEPT);
    client.subscribed("s", 2);
    client.resume(KEPT, false);
    client.expect_sent("82 06 00 02 00 01 's' 02");
    client.receive("90 03 00 02 80");
    client.expect_events([subscription_refused(128, 1)]);
    assert_eq!(client.library.subscription(1), Err(Error::NoSubscriptionEntry));
}

#[test]
fn subscriptions_of_a_session_that_is_present_are_not_made_again() {
    let mut client = Client::connected(KEPT);
    client.subscribed("s", 2);
    client.resume(KEPT, true);
    client.expect_sent("");
    client.receive("30 03 00 01 's'");
    client.expect_events([message(1, "")]);
}

#[test]
fn version_3_1_always_subscribes_again_and_sends_again() {
    let mut client = Client::new();
    client.library.connect_3_1(KEPT).unwrap();
    client.poll();
    client.accept(false);
    client.subscribed("s", 1);
    client.publish_data("a", 1, "");
    client.publish_data("b", 2, "");
    client.receive("50 02 00 03 34 05 00 01 's' 00 09");
    client.take_sent();
    client.lose(lost::CLOSED);
    client.expect_events([message(1, ""), HOST_CLOSED]);
    client.library.connect_3_1(KEPT).unwrap();
    client.poll();
    client.accept(false);
    client.expect_sent_of_each_type("3a 05 00 01 'a' 00 02 62 02 00 03 82 06 00 04 00 01 's' 01");
    client.receive("90 03 00 04 01 3c 05 00 01 's' 00 09 40 02 00 02 70 02 00 03");
    client.expect_events([acknowledged(1), acknowledged(2)]);
}

#[test]
fn version_3_1_keeps_nothing_of_a_clean_session() {
    let mut client = Client::new();
    for flags in [CLEAN, KEPT] {
        client.library.connect_3_1(flags).unwrap();
        client.poll();
        client.accept(false);
        client.receive("34 05 00 01 'a' 00 09");
        client.expect_sent("50 02 00 09");
        client.lose(lost::CLOSED);
        client.expect_events([message(0, ""), HOST_CLOSED]);
    }
}

#[test]
fn received_qos_2_message_is_told_once_over_a_lost_link() {
    // [MQTT-4.3.3-2]: before PUBREC could be sent, after it, and before PUBCOMP could be sent.
    let mut client = Client::connected(KEPT);
    client.link.room = 0;
    client.receive("34 05 00 01 'a' 00 07");
    client.expect_events([message(0, "")]);
    client.link.room = usize::MAX;
    client.resume(KEPT, true);
    client.receive("3c 05 00 01 'a' 00 07");
    client.expect_sent("50 02 00 07");
    client.resume(KEPT, true);
    client.receive("3c 05 00 01 'a' 00 07");
    client.expect_sent("50 02 00 07");
    client.link.room = 0;
    client.receive("62 02 00 07");
    client.link.room = usize::MAX;
    client.resume(KEPT, true);
    client.receive("62 02 00 07");
    client.expect_sent("70 02 00 07");
    client.expect_events([]);
}

#[test]
fn answers_to_a_lost_connection_are_not_sent_on_the_next() {
    for room in [0, 2] {
        let mut client = Client::connected(KEPT);
        client.link.room = room;
        client.receive("32 05 00 01 'a' 00 07");
        client.link.room = usize::MAX;
        client.lose(lost::CLOSED);
        client.expect_events([message(0, ""), HOST_CLOSED]);
        client.connect(KEPT);
        client.expect_sent("10 13 00 04 'MQTT' 04 00 01 2c 00 07 'KINETIS'");
        client.receive("20 02 01 00 32 05 00 01 'a' 00 08");
        client.expect_sent("40 02 00 08");
    }
}

#[test]
fn first_identifier_of_a_kept_session_is_random() {
    for (random, sent) in [(0x1233, "12 34"), (0xabcd_1233, "12 34"), (0xffff, "00 01")] {
        let mut client = Client::new();
        client.random = random;
        client.connect(KEPT);
        client.accept(true);
        client.publish_data("a", 1, "");
        client.expect_sent(&format!("32 05 00 01 'a' {sent}"));
        client.random = 0x5555;
        client.resume(KEPT, true);
        client.take_sent();
        client.publish_data("b", 1, "");
        let [high, low] = (random as u16).checked_add(2).unwrap_or(2).to_be_bytes();
        client.expect_sent_bytes(&[0x32, 5, 0, 1, b'b', high, low]);
    }
}

#[test]
fn clean_connection_fails_what_an_earlier_session_kept_before_connect() {
    let mut client = Client::connected(KEPT);
    client.subscribed("s", 0);
    client.publish_data("a", 1, "");
    client.publish_data("b", 2, "");
    client.receive("50 02 00 03 34 05 00 01 's' 00 09");
    client.take_events();
    client.lose(lost::CLOSED);
    client.expect_events([HOST_CLOSED]);
    assert_eq!(client.library.subscription(1), Ok((0, 0)));
    client.link.room = 0;
    client.connect(CLEAN);
    client.expect_events([failed(1), failed(2)]);
    assert_eq!(client.library.subscription(1), Err(Error::NoSubscriptionEntry));
    client.link.room = usize::MAX;
    client.poll();
    client.accept(false);
    client.expect_sent("");
    client.receive("34 05 00 01 's' 00 09");
    client.expect_events([message(0, "")]);
}

#[test]
fn subscription_that_was_not_answered_is_made_again() {
    for session_present in [true, false] {
        let mut client = Client::connected(KEPT);
        client.subscribe("s", 1);
        client.expect_sent("82 06 00 01 00 01 's' 01");
        client.resume(KEPT, session_present);
        client.expect_sent("82 06 00 01 00 01 's' 01");
        client.receive("90 03 00 01 01");
        client.expect_events([suback(1, 1)]);
        client.expect_sent("");
    }
}

#[test]
fn unsubscribe_that_was_not_answered_is_repeated_and_occupies_its_entry() {
    for session_present in [true, false] {
        let mut client = Client::connected(KEPT);
        client.subscribed("s", 1);
        client.unsubscribe(1);
        client.expect_sent("a2 05 00 02 00 01 's'");
        client.resume(KEPT, session_present);
        client.expect_sent("a2 05 00 02 00 01 's'");
        assert_eq!(client.library.subscription(1), Ok((1, 1)));
        client.receive("b0 02 00 02");
        client.expect_events([unsuback(1)]);
        assert_eq!(client.library.subscription(1), Err(Error::NoSubscriptionEntry));
    }
}

#[test]
fn kept_session_outlives_disconnect() {
    let mut client = Client::connected(KEPT);
    client.subscribed("s", 1);
    client.publish_data("a", 1, "");
    client.disconnect();
    client.pass(16_000);
    client.expect_events([CONNECTION_CLOSED]);
    client.connect(KEPT);
    client.accept(true);
    client.expect_sent("3a 05 00 01 'a' 00 02");
    assert_eq!(client.library.subscription(1), Ok((1, 1)));
}

#[test]
fn pubrel_is_sent_again_however_full_the_outbox() {
    // Its topic lies where a payload that is asked for, accepted earlier, would need room in one piece.
    let mut client = Client::connected(KEPT);
    client.publish_data("a", 2, &"x".repeat(1000));
    client.publish_data("b", 2, "");
    client.publish("c", 1);
    client.receive("50 02 00 01 50 02 00 02");
    client.take_sent();
    client.resume(KEPT, true);
    assert!(client.take_sent().starts_with(&bytes("62 02 00 01 62 02 00 02")));
    client.receive("70 02 00 01 70 02 00 02");
    client.expect_events([acknowledged(2), acknowledged(2)]);
    assert!(client.link.sent.ends_with(b"payload"));
}

#[test]
fn subscription_is_made_again_however_full_the_outbox() {
    let mut client = Client::connected_with(RECONNECTING, CLEAN);
    client.library.subscribe(None, 1).unwrap();
    client.receive("90 03 00 01 01");
    client.expect_events([suback(1, 1)]);
    client.lose(lost::CLOSED);
    client.publish_data("a", 1, &"x".repeat(1900));
    client.pass(10_000);
    client.expect_events([HOST_CLOSED, reconnecting(10_000)]);
    client.accept(false);
    let mut sent = client.take_sent();
    assert!(sent.starts_with(&bytes("32 f1 0e")), "{}", hexadecimal(&sent));
    client.receive_bytes(&[0x40, 2, sent[6], sent[7]]);
    sent = client.take_sent();
    assert!(sent.starts_with(&bytes("82 0a")), "{}", hexadecimal(&sent));
}
