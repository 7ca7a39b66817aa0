//! Subscriptions, on one connection.

mod support;
use support::*;

#[test]
fn subscription_is_made_and_ended() {
    let mut client = Client::connected(CLEAN);
    assert_eq!(client.subscribe("a/b", 1), 1);
    client.expect_sent("82 08 00 01 00 03 'a/b' 01");
    client.receive("90 03 00 01 01");
    client.expect_events([suback(1, 1)]);
    client.unsubscribe(1);
    client.expect_sent("a2 07 00 02 00 03 'a/b'");
    client.receive("b0 02 00 02");
    client.expect_events([unsuback(1)]);
    assert_eq!(client.library.subscription(1), Err(Error::NoSubscriptionEntry));
}

#[test]
fn granted_qos_may_be_lower_than_the_one_asked_for() {
    let mut client = Client::connected(CLEAN);
    client.subscribe("a", 2);
    client.receive("90 03 00 01 00");
    client.expect_events([suback(0, 1)]);
    assert_eq!(client.library.subscription(1), Ok((2, 0)));
}

#[test]
fn refused_subscription_frees_its_entry() {
    let mut client = Client::connected(CLEAN);
    client.subscribe("a", 2);
    client.receive("90 03 00 01 80");
    client.expect_events([subscription_refused(128, 1)]);
    assert_eq!(client.subscribe("b", 0), 1);
}

#[test]
fn lowest_free_entry_is_taken() {
    let mut client = Client::connected(CLEAN);
    for reference in 1..=8 {
        assert_eq!(client.subscribed("a", 0), reference);
    }
    assert_eq!(client.library.subscribe(Some("a"), 0), Err(Error::NoSubscriptionEntry));
    client.unsubscribe(3);
    assert_eq!(client.library.subscribe(Some("a"), 0), Err(Error::NoSubscriptionEntry));
    client.receive("b0 02 00 09");
    assert_eq!(client.subscribe("a", 0), 3);
}

#[test]
fn qos_above_2_counts_as_2() {
    let mut client = Client::connected(CLEAN);
    client.subscribe("a", 9);
    client.expect_sent("82 06 00 01 00 01 'a' 02");
}

#[test]
fn filter_is_at_most_16_bytes_long() {
    let mut client = Client::connected(CLEAN);
    assert_eq!(client.subscribe("0123456789abcdef", 0), 1);
    client.expect_sent("82 15 00 01 00 10 '0123456789abcdef' 00");
    assert_eq!(client.library.subscribe(Some("0123456789abcdefg"), 0), Err(Error::TopicTooLong));
}

#[test]
fn filter_is_asked_for_each_time_where_none_is_stored() {
    let mut client = Client::connected(CLEAN);
    client.application.topic = "longer than it could be stored/#".into();
    client.library.subscribe(None, 0).unwrap();
    client.poll();
    client.expect_sent("82 25 00 01 00 20 'longer than it could be stored/#' 00");
    client.receive("90 03 00 01 00");
    client.unsubscribe(1);
    client.expect_sent("a2 24 00 02 00 20 'longer than it could be stored/#'");
    client.expect_asked([(Kind::PublishTopic, 256), (Kind::PublishTopic, 256)]);
}

#[test]
fn filter_that_is_asked_for_has_no_handle() {
    let mut client = Client::connected(CLEAN);
    client.library.subscribe(None, 0).unwrap();
    client.poll();
    client.receive("90 03 00 01 00");
    client.unsubscribe(1);
    assert_eq!(client.asked.iter().map(|event| event.message().handle).collect::<Vec<_>>(), [0, 0]);
}

#[test]
fn answer_that_is_no_filter_refuses_the_subscription() {
    for answer in ["", "'a#'", "'#/a'", "'a' 00", "ff"] {
        let mut client = Client::connected(CLEAN);
        client.application.answers(move |_, event| (event.kind == Kind::PublishTopic).then(|| bytes(answer).into()));
        client.library.subscribe(None, 0).unwrap();
        client.poll();
        client.expect_sent("");
        client.expect_events([subscription_refused(0, 1)]);
        assert_eq!(client.subscribe("a", 0), 1);
    }
    let mut client = Client::connected(CLEAN);
    client.application.answers(|_, event| (event.kind == Kind::PublishTopic).then(|| 257.into()));
    client.library.subscribe(None, 0).unwrap();
    client.poll();
    client.expect_events([subscription_refused(0, 1)]);
}

#[test]
fn unsubscribing_wants_a_reference_that_is_used() {
    let mut client = Client::connected(CLEAN);
    assert_eq!(client.library.unsubscribe(0), Err(Error::InvalidSubscription));
    assert_eq!(client.library.unsubscribe(1), Err(Error::NoSubscriptionEntry));
    assert_eq!(client.library.unsubscribe(8), Err(Error::NoSubscriptionEntry));
    assert_eq!(client.library.unsubscribe(9), Err(Error::InvalidSubscription));
    client.subscribed("a", 0);
    client.unsubscribe(1);
    assert_eq!(client.library.unsubscribe(1), Err(Error::NoSubscriptionEntry));
}

