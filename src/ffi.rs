//! The C border: names, numbers, raw pointers and the one static. Thin: each function checks, converts, makes one safe call
//! and maps the result. `utasker.rs` is the part that μTasker has too; this file is what is new.
#![expect(non_camel_case_types, non_snake_case, non_upper_case_globals, reason = "matching C style, not Rust")]

pub mod utasker;

use crate::config::{MAX_SUBSCRIPTIONS, MAX_TOPIC_LENGTH};
use crate::error::Error;
use crate::outbox::{LENGTH, Memory};
use crate::platform::{MQTT_PLATFORM, Platform};
use crate::requests::{Accepted, Connection, Guard, Options, Phase, Publish, Requests, Source};
use crate::session::{Event, Kind, NEVER, Session, Step};
use crate::topic::is_name;
use core::cell::{Cell, UnsafeCell};
use core::ffi::{c_char, c_int, c_schar, c_uchar, c_ulong, c_ushort, c_void};

/// The application's callback for all events: scEvent is an MQTT_ event, or a negative ERROR_MQTT_ one.
///
/// Events that ask want at most ulLength bytes written at ptrData and their number returned; those that tell ignore what is
/// returned unless said otherwise, and have ptrData 0 unless said otherwise. The callback runs inside fnPollMQTT; all functions
/// may be called in it (fnPollMQTT itself does nothing there).
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

/// An argument is out of range, null, or contradicts another. As an event: a field of CONNECT, or a piece of a stream, was
/// refused; the connection ends.
pub const ERROR_MQTT_INVALID_ARGUMENT: c_int = -7;
/// The topic is not valid: a wildcard in a publication, # not last, + or # beside other characters, not UTF-8.
pub const ERROR_MQTT_INVALID_TOPIC: c_int = -8;
/// The topic is longer than MQTT_MAX_TOPIC_LENGTH (subscriptions), or than what the transmit buffer holds (publications).
pub const ERROR_MQTT_TOPIC_TOO_LONG: c_int = -9;
/// The message will never fit: use fnPublishMQTT_stream.
pub const ERROR_MQTT_MESSAGE_TOO_LONG: c_int = -10;
/// There is no room now: try again after an acknowledgement. As an event: more than MQTT_MAX_INCOMING_QoS2 messages of QoS 2
/// are under way; the connection ends, and a session that is kept brings them again.
pub const ERROR_MQTT_BUSY: c_int = -11;
/// Not in this build.
pub const ERROR_MQTT_NOT_SUPPORTED: c_int = -12;
/// Event: the broker broke the protocol; the connection ends.
pub const ERROR_MQTT_PROTOCOL: c_int = -13;
/// Event: the broker, or the link, took longer than the response time; the connection ends.
pub const ERROR_MQTT_TIMEOUT: c_int = -14;
/// Event: the link was reset (MQTT_LINK_FAILED); MQTT_HOST_CLOSED follows.
pub const ERROR_MQTT_LINK: c_int = -15;
/// Event: a secure connection was refused. ulLength tells which check failed.
pub const ERROR_MQTT_SECURITY: c_int = -16;

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
    /// The broker's port: 1883, or 8883 where secure.
    pub usPort: c_ushort,
    /// The longest silence that the broker accepts: MQTT_KEEPALIVE_TIME_SECONDS. MQTT_KEEPALIVE_OFF: any.
    pub usKeepAliveSeconds: c_ushort,
    /// How long the broker, and the link, may take for an answer: 15.
    pub usResponseSeconds: c_ushort,
    /// The first wait for a new attempt after a connection has ended is random, up to this; each further one up to twice the
    /// limit of the one before. Default: there is no new attempt.
    pub usReconnectMinSeconds: c_ushort,
    /// The limit that the waits do not exceed: as usReconnectMinSeconds.
    pub usReconnectMaxSeconds: c_ushort,
}

