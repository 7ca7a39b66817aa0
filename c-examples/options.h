/* The command-line options that the programs share: where and how to connect, and what about. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <getopt.h>

#include "utasker_mqtt.h"

typedef struct {
    const char *program;
    const char *host;
    unsigned short port;                /* 0: the usual one, see options_port */
    unsigned short keep_alive_seconds;  /* as in MQTT_OPTIONS */
    const char *client_identifier;      /* 0: to be made up */
    const char *user_name;              /* 0: none */
    const char *password;               /* 0: none */
    const char *will_topic;             /* 0: no will */
    const char *will_payload;
    int will_qos;
    int will_retain;
    int version_3_1;
    int clean_session;
    int qos;
    const char *topics[MQTT_MAX_SUBSCRIPTIONS];
    int topic_count;

    const char *cafile;                 /* this or psk makes the connection secure */
    const char *cert;                   /* 0: none */
    const char *key;
    const char *psk;                    /* in hexadecimal digits */
    const char *psk_identity;
    const char *server_name;            /* 0: the host */
} OPTIONS;

#define OPTIONS_MAX_PSK_LENGTH 256      /* in bytes */

enum {                                  /* options without a letter */
    OPTION_HELP = 256,
    OPTION_VERSION,
    OPTION_WILL_TOPIC,
    OPTION_WILL_PAYLOAD,
    OPTION_WILL_QOS,
    OPTION_WILL_RETAIN,
    OPTION_CAFILE,
    OPTION_CERT,
    OPTION_KEY,
    OPTION_PSK,
    OPTION_PSK_IDENTITY,
    OPTION_SERVER_NAME,
    OPTION_OWN                          /* the first that a program may use for itself */
};

/* For getopt_long, to be joined with the program's own. */
#define OPTIONS_SHORT "ch:i:k:p:P:q:t:u:V:"
#define OPTIONS_LONG \
    {"disable-clean-session", no_argument, 0, 'c'}, \
    {"host", required_argument, 0, 'h'}, \
    {"id", required_argument, 0, 'i'}, \
    {"keepalive", required_argument, 0, 'k'}, \
    {"port", required_argument, 0, 'p'}, \
    {"pw", required_argument, 0, 'P'}, \
    {"qos", required_argument, 0, 'q'}, \
    {"topic", required_argument, 0, 't'}, \
    {"username", required_argument, 0, 'u'}, \
    {"protocol-version", required_argument, 0, 'V'}, \
    {"will-topic", required_argument, 0, OPTION_WILL_TOPIC}, \
    {"will-payload", required_argument, 0, OPTION_WILL_PAYLOAD}, \
    {"will-qos", required_argument, 0, OPTION_WILL_QOS}, \
    {"will-retain", no_argument, 0, OPTION_WILL_RETAIN}, \
    {"help", no_argument, 0, OPTION_HELP}, \
    {"version", no_argument, 0, OPTION_VERSION}

/* Those of a program that makes secure connections too. */
#define OPTIONS_SECURITY_LONG \
    {"cafile", required_argument, 0, OPTION_CAFILE}, \
    {"cert", required_argument, 0, OPTION_CERT}, \
    {"key", required_argument, 0, OPTION_KEY}, \
    {"psk", required_argument, 0, OPTION_PSK}, \
    {"psk-identity", required_argument, 0, OPTION_PSK_IDENTITY}, \
    {"servername", required_argument, 0, OPTION_SERVER_NAME}

#define OPTIONS_SECURITY_HELP \
    "Secure connection (with --cafile or --psk; files in PEM or DER):\n" \
    "      --cafile FILE            certificates of the authorities that may vouch for the broker\n" \
    "      --cert FILE              our certificate, for a broker that wants one\n" \
    "      --key FILE               its private key\n" \
    "      --psk DIGITS             in place of certificates, a key that the broker has too, in hexadecimal digits\n" \
    "      --psk-identity NAME      name of that key\n" \
    "      --servername NAME        name or address that the broker's certificate must bear (default: that of -h)\n"

#define OPTIONS_HELP \
    "Connection:\n" \
    "  -h, --host NAME              broker's name or address (default: localhost)\n" \
    "  -p, --port PORT              broker's port (default: 1883, secure 8883)\n" \
    "  -i, --id IDENTIFIER          client identifier (default: made up)\n" \
    "  -c, --disable-clean-session  the broker keeps subscriptions and messages while we are away; needs -i\n" \
    "  -u, --username NAME          user name\n" \
    "  -P, --pw PASSWORD            password\n" \
    "  -k, --keepalive SECONDS      keep-alive time, 0 for none (default: 300)\n" \
    "  -V, --protocol-version V     mqttv311 or mqttv31 (default: mqttv311)\n" \
    "      --will-topic TOPIC       topic of the will\n" \
    "      --will-payload TEXT      message of the will (default: empty)\n" \
    "      --will-qos QOS           QoS of the will: 0, 1 or 2 (default: 0)\n" \
    "      --will-retain            make the will a retained message\n" \
    "      --help                   show this help\n" \
    "      --version                show the version\n"

void options_init(OPTIONS *options, const char *program);

/* Takes an option that the program does not know itself. The help text is what --help shows. Does not return where the option asks
   for nothing but a text, or is wrong. */
void options_take(OPTIONS *options, int option, const char *argument, const char *help);

/* Refuses what does not go together, and arguments that are no options. To be called after the last option. */
void options_check(const OPTIONS *options, int arguments_left);

/* Whether they ask for a secure connection. */
int options_secure(const OPTIONS *options);

/* The port that was given, or the usual one of such a connection. */
unsigned short options_port(const OPTIONS *options);

/* Reads a decimal number in a range, or refuses it. */
unsigned long options_number(const OPTIONS *options, const char *what, const char *text, unsigned long minimum, unsigned long maximum);

/* Says on standard error what is wrong, and exits. */
void options_refuse(const OPTIONS *options, const char *format, ...);

#endif
