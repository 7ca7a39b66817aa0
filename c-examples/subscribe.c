/* Subscribes to topics and prints the messages, in the manner of mosquitto_sub. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "mqtt_names.h"

#define RECONNECT_SECONDS 1

#define HELP \
    "Usage: subscribe -t TOPIC... [OPTION...]\n" \
    "Subscribes to topics of an MQTT broker and prints the messages.\n\n" \
    "Subscription:\n" \
    "  -t, --topic TOPIC            topic to subscribe to, may contain '+' and '#'; can be repeated\n" \
    "  -q, --qos QOS                0, 1 or 2 (default: 0)\n" \
    "  -C COUNT                     exit after this many messages\n" \
    "  -W SECONDS                   exit after this time\n" \
    "  -v, --verbose                print topic and message\n" \
    "  -N                           print no line end after a message\n\n" \
    OPTIONS_HELP "\n" \
    OPTIONS_SECURITY_HELP \
    "\nAn empty message is printed with -v alone, as (null).\n" \
    "Exit code: 0, the broker's return code when it refused the connection, 27 when -W ended it, otherwise 1.\n"

static const struct option long_options[] = {
    {"verbose", no_argument, 0, 'v'},
    OPTIONS_LONG,
    OPTIONS_SECURITY_LONG,
    {0, 0, 0, 0}
};

static struct {
    OPTIONS options;
    int verbose;
    int no_line_end;
    unsigned long wanted;               /* messages until the exit, 0: no limit */

    CLIENT client;
    int refused;
    const char *topic_of[MQTT_MAX_SUBSCRIPTIONS + 1];   /* by reference */
    unsigned long printed;
    int cut_off;                        /* the last message was printed in part */
} job;

static void parse_options(int argc, char **argv)
{
    int option;

    options_init(&job.options, "subscribe");
    while ((option = getopt_long(argc, argv, OPTIONS_SHORT "C:NvW:", long_options, 0)) != -1) {
        switch (option) {
        case 'C':
            job.wanted = options_number(&job.options, "the message count", optarg, 1, 0xffffffff);
            break;
        case 'N':
            job.no_line_end = 1;
            break;
        case 'v':
            job.verbose = 1;
            break;
        case 'W':
            job.client.timeout = 1000 * options_number(&job.options, "the timeout", optarg, 1, 1000000);
            break;
        default:
            options_take(&job.options, option, optarg, HELP);
            break;
        }
    }
    options_check(&job.options, argc - optind);
    if (job.options.topic_count == 0) {
        options_refuse(&job.options, "at least one topic must be given with -t");
    }
}

/* The library keeps no copy of our topics, which may be longer than its entries: it asks for each with MQTT_PUBLISH_TOPIC. After a
   lost connection it subscribes again by itself. */
static void subscribe(void)
{
    int i;

    for (i = 0; i < job.options.topic_count; i++) {
        int result = fnSubscribeMQTT(0, (unsigned char)job.options.qos);

        if (result < 0) {
            client_fail(&job.client, "cannot subscribe: %s", mqtt_result_name(result));
            return;
        }
        job.topic_of[result] = job.options.topics[i];
    }
}

static unsigned short answer_topic(unsigned char *ptrData, unsigned long ulLength, unsigned char ucSubscriptionRef)
{
    size_t length = strlen(job.topic_of[ucSubscriptionRef]);

    if (length > ulLength) {
        return 0;                       /* the subscription is refused */
    }
    memcpy(ptrData, job.topic_of[ucSubscriptionRef], length);
    return (unsigned short)length;
}

static void subscription_refused(unsigned long ulReturnCode, unsigned char ucSubscriptionRef)
{
    client_complain(&job.client, "no subscription to '%s': %s", job.topic_of[ucSubscriptionRef],
                    (ulReturnCode == 0) ? "not a valid topic, or too long" : "refused by the broker");
    job.refused++;
    if (ulReturnCode == 0 || job.refused == job.options.topic_count) {
        client_end(&job.client, EXIT_FAILURE);
    }
}

