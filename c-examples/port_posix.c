#include "port_posix.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* What the library is told of a failed system call: 0 where it may simply be tried again. */
static int link_result(int error)
{
    if (error == EAGAIN || error == EWOULDBLOCK || error == EINTR) {
        return 0;
    }
    if (error == EHOSTUNREACH || error == ENETUNREACH || error == ENETDOWN || error == EADDRNOTAVAIL || error == EAFNOSUPPORT) {
        return MQTT_LINK_UNREACHABLE;
    }
    return MQTT_LINK_FAILED;
}

static void close_socket(PORT *port)
{
    if (port->socket >= 0) {
        close(port->socket);
    }
    port->socket = -1;
    port->connecting = 0;
    port->blocked = 0;
    port->drained = 0;
}

static int set_non_blocking(int descriptor)
{
    return fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
}

static int start_connecting(PORT *port, const struct addrinfo *address)
{
    const int on = 1;

    close_socket(port);
    port->socket = socket(address->ai_family, SOCK_STREAM, IPPROTO_TCP);
    if (port->socket < 0 || set_non_blocking(port->socket) != 0) {
        return MQTT_LINK_FAILED;
    }
    setsockopt(port->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);     /* a packet is never worth waiting for the next */
    port->connecting = 1;
    if (connect(port->socket, address->ai_addr, address->ai_addrlen) != 0 && errno != EINPROGRESS) {
        return link_result(errno);
    }
    return 0;
}

/* A name can stand for several addresses, not all of which are served: each is tried, the last one's failure counts. */
static int try_next_address(PORT *port, int result)
{
    while (port->untried != 0) {
        const struct addrinfo *address = port->untried;

        port->untried = address->ai_next;
        result = start_connecting(port, address);
        if (result == 0) {
            break;
        }
    }
    return result;
}

/* Above 0: connected. 0: not yet. Negative: no address is left that could answer. */
static int connected(PORT *port)
{
    struct pollfd link = {port->socket, POLLOUT, 0};
    int error = 0;
    socklen_t size = sizeof error;

    if (!port->connecting) {
        return 1;
    }
    if (poll(&link, 1, 0) <= 0) {
        return 0;
    }
    getsockopt(port->socket, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
        return try_next_address(port, link_result(error));
    }
    port->connecting = 0;
    return 1;
}

/* fnOpen: starts to connect and returns at once. Without an address it resolves the broker's name, here with a call that may take
   its time; a port whose resolver tells its answer later returns 0 and lets fnSend return 0 until the connection is there. */
static int port_open(void *ptrContext, const unsigned char *ptrAddress, unsigned char ucAddressLength, unsigned short usPort)
{
    PORT *port = ptrContext;
    struct addrinfo wanted = {0};
    char address[INET6_ADDRSTRLEN];
    char service[sizeof "65535"];
    const char *host = port->broker;
    int result;

    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_family = port->family;
    if (ucAddressLength != 0) {
        wanted.ai_family = (ucAddressLength == 4) ? AF_INET : AF_INET6;
        wanted.ai_flags = AI_NUMERICHOST;
        host = inet_ntop(wanted.ai_family, ptrAddress, address, sizeof address);
    }
    snprintf(service, sizeof service, "%hu", usPort);
    if (getaddrinfo(host, service, &wanted, &port->addresses) != 0) {
        return MQTT_LINK_UNREACHABLE;
    }
    port->untried = port->addresses;
    result = try_next_address(port, MQTT_LINK_UNREACHABLE);
    if (result < 0) {
        close_socket(port);
        freeaddrinfo(port->addresses);
    }
    return result;
}

/* fnSend: takes what it can at once. 0 means not now, also while still connecting; a lost link is never 0. */
static int port_send(void *ptrContext, const unsigned char *ptrData, unsigned short usLength)
{
    PORT *port = ptrContext;
    int result = connected(port);
    ssize_t taken;

    if (result <= 0) {
        return result;
    }
    taken = send(port->socket, ptrData, usLength, MSG_NOSIGNAL);
    port->blocked = (taken < (ssize_t)usLength);
    return (taken >= 0) ? (int)taken : link_result(errno);
}

/* fnReceive: gives what is there. 0 means nothing now; the end of the stream is MQTT_LINK_CLOSED. */
static int port_receive(void *ptrContext, unsigned char *ptrData, unsigned short usLength)
{
    PORT *port = ptrContext;
    int result = connected(port);
    ssize_t given;

    if (result <= 0) {
        return result;
    }
    given = recv(port->socket, ptrData, usLength, 0);
    port->drained = (given < 0);
    if (given == 0) {
        return MQTT_LINK_CLOSED;
    }
    return (given > 0) ? (int)given : link_result(errno);
}

/* fnClose: once for each fnOpen that returned 0. What fnSend took is still delivered: bytes left unread would make close() reset the
   connection, which can overtake them, so whatever has arrived is taken out first; never more than a flooding peer deserves. */
static void port_close(void *ptrContext)
{
    PORT *port = ptrContext;
    unsigned char unwanted[1024];
    int reads = 0;

    shutdown(port->socket, SHUT_WR);
    while (recv(port->socket, unwanted, sizeof unwanted, 0) > 0 && ++reads < 256) {
    }
    close_socket(port);
    freeaddrinfo(port->addresses);
}

