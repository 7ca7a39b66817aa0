/* The time, and sleeping until a time. There is no tick: the processor only wakes when there is something to do. */
#ifndef CLOCK_H
#define CLOCK_H

/* Starts the alarm that ends the sleep. */
void clock_start(void);

/* Sleeps until an interrupt, or until the milliseconds have passed. To be called with interrupts masked, so that none can come
   between the caller's look for work and the sleep; it ends the sleep all the same. */
void clock_sleep(unsigned long milliseconds);

/* Milliseconds since the start; besides, lwIP's sys_now. Not in interrupts. */
unsigned long clock_milliseconds(void);

#endif
