//! From the call to CONNACK, or to the end of the attempt.

mod support;
use support::*;

const CONNECT: &str = "10 13 00 04 'MQTT' 04 02 01 2c 00 07 'KINETIS'";

#[test]
fn connect_has_its_fields_in_the_order_of_the_standard() {
    // [MQTT-3.1.3-1]
    let mut client = Client::new();
    client.connect(CLEAN | WILL | USER_NAME | PASSWORD);
    client.expect_sent(
        "10 2d 00 04 'MQTT' 04 c6 01 2c 00 07 'KINETIS' 00 04 'will' 00 04 'gone' 00 04 'user' 00 06 'secret'",
    );
    client.expect_asked([
        (Kind::ClientIdentifier, 1519),
        (Kind::WillTopic, 1510),
        (Kind::WillMessage, 1504),
        (Kind::UserName, 1498),
        (Kind::UserPassword, 1492),
    ]);
    assert_eq!(client.link.sends, 1);
}

#[test]
fn connect_is_wiped_once_it_is_sent() {
    let mut client = Client::new();
    client.link.room = 10;
    client.connect(CLEAN | USER_NAME | PASSWORD);
    assert!(client.library.remembers("secret"));
    client.link.room = usize::MAX;
    client.poll();
    assert!(!client.library.remembers("secret"));
    assert_eq!(client.link.sent.len(), 2 + 10 + 9 + 6 + 8);
}

#[test]
fn connect_that_was_not_sent_is_wiped_too() {
    let mut client = Client::new();
    client.link.room = 10;
    client.connect(CLEAN | USER_NAME | PASSWORD);
    client.lose(lost::CLOSED);
    client.expect_events([HOST_CLOSED]);
    assert!(!client.library.remembers("secret"));
}

#[test]
fn connect_goes_in_as_many_pieces_as_the_link_wants() {
    let mut client = Client::new();
    client.link.room = 0;
    client.connect(CLEAN);
    for _ in bytes(CONNECT) {
        client.link.room = 1;
        client.poll();
    }
    client.expect_sent(CONNECT);
    client.receive("20 02 00 00");
    client.expect_events([connack(false)]);
}

#[test]
fn keep_alive_is_300_seconds_or_chosen_or_off() {
    for (keep_alive, sent) in [(0, "01 2c"), (60, "00 3c"), (NO_KEEP_ALIVE, "00 00")] {
        let mut client = Client::with(Options { keep_alive, ..DEFAULTS });
        client.connect(CLEAN);
        client.expect_sent(&format!("10 13 00 04 'MQTT' 04 02 {sent} 00 07 'KINETIS'"));
    }
}

#[test]
fn answer_as_long_as_its_room_is_sent() {
    let mut client = Client::new();
    client.application.client_identifier = "x".repeat(1519);
    client.connect(CLEAN);
    assert_eq!(client.take_sent().len(), 3 + 10 + 2 + 1519);
    client.receive("20 02 00 00");
    client.expect_events([connack(false)]);
}

#[test]
fn answer_longer_than_its_room_ends_the_attempt() {
    for (asked, room) in [(Kind::ClientIdentifier, 1519), (Kind::UserPassword, 1504)] {
        let mut client = Client::new();
        client.application.answers(move |_, event| (event.kind == asked).then(|| Answer::from(room + 1)));
        client.connect(CLEAN | USER_NAME | PASSWORD);
        client.expect_sent("");
        client.expect_events([INVALID_ARGUMENT, CONNECTION_CLOSED]);
        assert!(!client.link.is_open());
    }
}

#[test]
fn field_for_which_no_room_is_left_ends_the_attempt() {
    for length in [1516, 1517, 1518, 1519] {
        let mut client = Client::new();
        client.application.client_identifier = "x".repeat(length);
        client.application.user_name.clear();
        client.connect(CLEAN | USER_NAME);
        if length < 1518 {
            assert_eq!(client.take_sent().len(), 3 + 10 + 2 + length + 2);
        } else {
            client.expect_sent("");
            client.expect_events([INVALID_ARGUMENT, CONNECTION_CLOSED]);
        }
    }
}

