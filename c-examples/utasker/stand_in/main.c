/* μTasker on this machine, as far as MQTT needs it: the task loop with its timer, and TCP with the events that μTasker's listener
   gets, in its order, over a socket of the system. What is typed goes to the application; a line that begins with ! makes the
   network misbehave. Usage: utasker [port of the broker on this machine]

   It ends with code 3 where the port does what μTasker's TCP does not allow. */
#include "config.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "utasker_mqtt.h"

#include "internal.h"

#define FINAL_TICKS         50          /* of quiet, at the end of the input */

void check(int iTrue, const char *text)
{
    if (!iTrue) {
        fprintf(stderr, "not allowed: %s\n", text);
        exit(3);
    }
}

void tell(const char *format, unsigned long ulNumber)
{
    fprintf(stderr, format, ulNumber);
}

static void change_network(const char *command)
{
    static const struct {
        const char *ptrCommand;
        int *ptrFault;
        int iValue;
    } faults[] = {
        {"lose_segment", &network.iLoseSegment, 1},
        {"lose_second_segment", &network.iLoseSegment, 2},
        {"no_buffer", &network.iNoBuffer, 1},
        {"lose_ack", &network.iLoseAck, 1},
        {"half_ack", &network.iHalfAck, 1},
        {"lose_all", &network.iLoseAll, 1},
        {"lose_nothing", &network.iLoseAll, 0},
        {"forget_address", &network.iForgetAddress, 1},
        {"no_address", &network.iNoAddress, 1},
        {"address", &network.iNoAddress, 0}
    };
    static const MQTT_OPTIONS reconnect = {.usReconnectMinSeconds = 1};
    unsigned short usWindow;
    unsigned int i;

    for (i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        if (strcmp(command, faults[i].ptrCommand) == 0) {
            *faults[i].ptrFault = faults[i].iValue;
            return;
        }
    }
    if (strcmp(command, "abort") == 0) {
        tcp_abort();
    }
    else if (strcmp(command, "reconnect") == 0) {
        check(fnSetMQTT_options(&reconnect) == MQTT_RESULT_OK, "options now");
    }
    else if (sscanf(command, "window %hu", &usWindow) == 1) {
        tcp_set_window(usWindow);
    }
    else {
        check(0, command);
    }
}

static void run_line(char *line)
{
    if (line[0] == '!') {
        change_network(line + 1);
    }
    else {
        fnMQTT_menu(line);
    }
}

/* Waits for at most a tick. Returns 0 at the end of the input. */
static int read_input(int iWait)
{
    static char cLine[200];
    static unsigned int uiLength = 0;
    struct pollfd input[2] = {{0, POLLIN, 0}, {tcp_descriptor(), POLLIN, 0}};
    char character;

    poll(input, 2, iWait ? (TICK_RESOLUTION + 999) / 1000 : 0);
    if (input[0].revents == 0) {
        return 1;
    }
    if (read(0, &character, 1) != 1) {
        return 0;
    }
    if (character != '\n') {
        cLine[uiLength] = character;
        uiLength += (uiLength < sizeof cLine - 1);
        return 1;
    }
    cLine[uiLength] = '\0';
    uiLength = 0;
    run_line(cLine);
    return 1;
}

int main(int argc, char *argv[])
{
    int iInput = 1;
    int iQuietTurns = 0;

    tcp_start((unsigned short)((argc > 1) ? atoi(argv[1]) : MQTT_PORT));
    while (iInput || iQuietTurns < FINAL_TICKS) {
        tasks_count_ticks();
        tcp_run();
        tasks_run();
        if (iInput) {
            iInput = read_input(tasks_are_stopped());
            if (!iInput) {
                fnDisconnectMQTT();
            }
        }
        else {
            poll(0, 0, 1);
        }
        iQuietTurns = (tcp_is_quiet() && tasks_are_stopped()) ? iQuietTurns + 1 : 0;
    }
    return 0;
}
