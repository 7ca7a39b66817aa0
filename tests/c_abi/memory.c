#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_EVENTS 1000

static int context;
static int depth;                       /* of the critical section */
static unsigned char incoming[9000];
static size_t incoming_length;
static int lost;
static unsigned char sent[9000];
static size_t sent_length;
static EVENT events[MAX_EVENTS];
static size_t event_count;
static size_t event_read;

char printed[300];
unsigned long opened;
unsigned long closed;
unsigned char opened_address[16];
unsigned char opened_length;
unsigned short opened_port;

void check(int is_true, const char *condition, const char *file, int line)
{
    if (!is_true) {
        fprintf(stderr, "%s:%d: %s\n", file, line, condition);
        exit(1);
    }
}

unsigned long fnEnterMQTT_critical(void)
{
    return (unsigned long)depth++;
}

void fnExitMQTT_critical(unsigned long ulState)
{
    depth--;
    CHECK(ulState == (unsigned long)depth);
}

static void check_call(void *ptrContext)
{
    CHECK(ptrContext == &context);
    CHECK(depth == 0);
}

static int memory_open(void *ptrContext, const unsigned char *ptrAddress, unsigned char ucAddressLength, unsigned short usPort)
{
    check_call(ptrContext);
    CHECK(ucAddressLength <= sizeof opened_address);
    memcpy(opened_address, ptrAddress, ucAddressLength);
    opened_length = ucAddressLength;
    opened_port = usPort;
    opened++;
    incoming_length = 0;
    return 0;
}

static int memory_send(void *ptrContext, const unsigned char *ptrData, unsigned short usLength)
{
    check_call(ptrContext);
    CHECK(usLength <= sizeof sent - sent_length);
    memcpy(sent + sent_length, ptrData, usLength);
    sent_length += usLength;
    return usLength;
}

static int memory_receive(void *ptrContext, unsigned char *ptrData, unsigned short usLength)
{
    size_t given = (usLength < incoming_length) ? usLength : incoming_length;

    check_call(ptrContext);
    if (given == 0) {
        return lost;
    }
    memcpy(ptrData, incoming, given);
    incoming_length -= given;
    memmove(incoming, incoming + given, incoming_length);
    return (int)given;
}

static void memory_close(void *ptrContext)
{
    check_call(ptrContext);
    closed++;
}

static unsigned long memory_milliseconds(void *ptrContext)
{
    check_call(ptrContext);
    return 0xfffffff0;
}

static int memory_random(void *ptrContext, unsigned char *ptrData, unsigned short usLength)
{
    check_call(ptrContext);
    memset(ptrData, 0x11, usLength);
    return 0;
}

static void memory_print(void *ptrContext, const char *ptrText)
{
    check_call(ptrContext);
    CHECK(strlen(printed) + strlen(ptrText) < sizeof printed);
    strcat(printed, ptrText);
}

static void memory_wake(void *ptrContext)
{
    check_call(ptrContext);
}

const MQTT_PLATFORM platform = {
    &context, memory_open, memory_send, memory_receive, memory_close, memory_milliseconds, memory_random, 0, memory_print, memory_wake
};

static unsigned short answer(unsigned char *ptrData, unsigned long ulLength, const char *text)
{
    CHECK(ptrData != 0 && strlen(text) <= ulLength);
    memcpy(ptrData, text, strlen(text));
    return (unsigned short)strlen(text);
}

unsigned short callback(signed char scEvent, unsigned char *ptrData, unsigned long ulLength, unsigned char ucSubscriptionRef)
{
    EVENT *event = events + event_count++;

    CHECK(depth == 0);
    CHECK(event_count <= MAX_EVENTS);
    CHECK(fnPollMQTT() == 0xffffffff);
    event->event = scEvent;
    event->length = ulLength;
    event->reference = ucSubscriptionRef;
    event->has_data = (ptrData != 0);
    event->message_result = fnGetMQTT_message(&event->message);
    switch (scEvent) {
    case MQTT_CLIENT_IDENTIFIER:
        return answer(ptrData, ulLength, "C");
    case MQTT_WILL_TOPIC:
        return answer(ptrData, ulLength, "w");
    case MQTT_WILL_MESSAGE:
        return answer(ptrData, ulLength, "");
    case MQTT_USER_NAME:
        return answer(ptrData, ulLength, "user");
    case MQTT_USER_PASSWORD:
        return answer(ptrData, ulLength, "pass");
    case MQTT_PUBLISH_TOPIC:
        return answer(ptrData, ulLength, "asked");
    case MQTT_PUBLISH_DATA:
        CHECK(ulLength == MQTT_PUBLISH_ROOM);
        memset(ptrData, 'd', ulLength);     /* all of it may be written */
        return answer(ptrData, ulLength, "data");
    case MQTT_PUBLISH_DATA_PART:
        memset(ptrData, 's', ulLength);
        return (unsigned short)ulLength;
    case MQTT_TOPIC_MESSAGE:
    case MQTT_TOPIC_MESSAGE_PART:
        CHECK(ulLength == 0 || ptrData[0] == ptrData[ulLength - 1]);
        break;
    }
    return 0;
}

void poll_all(void)
{
    while (fnPollMQTT() == 0) {
    }
}

void receive(const char *bytes, size_t length)
{
    CHECK(length <= sizeof incoming - incoming_length);
    memcpy(incoming + incoming_length, bytes, length);
    incoming_length += length;
    poll_all();
}

void lose_link(int result)
{
    lost = result;
    poll_all();
    lost = 0;
}

const EVENT *expect(int event)
{
    if (event_read == event_count || events[event_read].event != event) {
        fprintf(stderr, "event %d instead of %d\n", (event_read == event_count) ? 0 : events[event_read].event, event);
        exit(1);
    }
    return events + event_read++;
}

void expect_nothing(void)
{
    CHECK(event_read == event_count);
    CHECK(sent_length == 0);
    event_count = 0;
    event_read = 0;
}

void expect_sent(const char *bytes, size_t length)
{
    size_t i;

    CHECK(length <= sent_length);
    for (i = 0; i < length; i++) {
        if (bytes[i] != '?' && sent[i] != (unsigned char)bytes[i]) {
            fprintf(stderr, "byte %u sent is %02x instead of %02x\n", (unsigned)i, sent[i], (unsigned char)bytes[i]);
            exit(1);
        }
    }
    sent_length -= length;
    memmove(sent, sent + length, sent_length);
}
