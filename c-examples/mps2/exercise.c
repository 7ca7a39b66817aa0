#include "exercise.h"

#include <stdlib.h>
#include <string.h>

#include "application.h"
#include "board.h"
#include "cli_internal.h"
#include "fatal.h"
#include "network.h"
#include "publishers.h"
#include "secure.h"
#include "utasker_mqtt.h"

#define FNV_START 2166136261u
#define FNV_PRIME 16777619u

static struct {
    unsigned long arrived;              /* messages */
    unsigned long bytes;
    unsigned long out_of_order;         /* whose number did not follow that of the message before */
    unsigned long next;                 /* expected number */
    unsigned long offset;               /* expected of the next part */
    uint32_t sum;                       /* FNV-1a of all bytes */
    int stream;                         /* handle, or 0 */
    volatile unsigned long to_interrupt;        /* publications that interrupts have still to make */
    unsigned long of_interrupts;        /* those of them that have not ended */
    signed char interrupt_qos;
    int connected_once;
    unsigned long turns;
} exercise;

static void account(const unsigned char *data, unsigned long length)
{
    unsigned long i;

    exercise.bytes += length;
    for (i = 0; i < length; i++) {
        exercise.sum = (exercise.sum ^ data[i]) * FNV_PRIME;
    }
}

static void account_start(const unsigned char *data, unsigned long length)
{
    unsigned long number = 0;
    unsigned long i;

    for (i = 0; i < length && data[i] >= '0' && data[i] <= '9'; i++) {
        number = 10 * number + (unsigned long)(data[i] - '0');
    }
    exercise.out_of_order += (number != exercise.next);
    exercise.next = number + 1;
    exercise.arrived++;
}

static void account_part(const unsigned char *data, unsigned long length)
{
    MQTT_MESSAGE message;

    fnGetMQTT_message(&message);
    if (message.ulOffset == 0) {
        account_start(data, length);
        exercise.offset = 0;
    }
    ENSURE(message.ulOffset == exercise.offset);
    exercise.offset += length;
    account(data, length);
}

static unsigned short answer_piece(unsigned char *data, unsigned long room)
{
    MQTT_MESSAGE message;
    unsigned long i;

    fnGetMQTT_message(&message);
    for (i = 0; i < room; i++) {
        unsigned long at = message.ulOffset + i;

        data[i] = (unsigned char)(at ^ at >> 8);
    }
    return (unsigned short)room;
}

/* 1 where the publication was none of the menu's. */
static int publication_ended(int failed, unsigned long qos)
{
    MQTT_MESSAGE message;

    fnGetMQTT_message(&message);
    if (message.usHandle == 0) {
        return 0;                       /* of fnPublishMQTT */
    }
    if (message.usHandle == exercise.stream) {
        exercise.stream = 0;
        cli_say_number(failed ? "stream failed - QoS" : "stream published - QoS", qos, "\r\n");
    }
    else if (!publishers_event(message.usHandle, failed)) {
        ENSURE(!failed && exercise.of_interrupts != 0);
        exercise.of_interrupts--;
        if (exercise.of_interrupts == 0) {
            cli_say_number("interrupts published - QoS", qos, "\r\n");
        }
    }
    return 1;
}

/* The linker puts this function before the menu's own callback (--wrap in the Makefile), which gets what belongs to the menu. */
unsigned short __real_cli_mqtt_callback(signed char scEvent, unsigned char *ptrData, unsigned long ulLength, unsigned char ucSubscriptionRef);
unsigned short __wrap_cli_mqtt_callback(signed char scEvent, unsigned char *ptrData, unsigned long ulLength, unsigned char ucSubscriptionRef);

