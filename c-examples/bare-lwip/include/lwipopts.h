#ifndef LWIPOPTS_H
#define LWIPOPTS_H

#include "lwipopts_mps2.h"

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0          /* interrupts do not call lwIP */
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0

#define LWIP_STATS 1                    /* of the heap alone, for its high-water mark */
#define MEM_STATS 1
#define SYS_STATS 0
#define MEMP_STATS 0
#define LINK_STATS 0
#define ETHARP_STATS 0
#define IP_STATS 0
#define IPFRAG_STATS 0
#define ICMP_STATS 0
#define UDP_STATS 0
#define TCP_STATS 0
#define IP6_STATS 0
#define ICMP6_STATS 0
#define IP6_FRAG_STATS 0
#define MLD6_STATS 0
#define ND6_STATS 0

#endif
