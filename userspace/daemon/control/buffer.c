// SPDX-License-Identifier: BSD-2-Clause
#include "control/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for @extra more bytes and a NUL. */
static bool br_buffer_reserve(struct br_buffer *buffer, size_t extra)
{
	size_t capacity = buffer->capacity ? buffer->capacity : 512;
	char *data;

	if (buffer->failed)
		return false;
	while (capacity - buffer->length <= extra)
		capacity *= 2;
	if (capacity == buffer->capacity)
		return true;
	data = realloc(buffer->data, capacity);
	if (!data) {
		buffer->failed = true;
		return false;
	}
	buffer->data = data;
	buffer->capacity = capacity;
	return true;
}

void br_buffer_add(struct br_buffer *buffer, const void *bytes, size_t length)
{
	if (!br_buffer_reserve(buffer, length))
		return;
	memcpy(buffer->data + buffer->length, bytes, length);
	buffer->length += length;
	buffer->data[buffer->length] = '\0';
}

void br_buffer_text(struct br_buffer *buffer, const char *text)
{
	br_buffer_add(buffer, text, strlen(text));
}

void br_buffer_printf(struct br_buffer *buffer, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0) {
		buffer->failed = true;
		return;
	}
	if (!br_buffer_reserve(buffer, (size_t)length))
		return;
	va_start(args, format);
	vsnprintf(buffer->data + buffer->length, (size_t)length + 1, format, args);
	va_end(args);
	buffer->length += (size_t)length;
}

void br_buffer_free(struct br_buffer *buffer)
{
	free(buffer->data);
	memset(buffer, 0, sizeof(*buffer));
}
