#include "client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interrupt.h"
#include "mqtt_names.h"
#include "security.h"

#define DOES_NOT_FIT 0xffff             /* an answer longer than its room is refused by the library */
#define RECONNECT_MAX_SECONDS 10

static void say(const CLIENT *client, const char *format, va_list arguments)
{
    fprintf(stderr, "%s: ", client->options->program);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

void client_complain(const CLIENT *client, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(client, format, arguments);
    va_end(arguments);
}

void client_fail(CLIENT *client, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(client, format, arguments);
    va_end(arguments);
    client_end(client, EXIT_FAILURE);
}

void client_end(CLIENT *client, int exit_code)
{
    if (!client->closing) {
        client->closing = 1;
        client->exit_code = exit_code;
        fnDisconnectMQTT();
    }
}

static void make_up_identifier(CLIENT *client)
{
    unsigned char random[6];
    char *end = client->made_up_identifier;
    size_t i;

    client->port.platform.fnRandom(&client->port, random, sizeof random);
    end += sprintf(end, "utasker-");
    for (i = 0; i < sizeof random; i++) {
        end += sprintf(end, "%02x", random[i]);
    }
}

static unsigned long mode_flags(const OPTIONS *options)
{
    unsigned long ulModeFlags = options_secure(options) ? SECURE_MQTT_CONNECTION : UNSECURE_MQTT_CONNECTION;

    if (options->clean_session) {
        ulModeFlags |= MQTT_CONNECT_FLAG_CLEAN_SESSION;
    }
    if (options->version_3_1) {
        ulModeFlags |= MQTT_CONNECT_VERSION_3_1;
    }
    if (options->user_name != 0) {
        ulModeFlags |= MQTT_CONNECT_FLAG_USER_NAME_FLAG;
    }
    if (options->password != 0) {
        ulModeFlags |= MQTT_CONNECT_FLAG_PASSWORD_FLAG;
    }
    if (options->will_topic != 0) {
        ulModeFlags |= MQTT_CONNECT_FLAG_WILL_FLAG;
        if (options->will_qos > 0) {
            ulModeFlags |= ((unsigned long)options->will_qos << 3) & MQTT_CONNECT_FLAG_WILL_QOS_MASK;
        }
        if (options->will_retain) {
            ulModeFlags |= MQTT_CONNECT_FLAG_WILL_RETAIN;
        }
    }
    return ulModeFlags;
}

void client_start(CLIENT *client, const OPTIONS *options, MQTT_CALLBACK callback, unsigned short reconnect_seconds)
{
    MQTT_OPTIONS mqtt_options = {0};
    int result;

    client->options = options;
    client->reconnects = (reconnect_seconds > 0);
    client->start = port_milliseconds();
    mqtt_options.usPort = options->port;
    mqtt_options.usKeepAliveSeconds = options->keep_alive_seconds;
    mqtt_options.usReconnectMinSeconds = reconnect_seconds;
    mqtt_options.usReconnectMaxSeconds = client->reconnects ? RECONNECT_MAX_SECONDS : 0;
    result = port_init(&client->port, options->host, AF_UNSPEC);
    if (result == MQTT_RESULT_OK) {
        security_prepare(options);
        make_up_identifier(client);
        interrupt_watch(&client->port);
        result = fnSetMQTT_options(&mqtt_options);
    }
    if (result == MQTT_RESULT_OK) {
        result = fnConnectMQTT(0, callback, mode_flags(options));
    }
    if (result != MQTT_RESULT_OK) {
        client_complain(client, "cannot connect: %s", mqtt_result_name(result));
        exit(EXIT_FAILURE);
    }
}

static unsigned short answer(CLIENT *client, unsigned char *ptrData, unsigned long ulLength, const char *text)
{
    size_t length = strlen(text);

    if (length > ulLength) {
        client_fail(client, "identifier, will, user name and password do not fit into MQTT_RX_BUFFER_LENGTH, where CONNECT is made");
        return DOES_NOT_FIT;
    }
    memcpy(ptrData, text, length);
    return (unsigned short)length;
}

/* While a lost connection is being made again, the failed attempts are nothing new. */
static int is_news(const CLIENT *client)
{
    return !client->closing && (client->connected || !client->was_connected);
}

static void connection_ended(CLIENT *client)
{
    if (is_news(client) && client->connected) {
        client_complain(client, "the connection was lost%s", client->reconnects ? "; connecting again" : "");
    }
    else if (is_news(client)) {
        client_complain(client, "no connection to %s, port %u", client->options->host, (unsigned)options_port(client->options));
    }
    if (!client->closing) {
        client->exit_code = EXIT_FAILURE;
    }
    client->connected = 0;
    client->finished = 1;
}

/* The first connection must succeed; later ones are waited for. */
static void reconnecting(CLIENT *client)
{
    if (client->was_connected && !client->closing) {
        client->finished = 0;
        client->exit_code = EXIT_SUCCESS;
    }
}

unsigned short client_event(CLIENT *client, signed char scEvent, unsigned char *ptrData, unsigned long ulLength)
{
    const OPTIONS *options = client->options;

    switch (scEvent) {
    case MQTT_CLIENT_IDENTIFIER:
        return answer(client, ptrData, ulLength, (options->client_identifier != 0) ? options->client_identifier : client->made_up_identifier);
    case MQTT_WILL_TOPIC:
        return answer(client, ptrData, ulLength, options->will_topic);
    case MQTT_WILL_MESSAGE:
        return answer(client, ptrData, ulLength, (options->will_payload != 0) ? options->will_payload : "");
    case MQTT_USER_NAME:
        return answer(client, ptrData, ulLength, options->user_name);
    case MQTT_USER_PASSWORD:
        return answer(client, ptrData, ulLength, options->password);
    case MQTT_CONNACK_RECEIVED:
        client->connected = 1;
        client->was_connected = 1;
        break;
    case MQTT_CONNECTION_REFUSED:
        client_complain(client, "connection refused: %s", mqtt_refusal_name(ulLength));
        client_end(client, (int)ulLength);
        break;
    case MQTT_CONNECTION_CLOSED:
    case MQTT_HOST_CLOSED:
    case ERROR_MQTT_ARP_FAIL:
        connection_ended(client);
        break;
    case MQTT_RECONNECTING:
        reconnecting(client);
        break;
    case ERROR_MQTT_SECURITY:
        if (is_news(client)) {
            client_complain(client, "%s: %s (%lu)", mqtt_result_name(scEvent), mqtt_security_name(ulLength), ulLength);
        }
        break;
    case ERROR_MQTT_INVALID_ARGUMENT:
        if (!client->closing) {         /* else it has been said */
            client_fail(client, "the client identifier, the will's topic or the user name is not valid");
        }
        break;
    case ERROR_MQTT_BUSY:
        client_complain(client, "more than %d messages of QoS 2 at once (MQTT_MAX_INCOMING_QoS2)", MQTT_MAX_INCOMING_QoS2);
        break;
    default:
        if (scEvent < 0 && is_news(client)) {
            client_complain(client, "%s", mqtt_result_name(scEvent));
        }
        break;
    }
    return 0;
}

/* How long to sleep: as long as fnPollMQTT said, but not past the timeout. */
static unsigned long time_left(CLIENT *client, unsigned long milliseconds)
{
    unsigned long passed = (port_milliseconds() - client->start) & 0xffffffff;

    if (client->timeout == 0 || client->closing) {
        return milliseconds;
    }
    if (passed >= client->timeout) {
        client_complain(client, "timed out");
        client_end(client, CLIENT_TIMED_OUT);
        return 0;
    }
    return (milliseconds < client->timeout - passed) ? milliseconds : client->timeout - passed;
}

int client_run(CLIENT *client, void (*work)(void), struct pollfd *input)
{
    while (!client->finished) {
        unsigned long milliseconds = fnPollMQTT();

        work();
        if (interrupt_requested()) {
            client_end(client, client->interrupted_exit_code);
        }
        if (!client->finished) {
            port_wait(&client->port, time_left(client, milliseconds), input, (input != 0) ? 1 : 0);
        }
    }
    port_free(&client->port);
    return client->exit_code;
}
