//! The C border as the design writes it down, declared by hand; and its functions with arguments that Rust can check.
#![expect(non_camel_case_types, non_snake_case, reason = "matching C style, not Rust")]

use core::ffi::{CStr, c_char, c_int, c_schar, c_uchar, c_ulong, c_ushort, c_void};
use std::ptr;

pub const CLEAN: c_ulong = 0x02;
pub const WILL: c_ulong = 0x04;
pub const PASSWORD: c_ulong = 0x40;
pub const USER: c_ulong = 0x80;
pub const SECURE: c_ulong = 0x100;
pub const IPV6: c_ulong = 0x200;
pub const VERSION_3_1: c_ulong = 0x400;

pub const NOT_READY: c_int = -1;
pub const IN_USE: c_int = -2;
pub const ARP_FAIL: c_int = -3;
pub const NO_SUBSCRIPTION_ENTRY: c_int = -4;
pub const MISSING_TOPIC: c_int = -5;
pub const INVALID_SUBSCRIPTION: c_int = -6;
pub const INVALID_ARGUMENT: c_int = -7;
pub const INVALID_TOPIC: c_int = -8;
pub const TOPIC_TOO_LONG: c_int = -9;
pub const MESSAGE_TOO_LONG: c_int = -10;
pub const BUSY: c_int = -11;
pub const NOT_SUPPORTED: c_int = -12;
pub const PROTOCOL: c_int = -13;
pub const TIMEOUT: c_int = -14;
pub const LINK: c_int = -15;
#[allow(dead_code, reason = "not every test needs it")]
pub const SECURITY: c_int = -16;

pub const LINK_CLOSED: c_int = -1;
pub const LINK_FAILED: c_int = -2;
pub const LINK_UNREACHABLE: c_int = -3;

pub const CLIENT_IDENTIFIER: c_int = 1;
pub const WILL_TOPIC: c_int = 2;
pub const WILL_MESSAGE: c_int = 3;
pub const USER_NAME: c_int = 4;
pub const USER_PASSWORD: c_int = 5;
pub const CONNACK_RECEIVED: c_int = 6;
pub const SUBACK_RECEIVED: c_int = 7;
pub const UNSUBACK_RECEIVED: c_int = 8;
pub const PUBLISH_ACKNOWLEDGED: c_int = 9;
pub const PUBLISH_TOPIC: c_int = 10;
pub const PUBLISH_DATA: c_int = 11;
pub const TOPIC_MESSAGE: c_int = 12;
pub const CONNECTION_CLOSED: c_int = 13;
pub const HOST_CLOSED: c_int = 14;
pub const CONNECTION_REFUSED: c_int = 15;
pub const SUBSCRIPTION_REFUSED: c_int = 16;
pub const TOPIC_MESSAGE_PART: c_int = 17;
pub const RECONNECTING: c_int = 18;
pub const PUBLISH_DATA_PART: c_int = 19;
pub const PUBLISH_FAILED: c_int = 20;

/// What fnPollMQTT returns where it need not be called again.
pub const NEVER: c_ulong = 0xffff_ffff;

// The default configuration.
pub const MAX_SUBSCRIPTIONS: u8 = 8;
pub const MAX_TOPIC_LENGTH: usize = 16;
pub const TX_BUFFER_LENGTH: usize = 2048;
/// What acknowledgements have of it for themselves.
pub const ACKNOWLEDGEMENTS: usize = 36;
pub const RX_BUFFER_LENGTH: usize = 1536;
pub const PUBLISH_ROOM: usize = 1400;

pub type MQTT_CALLBACK = Option<unsafe extern "C" fn(c_schar, *mut c_uchar, c_ulong, c_uchar) -> c_ushort>;

type Open = unsafe extern "C" fn(*mut c_void, *const c_uchar, c_uchar, c_ushort) -> c_int;
type Send = unsafe extern "C" fn(*mut c_void, *const c_uchar, c_ushort) -> c_int;
type Receive = unsafe extern "C" fn(*mut c_void, *mut c_uchar, c_ushort) -> c_int;
type Clock = unsafe extern "C" fn(*mut c_void) -> c_ulong;
type Action = unsafe extern "C" fn(*mut c_void);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct MQTT_PLATFORM {
    pub ptrContext: *mut c_void,
    pub fnOpen: Option<Open>,
    pub fnSend: Option<Send>,
    pub fnReceive: Option<Receive>,
    pub fnClose: Option<Action>,
    pub fnMilliseconds: Option<Clock>,
    pub fnRandom: Option<Receive>,
    pub fnUnixTime: Option<Clock>,
    pub fnPrint: Option<unsafe extern "C" fn(*mut c_void, *const c_char)>,
    pub fnWake: Option<Action>,
}

