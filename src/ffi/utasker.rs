//! The part of the C border that μTasker's `tcpip.h` declares too: names, numbers and behaviour are the original's.

use super::calls::{accepted, publish, request, topic};
use super::{CLIENT, MQTT_CALLBACK, MQTT_CONNECT_IPV6, MQTT_CONNECT_VERSION_3_1, critical};
use crate::config::{MAX_SUBSCRIPTIONS, MAX_TOPIC_LENGTH, MQTT_3_1};
use crate::error::Error;
use crate::outbox::{PAYLOAD_ROOM, source};
use crate::topic::Text;
use core::cell::Cell;
use core::ffi::{c_char, c_int, c_schar, c_uchar, c_ulong};
use heapless::Vec;

/// Mode flag: a plain TCP connection. The low byte of the mode flags is the flag byte of CONNECT.
pub const UNSECURE_MQTT_CONNECTION: c_ulong = 0x000;
/// Mode flag: a TLS connection; needs fnSetMQTT_security.
pub const SECURE_MQTT_CONNECTION: c_ulong = 0x100;
/// Mode flag: the broker forgets the session when the connection ends. Without it both sides keep it: subscriptions, and
/// what was not acknowledged.
pub const MQTT_CONNECT_FLAG_CLEAN_SESSION: c_ulong = 0x02;
/// Mode flag: there is a will, asked for with MQTT_WILL_TOPIC and MQTT_WILL_MESSAGE.
pub const MQTT_CONNECT_FLAG_WILL_FLAG: c_ulong = 0x04;
/// Mode flags: the QoS of the will, 0 to 2 in these two bits.
pub const MQTT_CONNECT_FLAG_WILL_QOS_MASK: c_ulong = 0x18;
/// Mode flag: the will is retained.
pub const MQTT_CONNECT_FLAG_WILL_RETAIN: c_ulong = 0x20;
/// Mode flag: there is a password, asked for with MQTT_USER_PASSWORD; only with a user name.
pub const MQTT_CONNECT_FLAG_PASSWORD_FLAG: c_ulong = 0x40;
/// Mode flag: there is a user name, asked for with MQTT_USER_NAME.
pub const MQTT_CONNECT_FLAG_USER_NAME_FLAG: c_ulong = 0x80;

/// QoS 0: at most once.
pub const MQTT_SUBSCRIPTION_QoS_0: c_int = 0;
/// QoS 1: at least once.
pub const MQTT_SUBSCRIPTION_QoS_1: c_int = 1;
/// QoS 2: exactly once.
pub const MQTT_SUBSCRIPTION_QoS_2: c_int = 2;

/// The port of plain connections.
pub const MQTT_PORT: c_int = 1883;
/// The port of secure connections.
pub const MQTTS_PORT: c_int = 8883;

/// The call was accepted.
pub const MQTT_RESULT_OK: c_int = 0;
/// There is no platform yet, or not now: there is no connection, or it is being ended. Requests to publish, subscribe and
/// unsubscribe are accepted from the moment the first byte of CONNECT was taken until fnDisconnectMQTT or the event that ends the
/// connection, and, where a new attempt follows by itself, between the two connections.
pub const ERROR_MQTT_NOT_READY: c_int = -1;
/// There is a connection, or an attempt to make one.
pub const ERROR_MQTT_IN_USE: c_int = -2;
/// Event: the broker could not be reached (MQTT_LINK_UNREACHABLE). The connection is closed.
pub const ERROR_MQTT_ARP_FAIL: c_int = -3;
/// There is no such subscription, or no free entry for another.
pub const ERROR_MQTT_NO_SUBSCRIPTION_ENTRY: c_int = -4;
/// There is no topic: it is empty, or the reference is not in use.
pub const ERROR_MQTT_MISSING_TOPIC: c_int = -5;
/// No subscription can have this reference.
pub const ERROR_MQTT_INVALID_SUBSCRIPTION: c_int = -6;

