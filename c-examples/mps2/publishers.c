#include "publishers.h"

#include "lwip/sys.h"

#include "fatal.h"
#include "utasker_mqtt.h"

#define IN_FLIGHT (MQTT_MAX_INFLIGHT + 1)       /* one may take the place of another whose end is about to be told */

typedef struct {
    const char *name;
    const char *topic;
    unsigned long unsent;               /* messages still to be published */
    unsigned long left;                 /* messages neither acknowledged nor failed */
    unsigned long acknowledged, failed;
    u32_t start;
    char payload[PUBLISHERS_MAX_LENGTH];
} PUBLISHER;

static struct {
    PUBLISHER publisher[PUBLISHERS];
    struct {
        unsigned short handle;          /* 0: free */
        PUBLISHER *owner;
    } in_flight[IN_FLIGHT];
    unsigned char qos;
    unsigned long count;
    unsigned short length;
    void (*report)(const char *name, unsigned long acknowledged, unsigned long failed, unsigned long milliseconds);
} publishers = {
    .publisher = {{.name = "a", .topic = "fw/a"}, {.name = "b", .topic = "fw/b"}}
};

static void remember(PUBLISHER *publisher, unsigned short handle)
{
    int i = 0;

    while (publishers.in_flight[i].handle != 0) {
        i++;
        ENSURE(i < IN_FLIGHT);
    }
    publishers.in_flight[i].handle = handle;
    publishers.in_flight[i].owner = publisher;
}

static PUBLISHER *forget(unsigned short handle)
{
    int i;

    for (i = 0; i < IN_FLIGHT; i++) {
        if (publishers.in_flight[i].handle == handle) {
            publishers.in_flight[i].handle = 0;
            return publishers.in_flight[i].owner;
        }
    }
    return 0;
}

static void write_number(char *payload, unsigned short length, unsigned long number)
{
    char digits[3 * sizeof number];
    int i = 0;
    unsigned short at = 0;

    do {
        digits[i++] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    while (i > 0 && at < length) {
        payload[at++] = digits[--i];
    }
    if (at < length) {
        payload[at++] = ' ';
    }
    for (; at < length; at++) {
        payload[at] = (char)('a' + at % 26);
    }
}

/* An acknowledgement can come before the publisher knows the handle: both are done under the lock. */
static int publish(PUBLISHER *publisher)
{
    int result;

    publishers_lock();
    result = fnPublishMQTT_data(0, publisher->topic, (signed char)publishers.qos, publisher->payload, publishers.length);
    if (result > 0) {
        remember(publisher, (unsigned short)result);
    }
    publishers_unlock();
    return result;
}

int publishers_publish(int index)
{
    PUBLISHER *publisher = &publishers.publisher[index];
    int result;

    if (publisher->unsent == 0) {
        return 0;
    }
    write_number(publisher->payload, publishers.length, publishers.count - publisher->unsent);
    result = publish(publisher);
    if (result > 0) {
        publisher->unsent--;
    }
    return result;
}

void publishers_set_report(void (*report)(const char *, unsigned long, unsigned long, unsigned long))
{
    publishers.report = report;
}

int publishers_start(unsigned char qos, unsigned long count, unsigned short length)
{
    int i;

    for (i = 0; i < PUBLISHERS; i++) {
        if (publishers.publisher[i].left != 0) {
            return -1;
        }
    }
    publishers.qos = qos;
    publishers.count = count;
    publishers.length = length;
    for (i = 0; i < PUBLISHERS; i++) {
        PUBLISHER *publisher = &publishers.publisher[i];

        publisher->unsent = count;
        publisher->left = count;
        publisher->acknowledged = 0;
        publisher->failed = 0;
        publisher->start = sys_now();
        publishers_wake(i);
    }
    return 0;
}

int publishers_event(unsigned short handle, int failed)
{
    PUBLISHER *publisher;
    int i;

    publishers_lock();
    publisher = forget(handle);
    publishers_unlock();
    for (i = 0; i < PUBLISHERS; i++) {
        publishers_wake(i);             /* whoever's it was, there is room now */
    }
    if (publisher == 0) {
        return 0;
    }
    *(failed ? &publisher->failed : &publisher->acknowledged) += 1;
    publisher->left--;
    if (publisher->left == 0) {
        publishers.report(publisher->name, publisher->acknowledged, publisher->failed, (unsigned long)(sys_now() - publisher->start));
    }
    return 1;
}
