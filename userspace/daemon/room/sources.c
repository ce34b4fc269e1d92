/* SPDX-License-Identifier: BSD-2-Clause */
/* SSRCs of a room: who sends them, who asks for them. And the lists of legs this needs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "room/state.h"

#define FIRST_BUCKETS 8u

int br_leg_list_add(struct br_leg_list *list, struct br_room_leg *leg)
{
	if (list->count == list->capacity) {
		uint32_t capacity = list->capacity ? 2 * list->capacity : 4;
		struct br_room_leg **legs = reallocarray(list->legs, capacity, sizeof(*legs));

		if (!legs)
			return -ENOMEM;
		list->legs = legs;
		list->capacity = capacity;
	}
	list->legs[list->count++] = leg;
	return 0;
}

void br_leg_list_remove(struct br_leg_list *list, const struct br_room_leg *leg)
{
	for (uint32_t i = 0; i < list->count; i++) {
		if (list->legs[i] == leg) {
			list->legs[i] = list->legs[--list->count];
			return;
		}
	}
}

void br_leg_list_clear(struct br_leg_list *list)
{
	free(list->legs);
	memset(list, 0, sizeof(*list));
}

static struct br_source **bucket_of(const struct br_sources *sources, uint32_t ssrc)
{
	/* SSRCs should be random (RFC 3550 section 8.1), but many senders count: mix the bits */
	uint32_t h = ssrc * 2654435769u;

	return &sources->buckets[(h ^ h >> 16) & (sources->bucket_count - 1)];
}

static int grow(struct br_sources *sources)
{
	struct br_sources bigger = {.bucket_count = FIRST_BUCKETS, .count = sources->count};

	if (sources->bucket_count)
		bigger.bucket_count = 2 * sources->bucket_count;
	bigger.buckets = calloc(bigger.bucket_count, sizeof(*bigger.buckets));
	if (!bigger.buckets)
		return -ENOMEM;
	for (uint32_t i = 0; i < sources->bucket_count; i++) {
		struct br_source *source = sources->buckets[i], *next;

		for (; source; source = next) {
			struct br_source **bucket = bucket_of(&bigger, source->ssrc);

			next = source->next;
			source->next = *bucket;
			*bucket = source;
		}
	}
	free(sources->buckets);
	*sources = bigger;
	return 0;
}

struct br_source *br_sources_find(const struct br_sources *sources, uint32_t ssrc)
{
	struct br_source *source;

	if (!sources->bucket_count)
		return NULL;
	for (source = *bucket_of(sources, ssrc); source; source = source->next)
		if (source->ssrc == ssrc)
			return source;
	return NULL;
}

/* Find the source or make it. */
static struct br_source *obtain(struct br_sources *sources, uint32_t ssrc)
{
	struct br_source *source = br_sources_find(sources, ssrc);
	struct br_source **bucket;

	if (source)
		return source;
	/* a table that cannot grow is slower, not wrong */
	if (sources->count >= sources->bucket_count && grow(sources) && !sources->bucket_count)
		return NULL;
	source = calloc(1, sizeof(*source));
	if (!source)
		return NULL;
	source->ssrc = ssrc;
	bucket = bucket_of(sources, ssrc);
	source->next = *bucket;
	*bucket = source;
	sources->count++;
	return source;
}

/* Free the source if nobody sends it and nobody asks for it. */
static void release(struct br_sources *sources, struct br_source *source)
{
	struct br_source **link = bucket_of(sources, source->ssrc);

	if (source->streams || source->wanted_by.count)
		return;
	while (*link != source)
		link = &(*link)->next;
	*link = source->next;
	sources->count--;
	br_leg_list_clear(&source->wanted_by);
	free(source);
}

int br_sources_want(struct br_sources *sources, uint32_t ssrc, struct br_room_leg *leg)
{
	struct br_source *source = obtain(sources, ssrc);
	int err;

	if (!source)
		return -ENOMEM;
	err = br_leg_list_add(&source->wanted_by, leg);
	if (err)
		release(sources, source);
	return err;
}

void br_sources_unwant(struct br_sources *sources, uint32_t ssrc, const struct br_room_leg *leg)
{
	struct br_source *source = br_sources_find(sources, ssrc);

	if (!source)
		return;
	br_leg_list_remove(&source->wanted_by, leg);
	release(sources, source);
}

struct br_room_stream *br_sources_add_stream(struct br_sources *sources, uint32_t ssrc,
					     struct br_room_leg *leg)
{
	struct br_source *source = obtain(sources, ssrc);
	struct br_room_stream *stream;

	if (!source)
		return NULL;
	stream = calloc(1, sizeof(*stream));
	if (!stream) {
		release(sources, source);
		return NULL;
	}
	stream->leg = leg;
	stream->source = source;
	stream->next_of_leg = leg->streams;
	leg->streams = stream;
	stream->next_of_source = source->streams;
	source->streams = stream;
	return stream;
}

void br_sources_remove_streams(struct br_sources *sources, struct br_room_leg *leg)
{
	while (leg->streams) {
		struct br_room_stream *stream = leg->streams;
		struct br_room_stream **link = &stream->source->streams;

		while (*link != stream)
			link = &(*link)->next_of_source;
		*link = stream->next_of_source;
		leg->streams = stream->next_of_leg;
		release(sources, stream->source);
		free(stream);
	}
}

static void free_source(struct br_source *source)
{
	struct br_room_stream *stream, *next;

	for (stream = source->streams; stream; stream = next) {
		next = stream->next_of_source;
		free(stream);
	}
	br_leg_list_clear(&source->wanted_by);
	free(source);
}

void br_sources_clear(struct br_sources *sources)
{
	for (uint32_t i = 0; i < sources->bucket_count; i++) {
		struct br_source *source, *next;

		for (source = sources->buckets[i]; source; source = next) {
			next = source->next;
			free_source(source);
		}
	}
	free(sources->buckets);
	memset(sources, 0, sizeof(*sources));
}