/// Asks: write the client identifier, unique for each device, at ptrData; return its length. ulLength is the room, here and
/// in all events that ask; a longer answer is refused. What is asked for while connecting: a refused or invalid answer ends
/// the attempt with ERROR_MQTT_INVALID_ARGUMENT.
pub const MQTT_CLIENT_IDENTIFIER: c_int = 1;
/// Asks: write the topic of the will.
pub const MQTT_WILL_TOPIC: c_int = 2;
/// Asks: write the message of the will.
pub const MQTT_WILL_MESSAGE: c_int = 3;
/// Asks: write the user name.
pub const MQTT_USER_NAME: c_int = 4;
/// Asks: write the password. The library wipes it once it is sent.
pub const MQTT_USER_PASSWORD: c_int = 5;
/// The broker has accepted the connection. ulLength: 1 where it knew the session, else 0.
pub const MQTT_CONNACK_RECEIVED: c_int = 6;
/// The broker has accepted a subscription. ulLength: the QoS granted.
pub const MQTT_SUBACK_RECEIVED: c_int = 7;
/// A subscription has ended; its reference is free again.
pub const MQTT_UNSUBACK_RECEIVED: c_int = 8;
/// A publication has done its round (QoS 0: the link has taken it). ulLength: its QoS; the reference is that of the
/// subscription, or 0. At QoS 2 a value other than 0 returned for a publication of fnPublishMQTT repeats it, with new data; where there
/// is no room for that, MQTT_PUBLISH_FAILED follows.
pub const MQTT_PUBLISH_ACKNOWLEDGED: c_int = 9;
/// Asks: write a topic, at most ulLength bytes, which are 256 where the transmit buffer is not small. The reference is that of the subscription, or 0 for a one-off topic. An empty or
/// invalid one fails the publication, or refuses the subscription.
pub const MQTT_PUBLISH_TOPIC: c_int = 10;
/// Asks: write the payload; the room is always MQTT_PUBLISH_ROOM. It is kept until it is acknowledged, and asked for once.
pub const MQTT_PUBLISH_DATA: c_int = 11;
/// A message: ulLength bytes at ptrData, until the callback returns. The reference is the lowest whose filter matches, else
/// the lowest without stored topic, else 0.
pub const MQTT_TOPIC_MESSAGE: c_int = 12;
/// The connection has ended, or an attempt: by fnDisconnectMQTT, or by what a negative event or a refusal told before.
pub const MQTT_CONNECTION_CLOSED: c_int = 13;
/// The connection has ended, or an attempt, because the host has closed the link, or the link was lost.
pub const MQTT_HOST_CLOSED: c_int = 14;

