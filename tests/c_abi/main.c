/* Calls every function of the library from C, watched by sanitizers where compiled with them. */
#include "memory.h"

#include <stdio.h>
#include <string.h>

static unsigned short identifier;       /* of the last packet that had one */

/* The broker acknowledges the next identifier, which stands at the end of these four bytes. */
static void acknowledge(const char *bytes)
{
    char packet[4];

    memcpy(packet, bytes, 3);
    packet[3] = (char)++identifier;
    receive(packet, sizeof packet);
}

static void before_platform(void)
{
    static const MQTT_OPTIONS options = {0};
    static const MQTT_PLATFORM incomplete = {0};
    MQTT_SUBSCRIPTION subscription;
    MQTT_MESSAGE message;

    CHECK(fnPollMQTT() == 0xffffffff);
    CHECK(fnConnectMQTT(0, callback, 0) == ERROR_MQTT_NOT_READY);
    CHECK(fnDisconnectMQTT() == ERROR_MQTT_NOT_READY);
    CHECK(fnSubscribeMQTT("a", 0) == ERROR_MQTT_NOT_READY);
    CHECK(fnUnsubscribeMQTT(1) == ERROR_MQTT_NOT_READY);
    CHECK(fnPublishMQTT(0, "a", 0) == ERROR_MQTT_NOT_READY);
    CHECK(fnPublishMQTT_data(0, "a", 0, "x", 1) == ERROR_MQTT_NOT_READY);
    CHECK(fnPublishMQTT_stream(0, "a", 0, 1) == ERROR_MQTT_NOT_READY);
    CHECK(fnShowMQTT_subscription(1) == ERROR_MQTT_NOT_READY);
    CHECK(fnGetMQTT_subscription(1, &subscription) == ERROR_MQTT_NOT_READY);
    CHECK(fnGetMQTT_message(&message) == ERROR_MQTT_NOT_READY);
    CHECK(fnSetMQTT_options(&options) == ERROR_MQTT_NOT_READY);
    CHECK(fnSetMQTT_platform(0) == ERROR_MQTT_INVALID_ARGUMENT);
    CHECK(fnSetMQTT_platform(&incomplete) == ERROR_MQTT_INVALID_ARGUMENT);
    CHECK(fnSetMQTT_platform(&platform) == 0);
}

