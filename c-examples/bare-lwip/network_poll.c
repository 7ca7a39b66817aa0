#include "network_poll.h"

#include "lwip/init.h"
#include "netif/ethernet.h"

#include "board.h"
#include "lan9118.h"
#include "network.h"

static volatile int work = 1;           /* what was there before the first interrupt */
static void (*frames_arrived)(void);

void ethernet_interrupt(void)
{
    lan9118_mask();
    work = 1;
    frames_arrived();
}

void network_start(void (*changed)(void), void (*arrived)(void))
{
    frames_arrived = arrived;
    lwip_init();
    network_add(ethernet_input, changed);
    board_enable(IRQ_ETHERNET);
}

void network_poll(void)
{
    if (work) {
        work = 0;
        network_take_in();
    }
}
