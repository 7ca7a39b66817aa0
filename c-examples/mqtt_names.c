#include "mqtt_names.h"

#include "utasker_mqtt.h"

const char *mqtt_result_name(int result)
{
    switch (result) {
    case MQTT_RESULT_OK:
        return "MQTT_RESULT_OK";
    case ERROR_MQTT_NOT_READY:
        return "ERROR_MQTT_NOT_READY (not connected; or a secure connection without certificates or key)";
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
        return "ERROR_MQTT_LINK (the link was refused, reset, or timed out)";
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

const char *mqtt_security_name(unsigned long reason)
{
    switch (reason) {
    case MQTT_SECURITY_UNKNOWN_AUTHORITY:
        return "no trusted authority stands for the broker's certificate";
    case MQTT_SECURITY_WRONG_NAME:
        return "the broker's certificate is for another name";
    case MQTT_SECURITY_EXPIRED:
        return "the broker's certificate has expired";
    case MQTT_SECURITY_NOT_YET_VALID:
        return "the broker's certificate is not valid yet, or the clock is not set";
    case MQTT_SECURITY_WRONG_USAGE:
        return "the broker's certificate is not one of a server, or one of its authorities is none";
    case MQTT_SECURITY_BAD_SIGNATURE:
        return "a signature is wrong";
    case MQTT_SECURITY_NO_CERTIFICATE:
        return "the broker has not proved who it is";
    case MQTT_SECURITY_BAD_CERTIFICATE:
        return "the broker's certificate is malformed, or of a kind that this build does not know";
    case MQTT_SECURITY_RANDOM:
        return "there are no random numbers";
    case MQTT_SECURITY_RECORD_TOO_LARGE:
        return "the broker sends more at once than the buffer holds";
    case MQTT_SECURITY_PROTOCOL:
        return "the broker broke the TLS protocol, or does not speak it as this client does";
    case MQTT_SECURITY_ALERT + 40:
        return "the broker has no pre-shared key, or no cryptography, in common with us";
    case MQTT_SECURITY_ALERT + 42:
    case MQTT_SECURITY_ALERT + 43:
    case MQTT_SECURITY_ALERT + 46:
        return "the broker does not accept our certificate";
    case MQTT_SECURITY_ALERT + 44:
        return "our certificate has been revoked";
    case MQTT_SECURITY_ALERT + 45:
        return "our certificate has expired";
    case MQTT_SECURITY_ALERT + 47:
        return "the broker does not accept our handshake: a pre-shared key may be another than its own";
    case MQTT_SECURITY_ALERT + 48:
        return "the broker does not know the authority of our certificate";
    case MQTT_SECURITY_ALERT + 49:
        return "the broker denies us access";
    case MQTT_SECURITY_ALERT + 51:
        return "the broker cannot verify what we have sent";
    case MQTT_SECURITY_ALERT + 70:
        return "the broker does not speak TLS 1.3";
    case MQTT_SECURITY_ALERT + 112:
        return "the broker does not know the name that it was called by";
    case MQTT_SECURITY_ALERT + 115:
        return "the broker does not know our pre-shared key";
    case MQTT_SECURITY_ALERT + 116:
        return "the broker wants a client certificate";
    case MQTT_SECURITY_ALERT + 120:
        return "the broker does not speak MQTT at this port";
    default:
        return (reason > MQTT_SECURITY_ALERT) ? "the broker has ended the connection with an alert" : "unknown reason";
    }
}
