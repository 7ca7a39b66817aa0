/* Publishes one message or many, in the manner of mosquitto_pub. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "input.h"
#include "mqtt_names.h"

#define HELP \
    "Usage: publish -t TOPIC {-m TEXT | -f FILE | -s | -l | -n} [OPTION...]\n" \
    "Publishes to an MQTT broker.\n\n" \
    "Message:\n" \
    "  -t, --topic TOPIC            topic to publish to\n" \
    "  -m, --message TEXT           this text\n" \
    "  -f, --file FILE              the contents of this file\n" \
    "  -s, --stdin-file             everything on standard input as one message\n" \
    "  -l, --stdin-line             each line on standard input as a message\n" \
    "  -n, --null-message           an empty message\n" \
    "  -q, --qos QOS                0, 1 or 2 (default: 0)\n" \
    "  -r, --retain                 the broker keeps the message for later subscribers\n\n" \
    OPTIONS_HELP "\n" \
    OPTIONS_SECURITY_HELP \
    "\nExit code: 0 when everything was delivered, the broker's return code when it refused the connection, otherwise 1.\n"

static const struct option long_options[] = {
    {"message", required_argument, 0, 'm'},
    {"file", required_argument, 0, 'f'},
    {"stdin-file", no_argument, 0, 's'},
    {"stdin-line", no_argument, 0, 'l'},
    {"null-message", no_argument, 0, 'n'},
    {"retain", no_argument, 0, 'r'},
    OPTIONS_LONG,
    OPTIONS_SECURITY_LONG,
    {0, 0, 0, 0}
};

static struct {
    OPTIONS options;
    int source;                         /* the letter of the option that says where the messages come from, or 0 */
    const char *source_argument;
    int retain;

    CLIENT client;
    INPUT input;
    struct pollfd watched;              /* standard input, while the next line is wanted */
    const char *message;                /* the next to be published, or 0 */
    size_t length;
    int streamed_handle;                /* the message that is published piece by piece, or 0 */
    const char *streamed;
    unsigned long unfinished;           /* accepted, neither acknowledged nor failed */
    unsigned long failed;
} job;

static void take_source(int source, const char *argument)
{
    if (job.source != 0) {
        options_refuse(&job.options, "only one of -m, -f, -s, -l and -n can be given");
    }
    job.source = source;
    job.source_argument = argument;
}

static void parse_options(int argc, char **argv)
{
    int option;

    options_init(&job.options, "publish");
    while ((option = getopt_long(argc, argv, OPTIONS_SHORT "m:f:slnr", long_options, 0)) != -1) {
        switch (option) {
        case 'm':
        case 'f':
        case 's':
        case 'l':
        case 'n':
            take_source(option, optarg);
            break;
        case 'r':
            job.retain = 1;
            break;
        default:
            options_take(&job.options, option, optarg, HELP);
            break;
        }
    }
    options_check(&job.options, argc - optind);
    if (job.options.topic_count != 1) {
        options_refuse(&job.options, "exactly one topic must be given with -t");
    }
    if (strpbrk(job.options.topics[0], "+#") != 0) {
        options_refuse(&job.options, "a message cannot be published to the wildcards '+' and '#'");
    }
    if (job.source == 0) {
        options_refuse(&job.options, "there is nothing to publish: give one of -m, -f, -s, -l and -n");
    }
}

static void read_whole_input(const char *name, int descriptor)
{
    while (!job.input.ended) {
        if (descriptor < 0 || input_read(&job.input, descriptor) != 0) {
            fprintf(stderr, "%s: %s: %s\n", job.options.program, name, strerror(errno));
            exit(EXIT_FAILURE);
        }
    }
    job.message = job.input.buffer;
    job.length = job.input.end;
}

static void read_file(const char *name)
{
    int descriptor = open(name, O_RDONLY);

    read_whole_input(name, descriptor);
    close(descriptor);
}

static void prepare_message(void)
{
    job.input.ended = (job.source != 'l' && job.source != 'f' && job.source != 's');
    switch (job.source) {
    case 'm':
        job.message = job.source_argument;
        job.length = strlen(job.message);
        break;
    case 'f':
        read_file(job.source_argument);
        break;
    case 's':
        read_whole_input("standard input", STDIN_FILENO);
        if (job.length == 0) {
            options_refuse(&job.options, "standard input is empty: -n publishes an empty message");
        }
        break;
    case 'n':
        job.message = "";
        break;
    }
}

