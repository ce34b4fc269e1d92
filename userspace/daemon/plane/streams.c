// SPDX-License-Identifier: BSD-2-Clause
/*
 * Streams: SSRCs of legs. The daemon registers them, or the kernel learns them and tells
 * by an event; both take slots from one queue, which is a BPF map.
 */
#include "plane/plane_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "relay.skel.h"

static uint32_t br_stream_route_index(const struct br_plane *plane, uint32_t slot)
{
	return plane->options.max_legs + slot;
}

static int br_stream_free_map(const struct br_plane *plane)
{
	return bpf_map__fd(plane->bpf->maps.free_streams);
}

/* All slots are free and follow the route of their leg. */
int br_plane_streams_open(struct br_plane *plane)
{
	for (uint32_t slot = 0; slot < plane->options.max_streams; slot++) {
		uint32_t route = br_stream_route_index(plane, slot);

		plane->route_table[route] = BR_ROUTE_INHERIT;
		plane->routes[route].inherit = true;
		if (bpf_map_update_elem(br_stream_free_map(plane), NULL, &slot, BPF_ANY))
			return -errno;
	}
	return 0;
}

static void br_stream_free(struct br_plane *plane, uint32_t slot)
{
	bpf_map_update_elem(br_stream_free_map(plane), NULL, &slot, BPF_ANY);
	if (plane->slot_search.known)
		plane->slot_search.known[slot] = true;
}

static uint32_t *br_stream_link(struct br_plane *plane, uint32_t leg, __be32 ssrc)
{
	uint32_t *link = &plane->legs[leg].streams;

	while (*link != BR_NO_STREAM && plane->streams[*link].ssrc != ssrc)
		link = &plane->streams[*link].next;
	return link;
}

void br_plane_stream_note(struct br_plane *plane, uint32_t leg, __be32 ssrc, uint32_t slot,
			  bool learned)
{
	plane->streams[slot] = (struct br_plane_stream){
		.used = true,
		.learned = learned,
		.leg = leg,
		.ssrc = ssrc,
		.next = plane->legs[leg].streams,
	};
	plane->legs[leg].streams = slot;
	plane->stream_count++;
}

static void br_stream_clear_counters(const struct br_plane *plane, uint32_t slot)
{
	struct br_stream_counters *zero = calloc((size_t)plane->cpus, sizeof(*zero));

	if (zero)
		bpf_map_update_elem(bpf_map__fd(plane->bpf->maps.stream_counters), &slot, zero,
				    BPF_ANY);
	free(zero);
	memset(&plane->slow_streams[slot], 0, sizeof(plane->slow_streams[slot]));
}

/* The kernel must not find the stream without a look-up any more. */
static void br_stream_forget_first(struct br_plane *plane, uint32_t leg, __be32 ssrc, uint32_t slot)
{
	__u64 *first = &plane->state_table[leg].first_stream;

	if (*first == BR_FIRST_STREAM(ssrc, slot))
		__atomic_store_n(first, 0, __ATOMIC_RELEASE);
}

/* A learned SSRC, from the ring. The leg may be gone by now, or another one. */
int br_plane_stream_event(void *context, void *data, size_t size)
{
	struct br_plane *plane = context;
	const struct br_event *event = data;

	if (size < sizeof(*event) || event->type != BR_EVENT_STREAM)
		return 0;
	if (event->leg >= plane->options.max_legs || event->slot >= plane->options.max_streams)
		return 0;
	if (!plane->legs[event->leg].used || plane->streams[event->slot].used) {
		struct br_stream_key key = {.leg = event->leg, .ssrc = event->ssrc};

		/* learned by a packet that passed the leg's removal: nobody will ask for it */
		br_stream_forget_first(plane, event->leg, event->ssrc, event->slot);
		if (!plane->streams[event->slot].used &&
		    !bpf_map_delete_elem(bpf_map__fd(plane->bpf->maps.streams), &key))
			br_stream_free(plane, event->slot);
		return 0;
	}
	br_plane_stream_note(plane, event->leg, event->ssrc, event->slot, true);
	if (plane->events.stream_learned)
		plane->events.stream_learned(plane->events.context, event->leg, event->ssrc);
	return 0;
}

int br_plane_stream_add(struct br_plane *plane, uint32_t leg, __be32 ssrc, struct br_error *error)
{
	struct br_stream_key key = {.leg = leg, .ssrc = ssrc};
	uint32_t slot;
	int err;

	if (bpf_map_lookup_and_delete_elem(br_stream_free_map(plane), NULL, &slot))
		return br_error_set(
			error, -ENOSPC, NULL,
			"no room for another stream: the table is full (tables.streams: %u)",
			plane->options.max_streams);
	br_stream_clear_counters(plane, slot);
	if (bpf_map_update_elem(bpf_map__fd(plane->bpf->maps.streams), &key, &slot, BPF_NOEXIST)) {
		err = -errno;
		br_stream_free(plane, slot);
		return br_error_set(error, err, "ssrcs", "cannot register SSRC 0x%08x: %s",
				    be32toh(ssrc), strerror(-err));
	}
	if (!plane->state_table[leg].first_stream)
		__atomic_store_n(&plane->state_table[leg].first_stream, BR_FIRST_STREAM(ssrc, slot),
				 __ATOMIC_RELEASE);
	br_plane_stream_note(plane, leg, ssrc, slot, false);
	return 0;
}

