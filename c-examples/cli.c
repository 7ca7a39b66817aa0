#include "cli.h"

#include <string.h>

#include "cli_internal.h"

#define LINE_LENGTH 128
#define LINE_TOO_LONG (LINE_LENGTH + 1)

static struct {
    CLI_TERMINAL terminal;
    char line[LINE_LENGTH + 1];
    unsigned char length;               /* of the line so far, or LINE_TOO_LONG */
    char last_character;
    unsigned char quit;
} console;

void cli_say(const char *text)
{
    console.terminal.write(console.terminal.context, text);
}

void cli_say_line(const char *text)
{
    cli_say(text);
    cli_say("\r\n");
}

void cli_say_number(const char *before, unsigned long value, const char *after)
{
    char digits[3 * sizeof value + 1];
    char *first = digits + sizeof digits - 1;

    *first = '\0';
    do {
        *--first = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    cli_say(before);
    cli_say(first);
    cli_say(after);
}

static void echo(const char *text)
{
    if (console.terminal.echo) {
        cli_say(text);
    }
}

const char *cli_client_identifier(void)
{
    return console.terminal.client_identifier;
}

void cli_quit(void)
{
    console.quit = 1;
}

/* Takes the next word out of the line, and terminates it: 1, or 0 where there is none, or -1 where its quote is not closed. */
static int next_word(char **line, CLI_WORD *word)
{
    char *text = *line + strspn(*line, " \t");
    char *end;

    if (*text == '\0') {
        return 0;
    }
    word->quoted = (*text == '"');
    word->text = text + word->quoted;
    end = word->text + strcspn(word->text, word->quoted ? "\"" : " \t");
    if (word->quoted && *end == '\0') {
        return -1;
    }
    *line = end + (*end != '\0');
    *end = '\0';
    return 1;
}

static const CLI_COMMAND *find_command(const char *name)
{
    const CLI_COMMAND *command = cli_commands;

    while (command->name != 0 && strcmp(command->name, name) != 0) {
        command++;
    }
    return command;
}

static void run_command(const CLI_COMMAND *command, char *line)
{
    CLI_ARGUMENTS arguments = {0};
    CLI_WORD word;
    int found;

    while ((found = next_word(&line, &word)) > 0 && arguments.count < command->allowed_arguments) {
        arguments.word[arguments.count++] = word;
    }
    if (found < 0) {
        cli_say_line("Missing closing quote");
    }
    else if (found > 0) {
        cli_say_line("Too many arguments; try help");
    }
    else if (arguments.count < command->required_arguments) {
        cli_say_line("Missing argument; try help");
    }
    else {
        command->run(&arguments);
    }
}

static void run_line(char *line)
{
    const CLI_COMMAND *command;
    CLI_WORD name;

    if (next_word(&line, &name) == 0) {
        return;
    }
    command = find_command(name.text);
    if (command->name == 0) {
        cli_say_line("Unknown command; try help");
    }
    else {
        run_command(command, line);
    }
}

static void end_line(void)
{
    echo("\r\n");
    if (console.length == LINE_TOO_LONG) {
        cli_say_line("Line too long");
    }
    else {
        console.line[console.length] = '\0';
        run_line(console.line);
    }
    console.length = 0;
    if (!console.quit) {
        cli_say("#");
    }
}

static void add_character(char character)
{
    char text[2] = {character, '\0'};

    if (console.length < LINE_LENGTH) {
        console.line[console.length++] = character;
        echo(text);
    }
    else {
        console.length = LINE_TOO_LONG;
    }
}

static void remove_character(void)
{
    if (console.length > 0 && console.length <= LINE_LENGTH) {
        console.length--;
        echo("\b \b");
    }
}

void cli_start(const CLI_TERMINAL *terminal)
{
    memset(&console, 0, sizeof console);
    console.terminal = *terminal;
    cli_show_help(0);
    cli_say("#");
}

int cli_input(char character)
{
    int second_of_pair = (character == '\n' && console.last_character == '\r');

    console.last_character = character;
    if (second_of_pair || character == '\0') {
        return 0;                       /* CR LF, or CR NUL as Telnet has it: the line has ended with CR */
    }
    if (character == '\r' || character == '\n') {
        end_line();
    }
    else if (character == '\b' || character == 0x7f) {
        remove_character();
    }
    else {
        add_character(character);
    }
    return console.quit;
}