/// What a secure connection needs.
#[repr(C)]
pub struct MQTT_SECURITY {
    /// DNS name, or IP literal, that the broker's certificate must bear; never 0.
    pub ptrServerName: *const c_char,
    /// Trusted CA certificates, DER, one after another.
    pub ptrAuthority: *const c_uchar,
    /// Bytes there.
    pub usAuthorityLength: c_ushort,
    /// The client's certificate, DER; 0: none.
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
    /// Buffer for received TLS records.
    pub ptrReceive: *mut c_uchar,
    /// Bytes there.
    pub usReceiveLength: c_ushort,
    /// Buffer for sent TLS records.
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

/// What calls of the C border share with the session, inside the critical section.
struct Border {
    requests: Requests,
    platform: Option<Platform>,
    callback: MQTT_CALLBACK,
    port: u16,
    polling: bool,
}

struct Client {
    border: UnsafeCell<Border>,
    memory: Memory,
    session: UnsafeCell<Session>,
    /// The event that the callback is in.
    event: Cell<Kind>,
}

// SAFETY: `border` is only reached inside the critical section; a range of `memory` only by whom claimed it there; `session` and
// `event` only by the poll that has set `polling`, and by the callbacks inside it.
unsafe impl Sync for Client {}

static CLIENT: Client = Client {
    border: UnsafeCell::new(Border { requests: Requests::new(), platform: None, callback: None, port: 0, polling: false }),
    memory: Memory::new(),
    session: UnsafeCell::new(Session::new()),
    event: Cell::new(Kind::None),
};

impl Guard for Client {
    fn with<R>(&self, change: impl FnOnce(&mut Requests) -> R) -> R {
        self.critical(|border| change(&mut border.requests))
    }

    fn memory(&self) -> &Memory {
        &self.memory
    }
}

impl Client {
    fn critical<R>(&self, change: impl FnOnce(&mut Border) -> R) -> R {
        // SAFETY: nothing else runs meanwhile, and no `change` calls this again.
        critical_section::with(|_| change(unsafe { &mut *self.border.get() }))
    }

    /// Makes a request and wakes whoever polls.
    fn request<R>(&self, request: impl FnOnce(&mut Border) -> Result<R, Error>) -> Result<R, Error> {
        let (platform, made) = self.critical(|border| match border.platform {
            Some(platform) => Ok((platform, request(border))),
            None => Err(Error::NotReady),
        })?;
        if made.is_ok() {
            platform.wake();
        }
        made
    }

    /// Changes what no connection may have changed under it.
    fn between_connections(&self, change: impl FnOnce(&mut Border)) -> Result<c_int, Error> {
        self.critical(|border| {
            if border.requests.phase != Phase::Closed {
                return Err(Error::InUse);
            }
            change(border);
            Ok(0)
        })
    }

    /// Does what the session wants, until that is to wait.
    fn poll(&self, platform: Platform) -> u32 {
        // SAFETY: only the poll that has set `polling` comes here. Each step borrows anew, so that a callback may look at it.
        let session = || unsafe { &mut *self.session.get() };
        let data = |bytes| session().bytes(self, bytes).map_or(core::ptr::null_mut(), |bytes| bytes.as_ptr() as *mut u8);
        session().wake(platform.milliseconds());
        loop {
            match session().step(self) {
                Step::Open => {
                    let (connection, port) = self.critical(|border| (border.requests.connection, border.port));
                    let address = connection.address.get(..usize::from(connection.address_length)).unwrap_or_default();
                    let random = platform.random();
                    session().opened(self, platform.open(address, port), random);
                }
                Step::Close => platform.close(),
                // SAFETY: the session has so many bytes there.
                Step::Send(bytes) => session().sent(self, unsafe { platform.send(data(bytes), bytes.length) }),
                // SAFETY: the session has so many bytes there.
                Step::Receive(bytes) => session().received(unsafe { platform.receive(data(bytes), bytes.length) }),
                Step::Tell(event) => {
                    let answer = self.tell(event, data(event.data));
                    session().answered(self, answer);
                }
                Step::Wait(milliseconds) => return milliseconds,
            }
        }
    }

