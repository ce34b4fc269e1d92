// SPDX-License-Identifier: BSD-2-Clause
#include "control/capture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/capture_file.h"
#include "control/watch.h"
#include "lib/log.h"

#define BR_CAPTURE_TICK_MS 100 /* what does not fill a ring is read so often */
#define BR_CAPTURE_TELL_MS 1000

struct br_capture {
	struct br_stream stream; /* first: the stream is the capture */
	struct br_captures *set;
	struct br_capture *next;
	const struct br_room *room; /* NULL: it has ended, what is queued is still read */
	char room_name[BR_NAME_MAX + 1];
	char leg_name[BR_NAME_MAX + 1]; /* "": all legs */
	struct br_capture_file file;
	struct br_capture_leg *legs; /* being shown */
	size_t leg_count, leg_capacity;
	uint32_t *by_slot; /* index in legs plus 1; 0: not shown */
	uint32_t slots;
	uint32_t count;	  /* packets left; 0: no limit */
	uint64_t end_ms;  /* of uv_now; 0: no limit */
	uint64_t tell_ms; /* next statistics */
};

struct br_captures {
	uv_loop_t *loop;
	struct br_plane *plane;
	struct br_rooms *rooms;
	struct br_capture *first;
	size_t count;
	struct br_watch *watch; /* NULL: nobody captures */
};

static void br_capture_describe_leg(const struct br_captures *set, const struct br_room_leg *leg,
				    struct br_capture_leg *out)
{
	char remote[BR_ENDPOINT_TEXT], local[BR_ENDPOINT_TEXT];
	struct br_leg_info info;

	out->slot = br_room_leg_slot(leg);
	snprintf(out->name, sizeof(out->name), "%s", br_room_leg_spec(leg)->name);
	if (br_plane_leg_info(set->plane, out->slot, &info))
		return;
	snprintf(out->description, sizeof(out->description), "leg of %s with the relay's %s",
		 br_endpoint_format(&info.remote, remote), br_endpoint_format(&info.local, local));
}

static int br_capture_show(struct br_capture *capture, const struct br_room_leg *leg)
{
	uint32_t slot = br_room_leg_slot(leg);
	size_t capacity = capture->leg_capacity ? 2 * capture->leg_capacity : 16;

	/* one that the plane would not take back after a restart has no slot */
	if (br_room_leg_at(capture->set->rooms, slot) != leg || capture->by_slot[slot])
		return 0;
	if (capture->leg_count == capture->leg_capacity) {
		struct br_capture_leg *legs = reallocarray(capture->legs, capacity, sizeof(*legs));

		if (!legs)
			return -ENOMEM;
		capture->legs = legs;
		capture->leg_capacity = capacity;
	}
	capture->legs[capture->leg_count] = (struct br_capture_leg){0};
	br_capture_describe_leg(capture->set, leg, &capture->legs[capture->leg_count]);
	capture->by_slot[slot] = (uint32_t)++capture->leg_count;
	br_plane_capture_leg(capture->set->plane, slot, true);
	return 0;
}

/* The last one takes its place. */
static void br_capture_hide(struct br_capture *capture, uint32_t slot)
{
	struct br_capture_leg *leg, *last;

	if (slot >= capture->slots || !capture->by_slot[slot])
		return;
	leg = &capture->legs[capture->by_slot[slot] - 1];
	last = &capture->legs[--capture->leg_count];
	br_plane_capture_leg(capture->set->plane, slot, false);
	br_capture_file_leave(&capture->file, leg);
	capture->by_slot[last->slot] = capture->by_slot[slot];
	capture->by_slot[slot] = 0;
	*leg = *last;
}

static bool br_capture_wants(const struct br_capture *capture, const struct br_room *room,
			     const struct br_room_leg *leg)
{
	return capture->room == room &&
	       (!*capture->leg_name || !strcmp(capture->leg_name, br_room_leg_spec(leg)->name));
}

