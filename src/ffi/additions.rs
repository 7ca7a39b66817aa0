//! The part of the C border that is new beside μTasker's.

use super::calls::{INVALID_BITS, accepted, publish, request};
use super::firmware::{Firmware, address};
#[cfg(feature = "tls")]
use super::secure;
use super::{CLIENT, critical, enter, leave};
use crate::config::{RECONNECT, STREAM};
use crate::error::Error;
use crate::outbox::source;
use crate::packet::{self, DUPLICATE, RETAIN};
use crate::platform::{MQTT_PLATFORM, Platform};
use crate::session::{NEVER, NO_KEEP_ALIVE};
use core::ffi::{c_char, c_int, c_schar, c_uchar, c_ulong, c_ushort, c_void};

/// The application's callback for all events: scEvent is an MQTT_ event, or a negative ERROR_MQTT_ one.
///
/// Events that ask want at most ulLength bytes written at ptrData and their number returned; those that tell ignore what is
/// returned unless said otherwise, and have ptrData 0 unless said otherwise. The callback runs inside fnPollMQTT; all functions
/// may be called in it (fnPollMQTT itself does nothing there). It should return soon: a poll reads the clock when it begins, and
/// all deadlines count from there.
pub type MQTT_CALLBACK =
    Option<unsafe extern "C" fn(scEvent: c_schar, ptrData: *mut c_uchar, ulLength: c_ulong, ucSubscriptionRef: c_uchar) -> c_ushort>;

/// Mode flag: ucIP is an IPv6 address of 16 bytes.
pub const MQTT_CONNECT_IPV6: c_ulong = 0x200;
/// Mode flag: MQTT 3.1 (MQIsdp, level 3) instead of 3.1.1.
pub const MQTT_CONNECT_VERSION_3_1: c_ulong = 0x400;

/// In cQoS: the QoS of the subscription; 2 for a one-off topic.
pub const MQTT_PUBLISH_SUBSCRIPTION_QoS: c_int = 0x0f;
/// In cQoS, added: the broker retains the message.
pub const MQTT_PUBLISH_RETAIN: c_int = 0x10;

/// usKeepAliveSeconds: the broker is not to expect signs of life.
pub const MQTT_KEEPALIVE_OFF: c_int = 0xffff;
const _: () = assert!(MQTT_KEEPALIVE_OFF == NO_KEEP_ALIVE as c_int);

/// An argument is out of range, null, or contradicts another. As an event: a field of CONNECT, or a piece of a stream, was
/// refused; the connection ends.
pub const ERROR_MQTT_INVALID_ARGUMENT: c_int = -7;
/// The topic is not valid: a wildcard in a publication, # not last, + or # beside other characters, not UTF-8.
pub const ERROR_MQTT_INVALID_TOPIC: c_int = -8;
/// The topic is longer than MQTT_MAX_TOPIC_LENGTH (subscriptions), or than what the transmit buffer holds (publications).
pub const ERROR_MQTT_TOPIC_TOO_LONG: c_int = -9;
/// The message will never fit: use fnPublishMQTT_stream.
pub const ERROR_MQTT_MESSAGE_TOO_LONG: c_int = -10;
/// There is no room now: try again when another request has ended, a publication with MQTT_PUBLISH_ACKNOWLEDGED or
/// MQTT_PUBLISH_FAILED, the others with MQTT_SUBACK_RECEIVED, MQTT_SUBSCRIPTION_REFUSED or MQTT_UNSUBACK_RECEIVED. As an event: more
/// than MQTT_MAX_INCOMING_QoS2 messages of QoS 2 are under way; the connection ends, and a session that is kept brings them again.
pub const ERROR_MQTT_BUSY: c_int = -11;
/// Not in this build.
pub const ERROR_MQTT_NOT_SUPPORTED: c_int = -12;
/// Event: the broker broke the protocol; the connection ends.
pub const ERROR_MQTT_PROTOCOL: c_int = -13;
/// Event: the broker, or the link, took longer than the response time; the connection ends.
pub const ERROR_MQTT_TIMEOUT: c_int = -14;
/// Event: the link was refused or reset, or timed out (MQTT_LINK_FAILED); MQTT_HOST_CLOSED follows.
pub const ERROR_MQTT_LINK: c_int = -15;
/// Event: a secure connection was refused. ulLength tells why, an MQTT_SECURITY_ value.
pub const ERROR_MQTT_SECURITY: c_int = -16;