    fn tell(&self, event: Event, data: *mut u8) -> u16 {
        let Some(callback) = self.critical(|border| border.callback) else { return 0 };
        self.event.set(event.kind);
        // SAFETY: the application's function; `data` has as many bytes as the event says.
        let answer = unsafe { callback(event.kind as c_schar, data, c_ulong::from(event.number), event.reference) };
        self.event.set(Kind::None);
        answer
    }
}

fn result(result: Result<c_int, Error>) -> c_int {
    result.unwrap_or_else(|error| error as c_int)
}

/// What the mode flags ask for.
fn connection_flags(flags: c_ulong) -> Result<Connection, Error> {
    use utasker::*;
    const WILL_DETAILS: c_ulong = MQTT_CONNECT_FLAG_WILL_QOS_MASK | MQTT_CONNECT_FLAG_WILL_RETAIN;
    const KNOWN: c_ulong = 0xfe | SECURE_MQTT_CONNECTION | MQTT_CONNECT_IPV6 | MQTT_CONNECT_VERSION_3_1;
    let has = |flag| flags & flag != 0;
    if has(!KNOWN)
        || has(WILL_DETAILS) && !has(MQTT_CONNECT_FLAG_WILL_FLAG)
        || flags & MQTT_CONNECT_FLAG_WILL_QOS_MASK == MQTT_CONNECT_FLAG_WILL_QOS_MASK
        || has(MQTT_CONNECT_FLAG_PASSWORD_FLAG) && !has(MQTT_CONNECT_FLAG_USER_NAME_FLAG)
    {
        return Err(Error::InvalidArgument);
    }
    if has(SECURE_MQTT_CONNECTION) {
        return Err(Error::NotSupported);
    }
    Ok(Connection {
        address: [0; 16],
        address_length: if has(MQTT_CONNECT_IPV6) { 16 } else { 4 },
        flags: flags as u8,
        version_3_1: has(MQTT_CONNECT_VERSION_3_1),
    })
}

/// A topic argument; `None` where it is null.
///
/// # Safety
/// `text` is null or terminated by a zero; what is returned lives as long as the text.
unsafe fn topic<'a>(text: *const c_char, is_valid: impl FnOnce(core::iter::Copied<core::slice::Iter<'a, u8>>) -> bool) -> Result<Option<&'a [u8]>, Error> {
    if text.is_null() {
        return Ok(None);
    }
    let mut length = 0;
    // SAFETY: no byte behind the terminating zero is read.
    while unsafe { *text.add(length) } != 0 {
        length += 1;
        if length > usize::from(LENGTH) {
            return Err(Error::TopicTooLong);
        }
    }
    // SAFETY: so many bytes were just read.
    let topic = unsafe { core::slice::from_raw_parts(text.cast(), length) };
    match length {
        0 => Err(Error::MissingTopic),
        _ if is_valid(topic.iter().copied()) => Ok(Some(topic)),
        _ => Err(Error::InvalidTopic),
    }
}

/// The QoS that `cQoS` means, `None` for the subscription's, and whether the message is retained.
fn qos(value: c_schar) -> Result<(Option<u8>, bool), Error> {
    if value < 0 {
        return Ok((None, false));
    }
    let value = value as u8;
    if value & !0x1f != 0 {
        return Err(Error::InvalidArgument);
    }
    let qos = value & 0x0f;
    Ok(((qos != 0x0f).then_some(qos.min(2)), value & 0x10 != 0))
}

/// # Safety
/// `topic_text` is null or terminated by a zero.
unsafe fn publish(reference: u8, topic_text: *const c_char, value: c_schar, source: Source) -> Result<Accepted, Error> {
    // SAFETY: as the caller promises.
    let topic = unsafe { topic(topic_text, is_name) };
    let (qos, retain) = qos(value)?;
    CLIENT.request(|border| {
        border.requests.publish(&CLIENT.memory, Publish { reference, topic: topic?, qos, retain, source })
    })
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
    let platform = unsafe { Platform::new(ptrPlatform) }.ok_or(Error::InvalidArgument);
    result(platform.and_then(|platform| CLIENT.between_connections(|border| border.platform = Some(platform))))
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
/// Returns 0; ERROR_MQTT_INVALID_ARGUMENT: it is null; ERROR_MQTT_NOT_READY; ERROR_MQTT_IN_USE: only between connections. From any task.
///
/// # Safety
/// `ptrOptions` is null or points to options.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fnSetMQTT_options(ptrOptions: *const MQTT_OPTIONS) -> c_int {
    // SAFETY: as the caller promises.
    let options = unsafe { ptrOptions.as_ref() }.ok_or(Error::InvalidArgument);
    result(options.and_then(|options| {
        CLIENT.between_connections(|border| {
            border.port = options.usPort;
            border.requests.options = Options {
                keep_alive: options.usKeepAliveSeconds,
                response: options.usResponseSeconds,
                reconnect_first: options.usReconnectMinSeconds,
                reconnect_longest: options.usReconnectMaxSeconds,
            };
        })
    }))
}