/* Nothing more gets in; what is queued is sent, then the stream ends. */
static void br_capture_end(struct br_capture *capture, const char *why)
{
	if (!capture->room)
		return;
	while (capture->leg_count)
		br_capture_hide(capture, capture->legs[capture->leg_count - 1].slot);
	br_capture_file_tell(&capture->file, true);
	capture->room = NULL;
	br_log_info("capture of room %s%s%s ends (%s): %llu packets, %llu lost", capture->room_name,
		    *capture->leg_name ? ", leg " : "", capture->leg_name, why,
		    (unsigned long long)capture->file.delivered,
		    (unsigned long long)(capture->file.dropped + capture->file.os_dropped));
	br_stream_wake(&capture->stream);
}

static void br_capture_packet(void *context, const struct br_capture_packet *packet)
{
	struct br_captures *set = context;
	char text[BR_CAPTURE_COMMENT];
	const char *comment = br_capture_comment(set->rooms, packet, text);

	for (struct br_capture *c = set->first; c; c = c->next) {
		uint32_t index = c->room && packet->leg < c->slots ? c->by_slot[packet->leg] : 0;

		if (!index)
			continue;
		br_capture_file_packet(&c->file, &c->legs[index - 1], packet, comment);
		if (c->count && c->file.delivered >= c->count)
			br_capture_end(c, "count reached");
	}
}

static void br_capture_lost(void *context, uint64_t packets)
{
	struct br_captures *set = context;

	for (struct br_capture *c = set->first; c; c = c->next)
		if (c->room)
			br_capture_file_lost(&c->file, packets);
}

static void br_captures_drain(struct br_captures *set)
{
	br_plane_capture_drain(set->plane);
	for (struct br_capture *c = set->first; c; c = c->next)
		br_stream_wake(&c->stream);
}

static void br_captures_readable(void *context)
{
	br_captures_drain(context);
}

static void br_captures_tick(void *context)
{
	struct br_captures *set = context;
	uint64_t now_ms = uv_now(set->loop);

	br_captures_drain(set);
	for (struct br_capture *c = set->first; c; c = c->next) {
		if (c->end_ms && now_ms >= c->end_ms)
			br_capture_end(c, "duration over");
		if (!c->room || now_ms < c->tell_ms)
			continue;
		br_capture_file_tell(&c->file, false);
		c->tell_ms = now_ms + BR_CAPTURE_TELL_MS;
	}
}

static int br_captures_watch(struct br_captures *set, struct br_error *error)
{
	const struct br_capture_events events = {
		.packet = br_capture_packet,
		.lost = br_capture_lost,
		.context = set,
	};
	int err;

	if (set->watch)
		return 0;
	err = br_plane_capture_open(set->plane, &events, error);
	if (err)
		return err;
	set->watch = br_watch_open(set->loop, br_plane_capture_fd(set->plane), BR_CAPTURE_TICK_MS,
				   br_captures_readable, br_captures_tick, set);
	if (set->watch)
		return 0;
	br_plane_capture_close(set->plane);
	return br_error_set(error, -ENOMEM, NULL, "the rings of a capture cannot be polled");
}

static void br_captures_unwatch(struct br_captures *set)
{
	br_watch_close(set->watch);
	set->watch = NULL;
	br_plane_capture_close(set->plane);
}

static void br_captures_joined(void *context, const struct br_room *room,
			       const struct br_room_leg *leg)
{
	struct br_captures *set = context;

	for (struct br_capture *c = set->first; c; c = c->next)
		if (br_capture_wants(c, room, leg) && br_capture_show(c, leg))
			br_capture_end(c, "out of memory");
}

static void br_captures_leaves(void *context, const struct br_room *room,
			       const struct br_room_leg *leg)
{
	struct br_captures *set = context;

	if (!set->first)
		return;
	br_captures_drain(set); /* what it still got, while its name is known */
	for (struct br_capture *c = set->first; c; c = c->next)
		if (c->room == room)
			br_capture_hide(c, br_room_leg_slot(leg));
}

static void br_captures_room_goes(void *context, const struct br_room *room)
{
	struct br_captures *set = context;

	if (!set->first)
		return;
	br_captures_drain(set);
	for (struct br_capture *c = set->first; c; c = c->next)
		if (c->room == room)
			br_capture_end(c, "room removed");
}

