#include "semihosting.h"

#include <stdint.h>

#define OPEN 0x01u
#define CLOSE 0x02u
#define READ 0x06u
#define TIME 0x11u
#define GET_COMMAND_LINE 0x15u
#define EXIT_EXTENDED 0x20u
#define APPLICATION_EXIT 0x20026u

#define OPEN_TO_READ_BYTES 1u

static int call(uint32_t operation, const void *parameters)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = parameters;

    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return (int)r0;
}

int semihosting_command_line(char *text, int size)
{
    const uint32_t parameters[2] = {(uint32_t)text, (uint32_t)size};

    return call(GET_COMMAND_LINE, parameters);
}

int semihosting_random(unsigned char *data, unsigned short length)
{
    static const char name[] = "/dev/urandom";
    const uint32_t to_open[3] = {(uint32_t)name, OPEN_TO_READ_BYTES, sizeof name - 1};
    const int file = call(OPEN, to_open);
    const uint32_t to_read[3] = {(uint32_t)file, (uint32_t)data, length};
    int missing;

    if (file < 0) {
        return -1;
    }
    missing = call(READ, to_read);
    call(CLOSE, to_read);
    return (missing == 0) ? 0 : -1;
}

unsigned long semihosting_time(void)
{
    return (unsigned long)call(TIME, 0);
}

void semihosting_exit(int code)
{
    const uint32_t parameters[2] = {APPLICATION_EXIT, (uint32_t)code};

    for (;;) {
        call(EXIT_EXTENDED, parameters);
    }
}
