//! fnSetMQTT_platform, fnSetMQTT_options, fnConnectMQTT, fnDisconnectMQTT.

use super::c::{self, MQTT_OPTIONS, MQTT_PLATFORM};
use super::client::{ACCEPTED, ADDRESS, Client, before_platform, connect};
use super::world::{self, PLATFORM, world};
use core::ffi::c_ulong;
use std::ptr;

#[test]
fn without_a_platform_every_call_is_not_ready() {
    for &(function, result) in before_platform() {
        let expected = match function {
            "fnPollMQTT" => c::NEVER,
            "fnSetMQTT_security" if !cfg!(feature = "tls") => c::NOT_SUPPORTED as c_ulong,
            _ => c::NOT_READY as c_ulong,
        };
        assert_eq!(result, expected, "{function}");
    }
}

#[test]
fn a_platform_needs_its_five_functions_and_no_others() {
    let _client = Client::closed();
    let lacking: [fn(&mut MQTT_PLATFORM); 5] = [
        |platform| platform.fnOpen = None,
        |platform| platform.fnSend = None,
        |platform| platform.fnReceive = None,
        |platform| platform.fnClose = None,
        |platform| platform.fnMilliseconds = None,
    ];
    // SAFETY: null is allowed.
    assert_eq!(unsafe { c::raw::fnSetMQTT_platform(ptr::null()) }, c::INVALID_ARGUMENT);
    for (index, lack) in lacking.iter().enumerate() {
        let platform = Box::leak(Box::new(PLATFORM));
        lack(platform);
        assert_eq!(c::set_platform(platform), c::INVALID_ARGUMENT, "function {index}");
    }
    let least = MQTT_PLATFORM { fnRandom: None, fnUnixTime: None, fnPrint: None, fnWake: None, ..PLATFORM };
    assert_eq!(c::set_platform(Box::leak(Box::new(least))), 0);
}

#[test]
fn a_client_works_without_the_functions_that_may_be_missing() {
    let client = Client::closed();
    let least = MQTT_PLATFORM { fnRandom: None, fnUnixTime: None, fnPrint: None, fnWake: None, ..PLATFORM };
    assert_eq!(c::set_platform(Box::leak(Box::new(least))), 0);
    assert_eq!(connect(c::CLEAN), 0);
    client.poll();
    client.receives(&ACCEPTED);
    let reference = c::subscribe(c"a", 0);
    client.poll();
    assert_eq!(c::show_subscription(reference), 0);
    assert_eq!(world(|world| (world.printed.len(), world.wakes, world.randoms)), (0, 0, 0));
}

#[test]
fn null_options_are_an_invalid_argument() {
    let _client = Client::closed();
    // SAFETY: null is allowed.
    assert_eq!(unsafe { c::raw::fnSetMQTT_options(ptr::null()) }, c::INVALID_ARGUMENT);
}

#[test]
fn platform_and_options_are_set_between_connections_only() {
    let client = Client::closed();
    assert_eq!(connect(c::CLEAN), 0);
    for state in ["starting", "connecting", "connected", "disconnecting"] {
        assert_eq!(c::set_platform(&PLATFORM), c::IN_USE, "{state}");
        assert_eq!(c::set_options(MQTT_OPTIONS::default()), c::IN_USE, "{state}");
        assert_eq!(connect(c::CLEAN), c::IN_USE, "{state}");
        assert_eq!(connect(1), c::IN_USE, "{state}");
        match state {
            "starting" => assert_ne!(client.poll(), c::NEVER),
            "connecting" => assert_ne!(client.receives(&ACCEPTED), c::NEVER),
            "connected" => assert_eq!(c::disconnect(), 0),
            _ => client.loses_link(c::LINK_CLOSED),
        }
    }
    assert_eq!(c::set_platform(&PLATFORM), 0);
    assert_eq!(c::set_options(MQTT_OPTIONS::default()), 0);
}

#[test]
fn a_connection_needs_a_callback() {
    let _client = Client::closed();
    // SAFETY: null is allowed.
    assert_eq!(unsafe { c::raw::fnConnectMQTT(ADDRESS.as_ptr(), None, c::CLEAN) }, c::INVALID_ARGUMENT);
    assert_eq!(c::disconnect(), c::NOT_READY);
}

