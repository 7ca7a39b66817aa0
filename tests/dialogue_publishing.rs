//! What the client publishes, on one connection.

mod support;
use support::*;

#[test]
fn qos_0_is_acknowledged_once_the_link_has_taken_it() {
    let mut client = Client::connected(CLEAN);
    client.link.room = 5;
    client.publish_data("a/b", 0, "hi");
    client.expect_events([]);
    client.link.room = usize::MAX;
    client.poll();
    client.expect_sent("30 07 00 03 'a/b' 'hi'");
    client.expect_events([acknowledged(0)]);
}

#[test]
fn qos_1_is_acknowledged_by_puback() {
    let mut client = Client::connected(CLEAN);
    client.publish_data("a/b", 1, "hi");
    client.expect_sent("32 09 00 03 'a/b' 00 01 'hi'");
    client.expect_events([]);
    client.receive("40 02 00 01");
    client.expect_events([acknowledged(1)]);
    client.expect_sent("");
}

#[test]
fn qos_2_is_acknowledged_by_pubcomp() {
    // [MQTT-4.3.3-1]
    let mut client = Client::connected(CLEAN);
    client.publish_data("a/b", 2, "hi");
    client.expect_sent("34 09 00 03 'a/b' 00 01 'hi'");
    client.receive("50 02 00 01");
    client.expect_sent("62 02 00 01");
    client.expect_events([]);
    client.receive("70 02 00 01");
    client.expect_events([acknowledged(2)]);
    client.expect_sent("");
}

#[test]
fn repeated_pubrec_is_answered_again() {
    let mut client = Client::connected(CLEAN);
    client.publish_data("a", 2, "");
    client.receive("50 02 00 01 50 02 00 01");
    client.take_sent();
    client.receive("50 02 00 01");
    client.expect_sent("62 02 00 01");
    client.receive("70 02 00 01");
    client.expect_events([acknowledged(2)]);
}

#[test]
fn payload_is_asked_for_with_its_whole_room() {
    let mut client = Client::connected(CLEAN);
    client.publish("a/b", 0);
    client.expect_asked([(Kind::PublishData, 1400)]);
    client.expect_sent("30 0c 00 03 'a/b' 'payload'");
}

#[test]
fn topic_is_asked_for_where_none_is_given() {
    let mut client = Client::connected(CLEAN);
    client.library.publish(0, None, 1).unwrap();
    client.poll();
    client.expect_sent("32 10 00 05 'asked' 00 01 'payload'");
    client.expect_asked([(Kind::PublishTopic, 256), (Kind::PublishData, 1400)]);

    client.library.publish_data(0, None, 0, b"x").unwrap();
    client.poll();
    client.expect_sent("30 08 00 05 'asked' 'x'");
    client.expect_asked([(Kind::PublishTopic, 256)]);
}

#[test]
fn topic_of_a_subscription_without_a_stored_one_is_asked_for_with_its_reference() {
    let mut client = Client::connected(CLEAN);
    client.library.subscribe(None, 1).unwrap();
    client.poll();
    client.expect_sent("82 0a 00 01 00 05 'asked' 01");
    client.library.publish(1, None, SUBSCRIPTION_QOS).unwrap();
    client.poll();
    client.expect_sent("32 10 00 05 'asked' 00 02 'payload'");
    assert_eq!(client.asked.iter().map(|event| (event.kind, event.reference)).collect::<Vec<_>>(), [
        (Kind::PublishTopic, 1),
        (Kind::PublishTopic, 1),
        (Kind::PublishData, 1),
    ]);
}

#[test]
fn topic_that_is_not_valid_fails_the_publication() {
    for answer in ["", "'a/#'", "'+'", "ff", "'a' 00"] {
        let mut client = Client::connected(CLEAN);
        client.application.answers(move |_, event| (event.kind == Kind::PublishTopic).then(|| bytes(answer).into()));
        client.library.publish(0, None, 1).unwrap();
        client.library.publish(0, Some("b"), 0).unwrap();
        client.poll();
        client.expect_sent("30 0a 00 01 'b' 'payload'");
        client.expect_events([failed(1), acknowledged(0)]);
    }
}

