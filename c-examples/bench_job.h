/* The job that the benchmarks give to each library: one client publishes messages to a topic which it has subscribed to, and gets
   every one of them back. */
#ifndef BENCH_JOB_H
#define BENCH_JOB_H

#include <stddef.h>

#include "options.h"

#define BENCH_TOPIC "bench/messages"
#define BENCH_PAYLOAD_LENGTH 100

typedef struct {
    OPTIONS options;
    unsigned long count;
    unsigned long window;
    unsigned long published;            /* accepted by the library */
    unsigned long acknowledged;
    unsigned long received;
    double start;                       /* in seconds */
    double processor_start;
} BENCH;

void bench_parse(BENCH *bench, const char *program, int argc, char **argv);

/* Starts the clock. */
void bench_start(BENCH *bench);

/* Whether there is another message to publish, and not too many are on their way. */
int bench_may_publish(const BENCH *bench);

/* The payload of the next message to publish. */
void bench_payload(const BENCH *bench, unsigned char payload[BENCH_PAYLOAD_LENGTH]);

/* Checks that this is the message that must come next. Exits where it is another. */
void bench_received(BENCH *bench, const void *payload, size_t length);

int bench_is_complete(const BENCH *bench);

/* Prints the seconds since the start, and how many of them this process has used a processor. */
void bench_report(const BENCH *bench);

#endif
