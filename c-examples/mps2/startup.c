/* Vector table, reset and faults; the interrupt controller. */
#include <string.h>

#include "board.h"
#include "fatal.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define COPROCESSOR_ACCESS REGISTER(0xe000ed88u)
#define NVIC_ENABLE REGISTER(0xe000e100u)
#define NVIC_SET_PENDING REGISTER(0xe000e200u)
#define NVIC_CLEAR_PENDING REGISTER(0xe000e280u)
#define NVIC_PRIORITY ((volatile uint8_t *)0xe000e400u)

#define MASKABLE_PRIORITY 0x80u         /* below configMAX_SYSCALL_INTERRUPT_PRIORITY, which is the smaller number */
#define UNUSED_STACK 0xa5a5a5a5u
#define EXCEPTION_FRAME 26              /* words that the processor needs on the stack for an interrupt, with floating point */

extern uint32_t data_load[], data_start[], data_end[], bss_start[], bss_end[], stack_bottom[], stack_top[];

extern int main(void);

static void paint_stack(void)
{
    uint32_t *in_use;
    uint32_t *word;

    __asm__ volatile("mov %0, sp" : "=r"(in_use));
    for (word = stack_bottom; word < in_use - 32; word++) {     /* not so near that it matters where this function keeps things */
        *word = UNUSED_STACK;
    }
}

static void reset(void)
{
    uint32_t *from = data_load;
    uint32_t *to;

#if defined __ARM_FP
    COPROCESSOR_ACCESS |= 0xfu << 20;   /* the compiler may use the floating-point registers anywhere */
    __asm__ volatile("dsb\n isb");
#endif
    for (to = data_start; to < data_end; to++) {
        *to = *from++;
    }
    for (to = bss_start; to < bss_end; to++) {
        *to = 0;
    }
    paint_stack();
    main();
    fatal(EXIT_FAULT, "main has returned");
}

static void __attribute__((noreturn, used)) tell_fault(const uint32_t *stack)
{
    if (stack < stack_bottom + EXCEPTION_FRAME) {
        fatal(EXIT_STACK_OVERFLOW, "the stack has overflowed");
    }
    fatal(EXIT_FAULT, "the processor faulted");
}

/* The stack may be what is at fault: it is left as it is, and another begun. */
static void __attribute__((naked)) fault(void)
{
    __asm__ volatile("mov r0, sp\n ldr r1, =stack_top\n mov sp, r1\n b tell_fault");
}

static void unexpected(void)
{
    fatal(EXIT_FAULT, "an interrupt without handler");
}

/* What an image does not have. */
void vPortSVCHandler(void) __attribute__((weak, alias("unexpected")));         /* of FreeRTOS */
void xPortPendSVHandler(void) __attribute__((weak, alias("unexpected")));
void xPortSysTickHandler(void) __attribute__((weak, alias("unexpected")));
void alarm_interrupt(void) __attribute__((weak, alias("unexpected")));

typedef void (*VECTOR)(void);

static const struct {
    uint32_t *stack;
    VECTOR exceptions[15];
    VECTOR lines[32];
} vectors __attribute__((section(".vectors"), used)) = {
    stack_top,
    {
        reset, fault, fault, fault, fault, fault, unexpected, unexpected, unexpected, unexpected,
        vPortSVCHandler, unexpected, unexpected, xPortPendSVHandler, xPortSysTickHandler
    },
    {
        [IRQ_UART_RECEIVE] = uart_receive_interrupt,
        [IRQ_TIMER] = timer_interrupt,
        [IRQ_ALARM] = alarm_interrupt,
        [IRQ_ETHERNET] = ethernet_interrupt
    }
};

void board_enable(unsigned line)
{
    NVIC_PRIORITY[line] = MASKABLE_PRIORITY;
    NVIC_CLEAR_PENDING = 1u << line;
    NVIC_ENABLE = 1u << line;
}

void board_raise(unsigned line)
{
    NVIC_SET_PENDING = 1u << line;
}

unsigned long board_stack_used(void)
{
    const uint32_t *word = stack_bottom;

    while (word < stack_top && *word == UNUSED_STACK) {
        word++;
    }
    return (unsigned long)(stack_top - word) * sizeof *word;
}

unsigned long board_stack_size(void)
{
    return (unsigned long)(stack_top - stack_bottom) * sizeof *stack_top;
}
