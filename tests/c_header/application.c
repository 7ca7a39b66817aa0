/* Uses what a firmware uses, in C and in C++. Where TCPIP is defined, uTasker's header comes first. */
#ifdef TCPIP
#include "tcpip.h"
#endif
#include "utasker_mqtt.h"
#include "utasker_mqtt.h"

unsigned short fnCallback(signed char scEvent, unsigned char *ptrData, unsigned long ulLength, unsigned char ucSubscriptionRef);
int fnUseMQTT(const MQTT_PLATFORM *ptrPlatform, const MQTT_OPTIONS *ptrOptions, const MQTT_SECURITY *ptrSecurity);

unsigned short fnCallback(signed char scEvent, unsigned char *ptrData, unsigned long ulLength, unsigned char ucSubscriptionRef)
{
    MQTT_MESSAGE message;

    (void)ucSubscriptionRef;
    switch (scEvent) {
    case MQTT_CLIENT_IDENTIFIER:
        *ptrData = 'a';
        return (unsigned short)(ulLength > 0);
    case MQTT_TOPIC_MESSAGE_PART:
        return (unsigned short)fnGetMQTT_message(&message);
    case ERROR_MQTT_ARP_FAIL:
    case ERROR_MQTT_SECURITY:
    default:
        return 0;
    }
}

int fnUseMQTT(const MQTT_PLATFORM *ptrPlatform, const MQTT_OPTIONS *ptrOptions, const MQTT_SECURITY *ptrSecurity)
{
    static unsigned char ucIP[4] = {192, 168, 0, 1};
    static char cTopic[] = "a";
    MQTT_SUBSCRIPTION subscription;
    MQTT_CALLBACK callback = fnCallback;

    return fnSetMQTT_platform(ptrPlatform) + fnSetMQTT_options(ptrOptions) + fnSetMQTT_security(ptrSecurity)
        + fnConnectMQTT(ucIP, callback, UNSECURE_MQTT_CONNECTION | MQTT_CONNECT_FLAG_CLEAN_SESSION)
        + fnSubscribeMQTT(cTopic, MQTT_SUBSCRIPTION_QoS_1) + fnPublishMQTT(1, 0, -1)
        + fnPublishMQTT_data(0, "a", MQTT_PUBLISH_RETAIN, "b", 1) + fnPublishMQTT_stream(0, "a", 1, 100000)
        + fnShowMQTT_subscription(1) + fnGetMQTT_subscription(1, &subscription)
        + fnUnsubscribeMQTT(1) + fnDisconnectMQTT() + (int)fnPollMQTT();
}
