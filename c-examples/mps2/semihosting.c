#include "semihosting.h"

#include <stdint.h>

#define GET_COMMAND_LINE 0x15u
#define EXIT_EXTENDED 0x20u
#define APPLICATION_EXIT 0x20026u

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

void semihosting_exit(int code)
{
    const uint32_t parameters[2] = {APPLICATION_EXIT, (uint32_t)code};

    for (;;) {
        call(EXIT_EXTENDED, parameters);
    }
}
