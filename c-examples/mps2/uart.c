#include "uart.h"

#include "board.h"

#define REGISTER(offset) (*(volatile uint32_t *)(BOARD_UART + (offset)))
#define DATA REGISTER(0x00)
#define STATE REGISTER(0x04)
#define CONTROL REGISTER(0x08)
#define INTERRUPT_CLEAR REGISTER(0x0c)
#define BAUD_DIVIDER REGISTER(0x10)

#define STATE_TRANSMIT_FULL 0x01u
#define STATE_RECEIVE_FULL 0x02u
#define CONTROL_TRANSMIT 0x01u
#define CONTROL_RECEIVE 0x02u
#define CONTROL_RECEIVE_INTERRUPT 0x08u
#define INTERRUPT_RECEIVE 0x02u

#define BAUD_RATE 115200u
#define SIZE 256u                       /* a power of two */

/* The interrupt moves the head, the task the tail. */
static struct {
    char character[SIZE];
    volatile unsigned head, tail;
    void (*received)(void);
} ring;

void uart_start(void (*received)(void))
{
    ring.received = received;
    BAUD_DIVIDER = BOARD_CLOCK_HZ / BAUD_RATE;
    CONTROL = CONTROL_TRANSMIT | CONTROL_RECEIVE | CONTROL_RECEIVE_INTERRUPT;
    board_enable(IRQ_UART_RECEIVE);
}

/* A full ring leaves the character in the UART, and its interrupt off until uart_get has made room. */
void uart_receive_interrupt(void)
{
    INTERRUPT_CLEAR = INTERRUPT_RECEIVE;
    while ((STATE & STATE_RECEIVE_FULL) != 0) {
        if (ring.head - ring.tail == SIZE) {
            CONTROL = CONTROL_TRANSMIT | CONTROL_RECEIVE;
            break;
        }
        ring.character[ring.head % SIZE] = (char)DATA;
        ring.head++;
    }
    ring.received();
}

int uart_get(char *character)
{
    if (ring.head == ring.tail) {
        return 0;
    }
    *character = ring.character[ring.tail % SIZE];
    ring.tail++;
    if ((CONTROL & CONTROL_RECEIVE_INTERRUPT) == 0) {
        CONTROL = CONTROL_TRANSMIT | CONTROL_RECEIVE | CONTROL_RECEIVE_INTERRUPT;
        board_raise(IRQ_UART_RECEIVE);  /* for what arrived meanwhile */
    }
    return 1;
}

void uart_write(const char *text)
{
    if ((CONTROL & CONTROL_TRANSMIT) == 0) {
        CONTROL = CONTROL_TRANSMIT;     /* a failure has something to say before uart_start */
    }
    for (; *text != '\0'; text++) {
        while ((STATE & STATE_TRANSMIT_FULL) != 0) {
        }
        DATA = (unsigned char)*text;
    }
}
