#include "options.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TEXT_LENGTH 65535           /* of any text in an MQTT packet */
#define WILL_QOS_NOT_GIVEN -1

void options_init(OPTIONS *options, const char *program)
{
    memset(options, 0, sizeof *options);
    options->program = program;
    options->host = "localhost";
    options->clean_session = 1;
    options->will_qos = WILL_QOS_NOT_GIVEN;
}

void options_refuse(const OPTIONS *options, const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "%s: ", options->program);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\nUse '%s --help' to see the options.\n", options->program);
    exit(EXIT_FAILURE);
}

static void show(const char *text)
{
    fputs(text, stdout);
    exit(EXIT_SUCCESS);
}

unsigned long options_number(const OPTIONS *options, const char *what, const char *text, unsigned long minimum, unsigned long maximum)
{
    size_t digits = strspn(text, "0123456789");
    unsigned long value = strtoul(text, 0, 10);

    if (digits == 0 || digits > 10 || text[digits] != '\0' || value < minimum || value > maximum) {
        options_refuse(options, "%s must be a number from %lu to %lu, not '%s'", what, minimum, maximum, text);
    }
    return value;
}

static const char *take_text(const OPTIONS *options, const char *what, const char *text)
{
    if (strlen(text) > MAX_TEXT_LENGTH) {
        options_refuse(options, "%s is too long", what);
    }
    return text;
}

static const char *take_topic(const OPTIONS *options, const char *what, const char *text)
{
    if (*text == '\0') {
        options_refuse(options, "%s must not be empty", what);
    }
    return take_text(options, what, text);
}

static void add_topic(OPTIONS *options, const char *topic)
{
    if (options->topic_count == MQTT_MAX_SUBSCRIPTIONS) {
        options_refuse(options, "not more than %d topics", MQTT_MAX_SUBSCRIPTIONS);
    }
    options->topics[options->topic_count++] = take_topic(options, "the topic", topic);
}

static unsigned short take_keep_alive(const OPTIONS *options, const char *text)
{
    unsigned long seconds = options_number(options, "the keep-alive time", text, 0, MQTT_KEEPALIVE_OFF - 1);

    return (seconds == 0) ? MQTT_KEEPALIVE_OFF : (unsigned short)seconds;
}

static const char *take_psk(const OPTIONS *options, const char *text)
{
    size_t digits = strspn(text, "0123456789abcdefABCDEF");

    if (digits == 0 || digits % 2 != 0 || digits > 2 * OPTIONS_MAX_PSK_LENGTH || text[digits] != '\0') {
        options_refuse(options, "the pre-shared key must be 2 to %d hexadecimal digits, two for each byte", 2 * OPTIONS_MAX_PSK_LENGTH);
    }
    return text;
}

static const char *take_psk_identity(const OPTIONS *options, const char *text)
{
    if (*text == '\0') {
        options_refuse(options, "the identity of the pre-shared key must not be empty");
    }
    return take_text(options, "the identity of the pre-shared key", text);
}

static int take_version(const OPTIONS *options, const char *text)
{
    if (strcmp(text, "mqttv31") == 0 || strcmp(text, "31") == 0) {
        return 1;
    }
    if (strcmp(text, "mqttv311") != 0 && strcmp(text, "311") != 0) {
        options_refuse(options, "the protocol version must be mqttv31 or mqttv311, not '%s'", text);
    }
    return 0;
}

