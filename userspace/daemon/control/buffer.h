/* SPDX-License-Identifier: BSD-2-Clause */
/* Text that grows, for bodies of responses. Running out of memory sticks and is asked for once. */
#ifndef BR_BUFFER_H
#define BR_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct br_buffer {
	char *data; /* @length bytes and a NUL; NULL while nothing was added */
	size_t length;
	size_t capacity;
	bool failed; /* memory ran out: the content is incomplete */
};

/** br_buffer_add - append @length bytes */
void br_buffer_add(struct br_buffer *buffer, const void *bytes, size_t length);
/** br_buffer_text - append a C string */
void br_buffer_text(struct br_buffer *buffer, const char *text);
/** br_buffer_printf - append formatted text */
void br_buffer_printf(struct br_buffer *buffer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/** br_buffer_free - release the memory; the buffer is empty and usable afterwards */
void br_buffer_free(struct br_buffer *buffer);

#endif
