//! Numbers and layouts. `c_header.rs` checks the header's structs with a C compiler.

use super::c;
use std::collections::BTreeMap;
use std::mem::{offset_of, size_of};

/// Every name that the design gives a number.
const NUMBERS: [(&str, i64); 78] = [
    ("UNSECURE_MQTT_CONNECTION", 0),
    ("SECURE_MQTT_CONNECTION", 0x100),
    ("MQTT_CONNECT_FLAG_CLEAN_SESSION", 0x02),
    ("MQTT_CONNECT_FLAG_WILL_FLAG", 0x04),
    ("MQTT_CONNECT_FLAG_WILL_QOS_MASK", 0x18),
    ("MQTT_CONNECT_FLAG_WILL_RETAIN", 0x20),
    ("MQTT_CONNECT_FLAG_PASSWORD_FLAG", 0x40),
    ("MQTT_CONNECT_FLAG_USER_NAME_FLAG", 0x80),
    ("MQTT_CONNECT_IPV6", 0x200),
    ("MQTT_CONNECT_VERSION_3_1", 0x400),
    ("MQTT_SUBSCRIPTION_QoS_0", 0),
    ("MQTT_SUBSCRIPTION_QoS_1", 1),
    ("MQTT_SUBSCRIPTION_QoS_2", 2),
    ("MQTT_PUBLISH_SUBSCRIPTION_QoS", 0x0f),
    ("MQTT_PUBLISH_RETAIN", 0x10),
    ("MQTT_PORT", 1883),
    ("MQTTS_PORT", 8883),
    ("MQTT_KEEPALIVE_OFF", 0xffff),
    ("MQTT_RESULT_OK", 0),
    ("ERROR_MQTT_NOT_READY", -1),
    ("ERROR_MQTT_IN_USE", -2),
    ("ERROR_MQTT_ARP_FAIL", -3),
    ("ERROR_MQTT_NO_SUBSCRIPTION_ENTRY", -4),
    ("ERROR_MQTT_MISSING_TOPIC", -5),
    ("ERROR_MQTT_INVALID_SUBSCRIPTION", -6),
    ("ERROR_MQTT_INVALID_ARGUMENT", -7),
    ("ERROR_MQTT_INVALID_TOPIC", -8),
    ("ERROR_MQTT_TOPIC_TOO_LONG", -9),
    ("ERROR_MQTT_MESSAGE_TOO_LONG", -10),
    ("ERROR_MQTT_BUSY", -11),
    ("ERROR_MQTT_NOT_SUPPORTED", -12),
    ("ERROR_MQTT_PROTOCOL", -13),
    ("ERROR_MQTT_TIMEOUT", -14),
    ("ERROR_MQTT_LINK", -15),
    ("ERROR_MQTT_SECURITY", -16),
    ("MQTT_SECURITY_UNKNOWN_AUTHORITY", 1),
    ("MQTT_SECURITY_WRONG_NAME", 2),
    ("MQTT_SECURITY_EXPIRED", 3),
    ("MQTT_SECURITY_NOT_YET_VALID", 4),
    ("MQTT_SECURITY_WRONG_USAGE", 5),
    ("MQTT_SECURITY_BAD_SIGNATURE", 6),
    ("MQTT_SECURITY_NO_CERTIFICATE", 7),
    ("MQTT_SECURITY_BAD_CERTIFICATE", 8),
    ("MQTT_SECURITY_RANDOM", 9),
    ("MQTT_SECURITY_RECORD_TOO_LARGE", 10),
    ("MQTT_SECURITY_PROTOCOL", 11),
    ("MQTT_SECURITY_ALERT", 256),
    ("MQTT_LINK_CLOSED", -1),
    ("MQTT_LINK_FAILED", -2),
    ("MQTT_LINK_UNREACHABLE", -3),
    ("MQTT_CLIENT_IDENTIFIER", 1),
    ("MQTT_WILL_TOPIC", 2),
    ("MQTT_WILL_MESSAGE", 3),
    ("MQTT_USER_NAME", 4),
    ("MQTT_USER_PASSWORD", 5),
    ("MQTT_CONNACK_RECEIVED", 6),
    ("MQTT_SUBACK_RECEIVED", 7),
    ("MQTT_UNSUBACK_RECEIVED", 8),
    ("MQTT_PUBLISH_ACKNOWLEDGED", 9),
    ("MQTT_PUBLISH_TOPIC", 10),
    ("MQTT_PUBLISH_DATA", 11),
    ("MQTT_TOPIC_MESSAGE", 12),
    ("MQTT_CONNECTION_CLOSED", 13),
    ("MQTT_HOST_CLOSED", 14),
    ("MQTT_CONNECTION_REFUSED", 15),
    ("MQTT_SUBSCRIPTION_REFUSED", 16),
    ("MQTT_TOPIC_MESSAGE_PART", 17),
    ("MQTT_RECONNECTING", 18),
    ("MQTT_PUBLISH_DATA_PART", 19),
    ("MQTT_PUBLISH_FAILED", 20),
    ("MQTT_KEEPALIVE_TIME_SECONDS", 300),
    ("MQTT_MAX_SUBSCRIPTIONS", 8),
    ("MQTT_MAX_TOPIC_LENGTH", 16),
    ("MQTT_RX_BUFFER_LENGTH", 1536),
    ("MQTT_TX_BUFFER_LENGTH", 2048),
    ("MQTT_PUBLISH_ROOM", 1400),
    ("MQTT_MAX_INFLIGHT", 8),
    ("MQTT_MAX_INCOMING_QoS2", 32),
];

