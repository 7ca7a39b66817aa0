#include "application.h"

#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "cli.h"
#include "exercise.h"
#include "fatal.h"
#include "network.h"
#include "secure.h"
#include "semihosting.h"
#include "uart.h"

static struct {
    char arguments[256];
    const char *broker;
    const char *name_server;            /* 0: that of DHCP */
    const char *server_name;            /* in the broker's certificate; 0: the broker's */
    unsigned long time_difference;      /* between the calendar and the clock of the emulator's machine */
    MQTT_OPTIONS options;
    int connect;                        /* as soon as there is a network */
    volatile int network_changed;
    int network_up;                     /* as told last */
    char line[64];                      /* after '!' */
    unsigned length;
    int at_start_of_line, in_exercise;
} application = {
    .broker = "10.0.2.2",               /* the host, in QEMU's user network */
    .at_start_of_line = 1
};

static void parse_argument(const char *argument)
{
    const char *value = strchr(argument, '=');
    unsigned long number;

    if (value == 0) {
        return;                         /* the image's own name */
    }
    value++;
    number = strtoul(value, 0, 10);
    if (strncmp(argument, "broker=", 7) == 0) {
        application.broker = value;
    }
    else if (strncmp(argument, "dns=", 4) == 0) {
        application.name_server = value;
    }
    else if (strncmp(argument, "port=", 5) == 0) {
        application.options.usPort = (unsigned short)number;
    }
    else if (strncmp(argument, "keepalive=", 10) == 0) {
        application.options.usKeepAliveSeconds = (unsigned short)number;
    }
    else if (strncmp(argument, "response=", 9) == 0) {
        application.options.usResponseSeconds = (unsigned short)number;
    }
    else if (strncmp(argument, "reconnect=", 10) == 0) {
        application.options.usReconnectMinSeconds = (unsigned short)number;
    }
    else if (strncmp(argument, "connect=", 8) == 0) {
        application.connect = (number != 0);
    }
    else if (strncmp(argument, "servername=", 11) == 0) {
        application.server_name = value;
    }
    else if (strncmp(argument, "time=", 5) == 0) {
        application.time_difference = number - semihosting_time();
    }
    else {
        fatal(EXIT_ARGUMENTS, argument);
    }
}

const char *application_arguments(void)
{
    char *argument = application.arguments;

    if (semihosting_command_line(application.arguments, sizeof application.arguments) != 0) {
        return application.broker;
    }
    while (*argument != '\0') {
        char *end = argument + strcspn(argument, " ");
        int last = (*end == '\0');

        *end = '\0';
        parse_argument(argument);
        argument = last ? end : end + 1;
    }
    return application.broker;
}

unsigned long application_unix_time(void)
{
    return semihosting_time() + application.time_difference;
}

static void write_text(void *context, const char *text)
{
    (void)context;
    uart_write(text);
}

void application_start(void (*uart_received)(void))
{
    static const CLI_TERMINAL terminal = {.write = write_text, .client_identifier = "KINETIS", .echo = 1};

    ENSURE(fnSetMQTT_options(&application.options) == MQTT_RESULT_OK);
#ifdef SECURE_MQTT
    secure_start((application.server_name != 0) ? application.server_name : application.broker);
#endif
    cli_start(&terminal);
    exercise_start();
    uart_start(uart_received);
}

void application_network_changed(void)
{
    application.network_changed = 1;
}

static int menu_input(const char *text)
{
    int quit = 0;

    while (*text != '\0') {
        quit = cli_input(*text++);
    }
    return quit;
}

static void tell_network(void)
{
    int was_up = application.network_up;

    application.network_changed = 0;
    application.network_up = network_is_up();
    if (application.network_up && application.name_server != 0) {
        network_set_name_server(application.name_server);
    }
    if (application.network_up == was_up) {
        return;                         /* another address has come, or the same again */
    }
    if (!application.network_up) {
        uart_write("network down\r\n");
        return;
    }
    uart_write("network up ");
    uart_write(network_address());
    uart_write("\r\n");
    if (application.connect) {
        application.connect = 0;
        menu_input(APPLICATION_CONNECT);
    }
}

/* Lines that begin with '!' are not the menu's. 1 when the user has quit. */
static int take_character(char character)
{
    int end_of_line = (character == '\r' || character == '\n');

    if (application.at_start_of_line && character == '!') {
        application.in_exercise = 1;
        application.length = 0;
    }
    else if (!application.in_exercise) {
        application.at_start_of_line = end_of_line;
        return cli_input(character);
    }
    else if (end_of_line) {
        application.line[application.length] = '\0';
        application.in_exercise = 0;
        exercise_line(application.line);
    }
    else if (application.length < sizeof application.line - 1) {
        application.line[application.length++] = character;
    }
    application.at_start_of_line = !application.in_exercise;
    return 0;
}

/* Does what is to be done after a poll, and what the user has typed: 1 when the user has quit. */
static int work(void)
{
    char character;

    exercise_count_turn();
    if (application.network_changed) {
        tell_network();
    }
    while (uart_get(&character)) {
        if (take_character(character)) {
            return 1;
        }
    }
    return 0;
}

void application_run(void (*turn)(void))
{
    do {
        turn();
    } while (!work());
    if (fnDisconnectMQTT() == MQTT_RESULT_OK) {
        while (cli_is_connected()) {
            turn();
        }
        exercise_pause(100);            /* for the last segments */
    }
    semihosting_exit(EXIT_QUIT);
}
