/* The MQTT command-line menu: characters in, text out. It needs the MQTT interface and nothing else: no operating system, no heap.
   There is one menu, as there is one MQTT client; its functions belong in the task that calls fnPollMQTT. */
#ifndef CLI_H
#define CLI_H

typedef struct {
    void (*write)(void *context, const char *text);     /* takes text of any length, with CR LF line ends */
    void *context;
    const char *client_identifier;
    unsigned char echo;                 /* 1 where nobody else shows what is typed, as on a UART */
} CLI_TERMINAL;

/* Shows the menu and its prompt on this terminal. The connection, if there is one, stays as it is. */
void cli_start(const CLI_TERMINAL *terminal);

/* Takes one character that was typed, and runs the command when it ends the line: 1 when the user wants to quit, otherwise 0. */
int cli_input(char character);

/* 1 from mqtt_con until the reply "MQTT closed", or the error instead of it, has been written. */
int cli_is_connected(void);

#endif