/// The numbers that a header defines.
fn defined(header: &str) -> impl Iterator<Item = (&str, i64)> {
    header.lines().filter_map(|line| {
        let (name, value) = line.trim().strip_prefix("#define ")?.split_once(' ')?;
        Some((name, value.trim().parse().ok()?))
    })
}

#[test]
fn the_headers_define_the_numbers_of_the_design_and_no_others() {
    // target/<profile>/deps/abi-...: the second header lies where the archive does.
    let beside_archive = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("utasker_mqtt_config.h");
    let configured = std::fs::read_to_string(beside_archive).unwrap();
    let found: BTreeMap<_, _> = defined(include_str!("../../include/utasker_mqtt.h")).chain(defined(&configured)).collect();
    assert_eq!(found, NUMBERS.into_iter().collect());
}

#[test]
fn the_structs_of_the_library_are_those_of_the_design() {
    use utasker_mqtt::{ffi, platform};
    macro_rules! same {
        ($module:ident :: $name:ident { $($member:ident),* }) => {
            assert_eq!(size_of::<$module::$name>(), size_of::<c::$name>(), stringify!($name));
            $(assert_eq!(offset_of!($module::$name, $member), offset_of!(c::$name, $member), stringify!($name . $member));)*
        };
    }
    same!(platform::MQTT_PLATFORM { ptrContext, fnOpen, fnSend, fnReceive, fnClose, fnMilliseconds, fnRandom, fnUnixTime, fnPrint, fnWake });
    same!(ffi::MQTT_OPTIONS { usPort, usKeepAliveSeconds, usResponseSeconds, usReconnectMinSeconds, usReconnectMaxSeconds });
    same!(ffi::MQTT_SECURITY {
        ptrServerName, ptrAuthority, usAuthorityLength, ptrCertificate, usCertificateLength, ptrPrivateKey, usPrivateKeyLength,
        ptrKeyIdentity, usKeyIdentityLength, ptrKey, usKeyLength, ptrReceive, usReceiveLength, ptrTransmit, usTransmitLength
    });
    same!(ffi::MQTT_MESSAGE {
        ptrTopic, usTopicLength, usPacketIdentifier, usHandle, ucQoS, ucRetained, ucDuplicate, ulTotalLength, ulOffset
    });
    same!(ffi::MQTT_SUBSCRIPTION { ptrTopic, ucQoS, ucGranted });
}
