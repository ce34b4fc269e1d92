/* SPDX-License-Identifier: BSD-2-Clause */
/* Samples for GET /v1/top on the event loop: taken for those who ask, forgotten without them. */
#ifndef BR_TOP_H
#define BR_TOP_H

#include <uv.h>

#include "control/sampler.h"

struct br_top;

/** br_top_new - nothing is sampled yet; NULL without memory */
struct br_top *br_top_new(uv_loop_t *loop, const struct br_plane *plane,
			  const struct br_rooms *rooms);
/**
 * br_top_close - stop
 * @closed: called from the loop when @top is gone
 *
 * NULL is ignored. Return: will @closed be called?
 */
bool br_top_close(struct br_top *top, void (*closed)(void *context), void *context);

/**
 * br_top_pair - samples to compare: a new one, unless the latest is very young
 *
 * A sample that takes longer than a few milliseconds is finished between other events of the
 * loop; until then the one before is the latest, and without any `now` is NULL.
 *
 * Return: 0 or a negative errno.
 */
int br_top_pair(struct br_top *top, uint64_t interval_ns, struct br_sample_pair *pair);

#endif
