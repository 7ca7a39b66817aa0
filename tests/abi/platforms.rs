//! Platforms that lie, or fail.

use super::c;
use super::client::{Client, connect};
use super::world::world;
use core::ffi::c_int;

const UNKNOWN: [c_int; 4] = [-4, -100, i16::MIN as c_int, c_int::MIN];

/// What an attempt ends with whose link fails with each result.
fn ends() -> Vec<(c_int, Vec<c_int>)> {
    let mut ends = vec![
        (c::LINK_CLOSED, vec![c::HOST_CLOSED]),
        (c::LINK_FAILED, vec![c::LINK, c::HOST_CLOSED]),
        (c::LINK_UNREACHABLE, vec![c::ARP_FAIL]),
    ];
    ends.extend(UNKNOWN.map(|result| (result, vec![c::LINK, c::HOST_CLOSED])));
    ends
}

fn opened_and_closed() -> (usize, usize) {
    world(|world| (world.opened.len(), world.closed))
}

#[test]
fn fn_open_that_fails_ends_the_attempt_without_fn_close() {
    for (result, kinds) in ends() {
        let client = Client::closed();
        world(|world| world.open_result = result);
        assert_eq!(connect(c::CLEAN), 0);
        assert_eq!(client.poll(), c::NEVER);
        assert_eq!(client.kinds(), kinds, "{result}");
        assert_eq!(opened_and_closed(), (1, 0), "{result}");
        assert_eq!(connect(c::CLEAN), 0, "{result}");
    }
}

#[test]
fn a_positive_fn_open_has_failed() {
    for result in [1, 1000, c_int::MAX] {
        let client = Client::closed();
        world(|world| world.open_result = result);
        assert_eq!(connect(c::CLEAN), 0);
        client.poll();
        assert_eq!(client.kinds(), [c::LINK, c::HOST_CLOSED], "{result}");
        assert_eq!(world(|world| world.sent.len()), 0);
    }
}

#[test]
fn fn_send_that_fails_ends_the_connection_with_one_fn_close() {
    for (result, kinds) in ends() {
        let client = Client::connected(c::CLEAN);
        world(|world| world.send_result = Some(result));
        c::subscribe(c"a", 0);
        client.poll();
        assert_eq!(client.kinds(), kinds, "{result}");
        assert_eq!(opened_and_closed(), (1, 1), "{result}");
    }
}

#[test]
fn fn_receive_that_fails_ends_the_connection_with_one_fn_close() {
    for (result, kinds) in ends() {
        let client = Client::connected(c::CLEAN);
        client.loses_link(result);
        assert_eq!(client.kinds(), kinds, "{result}");
        assert_eq!(opened_and_closed(), (1, 1), "{result}");
    }
}

#[test]
fn what_was_received_before_the_link_was_lost_is_told_before_its_end() {
    let client = Client::connected(c::CLEAN);
    world(|world| world.incoming.extend_from_slice(b"\x30\x04\0\x01ax"));
    client.loses_link(c::LINK_CLOSED);
    assert_eq!(client.kinds(), [c::TOPIC_MESSAGE, c::HOST_CLOSED]);
}

#[test]
fn a_fn_send_that_claims_more_than_it_got_is_a_lost_link() {
    for result in [c_int::from(u16::MAX) + 1, c_int::MAX, 100] {
        let client = Client::connected(c::CLEAN);
        c::subscribe(c"a", 0);
        world(|world| world.send_result = Some(result));
        client.poll();
        assert_eq!(client.kinds(), [c::LINK, c::HOST_CLOSED], "{result}");
        assert_eq!(opened_and_closed(), (1, 1), "{result}");
    }
}

#[test]
fn a_fn_receive_that_claims_more_than_its_room_is_a_lost_link() {
    for result in [c::RX_BUFFER_LENGTH as c_int + 1, c_int::from(u16::MAX), c_int::from(u16::MAX) + 1, 65_540, c_int::MAX] {
        let client = Client::connected(c::CLEAN);
        client.loses_link(result);
        assert_eq!(client.kinds(), [c::LINK, c::HOST_CLOSED], "{result}");
        assert_eq!(opened_and_closed(), (1, 1), "{result}");
    }
}

#[test]
fn a_fn_send_that_takes_nothing_is_waited_for_as_long_as_the_response_time() {
    let client = Client::closed();
    world(|world| world.send_result = Some(0));
    assert_eq!(connect(c::CLEAN), 0);
    assert_eq!(client.poll(), 15_000, "the link is being connected");
    client.passes(14_999);
    client.forget();
    client.passes(1);
    assert_eq!(client.kinds(), [c::TIMEOUT, c::CONNECTION_CLOSED]);
    assert_eq!(opened_and_closed(), (1, 1));
}

#[test]
fn a_packet_may_be_taken_and_given_byte_by_byte() {
    let client = Client::connected(c::CLEAN);
    world(|world| world.send_limit = Some(1));
    assert!(c::publish_data(0, c"topic", 1, b"payload") > 0);
    client.poll();
    world(|world| world.send_limit = None);
    let packet = client.sent().pop().unwrap();
    assert_eq!((packet[0], &packet[2..9], &packet[11..]), (0x32, &b"\0\x05topic"[..], &b"payload"[..]));
    for byte in b"\x34\x09\0\x02ab\0\x05xyz" {
        client.receives(&[*byte]);
    }
    assert_eq!(client.events().pop().unwrap().data.unwrap(), b"xyz");
    assert_eq!(client.sent(), [[0x50, 2, 0, 5]]);
}

#[test]
fn the_clock_may_start_anywhere_and_only_its_lower_32_bits_count() {
    for start in [0xffff_ffff, 0xffff_c000, 0x7fff_ffff, 0xffff_ffff_ffff_ff00] {
        let client = Client::closed();
        world(|world| world.now = start);
        assert_eq!(connect(c::CLEAN), 0);
        assert_eq!(client.poll(), 15_000);
        client.forget();
        // As a firmware on which unsigned long has 32 bits would tell it.
        world(|world| world.now = world.now.wrapping_add(14_999) & 0xffff_ffff);
        assert_eq!(client.poll(), 1, "{start:#x}");
        assert_eq!(client.kinds(), [0; 0]);
        client.passes(1);
        assert_eq!(client.kinds(), [c::TIMEOUT, c::CONNECTION_CLOSED], "{start:#x}");
    }
}
