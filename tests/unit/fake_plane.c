/* SPDX-License-Identifier: BSD-2-Clause */
#include "fake_plane.h"

#include <setjmp.h>
#include <stdarg.h>
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct fake_route {
	uint32_t *receivers;
	size_t count;
};

struct fake_leg {
	bool used;
	struct br_leg_spec spec;
	struct fake_route route;
	uint32_t edges_here; /* edges that lead to this leg */
};

struct fake_stream {
	bool used, learned, routed;
	uint32_t leg, ssrc;
	struct fake_route route;
};

struct fake_record {
	enum br_store_kind kind;
	uint32_t id;
	void *data;
	size_t size;
};

struct br_plane {
	struct fake_record *records;
	size_t record_count, record_room;
	struct fake_leg *legs;
	struct fake_stream *streams;
	uint32_t max_legs, max_streams;
	struct br_plane_events events;
	unsigned int fail_at, failed;
	int fail_with;
	bool full;
	uint64_t edges_written, route_calls;
};

struct br_plane *fake_plane_new(uint32_t max_legs, uint32_t max_streams)
{
	struct br_plane *plane = calloc(1, sizeof(*plane));

	assert_non_null(plane);
	plane->max_legs = max_legs;
	plane->max_streams = max_streams;
	plane->record_room = SIZE_MAX;
	plane->legs = calloc(max_legs, sizeof(*plane->legs));
	plane->streams = calloc(max_streams, sizeof(*plane->streams));
	assert_true(plane->legs && plane->streams);
	return plane;
}

void fake_plane_free(struct br_plane *plane)
{
	for (uint32_t i = 0; i < plane->max_legs; i++)
		free(plane->legs[i].route.receivers);
	for (uint32_t i = 0; i < plane->max_streams; i++)
		free(plane->streams[i].route.receivers);
	for (size_t i = 0; i < plane->record_count; i++)
		free(plane->records[i].data);
	free(plane->records);
	free(plane->legs);
	free(plane->streams);
	free(plane);
}

static struct fake_record *record_of(const struct br_plane *plane, enum br_store_kind kind,
				     uint32_t id)
{
	for (size_t i = 0; i < plane->record_count; i++)
		if (plane->records[i].kind == kind && plane->records[i].id == id)
			return &plane->records[i];
	return NULL;
}

/* The store has memory that no test takes away: what it costs is not the rooms' memory. */
int br_plane_store_put(struct br_plane *plane, enum br_store_kind kind, uint32_t id,
		       const void *data, size_t size, struct br_error *error)
{
	struct fake_record *record = record_of(plane, kind, id);

	assert_in_range(size, 1, 6400);
	if (!record && !plane->record_room)
		return br_error_set(error, -ENOSPC, NULL, "the fake store is full");
	if (!record) {
		plane->records = realloc(plane->records,
					 (plane->record_count + 1) * sizeof(*plane->records));
		assert_non_null(plane->records);
		record = &plane->records[plane->record_count++];
		*record = (struct fake_record){.kind = kind, .id = id};
		plane->record_room--;
	}
	record->data = realloc(record->data, size);
	assert_non_null(record->data);
	memcpy(record->data, data, size);
	record->size = size;
	return 0;
}

void br_plane_store_delete(struct br_plane *plane, enum br_store_kind kind, uint32_t id)
{
	struct fake_record *record = record_of(plane, kind, id);

	if (!record)
		return;
	free(record->data);
	*record = plane->records[--plane->record_count];
	plane->record_room++;
}

/* Ascending, and safe against changes by the visitor, as the real one. */
int br_plane_store_each(struct br_plane *plane, enum br_store_kind kind,
			void (*visit)(void *context, uint32_t id, const void *data, size_t size),
			void *context)
{
	int64_t last = -1;

	for (;;) {
		const struct fake_record *next = NULL;

		for (size_t i = 0; i < plane->record_count; i++) {
			const struct fake_record *record = &plane->records[i];

			if (record->kind == kind && record->id > last &&
			    (!next || record->id < next->id))
				next = record;
		}
		if (!next)
			return 0;
		last = next->id;
		visit(context, next->id, next->data, next->size);
	}
}

static void route_lose(struct fake_route *route, uint32_t leg)
{
	size_t kept = 0;

	for (size_t i = 0; i < route->count; i++)
		if (route->receivers[i] != leg)
			route->receivers[kept++] = route->receivers[i];
	route->count = kept;
}

