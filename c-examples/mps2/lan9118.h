/* The Ethernet chip LAN9118 (SMSC), polled by one task; knows neither lwIP nor FreeRTOS. */
#ifndef LAN9118_H
#define LAN9118_H

#define LAN9118_ADDRESS 6               /* bytes of a MAC address */
#define LAN9118_MAX_FRAME 1518          /* with its check sum, which is received too */

/* Resets the chip, and gives the MAC address from its EEPROM: 0, or negative where there is no such chip. It receives all multicasts:
   IPv6 needs them. */
int lan9118_start(unsigned char address[LAN9118_ADDRESS]);

/* Lets the interrupt through again, or holds it back. What was received before is not told again: look first. */
void lan9118_unmask(void);
void lan9118_mask(void);

/* Forgets the causes of the interrupt. */
void lan9118_acknowledge(void);

/* 1 where the cable is connected. */
int lan9118_link(void);

/* The length of the oldest frame received, check sum included, or 0. The frame must then be read. */
unsigned lan9118_received(void);

/* Reads it, in whole words; it is discarded where words is 0. */
void lan9118_read(void *words, unsigned length);

/* Sends a frame from whole words: 0, or negative where the chip does not take it. */
int lan9118_send(const void *words, unsigned length);

#endif