unsigned long port_milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return ((unsigned long)now.tv_sec * 1000 + (unsigned long)now.tv_nsec / 1000000) & 0xffffffff;
}

/* fnMilliseconds: a clock that is never set back, as the calendar's clock may be. */
static unsigned long port_clock(void *ptrContext)
{
    (void)ptrContext;
    return port_milliseconds();
}

/* fnRandom: fit for keys, or negative; never something weaker. */
static int port_random(void *ptrContext, unsigned char *ptrData, unsigned short usLength)
{
    size_t done = 0;

    (void)ptrContext;
    while (done < usLength) {
        ssize_t given = getrandom(ptrData + done, usLength - done, 0);

        if (given < 0 && errno != EINTR) {
            return -1;
        }
        done += (given > 0) ? (size_t)given : 0;
    }
    return 0;
}

/* fnUnixTime: the date that certificates are checked against. */
static unsigned long port_unix_time(void *ptrContext)
{
    (void)ptrContext;
    return (unsigned long)time(0);
}

/* fnPrint: the text comes with its line ends. */
static void port_print(void *ptrContext, const char *ptrText)
{
    PORT *port = ptrContext;

    if (port->print != 0) {
        port->print(port->print_context, ptrText);
    }
    else {
        fputs(ptrText, stdout);
    }
}

/* fnWake: only makes the task of fnPollMQTT run. Mostly that is the caller itself, which does not sleep: then a flag is enough. Here
   the flag is set first and the sleep looked at afterwards, in port_wait it is the other way round: one of them sees the other. */
void port_wake(PORT *port)
{
    int error = errno;                  /* a signal handler must leave it as it was */

    port->woken = 1;
    __sync_synchronize();               /* neither of the two is put off behind the other */
    if (port->sleeping) {
        ssize_t written = write(port->wake_pipe[1], "", 1);

        (void)written;                  /* a pipe that is full wakes, too */
    }
    errno = error;
}

static void port_wake_task(void *ptrContext)
{
    port_wake(ptrContext);
}

static const MQTT_PLATFORM platform_functions = {
    .fnOpen = port_open,
    .fnSend = port_send,
    .fnReceive = port_receive,
    .fnClose = port_close,
    .fnMilliseconds = port_clock,
    .fnRandom = port_random,
    .fnUnixTime = port_unix_time,
    .fnPrint = port_print,
    .fnWake = port_wake_task
};

int port_init(PORT *port, const char *broker, int family)
{
    memset(port, 0, sizeof *port);
    port->platform = platform_functions;
    port->platform.ptrContext = port;
    port->broker = broker;
    port->family = family;
    port->socket = -1;
    if (pipe(port->wake_pipe) != 0) {
        return -1;
    }
    set_non_blocking(port->wake_pipe[0]);
    set_non_blocking(port->wake_pipe[1]);
    return fnSetMQTT_platform(&port->platform);
}

void port_free(PORT *port)
{
    close(port->wake_pipe[0]);
    close(port->wake_pipe[1]);
}

/* poll() tells a state, not a change: what the library did not take in its last turn is not watched, or it would never sleep. */
static short link_events(const PORT *port)
{
    return (short)(((port->connecting || port->blocked) ? POLLOUT : 0) | (port->drained ? POLLIN : 0));
}

void port_wait(PORT *port, unsigned long milliseconds, struct pollfd *extra, nfds_t extra_count)
{
    struct pollfd watched[2 + PORT_MAX_EXTRA] = {{0}};
    char woken[16];
    nfds_t i;

    watched[0].fd = port->socket;
    watched[0].events = link_events(port);
    watched[1].fd = port->wake_pipe[0];
    watched[1].events = POLLIN;
    for (i = 0; i < extra_count; i++) {
        watched[2 + i].fd = extra[i].fd;
        watched[2 + i].events = extra[i].events;
    }
    port->sleeping = 1;
    __sync_synchronize();
    if (port->woken) {
        milliseconds = 0;
    }
    (void)poll(watched, 2 + extra_count, (milliseconds > INT_MAX) ? -1 : (int)milliseconds);    /* after a signal nothing is ready */
    port->sleeping = 0;
    port->woken = 0;                    /* before the requests are looked at, so none is overlooked */
    for (i = 0; i < extra_count; i++) {
        extra[i].revents = watched[2 + i].revents;
    }
    if (watched[1].revents != 0) {
        while (read(port->wake_pipe[0], woken, sizeof woken) == sizeof woken) {
        }
    }
}

static pthread_mutex_t critical;
static pthread_once_t critical_once = PTHREAD_ONCE_INIT;

static void make_critical(void)
{
    pthread_mutexattr_t attributes;

    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&critical, &attributes);
    pthread_mutexattr_destroy(&attributes);
}

/* The critical section nests. A firmware masks interrupts here and returns the mask that was; a mutex keeps its own count. */
unsigned long fnEnterMQTT_critical(void)
{
    pthread_once(&critical_once, make_critical);
    pthread_mutex_lock(&critical);
    return 0;
}

void fnExitMQTT_critical(unsigned long ulState)
{
    (void)ulState;
    pthread_mutex_unlock(&critical);
}

#ifdef SECURE_MQTT
/* Called where the TLS code cannot go on. A firmware resets here. */
void fnPanicMQTT(void)
{
    abort();
}
#endif
