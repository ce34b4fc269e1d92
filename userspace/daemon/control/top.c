// SPDX-License-Identifier: BSD-2-Clause
#include "control/top.h"

#include <stdlib.h>

#include "lib/log.h"

#define BR_TOP_YOUNG_NS	 100000000ull /* no new sample while the latest is younger */
#define BR_TOP_BUDGET_NS 4000000ull   /* time for reading, per turn of the loop */
#define BR_TOP_FORGET_MS 120000u      /* nobody has asked for so long: free the samples */

struct br_top {
	struct br_sampler *sampler;
	uv_timer_t timer; /* goes on with a sample, else waits until all are forgotten */
	void (*closed)(void *context);
	void *context;
};

static int top_run(struct br_top *top);

static void top_on_timer(uv_timer_t *timer)
{
	struct br_top *top = timer->data;
	int err;

	if (!br_sampler_running(top->sampler)) {
		br_sampler_drop(top->sampler);
		return;
	}
	err = top_run(top);
	if (err)
		br_log_warn("top: the counters cannot be read: %s", uv_strerror(err));
}

static int top_run(struct br_top *top)
{
	int done = br_sampler_run(top->sampler, uv_hrtime, BR_TOP_BUDGET_NS);

	uv_timer_start(&top->timer, top_on_timer, done ? BR_TOP_FORGET_MS : 0, 0);
	return done < 0 ? done : 0;
}

struct br_top *br_top_new(uv_loop_t *loop, const struct br_plane *plane,
			  const struct br_rooms *rooms)
{
	struct br_top *top = calloc(1, sizeof(*top));

	if (!top)
		return NULL;
	top->sampler = br_sampler_new(plane, rooms);
	if (!top->sampler || uv_timer_init(loop, &top->timer)) {
		br_sampler_free(top->sampler);
		free(top);
		return NULL;
	}
	top->timer.data = top;
	return top;
}

static void top_on_closed(uv_handle_t *handle)
{
	struct br_top *top = handle->data;
	void (*closed)(void *context) = top->closed;
	void *context = top->context;

	br_sampler_free(top->sampler);
	free(top);
	closed(context);
}

bool br_top_close(struct br_top *top, void (*closed)(void *context), void *context)
{
	if (!top)
		return false;
	top->closed = closed;
	top->context = context;
	uv_close((uv_handle_t *)&top->timer, top_on_closed);
	return true;
}

int br_top_pair(struct br_top *top, uint64_t interval_ns, struct br_sample_pair *pair)
{
	int err = 0;

	*pair = br_sampler_pair(top->sampler, interval_ns);
	if (br_sampler_running(top->sampler) || !pair->now ||
	    uv_hrtime() - br_sample_time_ns(pair->now) >= BR_TOP_YOUNG_NS)
		err = top_run(top);
	*pair = br_sampler_pair(top->sampler, interval_ns);
	return err;
}
