//! The C border: names, numbers, raw pointers and the one static. Thin: each function checks, converts, makes one safe call
//! and maps the result. `utasker.rs` is the part that μTasker has too; this file is what is new.
#![expect(non_camel_case_types, non_snake_case, non_upper_case_globals, reason = "matching C style, not Rust")]

pub mod utasker;

use crate::config::MAX_TOPIC_LENGTH;
use crate::error::Error;
use crate::memory::{Memory, TRANSMIT_END};
use crate::platform::{MQTT_PLATFORM, Platform};
use crate::subscriptions::Subscription;
use crate::requests::{Connection, Options, Publish, Source};
use crate::session::{Data, NEVER, Session, Step};
use crate::topic::{Text, is_valid};
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

/// What is behind the C border, inside the critical section.
struct Client {
    session: Session,
    platform: Option<Platform>,
    callback: MQTT_CALLBACK,
    polling: bool,
}

struct Shared<T>(UnsafeCell<T>);

// SAFETY: the client is only reached through `critical`; a range of the memory is only touched by whom the session gave it.
unsafe impl<T> Sync for Shared<T> {}

static CLIENT: Shared<Client> =
    Shared(UnsafeCell::new(Client { session: Session::new(), platform: None, callback: None, polling: false }));
static MEMORY: Shared<Memory> = Shared(UnsafeCell::new(Memory::new()));

fn memory() -> &'static Memory {
    // SAFETY: nobody has it for himself alone.
    unsafe { &*MEMORY.0.get() }
}

/// Runs `work` where nothing else reaches the client.
fn critical<R>(work: impl FnOnce(&mut Client) -> R) -> R {
    // SAFETY: nothing else runs meanwhile, and no `work` calls this again.
    critical_section::with(|_| work(unsafe { &mut *CLIENT.0.get() }))
}