/// ulLength of ERROR_MQTT_SECURITY: no authority stands for the broker's certificate.
pub const MQTT_SECURITY_UNKNOWN_AUTHORITY: c_int = 1;
/// The certificate does not bear ptrServerName, or names that its authority may not certify.
pub const MQTT_SECURITY_WRONG_NAME: c_int = 2;
/// A certificate has expired.
pub const MQTT_SECURITY_EXPIRED: c_int = 3;
/// A certificate is not valid yet, or the clock is not set.
pub const MQTT_SECURITY_NOT_YET_VALID: c_int = 4;
/// A certificate may not be used as it is: for a server, or to certify others.
pub const MQTT_SECURITY_WRONG_USAGE: c_int = 5;
/// A signature of a certificate, or of the handshake, is wrong.
pub const MQTT_SECURITY_BAD_SIGNATURE: c_int = 6;
/// The broker has not shown a certificate, or not that it has its key.
pub const MQTT_SECURITY_NO_CERTIFICATE: c_int = 7;
/// A certificate is malformed, or has what this build does not know: a kind of key or signature, something critical, too many
/// others between it and the authority.
pub const MQTT_SECURITY_BAD_CERTIFICATE: c_int = 8;
/// fnRandom has failed, or always gives the same.
pub const MQTT_SECURITY_RANDOM: c_int = 9;
/// A record is longer than usReceiveLength.
pub const MQTT_SECURITY_RECORD_TOO_LARGE: c_int = 10;
/// The broker broke the TLS protocol, or uses what this client cannot, or somebody has changed what it sent.
pub const MQTT_SECURITY_PROTOCOL: c_int = 11;
/// Added to the number of an alert with which the broker has ended the connection (section 6 of RFC 8446), for example 48: it does
/// not know the authority of the client's certificate.
pub const MQTT_SECURITY_ALERT: c_int = 0x100;

/// The broker has refused the connection. ulLength: its return code, 1 to 5.
pub const MQTT_CONNECTION_REFUSED: c_int = 15;
/// The broker has refused a subscription (ulLength 128), or it got no topic (0); its entry is free again.
pub const MQTT_SUBSCRIPTION_REFUSED: c_int = 16;
/// A part of a message that is larger than the reception buffer: ulLength bytes at ptrData. fnGetMQTT_message tells where they
/// belong; the last part ends at the total length. After a lost link it begins again at 0.
pub const MQTT_TOPIC_MESSAGE_PART: c_int = 17;
/// The connection has ended; the next attempt follows in ulLength milliseconds.
pub const MQTT_RECONNECTING: c_int = 18;
/// Asks: write the next piece of a stream, at most ulLength bytes; fnGetMQTT_message tells where it belongs. 0: nothing yet, ask
/// again within 100 ms. 0xffff, or nothing for the response time, ends the connection and fails the stream.
pub const MQTT_PUBLISH_DATA_PART: c_int = 19;
/// A publication has failed. ulLength: its QoS.
pub const MQTT_PUBLISH_FAILED: c_int = 20;

/// Choices for all connections; a field left 0 means the default.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct MQTT_OPTIONS {
    /// The broker's port. Default: 1883, or 8883 where secure.
    pub usPort: c_ushort,
    /// The longest silence that the broker accepts. MQTT_KEEPALIVE_OFF: any. Default: MQTT_KEEPALIVE_TIME_SECONDS.
    pub usKeepAliveSeconds: c_ushort,
    /// How long the broker, and the link, may take for an answer. Default: 15.
    pub usResponseSeconds: c_ushort,
    /// The first wait for a new attempt after a connection has ended is random, up to this; each further one up to twice the
    /// limit of the one before. What ended the connection does not matter: where MQTT_CONNECTION_REFUSED, say, is for good, call
    /// fnDisconnectMQTT in it. Each attempt asks for the client identifier, will, user name and password again. Default: there is no
    /// new attempt.
    pub usReconnectMinSeconds: c_ushort,
    /// The limit that the waits do not exceed. Default: usReconnectMinSeconds.
    pub usReconnectMaxSeconds: c_ushort,
}

