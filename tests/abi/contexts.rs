//! The critical section, fnWake, and calls from other threads. That neither the callback nor a function of the platform runs
//! inside the critical section is watched in all tests, see `world.rs`.

use super::c::{self, MQTT_OPTIONS};
use super::client::{ACCEPTED, Client, connect};
use super::world::{critical_sections, fnEnterMQTT_critical, fnExitMQTT_critical, in_critical_section, set_hook, set_interrupt, world};
use core::ffi::{c_schar, c_uchar, c_ulong, c_ushort};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::thread;

type Call = fn() -> i64;

#[test]
fn every_call_that_touches_the_client_enters_the_critical_section_and_leaves_it() {
    let client = Client::connected(c::CLEAN);
    client.subscribed(c"a", 0);
    let calls: [(&str, Call); 12] = [
        ("fnSetMQTT_platform", || i64::from(c::set_platform(&super::world::PLATFORM))),
        ("fnSetMQTT_options", || i64::from(c::set_options(MQTT_OPTIONS::default()))),
        ("fnConnectMQTT", || i64::from(connect(c::CLEAN))),
        ("fnSubscribeMQTT", || i64::from(c::subscribe(c"a", 0))),
        ("fnUnsubscribeMQTT", || i64::from(c::unsubscribe(2))),
        ("fnPublishMQTT", || i64::from(c::publish(0, c"a", 0))),
        ("fnPublishMQTT_data", || i64::from(c::publish_data(0, c"a", 0, b"x"))),
        ("fnPublishMQTT_stream", || i64::from(c::publish_stream(0, c"a", 0, 1))),
        ("fnShowMQTT_subscription", || i64::from(c::show_subscription(1))),
        ("fnGetMQTT_subscription", || c::subscription(1).map_or(-1, |_| 0)),
        ("fnPollMQTT", || c::poll() as i64),
        ("fnDisconnectMQTT", || i64::from(c::disconnect())),
    ];
    for (name, call) in calls {
        let before = critical_sections();
        call();
        assert!(critical_sections() > before, "{name}");
        assert!(!in_critical_section(), "{name}");
    }
}

#[test]
fn calls_may_be_made_inside_a_critical_section_of_the_firmware() {
    let client = Client::connected(c::CLEAN);
    world(|world| world.send_result = Some(0));
    let state = fnEnterMQTT_critical();
    let outer = fnEnterMQTT_critical();
    fnExitMQTT_critical(outer);
    // Nothing of the platform may run here but fnWake, which would be noted as inside the firmware's own section.
    assert_eq!(c::unsubscribe(1), c::NO_SUBSCRIPTION_ENTRY);
    assert_eq!(c::subscription(1), Err(c::NO_SUBSCRIPTION_ENTRY));
    assert!(in_critical_section());
    fnExitMQTT_critical(state);
    assert!(!in_critical_section());
    world(|world| world.send_result = None);
    client.poll();
}

#[test]
fn every_accepted_request_wakes_and_no_refused_one_does() {
    let client = Client::closed();
    let wakes = |call: &dyn Fn() -> i32| {
        let before = world(|world| world.wakes);
        let result = call();
        (result >= 0, world(|world| world.wakes) - before > 0)
    };
    assert_eq!(wakes(&|| c::subscribe(c"a", 0)), (false, false));
    assert_eq!(wakes(&|| connect(0x01)), (false, false));
    assert_eq!(wakes(&|| connect(c::CLEAN)), (true, true));
    assert_eq!(wakes(&|| connect(c::CLEAN)), (false, false));
    client.poll();
    client.receives(&ACCEPTED);
    assert_eq!(wakes(&|| c::subscribe(c"a", 0)), (true, true));
    assert_eq!(wakes(&|| c::unsubscribe(1)), (true, true));
    assert_eq!(wakes(&|| c::unsubscribe(1)), (false, false));
    assert_eq!(wakes(&|| c::publish(0, c"a", 0)), (true, true));
    assert_eq!(wakes(&|| c::publish_data(0, c"a", 0, b"x")), (true, true));
    assert_eq!(wakes(&|| c::publish_stream(0, c"a", 0, 1)), (true, true));
    assert_eq!(wakes(&|| c::publish_stream(0, c"#", 0, 1)), (false, false));
    assert_eq!(wakes(&|| c::disconnect()), (true, true));
    assert_eq!(wakes(&|| c::disconnect()), (false, false));
}

