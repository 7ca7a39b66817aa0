/* The UART of the board (CMSDK APB UART): the terminal of the menu. */
#ifndef UART_H
#define UART_H

/* The function is called in the interrupt that has received something. */
void uart_start(void (*received)(void));

/* 1 and the oldest character received, or 0. From one task. */
int uart_get(char *character);

/* Waits until the UART has taken the text. From any context. */
void uart_write(const char *text);

#endif