/// What a secure connection needs: the broker's name and buffers, and certificates or a pre-shared key.
#[repr(C)]
pub struct MQTT_SECURITY {
    /// DNS name, or IP literal, that the broker's certificate must bear; never 0.
    pub ptrServerName: *const c_char,
    /// Trusted CA certificates, DER, one after another.
    pub ptrAuthority: *const c_uchar,
    /// Bytes there.
    pub usAuthorityLength: c_ushort,
    /// The client's certificate, DER; 0: none. With 13 bytes more it must fit the records that ptrReceive allows, which hold in both
    /// directions. A session ticket may carry it too: for OpenSSL's brokers that is 300 bytes more.
    pub ptrCertificate: *const c_uchar,
    /// Bytes there.
    pub usCertificateLength: c_ushort,
    /// Its P-256 key, SEC1 or PKCS#8 DER.
    pub ptrPrivateKey: *const c_uchar,
    /// Bytes there.
    pub usPrivateKeyLength: c_ushort,
    /// Identity of a pre-shared key, instead of certificates; 0: none.
    pub ptrKeyIdentity: *const c_uchar,
    /// Bytes there.
    pub usKeyIdentityLength: c_ushort,
    /// The pre-shared key.
    pub ptrKey: *const c_uchar,
    /// Bytes there.
    pub usKeyLength: c_ushort,
    /// Buffer for received TLS records, at least 529 bytes; the library's alone during a connection, and wiped after it. It must hold the
    /// longest record: the broker is asked not to exceed 4096, 2048, 1024 or 512 bytes and 17 more. 2065 suffices for brokers that
    /// honour that (OpenSSL's, so Mosquitto's), but the broker's certificates must fit one record; 16401 for all.
    pub ptrReceive: *mut c_uchar,
    /// Bytes there.
    pub usReceiveLength: c_ushort,
    /// Buffer for sent TLS records. At least 256 bytes more than ptrServerName and ptrKeyIdentity are long, and 64 more than the
    /// client's certificate; messages go out in records of up to 134 bytes less.
    pub ptrTransmit: *mut c_uchar,
    /// Bytes there.
    pub usTransmitLength: c_ushort,
}

/// Details of a message, see fnGetMQTT_message.
#[repr(C)]
pub struct MQTT_MESSAGE {
    /// The topic, not terminated; 0 where it did not fit the reception buffer, or is not known yet.
    pub ptrTopic: *const c_char,
    /// The topic's length.
    pub usTopicLength: c_ushort,
    /// 0 at QoS 0.
    pub usPacketIdentifier: c_ushort,
    /// Of an outgoing message: what the publish call returned.
    pub usHandle: c_ushort,
    /// 0, 1 or 2.
    pub ucQoS: c_uchar,
    /// Whether it is retained, or comes because it was.
    pub ucRetained: c_uchar,
    /// Whether it may have been sent before.
    pub ucDuplicate: c_uchar,
    /// Bytes of payload in all; 0 while that is not known.
    pub ulTotalLength: c_ulong,
    /// Where in the payload the event's data belong.
    pub ulOffset: c_ulong,
}

/// Details of a subscription, see fnGetMQTT_subscription.
#[repr(C)]
pub struct MQTT_SUBSCRIPTION {
    /// The topic, terminated; 0: asked for by callback.
    pub ptrTopic: *const c_char,
    /// The QoS that was asked for.
    pub ucQoS: c_uchar,
    /// The QoS that the broker granted last.
    pub ucGranted: c_uchar,
}

/// Keeps the platform. Before anything else: without it every call is ERROR_MQTT_NOT_READY.
///
/// ptrPlatform must stay as it is as long as the library is used. Returns 0; ERROR_MQTT_INVALID_ARGUMENT: it is null or lacks one of
/// fnOpen, fnSend, fnReceive, fnClose and fnMilliseconds; ERROR_MQTT_IN_USE: only between connections. From any task.
///
/// # Safety
/// `ptrPlatform` is null or points to a platform that stays as it is for the program's life.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fnSetMQTT_platform(ptrPlatform: *const MQTT_PLATFORM) -> c_int {
    // SAFETY: as the caller promises.
    let Some(platform) = (unsafe { Platform::new(ptrPlatform) }) else { return Error::InvalidArgument as c_int };
    critical(|session| {
        let answer = session.between_connections();
        if answer == Error::InUse as c_int {
            return answer;
        }
        CLIENT.0.border.platform.set(Some(platform));
        session.prepare();
        0
    })
}

