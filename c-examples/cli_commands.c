#include <string.h>

#include "cli_internal.h"
#include "ip_literal.h"
#include "mqtt_names.h"
#include "utasker_mqtt.h"

#define SHORT_BINARY_LENGTH 10          /* of the test messages, after "abcd" */
#define LONG_BINARY_LENGTH 1024

#define DEFAULT_QOS -1                  /* of the subscription; 2 for another topic */
#define INVALID_QOS -2

static void say_result(int result, const char *success)
{
    if (result >= 0) {
        cli_say_line(success);
    }
    else {
        cli_say("MQTT error! ");
        cli_say_line(mqtt_result_name(result));
    }
}

/* A decimal number up to the maximum, or -1. */
static int parse_number(const char *text, int maximum)
{
    int value = 0;

    do {
        if (*text < '0' || *text > '9') {
            return -1;
        }
        value = value * 10 + (*text - '0');
        if (value > maximum) {
            return -1;
        }
    } while (*++text != '\0');
    return value;
}

static int parse_qos(const CLI_ARGUMENTS *arguments, int default_qos)
{
    int qos = default_qos;

    if (arguments->count == 2) {
        qos = parse_number(arguments->word[1].text, 2);
        if (qos < 0) {
            cli_say_line("The QoS must be 0, 1 or 2");
            return INVALID_QOS;
        }
    }
    return qos;
}

static void start_connection(const CLI_ARGUMENTS *arguments, unsigned long ulModeFlags)
{
    unsigned char address[IP_LITERAL_IPV6];
    const unsigned char *broker = 0;    /* the platform's own */
    int result;

    if (arguments->count == 1) {
        broker = address;
        switch (ip_literal_parse(arguments->word[0].text, address)) {
        case 0:
            cli_say_line("The broker must be given as an IPv4 or IPv6 address");
            return;
        case IP_LITERAL_IPV6:
            ulModeFlags |= MQTT_CONNECT_IPV6;
            break;
        }
    }
    result = fnConnectMQTT(broker, cli_mqtt_callback, ulModeFlags | MQTT_CONNECT_FLAG_CLEAN_SESSION);
    if (result == MQTT_RESULT_OK) {
        cli_connection_started();
    }
    say_result(result, "MQTT client Connecting...");
}

static void connect_plain(const CLI_ARGUMENTS *arguments)
{
    start_connection(arguments, UNSECURE_MQTT_CONNECTION);
}

static void connect_secure(const CLI_ARGUMENTS *arguments)
{
    start_connection(arguments, SECURE_MQTT_CONNECTION);
}

static void disconnect(const CLI_ARGUMENTS *arguments)
{
    (void)arguments;
    say_result(fnDisconnectMQTT(), "Disconnecting...");
}

static void subscribe(const CLI_ARGUMENTS *arguments)
{
    int qos = parse_qos(arguments, MQTT_SUBSCRIPTION_QoS_2);
    int result;

    if (qos == INVALID_QOS) {
        return;
    }
    result = fnSubscribeMQTT(arguments->word[0].text, (unsigned char)qos);
    if (result > 0) {
        cli_say_number("Subscribing (ref=", (unsigned long)result, ")...\r\n");
    }
    else {
        say_result(result, "");
    }
}

static void list_subscriptions(const CLI_ARGUMENTS *arguments)
{
    int reference = 1;
    int result;

    (void)arguments;
    do {
        result = fnShowMQTT_subscription(reference++);
    } while (result == MQTT_RESULT_OK || result == ERROR_MQTT_NO_SUBSCRIPTION_ENTRY);
}

static void unsubscribe(const CLI_ARGUMENTS *arguments)
{
    int reference = parse_number(arguments->word[0].text, 255);

    if (reference < 0) {
        cli_say_line("The reference must be a number; mqtt_top lists them");
    }
    else {
        say_result(fnUnsubscribeMQTT((unsigned char)reference), "Unsubscribing...");
    }
}

static void publish(const CLI_ARGUMENTS *arguments, unsigned short binary_length)
{
    int qos = parse_qos(arguments, DEFAULT_QOS);
    int reference = 0;
    const char *topic = 0;              /* without argument the callback is asked for it */
    int result = ERROR_MQTT_BUSY;

    if (qos == INVALID_QOS) {
        return;
    }
    if (arguments->count > 0 && arguments->word[0].quoted) {
        topic = arguments->word[0].text;
    }
    else if (arguments->count > 0) {
        reference = parse_number(arguments->word[0].text, 255);
        if (reference <= 0) {
            cli_say_line("Give the topic in quotes, or the reference of a subscription");
            return;
        }
    }
    if (cli_can_promise_payload()) {
        result = fnPublishMQTT((unsigned char)reference, topic, (signed char)qos);
    }
    if (result == MQTT_RESULT_OK) {
        cli_promise_payload(binary_length);
    }
    say_result(result, "Publishing...");
}

static void publish_short(const CLI_ARGUMENTS *arguments)
{
    publish(arguments, SHORT_BINARY_LENGTH);
}

static void publish_long(const CLI_ARGUMENTS *arguments)
{
    publish(arguments, LONG_BINARY_LENGTH);
}

static void quit(const CLI_ARGUMENTS *arguments)
{
    (void)arguments;
    cli_quit();
}

#ifdef SECURE_MQTT
#define SECURE_HELP "Secure con. to MQTT broker [ip]"
#else
#define SECURE_HELP 0
#endif

const CLI_COMMAND cli_commands[] = {
    {"up", "go to main menu", 0, 0, cli_show_help},     /* this one is the main menu */
    {"mqttps_con", SECURE_HELP, 0, 1, connect_secure},
    {"mqtts_con", 0, 0, 1, connect_secure},
    {"mqtt_con", "Connect to MQTT broker [ip]", 0, 1, connect_plain},
    {"mqtt_sub", "Subscribe [topic] <QoS>", 1, 2, subscribe},
    {"mqtt_top", "List sub. topics", 0, 0, list_subscriptions},
    {"mqtt_un", "Unsubscribe [ref]", 1, 1, unsubscribe},
    {"mqtt_pub", "Publish <\"topic\"/ref> <QoS>", 0, 2, publish_short},
    {"mqtt_pub_l", "Publish (long) <\"topic\"/ref> <QoS>", 0, 2, publish_long},
    {"mqtt_pub_1", 0, 0, 2, publish_long},              /* the μTasker document writes both */
    {"mqtt_dis", "Disconnect from MQTT broker", 0, 0, disconnect},
    {"help", "Display menu specific help", 0, 0, cli_show_help},
    {"quit", "Leave command mode", 0, 0, quit},
    {0, 0, 0, 0, 0}
};

void cli_show_help(const CLI_ARGUMENTS *arguments)
{
    static const char column[] = "                 ";
    const CLI_COMMAND *command;

    (void)arguments;
    cli_say_line("FTP/TELNET/MQTT");
    cli_say_line("=====");
    for (command = cli_commands; command->name != 0; command++) {
        if (command->help != 0) {
            cli_say(command->name);
            cli_say(column + strlen(command->name));
            cli_say_line(command->help);
        }
    }
}
