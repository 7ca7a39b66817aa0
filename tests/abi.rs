//! The C border, called as C calls it, in this process: every function, every number, every error, in every state.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

// Links the library.
use utasker_mqtt as _;

mod abi {
    mod c;
    mod client;
    mod world;

    mod connecting;
    mod contexts;
    mod events;
    mod layout;
    mod platforms;
    mod publishing;
    mod requests;
}
