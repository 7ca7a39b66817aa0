#include "input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK 65536
#define LONGEST 268435455               /* what an MQTT packet can carry at most */

static int make_room(INPUT *input)
{
    char *larger;

    if (input->begin > 0) {
        memmove(input->buffer, input->buffer + input->begin, input->end - input->begin);
        input->searched -= input->begin;
        input->end -= input->begin;
        input->begin = 0;
    }
    if (input->end > LONGEST) {
        errno = EFBIG;
        return -1;
    }
    if (input->capacity - input->end >= CHUNK) {
        return 0;
    }
    larger = realloc(input->buffer, 2 * input->capacity + CHUNK);
    if (larger == 0) {
        return -1;
    }
    input->buffer = larger;
    input->capacity = 2 * input->capacity + CHUNK;
    return 0;
}

int input_read(INPUT *input, int descriptor)
{
    ssize_t given;

    if (make_room(input) != 0) {
        return -1;
    }
    given = read(descriptor, input->buffer + input->end, CHUNK);
    if (given < 0) {
        return (errno == EINTR || errno == EAGAIN) ? 0 : -1;
    }
    input->end += (size_t)given;
    input->ended = (given == 0);
    return 0;
}

int input_take_line(INPUT *input, const char **line, size_t *length)
{
    char *end = 0;

    if (input->searched < input->end) {
        end = memchr(input->buffer + input->searched, '\n', input->end - input->searched);
    }
    if (end == 0) {
        input->searched = input->end;
        if (!input->ended || input->begin == input->end) {
            return 0;
        }
        end = input->buffer + input->end;
    }
    *line = input->buffer + input->begin;
    *length = (size_t)(end - *line);
    input->begin += *length + ((end < input->buffer + input->end) ? 1 : 0);
    input->searched = input->begin;
    return 1;
}
