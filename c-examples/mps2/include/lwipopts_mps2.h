/* What the lwipopts.h of all images have in common. */
#ifndef LWIPOPTS_MPS2_H
#define LWIPOPTS_MPS2_H

#define LWIP_IPV4 1
#define LWIP_DHCP 1
#define LWIP_DHCP_DOES_ACD_CHECK 0      /* an address some seconds sooner */
#define LWIP_IPV6 1
#define LWIP_IPV6_DUP_DETECT_ATTEMPTS 0 /* likewise */
#define LWIP_DNS 1
#define LWIP_NETIF_STATUS_CALLBACK 1
#define LWIP_NETIF_HOSTNAME 1

#define TCP_MSS 1460
#define TCP_WND (4 * TCP_MSS)
#define TCP_SND_BUF (4 * TCP_MSS)
#define MEMP_NUM_TCP_SEG 32
#define MEM_ALIGNMENT 4
#define MEM_SIZE (48 * 1024)            /* what is sent, and what has arrived; a broker can send many small segments in a burst */
#define PBUF_POOL_SIZE 0

#endif
