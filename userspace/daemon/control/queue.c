// SPDX-License-Identifier: BSD-2-Clause
#include "control/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int br_queue_open(struct br_queue *queue, size_t capacity)
{
	*queue = (struct br_queue){.data = malloc(capacity), .capacity = capacity};
	return queue->data ? 0 : -ENOMEM;
}

void br_queue_close(struct br_queue *queue)
{
	free(queue->data);
	*queue = (struct br_queue){0};
}

static size_t br_queue_min(size_t a, size_t b)
{
	return a < b ? a : b;
}

bool br_queue_add(struct br_queue *queue, const void *bytes, size_t length, size_t limit)
{
	size_t at = (queue->first + queue->length) % queue->capacity;
	size_t straight = br_queue_min(length, queue->capacity - at);

	if (queue->length > limit || length > limit - queue->length)
		return false;
	memcpy(queue->data + at, bytes, straight);
	memcpy(queue->data, (const unsigned char *)bytes + straight, length - straight);
	queue->length += length;
	return true;
}

size_t br_queue_take(struct br_queue *queue, void *out, size_t room)
{
	size_t length = br_queue_min(room, queue->length);
	size_t straight = br_queue_min(length, queue->capacity - queue->first);

	memcpy(out, queue->data + queue->first, straight);
	memcpy((unsigned char *)out + straight, queue->data, length - straight);
	queue->first = (queue->first + length) % queue->capacity;
	queue->length -= length;
	return length;
}
