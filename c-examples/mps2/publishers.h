/* Two publishers at the same time, each with a topic of its own: fw/a and fw/b. They are tasks with FreeRTOS (publisher_tasks.c),
   and take turns in the main loop without. */
#ifndef PUBLISHERS_H
#define PUBLISHERS_H

#define PUBLISHERS 2
#define PUBLISHERS_MAX_LENGTH 1400

/* report is called, in the context of publishers_event, with what one of them has done. */
void publishers_set_report(void (*report)(const char *name, unsigned long acknowledged, unsigned long failed, unsigned long milliseconds));

/* Lets each publish count messages of length bytes: 0, or negative where they are still publishing. The payload is the
   message's number and a space, filled up with letters. */
int publishers_start(unsigned char qos, unsigned long count, unsigned short length);

/* Publishes the next message of a publisher: above 0, or 0 where it has none left, or the error for which it could not. */
int publishers_publish(int index);

/* To be called in MQTT_PUBLISH_ACKNOWLEDGED (failed 0) and MQTT_PUBLISH_FAILED: 1 where the publication was of these. */
int publishers_event(unsigned short handle, int failed);

/* Provided by each image: keeps the publishers, and publishers_event, out of each other; and makes one of them go on. */
void publishers_lock(void);
void publishers_unlock(void);
void publishers_wake(int index);

#endif
