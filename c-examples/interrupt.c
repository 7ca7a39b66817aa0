#include "interrupt.h"

#include <string.h>

static PORT *watching_port;             /* a signal handler is given no context */
static volatile sig_atomic_t requested;

static void request(int signal_number)
{
    (void)signal_number;
    requested = 1;
    port_wake(watching_port);
}

void interrupt_watch(PORT *port)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = request;
    watching_port = port;
    sigaction(SIGINT, &action, 0);
    sigaction(SIGTERM, &action, 0);
}

int interrupt_requested(void)
{
    return requested;
}
