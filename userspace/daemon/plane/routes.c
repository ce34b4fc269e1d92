// SPDX-License-Identifier: BSD-2-Clause
/*
 * Laying routes: receivers are grouped by egress interface and cut into segments; the new
 * run of edges is complete before one store makes it count.
 */
#include "plane/plane_private.h"

#include <errno.h>
#include <string.h>

static void br_route_store(struct br_plane *plane, uint32_t route, uint64_t value)
{
	__atomic_store_n(&plane->route_table[route], value, __ATOMIC_RELEASE);
}

static void br_route_rest(struct br_plane *plane, const struct br_plane_route *old)
{
	if (old->taken)
		br_runs_rest(plane->edge_runs, old->first, old->taken, br_now_ns());
}

/* How many of the receivers leave by each interface. */
static int br_route_count(const struct br_plane *plane, const uint32_t *receivers, size_t count,
			  uint32_t per_egress[static BR_EGRESS_MAX])
{
	memset(per_egress, 0, BR_EGRESS_MAX * sizeof(*per_egress));
	for (size_t i = 0; i < count; i++) {
		if (receivers[i] >= plane->options.max_legs || !plane->legs[receivers[i]].used)
			return -ENOENT;
		per_egress[plane->legs[receivers[i]].hop.egress]++;
	}
	return 0;
}

/* Copiers for every segment must exist before the route is switched. */
static int br_route_copiers(struct br_plane *plane, const uint32_t per_egress[static BR_EGRESS_MAX],
			    size_t count, struct br_error *error)
{
	uint32_t chunk = plane->options.chunk;
	size_t left = count;

	for (unsigned int egress = 0; egress < BR_EGRESS_MAX; egress++)
		for (uint32_t todo = per_egress[egress]; todo;) {
			struct br_copier copier = {
				.egress = egress,
				.copies = todo < chunk ? todo : chunk,
			};
			int err;

			todo -= copier.copies;
			left -= copier.copies;
			copier.loop = left > 0;
			err = br_plane_replicator(plane, &copier, error);
			if (err)
				return err;
		}
	return 0;
}

static void br_route_write(struct br_plane *plane, uint32_t first, const uint32_t *receivers,
			   size_t count, const uint32_t per_egress[static BR_EGRESS_MAX])
{
	uint32_t next[BR_EGRESS_MAX], start[BR_EGRESS_MAX], position = first;
	uint32_t chunk = plane->options.chunk;

	for (unsigned int egress = 0; egress < BR_EGRESS_MAX; egress++) {
		start[egress] = next[egress] = position;
		position += per_egress[egress];
	}
	for (size_t i = 0; i < count; i++) {
		unsigned int egress = plane->legs[receivers[i]].hop.egress;
		uint32_t offset = next[egress] - start[egress];
		uint32_t left = per_egress[egress] - offset;
		struct br_edge edge = {.leg = receivers[i], .egress = (__u8)egress};

		if (offset % chunk == 0)
			edge.run = (__u16)(left < chunk ? left : chunk);
		plane->edge_table[next[egress]++] = edge;
	}
}

/* Does the route lead to exactly these legs already, each over its present interface? */
static bool br_route_is(struct br_plane *plane, uint32_t route, const uint32_t *receivers,
			size_t count)
{
	const struct br_plane_route *present = &plane->routes[route];

	if (present->count != count)
		return false;
	if (++plane->mark == 0) {
		memset(plane->marks, 0, plane->options.max_legs * sizeof(*plane->marks));
		plane->mark = 1;
	}
	for (size_t i = 0; i < count; i++)
		plane->marks[receivers[i]] = plane->mark;
	for (size_t i = 0; i < count; i++) {
		const struct br_edge *edge = &plane->edge_table[present->first + i];

		if (plane->marks[edge->leg] != plane->mark ||
		    edge->egress != plane->legs[edge->leg].hop.egress)
			return false;
		plane->marks[edge->leg] = 0; /* a leg that stands there twice is found out */
	}
	return true;
}

static void br_route_switch(struct br_plane *plane, uint32_t route, uint32_t first, size_t count)
{
	struct br_route value = {.first = first, .count = (__u16)count};
	uint64_t whole;

	memcpy(&whole, &value, sizeof(whole));
	br_route_store(plane, route, whole);
}

/*
 * The table is full, but the new receivers fit into the run that the route has: rewrite it
 * in place, with the route empty meanwhile. Packets on their way may miss a receiver or
 * reach one twice, all of them in this route; to refuse would keep sending to who has left.
 */
