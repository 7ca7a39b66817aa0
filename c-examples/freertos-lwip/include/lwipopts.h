#ifndef LWIPOPTS_H
#define LWIPOPTS_H

#include "lwipopts_mps2.h"

#define NO_SYS 0
#define LWIP_TCPIP_CORE_LOCKING 1
#define LWIP_TCPIP_CORE_LOCKING_INPUT 1 /* frames are taken in by network_task.c's task itself */
#define LWIP_COMPAT_MUTEX 0
#define SYS_LIGHTWEIGHT_PROT 1

#define LWIP_NETCONN 1
#define LWIP_SOCKET 1
#define LWIP_SOCKET_POLL 1
#define LWIP_COMPAT_SOCKETS 0           /* lwip_send, not send */
#define LWIP_ERRNO_STDINCLUDE 1
#define LWIP_TIMEVAL_PRIVATE 0

#define TCPIP_THREAD_NAME "tcpip"
#define TCPIP_THREAD_STACKSIZE 1536
#define TCPIP_THREAD_PRIO 4
#define TCPIP_MBOX_SIZE 8
#define DEFAULT_TCP_RECVMBOX_SIZE 64
#define DEFAULT_UDP_RECVMBOX_SIZE 4
#define DEFAULT_ACCEPTMBOX_SIZE 4

#define LWIP_STATS 0

#endif
