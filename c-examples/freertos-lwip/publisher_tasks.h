/* The two publishers (publishers.h) as tasks. */
#ifndef PUBLISHER_TASKS_H
#define PUBLISHER_TASKS_H

void publisher_tasks_create(void);

#endif
