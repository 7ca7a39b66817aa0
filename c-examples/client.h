/* One MQTT client in a program: its connection, its main loop and its exit code. */
#ifndef CLIENT_H
#define CLIENT_H

#include "options.h"
#include "port_posix.h"

#define CLIENT_TIMED_OUT 27             /* exit code */

typedef struct {
    const OPTIONS *options;
    PORT port;
    char made_up_identifier[24];
    int reconnects;
    int connected;                      /* the broker has accepted us */
    int was_connected;
    int closing;                        /* nothing more to be done */
    int finished;
    int exit_code;
    int interrupted_exit_code;          /* where SIGINT or SIGTERM ends it */
    unsigned long start;                /* in milliseconds */
    unsigned long timeout;              /* milliseconds after the start, 0: none */
} CLIENT;

/* Starts to connect as the options say. reconnect_seconds above 0: again and again once the broker has accepted us. Exits where
   that is impossible. */
void client_start(CLIENT *client, const OPTIONS *options, MQTT_CALLBACK callback, unsigned short reconnect_seconds);

/* What every program does with an event. For the events that ask, returns the answer. */
unsigned short client_event(CLIENT *client, signed char scEvent, unsigned char *ptrData, unsigned long ulLength);

/* Runs until the connection has ended for good: the exit code. Calls work after everything that may have happened. Watches input
   too, which may be 0. */
int client_run(CLIENT *client, void (*work)(void), struct pollfd *input);

/* Ends the connection; the program will exit with this code. */
void client_end(CLIENT *client, int exit_code);

/* Says why it cannot go on and ends the connection. */
void client_fail(CLIENT *client, const char *format, ...);

/* Says something on standard error. */
void client_complain(const CLIENT *client, const char *format, ...);

#endif