/// Chooses the security of the connections that follow. ptrSecurity is copied, what it points to is not.
///
/// Returns 0. ERROR_MQTT_NOT_SUPPORTED: not in this build.
///
/// # Safety
/// `ptrSecurity` is null or points to what its members promise.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fnSetMQTT_security(ptrSecurity: *const MQTT_SECURITY) -> c_int {
    let _ = ptrSecurity;
    Error::NotSupported as c_int
}

/// Does the work: sends, receives, calls the callback. From one task, or the main loop, only.
///
/// Returns the milliseconds after which it must be called again if nothing happens before: 0 at once, 0xffffffff no need. To be
/// called before that when the link connects, receives, can send again or is lost, and after fnWake. Inside a callback it does
/// nothing and returns 0xffffffff.
#[unsafe(no_mangle)]
pub extern "C" fn fnPollMQTT() -> c_ulong {
    let platform = CLIENT.critical(|border| {
        let platform = border.platform.filter(|_| !border.polling);
        border.polling |= platform.is_some();
        platform
    });
    let Some(platform) = platform else { return c_ulong::from(NEVER) };
    let wait = CLIENT.poll(platform);
    CLIENT.critical(|border| border.polling = false);
    c_ulong::from(wait)
}

/// Publishes usLength bytes at ptrData, copied during the call. Topic and cQoS as for fnPublishMQTT.
///
/// Returns a handle above 0; MQTT_PUBLISH_ACKNOWLEDGED or MQTT_PUBLISH_FAILED follows, in which fnGetMQTT_message tells it. The errors of
/// fnPublishMQTT, and ERROR_MQTT_MESSAGE_TOO_LONG: it will never fit; ERROR_MQTT_INVALID_ARGUMENT: ptrData is null. From any context.
///
/// # Safety
/// `ptrTopic` is null or terminated by a zero; `usLength` bytes can be read at `ptrData`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fnPublishMQTT_data(ucRef: c_uchar, ptrTopic: *const c_char, cQoS: c_schar, ptrData: *const c_void, usLength: c_ushort) -> c_int {
    if ptrData.is_null() && usLength != 0 {
        return Error::InvalidArgument as c_int;
    }
    // SAFETY: as the caller promises.
    let accepted = unsafe { publish(ucRef, ptrTopic, cQoS, Source::Copied(usLength)) };
    result(accepted.and_then(|accepted| {
        let place = CLIENT.memory.range(accepted.payload_start, usLength);
        if usLength != 0 {
            // SAFETY: the caller promises so many bytes; the place was claimed for them, and is this call's alone until `copied`.
            unsafe { core::ptr::copy_nonoverlapping(ptrData.cast(), place.as_ptr() as *mut u8, place.len()) };
        }
        CLIENT.request(|border| border.requests.copied(accepted.index))?;
        Ok(c_int::from(accepted.handle))
    }))
}

/// Publishes ulTotalLength bytes that MQTT_PUBLISH_DATA_PART will ask for piece by piece, so that they may be more than any buffer holds. Topic
/// and cQoS as for fnPublishMQTT. A stream that is sent again begins at offset 0 and must give the same bytes.
///
/// Returns a handle above 0; MQTT_PUBLISH_ACKNOWLEDGED or MQTT_PUBLISH_FAILED follows, in which fnGetMQTT_message tells it. The errors of
/// fnPublishMQTT, and ERROR_MQTT_MESSAGE_TOO_LONG: above what MQTT can carry (256 MB). From any context.
///
/// # Safety
/// `ptrTopic` is null or terminated by a zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fnPublishMQTT_stream(ucRef: c_uchar, ptrTopic: *const c_char, cQoS: c_schar, ulTotalLength: c_ulong) -> c_int {
    let Ok(total) = u32::try_from(ulTotalLength) else { return Error::MessageTooLong as c_int };
    // SAFETY: as the caller promises.
    let accepted = unsafe { publish(ucRef, ptrTopic, cQoS, Source::Streamed(total)) };
    result(accepted.map(|accepted| c_int::from(accepted.handle)))
}