/// Connects to a broker.
///
/// ucIP is its address in network order, copied: 4 bytes, 16 with MQTT_CONNECT_IPV6, or null where the platform knows its
/// broker. fnCallback gets all events, inside fnPollMQTT. ulModeFlags are the flags above.
///
/// Returns 0, then MQTT_CONNACK_RECEIVED follows, or the end of the attempt: a cause if there is one (MQTT_CONNECTION_REFUSED
/// or a negative event), MQTT_PUBLISH_FAILEDs, and one of MQTT_HOST_CLOSED, ERROR_MQTT_ARP_FAIL and MQTT_CONNECTION_CLOSED.
/// ERROR_MQTT_NOT_READY: no platform; secure, and no fnSetMQTT_security or fnRandom; ERROR_MQTT_IN_USE; ERROR_MQTT_INVALID_ARGUMENT: no
/// callback, or flags that contradict each other; ERROR_MQTT_NOT_SUPPORTED: not in this build. From any context.
///
/// # Safety
/// `ucIP` is null or has as many bytes as the flags say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fnConnectMQTT(ucIP: *const c_uchar, fnCallback: MQTT_CALLBACK, ulModeFlags: c_ulong) -> c_int {
    const WILL_DETAILS: c_ulong = MQTT_CONNECT_FLAG_WILL_QOS_MASK | MQTT_CONNECT_FLAG_WILL_RETAIN;
    const KNOWN: c_ulong = 0xfe | SECURE_MQTT_CONNECTION | MQTT_CONNECT_IPV6 | MQTT_CONNECT_VERSION_3_1;
    let has = |flag| ulModeFlags & flag != 0;
    let mut checked = 0;
    if has(SECURE_MQTT_CONNECTION) && !cfg!(feature = "tls") || has(MQTT_CONNECT_VERSION_3_1) && !MQTT_3_1 {
        checked = Error::NotSupported as c_int;
    }
    if fnCallback.is_none()
        || has(!KNOWN)
        || has(WILL_DETAILS) && !has(MQTT_CONNECT_FLAG_WILL_FLAG)
        || ulModeFlags & MQTT_CONNECT_FLAG_WILL_QOS_MASK == MQTT_CONNECT_FLAG_WILL_QOS_MASK
        || has(MQTT_CONNECT_FLAG_PASSWORD_FLAG) && !has(MQTT_CONNECT_FLAG_USER_NAME_FLAG)
    {
        checked = Error::InvalidArgument as c_int;
    }
    request(|session| {
        let mut answer = session.between_connections();
        if answer == 0 {
            answer = checked;
        }
        #[cfg(feature = "tls")]
        if answer == 0 {
            answer = super::secure::prepare(has(SECURE_MQTT_CONNECTION));
        }
        if answer == 0 {
            let address = &CLIENT.0.address;
            let length: u8 = if ucIP.is_null() { 0 } else if has(MQTT_CONNECT_IPV6) { 16 } else { 4 };
            address.length.set(length);
            // SAFETY: the caller promises so many bytes, and there is room for 16.
            unsafe { core::ptr::copy_nonoverlapping(ucIP, address.bytes.as_ptr() as *mut u8, length.into()) };
            CLIENT.0.border.callback.set(fnCallback);
            session.connect(ulModeFlags as u8, has(MQTT_CONNECT_VERSION_3_1));
        }
        answer
    })
}

/// Ends the connection, an attempt to make one, or the wait for the next attempt.
///
/// What was half sent, and the acknowledgements of what was sent, are waited for as long as the response time; the rest fails
/// (in a session that is kept, QoS 1 and 2 stay). Then DISCONNECT, so that the broker drops the will, and
/// MQTT_CONNECTION_CLOSED. Until that all requests are ERROR_MQTT_NOT_READY. Messages that arrive before DISCONNECT is sent are told
/// and acknowledged as ever.
///
/// Returns 0 or ERROR_MQTT_NOT_READY. From any context.
#[unsafe(no_mangle)]
pub extern "C" fn fnDisconnectMQTT() -> c_int {
    request(|session| session.disconnect())
}

/// Subscribes to a topic, wildcards allowed.
///
/// ptrInput is copied, at most MQTT_MAX_TOPIC_LENGTH bytes. Null: MQTT_PUBLISH_TOPIC asks for it whenever it is needed. A
/// ucQoS above 2 counts as 2; it is also the default of publications to this reference.
///
/// Returns the reference, above 0; then MQTT_SUBACK_RECEIVED or MQTT_SUBSCRIPTION_REFUSED follows. ERROR_MQTT_NOT_READY,
/// ERROR_MQTT_NO_SUBSCRIPTION_ENTRY, ERROR_MQTT_MISSING_TOPIC (empty), ERROR_MQTT_INVALID_TOPIC, ERROR_MQTT_TOPIC_TOO_LONG.
/// From any context.
///
/// # Safety
/// `ptrInput` is null or terminated by a zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fnSubscribeMQTT(ptrInput: *const c_char, ucQoS: c_uchar) -> c_int {
    let mut answer = 0;
    // SAFETY: as the caller promises.
    let topic = unsafe { topic(ptrInput, Text::Filter, &mut answer) };
    request(|session| session.subscribe(topic, ucQoS, answer))
}