#[test]
fn payloads_are_copied_outside_the_critical_section() {
    static PAYLOAD: [AtomicU8; 2] = [AtomicU8::new(b'b'), AtomicU8::new(b'c')];
    let client = Client::connected(c::CLEAN);
    // An interrupt that comes as soon as the publication is accepted.
    set_interrupt(Some(Box::new(|| {
        PAYLOAD[0].store(b'B', Ordering::Relaxed);
        false
    })));
    let before = critical_sections();
    // SAFETY: a topic that is terminated, and two bytes.
    assert!(unsafe { c::raw::fnPublishMQTT_data(0, c"a".as_ptr(), 0, PAYLOAD.as_ptr().cast(), 2) } > 0);
    assert_eq!(critical_sections() - before, 2, "one to accept it, one when it is copied");
    client.poll();
    assert_eq!(client.sent(), [*b"\x30\x05\0\x01aBc"]);
}

#[test]
fn payloads_are_moved_outside_the_critical_section() {
    static ASKED: AtomicBool = AtomicBool::new(false);
    static LEFT: AtomicU8 = AtomicU8::new(0);
    let client = Client::connected(c::CLEAN);
    let count = || {
        if ASKED.load(Ordering::Relaxed) && world(|world| world.sent.is_empty()) {
            LEFT.fetch_add(1, Ordering::Relaxed);
        }
        true
    };
    set_interrupt(Some(Box::new(count)));
    set_hook(Some(Box::new(|event, room| {
        (event.kind == c::PUBLISH_TOPIC).then(|| {
            ASKED.store(true, Ordering::Relaxed);
            room[0] = b'a';
            1
        })
    })));
    assert!(c::publish_data(0, None, 0, b"hi") > 0);
    client.poll();
    set_interrupt(None);
    assert_eq!(client.sent(), [*b"\x30\x05\0\x01ahi"]);
    assert_eq!(LEFT.load(Ordering::Relaxed), 2, "while the payload comes down to the topic, and to send it");
}

#[test]
fn polling_wakes_nobody() {
    let client = Client::connected(c::CLEAN);
    c::subscribe(c"a", 0);
    let before = world(|world| world.wakes);
    client.poll();
    client.passes(75_000);
    client.loses_link(c::LINK_CLOSED);
    assert_eq!(world(|world| world.wakes), before);
}

/// Ends the other threads where this one ends, by a panic too.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The payload of a thread's message: its number, then a count, then a length that both determine.
fn payload(thread: u8, count: u32) -> Vec<u8> {
    let mut payload = vec![thread];
    payload.extend_from_slice(&count.to_be_bytes());
    payload.resize(5 + (count as usize * 7 + usize::from(thread)) % 90, thread ^ count as u8);
    payload
}

