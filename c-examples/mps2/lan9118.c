#include "lan9118.h"

#include <stddef.h>

#include "board.h"

/* Registers, by the names of the data sheet; all accesses are of 32 bits. */
#define REGISTER(offset) (*(volatile uint32_t *)(BOARD_ETHERNET + (offset)))
#define RX_DATA_FIFO REGISTER(0x00)
#define TX_DATA_FIFO REGISTER(0x20)
#define RX_STATUS_FIFO REGISTER(0x40)
#define IRQ_CFG REGISTER(0x54)
#define INT_STS REGISTER(0x58)
#define INT_EN REGISTER(0x5c)
#define BYTE_TEST REGISTER(0x64)
#define FIFO_INT REGISTER(0x68)
#define RX_CFG REGISTER(0x6c)
#define TX_CFG REGISTER(0x70)
#define HW_CFG REGISTER(0x74)
#define RX_FIFO_INF REGISTER(0x7c)
#define TX_FIFO_INF REGISTER(0x80)
#define PMT_CTRL REGISTER(0x84)
#define MAC_CSR_CMD REGISTER(0xa4)
#define MAC_CSR_DATA REGISTER(0xa8)
#define E2P_CMD REGISTER(0xb0)

#define BYTE_ORDER_PATTERN 0x87654321u
#define IRQ_ENABLE 0x00000100u
#define IRQ_ACTIVE_HIGH 0x00000010u
#define IRQ_PUSH_PULL 0x00000001u
#define INT_PHY 0x00040000u
#define INT_RX_STATUS_LEVEL 0x00000008u
#define TX_ON 0x00000002u
#define TX_STATUS_OVERRUN 0x00000004u   /* nobody reads the transmit status: let it be lost */
#define HW_MUST_BE_ONE 0x00100000u
#define HW_TX_FIFO_5K 0x00050000u
#define HW_RESET 0x00000001u
#define PMT_READY 0x00000001u
#define RX_STATUS_ERROR 0x00008000u
#define TX_FIRST_SEGMENT 0x00002000u
#define TX_LAST_SEGMENT 0x00001000u
#define BUSY 0x80000000u
#define MAC_CSR_READ 0x40000000u

/* Registers of the MAC, behind MAC_CSR_CMD. */
#define MAC_CR 1u
#define ADDRH 2u
#define ADDRL 3u
#define MII_ACC 6u
#define MII_DATA 7u
#define MAC_FULL_DUPLEX 0x00100000u
#define MAC_ALL_MULTICASTS 0x00080000u
#define MAC_TRANSMIT 0x00000008u
#define MAC_RECEIVE 0x00000004u
#define MAC_MODE (MAC_ALL_MULTICASTS | MAC_TRANSMIT | MAC_RECEIVE)
#define MII_WRITE 0x2u
#define MII_BUSY 0x1u

/* Registers of the PHY, behind MII_ACC. */
#define PHY 1u
#define PHY_CONTROL 0u
#define PHY_STATUS 1u
#define PHY_ADVERTISED 4u
#define PHY_PARTNER 5u
#define PHY_INTERRUPT_SOURCE 29u
#define PHY_INTERRUPT_MASK 30u
#define PHY_NEGOTIATE 0x1200u           /* enable, restart */
#define PHY_LINK 0x0004u
#define PHY_FULL_DUPLEX 0x0140u
#define PHY_NEGOTIATED 0x0040u
#define PHY_LINK_DOWN 0x0010u

#define PATIENCE 1000000u               /* turns of a loop that waits for the chip */

static int wait_until(volatile uint32_t *location, uint32_t mask, uint32_t value)
{
    unsigned turn;

    for (turn = 0; turn < PATIENCE; turn++) {
        if ((*location & mask) == value) {
            return 0;
        }
    }
    return -1;
}

static uint32_t mac_read(uint32_t number)
{
    wait_until(&MAC_CSR_CMD, BUSY, 0);
    MAC_CSR_CMD = BUSY | MAC_CSR_READ | number;
    wait_until(&MAC_CSR_CMD, BUSY, 0);
    return MAC_CSR_DATA;
}

static void mac_write(uint32_t number, uint32_t value)
{
    wait_until(&MAC_CSR_CMD, BUSY, 0);
    MAC_CSR_DATA = value;
    MAC_CSR_CMD = BUSY | number;
}

