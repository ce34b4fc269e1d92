/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes in a ring of fixed size: what one client has not read yet. */
#ifndef BR_QUEUE_H
#define BR_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

struct br_queue {
	unsigned char *data;
	size_t capacity;
	size_t first;  /* index of the oldest byte */
	size_t length; /* bytes in it */
};

/** br_queue_open - -ENOMEM; freed by br_queue_close */
int br_queue_open(struct br_queue *queue, size_t capacity);
void br_queue_close(struct br_queue *queue);
/**
 * br_queue_add - all of @length bytes, or none
 * @limit: the most bytes that may be in the queue afterwards, at most its capacity
 *
 * Return: false when there is no room.
 */
bool br_queue_add(struct br_queue *queue, const void *bytes, size_t length, size_t limit);
/** br_queue_take - up to @room of the oldest bytes into @out; returns how many */
size_t br_queue_take(struct br_queue *queue, void *out, size_t room);

#endif
