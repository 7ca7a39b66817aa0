/* Stands in for the parts of μTasker that the MQTT port and an application use: the names, numbers and types of its types.h,
   uTasker.h, driver.h, tcpip.h and TaskConfig.h. The other files of this folder run them on this machine's sockets. */
#ifndef STAND_IN_H
#define STAND_IN_H

#include <stddef.h>

#include "tcpip.h"                      /* the part about MQTT */

typedef signed char UTASK_TASK;
typedef signed char USOCKET;
typedef unsigned char QUEUE_HANDLE;
typedef unsigned short QUEUE_TRANSFER;
typedef unsigned short DELAY_LIMIT;
typedef unsigned int UTASK_TICK;         /* 32 bits, as on the target */

/* Tasks and timers. */

#define TASK_MQTT               'Q'
#define TICK_RESOLUTION         2000    /* microseconds */
#define SEC                     (1000000 / TICK_RESOLUTION)

#define UTASKER_STOP            0x00
#define UTASKER_ACTIVATE        0x04

#define MSG_SOURCE_TASK         3
#define MSG_CONTENT_LENGTH      4
#define MSG_TIMER_EVENT         4
#define HEADER_LENGTH           5
#define SMALL_QUEUE             (HEADER_LENGTH + 32)
#define TIMER_EVENT             0x00
#define INTERRUPT_EVENT         0x01

typedef struct stTaskTable {
    QUEUE_HANDLE TaskID;
    unsigned char ucTaskState;
    unsigned char ucEvent;
} TTASKTABLE;

extern volatile UTASK_TICK uTaskerSystemTick;

extern void uTaskerStateChange(UTASK_TASK pcTaskName, unsigned char ucSetState);
extern void uTaskerMonoTimer(UTASK_TASK pcTaskName, DELAY_LIMIT delay, unsigned char time_out_nr);
extern QUEUE_TRANSFER fnRead(QUEUE_HANDLE driver_id, unsigned char *input_buffer, QUEUE_TRANSFER nr_of_bytes);
extern void uDisable_Interrupt(void);
extern void uEnable_Interrupt(void);
extern void fnMQTT(TTASKTABLE *ptrTaskTable);

/* Strings and the debug output. */

extern void *uMemcpy(void *ptrTo, const void *ptrFrom, size_t Size);
extern int uStrcmp(const CHAR *ptrStr1, const CHAR *ptrStr2);
extern CHAR *uStrcpy(CHAR *ptrTo, const CHAR *ptrFrom);        /* returns where the copy ends */
extern QUEUE_TRANSFER fnDebugMsg(CHAR *cToSend);
extern void fnDebugDec(signed long slNumberToConvert, unsigned char ucStyle);

/* TCP. */

#define IPV4_LENGTH             4
#define MIN_TCP_HLEN            20
#define TCP_DEF_MTU             1460
#define TOS_MINIMISE_DELAY      0x10
#define INFINITE_TIMEOUT        0xffff
#define TCP_FLAG_PUSH           0x08

#define NO_ARP_ENTRY            -1
#define NO_TCP_SOCKET_FREE      -2
#define SOCKET_NOT_FOUND        -3
#define SOCKET_STATE_INVALID    -4

#define TCP_STATE_FREE          0x00
#define TCP_STATE_RESERVED      0x01
#define TCP_STATE_CLOSED        0x02
#define TCP_STATE_TIME_WAIT     0x04
#define TCP_STATE_SYN_SENT      0x10
#define TCP_STATE_FIN_WAIT_1    0x20
#define TCP_STATE_FIN_WAIT_2    0x40
#define TCP_STATE_LAST_ACK      0xa0
#define TCP_STATE_ESTABLISHED   0xb0

#define TCP_EVENT_ABORT         1
#define TCP_EVENT_CONNECTED     2
#define TCP_EVENT_ACK           3
#define TCP_EVENT_DATA          4
#define TCP_EVENT_CLOSE         5
#define TCP_EVENT_CLOSED        6
#define TCP_EVENT_REGENERATE    7
#define TCP_EVENT_CONREQ        8
#define TCP_EVENT_ARP_RESOLUTION_FAILED 9
#define TCP_EVENT_PARTIAL_ACK   10
#define TCP_WINDOW_UPDATE       11

#define APP_ACCEPT              0x0000
#define APP_SENT_DATA           0x0001
#define APP_REJECT              0x0002
#define APP_REQUEST_CLOSE       0x0008
#define APP_REJECT_DATA         0x0010

typedef struct stTCP_CONTROL {
    int (*event_listener)(USOCKET, unsigned char, unsigned char *, unsigned short);
    unsigned short usRemport;
    unsigned short usRxWindowSize;
    unsigned short usTxWindowSize;
    unsigned short usPeerMSS;
    unsigned char ucTCP_state;
    unsigned char ucRemoteIP[IPV4_LENGTH];
} TCP_CONTROL;

extern USOCKET fnGetTCP_Socket(unsigned char ucTos, unsigned short usIdleTimeout, int (*listener)(USOCKET, unsigned char, unsigned char *, unsigned short));
extern USOCKET fnReleaseTCP_Socket(USOCKET TCPSocket);
extern USOCKET fnTCP_Connect(USOCKET TCP_socket, unsigned char *RemoteIP, unsigned short usRemotePort, unsigned short usOurPort, unsigned short usMaxWindow);
extern USOCKET fnTCP_close(USOCKET TCP_Socket);
extern signed short fnSendTCP(USOCKET TCP_socket, unsigned char *ptrBuf, unsigned short usDataLen, unsigned char ucTempFlags);
extern USOCKET fnModifyTCPWindow(USOCKET TCPSocket, unsigned short usBufferSpace);
extern signed short fnReportTCPWindow(USOCKET TCPSocket, unsigned short usBufferSpace);
extern TCP_CONTROL *fnGetSocketControl(USOCKET TCP_socket);

/* What the application keeps of itself. */

typedef struct {
    struct {
        CHAR cDeviceIDName[24];
    } temp_parameters;
} TEMPPARS;

extern TEMPPARS *temp_pars;

/* The application's command line: one line that was typed. */
extern void fnMQTT_menu(CHAR *ptrInput);

#endif
