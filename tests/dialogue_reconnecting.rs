//! The client connects again by itself.

mod support;
use support::*;

#[test]
fn each_end_is_followed_by_the_wait_for_the_next_attempt() {
    type End = fn(&mut Client);
    let ends: [(End, &[Told]); 5] = [
        (|client| client.lose(lost::CLOSED), &[HOST_CLOSED]),
        (|client| client.lose(lost::FAILED), &[LINK, HOST_CLOSED]),
        (|client| client.lose(lost::UNREACHABLE), &[UNREACHABLE]),
        (|client| client.receive("f0 00"), &[PROTOCOL, CONNECTION_CLOSED]),
        (|client| client.pass(90_000), &[TIMEOUT, CONNECTION_CLOSED]),
    ];
    for (end, told) in ends {
        let mut client = Client::connected_with(RECONNECTING, KEPT);
        end(&mut client);
        assert_eq!(client.take_events(), [told, &[reconnecting(10_000)]].concat());
        assert!(!client.link.is_open());
    }
}

#[test]
fn refused_attempt_is_repeated() {
    let mut client = Client::with(RECONNECTING);
    client.connect(CLEAN);
    client.receive("20 02 00 03");
    client.expect_events([refused(3), CONNECTION_CLOSED, reconnecting(10_000)]);
    client.pass(10_000);
    client.accept(false);
}

#[test]
fn waits_are_random_below_a_limit_that_doubles_up_to_the_longest() {
    for (random, part) in [(0x3fff_ffff, 4), (0x7fff_ffff, 2), (u32::MAX, 1)] {
        let mut client = Client::with(RECONNECTING);
        client.random = random;
        client.link.opens.extend([lost::UNREACHABLE; 6]);
        client.connect(CLEAN);
        for (attempt, limit) in [10_000, 20_000, 40_000, 60_000, 60_000, 60_000].into_iter().enumerate() {
            client.expect_events([UNREACHABLE, reconnecting(limit / part)]);
            client.pass(limit / part - 1);
            assert_eq!(client.link.opened, attempt + 1, "not before its time");
            client.pass(1);
            assert_eq!(client.link.opened, attempt + 2);
        }
        client.accept(false);
    }
}

#[test]
fn shortest_wait_leaves_the_firmware_to_its_other_work() {
    let mut client = Client::with(RECONNECTING);
    client.random = 0;
    client.link.opens.extend([lost::UNREACHABLE; 1000]);
    client.library.connect(CLEAN).unwrap();
    assert_eq!(client.poll_once(), 1);
    client.expect_events([UNREACHABLE, reconnecting(1)]);
    assert_eq!(client.link.opened, 1);
    client.pass(1);
    client.expect_events([UNREACHABLE, reconnecting(1)]);
}

#[test]
fn limit_is_the_first_again_after_connack() {
    let mut client = Client::with(RECONNECTING);
    client.link.opens.extend([lost::UNREACHABLE; 3]);
    client.connect(CLEAN);
    client.pass(10_000 + 20_000 + 40_000);
    client.take_events();
    client.accept(false);
    client.lose(lost::CLOSED);
    client.expect_events([HOST_CLOSED, reconnecting(10_000)]);
}

#[test]
fn longest_wait_is_the_first_where_it_is_not_chosen() {
    let mut client = Client::with(Options { reconnect_first: 3, ..DEFAULTS });
    client.link.opens.extend([lost::CLOSED; 3]);
    client.connect(CLEAN);
    for _ in 0..3 {
        client.expect_events([HOST_CLOSED, reconnecting(3000)]);
        client.pass(3000);
    }
}

#[test]
fn longest_waits_of_all_do_not_run_over() {
    let mut client = Client::with(Options { reconnect_first: 65535, reconnect_longest: 65535, ..DEFAULTS });
    client.link.opens.extend([lost::CLOSED; 3]);
    client.connect(CLEAN);
    for _ in 0..3 {
        client.expect_events([HOST_CLOSED, reconnecting(65_535_000)]);
        client.pass(65_535_000);
    }
}