/// Tells details of the message that the present event is about: in MQTT_TOPIC_MESSAGE, MQTT_TOPIC_MESSAGE_PART, MQTT_PUBLISH_TOPIC,
/// MQTT_PUBLISH_DATA, MQTT_PUBLISH_DATA_PART, MQTT_PUBLISH_ACKNOWLEDGED and MQTT_PUBLISH_FAILED.
///
/// Its pointer is valid until the callback returns, or publishes. Returns 0; ERROR_MQTT_INVALID_ARGUMENT: ptrMessage is null;
/// ERROR_MQTT_NOT_READY: anywhere else. Inside the callback only.
///
/// # Safety
/// `ptrMessage` is null or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fnGetMQTT_message(ptrMessage: *mut MQTT_MESSAGE) -> c_int {
    if ptrMessage.is_null() {
        return Error::InvalidArgument as c_int;
    }
    // SAFETY: inside a callback, the poll that runs it does not touch the session.
    let session = unsafe { &mut *CLIENT.session.get() };
    let Some(message) = session.message(&CLIENT, CLIENT.event.get()) else { return Error::NotReady as c_int };
    let topic = session.bytes(&CLIENT, message.topic).map_or(core::ptr::null(), |topic| topic.as_ptr().cast());
    let details = MQTT_MESSAGE {
        ptrTopic: topic,
        usTopicLength: message.topic_length,
        usPacketIdentifier: message.identifier,
        usHandle: message.handle,
        ucQoS: message.flags.qos(),
        ucRetained: message.flags.retained().into(),
        ucDuplicate: message.flags.duplicate().into(),
        ulTotalLength: message.total.into(),
        ulOffset: message.offset.into(),
    };
    // SAFETY: not null, and the caller promises the rest.
    unsafe { ptrMessage.write(details) };
    0
}

/// The data behind fnShowMQTT_subscription. The pointer dies at the next poll.
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
    result(subscription(iRef, |subscription| {
        let ptrTopic = subscription.topic().map_or(core::ptr::null(), |topic| topic.as_ptr().cast());
        MQTT_SUBSCRIPTION { ptrTopic, ucQoS: subscription.qos, ucGranted: subscription.granted }
    }).map(|subscription| {
        // SAFETY: not null, and the caller promises the rest.
        unsafe { ptrSubscription.write(subscription) };
        0
    }))
}

/// Looks at the subscription of a reference.
fn subscription<R>(reference: c_int, look: impl FnOnce(&crate::subscriptions::Subscription) -> R) -> Result<R, Error> {
    CLIENT.critical(|border| {
        if border.platform.is_none() {
            return Err(Error::NotReady);
        }
        let reference = u8::try_from(reference).ok().filter(|reference| (1..=MAX_SUBSCRIPTIONS).contains(&usize::from(*reference)));
        let reference = reference.ok_or(Error::InvalidSubscription)?;
        border.requests.subscriptions.get(reference).map(|entry| look(entry)).ok_or(Error::NoSubscriptionEntry)
    })
}

fn show_subscription(reference: c_int) -> Result<(), Error> {
    // The words, a reference of two digits, a QoS, the topic, and the terminating zero.
    let line = [const { Cell::new(0) }; "Reference:64 QoS:2 Topic:\r\n".len() + MAX_TOPIC_LENGTH + 1];
    let mut writer = crate::wire::Writer::new(&line);
    subscription(reference, |subscription| {
        writer.bytes(b"Reference:");
        let reference = reference as u8;
        if reference > 9 {
            writer.byte(b'0' + reference / 10);
        }
        writer.byte(b'0' + reference % 10);
        writer.bytes(b" QoS:");
        writer.byte(b'0' + subscription.qos);
        writer.bytes(b" Topic:");
        writer.bytes(subscription.topic().unwrap_or_default());
        writer.bytes(b"\r\n");
    })?;
    if let Some(platform) = CLIENT.critical(|border| border.platform) {
        // SAFETY: the line is one longer than what was written into zeros.
        unsafe { platform.print(line.as_ptr().cast()) };
    }
    Ok(())
}