void options_take(OPTIONS *options, int option, const char *argument, const char *help)
{
    switch (option) {
    case 'c':
        options->clean_session = 0;
        break;
    case 'h':
        options->host = argument;
        break;
    case 'i':
        options->client_identifier = take_text(options, "the client identifier", argument);
        break;
    case 'k':
        options->keep_alive_seconds = take_keep_alive(options, argument);
        break;
    case 'p':
        options->port = (unsigned short)options_number(options, "the port", argument, 1, 65535);
        break;
    case 'P':
        options->password = take_text(options, "the password", argument);
        break;
    case 'q':
        options->qos = (int)options_number(options, "the QoS", argument, 0, 2);
        break;
    case 't':
        add_topic(options, argument);
        break;
    case 'u':
        options->user_name = take_text(options, "the user name", argument);
        break;
    case 'V':
        options->version_3_1 = take_version(options, argument);
        break;
    case OPTION_WILL_TOPIC:
        options->will_topic = take_topic(options, "the will topic", argument);
        break;
    case OPTION_WILL_PAYLOAD:
        options->will_payload = take_text(options, "the will payload", argument);
        break;
    case OPTION_WILL_QOS:
        options->will_qos = (int)options_number(options, "the will QoS", argument, 0, 2);
        break;
    case OPTION_WILL_RETAIN:
        options->will_retain = 1;
        break;
    case OPTION_CAFILE:
        options->cafile = argument;
        break;
    case OPTION_CERT:
        options->cert = argument;
        break;
    case OPTION_KEY:
        options->key = argument;
        break;
    case OPTION_PSK:
        options->psk = take_psk(options, argument);
        break;
    case OPTION_PSK_IDENTITY:
        options->psk_identity = take_psk_identity(options, argument);
        break;
    case OPTION_SERVER_NAME:
        options->server_name = argument;
        break;
    case OPTION_HELP:
        show(help);
        break;
    case OPTION_VERSION:
        show("utasker-mqtt " VERSION "\n");
        break;
    default:                            /* getopt_long has said what is wrong */
        fprintf(stderr, "Use '%s --help' to see the options.\n", options->program);
        exit(EXIT_FAILURE);
    }
}

static void check_will(const OPTIONS *options)
{
    if (options->will_topic == 0) {
        if (options->will_payload != 0 || options->will_qos != WILL_QOS_NOT_GIVEN || options->will_retain) {
            options_refuse(options, "will options need --will-topic");
        }
    }
    else if (strpbrk(options->will_topic, "+#") != 0) {
        options_refuse(options, "the will topic must not contain the wildcards '+' and '#'");
    }
}

static void check_identifier(const OPTIONS *options)
{
    int empty = (options->client_identifier != 0 && *options->client_identifier == '\0');

    if (!options->clean_session && (options->client_identifier == 0 || empty)) {
        options_refuse(options, "a session can only be kept for a client identifier: give one with -i");
    }
    if (options->version_3_1 && empty) {
        options_refuse(options, "MQTT 3.1 needs a client identifier");
    }
}

static void check_security(const OPTIONS *options)
{
    if (options->cafile != 0 && options->psk != 0) {
        options_refuse(options, "either certificates or a pre-shared key: only one of --cafile and --psk can be given");
    }
    if ((options->cert != 0) != (options->key != 0)) {
        options_refuse(options, "--cert and --key belong together");
    }
    if (options->cert != 0 && options->cafile == 0) {
        options_refuse(options, "--cert needs --cafile, which tells whom to trust");
    }
    if ((options->psk != 0) != (options->psk_identity != 0)) {
        options_refuse(options, "--psk and --psk-identity belong together");
    }
    if (options->server_name != 0 && !options_secure(options)) {
        options_refuse(options, "--servername needs --cafile or --psk");
    }
}

void options_check(const OPTIONS *options, int arguments_left)
{
    if (arguments_left != 0) {
        options_refuse(options, "there is an argument that is no option");
    }
    if (options->password != 0 && options->user_name == 0) {
        options_refuse(options, "a password needs a user name: give one with -u");
    }
    check_identifier(options);
    check_will(options);
    check_security(options);
}

int options_secure(const OPTIONS *options)
{
    return options->cafile != 0 || options->psk != 0;
}

unsigned short options_port(const OPTIONS *options)
{
    if (options->port != 0) {
        return options->port;
    }
    return options_secure(options) ? MQTTS_PORT : MQTT_PORT;
}