#[test]
fn unsubscribe_follows_the_suback_of_its_subscription() {
    let mut client = Client::connected(CLEAN);
    client.library.subscribe(Some("a"), 1).unwrap();
    client.library.unsubscribe(1).unwrap();
    client.library.publish_data(0, Some("b"), 0, b"").unwrap();
    client.poll();
    client.expect_sent("82 06 00 01 00 01 'a' 01");
    client.receive("90 03 00 01 01");
    client.expect_sent("a2 05 00 02 00 01 'a' 30 03 00 01 'b'");
    client.receive("b0 02 00 02");
    client.expect_events([suback(1, 1), acknowledged(0), unsuback(1)]);
}

#[test]
fn unsubscribe_of_a_refused_subscription_is_forgotten() {
    let mut client = Client::connected(CLEAN);
    client.library.subscribe(Some("a"), 1).unwrap();
    client.library.unsubscribe(1).unwrap();
    client.library.publish_data(0, Some("b"), 0, b"").unwrap();
    client.receive("90 03 00 01 80");
    client.take_sent();
    client.poll();
    client.expect_events([subscription_refused(128, 1), acknowledged(0)]);
    assert_eq!(client.subscribe("c", 0), 1);
    client.expect_sent("82 06 00 03 00 01 'c' 00");
}

#[test]
fn unsubscribe_of_a_subscription_without_a_topic_is_forgotten() {
    let mut client = Client::connected(CLEAN);
    client.application.answers(|library, event| match event.kind {
        Kind::SubscriptionRefused => {
            assert_eq!(library.subscribe(Some("c"), 0), Ok(1));
            None
        }
        Kind::PublishTopic => Some("".into()),
        _ => None,
    });
    client.library.subscribe(None, 0).unwrap();
    client.library.unsubscribe(1).unwrap();
    client.poll();
    client.expect_events([subscription_refused(0, 1)]);
    client.expect_sent("82 06 00 03 00 01 'c' 00");
}

#[test]
fn publication_that_needs_the_topic_of_a_subscription_that_ends_fails() {
    for (topic, end, told) in [
        (Some("a"), "90 03 00 01 80", subscription_refused(128, 1)),
        (None, "90 03 00 01 80", subscription_refused(128, 1)),
        (Some("a"), "b0 02 00 03", unsuback(1)),
        (None, "b0 02 00 03", unsuback(1)),
    ] {
        let mut client = Client::connected(CLEAN);
        client.application.answers(|library, event| {
            if matches!(event.kind, Kind::SubscriptionRefused | Kind::Unsuback) {
                assert_eq!(library.subscribe(Some("other"), 0), Ok(1));
            }
            None
        });
        client.library.subscribe(topic, 0).unwrap();
        client.publish_data("x", 1, &"x".repeat(1000));
        if told.kind == Kind::Unsuback {
            client.receive("90 03 00 01 00");
            client.expect_events([suback(0, 1)]);
            client.unsubscribe(1);
        }
        client.library.publish(1, None, 0).unwrap(); // its payload has no room yet
        client.receive(end);
        client.take_sent();
        client.receive("40 02 00 02");
        client.expect_sent("");
        let told = client.expect_events([told, failed(0).of(1), acknowledged(1)]);
        assert_eq!((told[1].message().topic.as_deref(), told[1].message().total), (None, 0), "it has none yet");
    }
}

#[test]
fn subscription_may_end_while_another_task_copies_a_payload_for_it() {
    let mut client = Client::connected(CLEAN);
    client.library.subscribe(None, 0).unwrap();
    client.poll();
    let claimed = client.library.claim_data(1, None, 0, 2).unwrap();
    client.receive("90 03 00 01 80");
    client.expect_events([subscription_refused(128, 1)]);
    client.take_sent();
    // Its entry is another's now, which knows another topic.
    client.library.subscribe(None, 0).unwrap();
    client.library.copy_data(claimed, b"hi").unwrap();
    client.poll();
    client.expect_sent("82 0a 00 02 00 05 'asked' 00");
    client.expect_events([failed(0).of(1)]);
}

#[test]
fn publication_to_a_subscription_is_repeated_though_that_has_ended() {
    let mut client = Client::connected(CLEAN);
    client.application.answers(|_, event| (event.kind == Kind::PublishAcknowledged).then(|| 1.into()));
    client.subscribed("a", 2);
    client.library.publish(1, None, 2).unwrap();
    client.unsubscribe(1);
    client.receive("b0 02 00 03");
    assert_eq!(client.subscribe("b", 2), 1);
    client.take_sent();
    client.receive("50 02 00 02");
    client.receive("70 02 00 02");
    client.expect_sent("62 02 00 02 34 0c 00 01 'a' 00 05 'payload'");
    client.expect_events([unsuback(1), acknowledged(2).of(1)]);
}

