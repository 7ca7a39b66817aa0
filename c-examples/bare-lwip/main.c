/* The MQTT client in a firmware without an operating system: lwIP, the menu on the UART and two publishers, in one loop that sleeps
   whenever it can. */
#include "lwip/stats.h"

#include "application.h"
#include "board.h"
#include "clock.h"
#include "exercise.h"
#include "fatal.h"
#include "network_poll.h"
#include "port_lwip_raw.h"
#include "publishers.h"
#include "semihosting.h"
#include "uart.h"

static PORT port;

static void interrupted(void)
{
    port_wake(&port);
}

void exercise_tell_stacks(void)
{
    exercise_tell_stack("main", board_stack_used(), board_stack_size());
    exercise_tell_heap(lwip_stats.mem.max, MEM_SIZE);
}

void exercise_fill_stack(void)
{
}

void exercise_pause(unsigned long milliseconds)
{
    unsigned long start = clock_milliseconds();
    unsigned long passed;

    while ((passed = clock_milliseconds() - start) < milliseconds) {
        network_poll();
        port_wait(&port, milliseconds - passed);
    }
}

/* The publishers take turns in the loop: there is nothing to lock, and each turn looks at both. */
void publishers_lock(void)
{
}

void publishers_unlock(void)
{
}

void publishers_wake(int index)
{
    (void)index;
    port_wake(&port);
}

/* The milliseconds after which it wants to be called again, if nothing wakes the loop before. */
static unsigned long publish(void)
{
    unsigned long milliseconds = 0xffffffff;
    int i;

    for (i = 0; i < PUBLISHERS; i++) {
        int result = publishers_publish(i);

        ENSURE(result >= 0 || result == ERROR_MQTT_BUSY || result == ERROR_MQTT_NOT_READY);
        if (result > 0) {
            milliseconds = 0;
        }
        else if (result == ERROR_MQTT_NOT_READY && milliseconds > 100) {
            milliseconds = 100;
        }
    }
    return milliseconds;
}

static void turn(void)
{
    unsigned long poll, others;

    network_poll();
    others = publish();
    poll = fnPollMQTT();
    port_wait(&port, (poll < others) ? poll : others);
}

int main(void)
{
    ENSURE(port_init(&port, application_arguments()) == MQTT_RESULT_OK);
    port.sleep = clock_sleep;
    port.lwip.print = uart_write;
    port.lwip.random = semihosting_random;
    port.lwip.unix_time = application_unix_time;
    clock_start();
    application_start(interrupted);
    network_start(application_network_changed, interrupted);
    application_run(turn);
}
