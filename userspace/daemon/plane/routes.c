// SPDX-License-Identifier: BSD-2-Clause
/*
 * Laying routes: receivers are grouped by egress interface and cut into segments; the new
 * run of edges is complete before one store makes it count. Last stand those that the daemon
 * serves, in one segment: a packet that comes over the tap names it, so the kernel and the
 * daemon agree about every single packet on who serves whom.
 */
#include "plane/plane_private.h"

#include <errno.h>
#include <string.h>

/* Interfaces, and the tap behind them. */
#define BR_EGRESSES (BR_EGRESS_MAX + 1)
_Static_assert(BR_EGRESS_TAP == BR_EGRESS_MAX, "the tap's edges stand last");

/* A run of so many edges or more is taken with an eighth to spare, for receivers to come. */
#define BR_SPARE_FROM 32u

/* Between two passes over all routes while more legs are about to move. */
#define BR_RELAY_NS (50 * 1000000ULL)

static void br_route_store(struct br_plane *plane, uint32_t route, uint64_t value)
{
	__atomic_store_n(&plane->route_table[route], value, __ATOMIC_RELEASE);
}

static void br_route_rest(struct br_plane *plane, const struct br_plane_route *old)
{
	if (old->taken)
		br_runs_rest(plane->edge_runs, old->first, old->taken, br_now_ns());
}

/* How many of the receivers leave by each interface, and by the tap. */
static int br_route_count(const struct br_plane *plane, const uint32_t *receivers, size_t count,
			  uint32_t per_egress[static BR_EGRESSES])
{
	memset(per_egress, 0, BR_EGRESSES * sizeof(*per_egress));
	for (size_t i = 0; i < count; i++) {
		if (receivers[i] >= plane->options.max_legs || !plane->legs[receivers[i]].used)
			return -ENOENT;
		per_egress[br_plane_leg_egress(plane, receivers[i])]++;
	}
	return 0;
}

/* Copiers for every segment must exist before the route is switched. */
static int br_route_copiers(struct br_plane *plane, const uint32_t per_egress[static BR_EGRESSES],
			    size_t count, struct br_error *error)
{
	struct br_copier copier = {.tap = per_egress[BR_EGRESS_TAP]};
	size_t left = count - per_egress[BR_EGRESS_TAP];

	if (!plane->loop.ends[BR_LOOP_QUEUE].name[0])
		return 0; /* no XDP, no copies */
	if (!left)
		return br_plane_replicator(plane, &copier, error); /* the daemon serves all */
	for (copier.egress = 0; copier.egress < BR_EGRESS_MAX; copier.egress++)
		for (uint32_t todo = per_egress[copier.egress]; todo;) {
			int err;

			copier.copies = todo < plane->options.chunk ? todo : plane->options.chunk;
			todo -= copier.copies;
			left -= copier.copies;
			copier.loop = left > 0;
			err = br_plane_replicator(plane, &copier, error);
			if (err)
				return err;
			copier.tap = false; /* with the first segment */
		}
	return 0;
}

static void br_route_write(struct br_plane *plane, uint32_t first, const uint32_t *receivers,
			   size_t count, const uint32_t per_egress[static BR_EGRESSES])
{
	uint32_t next[BR_EGRESSES], start[BR_EGRESSES], position = first;

	for (unsigned int egress = 0; egress < BR_EGRESSES; egress++) {
		start[egress] = next[egress] = position;
		position += per_egress[egress];
	}
	for (size_t i = 0; i < count; i++) {
		uint8_t egress = br_plane_leg_egress(plane, receivers[i]);
		uint32_t chunk = egress == BR_EGRESS_TAP ? BR_ROUTE_MAX : plane->options.chunk;
		uint32_t offset = next[egress] - start[egress];
		uint32_t left = per_egress[egress] - offset;
		struct br_edge edge = {.leg = receivers[i], .egress = egress};

		if (offset % chunk == 0)
			edge.run = (__u16)(left < chunk ? left : chunk);
		plane->edge_table[next[egress]++] = edge;
	}
}

/*
 * Are all legs that the route leads to among these, each over its present interface? The others
 * bear the mark then.
 */
static bool br_route_within(struct br_plane *plane, uint32_t route, const uint32_t *receivers,
			    size_t count)
{
	const struct br_plane_route *present = &plane->routes[route];

	if (++plane->mark == 0) {
		memset(plane->marks, 0, plane->options.max_legs * sizeof(*plane->marks));
		plane->mark = 1;
	}
	for (size_t i = 0; i < count; i++)
		plane->marks[receivers[i]] = plane->mark;
	for (size_t i = 0; i < present->count; i++) {
		const struct br_edge *edge = &plane->edge_table[present->first + i];

		if (plane->marks[edge->leg] != plane->mark ||
		    edge->egress != br_plane_leg_egress(plane, edge->leg))
			return false;
		plane->marks[edge->leg] = 0; /* a leg that stands there twice is found out */
	}
	return true;
}

