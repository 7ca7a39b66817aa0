//! What the session's poll calls: the platform's functions and the application's callback.

#[cfg(feature = "tls")]
use super::secure;
use super::{CLIENT, MQTT_PORT, enter, leave};
use crate::platform::Platform;
use crate::session::{Host, Kind};
use core::ffi::{c_schar, c_uchar};

/// The firmware, as the session's poll sees it: inside the critical section, which is left for each call. Nearly all of these
/// functions are called in one place, where they are less than a call.
#[derive(Clone, Copy)]
pub(super) struct Firmware;

impl Firmware {
    /// Runs `call` outside the critical section.
    #[inline(always)]
    pub(super) fn outside<R>(self, call: impl FnOnce() -> R) -> R {
        leave();
        let result = call();
        enter();
        result
    }
}

/// Where a place of the packet buffers lies.
pub(super) fn address(place: usize) -> *mut u8 {
    (&raw const CLIENT.0.session.memory).cast_mut().cast::<u8>().wrapping_add(place)
}

/// The platform, while the session is polled.
pub(super) fn platform() -> Platform {
    // SAFETY: without one there is no poll, and none is taken away.
    unsafe { CLIENT.0.border.platform.get().unwrap_unchecked() }
}

impl Host for Firmware {
    #[inline(always)]
    fn aside(self, work: impl FnOnce()) {
        self.outside(work);
    }

    #[inline(always)]
    fn milliseconds(self) -> u32 {
        self.outside(|| platform().milliseconds())
    }

    fn random(self) -> u32 {
        self.outside(|| platform().random())
    }

    #[inline(always)]
    fn open(self) -> i32 {
        let port = CLIENT.0.session.options().port.get();
        #[cfg(feature = "tls")]
        if CLIENT.0.border.secure.get() {
            return secure::open(self, port);
        }
        self.outside(|| platform().open(&CLIENT.0.address, if port == 0 { MQTT_PORT as u16 } else { port }))
    }

    fn is_eager(self) -> bool {
        #[cfg(feature = "tls")]
        if CLIENT.0.border.secure.get() {
            return secure::is_eager();
        }
        false
    }

    #[inline(always)]
    fn close(self) {
        #[cfg(feature = "tls")]
        if CLIENT.0.border.secure.get() {
            self.outside(secure::close);
        }
        self.outside(|| platform().close());
    }

    #[inline(always)]
    fn send(self, place: usize, length: usize) -> i32 {
        #[cfg(feature = "tls")]
        if CLIENT.0.border.secure.get() {
            return secure::send(self, place, length);
        }
        // SAFETY: the session gives the link so many bytes there.
        self.outside(|| unsafe { platform().send(address(place), length) })
    }

    #[inline(always)]
    fn receive(self, place: usize, length: usize) -> i32 {
        #[cfg(feature = "tls")]
        if CLIENT.0.border.secure.get() {
            return secure::receive(self, place, length);
        }
        // SAFETY: the session gives the link so many bytes there.
        self.outside(|| unsafe { platform().receive(address(place), length) })
    }

    #[inline(always)]
    fn tell(self, kind: Kind, place: usize, number: u32, reference: usize) -> u16 {
        let data = if place == 0 { core::ptr::null_mut() } else { address(place) };
        #[cfg(feature = "tls")]
        let number = if kind == Kind::Security { secure::reason() } else { number };
        // SAFETY: without one there is no connection, about which all events are. Once outside it may be another connection's.
        let callback = unsafe { CLIENT.0.border.callback.get().unwrap_unchecked() };
        // SAFETY: the application's function, with so many bytes as the event says.
        self.outside(|| unsafe { callback(kind as c_schar, data, number.into(), reference as c_uchar) })
    }
}
