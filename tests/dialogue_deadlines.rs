//! What time brings about: pings, and the end of what takes too long.

mod support;
use support::*;

/// No pings.
const QUIET: Options = Options { keep_alive: NO_KEEP_ALIVE, ..DEFAULTS };

/// Nothing happens for a millisecond less, then the connection ends.
#[track_caller]
fn times_out_after(client: &mut Client, milliseconds: u32) {
    client.pass(milliseconds - 1);
    client.expect_events([]);
    client.pass(1);
    client.expect_events([TIMEOUT, CONNECTION_CLOSED]);
    assert!(!client.link.is_open());
}

#[test]
fn tcp_connect_has_15_seconds() {
    let mut client = Client::new();
    client.link.room = 0;
    client.connect(CLEAN);
    times_out_after(&mut client, 15_000);
}

#[test]
fn connack_has_15_seconds_from_connect_on() {
    let mut client = Client::new();
    client.link.room = 0;
    client.connect(CLEAN);
    client.pass(14_000);
    client.link.room = usize::MAX;
    client.poll();
    times_out_after(&mut client, 15_000);
}

#[test]
fn half_of_connack_is_none() {
    let mut client = Client::new();
    client.connect(CLEAN);
    client.pass(10_000);
    client.receive("20 02 00");
    times_out_after(&mut client, 5_000);
}

#[test]
fn link_that_takes_half_of_connect_has_15_seconds_for_more() {
    let mut client = Client::new();
    client.link.room = 3;
    client.connect(CLEAN);
    client.pass(10_000);
    client.link.room = 3;
    client.poll();
    times_out_after(&mut client, 15_000);
}

#[test]
fn suback_and_unsuback_have_15_seconds() {
    let mut client = Client::connected(CLEAN);
    client.pass(1000);
    client.subscribe("a", 0);
    times_out_after(&mut client, 15_000);

    let mut client = Client::connected(CLEAN);
    client.subscribed("a", 0);
    client.pass(1000);
    client.unsubscribe(1);
    times_out_after(&mut client, 15_000);
}

#[test]
fn suback_is_not_due_before_subscribe_is_sent() {
    let mut client = Client::connected_with(QUIET, CLEAN);
    client.link.room = 0;
    client.subscribe("a", 0);
    client.pass(10_000);
    client.link.room = usize::MAX;
    client.poll();
    client.pass(14_999);
    client.receive("90 03 00 01 00");
    client.pass(100_000);
    client.expect_events([suback(0, 1)]);
}

#[test]
fn nothing_is_due_behind_suback() {
    // Neither PUBACK nor the SUBACK of what has no room to be sent yet.
    let mut client = Client::connected_with(QUIET, CLEAN);
    client.subscribe("a", 0);
    client.publish_data("x", 1, &"x".repeat(1980));
    client.take_sent();
    client.subscribe("b", 0);
    client.receive("90 03 00 01 00");
    client.expect_sent("");
    client.pass(100_000);
    client.expect_events([suback(0, 1)]);
    client.receive("40 02 00 02");
    client.expect_sent("82 06 00 03 00 01 'b' 00");
}

#[test]
fn each_of_several_answers_has_its_15_seconds() {
    let mut client = Client::connected(CLEAN);
    client.subscribe("a", 0);
    client.pass(10_000);
    client.subscribe("b", 0);
    client.receive("90 03 00 02 00");
    client.expect_events([suback(0, 2)]);
    client.pass(15_000);
    client.expect_events([TIMEOUT, CONNECTION_CLOSED]);
}

#[test]
fn later_subscription_gives_an_earlier_one_no_more_time() {
    let mut client = Client::connected(CLEAN);
    client.subscribe("a", 0);
    client.pass(10_000);
    client.subscribe("b", 0);
    times_out_after(&mut client, 5_000);
}

#[test]
fn send_that_takes_nothing_has_15_seconds() {
    let mut client = Client::connected(CLEAN);
    client.link.room = 3;
    client.publish_data("a", 1, "x");
    client.pass(10_000);
    client.link.room = 1;
    client.poll();
    client.expect_events([]);
    client.pass(14_999);
    client.expect_events([]);
    client.pass(1);
    client.expect_events([TIMEOUT, failed(1), CONNECTION_CLOSED]);
}