/// Ends the subscription of a reference. The reference stays in use until MQTT_UNSUBACK_RECEIVED.
///
/// Returns 0. ERROR_MQTT_NOT_READY; ERROR_MQTT_INVALID_SUBSCRIPTION: no reference is 0 or above MQTT_MAX_SUBSCRIPTIONS;
/// ERROR_MQTT_NO_SUBSCRIPTION_ENTRY: not in use, or ending already; ERROR_MQTT_BUSY: it is still being made, and there is no room for
/// another request now. From any context.
#[unsafe(no_mangle)]
pub extern "C" fn fnUnsubscribeMQTT(ucSubscriptionRef: c_uchar) -> c_int {
    request(|session| session.unsubscribe(ucSubscriptionRef.into()))
}

/// Publishes what MQTT_PUBLISH_DATA will give.
///
/// To ptrTopic, copied; where it is null, to the topic of the subscription ucTopicReference; where that is 0, to the one that
/// MQTT_PUBLISH_TOPIC will give. cQoS: 0, 1, 2 (3 to 14 count as 2), with MQTT_PUBLISH_RETAIN or without; negative or
/// MQTT_PUBLISH_SUBSCRIPTION_QoS: that of the subscription, or 2 for a one-off topic.
///
/// Returns 0; then MQTT_PUBLISH_ACKNOWLEDGED or MQTT_PUBLISH_FAILED follows. ERROR_MQTT_NOT_READY;
/// ERROR_MQTT_INVALID_SUBSCRIPTION; ERROR_MQTT_MISSING_TOPIC: empty, or the reference is not in use; ERROR_MQTT_INVALID_TOPIC:
/// wildcards, or not UTF-8; ERROR_MQTT_TOPIC_TOO_LONG; ERROR_MQTT_INVALID_ARGUMENT: unknown bits in cQoS; ERROR_MQTT_BUSY: no
/// room now. From any context.
///
/// # Safety
/// `ptrTopic` is null or terminated by a zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fnPublishMQTT(ucTopicReference: c_uchar, ptrTopic: *const c_char, cQoS: c_schar) -> c_int {
    // SAFETY: as the caller promises.
    accepted(unsafe { publish(ucTopicReference.into(), ptrTopic, cQoS, source::PAYLOAD_ASKED, PAYLOAD_ROOM as u32) })
}

/// Prints a subscription with fnPrint, as in `Reference:1 QoS:2 Topic:uTasker/test1` and CR LF.
///
/// Returns 0. ERROR_MQTT_NO_SUBSCRIPTION_ENTRY: not in use; ERROR_MQTT_INVALID_SUBSCRIPTION: no reference is 0 or above
/// MQTT_MAX_SUBSCRIPTIONS; ERROR_MQTT_NOT_READY: no platform. From any task.
#[unsafe(no_mangle)]
pub extern "C" fn fnShowMQTT_subscription(iRef: c_int) -> c_int {
    // The words, a reference of two digits, a QoS, the topic, and the terminating zero.
    let mut line: Vec<u8, { "Reference:64 QoS:2 Topic:\r\n".len() + MAX_TOPIC_LENGTH + 1 }, u16> = Vec::new();
    let mut put = |byte| {
        let _ = line.push(byte); // it has room for all that follows
    };
    let reference = iRef as usize; // none where it is negative
    let (answer, platform) = critical(|session| {
        let Some(subscription) = session.subscription(reference) else { return (session.no_subscription(reference) as c_int, None) };
        for &byte in b"Reference:\x01\x02 QoS:\x03 Topic:" {
            put(match byte {
                1 if MAX_SUBSCRIPTIONS < 10 || reference < 10 => continue,
                1 => b'0' + (reference / 10) as u8,
                2 if MAX_SUBSCRIPTIONS < 10 => b'0' + reference as u8,
                2 => b'0' + (reference % 10) as u8,
                3 => b'0' + subscription.qos(),
                byte => byte,
            });
        }
        let end = b"\r\n\0".iter().copied();
        subscription.topic().iter().map(Cell::get).chain(end).for_each(put);
        (0, CLIENT.0.border.platform.get())
    });
    if let Some(platform) = platform {
        // SAFETY: the line ends with a zero.
        unsafe { platform.print(line.as_ptr().cast()) };
    }
    answer
}