/// The name by which a C firmware links fnSetMQTT_platform: see the header.
///
/// cbindgen:ignore
///
/// # Safety
/// As `fnSetMQTT_platform`.
#[unsafe(export_name = concat!("fnSetMQTT_platform_", env!("VERSION_SUFFIX")))]
pub unsafe extern "C" fn fnSetMQTT_platform_of_version(ptrPlatform: *const MQTT_PLATFORM) -> c_int {
    // SAFETY: as the caller promises.
    unsafe { fnSetMQTT_platform(ptrPlatform) }
}

/// Chooses for the connections that follow. ptrOptions is copied.
///
/// Returns 0; ERROR_MQTT_INVALID_ARGUMENT: it is null; ERROR_MQTT_NOT_READY; ERROR_MQTT_IN_USE: only between connections;
/// ERROR_MQTT_NOT_SUPPORTED: new attempts are not in this build. From any task.
///
/// # Safety
/// `ptrOptions` is null or points to options.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fnSetMQTT_options(ptrOptions: *const MQTT_OPTIONS) -> c_int {
    // SAFETY: as the caller promises.
    let Some(options) = (unsafe { ptrOptions.as_ref() }) else { return Error::InvalidArgument as c_int };
    if !RECONNECT && options.usReconnectMinSeconds != 0 {
        return Error::NotSupported as c_int;
    }
    request(|session| {
        let answer = session.between_connections();
        if answer == 0 {
            let chosen = session.options();
            chosen.port.set(options.usPort);
            chosen.keep_alive.set(options.usKeepAliveSeconds);
            chosen.response.set(options.usResponseSeconds);
            chosen.reconnect_first.set(options.usReconnectMinSeconds);
            chosen.reconnect_longest.set(options.usReconnectMaxSeconds);
        }
        answer
    })
}

/// Chooses the security of the connections that follow. ptrSecurity is copied, what it points to is not: it must stay as it is.
///
/// Returns 0. ERROR_MQTT_INVALID_ARGUMENT: it is null; its server name is none; a certificate or key is missing, cannot be read, or does
/// not belong to the other; there are certificates and a pre-shared key; a buffer is too small, or part of the other. ERROR_MQTT_NOT_SUPPORTED: secure
/// connections, or what a member asks for, are not in this build. ERROR_MQTT_NOT_READY; ERROR_MQTT_IN_USE: only between connections.
/// From any task.
///
/// # Safety
/// `ptrSecurity` is null or points to what its members promise.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fnSetMQTT_security(ptrSecurity: *const MQTT_SECURITY) -> c_int {
    #[cfg(feature = "tls")]
    // SAFETY: as the caller promises.
    return unsafe { secure::choose(ptrSecurity) };
    #[cfg(not(feature = "tls"))]
    {
        let _ = ptrSecurity;
        Error::NotSupported as c_int
    }
}

/// Does the work: sends, receives, calls the callback. From one task, or the main loop, only.
///
/// Returns the milliseconds after which it must be called again if nothing happens before: 0 at once, 0xffffffff no need. To be
/// called before that when the link connects, receives, can send again or is lost, and after fnWake. Inside a callback it does
/// nothing and returns 0xffffffff.
#[unsafe(no_mangle)]
pub extern "C" fn fnPollMQTT() -> c_ulong {
    enter();
    let wait = if CLIENT.0.border.platform.get().is_some() { CLIENT.0.session.poll(Firmware) } else { NEVER };
    leave();
    wait.into()
}

/// Publishes usLength bytes at ptrData, copied during the call. Topic and cQoS as for fnPublishMQTT.
///
/// Returns a handle above 0; MQTT_PUBLISH_ACKNOWLEDGED or MQTT_PUBLISH_FAILED follows, in which fnGetMQTT_message tells it. The errors of
/// fnPublishMQTT, and ERROR_MQTT_MESSAGE_TOO_LONG: it will never fit; ERROR_MQTT_INVALID_ARGUMENT: ptrData is null, and
/// usLength is not 0. From any context.
///
/// # Safety
/// `ptrTopic` is null or terminated by a zero; `usLength` bytes can be read at `ptrData`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fnPublishMQTT_data(ucRef: c_uchar, ptrTopic: *const c_char, cQoS: c_schar, ptrData: *const c_void, usLength: c_ushort) -> c_int {
    let value = if ptrData.is_null() && usLength != 0 { INVALID_BITS } else { cQoS };
    // SAFETY: as the caller promises.
    let answer = unsafe { publish(ucRef.into(), ptrTopic, value, 0, usLength.into()) };
    if answer < 0 {
        return answer;
    }
    let end = answer as usize >> 16;
    // SAFETY: the caller promises so many bytes; the place is this call's alone until `copied`.
    unsafe { core::ptr::copy_nonoverlapping(ptrData.cast(), address(end - usize::from(usLength)), usLength.into()) };
    request(|session| session.copied(answer as usize & 0xffff))
}