/* Not again once that has failed: a reader that does not read would be waited for once more. */
static void print(const void *data, size_t length)
{
    if (!ferror(stdout)) {
        fwrite(data, 1, length, stdout);
    }
}

static void print_text(const char *text)
{
    print(text, strlen(text));
}

/* A reader that has gone wants no more, and a signal ends the wait for one that does not read; any other failure to write is one. */
static void check_output(void)
{
    if (!ferror(stdout) || job.client.closing) {
        return;
    }
    if (errno == EPIPE || errno == EINTR) {
        client_end(&job.client, EXIT_SUCCESS);
    }
    else {
        client_fail(&job.client, "cannot write the messages: %s", strerror(errno));
    }
}

/* What was printed is flushed once for each burst of messages, and after the last. */
static void flush(void)
{
    if (!ferror(stdout)) {
        fflush(stdout);
    }
    check_output();
}

static void print_topic(const MQTT_MESSAGE *message)
{
    if (message->ptrTopic != 0) {
        print(message->ptrTopic, message->usTopicLength);
        print_text(" ");
    }
    else {
        print_text("(topic longer than the reception buffer) ");
    }
}

/* As mosquitto_sub does: a line with -v alone. */
static void print_empty(const MQTT_MESSAGE *message)
{
    if (job.verbose && !job.no_line_end) {
        print_topic(message);
        print_text("(null)\n");
    }
}

static void print_part(const MQTT_MESSAGE *message, const unsigned char *ptrData, unsigned long ulLength)
{
    if (job.verbose && message->ulOffset == 0) {
        print_topic(message);
    }
    print(ptrData, ulLength);
    job.cut_off = (message->ulOffset + ulLength < message->ulTotalLength);
    if (!job.cut_off && !job.no_line_end) {
        print_text("\n");
    }
}

static void count_message(void)
{
    job.printed++;
    if (job.printed == job.wanted) {
        flush();
        client_end(&job.client, EXIT_SUCCESS);
    }
}

/* A message, or a part of one that is larger than the reception buffer. */
static void print_message(const unsigned char *ptrData, unsigned long ulLength)
{
    MQTT_MESSAGE message;

    if (job.client.closing) {
        return;                         /* more than was wanted */
    }
    fnGetMQTT_message(&message);
    if (message.ulOffset == 0 && job.cut_off) {
        print_text("\n");               /* the link was lost; it comes again from its beginning */
        job.cut_off = 0;
    }
    if (message.ulTotalLength == 0) {
        print_empty(&message);
    }
    else {
        print_part(&message, ptrData, ulLength);
    }
    check_output();
    if (!job.cut_off) {
        count_message();
    }
}

static unsigned short callback(signed char scEvent, unsigned char *ptrData, unsigned long ulLength, unsigned char ucSubscriptionRef)
{
    int first_connection = !job.client.was_connected;
    unsigned short answer = client_event(&job.client, scEvent, ptrData, ulLength);

    switch (scEvent) {
    case MQTT_CONNACK_RECEIVED:
        if (first_connection) {
            subscribe();
        }
        break;
    case MQTT_PUBLISH_TOPIC:
        answer = answer_topic(ptrData, ulLength, ucSubscriptionRef);
        break;
    case MQTT_SUBSCRIPTION_REFUSED:
        subscription_refused(ulLength, ucSubscriptionRef);
        break;
    case MQTT_TOPIC_MESSAGE:
    case MQTT_TOPIC_MESSAGE_PART:
        print_message(ptrData, ulLength);
        break;
    }
    return answer;
}

int main(int argc, char **argv)
{
    int exit_code;

    parse_options(argc, argv);
    signal(SIGPIPE, SIG_IGN);           /* that the reader has gone is noticed when writing */
    client_start(&job.client, &job.options, callback, RECONNECT_SECONDS);
    exit_code = client_run(&job.client, flush, 0);
    if (ferror(stdout)) {
        _exit(exit_code);               /* exit() would try to write once more */
    }
    return exit_code;
}