#[test]
fn answer_longer_than_its_room_fails_the_publication() {
    for asked in [Kind::PublishTopic, Kind::PublishData] {
        let mut client = Client::connected(CLEAN);
        client.publish_data("a", 0, &"x".repeat(1900)); // what lies in the room, and behind it, would do
        client.expect_events([acknowledged(0)]);
        client.take_sent();
        client.application.answers(move |_, event| (event.kind == asked).then(|| (event.number as u16 + 1).into()));
        client.library.publish(0, None, 2).unwrap();
        client.poll();
        client.expect_sent("");
        client.expect_events([failed(2)]);
    }
}

#[test]
fn payload_that_another_task_still_copies_is_waited_for() {
    let mut client = Client::connected(CLEAN);
    let claimed = client.library.claim_data(0, Some("a"), 1, 2).unwrap();
    client.publish_data("b", 0, "x");
    client.expect_sent("");
    client.library.copy_data(claimed, b"hi").unwrap();
    client.poll();
    client.expect_sent("32 07 00 01 'a' 00 01 'hi' 30 04 00 01 'b' 'x'");
}

#[test]
fn connection_may_end_while_another_task_copies_a_payload() {
    for disconnect in [false, true] {
        let mut client = Client::connected(CLEAN);
        let claimed = client.library.claim_data(0, Some("a"), 1, 2).unwrap();
        if disconnect {
            client.disconnect();
            client.expect_sent("e0 00");
        }
        client.lose(lost::CLOSED);
        assert_eq!(client.take_events(), [if disconnect { CONNECTION_CLOSED } else { HOST_CLOSED }]);
        assert_eq!(client.library.copy_data(claimed, b"hi"), Err(Error::NotReady));
        client.connect(CLEAN);
        client.accept(false);
        client.expect_sent("");
        client.expect_events([]);
    }
    // The subscription whose topic it was to have went with the session.
    let mut client = Client::connected(CLEAN);
    client.library.subscribe(None, 1).unwrap();
    let claimed = client.library.claim_data(1, None, 1, 2).unwrap();
    client.lose(lost::CLOSED);
    client.take_events();
    client.connect(CLEAN);
    client.accept(false);
    client.library.copy_data(claimed, b"hi").unwrap();
    client.poll();
    client.expect_sent("");
    client.expect_events([failed(1).of(1)]);

    let mut client = Client::connected_with(RECONNECTING, CLEAN);
    let claimed = client.library.claim_data(0, Some("a"), 1, 2).unwrap();
    client.lose(lost::CLOSED);
    client.expect_events([HOST_CLOSED, reconnecting(10_000)]);
    client.library.copy_data(claimed, b"hi").unwrap();
    client.pass(10_000);
    client.accept(false);
    client.expect_sent("32 07 00 01 'a' 00 01 'hi'");
}

#[test]
fn empty_payload_is_a_message() {
    let mut client = Client::connected(CLEAN);
    client.application.payload.clear();
    client.publish("a", 1);
    client.publish_data("a", 1, "");
    client.expect_sent("32 05 00 01 'a' 00 01 32 05 00 01 'a' 00 02");
    client.receive("40 02 00 01 40 02 00 02");
    client.expect_events([acknowledged(1), acknowledged(1)]);
}

#[test]
fn retain_is_sent() {
    // [MQTT-3.3.1-5]
    let mut client = Client::connected(CLEAN);
    client.publish_data("a", RETAIN, "x");
    client.publish_data("a", 1 | RETAIN, "x");
    client.publish_data("a", SUBSCRIPTION_QOS | RETAIN, "x");
    client.expect_sent("31 04 00 01 'a' 'x' 33 06 00 01 'a' 00 01 'x' 35 06 00 01 'a' 00 02 'x'");
}

#[test]
fn subscription_gives_topic_and_qos() {
    let mut client = Client::connected(CLEAN);
    for (topic, qos) in [("x", 0), ("y", 1), ("z", 2)] {
        client.subscribed(topic, qos);
    }
    client.application.payload.clear();
    for reference in 1..=3 {
        client.library.publish(reference, None, SUBSCRIPTION_QOS).unwrap();
    }
    client.library.publish(1, None, 1).unwrap();
    client.library.publish_data(1, None, 0, b"data").unwrap();
    client.poll();
    client.expect_sent("30 03 00 01 'x' 32 05 00 01 'y' 00 04 34 05 00 01 'z' 00 05 32 05 00 01 'x' 00 06 30 07 00 01 'x' 'data'");
    client.expect_events([acknowledged(0).of(1), acknowledged(0).of(1)]);
    client.receive("40 02 00 04 40 02 00 06 50 02 00 05 70 02 00 05");
    client.expect_events([acknowledged(1).of(2), acknowledged(1).of(1), acknowledged(2).of(3)]);
}