void fake_plane_lose_leg(struct br_plane *plane, uint32_t leg)
{
	for (uint32_t i = 0; i < plane->max_legs; i++)
		route_lose(&plane->legs[i].route, leg);
	for (uint32_t i = 0; i < plane->max_streams; i++)
		route_lose(&plane->streams[i].route, leg);
	plane->legs[leg].edges_here = 0;
	br_plane_leg_remove(plane, leg);
}

size_t fake_plane_records(const struct br_plane *plane)
{
	return plane->record_count;
}

void fake_plane_store_room(struct br_plane *plane, size_t records)
{
	plane->record_room = records;
}

void fake_plane_fail_at(struct br_plane *plane, unsigned int call, int err)
{
	plane->fail_at = call;
	plane->fail_with = err;
	plane->failed = 0;
}

void fake_plane_full(struct br_plane *plane, bool full)
{
	plane->full = full;
	plane->failed = 0;
}

unsigned int fake_plane_failed(const struct br_plane *plane)
{
	return plane->failed;
}

static int injected(struct br_plane *plane, bool needs_edges, struct br_error *error)
{
	int err = 0;

	if (plane->full && needs_edges)
		err = -ENOSPC;
	else if (plane->fail_at && --plane->fail_at == 0)
		err = plane->fail_with;
	if (err) {
		plane->failed++;
		br_error_set(error, err, "max_something", "the fake plane was told to fail");
	}
	return err;
}

static struct fake_leg *leg_of(const struct br_plane *plane, uint32_t leg)
{
	assert_true(leg < plane->max_legs);
	assert_true(plane->legs[leg].used);
	return &plane->legs[leg];
}

static struct fake_stream *stream_of(const struct br_plane *plane, uint32_t leg, uint32_t ssrc)
{
	for (uint32_t i = 0; i < plane->max_streams; i++) {
		struct fake_stream *stream = &plane->streams[i];

		if (stream->used && stream->leg == leg && stream->ssrc == ssrc)
			return stream;
	}
	return NULL;
}

static int compare_slots(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return left < right ? -1 : left > right;
}

static void route_set(struct br_plane *plane, struct fake_route *route, uint32_t sender,
		      const uint32_t *receivers, size_t count)
{
	uint32_t *copy = malloc((count ? count : 1) * sizeof(*copy));

	assert_non_null(copy);
	assert_true(count <= BR_ROUTE_MAX);
	if (count)
		memcpy(copy, receivers, count * sizeof(*copy));
	qsort(copy, count, sizeof(*copy), compare_slots);
	for (size_t i = 0; i < count; i++) {
		assert_int_not_equal(copy[i], sender);
		assert_true(i == 0 || copy[i] != copy[i - 1]);
		leg_of(plane, copy[i])->edges_here++;
	}
	for (size_t i = 0; i < route->count; i++)
		plane->legs[route->receivers[i]].edges_here--;
	free(route->receivers);
	route->receivers = copy;
	route->count = count;
	plane->edges_written += count;
	plane->route_calls++;
}

void br_plane_set_events(struct br_plane *plane, const struct br_plane_events *events)
{
	plane->events = *events;
}

int br_plane_leg_add(struct br_plane *plane, const struct br_leg_spec *spec, uint32_t *leg,
		     struct br_error *error)
{
	int err = injected(plane, false, error);
	uint32_t slot = plane->max_legs;

	if (err)
		return err;
	for (uint32_t i = plane->max_legs; i-- > 0;) {
		const struct br_endpoint *other = &plane->legs[i].spec.remote;

		if (!plane->legs[i].used)
			slot = i;
		else if (other->port == spec->remote.port &&
			 br_addr_equal(&other->addr, &spec->remote.addr))
			return -EEXIST;
	}
	if (slot == plane->max_legs)
		return -ENOSPC;
	plane->legs[slot].used = true;
	plane->legs[slot].spec = *spec;
	*leg = slot;
	return 0;
}

void br_plane_leg_set_terms(struct br_plane *plane, uint32_t leg, const struct br_leg_terms *terms)
{
	assert_in_range(terms->max_packets_per_s, 0, BR_PACKETS_PER_S_MAX);
	assert_in_range(terms->max_bits_per_s, 0, BR_BITS_PER_S_MAX);
	leg_of(plane, leg)->spec.terms = *terms;
}

