#include "mqtt_names.h"

#include "utasker_mqtt.h"

const char *mqtt_result_name(int result)
{
    switch (result) {
    case MQTT_RESULT_OK:
        return "MQTT_RESULT_OK";
    case ERROR_MQTT_NOT_READY:
        return "ERROR_MQTT_NOT_READY (not connected)";
    case ERROR_MQTT_IN_USE:
        return "ERROR_MQTT_IN_USE (connected already)";
    case ERROR_MQTT_ARP_FAIL:
        return "ERROR_MQTT_ARP_FAIL (the broker cannot be reached)";
    case ERROR_MQTT_NO_SUBSCRIPTION_ENTRY:
        return "ERROR_MQTT_NO_SUBSCRIPTION_ENTRY (no such subscription, or none left)";
    case ERROR_MQTT_MISSING_TOPIC:
        return "ERROR_MQTT_MISSING_TOPIC (no topic)";
    case ERROR_MQTT_INVALID_SUBSCRIPTION:
        return "ERROR_MQTT_INVALID_SUBSCRIPTION (no such reference)";
    case ERROR_MQTT_INVALID_ARGUMENT:
        return "ERROR_MQTT_INVALID_ARGUMENT (invalid argument)";
    case ERROR_MQTT_INVALID_TOPIC:
        return "ERROR_MQTT_INVALID_TOPIC (not a valid topic)";
    case ERROR_MQTT_TOPIC_TOO_LONG:
        return "ERROR_MQTT_TOPIC_TOO_LONG (topic too long)";
    case ERROR_MQTT_MESSAGE_TOO_LONG:
        return "ERROR_MQTT_MESSAGE_TOO_LONG (message too long)";
    case ERROR_MQTT_BUSY:
        return "ERROR_MQTT_BUSY (no room now)";
    case ERROR_MQTT_NOT_SUPPORTED:
        return "ERROR_MQTT_NOT_SUPPORTED (not in this build)";
    case ERROR_MQTT_PROTOCOL:
        return "ERROR_MQTT_PROTOCOL (the broker broke the protocol)";
    case ERROR_MQTT_TIMEOUT:
        return "ERROR_MQTT_TIMEOUT (the broker did not answer in time)";
    case ERROR_MQTT_LINK:
        return "ERROR_MQTT_LINK (the link was reset)";
    case ERROR_MQTT_SECURITY:
        return "ERROR_MQTT_SECURITY (a security check failed)";
    default:
        return "unknown result";
    }
}

const char *mqtt_refusal_name(unsigned long return_code)
{
    switch (return_code) {
    case 1:
        return "unacceptable protocol version";
    case 2:
        return "client identifier rejected";
    case 3:
        return "server unavailable";
    case 4:
        return "bad user name or password";
    case 5:
        return "not authorised";
    default:
        return "unknown return code";
    }
}
