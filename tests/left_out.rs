//! What a build leaves out is answered so, and what it does not leave out is not.

mod support;

use std::ffi::{c_char, c_int, c_uchar, c_ulong, c_ushort, c_void};
use std::ptr::null;
use utasker_mqtt::ffi::{
    ERROR_MQTT_NOT_SUPPORTED, MQTT_CONNECT_FLAG_CLEAN_SESSION, MQTT_CONNECT_VERSION_3_1, MQTT_OPTIONS, fnConnectMQTT, fnDisconnectMQTT,
    fnPublishMQTT_stream, fnSetMQTT_options, fnSetMQTT_platform,
};
use utasker_mqtt::platform::MQTT_PLATFORM;

const NOT_READY: c_int = -1;

unsafe extern "C" fn open(_: *mut c_void, _: *const c_uchar, _: c_uchar, _: c_ushort) -> c_int {
    0
}

unsafe extern "C" fn send(_: *mut c_void, _: *const c_uchar, _: c_ushort) -> c_int {
    0
}

unsafe extern "C" fn receive(_: *mut c_void, _: *mut c_uchar, _: c_ushort) -> c_int {
    0
}

unsafe extern "C" fn close(_: *mut c_void) {}

unsafe extern "C" fn milliseconds(_: *mut c_void) -> c_ulong {
    0
}

unsafe extern "C" fn callback(_: i8, _: *mut c_uchar, _: c_ulong, _: c_uchar) -> c_ushort {
    0
}

/// The platform, of which the context is never used.
struct Platform(MQTT_PLATFORM);

// SAFETY: nothing in it is changed.
unsafe impl Sync for Platform {}

static PLATFORM: Platform = Platform(MQTT_PLATFORM {
    ptrContext: std::ptr::null_mut(),
    fnOpen: Some(open),
    fnSend: Some(send),
    fnReceive: Some(receive),
    fnClose: Some(close),
    fnMilliseconds: Some(milliseconds),
    fnRandom: None,
    fnUnixTime: None,
    fnPrint: None,
    fnWake: None,
});

/// What a call is answered that is `otherwise` where its feature is in the build.
fn answer(feature: bool, otherwise: c_int) -> c_int {
    if feature { otherwise } else { ERROR_MQTT_NOT_SUPPORTED }
}

#[test]
fn what_is_left_out_is_not_supported() {
    let options = |seconds| MQTT_OPTIONS { usPort: 0, usKeepAliveSeconds: 0, usResponseSeconds: 0, usReconnectMinSeconds: seconds, usReconnectMaxSeconds: 0 };
    let topic: *const c_char = c"a".as_ptr();
    // SAFETY: all pointers are null, or to what is expected; the platform is static.
    unsafe {
        assert_eq!(fnSetMQTT_platform(&raw const PLATFORM.0), 0);
        assert_eq!(fnSetMQTT_options(&options(0)), 0);
        assert_eq!(fnSetMQTT_options(&options(1)), answer(cfg!(feature = "reconnect"), 0));
        assert_eq!(fnPublishMQTT_stream(0, topic, 0, 1), answer(cfg!(feature = "stream"), NOT_READY));
        let old = MQTT_CONNECT_FLAG_CLEAN_SESSION | MQTT_CONNECT_VERSION_3_1;
        let expected = answer(cfg!(feature = "mqtt-3-1"), 0);
        assert_eq!(fnConnectMQTT(null(), Some(callback), old), expected);
        assert_eq!(fnDisconnectMQTT(), if expected == 0 { 0 } else { NOT_READY }, "there is an attempt to end, or none");
    }
}
