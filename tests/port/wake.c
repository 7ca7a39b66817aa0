/* port_wake, in another thread and in a signal handler by turns, against a port_wait without end. A wish that were overlooked would
   leave both sides waiting. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "port_posix.h"

#define WISHES 40000ul

static PORT port;
static volatile unsigned long wished, seen;

static unsigned long read_number(volatile unsigned long *number)
{
    return __sync_fetch_and_add(number, 0);
}

static void wish(int signal_number)
{
    (void)signal_number;
    __sync_fetch_and_add(&wished, 1);
    port_wake(&port);
}

static void *wish_often(void *waiting_thread)
{
    unsigned long i;

    for (i = 1; i <= WISHES; i++) {
        if (i % 2 == 0) {
            pthread_kill(*(pthread_t *)waiting_thread, SIGUSR1);
        }
        else {
            wish(0);
        }
        while (read_number(&seen) < i) {
            sched_yield();
        }
    }
    return 0;
}

int main(void)
{
    struct sigaction action = {0};
    pthread_t self = pthread_self();
    pthread_t wishing;
    unsigned long pause;

    if (port_init(&port, "localhost", AF_UNSPEC) != 0) {
        return EXIT_FAILURE;
    }
    alarm(300);                         /* the end where both wait */
    action.sa_handler = wish;
    sigaction(SIGUSR1, &action, 0);
    pthread_create(&wishing, 0, wish_often, &self);
    while (seen < WISHES) {
        port_wait(&port, 0xffffffff, 0, 0);
        __sync_fetch_and_add(&seen, read_number(&wished) - seen);
        for (pause = 500 * (seen % 8); pause > 0; pause--) {  /* so that wishes come while it does not sleep, too */
            read_number(&wished);
        }
    }
    pthread_join(wishing, 0);
    port_free(&port);
    puts("none was overlooked");
    return EXIT_SUCCESS;
}
