// SPDX-License-Identifier: BSD-2-Clause
/*
 * Next hops of adopted legs. The entries that an earlier daemon filled go on serving until
 * the way of a leg is known again and its neighbour has answered; then one store switches
 * the leg to the new entry. Bounded work per tick, so a relay with many legs starts at once.
 */
#include "plane/plane_private.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/log.h"

/* Legs looked at per tick of 100 ms; each may ask the kernel two things. */
#define BR_ADOPT_STEP 4096u
/* Between two passes over the legs that are left. */
#define BR_ADOPT_PAUSE_NS (200 * 1000000ULL)
/* A neighbour that has not answered by now is gone: the kernel asks three times in 3 s. */
#define BR_ADOPT_PATIENCE_NS (5000 * 1000000ULL)

/* A leg does not use the earlier daemon's entry any more, or never did. */
void br_plane_adopted_hop_left(struct br_plane *plane, uint32_t index)
{
	struct br_plane_adopted_hops *hops = &plane->adopted_hops;
	struct br_plane_leg *leg = &plane->legs[index];

	if (!leg->pending)
		return;
	leg->pending = false;
	hops->pending--;
	if (leg->adopted_hop && --hops->uses[leg->adopted_hop] == 0)
		br_next_hops_release(plane->hops, leg->adopted_hop);
	leg->adopted_hop = 0;
	if (hops->pending)
		return;
	free(hops->uses);
	hops->uses = NULL;
	br_log_debug("state: all legs have next hops of this daemon");
}

static void br_adopt_hop(struct br_plane *plane, uint32_t index, bool patient)
{
	struct br_plane_leg *leg = &plane->legs[index];
	const struct br_addr *remote = &leg->spec.remote.addr;
	struct br_next_hop_info info;

	if (!leg->held)
		leg->held = !br_next_hops_hold(plane->hops, remote, &info);
	else
		br_next_hops_info(plane->hops, remote, &info);
	/* a route that is gone may come back, and so may a silent neighbour: for a while */
	if (!leg->held || (!info.ready && patient && leg->adopted_hop))
		return;
	br_plane_leg_follow(plane, index, &info);
	br_plane_adopted_hop_left(plane, index);
}

void br_plane_adopt_hops_tick(struct br_plane *plane)
{
	struct br_plane_adopted_hops *hops = &plane->adopted_hops;
	uint64_t now = br_now_ns();
	bool patient = now - hops->since_ns < BR_ADOPT_PATIENCE_NS;

	if (!hops->pending || (!hops->cursor && now - hops->paused_ns < BR_ADOPT_PAUSE_NS))
		return;
	for (uint32_t done = 0; done < BR_ADOPT_STEP && hops->pending; hops->cursor++) {
		if (hops->cursor == plane->options.max_legs) {
			hops->cursor = 0;
			hops->paused_ns = br_now_ns();
			return;
		}
		/* a named hop is named again by whoever has the record of the leg */
		if (!plane->legs[hops->cursor].pending || plane->legs[hops->cursor].named)
			continue;
		br_adopt_hop(plane, hops->cursor, patient);
		done++;
	}
}

int br_plane_adopt_hops(struct br_plane *plane, struct br_error *error)
{
	struct br_plane_adopted_hops *hops = &plane->adopted_hops;
	uint32_t legs = plane->options.max_legs;

	hops->uses = calloc(legs, sizeof(*hops->uses));
	if (!hops->uses)
		return br_error_set(error, -ENOMEM, "tables.legs", "no memory");
	for (uint32_t i = 0; i < legs; i++) {
		if (!plane->legs[i].pending)
			continue;
		hops->pending++;
		hops->uses[plane->legs[i].adopted_hop]++;
	}
	hops->uses[0] = 0; /* entry 0 is nobody's */
	if (br_next_hops_reserve(plane->hops, hops->uses, legs))
		return br_error_set(error, -ENOMEM, "tables.legs", "no memory");
	hops->since_ns = br_now_ns();
	br_plane_adopt_hops_tick(plane);
	return 0;
}