static void connect_all_fields(void)
{
    static const unsigned char ipv6[16] = {0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    static const MQTT_OPTIONS options = {1884, 60, 0, 0, 0};
    const unsigned long flags = MQTT_CONNECT_FLAG_CLEAN_SESSION | MQTT_CONNECT_FLAG_WILL_FLAG | 0x10 | MQTT_CONNECT_FLAG_WILL_RETAIN
        | MQTT_CONNECT_FLAG_USER_NAME_FLAG | MQTT_CONNECT_FLAG_PASSWORD_FLAG | MQTT_CONNECT_IPV6;

    CHECK(fnSetMQTT_options(0) == ERROR_MQTT_INVALID_ARGUMENT);
    CHECK(fnSetMQTT_options(&options) == 0);
    CHECK(fnSetMQTT_security(0) < 0);
    CHECK(fnConnectMQTT(ipv6, 0, flags) == ERROR_MQTT_INVALID_ARGUMENT);
    CHECK(fnConnectMQTT(ipv6, callback, flags | 1) == ERROR_MQTT_INVALID_ARGUMENT);
    CHECK(fnConnectMQTT(ipv6, callback, SECURE_MQTT_CONNECTION) < 0);
    CHECK(fnConnectMQTT(ipv6, callback, flags) == 0);
    CHECK(fnConnectMQTT(ipv6, callback, flags) == ERROR_MQTT_IN_USE);
    poll_all();
    CHECK(opened_length == 16 && memcmp(opened_address, ipv6, 16) == 0 && opened_port == 1884);
    expect(MQTT_CLIENT_IDENTIFIER);
    expect(MQTT_WILL_TOPIC);
    expect(MQTT_WILL_MESSAGE);
    expect(MQTT_USER_NAME);
    expect(MQTT_USER_PASSWORD);
    EXPECT_SENT("\x10\x1e\0\4MQTT\4\xf6\0\x3c\0\1C\0\1w\0\0\0\4user\0\4pass");
    expect_nothing();
    RECEIVE("\x20\2\0\5");
    CHECK(expect(MQTT_CONNECTION_REFUSED)->length == 5);
    expect(MQTT_CONNECTION_CLOSED);
    expect_nothing();
}

static void connect_to_own_broker(void)
{
    CHECK(fnConnectMQTT(0, callback, MQTT_CONNECT_FLAG_CLEAN_SESSION) == 0);
    poll_all();
    CHECK(opened_length == 0);
    RECEIVE("\x20\2\0\0");
    expect(MQTT_CLIENT_IDENTIFIER);
    CHECK(!expect(MQTT_CONNACK_RECEIVED)->has_data);
    EXPECT_SENT("\x10\x0d\0\4MQTT\4\2\0\x3c\0\1C");
    expect_nothing();
}

static void subscribe_and_unsubscribe(void)
{
    char longest[MQTT_MAX_TOPIC_LENGTH + 2];
    MQTT_SUBSCRIPTION subscription;
    int reference;

    memset(longest, 'l', sizeof longest);
    longest[MQTT_MAX_TOPIC_LENGTH + 1] = '\0';
    CHECK(fnSubscribeMQTT(longest, 0) == ERROR_MQTT_TOPIC_TOO_LONG);
    CHECK(fnSubscribeMQTT("", 0) == ERROR_MQTT_MISSING_TOPIC);
    CHECK(fnSubscribeMQTT("#a", 0) == ERROR_MQTT_INVALID_TOPIC);
    longest[MQTT_MAX_TOPIC_LENGTH] = '\0';
    for (reference = 1; reference <= MQTT_MAX_SUBSCRIPTIONS; reference++) {
        CHECK(fnSubscribeMQTT((reference == 1) ? "a" : longest, 2) == reference);
    }
    CHECK(fnSubscribeMQTT("a", 0) == ERROR_MQTT_NO_SUBSCRIPTION_ENTRY);
    poll_all();
    EXPECT_SENT("\x82\6\0\1\0\1a\2");
    for (reference = 2; reference <= MQTT_MAX_SUBSCRIPTIONS; reference++) {
        EXPECT_SENT("\x82?\0?\0?");
        expect_sent(longest, MQTT_MAX_TOPIC_LENGTH);
        EXPECT_SENT("\2");
    }
    RECEIVE("\x90\3\0\1\1");
    CHECK(expect(MQTT_SUBACK_RECEIVED)->length == 1);
    for (reference = 2; reference <= MQTT_MAX_SUBSCRIPTIONS; reference++) {
        const char answer[] = {'\x90', 3, 0, (char)reference, 0};
        receive(answer, sizeof answer);
        CHECK(expect(MQTT_SUBACK_RECEIVED)->reference == reference);
    }
    expect_nothing();
    CHECK(fnGetMQTT_subscription(1, 0) == ERROR_MQTT_INVALID_ARGUMENT);
    CHECK(fnGetMQTT_subscription(1, &subscription) == 0);
    CHECK(strcmp(subscription.ptrTopic, "a") == 0 && subscription.ucQoS == 2 && subscription.ucGranted == 1);
    CHECK(fnGetMQTT_subscription(MQTT_MAX_SUBSCRIPTIONS, &subscription) == 0);
    CHECK(MQTT_MAX_SUBSCRIPTIONS == 1 || strcmp(subscription.ptrTopic, longest) == 0);
    CHECK(fnGetMQTT_subscription(MQTT_MAX_SUBSCRIPTIONS + 1, &subscription) == ERROR_MQTT_INVALID_SUBSCRIPTION);
    CHECK(fnShowMQTT_subscription(1) == 0);
    CHECK(strcmp(printed, "Reference:1 QoS:2 Topic:a\r\n") == 0);
    CHECK(fnShowMQTT_subscription(0) == ERROR_MQTT_INVALID_SUBSCRIPTION);
    CHECK(fnUnsubscribeMQTT(0) == ERROR_MQTT_INVALID_SUBSCRIPTION);
    CHECK(fnUnsubscribeMQTT(1) == 0);
    poll_all();
    EXPECT_SENT("\xa2\5\0?\0\1a");
    CHECK(fnUnsubscribeMQTT(1) == ERROR_MQTT_NO_SUBSCRIPTION_ENTRY);
    identifier = MQTT_MAX_SUBSCRIPTIONS;
    acknowledge("\xb0\2\0?");
    CHECK(expect(MQTT_UNSUBACK_RECEIVED)->reference == 1);
    expect_nothing();
}

static void publish(void)
{
    char longest[MQTT_TX_BUFFER_LENGTH + 1];
    char payload[] = "payload";
    const EVENT *event;
    unsigned long offset;
    unsigned long i;
    int handle;

    memset(longest, 'l', sizeof longest);
    longest[MQTT_TX_BUFFER_LENGTH] = '\0';
    CHECK(fnPublishMQTT(0, longest, 0) == ERROR_MQTT_TOPIC_TOO_LONG);
    CHECK(fnPublishMQTT(0, "#", 0) == ERROR_MQTT_INVALID_TOPIC);
    CHECK(fnPublishMQTT(0, "a", 0x20) == ERROR_MQTT_INVALID_ARGUMENT);
    CHECK(fnPublishMQTT_data(0, "a", 0, longest, 65535) == ERROR_MQTT_MESSAGE_TOO_LONG);
    CHECK(fnPublishMQTT_data(0, "a", 0, 0, 1) == ERROR_MQTT_INVALID_ARGUMENT);
    CHECK(fnPublishMQTT_stream(0, "a", 0, 0x10000000) == ERROR_MQTT_MESSAGE_TOO_LONG);

    CHECK(fnPublishMQTT(0, "b", MQTT_PUBLISH_RETAIN) == 0);
    poll_all();
    expect(MQTT_PUBLISH_DATA);
    expect(MQTT_PUBLISH_ACKNOWLEDGED);
    EXPECT_SENT("\x31\7\0\1bdata");
    expect_nothing();
    CHECK(fnPublishMQTT(0, 0, 0) == 0);
    poll_all();
    expect(MQTT_PUBLISH_TOPIC);
    expect(MQTT_PUBLISH_DATA);
    expect(MQTT_PUBLISH_ACKNOWLEDGED);
    EXPECT_SENT("\x30\x0b\0\5askeddata");
    expect_nothing();

    handle = fnPublishMQTT_data(0, "b", 1, payload, 7);
    CHECK(handle > 0);
    memset(payload, 0, sizeof payload);
    poll_all();
    EXPECT_SENT("\x32\x0c\0\1b\0?payload");
    acknowledge("\x40\2\0?");
    event = expect(MQTT_PUBLISH_ACKNOWLEDGED);
    CHECK(event->length == 1 && event->message_result == 0 && event->message.usHandle == handle && event->message.ucQoS == 1);
    CHECK(event->message.usPacketIdentifier == identifier && event->message.ulTotalLength == 7);
    expect_nothing();

    handle = fnPublishMQTT_stream(0, "b", 2, 5000);
    CHECK(handle > 0);
    poll_all();
    EXPECT_SENT("\x34\x8d\x27\0\1b\0?");
    for (offset = 0; offset < 5000; offset += event->length) {
        event = expect(MQTT_PUBLISH_DATA_PART);
        CHECK(event->message_result == 0 && event->message.ulOffset == offset && event->message.ulTotalLength == 5000);
        EXPECT_SENT("s");
        for (i = 1; i < event->length; i++) {
            EXPECT_SENT("s");
        }
    }
    acknowledge("\x50\2\0?");
    EXPECT_SENT("\x62\2\0?");
    identifier--;
    acknowledge("\x70\2\0?");
    CHECK(expect(MQTT_PUBLISH_ACKNOWLEDGED)->message.usHandle == handle);
    expect_nothing();
}

static void get_messages(void)
{
    char large[MQTT_RX_BUFFER_LENGTH + 2000];
    unsigned long length = sizeof large - 5;
    unsigned long offset;
    const EVENT *event;

    RECEIVE("\x33\6\0\1c\0\7m");
    EXPECT_SENT("\x40\2\0\7");
    event = expect(MQTT_TOPIC_MESSAGE);
    CHECK(event->length == 1 && event->has_data && event->reference == 0 && event->message_result == 0);
    CHECK(event->message.usTopicLength == 1 && event->message.usPacketIdentifier == 7 && event->message.ucQoS == 1);
    CHECK(event->message.ucRetained == 1 && event->message.ucDuplicate == 0 && event->message.ulTotalLength == 1);
    expect_nothing();

    memset(large, 'm', sizeof large);
    large[0] = 0x30;
    large[1] = (char)(0x80 | ((length + 2) & 0x7f));
    large[2] = (char)((length + 2) >> 7);
    CHECK(length + 2 < 0x4000);
    large[3] = 0;
    large[4] = 0;                       /* a topic of no length breaks the protocol */
    receive(large, sizeof large);
    expect(ERROR_MQTT_PROTOCOL);
    expect(MQTT_CONNECTION_CLOSED);
    connect_to_own_broker();
    large[4] = 1;                       /* the first byte of what was the payload */
    receive(large, sizeof large);
    length--;
    for (offset = 0; offset < length; offset += event->length) {
        event = expect(MQTT_TOPIC_MESSAGE_PART);
        CHECK(event->message_result == 0 && event->message.ulOffset == offset && event->message.ulTotalLength == length);
        CHECK(event->has_data && event->length > 0 && event->message.ptrTopic != 0 && event->message.usTopicLength == 1);
    }
    expect_nothing();
}

static void end(void)
{
    CHECK(fnPublishMQTT_data(0, "a", 1, "x", 1) > 0);
    lose_link(MQTT_LINK_FAILED);
    EXPECT_SENT("\x32\6\0\1a\0?x");
    expect(ERROR_MQTT_LINK);
    CHECK(expect(MQTT_PUBLISH_FAILED)->length == 1);
    expect(MQTT_HOST_CLOSED);
    connect_to_own_broker();
    CHECK(fnDisconnectMQTT() == 0);
    CHECK(fnDisconnectMQTT() == ERROR_MQTT_NOT_READY);
    poll_all();
    EXPECT_SENT("\xe0\0");
    lose_link(MQTT_LINK_CLOSED);
    expect(MQTT_CONNECTION_CLOSED);
    expect_nothing();
    CHECK(opened == closed);
    CHECK(fnPollMQTT() == 0xffffffff);
}

int main(void)
{
    before_platform();
    connect_all_fields();
    connect_to_own_broker();
    subscribe_and_unsubscribe();
    publish();
    get_messages();
    end();
    puts("every function was called");
    return 0;
}