unsigned short __wrap_cli_mqtt_callback(signed char scEvent, unsigned char *ptrData, unsigned long ulLength, unsigned char ucSubscriptionRef)
{
    switch (scEvent) {
    case MQTT_PUBLISH_DATA_PART:
        return answer_piece(ptrData, ulLength);
    case MQTT_PUBLISH_ACKNOWLEDGED:
    case MQTT_PUBLISH_FAILED:
        if (publication_ended(scEvent == MQTT_PUBLISH_FAILED, ulLength)) {
            return 0;
        }
        break;
    case MQTT_TOPIC_MESSAGE:
        account_start(ptrData, ulLength);
        account(ptrData, ulLength);
        break;
    case MQTT_TOPIC_MESSAGE_PART:
        account_part(ptrData, ulLength);
        break;
    case MQTT_CONNACK_RECEIVED:
        if (!exercise.connected_once) {
            exercise.connected_once = 1;
            cli_say_number("start to CONNACK ", BOARD_CYCLES / (BOARD_CLOCK_HZ / 1000000), " us\r\n");
        }
        cli_say_number("session present ", ulLength, "\r\n");
        break;
    }
    return __real_cli_mqtt_callback(scEvent, ptrData, ulLength, ucSubscriptionRef);
}

static void say_result(int result)
{
    cli_say(result < 0 ? "result -" : "result ");
    cli_say_number("", (unsigned long)(result < 0 ? -result : result), "\r\n");
}

static void report_publisher(const char *name, unsigned long acknowledged, unsigned long failed, unsigned long milliseconds)
{
    cli_say("publisher ");
    cli_say(name);
    cli_say_number(": ", acknowledged, " acknowledged, ");
    cli_say_number("", failed, " failed, ");
    cli_say_number("", milliseconds, " ms\r\n");
}

/* A session that the broker keeps; the menu only makes clean ones. */
static void connect_kept(const unsigned long *numbers)
{
    int result = fnConnectMQTT(0, __wrap_cli_mqtt_callback, APPLICATION_MODE);

    (void)numbers;
    if (result == MQTT_RESULT_OK) {
        cli_connection_started();
    }
    say_result(result);
}

static void publish(const unsigned long *numbers)
{
    unsigned long length = (numbers[2] <= PUBLISHERS_MAX_LENGTH) ? numbers[2] : PUBLISHERS_MAX_LENGTH;

    say_result(publishers_start((unsigned char)numbers[0], numbers[1], (unsigned short)length));
}

static void stream(const unsigned long *numbers)
{
    int result = fnPublishMQTT_stream(0, "fw/stream", (signed char)numbers[0], numbers[1]);

    if (result > 0) {
        exercise.stream = result;
        result = 0;
    }
    say_result(result);
}

/* A timer's interrupt (CMSDK APB timer) publishes, whatever it has interrupted, at intervals that share no beat with anything. */

#define TIMER(offset) (*(volatile uint32_t *)(BOARD_TIMER + (offset)))
#define TIMER_CONTROL TIMER(0x00)
#define TIMER_VALUE TIMER(0x04)
#define TIMER_RELOAD TIMER(0x08)
#define TIMER_INTERRUPT_CLEAR TIMER(0x0c)
#define TIMER_ENABLE 0x01u
#define TIMER_INTERRUPT 0x08u
#define TIMER_SHORTEST 500u             /* in steps of 40 ns */
#define TIMER_SPREAD 2000u

void timer_interrupt(void)
{
    static const char text[] = "from an interrupt";
    int result;

    TIMER_INTERRUPT_CLEAR = 1;
    TIMER_RELOAD = TIMER_SHORTEST + network_random() % TIMER_SPREAD;
    if (exercise.to_interrupt == 0) {
        TIMER_CONTROL = 0;
        return;
    }
    result = fnPublishMQTT_data(0, "fw/interrupt", exercise.interrupt_qos, text, sizeof text - 1);
    if (result > 0) {
        exercise.to_interrupt--;
    }
    else {
        ENSURE(result == ERROR_MQTT_BUSY);        /* the next interrupt will try again */
    }
}