#[test]
fn topic_with_a_reference_is_published_to_at_the_qos_of_the_reference() {
    let mut client = Client::connected(CLEAN);
    client.subscribed("x", 1);
    client.library.publish_data(1, Some("other"), SUBSCRIPTION_QOS, b"").unwrap();
    client.poll();
    client.expect_sent("32 09 00 05 'other' 00 02");
    client.receive("40 02 00 02");
    client.expect_events([acknowledged(1).of(1)]);
}

#[test]
fn reference_that_is_not_used_has_no_topic() {
    let mut client = Client::connected(CLEAN);
    assert_eq!(client.library.publish(1, None, 0), Err(Error::MissingTopic));
    assert_eq!(client.library.publish(9, None, 0), Err(Error::InvalidSubscription));
    client.library.publish_data(1, Some("a"), SUBSCRIPTION_QOS, b"").unwrap();
    client.poll();
    client.expect_sent("34 05 00 01 'a' 00 01");
    client.receive("50 02 00 01 70 02 00 01");
    client.expect_events([acknowledged(2)]);
}

#[test]
fn filter_with_wildcards_cannot_be_published_to() {
    // [MQTT-3.3.2-2]
    let mut client = Client::connected(CLEAN);
    for (reference, filter) in [(1, "a/#"), (2, "+/b")] {
        client.subscribed(filter, 0);
        assert_eq!(client.library.publish(reference, None, 0), Err(Error::InvalidTopic));
    }
}

#[test]
fn publication_whose_subscription_is_gone_fails() {
    let mut client = Client::connected(CLEAN);
    client.subscribe("a", 0);
    client.take_sent();
    client.link.room = 0;
    client.library.unsubscribe(1).unwrap();
    client.library.publish(1, None, 0).unwrap();
    client.receive("90 03 00 01 80");
    client.link.room = usize::MAX;
    client.poll();
    client.expect_events([subscription_refused(128, 1), failed(0).of(1)]);
    client.expect_sent("");
}

#[test]
fn requests_are_sent_in_the_order_accepted() {
    // [MQTT-4.6.0-1]
    let mut client = Client::connected(CLEAN);
    client.application.payload.clear();
    client.library.publish(0, Some("a"), 2).unwrap();
    client.library.publish_data(0, Some("b"), 1, b"").unwrap();
    client.library.subscribe(Some("c"), 0).unwrap();
    client.library.publish_stream(0, Some("d"), 0, 0).unwrap();
    client.library.publish(0, Some("e"), 0).unwrap();
    client.library.subscribe(Some("f"), 0).unwrap();
    client.poll();
    client.expect_sent(
        "34 05 00 01 'a' 00 01 32 05 00 01 'b' 00 02 82 06 00 03 00 01 'c' 00 30 03 00 01 'd' 30 03 00 01 'e' \
         82 06 00 04 00 01 'f' 00",
    );
}

#[test]
fn several_are_in_flight_and_acknowledged_in_any_order() {
    let mut client = Client::connected(CLEAN);
    for _ in 0..8 {
        client.publish_data("a", 1, "");
    }
    assert_eq!(client.library.publish_data(0, Some("a"), 1, b""), Err(Error::Busy));
    assert_eq!(client.take_sent().len(), 8 * 7);
    for identifier in [8, 1, 5] {
        client.receive_bytes(&[0x40, 2, 0, identifier]);
        client.expect_events([acknowledged(1)]);
    }
    for _ in 0..3 {
        client.publish_data("a", 1, "");
    }
    client.expect_sent("32 05 00 01 'a' 00 09 32 05 00 01 'a' 00 0a 32 05 00 01 'a' 00 0b");
}

#[test]
fn first_packet_identifier_is_1_on_each_clean_session() {
    let mut client = Client::new();
    client.random = 0x1233;
    client.connect(CLEAN);
    client.accept(false);
    client.publish_data("a", 1, "");
    client.resume(CLEAN, false);
    client.publish_data("a", 1, "");
    client.expect_sent("32 05 00 01 'a' 00 01");
}

