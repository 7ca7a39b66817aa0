//! The constants that `build.rs` took from the firmware's configuration.

include!(concat!(env!("OUT_DIR"), "/config.rs"));
