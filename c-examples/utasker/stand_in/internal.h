/* How the files of the stand-in know each other. */
#ifndef INTERNAL_H
#define INTERNAL_H

/* What the network is made to do. */
typedef struct {
    int iLoseSegment;                   /* 1: the next one, 2: the one behind that */
    int iNoBuffer;                      /* for the next segment */
    int iLoseAck;                       /* the next one */
    int iHalfAck;                       /* instead of the next one */
    int iLoseAll;                       /* segments, from now on */
    int iForgetAddress;                 /* before the next segment */
    int iNoAddress;                     /* is resolved any more */
} NETWORK;

extern NETWORK network;

/* main.c: ends the program where what μTasker's TCP demands is not true; tells what happens in it. */
void check(int iTrue, const char *text);
void tell(const char *format, unsigned long ulNumber);

/* tasks.c: makes up for the ticks that have passed, and runs the task of MQTT if it is to run. */
void tasks_count_ticks(void);
void tasks_run(void);
int tasks_are_stopped(void);
void tasks_check_interrupts(const char *text);  /* they are enabled */

/* tcp.c: one turn of the tasks behind TCP. */
void tcp_start(unsigned short usBrokerPort);
void tcp_run(void);
void tcp_abort(void);
void tcp_set_window(unsigned short usWindow);   /* of the host */
int tcp_is_quiet(void);
int tcp_descriptor(void);

#endif
