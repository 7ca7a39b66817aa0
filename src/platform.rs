//! All that is imported from C: the functions of the firmware in [`MQTT_PLATFORM`], and the critical section.
#![expect(non_snake_case, reason = "matching C style, not Rust")]

use crate::session::lost;
use core::cell::Cell;
use core::ffi::{c_char, c_int, c_uchar, c_ulong, c_ushort, c_void};

/// Result of fnOpen, fnSend or fnReceive: the host has closed the connection.
pub const MQTT_LINK_CLOSED: c_int = -1;
/// Result of fnOpen, fnSend or fnReceive: the connection was refused or reset, or timed out.
pub const MQTT_LINK_FAILED: c_int = -2;
/// Result of fnOpen, fnSend or fnReceive: address resolution or routing has failed.
pub const MQTT_LINK_UNREACHABLE: c_int = -3;

/// What the firmware provides: a TCP connection, a clock and a few services.
///
/// Set all to zero, fill in, and hand it to fnSetMQTT_platform. It must outlive the library's use. None of the functions
/// may block; all but fnWake and fnPrint are called inside fnPollMQTT only, never inside the critical section.
#[repr(C)]
pub struct MQTT_PLATFORM {
    /// Handed to every function below.
    pub ptrContext: *mut c_void,
    /// Starts a TCP connection and returns 0, also where the connection is still being made, or a negative MQTT_LINK_
    /// value. ptrAddress has ucAddressLength bytes in network order: 4, 16 (MQTT_CONNECT_IPV6), or 0: the platform knows its
    /// broker and resolves the name, at every attempt.
    pub fnOpen: Option<unsafe extern "C" fn(ptrContext: *mut c_void, ptrAddress: *const c_uchar, ucAddressLength: c_uchar, usPort: c_ushort) -> c_int>,
    /// Takes as many bytes as it can now and returns their number; 0: none now, since the connection is still being made or
    /// its buffer is full; negative MQTT_LINK_ value: the connection is lost. Zero must never be returned for a lost one, nor for
    /// one that could not be made: until CONNECT is sent fnReceive is not called, and only fnSend can tell.
    pub fnSend: Option<unsafe extern "C" fn(ptrContext: *mut c_void, ptrData: *const c_uchar, usLength: c_ushort) -> c_int>,
    /// Gives up to usLength bytes that have arrived and returns their number; 0: none now; negative MQTT_LINK_ value: the
    /// connection is lost, and all that had arrived was given before. Zero must never be returned for a lost one.
    pub fnReceive: Option<unsafe extern "C" fn(ptrContext: *mut c_void, ptrData: *mut c_uchar, usLength: c_ushort) -> c_int>,
    /// Ends the connection; what fnSend took is still delivered. Called once for each fnOpen that returned 0, also after
    /// errors.
    pub fnClose: Option<unsafe extern "C" fn(ptrContext: *mut c_void)>,
    /// A clock in milliseconds, from any start, of which the lower 32 bits count.
    pub fnMilliseconds: Option<unsafe extern "C" fn(ptrContext: *mut c_void) -> c_ulong>,
    /// Fills in random bytes and returns 0, or negative. May be 0 where nothing is secure: the clock then has to do.
    pub fnRandom: Option<unsafe extern "C" fn(ptrContext: *mut c_void, ptrData: *mut c_uchar, usLength: c_ushort) -> c_int>,
    /// Seconds since 1970, for certificates. May be 0: their dates are not checked. A clock that answers 0 is not set: no
    /// certificate is then valid.
    pub fnUnixTime: Option<unsafe extern "C" fn(ptrContext: *mut c_void) -> c_ulong>,
    /// Prints for fnShowMQTT_subscription, in the context of its caller. May be 0.
    pub fnPrint: Option<unsafe extern "C" fn(ptrContext: *mut c_void, ptrText: *const c_char)>,
    /// A call has left work for fnPollMQTT: wakes the task that polls. Called in the context of the caller, interrupts
    /// included, outside the critical section. Must not poll. May be 0.
    pub fnWake: Option<unsafe extern "C" fn(ptrContext: *mut c_void)>,
}

const _: () = assert!(
    MQTT_LINK_CLOSED == lost::CLOSED && MQTT_LINK_FAILED == lost::FAILED && MQTT_LINK_UNREACHABLE == lost::UNREACHABLE
);

/// The broker's address.
pub(crate) struct Address {
    /// 4 or 16; 0: the platform knows it.
    pub length: Cell<u8>,
    /// So many of them are used.
    pub bytes: [Cell<u8>; 16],
}

impl Address {
    pub(crate) const fn new() -> Self {
        Self { length: Cell::new(0), bytes: [const { Cell::new(0) }; 16] }
    }
}

