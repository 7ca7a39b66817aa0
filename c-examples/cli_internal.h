/* What the three files of the menu know of each other: cli.c (terminal and command line), cli_commands.c (what a command does) and
   cli_callback.c (what the MQTT client asks and tells). */
#ifndef CLI_INTERNAL_H
#define CLI_INTERNAL_H

#define CLI_MAX_ARGUMENTS 2

typedef struct {
    char *text;
    int quoted;
} CLI_WORD;

typedef struct {
    int count;
    CLI_WORD word[CLI_MAX_ARGUMENTS];
} CLI_ARGUMENTS;

typedef struct {
    const char *name;
    const char *help;                   /* 0: understood, but not listed */
    int required_arguments;
    int allowed_arguments;
    void (*run)(const CLI_ARGUMENTS *arguments);
} CLI_COMMAND;

/* cli.c */
void cli_say(const char *text);
void cli_say_line(const char *text);
void cli_say_number(const char *before, unsigned long value, const char *after);
const char *cli_client_identifier(void);
void cli_quit(void);

/* cli_commands.c */
extern const CLI_COMMAND cli_commands[];        /* ends with an entry without name */
void cli_show_help(const CLI_ARGUMENTS *arguments);

/* cli_callback.c */
unsigned short cli_mqtt_callback(signed char scEvent, unsigned char *ptrData, unsigned long ulLength, unsigned char ucSubscriptionRef);
void cli_connection_started(void);
int cli_can_promise_payload(void);
void cli_promise_payload(unsigned short binary_length);

#endif