#[test]
fn credentials_are_asked_for_at_each_attempt() {
    let mut client = Client::with(RECONNECTING);
    client.connect(CLEAN | USER_NAME | PASSWORD);
    client.asked.clear();
    client.application.password = "other".into();
    client.lose(lost::CLOSED);
    client.pass(10_000);
    assert!(client.take_sent().ends_with(b"\0\x05other"));
    client.expect_asked([(Kind::ClientIdentifier, 1519), (Kind::UserName, 1510), (Kind::UserPassword, 1504)]);
}

#[test]
fn subscriptions_are_made_again_silently() {
    for flags in [CLEAN, KEPT] {
        let mut client = Client::connected_with(RECONNECTING, flags);
        client.subscribed("a", 1);
        client.subscribed("b", 2);
        client.lose(lost::CLOSED);
        client.take_events();
        client.pass(10_000);
        client.accept(false);
        let sent = client.take_sent();
        assert_eq!((&sent[4..8], &sent[12..16]), (&b"\0\x01a\x01"[..], &b"\0\x01b\x02"[..]));
        client.receive_bytes(&[0x90, 3, sent[2], sent[3], 0, 0x90, 3, sent[10], sent[11], 0x80]);
        client.expect_events([subscription_refused(128, 2)]);
        assert_eq!(client.library.subscription(1), Ok((1, 0)));
    }
}

#[test]
fn subscription_that_was_not_answered_is_answered_on_the_next_connection() {
    let mut client = Client::connected_with(RECONNECTING, CLEAN);
    client.subscribe("a", 1);
    client.lose(lost::CLOSED);
    client.expect_events([HOST_CLOSED, reconnecting(10_000)]);
    client.pass(10_000);
    client.accept(false);
    let sent = client.take_sent();
    client.receive_bytes(&[0x90, 3, sent[2], sent[3], 1]);
    client.expect_events([suback(1, 1)]);
}

#[test]
fn publications_of_a_clean_session_fail_with_their_connection() {
    let mut client = Client::connected_with(RECONNECTING, CLEAN);
    client.publish_data("a", 1, "");
    client.publish_data("b", 2, "");
    client.lose(lost::CLOSED);
    client.expect_events([failed(1), failed(2), HOST_CLOSED, reconnecting(10_000)]);
    client.pass(10_000);
    client.accept(false);
    client.expect_sent("");
}

#[test]
fn first_packet_identifier_is_1_again_on_each_connection_of_a_clean_session() {
    let mut client = Client::connected_with(RECONNECTING, CLEAN);
    for _ in 0..3 {
        client.publish_data("a", 1, "");
        client.expect_sent("32 05 00 01 'a' 00 01");
        client.lose(lost::CLOSED);
        client.take_events();
        client.pass(10_000);
        client.accept(false);
    }
}

#[test]
fn requests_are_accepted_while_reconnecting() {
    for flags in [CLEAN, KEPT] {
        let mut client = Client::connected_with(RECONNECTING, flags);
        client.lose(lost::CLOSED);
        client.link.opens.push_back(lost::UNREACHABLE);
        client.publish_data("a", 0, "0");
        client.publish_data("b", 1, "1");
        client.publish_data("c", 2, "2");
        assert_eq!(client.subscribe("d", 0), 1);
        client.pass(10_000);
        client.expect_events([HOST_CLOSED, reconnecting(10_000), UNREACHABLE, reconnecting(20_000)]);
        client.pass(20_000);
        client.accept(false);
        let sent = client.take_sent();
        assert_eq!(sent.len(), 6 + 8 + 8 + 8);
        assert_eq!([sent[0], sent[6], sent[14], sent[22]], [0x30, 0x32, 0x34, 0x82]);
        client.expect_events([acknowledged(0)]);
    }
}

#[test]
fn requests_are_accepted_behind_an_attempt_that_sent_nothing() {
    let mut client = Client::with(RECONNECTING);
    client.link.opens.push_back(lost::UNREACHABLE);
    client.connect(CLEAN);
    client.expect_events([UNREACHABLE, reconnecting(10_000)]);
    client.publish_data("a", 0, "");
    client.pass(10_000);
    client.accept(false);
    client.expect_sent("30 03 00 01 'a'");
}