#[test]
fn texts_that_are_not_valid_end_the_attempt() {
    // [MQTT-1.5.3-1, MQTT-1.5.3-2, MQTT-3.3.2-2]
    for (asked, text) in [
        (Kind::ClientIdentifier, "ff"),
        (Kind::ClientIdentifier, "'a' 00"),
        (Kind::UserName, "c0 80"),
        (Kind::WillTopic, "'a/#'"),
        (Kind::WillTopic, "'+'"),
        (Kind::WillTopic, ""),
    ] {
        let mut client = Client::new();
        client.application.answers(move |_, event| (event.kind == asked).then(|| bytes(text).into()));
        client.connect(CLEAN | WILL | USER_NAME);
        client.expect_sent("");
        client.expect_events([INVALID_ARGUMENT, CONNECTION_CLOSED]);
    }
}

#[test]
fn will_message_and_password_may_be_any_bytes_or_none() {
    let mut client = Client::new();
    client.application.answers(|_, event| match event.kind {
        Kind::WillMessage => Some(bytes("00 ff").into()),
        Kind::UserPassword => Some(0.into()),
        _ => None,
    });
    client.connect(CLEAN | WILL | USER_NAME | PASSWORD);
    client.expect_sent("10 25 00 04 'MQTT' 04 c6 01 2c 00 07 'KINETIS' 00 04 'will' 00 02 00 ff 00 04 'user' 00 00");
}

#[test]
fn client_identifier_may_be_empty_on_a_clean_session_alone() {
    // [MQTT-3.1.3-7]
    let mut client = Client::new();
    client.application.client_identifier.clear();
    client.connect(CLEAN);
    client.expect_sent("10 0c 00 04 'MQTT' 04 02 01 2c 00 00");

    let mut client = Client::new();
    client.application.client_identifier.clear();
    client.connect(KEPT);
    client.expect_events([INVALID_ARGUMENT, CONNECTION_CLOSED]);

    let mut client = Client::new();
    client.application.client_identifier.clear();
    client.library.connect_3_1(CLEAN).unwrap();
    client.poll();
    client.expect_events([INVALID_ARGUMENT, CONNECTION_CLOSED]);
}

#[test]
fn the_other_fields_may_be_empty_on_a_kept_session_too() {
    let mut client = Client::new();
    client.application.will_message.clear();
    client.application.user_name.clear();
    client.application.password.clear();
    client.connect(KEPT | WILL | USER_NAME | PASSWORD);
    client.expect_sent("10 1f 00 04 'MQTT' 04 c4 01 2c 00 07 'KINETIS' 00 04 'will' 00 00 00 00 00 00");
}

#[test]
fn requests_are_accepted_once_the_first_byte_of_connect_was_taken_and_sent_after_connack() {
    let mut client = Client::new();
    assert_eq!(client.library.publish(0, Some("a"), 0), Err(Error::NotReady));
    client.link.room = 0;
    client.connect(CLEAN);
    assert_eq!(client.library.publish(0, Some("a"), 0), Err(Error::NotReady));
    assert_eq!(client.library.publish_data(0, Some("a"), 0, b"x"), Err(Error::NotReady));
    assert_eq!(client.library.publish_stream(0, Some("a"), 0, 1), Err(Error::NotReady));
    assert_eq!(client.library.subscribe(Some("a"), 0), Err(Error::NotReady));
    assert_eq!(client.library.unsubscribe(1), Err(Error::NotReady));

    client.link.room = 1;
    client.poll();
    client.publish("a", 0);
    assert_eq!(client.subscribe("b", 1), 1);
    client.publish_data("c", 1, "x");
    client.unsubscribe(1);

    client.link.room = usize::MAX;
    client.poll();
    client.expect_sent(CONNECT);
    client.receive("20 02 00 00");
    client.expect_sent("30 0a 00 01 'a' 'payload' 82 06 00 01 00 01 'b' 01 32 06 00 01 'c' 00 02 'x'");
    client.receive("90 03 00 01 01");
    client.expect_sent("a2 05 00 03 00 01 'b'");
    client.expect_events([connack(false), acknowledged(0), suback(1, 1)]);
}