static void br_route_switch(struct br_plane *plane, uint32_t route, uint32_t first, size_t count,
			    uint32_t tapped)
{
	struct br_route value = {
		.first = first,
		.count = (__u16)(count - tapped),
		.flags = tapped ? BR_ROUTE_TAP : 0,
	};
	uint64_t whole;

	memcpy(&whole, &value, sizeof(whole));
	br_route_store(plane, route, whole);
}

/*
 * Receivers that only come to those of the route, and leave by the last of its interfaces, are
 * written behind them if the run has room: a join then costs its own edge, not the whole run.
 * The route is switched last, and the kernel takes no more of a segment than a packet's count
 * allows, so a packet sees the old receivers or the new ones here too. After br_route_within.
 */
static bool br_route_append(struct br_plane *plane, uint32_t route, const uint32_t *receivers,
			    size_t count, const uint32_t per_egress[static BR_EGRESSES])
{
	struct br_plane_route *present = &plane->routes[route];
	uint32_t added = (uint32_t)count - present->count, end = present->first + present->count;
	uint8_t egress = plane->edge_table[end - 1].egress;
	uint32_t start = end - (per_egress[egress] - added);

	if (count > present->taken || per_egress[BR_EGRESS_TAP])
		return false;
	for (size_t i = 0; i < count; i++)
		if (plane->marks[receivers[i]] == plane->mark &&
		    br_plane_leg_egress(plane, receivers[i]) != egress)
			return false;
	for (size_t i = 0; i < count; i++) {
		uint32_t offset = (end - start) % plane->options.chunk;

		if (plane->marks[receivers[i]] != plane->mark)
			continue;
		plane->edge_table[end] = (struct br_edge){
			.leg = receivers[i], .run = offset ? 0 : 1, .egress = egress};
		if (offset)
			__atomic_store_n(&plane->edge_table[end - offset].run, (__u16)(offset + 1),
					 __ATOMIC_RELEASE);
		end++;
	}
	br_route_switch(plane, route, present->first, count, 0);
	present->count = (uint32_t)count;
	return true;
}

/* A run for so many edges, and for some more where the table has room for them. */
static int br_route_take(struct br_plane *plane, size_t count, uint32_t *first, uint32_t *taken)
{
	uint32_t spare = count < BR_SPARE_FROM ? 0 : (uint32_t)count / 8;

	if (count + spare > BR_ROUTE_MAX)
		spare = (uint32_t)(BR_ROUTE_MAX - count);
	*taken = (uint32_t)count + spare;
	if (!br_runs_take(plane->edge_runs, br_now_ns(), *taken, first))
		return 0;
	*taken = (uint32_t)count;
	return spare ? br_runs_take(plane->edge_runs, br_now_ns(), *taken, first) : -ENOSPC;
}

/*
 * The table is full, but the new receivers fit into the run that the route has: rewrite it
 * in place, with the route empty meanwhile. Packets on their way may miss a receiver or
 * reach one twice, all of them in this route; to refuse would keep sending to who has left.
 */
static int br_route_squeeze(struct br_plane *plane, uint32_t route, const uint32_t *receivers,
			    size_t count, const uint32_t per_egress[static BR_EGRESSES])
{
	struct br_plane_route *present = &plane->routes[route];

	if (count > present->taken)
		return -ENOSPC;
	br_route_store(plane, route, 0);
	br_route_write(plane, present->first, receivers, count, per_egress);
	br_route_switch(plane, route, present->first, count, per_egress[BR_EGRESS_TAP]);
	present->count = (uint32_t)count;
	return 0;
}

/* Give a route (index of the kernel's table) these receivers; on error the old ones stay. */
int br_plane_route_lay(struct br_plane *plane, uint32_t route, const uint32_t *receivers,
		       size_t count, struct br_error *error)
{
	struct br_plane_route old = plane->routes[route];
	uint32_t per_egress[BR_EGRESSES], first, taken;
	int err;

	if (!count) {
		br_plane_route_drop(plane, route, false);
		return 0;
	}
	if (count > BR_ROUTE_MAX)
		return br_error_set(error, -ENOSPC, NULL, "a route takes at most %u receivers",
				    BR_ROUTE_MAX);
	err = br_route_count(plane, receivers, count, per_egress);
	if (err)
		return br_error_set(error, err, NULL, "a receiver of the route is no leg");
	err = br_route_copiers(plane, per_egress, count, error);
	if (err)
		return err;
	if (old.count && old.count <= count && br_route_within(plane, route, receivers, count) &&
	    (old.count == count || br_route_append(plane, route, receivers, count, per_egress)))
		return 0;
	err = br_route_take(plane, count, &first, &taken);
	if (err && !br_route_squeeze(plane, route, receivers, count, per_egress))
		return 0;
	if (err)
		return br_error_set(error, -ENOSPC, NULL,
				    "no room for %zu edges: the table is full (tables.edges: %u)",
				    count, plane->options.max_edges);
	br_route_write(plane, first, receivers, count, per_egress);
	br_route_switch(plane, route, first, count, per_egress[BR_EGRESS_TAP]);
	plane->routes[route] = (struct br_plane_route){
		.first = first,
		.count = (uint32_t)count,
		.taken = taken,
	};
	br_route_rest(plane, &old);
	return 0;
}

