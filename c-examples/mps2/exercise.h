/* What the images do beside the menu: lines that begin with '!' make them publish from several places and an interrupt, stream,
   account for what has arrived, or fail. The test of the images, tests/firmware, types them. */
#ifndef EXERCISE_H
#define EXERCISE_H

/* Before the first connection, where fnPollMQTT is called. */
void exercise_start(void);

/* After each fnPollMQTT: an idle client is polled next to never. */
void exercise_count_turn(void);

/* Runs the line, without its '!'. */
void exercise_line(char *line);

/* Provided by each image. The first calls exercise_tell_stack for each stack, and exercise_tell_heap. The second is called over and
   over with an ever fuller stack. The third returns after so long; all but fnPollMQTT goes on meanwhile. */
void exercise_tell_stacks(void);
void exercise_fill_stack(void);
void exercise_pause(unsigned long milliseconds);

/* Provided by an image with FreeRTOS: takes all of its heap, and more. */
void exercise_exhaust_heap(void);

void exercise_tell_stack(const char *name, unsigned long used, unsigned long size);
void exercise_tell_heap(unsigned long used, unsigned long size);

#endif
