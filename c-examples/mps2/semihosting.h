/* What the emulator, or a debugger, does for the image. */
#ifndef SEMIHOSTING_H
#define SEMIHOSTING_H

/* The words that follow arg= in QEMU's option -semihosting-config, separated by spaces: 0, or negative. */
int semihosting_command_line(char *text, int size);

/* The board has neither a source of random numbers nor a calendar: they are those of the machine that the emulator, or the debugger,
   runs on. On a board that stands alone, the first is the chip's generator, which alone is fit for keys, and the second a clock with a
   battery, or SNTP. */

/* Fills in bytes from that machine's /dev/urandom, which are fit for keys: 0, or negative where it has none. */
int semihosting_random(unsigned char *data, unsigned short length);

/* Seconds since 1970. */
unsigned long semihosting_time(void);

void semihosting_exit(int code) __attribute__((noreturn));

#endif
