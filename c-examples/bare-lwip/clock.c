#include "clock.h"

#include "lwip/sys.h"

#include "board.h"

#define CYCLES_PER_MILLISECOND (BOARD_CLOCK_HZ / 1000)
#define LONGEST_SLEEP 60000u            /* milliseconds; the counter overflows after 171 seconds, and must be read before */

/* CMSDK APB timer: counts down. */
#define ALARM(offset) (*(volatile uint32_t *)(BOARD_ALARM + (offset)))
#define ALARM_CONTROL ALARM(0x00)
#define ALARM_VALUE ALARM(0x04)
#define ALARM_RELOAD ALARM(0x08)
#define ALARM_INTERRUPT_CLEAR ALARM(0x0c)
#define ALARM_ENABLE 0x01u
#define ALARM_INTERRUPT 0x08u

static struct {
    uint32_t cycles;                    /* of the counter, when it was read last */
    uint32_t rest;                      /* cycles that make no whole millisecond yet */
    uint32_t milliseconds;
} now;

void clock_start(void)
{
    board_enable(IRQ_ALARM);
}

void alarm_interrupt(void)
{
    ALARM_CONTROL = 0;
    ALARM_INTERRUPT_CLEAR = 1;
}

unsigned long clock_milliseconds(void)
{
    uint32_t cycles = BOARD_CYCLES;
    uint32_t passed = cycles - now.cycles;

    now.cycles = cycles;
    now.milliseconds += passed / CYCLES_PER_MILLISECOND;
    now.rest += passed % CYCLES_PER_MILLISECOND;
    if (now.rest >= CYCLES_PER_MILLISECOND) {
        now.rest -= CYCLES_PER_MILLISECOND;
        now.milliseconds++;
    }
    return now.milliseconds;
}

u32_t sys_now(void)
{
    return clock_milliseconds();
}

void clock_sleep(unsigned long milliseconds)
{
    if (milliseconds > LONGEST_SLEEP) {
        milliseconds = LONGEST_SLEEP;
    }
    ALARM_CONTROL = 0;
    ALARM_RELOAD = ALARM_VALUE = (uint32_t)milliseconds * CYCLES_PER_MILLISECOND;
    ALARM_CONTROL = ALARM_ENABLE | ALARM_INTERRUPT;
    __asm__ volatile("dsb\n wfi" : : : "memory");
    ALARM_CONTROL = 0;
}
