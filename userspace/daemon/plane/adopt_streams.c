// SPDX-License-Identifier: BSD-2-Clause
/*
 * Stream slots are either in the queue of free ones or in use. A daemon that was killed
 * between the two leaves one that is neither. The queue cannot be read, only popped, and the
 * kernel takes from it at any time: so it is turned, one slot after the other, while the relay
 * works, and what was seen nowhere is put back.
 *
 * Twice around: a slot that the kernel had in its hands when its turn was due (it lost a race
 * for an SSRC and gave it back) is met the second time.
 */
#include "plane/plane_private.h"

#include <errno.h>
#include <stdlib.h>

#include <bpf/bpf.h>

#include "lib/log.h"
#include "relay.skel.h"

#define BR_SEARCH_STEP	  4096u		     /* slots per tick of 100 ms: about a millisecond */
#define BR_SEARCH_REST_NS (100 * 1000000ULL) /* until the kernel has put down what it holds */

int br_plane_slot_search_begin(struct br_plane *plane)
{
	struct br_plane_slot_search *search = &plane->slot_search;

	search->known = calloc(plane->options.max_streams, sizeof(*search->known));
	search->left = 2ULL * plane->options.max_streams;
	return search->known ? 0 : -ENOMEM;
}

static void br_search_turn(struct br_plane *plane)
{
	struct br_plane_slot_search *search = &plane->slot_search;
	int map = bpf_map__fd(plane->bpf->maps.free_streams);
	uint32_t slot;

	for (uint32_t i = 0; i < BR_SEARCH_STEP && search->left; i++, search->left--) {
		if (bpf_map_lookup_and_delete_elem(map, NULL, &slot)) {
			search->left = 0; /* none is free */
			break;
		}
		if (slot < plane->options.max_streams)
			search->known[slot] = true;
		bpf_map_update_elem(map, NULL, &slot, BPF_ANY);
	}
	if (!search->left)
		search->done_ns = br_now_ns();
}

static void br_search_mark_used(struct br_plane *plane)
{
	int map = bpf_map__fd(plane->bpf->maps.streams);
	struct br_stream_key key, next;
	int err = bpf_map_get_next_key(map, NULL, &key);

	for (; !err; key = next) {
		uint32_t slot;

		if (!bpf_map_lookup_elem(map, &key, &slot) && slot < plane->options.max_streams)
			plane->slot_search.known[slot] = true;
		err = bpf_map_get_next_key(map, &key, &next);
	}
	for (uint32_t i = 0; i < plane->options.max_streams; i++)
		if (plane->streams[i].used)
			plane->slot_search.known[i] = true;
}

void br_plane_slot_search_tick(struct br_plane *plane)
{
	struct br_plane_slot_search *search = &plane->slot_search;
	int map = bpf_map__fd(plane->bpf->maps.free_streams);
	uint32_t found = 0;

	if (!search->known)
		return;
	if (search->left) {
		br_search_turn(plane);
		return;
	}
	if (br_now_ns() - search->done_ns < BR_SEARCH_REST_NS)
		return;
	br_search_mark_used(plane);
	for (uint32_t slot = 0; slot < plane->options.max_streams; slot++)
		if (!search->known[slot])
			found += !bpf_map_update_elem(map, NULL, &slot, BPF_ANY);
	if (found)
		br_log_info("state: %u stream slot%s free that nobody owned", found,
			    found == 1 ? " is" : "s are");
	free(search->known);
	search->known = NULL;
}
