// SPDX-License-Identifier: BSD-2-Clause
/* The next hop of a leg: from the routing table, or named by whoever added it. */
#include "plane/plane_private.h"

#include <errno.h>

static int br_leg_name_hop(struct br_plane *plane, struct br_plane_leg *leg, struct br_error *error)
{
	int err;

	if (plane->slow_all)
		return br_error_set(error, -EINVAL, "next_hop",
				    "a next hop can be named only where XDP sends the copies; here "
				    "the daemon does (media.xdp_mode, `blindrelay check`)");
	err = br_next_hops_name(plane->hops, &leg->spec.hop, &leg->hop, error);
	if (err)
		return err;
	leg->named = true;
	if (leg->spec.local.family ||
	    br_plane_local_of(plane, leg->hop.egress, &leg->spec.remote.addr, &leg->spec.local))
		return 0;
	br_leg_give_hop(plane, leg);
	return br_error_set(error, -EINVAL, "next_hop.source_address",
			    "expected an address: %s has no IPv%u address to send from",
			    leg->spec.hop.interface, leg->spec.remote.addr.family);
}

int br_leg_take_hop(struct br_plane *plane, struct br_plane_leg *leg, struct br_error *error)
{
	int err;

	if (leg->spec.hop.interface[0])
		return br_leg_name_hop(plane, leg, error);
	err = br_next_hops_get(plane->hops, &leg->spec.remote.addr, &leg->hop, error);
	leg->held = !err;
	return err;
}

void br_leg_give_hop(struct br_plane *plane, struct br_plane_leg *leg)
{
	if (leg->held)
		br_next_hops_put(plane->hops, &leg->spec.remote.addr);
	if (leg->named && !leg->pending)
		br_next_hops_unname(plane->hops, leg->hop.index);
	leg->held = leg->named = false;
}

enum br_leg_reach br_leg_reach(const struct br_plane *plane, const struct br_plane_leg *leg,
			       uint16_t *egress)
{
	struct br_next_hop_info hop = leg->hop;
	bool none = false;

	if (leg->pending)
		hop.ready = plane->hop_table[hop.index].state == BR_NEXT_HOP_READY;
	else if (leg->named)
		none = br_next_hops_named_info(plane->hops, hop.index, &hop) || !hop.ready;
	else
		none = !leg->held || br_next_hops_info(plane->hops, &leg->spec.remote.addr, &hop);
	*egress = hop.egress;
	return none ? BR_REACH_NONE : hop.ready ? BR_REACH_READY : BR_REACH_RESOLVING;
}

int br_plane_leg_name_hop(struct br_plane *plane, uint32_t index, const struct br_named_hop *hop,
			  struct br_error *error)
{
	struct br_plane_leg *leg = &plane->legs[index];
	struct br_next_hop_info info;
	int err;

	if (index >= plane->options.max_legs || !leg->used || !leg->named)
		return br_error_set(error, -ENOENT, NULL, "no leg with a named next hop");
	err = br_next_hops_name(plane->hops, hop, &info, error);
	if (err)
		return err;
	if (!leg->pending)
		br_next_hops_unname(plane->hops, leg->hop.index);
	leg->spec.hop = *hop;
	br_plane_leg_follow(plane, index, &info);
	br_plane_adopted_hop_left(plane, index);
	return 0;
}