#[test]
fn acknowledgements_that_the_link_does_not_take_have_15_seconds() {
    let mut client = Client::connected(CLEAN);
    client.link.room = 0;
    client.receive("32 05 00 01 'a' 00 01");
    client.expect_events([message(0, "")]);
    times_out_after(&mut client, 15_000);
}

#[test]
fn puback_pubrec_and_pubcomp_have_no_deadline() {
    let mut client = Client::connected_with(QUIET, CLEAN);
    client.publish_data("a", 1, "");
    client.publish_data("a", 2, "");
    client.publish_data("a", 2, "");
    client.receive("50 02 00 03");
    assert_eq!(client.poll(), NEVER);
    client.pass(10 * 3_600_000);
    client.expect_events([]);
    client.receive("40 02 00 01 50 02 00 02 70 02 00 03 70 02 00 02");
    client.expect_events([acknowledged(1), acknowledged(2), acknowledged(2)]);
}

#[test]
fn response_time_can_be_chosen() {
    let options = Options { response: 3, ..DEFAULTS };
    let mut client = Client::with(options);
    client.connect(CLEAN);
    times_out_after(&mut client, 3000);
    let mut client = Client::connected_with(options, CLEAN);
    client.subscribe("a", 0);
    times_out_after(&mut client, 3000);
    let mut client = Client::connected_with(options, CLEAN);
    client.pass(75_000);
    times_out_after(&mut client, 3000);
}

#[test]
fn pingreq_goes_after_a_quarter_of_the_keep_alive_without_a_transmission() {
    // [MQTT-3.1.2-23]
    let mut client = Client::connected(CLEAN);
    for _ in 0..7 {
        client.pass(10_000);
        client.receive("30 03 00 01 'a'");
    }
    client.pass(4_999);
    client.expect_sent("");
    client.pass(1);
    client.expect_sent("c0 00");
}

#[test]
fn connect_is_a_transmission() {
    let mut client = Client::new();
    client.connect(CLEAN);
    client.pass(5_000);
    client.accept(false);
    client.pass(69_999);
    client.expect_sent("");
    client.pass(1);
    client.expect_sent("c0 00");
}

#[test]
fn pingreq_goes_again_while_pingresp_is_long_in_coming() {
    // [MQTT-3.1.2-23]: other bytes show that the broker lives, but not to the broker that the client does.
    let mut client = Client::connected(CLEAN);
    for _ in 0..20 {
        client.pass(10_000);
        client.receive("30 03 00 01 'a'");
    }
    client.expect_sent("c0 00 c0 00");
}

#[test]
fn pingreq_goes_after_a_quarter_of_the_keep_alive_without_a_reception() {
    let mut client = Client::connected(CLEAN);
    for _ in 0..7 {
        client.pass(10_000);
        client.publish_data("a", 0, "");
    }
    client.take_sent();
    client.pass(4_999);
    client.expect_sent("");
    client.pass(1);
    client.expect_sent("c0 00");
}

#[test]
fn idle_connection_is_pinged_every_quarter_of_the_keep_alive() {
    for keep_alive in [1, 2, 5, 300, 0xfffe] {
        let mut client = Client::connected_with(Options { keep_alive, ..DEFAULTS }, CLEAN);
        for _ in 0..3 {
            client.pass(u32::from(keep_alive) * 250 - 1);
            client.expect_sent("");
            client.pass(1);
            client.expect_sent("c0 00");
            client.receive("d0 00");
        }
        client.expect_events([]);
    }
}

#[test]
fn poll_tells_when_it_has_to_be_called_again() {
    let mut client = Client::connected(CLEAN);
    assert_eq!(client.poll(), 75_000);
    client.pass(70_000);
    assert_eq!(client.poll(), 5_000);
    client.pass(5_000);
    assert_eq!(client.poll(), 15_000);
    client.receive("d0 00");
    assert_eq!(client.poll(), 75_000);
}

#[test]
fn pingresp_has_15_seconds() {
    let mut client = Client::connected(CLEAN);
    client.pass(75_000);
    client.expect_sent("c0 00");
    times_out_after(&mut client, 15_000);
}