#[test]
fn contradicting_and_unknown_mode_flags_are_invalid() {
    let _client = Client::closed();
    const QOS_1: c_ulong = 0x08;
    const QOS_2: c_ulong = 0x10;
    const RETAIN: c_ulong = 0x20;
    let mut invalid = vec![0x01, QOS_1, QOS_2, RETAIN, c::WILL | QOS_1 | QOS_2, c::PASSWORD, c::PASSWORD | c::WILL];
    invalid.extend((11..c_ulong::BITS).map(|bit| 1 << bit));
    for flags in invalid {
        assert_eq!(connect(flags), c::INVALID_ARGUMENT, "{flags:#x}");
        assert_eq!(connect(flags | c::CLEAN), c::INVALID_ARGUMENT, "{flags:#x}");
    }
    assert_eq!(c::poll(), c::NEVER);
    assert_eq!(world(|world| world.opened.len()), 0);
}

#[test]
fn every_consistent_low_byte_is_the_flag_byte_of_connect() {
    let client = Client::closed();
    for flags in (0..=0xfe_u8).step_by(2) {
        let will = flags & 0x04 != 0;
        let consistent = (will || flags & 0x38 == 0) && flags & 0x18 != 0x18 && (flags & 0x40 == 0 || flags & 0x80 != 0);
        if !consistent {
            assert_eq!(connect(flags.into()), c::INVALID_ARGUMENT, "{flags:#x}");
            continue;
        }
        client.forget();
        assert_eq!(connect(flags.into()), 0, "{flags:#x}");
        client.poll();
        let sent = client.sent();
        assert_eq!(sent[0][..2], [0x10, sent[0].len() as u8 - 2]);
        assert_eq!(sent[0][2..12], [0, 4, b'M', b'Q', b'T', b'T', 4, flags, 1, 44], "{flags:#x}");
        let mut expected = b"\0\x03abi".to_vec();
        let mut asked = vec![c::CLIENT_IDENTIFIER];
        if will {
            expected.extend_from_slice(b"\0\x0awill/topic\0\x04gone");
            asked.extend([c::WILL_TOPIC, c::WILL_MESSAGE]);
        }
        if flags & 0x80 != 0 {
            expected.extend_from_slice(b"\0\x04anna");
            asked.push(c::USER_NAME);
        }
        if flags & 0x40 != 0 {
            expected.extend_from_slice(b"\0\x06secret");
            asked.push(c::USER_PASSWORD);
        }
        assert_eq!(sent[0][12..], expected, "{flags:#x}");
        let events = client.events();
        assert_eq!(events.iter().map(|event| event.kind).collect::<Vec<_>>(), asked, "{flags:#x}");
        assert!(events.iter().all(|event| event.data.is_some() && event.length > 1000 && event.reference == 0));
        client.loses_link(c::LINK_CLOSED);
    }
}

#[test]
fn version_3_1_changes_name_and_level() {
    let client = Client::connecting(c::CLEAN | c::VERSION_3_1);
    assert_eq!(client.sent(), [b"\x10\x11\0\x06MQIsdp\x03\x02\x01\x2c\0\x03abi"]);
}

#[test]
fn a_secure_connection_needs_a_build_that_has_it_and_to_be_told_how() {
    let (of_nothing, of_connecting) =
        if cfg!(feature = "tls") { (c::INVALID_ARGUMENT, c::NOT_READY) } else { (c::NOT_SUPPORTED, c::NOT_SUPPORTED) };
    let _client = Client::closed();
    // SAFETY: null is allowed.
    assert_eq!(unsafe { c::raw::fnSetMQTT_security(ptr::null()) }, of_nothing);
    assert_eq!(connect(c::SECURE | c::CLEAN), of_connecting);
    assert_eq!(c::disconnect(), c::NOT_READY);
}

#[test]
fn the_address_is_copied() {
    let client = Client::closed();
    let mut address = ADDRESS;
    // SAFETY: four bytes.
    assert_eq!(unsafe { c::raw::fnConnectMQTT(address.as_ptr(), Some(world::callback), c::CLEAN) }, 0);
    address.fill(0xff);
    std::hint::black_box(&address);
    client.poll();
    assert_eq!(world(|world| world.opened.clone()), [(ADDRESS.to_vec(), 1883)]);
}

#[test]
fn an_ipv6_address_has_16_bytes() {
    let client = Client::closed();
    let address: [u8; 16] = std::array::from_fn(|index| 0xf0 + index as u8);
    // SAFETY: 16 bytes.
    assert_eq!(unsafe { c::raw::fnConnectMQTT(address.as_ptr(), Some(world::callback), c::CLEAN | c::IPV6) }, 0);
    client.poll();
    assert_eq!(world(|world| world.opened.clone()), [(address.to_vec(), 1883)]);
}

#[test]
fn a_null_address_has_length_0() {
    let client = Client::closed();
    for flags in [c::CLEAN, c::CLEAN | c::IPV6] {
        world(|world| world.opened.clear());
        // SAFETY: null is allowed.
        assert_eq!(unsafe { c::raw::fnConnectMQTT(ptr::null(), Some(world::callback), flags) }, 0);
        client.poll();
        assert_eq!(world(|world| world.opened.clone()), [(vec![], 1883)]);
        client.loses_link(c::LINK_CLOSED);
    }
}

