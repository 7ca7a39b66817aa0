/* Where the firmware cannot go on. A product would reset here; this image ends the emulator, with a code for each cause. */
#ifndef FATAL_H
#define FATAL_H

void fatal(int exit_code, const char *what) __attribute__((noreturn));

/* Of LWIP_ASSERT, FreeRTOS's configASSERT and the firmware's own ENSURE. */
void fatal_assertion(const char *what, const char *file, int line) __attribute__((noreturn));

#define ENSURE(condition) ((condition) ? (void)0 : fatal_assertion(#condition, __FILE__, __LINE__))

#endif
