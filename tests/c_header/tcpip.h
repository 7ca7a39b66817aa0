/* Stands in for the part of uTasker's tcpip.h that is about MQTT: the same names, numbers and types. */
#ifndef TCPIP_H
#define TCPIP_H

#define CHAR char

#define UNSECURE_MQTT_CONNECTION        0
#define SECURE_MQTT_CONNECTION          0x100
#define MQTT_CONNECT_FLAG_CLEAN_SESSION 0x02
#define MQTT_CONNECT_FLAG_WILL_FLAG     0x04
#define MQTT_CONNECT_FLAG_WILL_QOS_MASK 0x18
#define MQTT_CONNECT_FLAG_WILL_RETAIN   0x20
#define MQTT_CONNECT_FLAG_PASSWORD_FLAG 0x40
#define MQTT_CONNECT_FLAG_USER_NAME_FLAG 0x80

#define MQTT_SUBSCRIPTION_QoS_0         0
#define MQTT_SUBSCRIPTION_QoS_1         1
#define MQTT_SUBSCRIPTION_QoS_2         2

#define MQTT_PORT                       1883
#define MQTTS_PORT                      8883

#define MQTT_RESULT_OK                  0
#define ERROR_MQTT_NOT_READY            -1
#define ERROR_MQTT_IN_USE               -2
#define ERROR_MQTT_ARP_FAIL             -3
#define ERROR_MQTT_NO_SUBSCRIPTION_ENTRY -4
#define ERROR_MQTT_MISSING_TOPIC        -5
#define ERROR_MQTT_INVALID_SUBSCRIPTION -6

#define MQTT_CLIENT_IDENTIFIER          1
#define MQTT_WILL_TOPIC                 2
#define MQTT_WILL_MESSAGE               3
#define MQTT_USER_NAME                  4
#define MQTT_USER_PASSWORD              5
#define MQTT_CONNACK_RECEIVED           6
#define MQTT_SUBACK_RECEIVED            7
#define MQTT_UNSUBACK_RECEIVED          8
#define MQTT_PUBLISH_ACKNOWLEDGED       9
#define MQTT_PUBLISH_TOPIC              10
#define MQTT_PUBLISH_DATA               11
#define MQTT_TOPIC_MESSAGE              12
#define MQTT_CONNECTION_CLOSED          13
#define MQTT_HOST_CLOSED                14

#ifdef __cplusplus
extern "C" {
#endif

extern int fnConnectMQTT(unsigned char *ucIP, unsigned short (*fnCallback)(signed char, unsigned char *, unsigned long, unsigned char), unsigned long ulModeFlags);
extern int fnDisconnectMQTT(void);
extern int fnSubscribeMQTT(CHAR *ptrInput, unsigned char ucQoS);
extern int fnUnsubscribeMQTT(unsigned char ucSubscriptionRef);
extern int fnPublishMQTT(unsigned char ucTopicReference, CHAR *ptrTopic, signed char cQoS);
extern int fnShowMQTT_subscription(int iRef);

#ifdef __cplusplus
}
#endif

#endif
