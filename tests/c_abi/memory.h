/* A platform in memory, a callback that notes what it is told, and the broker's side of the link. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stddef.h>

#include "utasker_mqtt.h"

#define CHECK(condition) check((condition) != 0, #condition, __FILE__, __LINE__)

typedef struct {
    signed char event;
    unsigned long length;
    unsigned char reference;
    int has_data;
    int message_result;
    MQTT_MESSAGE message;
} EVENT;

extern const MQTT_PLATFORM platform;
extern char printed[300];               /* by fnPrint, one behind the other */
extern unsigned long opened;
extern unsigned long closed;
extern unsigned char opened_address[16];
extern unsigned char opened_length;
extern unsigned short opened_port;

void check(int is_true, const char *condition, const char *file, int line);

unsigned short callback(signed char scEvent, unsigned char *ptrData, unsigned long ulLength, unsigned char ucSubscriptionRef);

/* Polls until nothing is to be done at once. */
void poll_all(void);

/* The broker sends these bytes. */
void receive(const char *bytes, size_t length);
#define RECEIVE(literal) receive(literal, sizeof literal - 1)

/* The link fails with this result. */
void lose_link(int result);

/* The next event must be this one. */
const EVENT *expect(int event);

/* There must not be another. */
void expect_nothing(void);

/* The next bytes sent must be these; ? stands for any. */
void expect_sent(const char *bytes, size_t length);
#define EXPECT_SENT(literal) expect_sent(literal, sizeof literal - 1)

#endif