// SAFETY: the context is a mere address here.
unsafe impl Sync for MQTT_PLATFORM {}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct MQTT_OPTIONS {
    pub usPort: c_ushort,
    pub usKeepAliveSeconds: c_ushort,
    pub usResponseSeconds: c_ushort,
    pub usReconnectMinSeconds: c_ushort,
    pub usReconnectMaxSeconds: c_ushort,
}

#[repr(C)]
pub struct MQTT_SECURITY {
    pub ptrServerName: *const c_char,
    pub ptrAuthority: *const c_uchar,
    pub usAuthorityLength: c_ushort,
    pub ptrCertificate: *const c_uchar,
    pub usCertificateLength: c_ushort,
    pub ptrPrivateKey: *const c_uchar,
    pub usPrivateKeyLength: c_ushort,
    pub ptrKeyIdentity: *const c_uchar,
    pub usKeyIdentityLength: c_ushort,
    pub ptrKey: *const c_uchar,
    pub usKeyLength: c_ushort,
    pub ptrReceive: *mut c_uchar,
    pub usReceiveLength: c_ushort,
    pub ptrTransmit: *mut c_uchar,
    pub usTransmitLength: c_ushort,
}

#[repr(C)]
pub struct MQTT_MESSAGE {
    pub ptrTopic: *const c_char,
    pub usTopicLength: c_ushort,
    pub usPacketIdentifier: c_ushort,
    pub usHandle: c_ushort,
    pub ucQoS: c_uchar,
    pub ucRetained: c_uchar,
    pub ucDuplicate: c_uchar,
    pub ulTotalLength: c_ulong,
    pub ulOffset: c_ulong,
}

#[repr(C)]
pub struct MQTT_SUBSCRIPTION {
    pub ptrTopic: *const c_char,
    pub ucQoS: c_uchar,
    pub ucGranted: c_uchar,
}

/// The library's functions, for arguments that only C can have.
pub mod raw {
    use super::*;

    unsafe extern "C" {
        #[link_name = concat!("fnSetMQTT_platform_", env!("VERSION_SUFFIX"))]
        pub fn fnSetMQTT_platform(ptrPlatform: *const MQTT_PLATFORM) -> c_int;
        pub fn fnSetMQTT_options(ptrOptions: *const MQTT_OPTIONS) -> c_int;
        pub fn fnSetMQTT_security(ptrSecurity: *const MQTT_SECURITY) -> c_int;
        pub safe fn fnPollMQTT() -> c_ulong;
        pub fn fnPublishMQTT_data(ucRef: c_uchar, ptrTopic: *const c_char, cQoS: c_schar, ptrData: *const c_void, usLength: c_ushort) -> c_int;
        pub fn fnPublishMQTT_stream(ucRef: c_uchar, ptrTopic: *const c_char, cQoS: c_schar, ulTotalLength: c_ulong) -> c_int;
        pub fn fnGetMQTT_message(ptrMessage: *mut MQTT_MESSAGE) -> c_int;
        pub fn fnGetMQTT_subscription(iRef: c_int, ptrSubscription: *mut MQTT_SUBSCRIPTION) -> c_int;
        pub fn fnConnectMQTT(ucIP: *const c_uchar, fnCallback: MQTT_CALLBACK, ulModeFlags: c_ulong) -> c_int;
        pub safe fn fnDisconnectMQTT() -> c_int;
        pub fn fnSubscribeMQTT(ptrInput: *const c_char, ucQoS: c_uchar) -> c_int;
        pub safe fn fnUnsubscribeMQTT(ucSubscriptionRef: c_uchar) -> c_int;
        pub fn fnPublishMQTT(ucTopicReference: c_uchar, ptrTopic: *const c_char, cQoS: c_schar) -> c_int;
        pub safe fn fnShowMQTT_subscription(iRef: c_int) -> c_int;
    }
}

#[allow(unused_imports, reason = "not every test needs all of it")]
pub use raw::{fnDisconnectMQTT as disconnect, fnPollMQTT as poll, fnShowMQTT_subscription as show_subscription, fnUnsubscribeMQTT as unsubscribe};

