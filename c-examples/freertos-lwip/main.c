/* The MQTT client in a firmware: FreeRTOS, lwIP and the menu on the UART, in one task that polls. */
#include "FreeRTOS.h"
#include "task.h"

#include "application.h"
#include "board.h"
#include "exercise.h"
#include "network_task.h"
#include "port_lwip_sockets.h"
#include "publisher_tasks.h"
#include "semihosting.h"
#include "uart.h"

#ifdef SECURE_MQTT
#define TASK_STACK 2176                 /* words; the handshake runs in it */
#else
#define TASK_STACK 512                  /* words; lwIP's sending runs in it */
#endif
#define TASK_PRIORITY 3
#define MAX_TASKS 10

static PORT port;

static void received(void)
{
    port_wake(&port);
}

static void network_has_changed(void)
{
    application_network_changed();
    port_wake(&port);
}

void exercise_tell_stacks(void)
{
    static TaskStatus_t tasks[MAX_TASKS];
    UBaseType_t count = uxTaskGetSystemState(tasks, MAX_TASKS, NULL);
    UBaseType_t i;

    for (i = 0; i < count; i++) {
        unsigned long size = (unsigned long)(tasks[i].pxEndOfStack - tasks[i].pxStackBase + 1) * sizeof(StackType_t);

        exercise_tell_stack(tasks[i].pcTaskName, size - tasks[i].usStackHighWaterMark * sizeof(StackType_t), size);
    }
    exercise_tell_stack("interrupts", board_stack_used(), board_stack_size());
    exercise_tell_heap(configTOTAL_HEAP_SIZE - xPortGetMinimumEverFreeHeapSize(), configTOTAL_HEAP_SIZE);
}

void exercise_fill_stack(void)
{
    vTaskDelay(1);                      /* FreeRTOS looks at the stack when it switches */
}

void exercise_exhaust_heap(void)
{
    while (pvPortMalloc(1024) != NULL) {
    }
}

void exercise_pause(unsigned long milliseconds)
{
    vTaskDelay(pdMS_TO_TICKS(milliseconds));
}

static void turn(void)
{
    port_wait(&port, fnPollMQTT());
}

static void run_mqtt(void *broker)
{
    configASSERT(port_init(&port, broker) == MQTT_RESULT_OK);
    port.lwip.print = uart_write;
    port.lwip.random = semihosting_random;
    port.lwip.unix_time = application_unix_time;
    publisher_tasks_create();
    application_start(received);
    network_start(network_has_changed);
    application_run(turn);
}

int main(void)
{
    const char *broker = application_arguments();

    configASSERT(xTaskCreate(run_mqtt, "mqtt", TASK_STACK, (void *)broker, TASK_PRIORITY, NULL) == pdPASS);
    vTaskStartScheduler();
    return 0;
}
