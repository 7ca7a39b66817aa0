#include "publisher_tasks.h"

#include "FreeRTOS.h"
#include "semphr.h"
#include "task.h"

#include "publishers.h"
#include "utasker_mqtt.h"

#define TASK_STACK 256                  /* words */
#define TASK_PRIORITY 2

static TaskHandle_t task[PUBLISHERS];
static SemaphoreHandle_t lock;

/* Publishes as fast as it can: where there is no room, an acknowledgement will tell that there is some. */
static void run(void *context)
{
    int index = (int)(intptr_t)context;

    for (;;) {
        int result;

        ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
        while ((result = publishers_publish(index)) != 0) {
            if (result == ERROR_MQTT_BUSY || result == ERROR_MQTT_NOT_READY) {
                ulTaskNotifyTake(pdTRUE, (result == ERROR_MQTT_BUSY) ? portMAX_DELAY : pdMS_TO_TICKS(100));
            }
            else {
                configASSERT(result > 0);
            }
        }
    }
}

void publisher_tasks_create(void)
{
    static const char *const name[PUBLISHERS] = {"fw/a", "fw/b"};
    int i;

    lock = xSemaphoreCreateMutex();
    configASSERT(lock != NULL);
    for (i = 0; i < PUBLISHERS; i++) {
        configASSERT(xTaskCreate(run, name[i], TASK_STACK, (void *)(intptr_t)i, TASK_PRIORITY, &task[i]) == pdPASS);
    }
}

void publishers_lock(void)
{
    xSemaphoreTake(lock, portMAX_DELAY);
}

void publishers_unlock(void)
{
    xSemaphoreGive(lock);
}

void publishers_wake(int index)
{
    xTaskNotifyGive(task[index]);
}