static void phy_access(uint32_t number, uint32_t direction)
{
    unsigned turn;

    mac_write(MII_ACC, PHY << 11 | number << 6 | direction | MII_BUSY);
    for (turn = 0; turn < PATIENCE && (mac_read(MII_ACC) & MII_BUSY) != 0; turn++) {
    }
}

static uint32_t phy_read(uint32_t number)
{
    phy_access(number, 0);
    return mac_read(MII_DATA) & 0xffff;
}

static void phy_write(uint32_t number, uint32_t value)
{
    mac_write(MII_DATA, value);
    phy_access(number, MII_WRITE);
}

static void read_address(unsigned char address[LAN9118_ADDRESS])
{
    uint32_t low = mac_read(ADDRL);
    uint32_t high = mac_read(ADDRH);
    int i;

    for (i = 0; i < 4; i++) {
        address[i] = (unsigned char)(low >> 8 * i);
    }
    address[4] = (unsigned char)high;
    address[5] = (unsigned char)(high >> 8);
}

int lan9118_start(unsigned char address[LAN9118_ADDRESS])
{
    if (BYTE_TEST != BYTE_ORDER_PATTERN) {
        return -1;
    }
    HW_CFG = HW_RESET;
    if (wait_until(&HW_CFG, HW_RESET, 0) != 0 || wait_until(&PMT_CTRL, PMT_READY, PMT_READY) != 0 || wait_until(&E2P_CMD, BUSY, 0) != 0) {
        return -1;
    }
    HW_CFG = HW_MUST_BE_ONE | HW_TX_FIFO_5K;
    read_address(address);

    IRQ_CFG = IRQ_ENABLE | IRQ_ACTIVE_HIGH | IRQ_PUSH_PULL;
    INT_EN = 0;
    INT_STS = 0xffffffff;
    FIFO_INT = 0;                       /* interrupt above 0 frames */
    RX_CFG = 0;

    phy_write(PHY_CONTROL, PHY_NEGOTIATE);
    phy_read(PHY_INTERRUPT_SOURCE);
    phy_write(PHY_INTERRUPT_MASK, PHY_NEGOTIATED | PHY_LINK_DOWN);

    TX_CFG = TX_ON | TX_STATUS_OVERRUN;
    mac_write(MAC_CR, MAC_MODE);
    return 0;
}

void lan9118_unmask(void)
{
    INT_EN = INT_RX_STATUS_LEVEL | INT_PHY;
}

void lan9118_mask(void)
{
    INT_EN = 0;
}

void lan9118_acknowledge(void)
{
    phy_read(PHY_INTERRUPT_SOURCE);     /* reading clears */
    INT_STS = INT_RX_STATUS_LEVEL | INT_PHY;
}

int lan9118_link(void)
{
    uint32_t duplex;

    phy_read(PHY_STATUS);               /* holds that the link was down until it is read */
    if ((phy_read(PHY_STATUS) & PHY_LINK) == 0) {
        return 0;
    }
    duplex = phy_read(PHY_ADVERTISED) & phy_read(PHY_PARTNER) & PHY_FULL_DUPLEX;
    mac_write(MAC_CR, MAC_MODE | ((duplex != 0) ? MAC_FULL_DUPLEX : 0));
    return 1;
}

unsigned lan9118_received(void)
{
    while ((RX_FIFO_INF >> 16 & 0xff) != 0) {
        uint32_t status = RX_STATUS_FIFO;
        unsigned length = status >> 16 & 0x3fff;

        if ((status & RX_STATUS_ERROR) == 0 && length <= LAN9118_MAX_FRAME) {
            return length;
        }
        lan9118_read(NULL, length);
    }
    return 0;
}

void lan9118_read(void *words, unsigned length)
{
    uint32_t *to = words;
    unsigned left;

    for (left = (length + 3) / 4; left > 0; left--) {
        uint32_t word = RX_DATA_FIFO;

        if (to != NULL) {
            *to++ = word;
        }
    }
}

int lan9118_send(const void *words, unsigned length)
{
    const uint32_t *from = words;
    unsigned left = (length + 3) / 4;
    unsigned turn;

    for (turn = 0; (TX_FIFO_INF & 0xffff) < 4 * left + 8; turn++) {
        if (turn == PATIENCE) {
            return -1;
        }
    }
    TX_DATA_FIFO = TX_FIRST_SEGMENT | TX_LAST_SEGMENT | length;
    TX_DATA_FIFO = length;
    for (; left > 0; left--) {
        TX_DATA_FIFO = *from++;
    }
    return 0;
}
