//! MQTT 3.1.1 client for microcontrollers: a `no_std` core behind the C names of the μTasker MQTT API.
#![no_std]
#![deny(missing_docs, unsafe_op_in_unsafe_fn)]
#![deny(clippy::undocumented_unsafe_blocks, clippy::allow_attributes_without_reason)]
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::new_without_default, reason = "the initial values are constants")]
#![allow(clippy::precedence, reason = "shifts bind as in C")]
#![allow(clippy::explicit_counter_loop, clippy::manual_range_contains, reason = "the smaller code")]

/// Declares modules that are the crate's own matter, so that the compiler can leave out and merge what the C functions do not need; only
/// the tests, whose harness unwinds, see into them.
macro_rules! inside {
    ($($(#[$attribute:meta])* $module:ident)*) => { $(
        $(#[$attribute])*
        #[cfg(panic = "abort")]
        mod $module;
        $(#[$attribute])*
        #[cfg(not(panic = "abort"))]
        pub mod $module;
    )* };
}

// Each may use only those above it.
inside! { config error memory packet topic subscriptions outbox session #[cfg(feature = "tls")] tls }
pub mod platform;
pub mod ffi;

// The test harness unwinds and brings its own panic handler.
#[cfg(not(panic = "abort"))]
extern crate std;

/// The plain build has no panic that can be reached: fnPanicMQTT of the firmware does not exist there, so that one would be
/// an error of the linker. GNU ld leaves out sections of this name, so that it is none where sections are not collected.
/// What TLS brings has panics that may be reached: there it does exist.
#[cfg(panic = "abort")]
#[panic_handler]
#[cfg_attr(all(not(feature = "tls"), any(target_os = "linux", target_os = "none")), unsafe(link_section = ".gnu.lto_panic"))]
fn panic(_: &core::panic::PanicInfo) -> ! {
    // SAFETY: always callable.
    unsafe { platform::fnPanicMQTT() }
}
