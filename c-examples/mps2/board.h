/* The board: Arm's MPS2 FPGA images for Cortex-M3 (AN385), Cortex-M4F (AN386) and Cortex-M7 (AN500), as QEMU has them. */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

#define BOARD_CLOCK_HZ 25000000u

#define BOARD_TIMER 0x40000000u
#define BOARD_ALARM 0x40001000u          /* another timer */
#define BOARD_UART 0x40004000u
#if defined BOARD_AN500
#define BOARD_ETHERNET 0xa0000000u
#else
#define BOARD_ETHERNET 0x40200000u
#endif
#define BOARD_CYCLES (*(volatile uint32_t *)0x40028018u)        /* free running at BOARD_CLOCK_HZ */

/* Interrupt lines. */
#define IRQ_UART_RECEIVE 0u
#define IRQ_TIMER 8u
#define IRQ_ALARM 9u
#define IRQ_ETHERNET 13u

/* Exit codes of the image. */
#define EXIT_QUIT 0
#define EXIT_ARGUMENTS 2
#define EXIT_ASSERTION 101
#define EXIT_STACK_OVERFLOW 102
#define EXIT_FAULT 103
#define EXIT_NO_MEMORY 104
#define EXIT_PANIC 105

/* Enables an interrupt, whose handler may call FreeRTOS where that is used. What was pending before counts no more. */
void board_enable(unsigned line);
void board_raise(unsigned line);

/* The greatest depth, in bytes, of the stack of main() and of interrupts, and its size. */
unsigned long board_stack_used(void);
unsigned long board_stack_size(void);

/* The handlers, in the files of their devices. */
void uart_receive_interrupt(void);
void timer_interrupt(void);
void alarm_interrupt(void);
void ethernet_interrupt(void);

#endif