#[test]
fn packet_identifiers_run_over_without_0_and_skip_those_in_use() {
    // [MQTT-2.3.1-1, MQTT-2.3.1-2]
    let mut client = Client::new();
    client.random = 0xfffd;
    client.connect(KEPT);
    client.accept(false);
    for identifier in ["ff fe", "ff ff", "00 01", "00 02"] {
        client.publish_data("a", 1, "");
        client.expect_sent(&format!("32 05 00 01 'a' {identifier}"));
    }
    client.subscribe("b", 0);
    client.expect_sent("82 06 00 03 00 01 'b' 00");
    client.subscribed("c", 0);
    client.unsubscribe(2);
    client.expect_sent("a2 05 00 05 00 01 'c'");
    // Once round: 1, 3 and 5 stay in use.
    client.receive("40 02 ff fe 40 02 ff ff 40 02 00 02");
    for _ in 6..=u16::MAX {
        client.publish_data("a", 1, "");
        let identifier = client.take_sent().split_off(5);
        client.receive_bytes(&[0x40, 2, identifier[0], identifier[1]]);
    }
    client.take_events();
    for identifier in ["00 02", "00 04", "00 06"] {
        client.publish_data("a", 1, "");
        client.expect_sent(&format!("32 05 00 01 'a' {identifier}"));
    }
}

#[test]
fn acknowledgements_pass_requests_but_not_packets_half_sent() {
    let mut client = Client::connected(CLEAN);
    client.link.room = 4;
    client.library.publish_data(0, Some("a"), 0, b"half").unwrap();
    client.library.publish_data(0, Some("b"), 0, b"later").unwrap();
    client.poll();
    client.receive("32 05 00 01 'x' 00 07");
    client.expect_sent("30 07 00 01");
    client.link.room = usize::MAX;
    client.poll();
    client.expect_sent("'a' 'half' 40 02 00 07 30 08 00 01 'b' 'later'");
    client.expect_events([message(0, ""), acknowledged(0), acknowledged(0)]);
}

#[test]
fn each_packet_is_given_to_the_link_in_one_piece() {
    let mut client = Client::connected(CLEAN);
    let before = client.link.sends;
    client.publish_data("a", 1, "x");
    client.publish("b", 2);
    client.subscribe("c", 0);
    assert_eq!(client.link.sends - before, 3);
}

#[test]
fn handle_and_details_of_an_outgoing_message_are_told() {
    let mut client = Client::connected(CLEAN);
    let handle = client.publish_data("a/b", 1 | RETAIN, "hi");
    assert_ne!(handle, 0);
    client.receive("40 02 00 01");
    let told = client.expect_events([acknowledged(1)]);
    let details = Details {
        topic: Some("a/b".into()),
        topic_length: 3,
        identifier: 1,
        handle,
        qos: 1,
        retained: true,
        duplicate: false,
        total: 2,
        offset: 0,
    };
    assert_eq!(*told[0].message(), details);

    let other = client.publish_data("a/b", 1 | RETAIN, "hi");
    assert_ne!(other, handle);
    client.lose(lost::CLOSED);
    let told = client.expect_events([failed(1), HOST_CLOSED]);
    assert_eq!((told[0].message().handle, told[0].message().topic.as_deref()), (other, Some("a/b")));
    assert_eq!(told[1].details, None);
}

#[test]
fn details_are_told_where_a_payload_is_asked_for() {
    let mut client = Client::connected(CLEAN);
    client.publish("a/b", 2);
    let details = client.asked[0].message();
    assert_eq!((details.topic.as_deref(), details.qos, details.handle), (Some("a/b"), 2, 0));
    client.library.publish(0, None, 1).unwrap();
    client.poll();
    let [_, topic, payload] = &client.asked[..] else { panic!("{:?}", client.asked) };
    assert_eq!((topic.message().topic.as_deref(), topic.message().qos), (None, 1));
    assert_eq!(payload.message().topic.as_deref(), Some("asked"));
}

#[test]
fn qos_2_publication_is_repeated_with_new_data_on_demand() {
    let mut client = Client::connected(CLEAN);
    let data = |count: u16| vec![b'x'; 50 * usize::from(count)]; // of one byte of remaining length, then of two
    let mut count = 0;
    client.application.answers(move |_, event| match event.kind {
        Kind::PublishData => {
            count += 1;
            Some(data(count).into())
        }
        Kind::PublishAcknowledged => Some(Answer::from(u16::from(count < 3))),
        _ => None,
    });
    client.subscribed("s", 2);
    client.library.publish(1, None, 2).unwrap();
    client.poll();
    for identifier in 2..=4 {
        client.expect_sent_bytes(&publish(0x34, "s", identifier, &data(identifier - 1)));
        client.receive_bytes(&[0x50, 2, 0, identifier as u8]);
        client.expect_sent_bytes(&[0x62, 2, 0, identifier as u8]);
        client.receive_bytes(&[0x70, 2, 0, identifier as u8]);
        client.expect_events([acknowledged(2).of(1)]);
    }
    client.expect_sent("");
}

