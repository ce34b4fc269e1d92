/* SPDX-License-Identifier: BSD-2-Clause */
/* A descriptor and a timer on the event loop, for as long as somebody needs them. */
#ifndef BR_WATCH_H
#define BR_WATCH_H

#include <uv.h>

struct br_watch;

/**
 * br_watch_open - call @readable when @fd is, and @tick every @tick_ms milliseconds
 *
 * Return: NULL without memory, or when @fd cannot be polled.
 */
struct br_watch *br_watch_open(uv_loop_t *loop, int fd, uint64_t tick_ms,
			       void (*readable)(void *context), void (*tick)(void *context),
			       void *context);
/**
 * br_watch_close - no call follows, and @fd may be closed; NULL is ignored
 *
 * Its memory is freed by the loop: run it once more.
 */
void br_watch_close(struct br_watch *watch);

#endif