static size_t br_capture_read(struct br_stream *stream, void *out, size_t room, bool *end)
{
	struct br_capture *capture = (struct br_capture *)stream;
	size_t length = br_queue_take(&capture->file.queue, out, room);

	*end = !capture->room && !capture->file.queue.length;
	return length;
}

static void br_capture_free(struct br_capture *capture)
{
	br_capture_file_close(&capture->file);
	free(capture->by_slot);
	free(capture->legs);
	free(capture);
}

static void br_capture_close(struct br_stream *stream)
{
	struct br_capture *capture = (struct br_capture *)stream;
	struct br_captures *set = capture->set;
	struct br_capture **link = &set->first;

	capture->stream.wsi = NULL;
	br_capture_end(capture, "client is gone");
	while (*link != capture)
		link = &(*link)->next;
	*link = capture->next;
	set->count--;
	br_capture_free(capture);
	if (!set->first)
		br_captures_unwatch(set);
}

static struct br_capture *br_capture_new(struct br_captures *set,
					 const struct br_capture_options *options)
{
	struct br_capture *capture = calloc(1, sizeof(*capture));
	struct br_plane_fill fill;

	if (!capture)
		return NULL;
	br_plane_fill(set->plane, &fill);
	*capture = (struct br_capture){
		.stream = {.read = br_capture_read, .close = br_capture_close},
		.set = set,
		.room = options->room,
		.slots = fill.max_legs,
		.count = options->count,
		.tell_ms = uv_now(set->loop) + BR_CAPTURE_TELL_MS,
	};
	if (options->duration)
		capture->end_ms = uv_now(set->loop) + options->duration * 1000ull;
	snprintf(capture->room_name, sizeof(capture->room_name), "%s", br_room_name(options->room));
	if (options->leg)
		snprintf(capture->leg_name, sizeof(capture->leg_name), "%s",
			 br_room_leg_spec(options->leg)->name);
	capture->by_slot = calloc(fill.max_legs, sizeof(*capture->by_slot));
	if (capture->by_slot &&
	    !br_capture_file_open(&capture->file, capture->room_name, options->snaplen))
		return capture;
	br_capture_free(capture);
	return NULL;
}

int br_capture_begin(struct br_captures *set, const struct br_capture_options *options,
		     struct br_stream **stream, struct br_error *error)
{
	const struct br_room_leg *leg = NULL;
	struct br_capture *capture;
	int err;

	if (set->count >= BR_CAPTURES_MAX)
		return br_error_set(error, -ENOSPC, NULL,
				    "%zu captures run already, as many as there may be",
				    set->count);
	capture = br_capture_new(set, options);
	if (!capture)
		return br_error_set(error, -ENOMEM, NULL, "out of memory");
	err = br_captures_watch(set, error);
	if (err) {
		br_capture_free(capture);
		return err;
	}
	br_captures_drain(set); /* what others see already is from before */
	capture->next = set->first;
	set->first = capture;
	set->count++;
	while (!err && (leg = br_room_leg_next(options->room, leg)))
		if (br_capture_wants(capture, options->room, leg))
			err = br_capture_show(capture, leg);
	if (err) {
		br_capture_close(&capture->stream);
		return br_error_set(error, err, NULL, "out of memory");
	}
	br_log_info("capture of room %s%s%s begins", capture->room_name,
		    *capture->leg_name ? ", leg " : "", capture->leg_name);
	*stream = &capture->stream;
	return 0;
}

size_t br_captures_count(const struct br_captures *set)
{
	return set->count;
}

struct br_captures *br_captures_new(uv_loop_t *loop, struct br_plane *plane, struct br_rooms *rooms)
{
	struct br_captures *set = calloc(1, sizeof(*set));
	const struct br_rooms_events events = {
		.leg_joined = br_captures_joined,
		.leg_leaves = br_captures_leaves,
		.room_goes = br_captures_room_goes,
		.context = set,
	};

	if (!set)
		return NULL;
	*set = (struct br_captures){.loop = loop, .plane = plane, .rooms = rooms};
	br_rooms_set_events(rooms, &events);
	return set;
}

void br_captures_free(struct br_captures *set)
{
	if (!set)
		return;
	br_rooms_set_events(set->rooms, NULL);
	br_captures_unwatch(set);
	free(set);
}