#[test]
fn options_are_copied_and_count_for_the_connections_that_follow() {
    let client = Client::closed();
    let mut options = MQTT_OPTIONS { usPort: 8884, usKeepAliveSeconds: 60, ..MQTT_OPTIONS::default() };
    // SAFETY: options.
    assert_eq!(unsafe { c::raw::fnSetMQTT_options(&options) }, 0);
    options.usPort = 1;
    std::hint::black_box(&options);
    for _ in 0..2 {
        assert_eq!(connect(c::CLEAN), 0);
        client.poll();
        assert_eq!(world(|world| world.opened.pop().unwrap().1), 8884);
        assert_eq!(client.sent()[0][10..12], [0, 60]);
        client.loses_link(c::LINK_CLOSED);
    }
    client.set_options(MQTT_OPTIONS { usKeepAliveSeconds: 0xffff, ..MQTT_OPTIONS::default() });
    assert_eq!(connect(c::CLEAN), 0);
    client.poll();
    assert_eq!(world(|world| world.opened.pop().unwrap().1), 1883);
    assert_eq!(client.sent()[0][10..12], [0, 0]);
}

#[test]
fn the_response_time_is_15_seconds_or_the_option() {
    for (option, milliseconds) in [(0, 15_000), (1, 1000), (40, 40_000)] {
        let client = Client::closed();
        client.set_options(MQTT_OPTIONS { usResponseSeconds: option, ..MQTT_OPTIONS::default() });
        assert_eq!(connect(c::CLEAN), 0);
        assert_eq!(client.poll(), milliseconds);
        client.forget();
        client.passes(milliseconds - 1);
        assert_eq!(client.kinds(), [0; 0]);
        client.passes(1);
        assert_eq!(client.kinds(), [c::TIMEOUT, c::CONNECTION_CLOSED]);
    }
}

#[test]
fn a_lost_attempt_is_repeated_where_the_option_says_so() {
    let client = Client::closed();
    client.set_options(MQTT_OPTIONS { usReconnectMinSeconds: 4, ..MQTT_OPTIONS::default() });
    assert_eq!(connect(c::CLEAN | c::USER | c::PASSWORD), 0);
    client.poll();
    client.events();
    for attempt in 2..5 {
        client.loses_link(c::LINK_CLOSED);
        let events = client.events();
        let [closed, again] = &events[..] else { panic!("{events:?}") };
        assert_eq!((closed.kind, again.kind), (c::HOST_CLOSED, c::RECONNECTING));
        assert!(again.length <= 4000 && again.data.is_none(), "{again:?}");
        assert_eq!(connect(c::CLEAN), c::IN_USE);
        client.passes(again.length);
        assert_eq!(client.kinds(), [c::CLIENT_IDENTIFIER, c::USER_NAME, c::USER_PASSWORD], "asked for again");
        assert_eq!(world(|world| world.opened.len()), attempt);
    }
    client.loses_link(c::LINK_CLOSED);
    client.events();
    assert_eq!(c::disconnect(), 0, "the wait for the next attempt");
    client.poll();
    assert_eq!(client.kinds(), [c::CONNECTION_CLOSED]);
    assert_eq!(connect(c::CLEAN), 0);
}

#[test]
fn the_wait_for_an_attempt_grows_as_the_options_say() {
    let client = Client::closed();
    client.set_options(MQTT_OPTIONS { usReconnectMinSeconds: 4, usReconnectMaxSeconds: 10, ..MQTT_OPTIONS::default() });
    assert_eq!(connect(c::CLEAN), 0);
    client.poll();
    for limit in [4000, 8000, 10_000, 10_000] {
        client.loses_link(c::LINK_CLOSED);
        let events = client.events();
        let again = events.last().expect("an event");
        assert_eq!((again.kind, again.length), (c::RECONNECTING, ((0x5a5a * limit) >> 16) + 1), "the platform's random numbers are 0x5a5a...");
        client.passes(again.length);
    }
}

#[test]
fn disconnect_is_accepted_in_every_state_but_closed() {
    let client = Client::closed();
    assert_eq!(c::disconnect(), c::NOT_READY);
    for state in ["starting", "connecting", "connected"] {
        assert_eq!(connect(c::CLEAN), 0);
        if state != "starting" {
            client.poll();
        }
        if state == "connected" {
            client.receives(&ACCEPTED);
        }
        client.forget();
        assert_eq!(c::disconnect(), 0, "{state}");
        assert_eq!(c::disconnect(), c::NOT_READY, "{state}");
        client.poll();
        assert_eq!(c::disconnect(), c::NOT_READY, "{state}");
        client.passes(1000);
        assert_eq!(client.kinds(), [c::CONNECTION_CLOSED], "{state}");
        assert_eq!(client.sent().last().map(Vec::as_slice), (state != "starting").then_some(&[0xe0, 0][..]), "{state}");
        assert_eq!(c::disconnect(), c::NOT_READY);
    }
    world(|world| assert_eq!(world.opened.len(), world.closed));
}