#[test]
fn publication_that_fails_is_not_repeated() {
    let mut client = Client::connected(CLEAN);
    client.application.answers(|_, event| match event.kind {
        Kind::PublishTopic => Some("".into()),
        Kind::PublishFailed => Some(1.into()),
        _ => None,
    });
    client.library.publish(0, None, 2).unwrap();
    client.poll();
    client.expect_events([failed(2)]);
    client.expect_sent("");
}

#[test]
fn repeated_publication_comes_behind_what_was_accepted_before() {
    let mut client = Client::connected(CLEAN);
    client.application.answers(|_, event| (event.kind == Kind::PublishAcknowledged).then(|| u16::from(event.number == 2).into()));
    client.publish("a", 2);
    client.receive("50 02 00 01");
    client.take_sent();
    client.link.room = 0;
    client.publish_data("b", 0, "x");
    client.receive("70 02 00 01");
    client.link.room = usize::MAX;
    client.poll();
    client.expect_sent("30 04 00 01 'b' 'x' 34 0c 00 01 'a' 00 02 'payload'");
}

#[test]
fn repeat_is_for_qos_2_and_data_that_were_asked_for() {
    let mut client = Client::connected(CLEAN);
    client.application.answers(|_, event| (event.kind == Kind::PublishAcknowledged).then(|| 1.into()));
    client.publish("a", 0);
    client.publish("a", 1);
    client.publish_data("a", 2, "");
    client.publish_stream("a", 2, 0);
    client.take_sent();
    client.receive("40 02 00 01 50 02 00 02 70 02 00 02 50 02 00 03 70 02 00 03");
    client.expect_sent("62 02 00 02 62 02 00 03");
    client.expect_events([acknowledged(0), acknowledged(1), acknowledged(2), acknowledged(2)]);
}

#[test]
fn callback_may_publish_and_subscribe_in_any_event() {
    let mut client = Client::connected(CLEAN);
    client.application.answers(|library, event| {
        match event.kind {
            Kind::TopicMessage => drop(library.publish_data(0, Some("answer"), 0, &event.data).unwrap()),
            Kind::PublishAcknowledged => drop(library.subscribe(Some("more"), 0).unwrap()),
            _ => {}
        }
        None
    });
    client.receive("30 05 00 01 'a' 'hi'");
    client.expect_sent("30 0a 00 06 'answer' 'hi' 82 09 00 01 00 04 'more' 00");
    client.expect_events([message(0, "hi"), acknowledged(0)]);
}

#[test]
fn callback_that_publishes_without_end_does_not_keep_the_poll_from_the_broker() {
    let mut client = Client::connected(CLEAN);
    client.application.answers(|library, event| {
        if event.kind == Kind::PublishAcknowledged {
            library.publish_data(0, Some("a"), 0, b"again").unwrap();
        }
        None
    });
    client.library.publish_data(0, Some("a"), 0, b"first").unwrap();
    client.link.arrives(&bytes("30 04 00 01 'b' 'x'"));
    assert!((0..2).all(|_| client.poll_once() == 0), "wants to be polled again at once");
    assert!(client.take_events().contains(&message(0, "x")));
}

#[test]
fn payload_comes_down_to_its_topic_while_others_may_run() {
    let mut client = Client::connected(CLEAN);
    let runs = std::rc::Rc::new(std::cell::Cell::new(0));
    let count = runs.clone();
    // What it asks for gets no room that the payload still lies in.
    client.other_task = Some(Box::new(move |library| {
        count.set(count.get() + 1);
        let _ = library.publish_data(0, Some("b"), 0, &[b'y'; 200]);
    }));
    client.library.publish_data(0, None, 0, &[b'x'; 1500]).unwrap();
    client.poll();
    assert_eq!(runs.get(), 1);
    let both = [publish(0x30, "asked", 0, &[b'x'; 1500]), publish(0x30, "b", 0, &[b'y'; 200])].concat();
    client.expect_sent_bytes(&both);
    client.expect_events([acknowledged(0), acknowledged(0)]);
}
