/* What the emulator, or a debugger, does for the image. */
#ifndef SEMIHOSTING_H
#define SEMIHOSTING_H

/* The words that follow arg= in QEMU's option -semihosting-config, separated by spaces: 0, or negative. */
int semihosting_command_line(char *text, int size);

void semihosting_exit(int code) __attribute__((noreturn));

#endif
