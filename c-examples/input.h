/* Messages to publish, read from a file or a pipe. */
#ifndef INPUT_H
#define INPUT_H

#include <stddef.h>

typedef struct {
    char *buffer;
    size_t capacity;
    size_t begin;                       /* what was not taken yet */
    size_t searched;                    /* up to here there is no line end */
    size_t end;
    int ended;                          /* there is nothing more to read */
} INPUT;

/* Reads some more: 0, or -1 with errno. What was taken before is no longer valid. */
int input_read(INPUT *input, int descriptor);

/* Takes the next line, without its line end: 1, or 0 where there is no whole line. The last line may lack its end. */
int input_take_line(INPUT *input, const char **line, size_t *length);

#endif
