#include "port_lwip.h"

#include <stdint.h>
#include <string.h>

#include "lwip/dns.h"
#include "lwip/sys.h"

static PORT_LWIP *asking;

/* Called in lwIP's context when the name server has answered, or has not. */
static void name_found(const char *name, const ip_addr_t *address, void *context)
{
    PORT_LWIP *port = asking;

    (void)name;
    if ((unsigned)(uintptr_t)context != port->attempt) {
        return;
    }
    if (address != NULL) {
        port->address = *address;
    }
    port->found = (address != NULL) ? 1 : MQTT_LINK_UNREACHABLE;
    port->platform.fnWake(port);
}

static int ask_name_server(PORT_LWIP *port)
{
    err_t error;

    asking = port;
    port->found = 0;
    error = dns_gethostbyname(port->broker, &port->address, name_found, (void *)(uintptr_t)port->attempt);
    if (error == ERR_OK) {              /* known already, or an address in figures */
        port->found = 1;
    }
    return (error == ERR_OK || error == ERR_INPROGRESS) ? 0 : MQTT_LINK_UNREACHABLE;
}

int port_lwip_open(void *ptrContext, const unsigned char *ptrAddress, unsigned char ucAddressLength, unsigned short usPort)
{
    PORT_LWIP *port = ptrContext;

    port->attempt++;
    port->broker_port = usPort;
    port->found = 1;
    memset(&port->address, 0, sizeof port->address);
    switch (ucAddressLength) {
    case 0:
        return ask_name_server(port);
    case 4:
        IP_ADDR4(&port->address, ptrAddress[0], ptrAddress[1], ptrAddress[2], ptrAddress[3]);
        return 0;
#if LWIP_IPV6
    case 16:
        IP_SET_TYPE(&port->address, IPADDR_TYPE_V6);
        memcpy(ip_2_ip6(&port->address)->addr, ptrAddress, ucAddressLength);
        return 0;
#endif
    default:
        return MQTT_LINK_UNREACHABLE;   /* lwIP is configured without IPv6 */
    }
}

static unsigned long milliseconds(void *ptrContext)
{
    (void)ptrContext;
    return sys_now();
}

static int random_bytes(void *ptrContext, unsigned char *ptrData, unsigned short usLength)
{
    PORT_LWIP *port = ptrContext;

    return (port->random != 0) ? port->random(ptrData, usLength) : -1;
}

static unsigned long unix_time(void *ptrContext)
{
    PORT_LWIP *port = ptrContext;

    return (port->unix_time != 0) ? port->unix_time() : 0;
}

static void print(void *ptrContext, const char *ptrText)
{
    PORT_LWIP *port = ptrContext;

    if (port->print != 0) {
        port->print(ptrText);
    }
}

int port_lwip_init(PORT_LWIP *port, const MQTT_PLATFORM *functions, const char *broker)
{
    port->platform = *functions;
    port->platform.ptrContext = port;
    port->platform.fnMilliseconds = milliseconds;
    port->platform.fnRandom = random_bytes;
    port->platform.fnUnixTime = unix_time;
    port->platform.fnPrint = print;
    port->broker = broker;
    return fnSetMQTT_platform(&port->platform);
}
