#include "bench_job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HELP \
    "Publishes messages of 100 bytes to its own subscription. When all have come back it prints the seconds that this took, and the\n" \
    "seconds of processor time that it used.\n\n" \
    "  -n COUNT                     number of messages (default: 1000)\n" \
    "  -w COUNT                     messages on their way at once (default: 1000)\n" \
    "  -q, --qos QOS                QoS of publications and subscription: 0, 1 or 2 (default: 0)\n\n" \
    OPTIONS_HELP

static const struct option long_options[] = {
    OPTIONS_LONG,
    {0, 0, 0, 0}
};

void bench_parse(BENCH *bench, const char *program, int argc, char **argv)
{
    int option;

    options_init(&bench->options, program);
    bench->count = 1000;
    bench->window = 1000;
    while ((option = getopt_long(argc, argv, OPTIONS_SHORT "n:w:", long_options, 0)) != -1) {
        switch (option) {
        case 'n':
            bench->count = options_number(&bench->options, "the number of messages", optarg, 1, 0xffffffff);
            break;
        case 'w':
            bench->window = options_number(&bench->options, "the number of messages at once", optarg, 1, 0xffffffff);
            break;
        default:
            options_take(&bench->options, option, optarg, HELP);
            break;
        }
    }
    options_check(&bench->options, argc - optind);
}

static double seconds(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

void bench_start(BENCH *bench)
{
    bench->start = seconds(CLOCK_MONOTONIC);
    bench->processor_start = seconds(CLOCK_PROCESS_CPUTIME_ID);
}

int bench_may_publish(const BENCH *bench)
{
    return bench->published < bench->count && bench->published - bench->received < bench->window;
}

/* The message's number, then bytes that depend on it. */
static void fill(unsigned char *payload, unsigned long number)
{
    size_t i;

    for (i = 0; i < 4; i++) {
        payload[i] = (unsigned char)(number >> (8 * i));
    }
    memset(payload + 4, payload[0], BENCH_PAYLOAD_LENGTH - 4);
}

void bench_payload(const BENCH *bench, unsigned char payload[BENCH_PAYLOAD_LENGTH])
{
    fill(payload, bench->published);
}

void bench_received(BENCH *bench, const void *payload, size_t length)
{
    unsigned char expected[BENCH_PAYLOAD_LENGTH];

    fill(expected, bench->received);
    if (length != sizeof expected || memcmp(payload, expected, sizeof expected) != 0) {
        fprintf(stderr, "%s: message %lu did not come as it was published\n", bench->options.program, bench->received);
        exit(EXIT_FAILURE);
    }
    bench->received++;
}

int bench_is_complete(const BENCH *bench)
{
    return bench->acknowledged == bench->count && bench->received == bench->count;
}

void bench_report(const BENCH *bench)
{
    printf("%.3f %.3f\n", seconds(CLOCK_MONOTONIC) - bench->start, seconds(CLOCK_PROCESS_CPUTIME_ID) - bench->processor_start);
}
