//! The C border of secure connections: between the session and the platform stands the one [`Link`].

use super::firmware::{Firmware, platform};
use super::{
    CLIENT, MQTT_SECURITY, MQTT_SECURITY_ALERT, MQTT_SECURITY_BAD_CERTIFICATE, MQTT_SECURITY_BAD_SIGNATURE, MQTT_SECURITY_EXPIRED,
    MQTT_SECURITY_NO_CERTIFICATE, MQTT_SECURITY_NOT_YET_VALID, MQTT_SECURITY_PROTOCOL, MQTT_SECURITY_RANDOM, MQTT_SECURITY_RECORD_TOO_LARGE,
    MQTT_SECURITY_UNKNOWN_AUTHORITY, MQTT_SECURITY_WRONG_NAME, MQTT_SECURITY_WRONG_USAGE, MQTTS_PORT, Shared, critical,
};
use crate::error::Error;
use crate::session::lost;
use crate::tls::{ALERT, Buffer, Link, Reason, Security, Transport, size_of_connection};
use core::cell::Cell;
use core::ffi::c_int;

const _: () = assert!(
    MQTT_SECURITY_UNKNOWN_AUTHORITY == Reason::UnknownAuthority as c_int
        && MQTT_SECURITY_WRONG_NAME == Reason::WrongName as c_int
        && MQTT_SECURITY_EXPIRED == Reason::Expired as c_int
        && MQTT_SECURITY_NOT_YET_VALID == Reason::NotYetValid as c_int
        && MQTT_SECURITY_WRONG_USAGE == Reason::WrongUsage as c_int
        && MQTT_SECURITY_BAD_SIGNATURE == Reason::BadSignature as c_int
        && MQTT_SECURITY_NO_CERTIFICATE == Reason::NoCertificate as c_int
        && MQTT_SECURITY_BAD_CERTIFICATE == Reason::BadCertificate as c_int
        && MQTT_SECURITY_RANDOM == Reason::Random as c_int
        && MQTT_SECURITY_RECORD_TOO_LARGE == Reason::RecordTooLarge as c_int
        && MQTT_SECURITY_PROTOCOL == Reason::Protocol as c_int
        && MQTT_SECURITY_ALERT == ALERT as c_int
);

/// The firmware's TCP connection.
#[derive(Clone, Copy)]
struct Wire;

impl Transport for Wire {
    fn send(self, bytes: &[u8]) -> i32 {
        // SAFETY: the bytes are only read.
        unsafe { platform().send(bytes.as_ptr().cast_mut(), bytes.len()) }
    }

    fn receive(self, room: &mut [u8]) -> i32 {
        // SAFETY: a valid range.
        unsafe { platform().receive(room.as_mut_ptr(), room.len()) }
    }

    fn random(self, bytes: &mut [u8]) -> bool {
        platform().fill_random(bytes)
    }

    fn unix_time(self) -> Option<u32> {
        platform().unix_time()
    }
}

/// Used by the poll alone.
static LINK: Shared<Link<Wire, { size_of_connection::<Wire>() }>> = Shared(Link::new());

/// Keeps the choice of fnSetMQTT_security.
///
/// # Safety
/// `chosen` is null or points to what its members promise.
pub(super) unsafe fn choose(chosen: *const MQTT_SECURITY) -> c_int {
    // SAFETY: as the caller promises.
    let Some(chosen) = (unsafe { chosen.as_ref() }) else { return Error::InvalidArgument as c_int };
    let answer = critical(|session| session.between_connections());
    if answer != 0 {
        return answer;
    }
    if chosen.ptrServerName.is_null() {
        return Error::InvalidArgument as c_int;
    }
    /// Of a DNS name, with a dot at its end.
    const LONGEST_NAME: u16 = 254;
    // SAFETY: as the caller promises.
    let security = unsafe {
        let bytes = |start: *const u8, length: u16| if start.is_null() { &[] } else { core::slice::from_raw_parts(start, length.into()) };
        let length = (0..=LONGEST_NAME).find(|offset| *chosen.ptrServerName.add((*offset).into()) == 0);
        let name = bytes(chosen.ptrServerName.cast(), length.unwrap_or(0));
        Security {
            // SAFETY: ASCII is UTF-8.
            server_name: if name.iter().all(u8::is_ascii) { core::str::from_utf8_unchecked(name) } else { "" },
            authority: bytes(chosen.ptrAuthority, chosen.usAuthorityLength),
            certificate: bytes(chosen.ptrCertificate, chosen.usCertificateLength),
            private_key: bytes(chosen.ptrPrivateKey, chosen.usPrivateKeyLength),
            key_identity: bytes(chosen.ptrKeyIdentity, chosen.usKeyIdentityLength),
            key: bytes(chosen.ptrKey, chosen.usKeyLength),
            receive: Buffer::new(chosen.ptrReceive, chosen.usReceiveLength),
            transmit: Buffer::new(chosen.ptrTransmit, chosen.usTransmitLength),
        }
    };
    let answer = security.check();
    if answer != 0 {
        return answer;
    }
    critical(|session| {
        let answer = session.between_connections();
        if answer == 0 {
            CLIENT.0.security.set(Some(security));
        }
        answer
    })
}

/// Whether a connection can be begun, which is secure or not: 0, or an error.
pub(super) fn prepare(secure: bool) -> i32 {
    let has_random = CLIENT.0.border.platform.get().is_some_and(|platform| platform.has_random());
    if secure && (CLIENT.0.security.get().is_none() || !has_random) {
        return Error::NotReady as i32;
    }
    CLIENT.0.border.secure.set(secure);
    0
}

/// Why the connection was refused.
pub(super) fn reason() -> u32 {
    LINK.0.reason().into()
}

/// Whether to poll again at once.
pub(super) fn is_eager() -> bool {
    LINK.0.is_eager()
}

pub(super) fn open(firmware: Firmware, port: u16) -> i32 {
    let Some(security) = CLIENT.0.security.get() else { return lost::FAILED };
    firmware.outside(|| {
        let result = platform().open(&CLIENT.0.address, if port == 0 { MQTTS_PORT as u16 } else { port });
        if result == 0 {
            // SAFETY: fnSetMQTT_security was promised that.
            unsafe { LINK.0.open(Wire, &security) };
        }
        result
    })
}

pub(super) fn close() {
    LINK.0.close();
}

pub(super) fn send(firmware: Firmware, place: usize, length: usize) -> i32 {
    moved(firmware, || LINK.0.send(range(place, length)))
}

pub(super) fn receive(firmware: Firmware, place: usize, length: usize) -> i32 {
    moved(firmware, || LINK.0.receive(range(place, length)))
}

/// A range of the packet buffers.
fn range(place: usize, length: usize) -> &'static [Cell<u8>] {
    CLIENT.0.session.memory.range(place, length)
}

/// Moves bytes, and tells the session of what the platform has moved, and of a step of the handshake.
fn moved(firmware: Firmware, work: impl FnOnce() -> i32) -> i32 {
    let moved = firmware.outside(work);
    let (taken, given) = LINK.0.has_moved();
    CLIENT.0.session.link_moved(taken, given);
    if LINK.0.has_stepped() {
        CLIENT.0.session.link_stepped();
    }
    moved
}
