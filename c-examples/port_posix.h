/* The MQTT_PLATFORM of a POSIX system: one TCP socket that never blocks. Read it as the model of a port to another system. */
#ifndef PORT_POSIX_H
#define PORT_POSIX_H

#include <netdb.h>
#include <poll.h>
#include <signal.h>

#include "utasker_mqtt.h"

#define PORT_MAX_EXTRA 2                /* further descriptors that port_wait can watch */

typedef struct {
    MQTT_PLATFORM platform;             /* what fnSetMQTT_platform is given; filled in by port_init */

    const char *broker;                 /* name or address that fnOpen resolves where fnConnectMQTT was given none */
    int family;                         /* AF_UNSPEC, AF_INET or AF_INET6 */
    void (*print)(void *print_context, const char *text);   /* where fnPrint writes; 0: standard output */
    void *print_context;

    int socket;                         /* -1: closed */
    struct addrinfo *addresses;         /* of the broker */
    const struct addrinfo *untried;     /* those of them that are left to try */
    int connecting;
    int blocked;                        /* fnSend could not take everything */
    int drained;                        /* fnReceive has given everything there was */
    int wake_pipe[2];
    volatile sig_atomic_t woken;        /* port_wait must not sleep, or not sleep on */
    volatile sig_atomic_t sleeping;     /* in port_wait, where only the pipe can end it */
} PORT;

/* Fills in the port for this broker and hands its platform to the library: 0, or negative. The broker's name is not copied. */
int port_init(PORT *port, const char *broker, int family);
void port_free(PORT *port);

/* Sleeps until fnPollMQTT must be called again: the link can be read (or written, where that was waited for) or is lost, port_wake
   was called, or the milliseconds that fnPollMQTT returned have passed; also when one of the extra descriptors is ready. */
void port_wait(PORT *port, unsigned long milliseconds, struct pollfd *extra, nfds_t extra_count);

/* Ends port_wait, now or the next time; from any thread or signal handler. */
void port_wake(PORT *port);

/* A clock that only moves forward, in milliseconds modulo 2^32. */
unsigned long port_milliseconds(void);

#endif