#[test]
fn connecting_twice_is_in_use() {
    let mut client = Client::new();
    client.library.connect(CLEAN).unwrap();
    assert_eq!(client.library.connect(CLEAN), Err(Error::InUse));
    assert_eq!(client.library.set_options(DEFAULTS), Err(Error::InUse));
    client.poll();
    assert_eq!(client.library.connect(CLEAN), Err(Error::InUse));
    client.accept(false);
    assert_eq!(client.library.connect(CLEAN), Err(Error::InUse));
    assert_eq!(client.library.set_options(DEFAULTS), Err(Error::InUse));
}

#[test]
fn nothing_is_done_before_the_call() {
    let mut client = Client::new();
    assert_eq!(client.poll(), NEVER);
    assert_eq!(client.link.opened, 0);
    assert_eq!(client.library.disconnect(), Err(Error::NotReady));
}

#[test]
fn link_that_does_not_open_ends_the_attempt() {
    for how in [lost::CLOSED, lost::FAILED, lost::UNREACHABLE] {
        let mut client = Client::new();
        client.link.opens.push_back(how);
        client.connect(CLEAN);
        match how {
            lost::CLOSED => client.expect_events([HOST_CLOSED]),
            lost::FAILED => client.expect_events([LINK, HOST_CLOSED]),
            _ => client.expect_events([UNREACHABLE]),
        };
        assert_eq!(client.poll(), NEVER);
        client.connect(CLEAN);
        client.accept(false);
    }
}

#[test]
fn link_that_is_lost_while_it_is_being_made_ends_the_attempt() {
    for how in [lost::CLOSED, lost::FAILED, lost::UNREACHABLE] {
        let mut client = Client::new();
        client.link.room = 0;
        client.connect(CLEAN);
        client.lose(how);
        match how {
            lost::CLOSED => client.expect_events([HOST_CLOSED]),
            lost::FAILED => client.expect_events([LINK, HOST_CLOSED]),
            _ => client.expect_events([UNREACHABLE]),
        };
        assert!(!client.link.is_open());
    }
}

#[test]
fn refused_attempt_tells_the_refusal_then_what_fails_then_its_end() {
    let mut client = Client::new();
    client.connect(CLEAN);
    client.publish("a", 0);
    client.publish("a", 1);
    client.publish("a", 2);
    client.subscribe("b", 0);
    client.receive("20 02 00 05");
    client.expect_events([refused(5), failed(0), failed(1), failed(2), CONNECTION_CLOSED]);
    assert!(!client.link.is_open());
    assert_eq!(client.library.publish(0, Some("a"), 0), Err(Error::NotReady));
    assert_eq!(client.poll(), NEVER);
}

#[test]
fn refused_attempt_of_a_kept_session_keeps_qos_1_and_2() {
    let mut client = Client::new();
    client.connect(KEPT);
    client.publish_data("a", 0, "0");
    client.publish_data("a", 1, "1");
    client.publish_data("a", 2, "2");
    client.receive("20 02 00 03");
    client.expect_events([refused(3), failed(0), CONNECTION_CLOSED]);

    client.connect(KEPT);
    client.accept(false);
    client.expect_sent("32 06 00 01 'a' 00 01 '1' 34 06 00 01 'a' 00 02 '2'");
}

#[test]
fn lost_link_tells_a_cause_then_what_fails_then_its_end() {
    let mut client = Client::connected(CLEAN);
    client.publish("a", 1);
    client.lose(lost::FAILED);
    client.expect_events([LINK, failed(1), HOST_CLOSED]);

    let mut client = Client::connected(CLEAN);
    client.publish("a", 1);
    client.lose(lost::UNREACHABLE);
    client.expect_events([failed(1), UNREACHABLE]);
}