static void publish_in_interrupt(const unsigned long *numbers)
{
    exercise.interrupt_qos = (signed char)numbers[0];
    exercise.to_interrupt = numbers[1];
    exercise.of_interrupts = numbers[1];
    board_enable(IRQ_TIMER);
    TIMER_RELOAD = TIMER_VALUE = TIMER_SHORTEST;
    TIMER_CONTROL = TIMER_ENABLE | TIMER_INTERRUPT;
}

static void tell_arrived(const unsigned long *numbers)
{
    (void)numbers;
    cli_say_number("arrived ", exercise.arrived, " messages, ");
    cli_say_number("", exercise.bytes, " bytes, ");
    cli_say_number("", exercise.out_of_order, " out of order, ");
    cli_say_number("sum ", exercise.sum, "\r\n");
    exercise.arrived = exercise.bytes = exercise.out_of_order = exercise.next = 0;
    exercise.sum = FNV_START;
}

void exercise_tell_stack(const char *name, unsigned long used, unsigned long size)
{
    cli_say("stack ");
    cli_say(name);
    cli_say_number(" ", used, " of ");
    cli_say_number("", size, " bytes\r\n");
}

void exercise_tell_heap(unsigned long used, unsigned long size)
{
    cli_say_number("heap ", used, " of ");
    cli_say_number("", size, " bytes\r\n");
}

void exercise_count_turn(void)
{
    exercise.turns++;
}

static void tell_turns(const unsigned long *numbers)
{
    (void)numbers;
    cli_say_number("turns ", exercise.turns, "\r\n");
    exercise.turns = 0;
}

static void tell_stacks(const unsigned long *numbers)
{
    (void)numbers;
    exercise_tell_stacks();
}

static void pause_polling(const unsigned long *numbers)
{
    cli_say_line("pausing");
    exercise_pause(numbers[0]);
}

static void overflow_stack(const unsigned long *numbers)
{
    static volatile int deeper = 1;
    volatile unsigned long more[2] = {0};   /* small steps: it is seen before much of what lies beside is hit */

    exercise_fill_stack();
    if (deeper) {
        overflow_stack(numbers);
    }
    more[0]++;
}

static void fail_assertion(const unsigned long *numbers)
{
    ENSURE(numbers == NULL);
}

#if !NO_SYS                             /* a kernel, with its heap */
static void exhaust_heap(const unsigned long *numbers)
{
    (void)numbers;
    exercise_exhaust_heap();
}
#endif

static void fail_by_fault(const unsigned long *numbers)
{
    (void)numbers;
    *(volatile unsigned long *)0xfffffff0u = 0;
}

#ifdef SECURE_MQTT
static void panic(const unsigned long *numbers)
{
    (void)numbers;
    fnPanicMQTT();                      /* as the library does */
}
#endif

static const struct {
    const char *name;
    void (*run)(const unsigned long *numbers);
} lines[] = {
    {"connect", connect_kept},
    {"publish", publish},               /* QoS, messages of each task, length */
    {"stream", stream},                 /* QoS, length */
    {"interrupt", publish_in_interrupt},        /* QoS, messages */
    {"pause", pause_polling},           /* milliseconds */
    {"arrived", tell_arrived},
    {"turns", tell_turns},
    {"stacks", tell_stacks},
    {"overflow", overflow_stack},
    {"assertion", fail_assertion},
#if !NO_SYS
    {"heap", exhaust_heap},
#endif
#ifdef SECURE_MQTT
    {"panic", panic},
#endif
    {"fault", fail_by_fault}
};

void exercise_line(char *line)
{
    unsigned long numbers[3] = {0};
    char *rest = line + strcspn(line, " ");
    unsigned i;

    for (i = 0; i < 3 && *rest != '\0'; i++) {
        *rest++ = '\0';
        numbers[i] = strtoul(rest, &rest, 10);
    }
    for (i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        if (strcmp(line, lines[i].name) == 0) {
            lines[i].run(numbers);
            return;
        }
    }
    cli_say_line("unknown");
}

void exercise_start(void)
{
    exercise.sum = FNV_START;
    publishers_set_report(report_publisher);
}