int br_plane_leg_name_hop(struct br_plane *plane, uint32_t leg, const struct br_named_hop *hop,
			  struct br_error *error)
{
	(void)error;
	assert_string_equal(leg_of(plane, leg)->spec.hop.interface, hop->interface);
	leg_of(plane, leg)->spec.hop = *hop;
	return 0;
}

int br_plane_leg_spec(const struct br_plane *plane, uint32_t slot, struct br_leg_spec *spec)
{
	if (slot >= plane->max_legs || !plane->legs[slot].used)
		return -ENOENT;
	*spec = plane->legs[slot].spec;
	return 0;
}

void br_plane_streams(const struct br_plane *plane, uint32_t leg, br_stream_visit visit,
		      void *context)
{
	for (uint32_t i = 0; i < plane->max_streams; i++) {
		const struct fake_stream *stream = &plane->streams[i];
		const struct br_stream_info info = {.leg = leg,
						    .ssrc = htonl(stream->ssrc),
						    .slot = i,
						    .learned = stream->learned};

		if (stream->used && stream->leg == leg)
			visit(context, &info);
	}
}

static void stream_drop(struct br_plane *plane, struct fake_stream *stream)
{
	route_set(plane, &stream->route, stream->leg, NULL, 0);
	free(stream->route.receivers);
	memset(stream, 0, sizeof(*stream));
}

void br_plane_leg_remove(struct br_plane *plane, uint32_t slot)
{
	struct fake_leg *leg = leg_of(plane, slot);

	/* a leg that is gone must not be named by any edge */
	assert_int_equal(leg->edges_here, 0);
	route_set(plane, &leg->route, slot, NULL, 0);
	for (uint32_t i = 0; i < plane->max_streams; i++)
		if (plane->streams[i].used && plane->streams[i].leg == slot)
			stream_drop(plane, &plane->streams[i]);
	free(leg->route.receivers);
	memset(leg, 0, sizeof(*leg));
}

int br_plane_leg_route(struct br_plane *plane, uint32_t slot, const uint32_t *receivers,
		       size_t count, struct br_error *error)
{
	struct fake_leg *leg = leg_of(plane, slot);
	int err = count ? injected(plane, true, error) : 0;

	if (!err)
		route_set(plane, &leg->route, slot, receivers, count);
	return err;
}

static int stream_new(struct br_plane *plane, uint32_t leg, uint32_t ssrc, bool learned)
{
	assert_true(leg_of(plane, leg)->spec.publish);
	if (stream_of(plane, leg, ssrc))
		return -EEXIST;
	for (uint32_t i = 0; i < plane->max_streams; i++) {
		struct fake_stream *stream = &plane->streams[i];

		if (stream->used)
			continue;
		stream->used = true;
		stream->leg = leg;
		stream->ssrc = ssrc;
		stream->learned = learned;
		return 0;
	}
	return -ENOSPC;
}

int br_plane_stream_add(struct br_plane *plane, uint32_t leg, __be32 ssrc, struct br_error *error)
{
	int err = injected(plane, false, error);

	return err ? err : stream_new(plane, leg, ntohl(ssrc), false);
}

int br_plane_stream_route(struct br_plane *plane, uint32_t leg, __be32 ssrc,
			  const uint32_t *receivers, size_t count, struct br_error *error)
{
	struct fake_stream *stream = stream_of(plane, leg, ntohl(ssrc));
	int err = count ? injected(plane, true, error) : 0;

	if (err)
		return err;
	if (!stream)
		return -ENOENT;
	route_set(plane, &stream->route, leg, receivers, count);
	stream->routed = true;
	return 0;
}

int br_plane_stream_inherit(struct br_plane *plane, uint32_t leg, __be32 ssrc)
{
	struct fake_stream *stream = stream_of(plane, leg, ntohl(ssrc));

	if (!stream)
		return -ENOENT;
	route_set(plane, &stream->route, leg, NULL, 0);
	stream->routed = false;
	return 0;
}

void br_plane_fill(const struct br_plane *plane, struct br_plane_fill *fill)
{
	memset(fill, 0, sizeof(*fill));
	fill->legs = fake_plane_legs(plane);
	fill->max_legs = plane->max_legs;
	fill->streams = fake_plane_streams(plane);
	fill->max_streams = plane->max_streams;
}