#[test]
fn pingresp_has_no_more_time_where_pingreq_goes_again() {
    let mut client = Client::connected_with(Options { keep_alive: 40, ..DEFAULTS }, CLEAN);
    client.pass(10_000);
    times_out_after(&mut client, 15_000);
    client.connect(CLEAN);
}

#[test]
fn time_that_ends_where_the_clock_runs_over_is_one() {
    let mut client = Client::new();
    client.now = 0u32.wrapping_sub(15_000);
    client.link.room = 0;
    client.connect(CLEAN);
    times_out_after(&mut client, 15_001);
}

#[test]
fn any_byte_restarts_the_time_of_pingresp() {
    let mut client = Client::connected(CLEAN);
    client.pass(75_000);
    client.expect_sent("c0 00");
    for byte in ["30", "20", "00"] {
        client.pass(14_999);
        client.receive(byte);
    }
    client.expect_sent("");
    times_out_after(&mut client, 15_000);
}

#[test]
fn no_keep_alive_is_no_ping() {
    let mut client = Client::connected_with(QUIET, CLEAN);
    assert_eq!(client.poll(), NEVER);
    client.pass(0x7fff_ffff);
    client.pass(0x7fff_ffff);
    client.expect_sent("");
    client.expect_events([]);
}

#[test]
fn ping_that_the_link_does_not_take_waits_once() {
    for half_sent in [false, true] {
        let mut client = Client::connected_with(Options { keep_alive: 40, ..DEFAULTS }, CLEAN);
        client.link.room = 0;
        if half_sent {
            client.link.room = 4;
            client.publish_data("a", 0, "x");
        }
        client.pass(10_000);
        assert_ne!(client.poll(), 0, "waits for the link");
        client.pass(4_000);
        client.take_sent();
        client.link.room = usize::MAX;
        client.poll();
        client.expect_sent(if half_sent { "'ax' c0 00" } else { "c0 00" });
    }
}

#[test]
fn ping_that_is_due_while_much_arrives_goes_out_once() {
    let mut client = Client::connected(CLEAN);
    client.now = client.now.wrapping_add(75_000);
    client.link.chunk = 5;
    for _ in 0..100 {
        client.link.arrives(&bytes("30 03 00 01 'a'"));
    }
    client.poll();
    client.expect_sent("c0 00");
    assert_eq!(client.take_events().len(), 100);
}

#[test]
fn pingresp_is_not_due_before_pingreq_is_sent() {
    let mut client = Client::connected(CLEAN);
    client.link.room = 0;
    client.publish_data("a", 0, &"x".repeat(200));
    for _ in 0..200 {
        client.link.room = 1;
        client.pass(1000);
    }
    client.take_sent();
    client.link.room = usize::MAX;
    client.pass(14_999);
    client.expect_sent("'xxxxxx' c0 00");
    client.expect_events([acknowledged(0)]);
}

#[test]
fn pingresp_has_its_time_from_when_the_link_takes_pingreq() {
    let mut client = Client::connected(CLEAN);
    client.link.room = 0;
    client.pass(75_000 + 14_000);
    client.link.room = usize::MAX;
    client.poll();
    client.expect_sent("c0 00");
    times_out_after(&mut client, 15_000);
}

#[test]
fn ping_goes_out_while_a_packet_is_half_sent_behind_it() {
    let mut client = Client::connected(CLEAN);
    client.link.room = 4;
    client.pass(70_000);
    client.publish_data("a", 0, "x");
    client.pass(5_000);
    client.expect_sent("30 04 00 01");
    client.link.room = usize::MAX;
    client.poll();
    client.expect_sent("'ax' c0 00");
    client.expect_events([acknowledged(0)]);
}

#[test]
fn answer_that_the_link_gives_in_small_pieces_is_not_late() {
    let mut client = Client::connected(CLEAN);
    client.subscribe("a", 0);
    client.now = client.now.wrapping_add(14_999);
    client.link.chunk = 1;
    client.link.arrives(&publish(0x30, "a", 0, &[b'x'; 40]));
    client.link.arrives(&bytes("90 03 00 01 00"));
    client.poll_once();
    client.now = client.now.wrapping_add(1);
    client.poll();
    client.expect_events([message(1, "x".repeat(40)), suback(0, 1)]);
}
