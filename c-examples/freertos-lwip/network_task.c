#include "network_task.h"

#include "FreeRTOS.h"
#include "task.h"

#include "lwip/tcpip.h"

#include "board.h"
#include "lan9118.h"
#include "network.h"

#define TASK_STACK 384                  /* words; lwIP takes in what has arrived in it */
#define TASK_PRIORITY 5                 /* above all: the chip holds few frames */

static TaskHandle_t ethernet_task;
static void (*network_changed)(void);

static void run(void *context)
{
    (void)context;
    board_enable(IRQ_ETHERNET);
    for (;;) {
        network_take_in();
        ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
    }
}

void ethernet_interrupt(void)
{
    BaseType_t switch_task = pdFALSE;

    lan9118_mask();
    vTaskNotifyGiveFromISR(ethernet_task, &switch_task);
    portYIELD_FROM_ISR(switch_task);
}

static void start_in_tcpip_task(void *context)
{
    (void)context;
    network_add(tcpip_input, network_changed);
    configASSERT(xTaskCreate(run, "ethernet", TASK_STACK, NULL, TASK_PRIORITY, &ethernet_task) == pdPASS);
}

void network_start(void (*changed)(void))
{
    network_changed = changed;
    tcpip_init(start_in_tcpip_task, NULL);
}