/// A platform whose necessary functions are all there. Its functions are called outside the critical section.
#[derive(Clone, Copy)]
pub(crate) struct Platform(&'static MQTT_PLATFORM);

/// A function of the platform that moves bytes.
type Mover = unsafe extern "C" fn(ptrContext: *mut c_void, ptrData: *mut c_uchar, usLength: c_ushort) -> c_int;

impl Platform {
    /// # Safety
    /// `platform` is null, or points to a platform that stays as it is for the program's life.
    pub(crate) unsafe fn new(platform: *const MQTT_PLATFORM) -> Option<Self> {
        // SAFETY: as the caller promises.
        let platform = unsafe { platform.as_ref() }?;
        platform.fnOpen.and(platform.fnSend).and(platform.fnReceive).and(platform.fnClose).and(platform.fnMilliseconds)?;
        Some(Self(platform))
    }

    pub(crate) fn open(self, address: &Address, port: u16) -> c_int {
        // SAFETY: `new` has seen that it is there.
        let open = unsafe { self.0.fnOpen.unwrap_unchecked() };
        // SAFETY: the firmware's function, with its own context and a valid range.
        let result = unsafe { open(self.0.ptrContext, address.bytes.as_ptr().cast(), address.length.get(), port) };
        #[cfg(feature = "tls")]
        let result = result.max(lost::SECURITY + 1);
        if result > 0 { MQTT_LINK_FAILED } else { result }
    }

    /// What fnSend or fnReceive returns; more than it was given is a defect of the platform.
    ///
    /// # Safety
    /// `length` bytes can be read or written at `data`, as the function does.
    unsafe fn moved(self, function: Mover, data: *mut u8, length: usize) -> c_int {
        // SAFETY: the firmware's function, with its own context and the caller's range.
        let result = unsafe { function(self.0.ptrContext, data, length as c_ushort) };
        #[cfg(feature = "tls")]
        let result = result.max(lost::SECURITY + 1);
        if result > length as c_int { MQTT_LINK_FAILED } else { result }
    }

    /// # Safety
    /// `length` bytes can be read at `data`.
    pub(crate) unsafe fn send(self, data: *mut u8, length: usize) -> c_int {
        // SAFETY: `new` has seen that it is there; the types differ in `*const` and `*mut` alone, which have the same ABI.
        unsafe { self.moved(core::mem::transmute::<Option<_>, Option<Mover>>(self.0.fnSend).unwrap_unchecked(), data, length) }
    }

    /// # Safety
    /// `length` bytes can be written at `data`.
    pub(crate) unsafe fn receive(self, data: *mut u8, length: usize) -> c_int {
        // SAFETY: `new` has seen that it is there, and as the caller promises.
        unsafe { self.moved(self.0.fnReceive.unwrap_unchecked(), data, length) }
    }

    pub(crate) fn close(self) {
        // SAFETY: `new` has seen that it is there; the firmware's function, with its own context.
        unsafe { self.0.fnClose.unwrap_unchecked()(self.0.ptrContext) }
    }

    pub(crate) fn milliseconds(self) -> u32 {
        // SAFETY: `new` has seen that it is there; the firmware's function, with its own context.
        (unsafe { self.0.fnMilliseconds.unwrap_unchecked()(self.0.ptrContext) }) as u32
    }

    /// Four random bytes; where the firmware has none, what the clock gives, spread over all bits.
    pub(crate) fn random(self) -> u32 {
        let mut bytes = self.milliseconds().wrapping_mul(0x9e37_79b1).to_ne_bytes();
        if let Some(random) = self.0.fnRandom {
            // SAFETY: a valid range. A failure leaves the clock.
            let _ = unsafe { self.moved(random, bytes.as_mut_ptr(), bytes.len()) };
        }
        u32::from_ne_bytes(bytes)
    }

    /// Fills in random bytes. Returns whether the firmware has given them.
    #[cfg(feature = "tls")]
    pub(crate) fn fill_random(self, bytes: &mut [u8]) -> bool {
        // SAFETY: a valid range.
        self.0.fnRandom.is_some_and(|random| unsafe { self.moved(random, bytes.as_mut_ptr(), bytes.len()) } >= 0)
    }

    /// Whether there are random bytes.
    #[cfg(feature = "tls")]
    pub(crate) fn has_random(self) -> bool {
        self.0.fnRandom.is_some()
    }

    /// Seconds since 1970; `None`: there is no such clock.
    #[cfg(feature = "tls")]
    pub(crate) fn unix_time(self) -> Option<u32> {
        // SAFETY: the firmware's function, with its own context.
        self.0.fnUnixTime.map(|unix_time| (unsafe { unix_time(self.0.ptrContext) }) as u32)
    }

    /// # Safety
    /// `text` is terminated by a zero.
    pub(crate) unsafe fn print(self, text: *const c_char) {
        if let Some(print) = self.0.fnPrint {
            // SAFETY: the firmware's function, with its own context and the caller's text.
            unsafe { print(self.0.ptrContext, text) }
        }
    }

    pub(crate) fn wake(self) {
        if let Some(wake) = self.0.fnWake {
            // SAFETY: the firmware's function, with its own context.
            unsafe { wake(self.0.ptrContext) }
        }
    }
}

unsafe extern "C" {
    /// Of the firmware: keeps out everything that calls the library, and returns the state before. Nests, and may be called from
    /// interrupts. Never held across a callback, a function of the platform or the copy of a payload.
    fn fnEnterMQTT_critical() -> c_ulong;
    /// Of the firmware: restores the state that the matching call of fnEnterMQTT_critical returned.
    fn fnExitMQTT_critical(ulState: c_ulong);
    /// Of the firmware, needed by an archive with secure connections alone: the library has found itself in a state that cannot be.
    /// Must not return: it stops the firmware, or resets it.
    #[cfg_attr(not(panic = "abort"), expect(dead_code, reason = "the test harness panics by itself"))]
    pub(crate) fn fnPanicMQTT() -> !;
}

struct Firmware;
critical_section::set_impl!(Firmware);

// SAFETY: the firmware promises that nothing that calls the library runs between the two functions, and that they nest.
unsafe impl critical_section::Impl for Firmware {
    unsafe fn acquire() -> critical_section::RawRestoreState {
        // SAFETY: always callable.
        (unsafe { fnEnterMQTT_critical() }) as critical_section::RawRestoreState
    }

    unsafe fn release(state: critical_section::RawRestoreState) {
        // SAFETY: `state` is what the matching call of `acquire` returned.
        unsafe { fnExitMQTT_critical(state as c_ulong) }
    }
}