size_t fake_plane_own_route(const struct br_plane *plane, uint32_t leg, const uint32_t **receivers)
{
	*receivers = leg_of(plane, leg)->route.receivers;
	return leg_of(plane, leg)->route.count;
}

size_t fake_plane_receivers(const struct br_plane *plane, uint32_t leg, uint32_t ssrc,
			    const uint32_t **receivers)
{
	const struct fake_stream *stream = stream_of(plane, leg, ssrc);

	if (!stream || !stream->routed)
		return fake_plane_own_route(plane, leg, receivers);
	*receivers = stream->route.receivers;
	return stream->route.count;
}

bool fake_plane_inherits(const struct br_plane *plane, uint32_t leg, uint32_t ssrc)
{
	const struct fake_stream *stream = stream_of(plane, leg, ssrc);

	assert_non_null(stream);
	return !stream->routed;
}

const struct br_leg_spec *fake_plane_spec(const struct br_plane *plane, uint32_t leg)
{
	return leg < plane->max_legs && plane->legs[leg].used ? &plane->legs[leg].spec : NULL;
}

void fake_plane_learn(struct br_plane *plane, uint32_t leg, uint32_t ssrc)
{
	assert_false(leg_of(plane, leg)->spec.fixed_ssrcs);
	assert_int_equal(stream_new(plane, leg, ssrc, true), 0);
	fake_plane_repeat(plane, leg, ssrc);
}

void fake_plane_repeat(struct br_plane *plane, uint32_t leg, uint32_t ssrc)
{
	assert_non_null(plane->events.stream_learned);
	plane->events.stream_learned(plane->events.context, leg, htonl(ssrc));
}

static void print_route(FILE *out, const struct fake_route *route)
{
	for (size_t i = 0; i < route->count; i++)
		fprintf(out, " %u", route->receivers[i]);
	fputc('\n', out);
}

static int compare_streams(const void *a, const void *b)
{
	const struct fake_stream *left = *(const struct fake_stream *const *)a;
	const struct fake_stream *right = *(const struct fake_stream *const *)b;

	if (left->leg != right->leg)
		return left->leg < right->leg ? -1 : 1;
	return left->ssrc < right->ssrc ? -1 : left->ssrc > right->ssrc;
}

char *fake_plane_snapshot(const struct br_plane *plane)
{
	const struct fake_stream **streams = calloc(plane->max_streams, sizeof(*streams));
	size_t count = 0, size;
	char *text = NULL, address[BR_ENDPOINT_TEXT];
	FILE *out = open_memstream(&text, &size);

	assert_true(streams && out);
	for (uint32_t i = 0; i < plane->max_legs; i++) {
		const struct fake_leg *leg = &plane->legs[i];

		if (!leg->used)
			continue;
		fprintf(out,
			"leg %u %s publish %d fixed %d limit %u "
			"rates %u %u feedback %d until %" PRIu64 ":",
			i, br_endpoint_format(&leg->spec.remote, address), leg->spec.publish,
			leg->spec.fixed_ssrcs, leg->spec.ssrc_limit,
			leg->spec.terms.max_packets_per_s, leg->spec.terms.max_bits_per_s,
			leg->spec.terms.feedback_up, leg->spec.terms.expires_ns);
		print_route(out, &leg->route);
	}
	for (uint32_t i = 0; i < plane->max_streams; i++)
		if (plane->streams[i].used)
			streams[count++] = &plane->streams[i];
	qsort(streams, count, sizeof(*streams), compare_streams);
	for (size_t i = 0; i < count; i++) {
		fprintf(out, "stream %u %u learned %d routed %d:", streams[i]->leg,
			streams[i]->ssrc, streams[i]->learned, streams[i]->routed);
		print_route(out, &streams[i]->route);
	}
	fclose(out);
	free(streams);
	return text;
}

uint32_t fake_plane_legs(const struct br_plane *plane)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < plane->max_legs; i++)
		count += plane->legs[i].used;
	return count;
}

uint32_t fake_plane_streams(const struct br_plane *plane)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < plane->max_streams; i++)
		count += plane->streams[i].used;
	return count;
}

uint64_t fake_plane_edges_written(const struct br_plane *plane)
{
	return plane->edges_written;
}

uint64_t fake_plane_route_calls(const struct br_plane *plane)
{
	return plane->route_calls;
}
