// SPDX-License-Identifier: BSD-2-Clause
#include "control/watch.h"

#include <stdlib.h>

struct br_watch {
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned int handles; /* that the loop still has */
	void (*readable)(void *context);
	void (*tick)(void *context);
	void *context;
};

static void br_watch_readable(uv_poll_t *poll, int status, int events)
{
	struct br_watch *watch = poll->data;

	(void)status; /* whoever reads meets the error */
	(void)events;
	watch->readable(watch->context);
}

static void br_watch_tick(uv_timer_t *timer)
{
	struct br_watch *watch = timer->data;

	watch->tick(watch->context);
}

static void br_watch_closed(uv_handle_t *handle)
{
	struct br_watch *watch = handle->data;

	if (!--watch->handles)
		free(watch);
}

struct br_watch *br_watch_open(uv_loop_t *loop, int fd, uint64_t tick_ms,
			       void (*readable)(void *context), void (*tick)(void *context),
			       void *context)
{
	struct br_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	*watch = (struct br_watch){
		.handles = 2, .readable = readable, .tick = tick, .context = context};
	if (uv_poll_init(loop, &watch->poll, fd)) {
		free(watch);
		return NULL;
	}
	uv_timer_init(loop, &watch->timer);
	watch->poll.data = watch->timer.data = watch;
	uv_poll_start(&watch->poll, UV_READABLE, br_watch_readable);
	uv_timer_start(&watch->timer, br_watch_tick, tick_ms, tick_ms);
	return watch;
}

void br_watch_close(struct br_watch *watch)
{
	if (!watch)
		return;
	/* takes the descriptor out of epoll at once */
	uv_poll_stop(&watch->poll);
	uv_close((uv_handle_t *)&watch->poll, br_watch_closed);
	uv_close((uv_handle_t *)&watch->timer, br_watch_closed);
}