#[test]
fn several_subscriptions_are_answered_in_any_order() {
    let mut client = Client::connected(CLEAN);
    for topic in ["a", "b", "c"] {
        client.subscribe(topic, 1);
    }
    client.receive("90 03 00 02 01 90 03 00 03 80 90 03 00 01 00");
    client.expect_events([suback(1, 2), subscription_refused(128, 3), suback(0, 1)]);
}

#[test]
fn message_may_come_before_the_suback() {
    // [MQTT-3.8.4-3]: the broker may already publish.
    let mut client = Client::connected(CLEAN);
    client.subscribe("a", 0);
    client.receive("30 05 00 01 'a' 'hi' 90 03 00 01 00");
    client.expect_events([message(1, "hi"), suback(0, 1)]);
}

#[test]
fn subscriptions_of_a_clean_session_are_forgotten_when_it_closes() {
    let mut client = Client::connected(CLEAN);
    client.subscribed("a", 0);
    client.subscribe("b", 0);
    client.lose(lost::CLOSED);
    client.expect_events([HOST_CLOSED]);
    assert_eq!(client.library.subscription(1), Err(Error::NoSubscriptionEntry));
    client.connect(CLEAN);
    client.accept(false);
    client.expect_sent("");
    assert_eq!(client.subscribe("c", 0), 1);
}

#[test]
fn subscriptions_that_are_forgotten_leave_their_place() {
    let mut client = Client::new();
    for _ in 0..4 {
        client.connect(CLEAN);
        client.accept(false);
        for reference in 1..=8 {
            assert_eq!(client.subscribe("a", 0), reference);
        }
        assert_eq!(types(&client.take_sent()), [(0x82, 8)]);
        client.lose(lost::CLOSED);
        client.expect_events([HOST_CLOSED]);
    }
}

#[test]
fn every_subscription_has_its_place_beside_all_publications() {
    let mut client = Client::connected(KEPT);
    client.link.room = 0;
    for _ in 0..8 {
        client.publish_data("p", 1, "");
    }
    assert_eq!(client.library.publish_data(0, Some("p"), 0, b""), Err(Error::Busy));
    for reference in 1..=8 {
        assert_eq!(client.library.subscribe(Some("s"), 0), Ok(reference));
    }
    assert_eq!(client.library.unsubscribe(1), Err(Error::Busy), "the second request for a subscription counts as a publication");
    client.link.room = usize::MAX;
    client.poll();
    assert_eq!(types(&client.take_sent()), [(0x32, 8), (0x82, 8)]);

    client.receive("40 02 00 01");
    client.library.unsubscribe(1).unwrap();
    assert_eq!(client.library.publish_data(0, Some("p"), 0, b""), Err(Error::Busy));
    client.resume(KEPT, false);
    client.poll();
    assert_eq!(types(&client.take_sent()), [(0x32, 7), (0x82, 8)], "as new, and the UNSUBSCRIBE waits for its SUBACK");
    for identifier in 9..=16 {
        client.receive_bytes(&[0x90, 3, 0, identifier, 0]);
    }
    assert_eq!(types(&client.take_sent()), [(0xa2, 1)]);
    assert_eq!(client.take_events().len(), 8);
}

#[test]
fn subscriptions_are_made_again_beside_all_publications() {
    let mut client = Client::connected(KEPT);
    for reference in 1..=8 {
        assert_eq!(client.subscribed("s", 0), reference);
    }
    for _ in 0..8 {
        client.publish_data("p", 1, "");
    }
    client.unsubscribe(8);
    client.take_sent();
    client.resume(KEPT, false);
    client.poll();
    assert_eq!(types(&client.take_sent()), [(0x32, 8), (0xa2, 1), (0x82, 7)]);
}

#[test]
fn subscriptions_have_their_place_beside_copies_that_were_given_up() {
    let mut client = Client::connected(CLEAN);
    let claims: Vec<_> = (0..8).map(|_| client.library.claim_data(0, Some("a"), 0, 0).unwrap()).collect();
    client.lose(lost::CLOSED);
    client.link.room = 0;
    client.connect(CLEAN);
    for claimed in claims {
        assert_eq!(client.library.copy_data(claimed, b""), Err(Error::NotReady));
    }
    client.link.room = usize::MAX;
    client.poll();
    for _ in 0..8 {
        client.library.publish_data(0, Some("p"), 1, b"").unwrap();
    }
    for reference in 1..=8 {
        assert_eq!(client.library.subscribe(Some("s"), 0), Ok(reference));
    }
    client.take_sent();
    client.receive("20 02 00 00");
    assert_eq!(types(&client.take_sent()), [(0x32, 8), (0x82, 8)]);
}