#[test]
fn connecting_again_may_be_asked_for_inside_the_last_event() {
    let mut client = Client::connected(CLEAN);
    client.application.answers(|library, event| {
        if *event == HOST_CLOSED {
            library.connect(CLEAN).unwrap();
        }
        None
    });
    client.lose(lost::CLOSED);
    client.expect_events([HOST_CLOSED]);
    client.expect_sent(CONNECT);
    client.receive("20 02 00 00");
    client.expect_events([connack(false)]);
}

#[test]
fn connecting_again_and_again_does_not_keep_the_firmware_from_its_other_work() {
    let mut client = Client::new();
    client.application.answers(|library, event| {
        if event.kind == Kind::Unreachable {
            library.connect(CLEAN).unwrap();
        }
        None
    });
    client.link.opens.extend([lost::UNREACHABLE; 1000]);
    client.library.connect(CLEAN).unwrap();
    assert_eq!(client.poll_once(), 0);
    assert!(client.link.opened < 100, "{}", client.link.opened);
    client.poll();
    client.expect_sent(CONNECT);
}

#[test]
fn connect_is_sent_at_once_behind_a_link_that_failed_to_send() {
    let mut client = Client::connected(CLEAN);
    client.application.answers(|library, event| {
        if event.kind == Kind::HostClosed {
            library.connect(CLEAN).unwrap();
        }
        None
    });
    client.library.publish_data(0, Some("a"), 0, b"").unwrap();
    client.lose(lost::CLOSED);
    assert!(!client.link.sent.is_empty());
}

#[test]
fn connecting_again_inside_an_earlier_event_is_in_use() {
    let mut client = Client::connected(CLEAN);
    client.publish("a", 1);
    client.application.answers(|library, event| {
        if *event != HOST_CLOSED {
            assert_eq!(library.connect(CLEAN), Err(Error::InUse));
        }
        None
    });
    client.lose(lost::FAILED);
    client.expect_events([LINK, failed(1), HOST_CLOSED]);
}

#[test]
fn session_present_is_told() {
    let mut client = Client::new();
    client.connect(KEPT);
    client.receive("20 02 01 00");
    client.expect_events([connack(true)]);
}

#[test]
fn session_present_on_a_clean_session_counts_as_not() {
    // [MQTT-3.2.2-1]
    let mut client = Client::new();
    client.connect(CLEAN);
    client.receive("20 02 01 00");
    client.expect_events([connack(false)]);
}

#[test]
fn version_3_1_knows_no_session_present() {
    let mut client = Client::new();
    client.library.connect_3_1(KEPT).unwrap();
    client.poll();
    client.expect_sent("10 15 00 06 'MQIsdp' 03 00 01 2c 00 07 'KINETIS'");
    client.receive("20 02 01 00");
    client.expect_events([connack(false)]);
}

#[test]
fn version_3_1_has_the_same_fields() {
    let mut client = Client::new();
    client.library.connect_3_1(CLEAN | WILL | WILL_QOS_1 | WILL_RETAIN | USER_NAME | PASSWORD).unwrap();
    client.poll();
    client.expect_sent(
        "10 2f 00 06 'MQIsdp' 03 ee 01 2c 00 07 'KINETIS' 00 04 'will' 00 04 'gone' 00 04 'user' 00 06 'secret'",
    );
}

#[test]
fn what_arrives_before_connect_is_sent_is_read_behind_it() {
    let mut client = Client::new();
    client.link.room = 5;
    client.connect(CLEAN);
    client.receive("20 02 00 00");
    client.expect_events([]);
    client.link.room = usize::MAX;
    client.poll();
    client.expect_sent(CONNECT);
    client.expect_events([connack(false)]);
}

#[test]
fn each_connection_begins_with_an_empty_buffer() {
    let mut client = Client::connected(CLEAN);
    client.receive("30 10 00");
    client.lose(lost::CLOSED);
    client.expect_events([HOST_CLOSED]);
    client.connect(CLEAN);
    client.accept(false);
    client.receive("30 03 00 01 'a'");
    client.expect_events([message(0, "")]);
}
