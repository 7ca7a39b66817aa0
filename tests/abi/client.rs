//! The process's one client, for one test at a time, and the broker that the test plays.

use super::c::{self, MQTT_OPTIONS};
use super::world::{self, Event, PLATFORM, World, world};
use core::ffi::{c_int, c_ulong};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

static TURN: Mutex<()> = Mutex::new(());
static BEFORE_PLATFORM: OnceLock<Vec<(&'static str, c_ulong)>> = OnceLock::new();

pub const ADDRESS: [u8; 4] = [192, 168, 0, 8];
pub const ACCEPTED: [u8; 4] = [0x20, 2, 0, 0];

/// Whoever has it has the library for himself.
pub struct Client(#[expect(dead_code, reason = "held, not looked at")] MutexGuard<'static, ()>);

pub fn connect(flags: c_ulong) -> c_int {
    // SAFETY: no call reads more than the 16 bytes there are.
    unsafe { c::raw::fnConnectMQTT([&ADDRESS[..], &[0; 12]].concat().as_ptr(), Some(world::callback), flags) }
}

/// What each call returned in this process before there was a platform.
pub fn before_platform() -> &'static [(&'static str, c_ulong)] {
    BEFORE_PLATFORM.get_or_init(|| {
        vec![
            ("fnSetMQTT_options", c::set_options(MQTT_OPTIONS::default()) as c_ulong),
            ("fnSetMQTT_security", c::set_security_of_zeros() as c_ulong),
            ("fnConnectMQTT", connect(c::CLEAN) as c_ulong),
            ("fnDisconnectMQTT", c::disconnect() as c_ulong),
            ("fnSubscribeMQTT", c::subscribe(c"a", 0) as c_ulong),
            ("fnUnsubscribeMQTT", c::unsubscribe(1) as c_ulong),
            ("fnPublishMQTT", c::publish(0, c"a", 0) as c_ulong),
            ("fnPublishMQTT_data", c::publish_data(0, c"a", 0, b"x") as c_ulong),
            ("fnPublishMQTT_stream", c::publish_stream(0, c"a", 0, 1) as c_ulong),
            ("fnConnectMQTT, flags", connect(1) as c_ulong),
            ("fnSubscribeMQTT, empty", c::subscribe(c"", 0) as c_ulong),
            ("fnPublishMQTT, empty", c::publish(0, c"", 0) as c_ulong),
            ("fnPublishMQTT, QoS", c::publish(0, c"a", 0x20) as c_ulong),
            // SAFETY: null is allowed.
            ("fnPublishMQTT_data, null", unsafe { c::raw::fnPublishMQTT_data(0, std::ptr::null(), 0, std::ptr::null(), 1) } as c_ulong),
            ("fnShowMQTT_subscription", c::show_subscription(1) as c_ulong),
            ("fnGetMQTT_subscription", c::subscription(1).unwrap_err() as c_ulong),
            ("fnGetMQTT_message", c::message().unwrap_err() as c_ulong),
            ("fnPollMQTT", c::poll()),
        ]
    })
}

