// SPDX-License-Identifier: BSD-2-Clause
/*
 * Legs whose next hop is known but whose neighbour has not answered. The stamp cannot send to
 * them; the daemon can, as the kernel's stack queues what it sends until the neighbour is
 * there. Not for ever: packets for a host that is gone would only keep the daemon busy.
 */
#include "plane/plane_private.h"

/* The kernel asks three times in 3 s. */
#define BR_WAIT_PATIENCE_NS (5 * 1000000000ULL)

void br_plane_leg_join_hop(struct br_plane *plane, uint32_t index)
{
	struct br_plane_leg *leg = &plane->legs[index];
	uint32_t *first = &plane->hop_legs[leg->hop.index];

	leg->hop_previous = BR_NO_LEG;
	leg->hop_next = *first;
	if (*first != BR_NO_LEG)
		plane->legs[*first].hop_previous = index;
	*first = index;
}

void br_plane_leg_leave_hop(struct br_plane *plane, uint32_t index)
{
	struct br_plane_leg *leg = &plane->legs[index];

	if (leg->hop_previous == BR_NO_LEG)
		plane->hop_legs[leg->hop.index] = leg->hop_next;
	else
		plane->legs[leg->hop_previous].hop_next = leg->hop_next;
	if (leg->hop_next != BR_NO_LEG)
		plane->legs[leg->hop_next].hop_previous = leg->hop_previous;
}

void br_plane_leg_wait(struct br_plane *plane, uint32_t index, bool waits)
{
	struct br_plane_leg *leg = &plane->legs[index];

	if (leg->waits == waits)
		return;
	leg->waits = waits;
	leg->waits_since_ns = br_now_ns();
	if (waits)
		plane->waiting_count++;
	else
		plane->waiting_count--;
	if (!plane->slow_all)
		br_plane_leg_mark_moved(plane, index);
}

/* A next hop waits for its neighbour, or does so no longer. */
void br_plane_hop_changed(struct br_plane *plane, uint32_t hop, bool waits)
{
	for (uint32_t i = plane->hop_legs[hop]; i != BR_NO_LEG; i = plane->legs[i].hop_next)
		br_plane_leg_wait(plane, i, waits);
}

void br_plane_waiting_tick(struct br_plane *plane)
{
	uint64_t now = br_now_ns();

	if (!plane->waiting_count)
		return;
	for (uint32_t i = 0; i < plane->options.max_legs; i++)
		if (plane->legs[i].waits &&
		    now - plane->legs[i].waits_since_ns >= BR_WAIT_PATIENCE_NS)
			br_plane_leg_wait(plane, i, false);
}
