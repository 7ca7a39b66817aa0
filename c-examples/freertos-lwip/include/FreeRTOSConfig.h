#ifndef FREERTOS_CONFIG_H
#define FREERTOS_CONFIG_H

#include "fatal.h"

#define configCPU_CLOCK_HZ 25000000
#define configTICK_RATE_HZ 1000
#define configTICK_TYPE_WIDTH_IN_BITS TICK_TYPE_WIDTH_32_BITS
#define configUSE_PREEMPTION 1
#define configMAX_PRIORITIES 7
#define configMINIMAL_STACK_SIZE 128
#define configMAX_TASK_NAME_LEN 12
#define configTOTAL_HEAP_SIZE (48 * 1024)
#define configENABLE_BACKWARD_COMPATIBILITY 1   /* lwIP's port uses older names */
#define configUSE_NEWLIB_REENTRANT 1            /* an errno for each task */

#define configUSE_MUTEXES 1
#define configUSE_RECURSIVE_MUTEXES 1
#define configUSE_TASK_NOTIFICATIONS 1
#define configUSE_TIMERS 0
#define configUSE_TICKLESS_IDLE 1               /* no tick where no task waits for it: the processor sleeps */
#define configUSE_IDLE_HOOK 0
#define configUSE_TICK_HOOK 0
#define configUSE_TRACE_FACILITY 1              /* uxTaskGetSystemState, for the stacks' high-water marks */
#define configRECORD_STACK_HIGH_ADDRESS 1
#define configSUPPORT_DYNAMIC_ALLOCATION 1

#define INCLUDE_vTaskDelay 1
#define INCLUDE_vTaskDelete 1
#define INCLUDE_vTaskSuspend 1                  /* portMAX_DELAY waits for ever */
#define INCLUDE_uxTaskGetStackHighWaterMark 1
#define INCLUDE_xTaskGetCurrentTaskHandle 1
#define INCLUDE_xTaskGetSchedulerState 1

/* Interrupts of a smaller number may not call FreeRTOS; there are none here. */
#define configPRIO_BITS 8
#define configMAX_SYSCALL_INTERRUPT_PRIORITY 0x40
#define configKERNEL_INTERRUPT_PRIORITY 0xff

#define configCHECK_FOR_STACK_OVERFLOW 2
#define configUSE_MALLOC_FAILED_HOOK 1
#define configASSERT(condition) ENSURE(condition)

#endif