#[test]
fn version_3_1_keeps_no_identifiers_of_a_clean_session() {
    let mut client = Client::with(RECONNECTING);
    client.library.connect_3_1(CLEAN).unwrap();
    client.poll();
    for _ in 0..2 {
        client.accept(false);
        client.receive("34 05 00 01 'a' 00 09");
        client.lose(lost::CLOSED);
        client.expect_events([message(0, ""), HOST_CLOSED, reconnecting(10_000)]);
        client.pass(10_000);
    }
}

#[test]
fn disconnect_ends_the_wait() {
    let mut client = Client::connected_with(RECONNECTING, CLEAN);
    client.lose(lost::CLOSED);
    client.publish_data("a", 1, "");
    client.take_events();
    client.disconnect();
    client.expect_events([failed(1), CONNECTION_CLOSED]);
    assert_eq!(client.poll(), NEVER);
    client.connect(CLEAN);
    client.accept(false);
}

#[test]
fn connection_that_was_ended_on_demand_is_not_made_again() {
    let mut client = Client::connected_with(RECONNECTING, CLEAN);
    client.subscribed("a", 0);
    client.disconnect();
    client.lose(lost::CLOSED);
    client.expect_events([CONNECTION_CLOSED]);
    client.pass(100_000);
    assert_eq!(client.link.opened, 1);
    assert_eq!(client.library.subscription(1), Err(Error::NoSubscriptionEntry));
}

#[test]
fn connecting_while_reconnecting_is_in_use() {
    let mut client = Client::connected_with(RECONNECTING, CLEAN);
    client.lose(lost::CLOSED);
    assert_eq!(client.library.connect(CLEAN), Err(Error::InUse));
}

#[test]
fn disconnect_inside_an_event_of_the_end_ends_it_all() {
    for (kind, told) in [
        (Kind::PublishFailed, &[failed(1), HOST_CLOSED, CONNECTION_CLOSED][..]),
        (Kind::HostClosed, &[failed(1), HOST_CLOSED, CONNECTION_CLOSED]),
        (Kind::Reconnecting, &[failed(1), HOST_CLOSED, reconnecting(10_000), CONNECTION_CLOSED]),
    ] {
        let mut client = Client::connected_with(RECONNECTING, CLEAN);
        client.application.answers(move |library, event| {
            if event.kind == kind {
                library.disconnect().unwrap();
            }
            None
        });
        client.publish("a", 1);
        client.lose(lost::CLOSED);
        assert_eq!(client.take_events(), told, "{kind:?}");
        assert_eq!(client.link.opened, 1);
    }
}

#[test]
fn subscriptions_have_their_place_beside_copies_that_were_given_up_between_two_attempts() {
    let mut client = Client::connected_with(RECONNECTING, KEPT);
    let mut claims: Vec<_> = (0..2).map(|_| client.library.claim_data(0, Some("a"), 1, 1).unwrap()).collect();
    client.disconnect();
    client.lose(lost::CLOSED);
    // Both copies end in the next attempt, which is lost before CONNECT has gone out.
    client.application.answers(move |library, _| {
        for claimed in claims.drain(..) {
            assert_eq!(library.copy_data(claimed, b"x"), Err(Error::NotReady));
        }
        None
    });
    client.link.room = 0;
    client.connect(KEPT);
    // Another task asks for all that can be asked for as soon as that is accepted.
    let accepted = std::rc::Rc::new(std::cell::Cell::new([0, 0]));
    let counts = accepted.clone();
    client.other_task = Some(Box::new(move |library| {
        let [mut publications, mut subscriptions] = counts.get();
        while library.publish_data(0, Some("p"), 1, b"").is_ok() {
            publications += 1;
        }
        while library.subscribe(Some("s"), 0).is_ok() {
            subscriptions += 1;
        }
        counts.set([publications, subscriptions]);
    }));
    client.lose(lost::CLOSED);
    client.other_task = None;
    let [publications, subscriptions] = accepted.get();
    assert_eq!(subscriptions, 8);
    client.take_events();
    client.link.room = usize::MAX;
    client.pass(10_000);
    client.accept(true);
    assert_eq!(types(&client.take_sent()), [(0x32, publications), (0x82, subscriptions)]);
}