/// Publishes ulTotalLength bytes that MQTT_PUBLISH_DATA_PART will ask for piece by piece, so that they may be more than any buffer holds. Topic
/// and cQoS as for fnPublishMQTT. A stream that is sent again begins at offset 0 and must give the same bytes.
///
/// Returns a handle above 0; MQTT_PUBLISH_ACKNOWLEDGED or MQTT_PUBLISH_FAILED follows, in which fnGetMQTT_message tells it. The errors of
/// fnPublishMQTT, and ERROR_MQTT_MESSAGE_TOO_LONG: above what MQTT can carry (256 MB, less 64 KB for the topic);
/// ERROR_MQTT_NOT_SUPPORTED: not in this build. From any context.
///
/// # Safety
/// `ptrTopic` is null or terminated by a zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fnPublishMQTT_stream(ucRef: c_uchar, ptrTopic: *const c_char, cQoS: c_schar, ulTotalLength: c_ulong) -> c_int {
    if !STREAM {
        return Error::NotSupported as c_int;
    }
    // More than MQTT can carry stays more.
    let total = ulTotalLength.min(NEVER.into()) as u32;
    // SAFETY: as the caller promises.
    accepted(unsafe { publish(ucRef.into(), ptrTopic, cQoS, source::STREAMED, total) })
}

/// Tells details of the message that the present event is about: in MQTT_TOPIC_MESSAGE, MQTT_TOPIC_MESSAGE_PART, MQTT_PUBLISH_TOPIC,
/// MQTT_PUBLISH_DATA, MQTT_PUBLISH_DATA_PART, MQTT_PUBLISH_ACKNOWLEDGED and MQTT_PUBLISH_FAILED.
///
/// Its pointer is valid until the callback returns. Returns 0; ERROR_MQTT_INVALID_ARGUMENT: ptrMessage is null;
/// ERROR_MQTT_NOT_READY: anywhere else. Inside the callback only.
///
/// # Safety
/// `ptrMessage` is null or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fnGetMQTT_message(ptrMessage: *mut MQTT_MESSAGE) -> c_int {
    if ptrMessage.is_null() {
        return Error::InvalidArgument as c_int;
    }
    critical(|session| {
        let Some(message) = session.message() else { return Error::NotReady as c_int };
        let details = MQTT_MESSAGE {
            ptrTopic: if message.topic == 0 { core::ptr::null() } else { address(message.topic).cast_const().cast() },
            usTopicLength: message.topic_length as c_ushort,
            usPacketIdentifier: message.identifier as c_ushort,
            usHandle: message.handle as c_ushort,
            ucQoS: packet::qos(message.first),
            ucRetained: u8::from(message.first & RETAIN != 0),
            ucDuplicate: u8::from(message.first & DUPLICATE != 0),
            ulTotalLength: message.total.into(),
            ulOffset: message.offset.into(),
        };
        // SAFETY: not null, and the caller promises the rest.
        unsafe { ptrMessage.write(details) };
        0
    })
}

/// The data behind fnShowMQTT_subscription. The pointer dies at the next poll: it is of use to the task that polls alone.
///
/// Returns as fnShowMQTT_subscription; ERROR_MQTT_INVALID_ARGUMENT: ptrSubscription is null. From any task.
///
/// # Safety
/// `ptrSubscription` is null or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fnGetMQTT_subscription(iRef: c_int, ptrSubscription: *mut MQTT_SUBSCRIPTION) -> c_int {
    if ptrSubscription.is_null() {
        return Error::InvalidArgument as c_int;
    }
    critical(|session| {
        let reference = iRef as usize; // none where it is negative
        let Some(subscription) = session.subscription(reference) else { return session.no_subscription(reference) as c_int };
        let topic = subscription.topic();
        let ptrTopic = if topic.is_empty() { core::ptr::null() } else { topic.as_ptr().cast() };
        let details = MQTT_SUBSCRIPTION { ptrTopic, ucQoS: subscription.qos(), ucGranted: subscription.granted() };
        // SAFETY: not null, and the caller promises the rest.
        unsafe { ptrSubscription.write(details) };
        0
    })
}
