//! The C border: names, numbers, raw pointers and the one static. Thin: each function checks, converts, makes one safe call
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

use crate::platform::{Address, Platform};
use crate::session::Session;
use core::cell::Cell;

/// All that is behind the C border. The small fields come first, where a Cortex-M reaches them with short instructions.
#[repr(C)]
struct Client {
    border: Border,
    session: Session,
    address: Address,
    #[cfg(feature = "tls")]
    security: Cell<Option<crate::tls::Security>>,
}

/// What the session does not know of the firmware.
#[repr(C)]
struct Border {
    /// Of the critical section, while somebody is in it.
    state: Cell<critical_section::RestoreState>,
    platform: Cell<Option<Platform>>,
    callback: Cell<MQTT_CALLBACK>,
    /// The connection is, or will be, a secure one.
    #[cfg(feature = "tls")]
    secure: Cell<bool>,
}

impl Client {
    const fn new() -> Self {
        Self {
            border: Border {
                state: Cell::new(critical_section::RestoreState::invalid()),
                platform: Cell::new(None),
                callback: Cell::new(None),
                #[cfg(feature = "tls")]
                secure: Cell::new(false),
            },
            session: Session::new(),
            address: Address::new(),
            #[cfg(feature = "tls")]
            security: Cell::new(None),
        }
    }
}

/// What all contexts of the firmware share.
struct Shared<T>(T);

// SAFETY: it is only used inside the critical section, see `critical` and `Firmware`.
unsafe impl<T> Sync for Shared<T> {}

static CLIENT: Shared<Client> = Shared(Client::new());

/// Enters the critical section. Its state is kept where nobody else can use it meanwhile.
#[inline(always)]
fn enter() {
    // SAFETY: `leave` follows, with this state.
    CLIENT.0.border.state.set(unsafe { critical_section::acquire() });
}

/// Leaves the critical section.
fn leave() {
    // SAFETY: the state is that of the last `enter`.
    unsafe { critical_section::release(CLIENT.0.border.state.get()) };
}

/// Runs `work` where nothing else uses the client.
fn critical<R>(work: impl FnOnce(&Session) -> R) -> R {
    enter();
    let result = work(&CLIENT.0.session);
    leave();
    result
}
