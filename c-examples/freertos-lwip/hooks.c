/* What FreeRTOS calls where it cannot go on, see FreeRTOSConfig.h. */
#include "FreeRTOS.h"
#include "task.h"

#include "board.h"
#include "fatal.h"
#include "uart.h"

void vApplicationStackOverflowHook(TaskHandle_t task, char *name)
{
    (void)task;
    uart_write("\r\ntask ");
    uart_write(name);
    fatal(EXIT_STACK_OVERFLOW, "a stack has overflowed");
}

void vApplicationMallocFailedHook(void)
{
    fatal(EXIT_NO_MEMORY, "the heap is exhausted");
}