int br_plane_stream_find(const struct br_plane *plane, uint32_t leg, __be32 ssrc, uint32_t *slot)
{
	struct br_stream_key key = {.leg = leg, .ssrc = ssrc};

	/* not our list: the kernel may have learned it a moment ago */
	if (bpf_map_lookup_elem(bpf_map__fd(plane->bpf->maps.streams), &key, slot) ||
	    *slot >= plane->options.max_streams)
		return -ENOENT;
	return 0;
}

int br_plane_stream_learn(struct br_plane *plane, uint32_t leg, __be32 ssrc, uint32_t *slot)
{
	__u32 *learned = &plane->state_table[leg].learned;
	struct br_stream_key key = {.leg = leg, .ssrc = ssrc};
	int err;

	/* the kernel counts there at the same time */
	if (__atomic_fetch_add(learned, 1, __ATOMIC_RELAXED) >= plane->leg_table[leg].ssrc_limit)
		goto refuse;
	if (bpf_map_lookup_and_delete_elem(br_stream_free_map(plane), NULL, slot))
		goto refuse;
	br_stream_clear_counters(plane, *slot);
	if (!bpf_map_update_elem(bpf_map__fd(plane->bpf->maps.streams), &key, slot, BPF_NOEXIST)) {
		br_plane_stream_note(plane, leg, ssrc, *slot, true);
		if (plane->events.stream_learned)
			plane->events.stream_learned(plane->events.context, leg, ssrc);
		return 0;
	}
	br_stream_free(plane, *slot);
	__atomic_fetch_sub(learned, 1, __ATOMIC_RELAXED);
	err = br_plane_stream_find(plane, leg, ssrc, slot); /* the kernel was faster */
	return err ? BR_SSRC_LIMIT : 0;
refuse:
	__atomic_fetch_sub(learned, 1, __ATOMIC_RELAXED);
	return BR_SSRC_LIMIT;
}

static void br_stream_unlink(struct br_plane *plane, uint32_t leg, uint32_t *link)
{
	uint32_t slot = *link;
	struct br_plane_stream *stream = &plane->streams[slot];
	struct br_stream_key key = {.leg = leg, .ssrc = stream->ssrc};

	br_stream_forget_first(plane, leg, stream->ssrc, slot);
	bpf_map_delete_elem(bpf_map__fd(plane->bpf->maps.streams), &key);
	br_plane_route_drop(plane, br_stream_route_index(plane, slot), true);
	*link = stream->next;
	stream->used = false;
	plane->stream_count--;
	/*
	 * No rest for the slot: a packet that still carries it finds the route inherited, so
	 * it goes where its own leg's packets go. Only its counters may gain that packet.
	 */
	br_stream_clear_counters(plane, slot);
	br_stream_free(plane, slot);
}

void br_plane_stream_remove(struct br_plane *plane, uint32_t leg, __be32 ssrc)
{
	uint32_t *link = br_stream_link(plane, leg, ssrc);

	if (*link != BR_NO_STREAM)
		br_stream_unlink(plane, leg, link);
}

void br_plane_streams_drop(struct br_plane *plane, uint32_t leg)
{
	while (plane->legs[leg].streams != BR_NO_STREAM)
		br_stream_unlink(plane, leg, &plane->legs[leg].streams);
}

int br_plane_stream_route(struct br_plane *plane, uint32_t leg, __be32 ssrc,
			  const uint32_t *receivers, size_t count, struct br_error *error)
{
	uint32_t slot = *br_stream_link(plane, leg, ssrc);

	if (slot == BR_NO_STREAM)
		return br_error_set(error, -ENOENT, NULL, "the leg has no SSRC 0x%08x",
				    be32toh(ssrc));
	return br_plane_route_lay(plane, br_stream_route_index(plane, slot), receivers, count,
				  error);
}

int br_plane_stream_inherit(struct br_plane *plane, uint32_t leg, __be32 ssrc)
{
	uint32_t slot = *br_stream_link(plane, leg, ssrc);

	if (slot == BR_NO_STREAM)
		return -ENOENT;
	br_plane_route_drop(plane, br_stream_route_index(plane, slot), true);
	return 0;
}

static void br_stream_read_counters(const struct br_plane *plane, uint32_t slot,
				    struct br_stream_counters *sum)
{
	struct br_stream_counters *each = calloc((size_t)plane->cpus, sizeof(*each));

	*sum = plane->slow_streams[slot];
	if (!each)
		return;
	if (!bpf_map_lookup_elem(bpf_map__fd(plane->bpf->maps.stream_counters), &slot, each))
		for (int cpu = 0; cpu < plane->cpus; cpu++) {
			sum->rx.packets += each[cpu].rx.packets;
			sum->rx.bytes += each[cpu].rx.bytes;
			if (each[cpu].last_seen_ns > sum->last_seen_ns)
				sum->last_seen_ns = each[cpu].last_seen_ns;
		}
	free(each);
}

void br_plane_streams(const struct br_plane *plane, uint32_t leg, br_stream_visit visit,
		      void *context)
{
	uint32_t slot = leg < plane->options.max_legs && plane->legs[leg].used
				? plane->legs[leg].streams
				: BR_NO_STREAM;

	for (; slot != BR_NO_STREAM; slot = plane->streams[slot].next) {
		struct br_stream_info info = {
			.leg = leg,
			.ssrc = plane->streams[slot].ssrc,
			.slot = slot,
			.learned = plane->streams[slot].learned,
		};

		br_stream_read_counters(plane, slot, &info.counters);
		visit(context, &info);
	}
}
