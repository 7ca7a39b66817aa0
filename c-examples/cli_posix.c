/* The command-line menu on a POSIX system: on the terminal, or for one Telnet client at a time. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "cli.h"
#include "interrupt.h"
#include "mqtt_names.h"
#include "options.h"
#include "port_posix.h"
#include "security.h"
#include "telnet.h"

#define TELNET_SECONDS 1                /* that a Telnet client may take to read */

#define HELP \
    "Usage: cli [OPTION...]\n" \
    "The MQTT command-line menu. Reads commands from standard input; 'help' lists them.\n\n" \
    "  -h, --host NAME              broker of mqtt_con without an address (default: localhost)\n" \
    "  -p, --port PORT              broker's port (default: 1883, secure 8883)\n" \
    "  -i, --id IDENTIFIER          client identifier (default: KINETIS)\n" \
    "      --telnet PORT            serve Telnet clients at this port of the loopback interface instead\n" \
    "      --echo                   show the commands read, for a transcript where they come from a file\n" \
    "      --help                   show this help\n" \
    "      --version                show the version\n\n" \
    OPTIONS_SECURITY_HELP

enum {
    OPTION_TELNET = OPTION_OWN,
    OPTION_ECHO
};

static const struct option long_options[] = {
    {"host", required_argument, 0, 'h'},
    {"id", required_argument, 0, 'i'},
    {"port", required_argument, 0, 'p'},
    OPTIONS_SECURITY_LONG,
    {"telnet", required_argument, 0, OPTION_TELNET},
    {"echo", no_argument, 0, OPTION_ECHO},
    {"help", no_argument, 0, OPTION_HELP},
    {"version", no_argument, 0, OPTION_VERSION},
    {0, 0, 0, 0}
};

static struct {
    OPTIONS options;
    CLI_TERMINAL terminal;
    unsigned short telnet_port;         /* 0: standard input and output */
    TELNET_STATE telnet_state;
    int listener;
    char last_character;                /* read */
    struct pollfd input;                /* standard input, the Telnet client or, without one, the listener */
    FILE *output;                       /* 0: nobody is listening */
    PORT port;
    int ending;
} console;

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s: %s\n", console.options.program, what, why);
    exit(EXIT_FAILURE);
}

/* Telnet wants CR LF, a terminal the system's own line end. */
static void write_text(void *context, const char *text)
{
    (void)context;
    if (console.output == 0 || ferror(console.output)) {
        return;
    }
    for (; *text != '\0'; text++) {
        if (*text != '\r' || console.telnet_port != 0) {
            putc(*text, console.output);
        }
    }
}

static void parse_options(int argc, char **argv)
{
    int option;

    options_init(&console.options, "cli");
    console.options.client_identifier = "KINETIS";
    while ((option = getopt_long(argc, argv, "h:i:p:", long_options, 0)) != -1) {
        switch (option) {
        case OPTION_TELNET:
            console.telnet_port = (unsigned short)options_number(&console.options, "the Telnet port", optarg, 1, 65535);
            break;
        case OPTION_ECHO:
            console.terminal.echo = 1;
            break;
        default:
            options_take(&console.options, option, optarg, HELP);
            break;
        }
    }
    options_check(&console.options, argc - optind);
    console.terminal.write = write_text;
    console.terminal.client_identifier = console.options.client_identifier;
}

static void prepare_mqtt(void)
{
    MQTT_OPTIONS mqtt_options = {0};
    int result = port_init(&console.port, console.options.host, AF_UNSPEC);

    console.port.print = write_text;
    mqtt_options.usPort = console.options.port;
    if (result == MQTT_RESULT_OK) {
        security_prepare(&console.options);
        result = fnSetMQTT_options(&mqtt_options);
    }
    if (result != MQTT_RESULT_OK) {
        fail("cannot prepare MQTT", mqtt_result_name(result));
    }
}

static void start_input(void)
{
    console.input.events = POLLIN;
    if (console.telnet_port == 0) {
        console.input.fd = STDIN_FILENO;
        console.output = stdout;
        cli_start(&console.terminal);
        return;
    }
    console.listener = telnet_listen(console.telnet_port);
    console.input.fd = console.listener;
    if (console.listener < 0) {
        fail("cannot listen for Telnet", strerror(errno));
    }
}

static void accept_client(void)
{
    const struct timeval limit = {TELNET_SECONDS, 0};
    int client = accept(console.listener, 0, 0);

    if (client >= 0) {
        setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        console.input.fd = client;
        console.output = fdopen(client, "w");
        console.telnet_state = TELNET_DATA;
        cli_start(&console.terminal);
    }
}

static void close_client(void)
{
    fclose(console.output);
    console.output = 0;
    console.input.fd = console.listener;
}

/* A Telnet client that does not read must not keep MQTT waiting: it is closed. */
static void flush_output(void)
{
    if (console.output != 0) {
        fflush(console.output);
        if (ferror(console.output) && console.telnet_port != 0) {
            close_client();
        }
    }
}

static void end_program(void)
{
    if (!console.ending) {
        console.ending = 1;
        console.input.fd = -1;
        if (cli_is_connected()) {
            fnDisconnectMQTT();
        }
    }
}

/* The user has quit, or there is nothing more to read. */
static void end_input(void)
{
    if (console.telnet_port != 0) {
        close_client();
    }
    else {
        end_program();
    }
}

static void read_input(void)
{
    char text[256];
    ssize_t length = read(console.input.fd, text, sizeof text);
    ssize_t i;

    for (i = 0; i < length; i++) {
        int typed = (console.telnet_port == 0 || telnet_is_typed(&console.telnet_state, (unsigned char)text[i]));

        if (typed && cli_input(text[i])) {
            end_input();
            return;
        }
    }
    if (length > 0) {
        console.last_character = text[length - 1];
        return;
    }
    if (console.telnet_port == 0 && console.last_character != '\n') {
        cli_input('\n');                /* the last line lacked its end; a lost Telnet client's may lack more */
    }
    end_input();
}

static void handle_input(void)
{
    if (console.telnet_port != 0 && console.input.fd == console.listener) {
        accept_client();
    }
    else {
        read_input();
    }
}

static void run(void)
{
    for (;;) {
        unsigned long milliseconds = fnPollMQTT();

        flush_output();
        if (console.ending && !cli_is_connected()) {
            return;
        }
        port_wait(&console.port, milliseconds, &console.input, 1);
        if (interrupt_requested()) {
            end_program();
        }
        else if (console.input.revents != 0) {
            handle_input();
        }
    }
}

int main(int argc, char **argv)
{
    parse_options(argc, argv);
    prepare_mqtt();
    interrupt_watch(&console.port);
    signal(SIGPIPE, SIG_IGN);           /* that a Telnet client has gone is noticed when reading */
    start_input();
    run();
    port_free(&console.port);
    if (ferror(stdout)) {
        _exit(EXIT_SUCCESS);            /* exit() would wait once more for a reader that does not read */
    }
    return EXIT_SUCCESS;
}
