/* Counting on QEMU's mps2-an386 without an operating system: QEMU logs the address of every instruction, and
   instructions-qemu adds up those between fnCount_start() and fnCount_stop(). Semihosting prints and ends. */
#include "count.h"
#include <stdint.h>

extern uint32_t ulData_load[], ulData_start[], ulData_end[], ulBss_start[], ulBss_end[], ulStack_top[];

static void fnSemihost(uint32_t ulOperation, const void *ptrParameter)
{
    register uint32_t r0 __asm__("r0") = ulOperation;
    register const void *r1 __asm__("r1") = ptrParameter;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

/* One line, in one piece: the log goes to the same place. */
static void fnPrint_line(const char *ptrStart, const char *ptrText)
{
    char cLine[80];
    char *ptrEnd = cLine;
    while (*ptrStart != 0) {
        *ptrEnd++ = *ptrStart++;
    }
    while (*ptrText != 0) {
        *ptrEnd++ = *ptrText++;
    }
    *ptrEnd++ = '\n';
    *ptrEnd = 0;
    fnSemihost(0x04, cLine); /* SYS_WRITE0 */
}

void fnFinish(const char *ptrFault)
{
    const uint32_t ulExit[2] = {0x20026, ptrFault != 0}; /* ADP_Stopped_ApplicationExit, status */
    if (ptrFault != 0) {
        fnPrint_line("fault: ", ptrFault);
    }
    fnSemihost(0x20, ulExit); /* SYS_EXIT_EXTENDED */
    for (;;) {
    }
}

static void fnFault(void)
{
    fnFinish("the processor faulted");
}

void fnReset(void)
{
    uint32_t *from = ulData_load;
    uint32_t *to;
    *(volatile uint32_t *)0xe000ed88 |= 0xf << 20; /* CPACR: let the floating point unit be used */
    for (to = ulData_start; to < ulData_end; to++) {
        *to = *from++;
    }
    for (to = ulBss_start; to < ulBss_end; to++) {
        *to = 0;
    }
    fnOperations();
    fnFinish(0);
}

const void *const ptrVectors[16] __attribute__((section(".vectors"), used)) = {
    ulStack_top, fnReset, fnFault, fnFault, fnFault, fnFault, fnFault,
};

/* Functions of their own, since the log is searched for them. */
__attribute__((noinline)) void fnCount_start(const char *ptrName)
{
    __asm__ volatile("" : : "r"(ptrName));
}

__attribute__((noinline)) void fnCount_stop(const char *ptrName)
{
    fnPrint_line("counted: ", ptrName);
}