/* Take all receivers from a route; a stream's may go back to the route of its leg. */
void br_plane_route_drop(struct br_plane *plane, uint32_t route, bool inherit)
{
	struct br_plane_route old = plane->routes[route];

	br_route_store(plane, route, inherit ? BR_ROUTE_INHERIT : 0);
	plane->routes[route] = (struct br_plane_route){.inherit = inherit};
	br_route_rest(plane, &old);
}

static bool br_route_names_legs(const struct br_plane *plane, uint32_t first, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t leg = plane->edge_table[first + i].leg;

		if (leg >= plane->options.max_legs || !plane->legs[leg].used)
			return false;
	}
	return true;
}

/* All edges of a route of the kernel's table; more than BR_ROUTE_MAX when it cannot be right. */
static uint32_t br_route_edges(const struct br_plane *plane, const struct br_route *route)
{
	const struct br_edge *tapped = &plane->edge_table[route->first + route->count];

	if (!(route->flags & BR_ROUTE_TAP))
		return route->count;
	if (route->first >= plane->options.max_edges ||
	    route->count >= plane->options.max_edges - route->first ||
	    tapped->egress != BR_EGRESS_TAP || !tapped->run)
		return BR_ROUTE_MAX + 1;
	return (uint32_t)route->count + tapped->run;
}

/*
 * Take over what the kernel's table says. @none: value of a route without edges. A route
 * that cannot be right is emptied, to be laid again by whoever knows; then false.
 */
bool br_plane_route_adopt(struct br_plane *plane, uint32_t route, bool used, uint64_t none)
{
	uint64_t whole = plane->route_table[route];
	struct br_route value;
	uint32_t count;

	plane->routes[route] = (struct br_plane_route){.inherit = none == BR_ROUTE_INHERIT};
	if (whole == none)
		return true;
	memcpy(&value, &whole, sizeof(value));
	if (used && whole != BR_ROUTE_INHERIT && !value.count && !value.flags) {
		plane->routes[route].inherit = false; /* nobody receives this stream */
		return true;
	}
	count = used && whole != BR_ROUTE_INHERIT ? br_route_edges(plane, &value) : 0;
	if (count && count <= BR_ROUTE_MAX &&
	    !br_runs_claim(plane->edge_runs, value.first, count)) {
		if (br_route_names_legs(plane, value.first, count)) {
			plane->routes[route] = (struct br_plane_route){
				.first = value.first,
				.count = count,
				.taken = count,
			};
			return true;
		}
		br_runs_rest(plane->edge_runs, value.first, count, br_now_ns());
	}
	br_route_store(plane, route, none);
	return !used;
}

void br_plane_leg_mark_moved(struct br_plane *plane, uint32_t leg)
{
	plane->moved[leg / 64] |= 1ULL << (leg % 64);
	plane->routes_moved = true;
}

static bool br_route_has_moved(const struct br_plane *plane, const struct br_plane_route *route)
{
	for (uint32_t i = 0; i < route->count; i++) {
		uint32_t leg = plane->edge_table[route->first + i].leg;

		if (plane->moved[leg / 64] >> (leg % 64) & 1)
			return true;
	}
	return false;
}

/* Lay the routes again that name a leg which has moved; false when there was no room for one. */
static bool br_routes_lay_moved(struct br_plane *plane)
{
	uint32_t routes = plane->options.max_legs + plane->options.max_streams;
	static uint32_t receivers[BR_ROUTE_MAX];
	bool all = true;

	for (uint32_t i = 0; i < routes; i++) {
		struct br_plane_route *route = &plane->routes[i];

		if (!route->count || !br_route_has_moved(plane, route))
			continue;
		for (uint32_t k = 0; k < route->count; k++)
			receivers[k] = plane->edge_table[route->first + k].leg;
		/* Without room for a second run, copies to legs that moved are dropped for now. */
		if (br_plane_route_lay(plane, i, receivers, route->count, NULL))
			all = false;
	}
	return all;
}

/*
 * Lay again the routes that lead to legs which have moved to another interface, or from the
 * daemon to the kernel or back. Which ones these are is found in one pass over all edges, a few
 * milliseconds for a million: cheaper than to keep for each leg the list of its edges, which every
 * join would pay for. Where many legs are on the move, one pass serves all that moved since the
 * last.
 */
void br_plane_routes_relay(struct br_plane *plane)
{
	if (!plane->routes_moved ||
	    (br_next_hops_busy(plane->hops) && br_now_ns() - plane->relaid_ns < BR_RELAY_NS))
		return;
	plane->routes_moved = !br_routes_lay_moved(plane);
	plane->relaid_ns = br_now_ns();
	if (!plane->routes_moved)
		memset(plane->moved, 0, br_plane_moved_size(&plane->options));
}
