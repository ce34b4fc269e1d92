// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the daemon keeps of its tables, read back from the kernel's. A daemon may have been
 * killed between any two writes: what is half there is completed or taken away.
 */
#include "plane/plane_private.h"

#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "lib/log.h"
#include "relay.skel.h"

/* A leg is one that the kernel finds by its five-tuple and whose entry says the same. */
static bool br_adopt_leg(struct br_plane *plane, const struct br_tuple *tuple, uint32_t leg)
{
	return leg < plane->options.max_legs && plane->leg_table[leg].family &&
	       !memcmp(&plane->leg_table[leg].tuple, tuple, sizeof(*tuple)) &&
	       !br_plane_leg_adopt(plane, leg);
}

static void br_adopt_legs(struct br_plane *plane)
{
	int map = bpf_map__fd(plane->bpf->maps.tuples);
	struct br_tuple key, next;
	int err = bpf_map_get_next_key(map, NULL, &key);

	for (; !err; key = next) {
		uint32_t leg;

		err = bpf_map_get_next_key(map, &key, &next);
		if (bpf_map_lookup_elem(map, &key, &leg) || !br_adopt_leg(plane, &key, leg))
			bpf_map_delete_elem(map, &key);
	}
	for (uint32_t i = 0; i < plane->options.max_legs; i++) {
		struct br_leg *leg = &plane->leg_table[i];

		if (plane->legs[i].used && !leg->expires_ns)
			br_plane_leg_repair(plane, i);
		else if (!plane->legs[i].used && leg->expires_ns)
			__atomic_store_n(&leg->expires_ns, 0, __ATOMIC_RELEASE);
	}
}

static void br_adopt_streams(struct br_plane *plane)
{
	int map = bpf_map__fd(plane->bpf->maps.streams);
	struct br_stream_key key, next;
	int err = bpf_map_get_next_key(map, NULL, &key);

	for (; !err; key = next) {
		uint32_t slot;

		err = bpf_map_get_next_key(map, &key, &next);
		if (!bpf_map_lookup_elem(map, &key, &slot) && slot < plane->options.max_streams &&
		    !plane->streams[slot].used && key.leg < plane->options.max_legs &&
		    plane->legs[key.leg].used)
			br_plane_stream_note(plane, key.leg, key.ssrc, slot,
					     !plane->legs[key.leg].spec.fixed_ssrcs);
		else
			bpf_map_delete_elem(map, &key); /* the search finds the slot again */
	}
}

static void br_adopt_routes(struct br_plane *plane)
{
	uint32_t legs = plane->options.max_legs, wrong = 0;

	for (uint32_t i = 0; i < legs; i++)
		wrong += !br_plane_route_adopt(plane, i, plane->legs[i].used, 0);
	for (uint32_t i = 0; i < plane->options.max_streams; i++)
		wrong += !br_plane_route_adopt(plane, legs + i, plane->streams[i].used,
					       BR_ROUTE_INHERIT);
	if (wrong)
		br_log_warn("state: %u route%s half written; laid again", wrong,
			    wrong == 1 ? " was" : "s were");
}

int br_plane_adopt_tables(struct br_plane *plane, struct br_error *error)
{
	br_adopt_legs(plane);
	br_adopt_streams(plane);
	br_adopt_routes(plane);
	if (br_plane_locals_adopt(plane))
		return br_error_set(error, -ENOMEM, "media.interfaces",
				    "their addresses cannot be read");
	if (br_plane_slot_search_begin(plane))
		return br_error_set(error, -ENOMEM, "tables.streams", "no memory");
	return 0;
}
