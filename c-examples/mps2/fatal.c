#include "fatal.h"

#include "board.h"
#include "semihosting.h"
#include "uart.h"

void fatal(int exit_code, const char *what)
{
    __asm__ volatile("cpsid i" : : : "memory");
    uart_write("\r\nfatal: ");
    uart_write(what);
    uart_write("\r\n");
    semihosting_exit(exit_code);
}

void fatal_assertion(const char *what, const char *file, int line)
{
    char digits[12];
    char *first = digits + sizeof digits - 1;

    *first = '\0';
    do {
        *--first = (char)('0' + line % 10);
        line /= 10;
    } while (line > 0);
    uart_write("\r\n");
    uart_write(file);
    uart_write(":");
    uart_write(first);
    fatal(EXIT_ASSERTION, what);
}
