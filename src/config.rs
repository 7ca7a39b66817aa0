//! The constants that `build.rs` took from the firmware's configuration, and what the build leaves out.

include!(concat!(env!("OUT_DIR"), "/config.rs"));

/// Whether payloads can be asked for piece by piece.
pub const STREAM: bool = cfg!(feature = "stream");
/// Whether a new attempt can follow when a connection has ended.
pub const RECONNECT: bool = cfg!(feature = "reconnect");
/// Whether MQTT 3.1 can be spoken.
pub const MQTT_3_1: bool = cfg!(feature = "mqtt-3-1");
