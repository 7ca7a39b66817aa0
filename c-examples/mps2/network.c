#include "network.h"

#include "lwip/dhcp.h"
#include "lwip/dns.h"
#include "lwip/etharp.h"
#include "lwip/ethip6.h"
#include "lwip/tcpip.h"

#include "board.h"
#include "lan9118.h"

#define CHECK_SUM 4u                    /* bytes at a frame's end */

/* What arrives is kept in the same heap as what was sent: if that could fill it, no acknowledgement could come in and empty it. */
#define SEGMENT_HEADERS 2048            /* of what one connection has sent */
#if MEM_SIZE < (MEMP_NUM_TCP_PCB + 1) * (TCP_SND_BUF + SEGMENT_HEADERS)
#error MEM_SIZE is too small for so many connections, MEMP_NUM_TCP_PCB
#endif

#if NO_SYS                              /* one context: nothing to lock */
#define LOCK_TCPIP_CORE()
#define UNLOCK_TCPIP_CORE()
#endif

static struct {
    struct netif interface;
    void (*changed)(void);
    uint32_t random;
    uint32_t frame[(LAN9118_MAX_FRAME + 3) / 4];        /* being sent */
} network;

/* Called by lwIP with its core locked, so that there is one frame at a time. */
static err_t send_frame(struct netif *interface, struct pbuf *data)
{
    (void)interface;
    if (data->tot_len > sizeof network.frame) {
        return ERR_BUF;
    }
    pbuf_copy_partial(data, network.frame, data->tot_len, 0);
    return (lan9118_send(network.frame, data->tot_len) == 0) ? ERR_OK : ERR_IF;
}

static err_t start_interface(struct netif *interface)
{
    LWIP_ASSERT("Ethernet chip", lan9118_start(interface->hwaddr) == 0);
    interface->hwaddr_len = ETH_HWADDR_LEN;
    interface->name[0] = 'e';
    interface->name[1] = 'n';
    interface->hostname = "utasker-mqtt";
    interface->mtu = 1500;
    interface->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_MLD6;
    interface->output = etharp_output;
    interface->output_ip6 = ethip6_output;
    interface->linkoutput = send_frame;
    return ERR_OK;
}

static void receive_frame(unsigned length)
{
    struct pbuf *data = pbuf_alloc(PBUF_RAW, (u16_t)((length + 3) & ~3u), PBUF_RAM);

    if (data == NULL) {
        lan9118_read(NULL, length);     /* TCP will send it again */
        return;
    }
    lan9118_read(data->payload, length);
    pbuf_realloc(data, (u16_t)(length - CHECK_SUM));
    if (network.interface.input(data, &network.interface) != ERR_OK) {
        pbuf_free(data);
    }
}

static void check_link(void)
{
    int link = lan9118_link();

    if (link == netif_is_link_up(&network.interface)) {
        return;
    }
    LOCK_TCPIP_CORE();
    if (link) {
        netif_set_link_up(&network.interface);
    }
    else {
        netif_set_link_down(&network.interface);
    }
    UNLOCK_TCPIP_CORE();
    network.changed();
}

/* The chip tells arrivals, not a state: the causes are forgotten before the frames are taken, or one could be overlooked. */
void network_take_in(void)
{
    unsigned length;

    lan9118_acknowledge();
    check_link();
    while ((length = lan9118_received()) != 0) {
        receive_frame(length);
    }
    lan9118_unmask();
}

static void status_changed(struct netif *interface)
{
    (void)interface;
    network.changed();
}

void network_add(netif_input_fn input, void (*changed)(void))
{
    network.changed = changed;
    netif_add_noaddr(&network.interface, NULL, start_interface, input);
    network.random = BOARD_CYCLES ^ network.interface.hwaddr[5];
    netif_set_default(&network.interface);
    netif_set_status_callback(&network.interface, status_changed);
    netif_create_ip6_linklocal_address(&network.interface, 1);
    netif_set_ip6_autoconfig_enabled(&network.interface, 1);
    netif_set_up(&network.interface);
    dhcp_start(&network.interface);
}

int network_is_up(void)
{
    return netif_is_link_up(&network.interface) && !ip4_addr_isany(netif_ip4_addr(&network.interface));
}

const char *network_address(void)
{
    return ip4addr_ntoa(netif_ip4_addr(&network.interface));
}

void network_set_name_server(const char *address)
{
    ip_addr_t server;

    LWIP_ASSERT("an address", ipaddr_aton(address, &server));
    LOCK_TCPIP_CORE();
    dns_setserver(0, &server);
    UNLOCK_TCPIP_CORE();
}

unsigned network_random(void)
{
    network.random = network.random * 1664525u + 1013904223u + BOARD_CYCLES;
    return network.random;
}