/* Publishes the next message: from the library's own copy, or piece by piece where that would not fit its buffer. */
static int publish_message(void)
{
    const char *topic = job.options.topics[0];
    signed char cQoS = (signed char)(job.options.qos | (job.retain ? MQTT_PUBLISH_RETAIN : 0));
    int result = ERROR_MQTT_MESSAGE_TOO_LONG;

    if (job.length <= 0xffff) {
        result = fnPublishMQTT_data(0, topic, cQoS, job.message, (unsigned short)job.length);
    }
    if (result == ERROR_MQTT_MESSAGE_TOO_LONG) {
        result = fnPublishMQTT_stream(0, topic, cQoS, job.length);
        if (result > 0) {
            job.streamed_handle = result;
            job.streamed = job.message;
        }
    }
    return result;
}

static int have_message(void)
{
    return job.message != 0 || (job.source == 'l' && input_take_line(&job.input, &job.message, &job.length));
}

/* Gives the library as many messages as it takes. A streamed message stays in the input's buffer, so the next waits for its end. */
static void publish_messages(void)
{
    while (job.streamed_handle == 0 && have_message()) {
        int result = publish_message();

        if (result == ERROR_MQTT_BUSY) {
            break;
        }
        if (result < 0) {
            client_fail(&job.client, "cannot publish: %s", mqtt_result_name(result));
            break;
        }
        job.message = 0;
        job.unfinished++;
    }
}

static void read_lines(void)
{
    if (job.watched.fd >= 0 && job.watched.revents != 0 && input_read(&job.input, STDIN_FILENO) != 0) {
        client_fail(&job.client, "standard input: %s", strerror(errno));
    }
}

static void work(void)
{
    int line_wanted;

    if (!job.client.connected || job.client.closing) {
        job.watched.fd = -1;
        return;
    }
    read_lines();
    publish_messages();
    line_wanted = (job.message == 0 && job.streamed_handle == 0 && !job.input.ended);
    job.watched.fd = line_wanted ? STDIN_FILENO : -1;
    if (job.input.ended && job.message == 0 && job.unfinished == 0) {
        client_end(&job.client, EXIT_SUCCESS);
    }
}

static unsigned short answer_piece(unsigned char *ptrData, unsigned long ulLength)
{
    MQTT_MESSAGE message;

    fnGetMQTT_message(&message);
    if (ulLength > message.ulTotalLength - message.ulOffset) {
        ulLength = message.ulTotalLength - message.ulOffset;
    }
    memcpy(ptrData, job.streamed + message.ulOffset, ulLength);
    return (unsigned short)ulLength;
}

static void message_finished(void)
{
    MQTT_MESSAGE message;

    fnGetMQTT_message(&message);
    if (message.usHandle == job.streamed_handle) {
        job.streamed_handle = 0;
    }
    job.unfinished--;
}

static unsigned short callback(signed char scEvent, unsigned char *ptrData, unsigned long ulLength, unsigned char ucSubscriptionRef)
{
    (void)ucSubscriptionRef;
    switch (scEvent) {
    case MQTT_PUBLISH_DATA_PART:
        return answer_piece(ptrData, ulLength);
    case MQTT_PUBLISH_FAILED:
        job.failed++;
        message_finished();
        break;
    case MQTT_PUBLISH_ACKNOWLEDGED:
        message_finished();
        break;
    }
    return client_event(&job.client, scEvent, ptrData, ulLength);
}

int main(int argc, char **argv)
{
    int exit_code;

    parse_options(argc, argv);
    prepare_message();
    job.watched.fd = -1;
    job.watched.events = POLLIN;
    job.client.interrupted_exit_code = EXIT_FAILURE;    /* not everything was delivered */
    client_start(&job.client, &job.options, callback, 0);
    exit_code = client_run(&job.client, work, &job.watched);
    free(job.input.buffer);
    if (job.failed > 0) {
        client_complain(&job.client, "%lu messages were not delivered", job.failed);
        exit_code = (exit_code == EXIT_SUCCESS) ? EXIT_FAILURE : exit_code;
    }
    return exit_code;
}
