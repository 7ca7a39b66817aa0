//! The C border: names, numbers, raw pointers and the two statics. Thin: each function checks, converts, makes one safe call
//! and maps the result. `utasker.rs` is the part that μTasker has too, `additions.rs` what is new.
#![expect(non_camel_case_types, non_snake_case, non_upper_case_globals, reason = "matching C style, not Rust")]

mod additions;
mod calls;
mod firmware;
#[cfg(feature = "tls")]
mod secure;
mod utasker;

pub use additions::*;
pub use utasker::*;

use crate::platform::Platform;
use crate::session::Session;
use core::cell::Cell;

/// What the session does not know of the firmware.
struct Border {
    /// Of the critical section that the poll is in.
    state: Cell<critical_section::RestoreState>,
    platform: Cell<Option<Platform>>,
    callback: Cell<MQTT_CALLBACK>,
    /// The connection is, or will be, a secure one.
    #[cfg(feature = "tls")]
    secure: Cell<bool>,
    #[cfg(feature = "tls")]
    security: Cell<Option<crate::tls::Security>>,
}

/// What is behind the C border. Two statics, so that the session's fields are reached with short instructions.
struct Shared<T>(T);

// SAFETY: it is only used inside the critical section, see `critical` and `Firmware`.
unsafe impl<T> Sync for Shared<T> {}

static SESSION: Shared<Session> = Shared(Session::new());
static BORDER: Shared<Border> = Shared(Border {
    state: Cell::new(critical_section::RestoreState::invalid()),
    platform: Cell::new(None),
    callback: Cell::new(None),
    #[cfg(feature = "tls")]
    secure: Cell::new(false),
    #[cfg(feature = "tls")]
    security: Cell::new(None),
});

/// Runs `work` where nothing else uses the client.
fn critical<R>(work: impl FnOnce(&Session) -> R) -> R {
    critical_section::with(|_| work(&SESSION.0))
}