static int br_route_squeeze(struct br_plane *plane, uint32_t route, const uint32_t *receivers,
			    size_t count, const uint32_t per_egress[static BR_EGRESS_MAX])
{
	struct br_plane_route *present = &plane->routes[route];

	if (count > present->taken)
		return -ENOSPC;
	br_route_store(plane, route, 0);
	br_route_write(plane, present->first, receivers, count, per_egress);
	br_route_switch(plane, route, present->first, count);
	present->count = (uint32_t)count;
	return 0;
}

/* Give a route (index of the kernel's table) these receivers; on error the old ones stay. */
int br_plane_route_lay(struct br_plane *plane, uint32_t route, const uint32_t *receivers,
		       size_t count, struct br_error *error)
{
	struct br_plane_route old = plane->routes[route];
	uint32_t per_egress[BR_EGRESS_MAX], first;
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
	if (br_route_is(plane, route, receivers, count))
		return 0;
	err = br_runs_take(plane->edge_runs, br_now_ns(), (uint32_t)count, &first);
	if (err && !br_route_squeeze(plane, route, receivers, count, per_egress))
		return 0;
	if (err)
		return br_error_set(error, -ENOSPC, NULL,
				    "no room for %zu edges: the table is full (tables.edges: %u)",
				    count, plane->options.max_edges);
	br_route_write(plane, first, receivers, count, per_egress);
	br_route_switch(plane, route, first, count);
	plane->routes[route] = (struct br_plane_route){
		.first = first,
		.count = (uint32_t)count,
		.taken = (uint32_t)count,
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

static bool br_route_names_legs(const struct br_plane *plane, const struct br_route *route)
{
	for (uint32_t i = 0; i < route->count; i++) {
		uint32_t leg = plane->edge_table[route->first + i].leg;

		if (leg >= plane->options.max_legs || !plane->legs[leg].used)
			return false;
	}
	return true;
}

/*
 * Take over what the kernel's table says. @none: value of a route without edges. A route
 * that cannot be right is emptied, to be laid again by whoever knows; then false.
 */
bool br_plane_route_adopt(struct br_plane *plane, uint32_t route, bool used, uint64_t none)
{
	uint64_t whole = plane->route_table[route];
	struct br_route value;

	plane->routes[route] = (struct br_plane_route){.inherit = none == BR_ROUTE_INHERIT};
	if (whole == none)
		return true;
	memcpy(&value, &whole, sizeof(value));
	if (used && whole != BR_ROUTE_INHERIT && value.count == 0) {
		plane->routes[route].inherit = false; /* nobody receives this stream */
		return true;
	}
	if (used && whole != BR_ROUTE_INHERIT && value.count <= BR_ROUTE_MAX &&
	    !br_runs_claim(plane->edge_runs, value.first, value.count)) {
		if (br_route_names_legs(plane, &value)) {
			plane->routes[route] = (struct br_plane_route){
				.first = value.first,
				.count = value.count,
				.taken = value.count,
			};
			return true;
		}
		br_runs_rest(plane->edge_runs, value.first, value.count, br_now_ns());
	}
	br_route_store(plane, route, none);
	return !used;
}

static bool br_route_has_moved(const struct br_plane *plane, const struct br_plane_route *route)
{
	for (uint32_t i = 0; i < route->count; i++)
		if (plane->legs[plane->edge_table[route->first + i].leg].moved)
			return true;
	return false;
}

/* Lay again the routes that lead to legs which have moved to another interface. */
void br_plane_routes_relay(struct br_plane *plane)
{
	uint32_t routes = plane->options.max_legs + plane->options.max_streams;
	static uint32_t receivers[BR_ROUTE_MAX];

	if (!plane->routes_moved)
		return;
	plane->routes_moved = false;
	for (uint32_t i = 0; i < routes; i++) {
		struct br_plane_route *route = &plane->routes[i];

		if (!route->count || !br_route_has_moved(plane, route))
			continue;
		for (uint32_t k = 0; k < route->count; k++)
			receivers[k] = plane->edge_table[route->first + k].leg;
		/* Without room for a second run, copies to legs that moved are dropped for now. */
		if (br_plane_route_lay(plane, i, receivers, route->count, NULL))
			plane->routes_moved = true;
	}
	if (plane->routes_moved)
		return;
	for (uint32_t i = 0; i < plane->options.max_legs; i++)
		plane->legs[i].moved = false;
}