impl Client {
    /// There is a platform, and no connection.
    pub fn closed() -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        before_platform();
        world(|world| *world = World::default());
        assert_eq!(c::set_platform(&PLATFORM), 0);
        Self(turn)
    }

    /// The link has taken the first byte of CONNECT, and all others.
    pub fn connecting(flags: c_ulong) -> Self {
        let client = Self::closed();
        assert_eq!(connect(flags), 0);
        client.poll();
        client
    }

    /// The broker has accepted; nothing is left in the logs.
    pub fn connected(flags: c_ulong) -> Self {
        let client = Self::connecting(flags);
        client.receives(&ACCEPTED);
        client.forget();
        client
    }

    pub fn set_options(&self, options: MQTT_OPTIONS) {
        assert_eq!(c::set_options(options), 0);
    }

    pub fn on_event(&self, hook: impl FnMut(&Event, &mut [u8]) -> Option<u16> + Send + 'static) {
        world::set_hook(Some(Box::new(hook)));
    }

    /// Polls until nothing is to be done at once.
    pub fn poll(&self) -> c_ulong {
        (0..100).map(|_| c::poll()).find(|&wait| wait != 0).expect("fnPollMQTT comes to an end")
    }

    /// The broker sends these bytes.
    pub fn receives(&self, bytes: &[u8]) -> c_ulong {
        world(|world| world.incoming.extend_from_slice(bytes));
        self.poll()
    }

    /// The link fails with this result.
    pub fn loses_link(&self, result: c_int) {
        world(|world| world.receive_result = Some(result));
        self.poll();
        world(|world| world.receive_result = None);
    }

    pub fn passes(&self, milliseconds: c_ulong) -> c_ulong {
        world(|world| world.now += milliseconds);
        self.poll()
    }

    /// The packets sent since the last call.
    pub fn sent(&self) -> Vec<Vec<u8>> {
        let bytes = world(|world| std::mem::take(&mut world.sent));
        let mut rest = &bytes[..];
        let mut packets = Vec::new();
        while !rest.is_empty() {
            let digits = 1 + rest[1..].iter().position(|digit| digit & 0x80 == 0).unwrap();
            let remaining = rest[1..=digits].iter().rev().fold(0, |length, digit| length << 7 | usize::from(digit & 0x7f));
            let (packet, behind) = rest.split_at(1 + digits + remaining);
            packets.push(packet.to_vec());
            rest = behind;
        }
        packets
    }

    /// The events since the last call.
    pub fn events(&self) -> Vec<Event> {
        world(|world| std::mem::take(&mut world.events))
    }

    /// Their kinds.
    pub fn kinds(&self) -> Vec<c_int> {
        self.events().iter().map(|event| event.kind).collect()
    }

    pub fn forget(&self) {
        self.sent();
        self.events();
    }

    /// Sends SUBSCRIBE and answers it.
    pub fn subscribed(&self, topic: &std::ffi::CStr, qos: u8) -> u8 {
        let reference = c::subscribe(topic, qos);
        assert!(reference > 0, "{reference}");
        self.poll();
        let packet = self.sent().pop().unwrap();
        self.receives(&[0x90, 3, packet[2], packet[3], qos]);
        assert_eq!(self.kinds(), [c::SUBACK_RECEIVED]);
        reference as u8
    }

    /// Answers a PUBLISH of QoS 1 or 2 to its end.
    pub fn acknowledges(&self, publish: &[u8]) {
        let header = 2 + publish[1..].iter().position(|digit| digit & 0x80 == 0).unwrap();
        let topic_length = usize::from(u16::from_be_bytes([publish[header], publish[header + 1]]));
        let [high, low] = [0, 1].map(|index| publish.get(header + 2 + topic_length + index).copied().unwrap_or_default());
        match publish[0] & 0x06 {
            0x02 => {
                self.receives(&[0x40, 2, high, low]);
            }
            0x04 => {
                self.receives(&[0x50, 2, high, low]);
                let pubrel = [0x62, 2, high, low];
                world(|world| {
                    let place = world.sent.windows(4).position(|bytes| bytes == pubrel).expect("PUBREL follows PUBREC");
                    world.sent.drain(place..place + 4);
                });
                self.receives(&[0x70, 2, high, low]);
            }
            _ => {}
        }
    }
}

impl Drop for Client {
    /// Back to where the next test begins: no connection, default options, a platform that works, nothing kept.
    fn drop(&mut self) {
        let violations = world::take_violations();
        world::set_hook(None);
        world(|world| *world = World { receive_result: Some(c::LINK_CLOSED), ..World::default() });
        c::disconnect();
        self.poll();
        let results = [c::set_platform(&PLATFORM), c::set_options(MQTT_OPTIONS::default()), connect(c::CLEAN)];
        self.poll();
        if !std::thread::panicking() {
            assert_eq!(results, [0; 3]);
            assert_eq!(violations, [""; 0]);
        }
    }
}