#[test]
fn messages_of_several_threads_arrive_whole_once_and_in_the_order_of_each_thread() {
    const THREADS: u8 = 3;
    const MESSAGES: u32 = 2000;
    let client = Client::connected(c::CLEAN);
    let stop = AtomicBool::new(false);
    let mut next = [0; THREADS as usize];
    let mut acknowledged = 0;
    thread::scope(|scope| {
        let _end = Stop(&stop);
        for number in 0..THREADS {
            let stop = &stop;
            scope.spawn(move || {
                for count in 0..MESSAGES {
                    let payload = payload(number, count);
                    loop {
                        match c::publish_data(0, c"threads", (count % 2) as i8, &payload) {
                            c::BUSY if stop.load(Ordering::Relaxed) => return,
                            c::BUSY => thread::yield_now(),
                            handle => break assert!(handle > 0, "{handle}"),
                        }
                    }
                }
            });
        }
        let all = u32::from(THREADS) * MESSAGES;
        while acknowledged < all {
            client.poll();
            for packet in client.sent() {
                let (qos, identifier_length) = (packet[0] & 0x06, usize::from(packet[0] & 0x06));
                let content = &packet[2 + 2 + 7 + identifier_length..];
                let number = usize::from(content[0]);
                assert_eq!(content, payload(number as u8, next[number]), "thread {number}");
                assert_eq!(u32::from(qos >> 1), next[number] % 2);
                next[number] += 1;
                client.acknowledges(&packet);
            }
            for event in client.events() {
                assert_eq!(event.kind, c::PUBLISH_ACKNOWLEDGED);
                // Whoever publishes during the callback must not change what it is told.
                let topic = event.message.unwrap().topic.unwrap_or(b"threads".into());
                assert!(topic == b"threads", "{} bytes", topic.len());
                acknowledged += 1;
            }
        }
    });
    assert_eq!(next, [MESSAGES; THREADS as usize]);
}

#[test]
fn other_threads_may_ask_for_anything_while_connections_come_and_go() {
    let client = Client::closed();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let _end = Stop(&stop);
        for number in 0..2 {
            let stop = &stop;
            scope.spawn(move || {
                let mut round = number;
                while !stop.load(Ordering::Relaxed) {
                    round += 1;
                    let result = match round % 6 {
                        0 => c::subscribe(c"other", 1),
                        1 => c::unsubscribe((round % 9) as u8),
                        2 => c::publish(0, c"other", (round % 3) as i8),
                        3 => c::publish_data((round % 9) as u8, c"other", 1, &[0x55; 300]),
                        4 => c::subscription(round % 9).err().unwrap_or(0),
                        _ => c::publish_stream(0, c"other", 0, 3000),
                    };
                    assert!(matches!(result, 0.. | c::NOT_READY | c::BUSY | c::NO_SUBSCRIPTION_ENTRY | c::INVALID_SUBSCRIPTION), "{result}");
                }
            });
        }
        for round in 0..300 {
            assert_eq!(connect(if round % 2 == 0 { c::CLEAN } else { 0 }), 0);
            client.poll();
            client.receives(&ACCEPTED);
            for _ in 0..10 {
                for packet in client.sent() {
                    match packet[0] & 0xf0 {
                        0x30 => client.acknowledges(&packet),
                        0x80 => {
                            client.receives(&[0x90, 3, packet[2], packet[3], 1]);
                        },
                        0xa0 => {
                            client.receives(&[0xb0, 2, packet[2], packet[3]]);
                        },
                        _ => {}
                    }
                }
                client.poll();
            }
            if round % 3 == 0 {
                assert_eq!(c::disconnect(), 0);
                client.poll();
            }
            client.loses_link(c::LINK_CLOSED);
            client.forget();
        }
    });
    world(|world| assert_eq!(world.opened.len(), world.closed));
}

#[test]
fn callback_of_the_next_connection_is_not_told_of_the_end_of_the_one_before() {
    static TOLD: Mutex<Vec<i32>> = Mutex::new(Vec::new());
    unsafe extern "C" fn next_callback(event: c_schar, _: *mut c_uchar, _: c_ulong, _: c_uchar) -> c_ushort {
        TOLD.lock().unwrap().push(event.into());
        0
    }
    let client = Client::connected(c::CLEAN);
    set_interrupt(Some(Box::new(|| {
        // SAFETY: no address is given.
        let answer = unsafe { c::raw::fnConnectMQTT(core::ptr::null(), Some(next_callback), c::CLEAN) };
        answer != 0
    })));
    client.loses_link(c::LINK_CLOSED);
    set_interrupt(None);
    assert_eq!(world(|world| world.events.iter().map(|event| event.kind).collect::<Vec<_>>()), [c::HOST_CLOSED]);
    assert_eq!(TOLD.lock().unwrap().first(), Some(&c::CLIENT_IDENTIFIER));
}
