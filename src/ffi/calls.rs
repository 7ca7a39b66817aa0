//! What the calls from C have in common: requests in the critical section, and arguments that cannot be trusted.

use super::{CLIENT, critical, enter, leave};
use crate::error::Error;
use crate::memory::TRANSMIT_END;
use crate::session::{Publish, SUBSCRIPTION_QOS, Session};
use crate::topic::{Text, is_valid};
use core::cell::Cell;
use core::ffi::{c_char, c_int, c_schar};

/// Makes a request, and wakes whoever polls where it is accepted.
pub(super) fn request(make: impl FnOnce(&Session) -> i32) -> c_int {
    enter();
    requested(make(&CLIENT.0.session))
}

/// Ends the critical section in which a request was made, and wakes whoever polls where it was accepted.
#[inline(never)]
fn requested(answer: c_int) -> c_int {
    let platform = CLIENT.0.border.platform.get();
    leave();
    if answer >= 0 {
        if let Some(platform) = platform {
            platform.wake();
        }
    }
    answer
}

/// A topic argument; empty where it is null. `answer` becomes 0, or an error.
///
/// # Safety
/// `text` is null or terminated by a zero; what is returned lives as long as the text.
pub(super) unsafe fn topic<'a>(text: *const c_char, kind: Text, answer: &mut c_int) -> &'a [Cell<u8>] {
    *answer = 0;
    if text.is_null() {
        return &[];
    }
    let mut length = 0;
    // SAFETY: no byte behind the terminating zero is read.
    while unsafe { *text.add(length) } != 0 {
        length += 1;
        if length > TRANSMIT_END {
            *answer = Error::TopicTooLong as c_int;
            return &[];
        }
    }
    // SAFETY: so many bytes were just read; a cell is laid out as its byte, and is not written here.
    let topic = unsafe { core::slice::from_raw_parts(text.cast::<Cell<u8>>(), length) };
    if length == 0 {
        *answer = Error::MissingTopic as c_int;
    } else if !is_valid(topic, kind) {
        *answer = Error::InvalidTopic as c_int;
    }
    topic
}

/// As cQoS: bits that there are not.
pub(super) const INVALID_BITS: c_schar = 0x7f;

/// Asks for a publication. Returns as [`Session::publish`].
///
/// # Safety
/// `text` is null or terminated by a zero.
pub(super) unsafe fn publish(reference: usize, text: *const c_char, value: c_schar, source: u8, total: u32) -> c_int {
    let bits = if value < 0 { SUBSCRIPTION_QOS } else { value as u8 };
    let mut checked = 0;
    // SAFETY: as the caller promises.
    let topic = unsafe { topic(text, Text::Name, &mut checked) };
    if bits & !0x1f != 0 {
        checked = Error::InvalidArgument as c_int;
    }
    let publish = Publish { checked, reference, topic, qos: bits & 0x0f, retain: bits & 0x10 != 0, source, total };
    critical(|session| session.publish(&publish))
}

/// What a publication is answered with that needs no copying: its handle, 0, or an error.
pub(super) fn accepted(answer: c_int) -> c_int {
    request(|_| if answer < 0 { answer } else { answer & 0xffff })
}