/// What a function of the C border asks for.
enum Request<'a> {
    Platform(Platform),
    Options(Options),
    Connect(Connection, MQTT_CALLBACK),
    Disconnect,
    Subscribe(Option<&'a [Cell<u8>]>, u8),
    Unsubscribe(u8),
    Publish(Publish<'a>),
    /// A copied payload: to be published, and where it begins.
    PublishCopied(Publish<'a>, &'a mut u16),
    Copied(u8),
}

/// Makes a request and wakes whoever polls. Returns what it is answered with, 0 where that is nothing.
fn request(request: Request) -> Result<u16, Error> {
    let (answer, platform) = critical(|client| {
        let Client { session, platform, callback, polling: _ } = client;
        if let Request::Platform(new) = request {
            // Whether there is a connection is told by the options' check.
            let answer = session.requests.set_options(session.requests.options).map(|()| 0);
            if answer.is_ok() {
                *platform = Some(new);
            }
            return (answer, None);
        }
        let requests = &mut session.requests;
        let answer = match request {
            _ if platform.is_none() => Err(Error::NotReady),
            Request::Platform(_) => Ok(0),
            Request::Options(options) => requests.set_options(options).map(|()| 0),
            Request::Connect(connection, events) => requests.connect(connection).map(|()| {
                *callback = events;
                0
            }),
            Request::Disconnect => requests.disconnect().map(|()| 0),
            Request::Subscribe(topic, qos) => requests.subscribe(topic, qos),
            Request::Unsubscribe(reference) => requests.unsubscribe(reference).map(|()| 0),
            Request::Publish(publish) => requests.publish(memory(), &publish).map(|index| requests.outbox.entry(index).handle),
            Request::PublishCopied(publish, end) => requests.publish(memory(), &publish).map(|index| {
                let entry = requests.outbox.entry(index);
                *end = entry.start + entry.length;
                index.into()
            }),
            Request::Copied(index) => requests.copied(index).map(|()| requests.outbox.entry(index).handle),
        };
        (answer, *platform)
    });
    if let (Ok(_), Some(platform)) = (answer, platform) {
        platform.wake();
    }
    answer
}

fn result(result: Result<u16, Error>) -> c_int {
    match result {
        Ok(value) => value.into(),
        Err(error) => error as c_int,
    }
}

/// What the mode flags ask for.
fn connection(flags: c_ulong) -> Result<Connection, Error> {
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
unsafe fn topic<'a>(text: *const c_char, kind: Text) -> Result<Option<&'a [Cell<u8>]>, Error> {
    if text.is_null() {
        return Ok(None);
    }
    let mut length = 0;
    // SAFETY: no byte behind the terminating zero is read.
    while unsafe { *text.add(length) } != 0 {
        length += 1;
        if length > usize::from(TRANSMIT_END) {
            return Err(Error::TopicTooLong);
        }
    }
    // SAFETY: so many bytes were just read; a cell is laid out as its byte, and is not written here.
    let topic = unsafe { core::slice::from_raw_parts(text.cast::<Cell<u8>>(), length) };
    match length {
        0 => Err(Error::MissingTopic),
        _ if is_valid(topic, kind) => Ok(Some(topic)),
        _ => Err(Error::InvalidTopic),
    }
}

/// # Safety
/// `text` is null or terminated by a zero.
unsafe fn publish<'a>(reference: u8, text: *const c_char, value: c_schar, source: Source) -> Result<Publish<'a>, Error> {
    let bits = value as u8;
    if value >= 0 && bits & !0x1f != 0 {
        return Err(Error::InvalidArgument);
    }
    let qos = bits & 0x0f;
    Ok(Publish {
        reference,
        // SAFETY: as the caller promises.
        topic: unsafe { topic(text, Text::Name) }?,
        qos: (value >= 0 && qos != 0x0f).then_some(qos.min(2)),
        retain: value >= 0 && bits & 0x10 != 0,
        source,
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
    result(platform.and_then(|platform| request(Request::Platform(platform))))
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
    let Some(options) = (unsafe { ptrOptions.as_ref() }) else { return Error::InvalidArgument as c_int };
    result(request(Request::Options(Options {
        port: options.usPort,
        keep_alive: options.usKeepAliveSeconds,
        response: options.usResponseSeconds,
        reconnect_first: options.usReconnectMinSeconds,
        reconnect_longest: options.usReconnectMaxSeconds,
    })))
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
    let started = critical(|client| {
        let platform = client.platform.filter(|_| !client.polling)?;
        client.polling = true;
        Some(platform)
    });
    let Some(platform) = started else { return NEVER.into() };
    let mut outcome = platform.milliseconds() as i32;
    loop {
        let (step, data, event) = critical(|client| {
            let step = client.session.step(memory(), outcome);
            client.polling = step != Step::Wait;
            (step, client.session.data, client.session.event)
        });
        let Data { start, length } = data;
        let place = memory().range(start, length).as_ptr() as *mut u8;
        outcome = match step {
            Step::Wait => return critical(|client| client.session.wait).into(),
            Step::Random => platform.random() as i32,
            Step::Open => {
                let (connection, port) = critical(|client| (client.session.requests.connection, client.session.requests.options.port));
                platform.open(connection, if port == 0 { utasker::MQTT_PORT as u16 } else { port })
            }
            Step::Close => {
                platform.close();
                0
            }
            // SAFETY: the session gives the link so many bytes there.
            Step::Send => unsafe { platform.send(place, length) },
            // SAFETY: the session gives the link so many bytes there.
            Step::Receive => unsafe { platform.receive(place, length) },
            Step::Tell => match critical(|client| client.callback) {
                // SAFETY: the application's function, with so many bytes as the event says.
                Some(callback) => unsafe {
                    let place = if event.kind.has_data() { place } else { core::ptr::null_mut() };
                    callback(event.kind as c_schar, place, event.number.into(), event.reference).into()
                },
                None => 0,
            },
        };
    }
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
    let publish = unsafe { publish(ucRef, ptrTopic, cQoS, Source::Copied(usLength)) };
    let mut end = 0;
    result(publish.and_then(|publish| request(Request::PublishCopied(publish, &mut end))).and_then(|index| {
        let place = memory().range(end - usLength, usLength);
        if usLength != 0 {
            // SAFETY: the caller promises so many bytes; the place is this call's alone until `Copied`.
            unsafe { core::ptr::copy_nonoverlapping(ptrData.cast(), place.as_ptr() as *mut u8, place.len()) };
        }
        request(Request::Copied(index as u8))
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
    // More than MQTT can carry stays more.
    let total = ulTotalLength.min(NEVER.into()) as u32;
    // SAFETY: as the caller promises.
    result(unsafe { publish(ucRef, ptrTopic, cQoS, Source::Streamed(total)) }.and_then(|publish| request(Request::Publish(publish))))
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
    let Some(message) = critical(|client| client.session.message(memory())) else { return Error::NotReady as c_int };
    let topic = message.topic.map_or(core::ptr::null(), |Data { start, length }| memory().range(start, length).as_ptr().cast());
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
    let found = subscription(iRef, |subscription| MQTT_SUBSCRIPTION {
        ptrTopic: subscription.topic().map_or(core::ptr::null(), |topic| topic.as_ptr().cast()),
        ucQoS: subscription.qos,
        ucGranted: subscription.granted,
    });
    result(found.map(|subscription| {
        // SAFETY: not null, and the caller promises the rest.
        unsafe { ptrSubscription.write(subscription) };
        0
    }))
}

/// Looks at the subscription of a reference.
fn subscription<R>(reference: c_int, look: impl FnOnce(&Subscription) -> R) -> Result<R, Error> {
    critical(|client| {
        if client.platform.is_none() {
            return Err(Error::NotReady);
        }
        let reference = u8::try_from(reference).unwrap_or_default();
        client.session.requests.subscription(reference).map(|subscription| look(subscription))
    })
}

fn show_subscription(reference: c_int) -> Result<u16, Error> {
    // The words, a reference of two digits, a QoS, the topic, and the terminating zero.
    let mut line = [0; "Reference:64 QoS:2 Topic:\r\n".len() + MAX_TOPIC_LENGTH + 1];
    subscription(reference, |subscription| {
        let mut places = line.iter_mut();
        let mut put = |byte| {
            if let Some(place) = places.next() {
                *place = byte;
            }
        };
        let reference = reference as u8;
        for byte in *b"Reference:\x01\x02 QoS:\x03 Topic:\x04\r\n" {
            match byte {
                1 if reference < 10 => {}
                1 => put(b'0' + reference / 10),
                2 => put(b'0' + reference % 10),
                3 => put(b'0' + subscription.qos),
                4 => subscription.topic().unwrap_or_default().iter().for_each(|byte| put(byte.get())),
                byte => put(byte),
            }
        }
    })?;
    if let Some(platform) = critical(|client| client.platform) {
        // SAFETY: the line is one longer than what was written into zeros.
        unsafe { platform.print(line.as_ptr().cast()) };
    }
    Ok(0)
}