#[test]
fn after_disconnect_the_link_is_read_until_it_closes_or_a_second_has_passed() {
    let client = Client::connected(c::CLEAN);
    assert_eq!(c::disconnect(), 0);
    client.poll();
    assert_eq!(client.receives(&[0x30, 3, 0, 1, b'a']), 1000);
    assert_eq!(client.passes(999), 1);
    assert_eq!(world(|world| (world.closed, world.incoming.len())), (0, 0));
    assert_eq!(client.kinds(), [0; 0]);
    assert_eq!(client.passes(1), c::NEVER);
    assert_eq!(world(|world| world.closed), 1);
    assert_eq!(client.kinds(), [c::CONNECTION_CLOSED]);
}

#[test]
fn the_return_codes_of_connack_are_told() {
    for code in 1..=5 {
        let client = Client::connecting(c::CLEAN);
        client.events();
        client.receives(&[0x20, 2, 0, code]);
        let events = client.events();
        assert_eq!((events[0].kind, events[0].length, events[0].data.is_none()), (c::CONNECTION_REFUSED, code.into(), true));
        assert_eq!((events.len(), events[1].kind), (2, c::CONNECTION_CLOSED));
    }
    for present in [0, 1] {
        let client = Client::connecting(0);
        client.events();
        client.receives(&[0x20, 2, present, 0]);
        let events = client.events();
        assert_eq!((events[0].kind, events[0].length, events[0].data.is_none()), (c::CONNACK_RECEIVED, present.into(), true));
    }
}

/// Where `needle` lies in what the process can write around `place`.
fn found_around(place: usize, needle: &[u8]) -> bool {
    use std::os::unix::fs::FileExt;
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let bounds = |line: &str| {
        let (start, end) = line.split_whitespace().next()?.split_once('-')?;
        Some((usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?))
    };
    let (start, end) = maps.lines().filter_map(bounds).find(|&(start, end)| (start..end).contains(&place)).unwrap();
    let mut bytes = vec![0; end - start];
    std::fs::File::open("/proc/self/mem").unwrap().read_exact_at(&mut bytes, start as u64).unwrap();
    bytes.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn credentials_are_wiped_once_connect_is_sent() {
    let secrets = [(c::USER_NAME, "n4me-of-th3-us3r"), (c::USER_PASSWORD, "p4ssw0rd-0f-th3-us3r")];
    let client = Client::closed();
    client.on_event(move |event, room| {
        let (_, text) = secrets.iter().find(|(kind, _)| *kind == event.kind)?;
        room[..text.len()].copy_from_slice(text.as_bytes());
        Some(text.len() as u16)
    });
    world(|world| world.send_limit = Some(7));
    assert_eq!(connect(c::CLEAN | c::USER | c::PASSWORD), 0);
    client.poll();
    let place = client.events().pop().unwrap().place;
    let sent = client.sent().concat();
    for (_, text) in secrets {
        assert!(sent.windows(text.len()).any(|window| window == text.as_bytes()));
        assert!(!found_around(place, text.as_bytes()), "{text}");
    }
}

#[test]
fn credentials_are_wiped_where_the_attempt_ends_before_connect_is_sent() {
    const SECRET: &[u8] = b"p4ssw0rd-0f-th3-us3r";
    let ends: [fn(&Client); 3] = [
        |client| {
            world(|world| world.send_result = Some(c::LINK_FAILED));
            assert_eq!(client.poll(), c::NEVER);
        },
        |client| assert_eq!(client.passes(15_000), c::NEVER),
        |client| assert_eq!((c::disconnect(), client.poll()), (0, c::NEVER)),
    ];
    for end in ends {
        let client = Client::closed();
        client.on_event(|event, room| {
            (event.kind == c::USER_PASSWORD).then(|| {
                room[..SECRET.len()].copy_from_slice(SECRET);
                SECRET.len() as u16
            })
        });
        world(|world| world.send_result = Some(0));
        assert_eq!(connect(c::CLEAN | c::USER | c::PASSWORD), 0);
        client.poll();
        let place = client.events().pop().unwrap().place;
        assert!(found_around(place, SECRET), "it is still to be sent");
        end(&client);
        assert!(!found_around(place, SECRET));
    }
}