fn text<'a>(text: impl Into<Option<&'a CStr>>) -> *const c_char {
    text.into().map_or(ptr::null(), CStr::as_ptr)
}

pub fn set_platform(platform: &'static MQTT_PLATFORM) -> c_int {
    // SAFETY: it lives for ever.
    unsafe { raw::fnSetMQTT_platform(platform) }
}

pub fn set_options(options: MQTT_OPTIONS) -> c_int {
    // SAFETY: it is copied.
    unsafe { raw::fnSetMQTT_options(&options) }
}

/// fnSetMQTT_security with nothing chosen.
#[allow(dead_code, reason = "not every test needs it")]
pub fn set_security_of_zeros() -> c_int {
    let nothing = std::mem::MaybeUninit::<MQTT_SECURITY>::zeroed();
    // SAFETY: all its members may be 0, and are looked at during the call alone.
    unsafe { raw::fnSetMQTT_security(nothing.as_ptr()) }
}

pub fn subscribe<'a>(topic: impl Into<Option<&'a CStr>>, qos: u8) -> c_int {
    // SAFETY: null, or terminated.
    unsafe { raw::fnSubscribeMQTT(text(topic), qos) }
}

pub fn publish<'a>(reference: u8, topic: impl Into<Option<&'a CStr>>, qos: i8) -> c_int {
    // SAFETY: null, or terminated.
    unsafe { raw::fnPublishMQTT(reference, text(topic), qos) }
}

pub fn publish_data<'a>(reference: u8, topic: impl Into<Option<&'a CStr>>, qos: i8, data: &[u8]) -> c_int {
    // SAFETY: null, or terminated; so many bytes are there.
    unsafe { raw::fnPublishMQTT_data(reference, text(topic), qos, data.as_ptr().cast(), data.len() as c_ushort) }
}

pub fn publish_stream<'a>(reference: u8, topic: impl Into<Option<&'a CStr>>, qos: i8, total: c_ulong) -> c_int {
    // SAFETY: null, or terminated.
    unsafe { raw::fnPublishMQTT_stream(reference, text(topic), qos, total) }
}

/// What fnGetMQTT_message tells, copied.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub topic: Option<Vec<u8>>,
    pub identifier: u16,
    pub handle: u16,
    pub qos: u8,
    pub retained: u8,
    pub duplicate: u8,
    pub total: c_ulong,
    pub offset: c_ulong,
}

pub fn message() -> Result<Message, c_int> {
    let mut place = std::mem::MaybeUninit::<MQTT_MESSAGE>::uninit();
    // SAFETY: it can be written.
    match unsafe { raw::fnGetMQTT_message(place.as_mut_ptr()) } {
        0 => {
            // SAFETY: 0 says that it was written.
            let message = unsafe { place.assume_init() };
            let topic = match message.ptrTopic.addr() {
                0 => None,
                1..0x1000 => Some(b"not at an address".into()),
                // SAFETY: so many bytes are there until the callback returns.
                _ => Some(unsafe { std::slice::from_raw_parts(message.ptrTopic.cast(), message.usTopicLength.into()) }.to_vec()),
            };
            let MQTT_MESSAGE { usPacketIdentifier: identifier, usHandle: handle, ucQoS: qos, ucRetained: retained, .. } = message;
            let MQTT_MESSAGE { ucDuplicate: duplicate, ulTotalLength: total, ulOffset: offset, .. } = message;
            Ok(Message { topic, identifier, handle, qos, retained, duplicate, total, offset })
        }
        error => Err(error),
    }
}

/// What fnGetMQTT_subscription tells: topic, QoS asked for, QoS granted.
pub fn subscription(reference: c_int) -> Result<(Option<Vec<u8>>, u8, u8), c_int> {
    let mut place = std::mem::MaybeUninit::<MQTT_SUBSCRIPTION>::uninit();
    // SAFETY: it can be written.
    match unsafe { raw::fnGetMQTT_subscription(reference, place.as_mut_ptr()) } {
        0 => {
            // SAFETY: 0 says that it was written.
            let MQTT_SUBSCRIPTION { ptrTopic, ucQoS, ucGranted } = unsafe { place.assume_init() };
            // SAFETY: terminated, until the next poll.
            let topic = (!ptrTopic.is_null()).then(|| unsafe { CStr::from_ptr(ptrTopic) }.to_bytes().to_vec());
            Ok((topic, ucQoS, ucGranted))
        }
        error => Err(error),
    }
}
