#include <string.h>

#include "cli.h"
#include "cli_internal.h"
#include "mqtt_names.h"
#include "utasker_mqtt.h"

#define MAX_PROMISED 16
#define TEXT_LENGTH 4u                  /* of "abcd", which begins each test message */
#define DOES_NOT_FIT 0xffff             /* an answer longer than its room is refused by the library */

static struct {
    unsigned char connected;
    unsigned char counter;              /* the next binary byte, continuing over all messages */
    unsigned short promised[MAX_PROMISED];      /* binary lengths of the publications that wait to be asked for their payload */
    unsigned char first_promised;
    unsigned char promised_count;
    unsigned long unfinished;           /* publications neither acknowledged nor failed */
} client;

void cli_connection_started(void)
{
    client.connected = 1;
}

int cli_is_connected(void)
{
    return client.connected;
}

/* A command chooses the length of its test message; the library asks for the payload later, in the same order. */

int cli_can_promise_payload(void)
{
    return client.promised_count < MAX_PROMISED;
}

void cli_promise_payload(unsigned short binary_length)
{
    client.promised[(client.first_promised + client.promised_count) % MAX_PROMISED] = binary_length;
    client.promised_count++;
    client.unfinished++;
}

static unsigned short take_promised_length(void)
{
    unsigned short binary_length = client.promised[client.first_promised];

    client.first_promised = (unsigned char)((client.first_promised + 1) % MAX_PROMISED);
    client.promised_count--;
    return binary_length;
}

/* A publication can fail before it was asked for its payload; after the last one nothing is promised any more. */
static void publication_finished(void)
{
    client.unfinished--;
    if (client.unfinished == 0) {
        client.promised_count = 0;
    }
}

static unsigned short answer_payload(unsigned char *ptrData, unsigned long ulLength)
{
    unsigned short binary_length = take_promised_length();
    unsigned short i;

    if (TEXT_LENGTH + binary_length > ulLength) {
        return DOES_NOT_FIT;
    }
    memcpy(ptrData, "abcd", TEXT_LENGTH);
    for (i = 0; i < binary_length; i++) {
        ptrData[TEXT_LENGTH + i] = client.counter++;
    }
    return (unsigned short)(TEXT_LENGTH + binary_length);
}

static unsigned short answer_text(unsigned char *ptrData, unsigned long ulLength, const char *text)
{
    size_t length = strlen(text);

    if (length > ulLength) {
        return DOES_NOT_FIT;
    }
    memcpy(ptrData, text, length);
    return (unsigned short)length;
}

static void tell(const char *text, unsigned char ucSubscriptionRef)
{
    cli_say(text);
    cli_say_number(" [", ucSubscriptionRef, "]\r\n");
}

static void tell_publication(const char *text, unsigned long ulQoS, unsigned char ucSubscriptionRef)
{
    publication_finished();
    cli_say_number(text, ulQoS, "");
    tell("", ucSubscriptionRef);
}

static void tell_message(unsigned long ulLength, unsigned char ucSubscriptionRef)
{
    cli_say_number("Message (", ulLength, ")");
    tell("", ucSubscriptionRef);
}

/* A message larger than the reception buffer comes in parts: it is told once, with the last. */
static void tell_message_part(unsigned long ulLength, unsigned char ucSubscriptionRef)
{
    MQTT_MESSAGE message;

    if (fnGetMQTT_message(&message) == MQTT_RESULT_OK && message.ulOffset + ulLength == message.ulTotalLength) {
        tell_message(message.ulTotalLength, ucSubscriptionRef);
    }
}

static void tell_refusal(unsigned long ulReturnCode)
{
    cli_say("MQTT connection refused - ");
    cli_say(mqtt_refusal_name(ulReturnCode));
    cli_say_number(" (", ulReturnCode, ")\r\n");
}

static void tell_error(signed char scEvent, unsigned long ulLength)
{
    cli_say("MQTT error! ");
    cli_say(mqtt_result_name(scEvent));
    if (scEvent == ERROR_MQTT_SECURITY) {
        cli_say(": ");
        cli_say(mqtt_security_name(ulLength));
        cli_say_number(" (", ulLength, ")");
    }
    cli_say("\r\n");
}

unsigned short cli_mqtt_callback(signed char scEvent, unsigned char *ptrData, unsigned long ulLength, unsigned char ucSubscriptionRef)
{
    switch (scEvent) {
    case MQTT_CLIENT_IDENTIFIER:
        return answer_text(ptrData, ulLength, cli_client_identifier());
    case MQTT_PUBLISH_TOPIC:            /* for mqtt_pub without a topic */
        return answer_text(ptrData, ulLength, "xyz/abc");
    case MQTT_PUBLISH_DATA:
        return answer_payload(ptrData, ulLength);
    case MQTT_CONNACK_RECEIVED:
        cli_say_line("MQTT connected");
        break;
    case MQTT_CONNECTION_REFUSED:
        tell_refusal(ulLength);
        break;
    case MQTT_SUBACK_RECEIVED:
    case MQTT_UNSUBACK_RECEIVED:        /* the same words for both, as the μTasker document prints them */
        tell("MQTT subscribed", ucSubscriptionRef);
        break;
    case MQTT_SUBSCRIPTION_REFUSED:
        tell("MQTT subscription refused", ucSubscriptionRef);
        break;
    case MQTT_PUBLISH_ACKNOWLEDGED:
        tell_publication("MQTT published - QoS", ulLength, ucSubscriptionRef);
        break;
    case MQTT_PUBLISH_FAILED:
        tell_publication("MQTT publish failed - QoS", ulLength, ucSubscriptionRef);
        break;
    case MQTT_TOPIC_MESSAGE:
        tell_message(ulLength, ucSubscriptionRef);
        break;
    case MQTT_TOPIC_MESSAGE_PART:
        tell_message_part(ulLength, ucSubscriptionRef);
        break;
    case MQTT_HOST_CLOSED:
    case MQTT_CONNECTION_CLOSED:
        client.connected = 0;
        cli_say_line("MQTT closed");
        break;
    case ERROR_MQTT_ARP_FAIL:           /* in place of "closed" */
        client.connected = 0;
        tell_error(scEvent, ulLength);
        break;
    case MQTT_RECONNECTING:
        client.connected = 1;
        cli_say_number("MQTT reconnecting in ", ulLength, " ms\r\n");
        break;
    default:
        if (scEvent < 0) {
            tell_error(scEvent, ulLength);
        }
        break;
    }
    return 0;
}
