/* Tasks and timers, strings and the debug output. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "internal.h"

volatile UTASK_TICK uTaskerSystemTick = 0xfffffc00;    /* it wraps during the test */

static TTASKTABLE mqtt_task = {.TaskID = 7};
static struct {
    UTASK_TICK due;
    unsigned char ucEvent;
    int iEnabled;
} mqtt_timer;
static int iMessages = 0;               /* in the task's queue */
static int iInterruptLevel = 0;

void uTaskerStateChange(UTASK_TASK pcTaskName, unsigned char ucSetState)
{
    check(pcTaskName == TASK_MQTT, "another task is woken");
    mqtt_task.ucTaskState = ucSetState;
}

void uTaskerMonoTimer(UTASK_TASK pcTaskName, DELAY_LIMIT delay, unsigned char time_out_nr)
{
    check(pcTaskName == TASK_MQTT && time_out_nr != 0, "a timer that repeats, or another task's");
    mqtt_timer.due = uTaskerSystemTick + ((delay == 0) ? 1u : delay);
    mqtt_timer.ucEvent = time_out_nr;
    mqtt_timer.iEnabled = 1;
}

QUEUE_TRANSFER fnRead(QUEUE_HANDLE driver_id, unsigned char *input_buffer, QUEUE_TRANSFER nr_of_bytes)
{
    check(driver_id == mqtt_task.TaskID, "another task's queue");
    if (iMessages == 0) {
        return 0;
    }
    iMessages--;
    memset(input_buffer, 0, nr_of_bytes);
    input_buffer[MSG_SOURCE_TASK] = TIMER_EVENT;
    input_buffer[MSG_TIMER_EVENT] = mqtt_timer.ucEvent;
    return nr_of_bytes;
}

void uDisable_Interrupt(void)
{
    iInterruptLevel++;
}

void uEnable_Interrupt(void)
{
    check(iInterruptLevel > 0, "interrupts are enabled more often than disabled");
    iInterruptLevel--;
}

/* A tick is an interrupt: none is lost while the program sleeps. */
void tasks_count_ticks(void)
{
    static unsigned long ulCounted = 0;
    struct timespec now;
    unsigned long ulTicks;

    clock_gettime(CLOCK_MONOTONIC, &now);
    ulTicks = (unsigned long)now.tv_sec * SEC + (unsigned long)now.tv_nsec / (1000ul * TICK_RESOLUTION);
    for (ulCounted = (ulCounted == 0) ? ulTicks : ulCounted; ulCounted < ulTicks; ulCounted++) {
        uTaskerSystemTick++;
        if (mqtt_timer.iEnabled && uTaskerSystemTick == mqtt_timer.due) {
            mqtt_timer.iEnabled = 0;
            mqtt_task.ucTaskState = UTASKER_ACTIVATE;
            iMessages++;
        }
    }
}

void tasks_run(void)
{
    if (mqtt_task.ucTaskState == UTASKER_ACTIVATE) {
        mqtt_task.ucTaskState = UTASKER_STOP;
        fnMQTT(&mqtt_task);
        tasks_check_interrupts("interrupts stay disabled");
    }
}

int tasks_are_stopped(void)
{
    return mqtt_task.ucTaskState == UTASKER_STOP;
}

void tasks_check_interrupts(const char *text)
{
    check(iInterruptLevel == 0, text);
}

/* Strings and the debug output, which takes CR LF as it comes. */

static TEMPPARS parameters = {{"KINETIS"}};
TEMPPARS *temp_pars = &parameters;

void *uMemcpy(void *ptrTo, const void *ptrFrom, size_t Size)
{
    return memcpy(ptrTo, ptrFrom, Size);
}

int uStrcmp(const CHAR *ptrStr1, const CHAR *ptrStr2)
{
    return strcmp(ptrStr1, ptrStr2);
}

CHAR *uStrcpy(CHAR *ptrTo, const CHAR *ptrFrom)
{
    return strcpy(ptrTo, ptrFrom) + strlen(ptrFrom);
}

QUEUE_TRANSFER fnDebugMsg(CHAR *cToSend)
{
    tasks_check_interrupts("output with interrupts disabled");
    fputs(cToSend, stdout);
    fflush(stdout);
    return (QUEUE_TRANSFER)strlen(cToSend);
}

void fnDebugDec(signed long slNumberToConvert, unsigned char ucStyle)
{
    CHAR cNumber[24];

    (void)ucStyle;
    sprintf(cNumber, "%ld", slNumberToConvert);
    fnDebugMsg(cNumber);
}
