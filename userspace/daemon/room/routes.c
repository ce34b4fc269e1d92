/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who receives what. A leg that publishes is routed to all legs without a filter; one of
 * its streams gets a route of its own only while some leg asks for that SSRC: the same
 * legs, and those that ask. RTCP of the publisher goes the way of its sender SSRC (RFC
 * 3550 section 6.4). A leg that only listens sends nothing but RTCP: its route leads to those
 * who publish, with a filter only to those who send an SSRC it asks for.
 *
 * A joining leg makes routes longer only, a leaving leg shorter only. So undoing a join
 * never asks for more than the plane gave before.
 */
#include <errno.h>

#include "lib/log.h"
#include "room/state.h"

enum mode {
	MODE_TRY,   /* a failure is reported and leaves the old route */
	MODE_FORCE, /* the old route must not stay: better fewer receivers than wrong ones */
};

static void set_dirty(struct br_rooms *rooms, struct br_room *room, bool *flag, bool dirty)
{
	if (*flag == dirty)
		return;
	*flag = dirty;
	if (dirty) {
		room->dirty++;
		/* one line when it begins and one when it is over, however many routes */
		if (rooms->dirty++ == 0)
			br_log_error("room %s: the plane has no place for a route; some legs "
				     "receive less than they should until it has",
				     room->name);
	} else {
		room->dirty--;
		if (--rooms->dirty == 0)
			br_log_info("all routes are complete again");
	}
}

/* Append the slots of connected legs, @self left out; returns the new count. */
static size_t collect(const struct br_rooms *rooms, const struct br_leg_list *list,
		      const struct br_room_leg *self, size_t count)
{
	for (uint32_t i = 0; i < list->count; i++) {
		const struct br_room_leg *leg = list->legs[i];

		if (leg != self && leg->connected)
			rooms->receivers[count++] = leg->slot;
	}
	return count;
}

/* Append those who send something that @self asks for, each once; returns the new count. */
static size_t collect_wanted(const struct br_rooms *rooms, const struct br_room_leg *self)
{
	const struct br_static_leg *spec = &self->spec;
	size_t count = 0;

	for (size_t i = 0; i < spec->receive_ssrc_count; i++) {
		const struct br_source *source =
			br_sources_find(&self->room->sources, spec->receive_ssrcs[i]);
		const struct br_room_stream *stream = source ? source->streams : NULL;

		for (; stream; stream = stream->next_of_source) {
			uint32_t slot = stream->leg->slot;
			size_t known = 0;

			while (known < count && rooms->receivers[known] != slot)
				known++;
			if (known == count && stream->leg->connected && count < BR_ROUTE_MAX)
				rooms->receivers[count++] = slot;
		}
	}
	return count;
}

/* Receivers of what the leg itself sends: media, or feedback when it only listens. */
static size_t collect_for(const struct br_rooms *rooms, const struct br_room_leg *leg)
{
	const struct br_room *room = leg->room;

	if (br_leg_publishes(leg))
		return collect(rooms, &room->unfiltered, leg, 0);
	if (br_leg_filters(leg))
		return collect_wanted(rooms, leg);
	return collect(rooms, &room->publishing, leg, 0);
}

static int apply_leg(struct br_rooms *rooms, struct br_room_leg *leg, enum mode mode,
		     struct br_error *error)
{
	struct br_room *room = leg->room;
	size_t count = collect_for(rooms, leg);
	int err;

	if (!count && !leg->route_length && !leg->dirty)
		return 0;
	err = br_plane_leg_route(rooms->plane, leg->slot, rooms->receivers, count, error);
	if (!err) {
		leg->route_length = (uint32_t)count;
		set_dirty(rooms, room, &leg->dirty, false);
	} else if (mode == MODE_FORCE) {
		br_plane_leg_route(rooms->plane, leg->slot, NULL, 0, NULL);
		leg->route_length = 0;
		set_dirty(rooms, room, &leg->dirty, true);
		err = 0;
	}
	return err;
}

static void inherit(struct br_rooms *rooms, struct br_room_stream *stream)
{
	if (stream->routed)
		br_plane_stream_inherit(rooms->plane, stream->leg->slot,
					htonl(stream->source->ssrc));
	stream->routed = false;
}

static int apply_stream(struct br_rooms *rooms, struct br_room_stream *stream, enum mode mode,
			struct br_error *error)
{
	struct br_room_leg *leg = stream->leg;
	size_t count;
	int err;

	count = collect(rooms, &stream->source->wanted_by, leg, 0);
	if (!count) {
		inherit(rooms, stream);
		set_dirty(rooms, leg->room, &stream->dirty, false);
		return 0;
	}
	count = collect(rooms, &leg->room->unfiltered, leg, count);
	err = br_plane_stream_route(rooms->plane, leg->slot, htonl(stream->source->ssrc),
				    rooms->receivers, count, error);
	if (!err) {
		stream->routed = true;
		set_dirty(rooms, leg->room, &stream->dirty, false);
	} else if (err == -ENOENT) {
		/* the plane has dropped a learned SSRC: there is nothing to route */
		stream->routed = false;
		set_dirty(rooms, leg->room, &stream->dirty, false);
		err = 0;
	} else if (mode == MODE_FORCE) {
		/* the leg's route is right already and holds nobody who did not ask */
		inherit(rooms, stream);
		set_dirty(rooms, leg->room, &stream->dirty, true);
		err = 0;
	}
	return err;
}

/* A walk over all routes of other legs that change when one leg comes or goes. */
struct walk {
	struct br_rooms *rooms;
	struct br_room_leg *leg;
	enum mode mode;
	struct br_error *error;
	size_t done;  /* routes visited with success */
	size_t limit; /* stop after that many */
};

#define WALK_STOP 1

static int step(struct walk *walk, struct br_room_leg *leg, struct br_room_stream *stream)
{
	int err;

	if (leg == walk->leg)
		return 0;
	if (walk->done == walk->limit)
		return WALK_STOP;
	err = stream ? apply_stream(walk->rooms, stream, walk->mode, walk->error)
		     : apply_leg(walk->rooms, leg, walk->mode, walk->error);
	if (!err)
		walk->done++;
	return err;
}

static int walk_list(struct walk *walk, const struct br_leg_list *list, bool streams)
{
	for (uint32_t i = 0; i < list->count; i++) {
		struct br_room_leg *leg = list->legs[i];
		struct br_room_stream *stream = streams ? leg->streams : NULL;
		int err = step(walk, leg, NULL);

		/* streams after their leg: falling back on its route must be safe */
		for (; !err && stream; stream = stream->next_of_leg)
			err = step(walk, leg, stream);
		if (err)
			return err;
	}
	return 0;
}

static int walk_wanted(struct walk *walk)
{
	const struct br_static_leg *spec = &walk->leg->spec;

	for (size_t i = 0; i < spec->receive_ssrc_count; i++) {
		struct br_source *source =
			br_sources_find(&walk->leg->room->sources, spec->receive_ssrcs[i]);
		struct br_room_stream *stream = source ? source->streams : NULL;

		for (; stream; stream = stream->next_of_source) {
			int err = step(walk, stream->leg, stream);

			if (err)
				return err;
		}
	}
	return 0;
}

static int walk_others(struct walk *walk)
{
	const struct br_room *room = walk->leg->room;
	int err = 0;

	if (br_leg_publishes(walk->leg))
		err = walk_list(walk, &room->listening, false);
	if (!err && br_leg_filters(walk->leg))
		err = walk_wanted(walk);
	else if (!err && br_leg_receives(walk->leg))
		err = walk_list(walk, &room->publishing, true);
	return err;
}

int br_routes_connect(struct br_rooms *rooms, struct br_room_leg *leg, struct br_error *error)
{
	struct walk walk = {
		.rooms = rooms, .leg = leg, .mode = MODE_TRY, .error = error, .limit = SIZE_MAX};
	int err;

	leg->connected = true;
	err = apply_leg(rooms, leg, MODE_TRY, error);
	for (struct br_room_stream *s = leg->streams; !err && s; s = s->next_of_leg)
		err = apply_stream(rooms, s, MODE_TRY, error);
	if (!err)
		err = walk_others(&walk);
	if (err) {
		leg->connected = false;
		walk.mode = MODE_FORCE;
		walk.error = NULL;
		walk.limit = walk.done;
		walk.done = 0;
		walk_others(&walk);
	}
	return err;
}

void br_routes_disconnect(struct br_rooms *rooms, struct br_room_leg *leg)
{
	struct walk walk = {.rooms = rooms, .leg = leg, .mode = MODE_FORCE, .limit = SIZE_MAX};

	leg->connected = false;
	walk_others(&walk);
}

void br_routes_stream(struct br_rooms *rooms, struct br_room_stream *stream)
{
	struct br_room_leg *leg = stream->leg;

	const struct br_leg_list *wanted_by = &stream->source->wanted_by;

	if (apply_stream(rooms, stream, MODE_TRY, NULL))
		set_dirty(rooms, leg->room, &stream->dirty, true);
	/* who asked for it and only listens can now be told whom to send feedback to */
	for (uint32_t i = 0; i < wanted_by->count; i++) {
		struct br_room_leg *listener = wanted_by->legs[i];

		if (!br_leg_publishes(listener) && listener->connected &&
		    apply_leg(rooms, listener, MODE_TRY, NULL))
			set_dirty(rooms, leg->room, &listener->dirty, true);
	}
}

void br_routes_empty(struct br_rooms *rooms, struct br_room *room)
{
	for (struct br_room_leg *leg = room->first_leg; leg; leg = leg->next) {
		if (leg->route_length)
			br_plane_leg_route(rooms->plane, leg->slot, NULL, 0, NULL);
		leg->route_length = 0;
		for (struct br_room_stream *s = leg->streams; s; s = s->next_of_leg)
			inherit(rooms, s);
	}
}

void br_routes_retry(struct br_rooms *rooms, struct br_room *room)
{
	for (struct br_room_leg *leg = room->first_leg; leg && room->dirty; leg = leg->next) {
		if (leg->dirty)
			apply_leg(rooms, leg, MODE_TRY, NULL);
		for (struct br_room_stream *s = leg->streams; s; s = s->next_of_leg)
			if (s->dirty)
				apply_stream(rooms, s, MODE_TRY, NULL);
	}
}

void br_routes_restore(struct br_rooms *rooms, struct br_room *room)
{
	/* legs that are not in the plane come later, by br_routes_connect */
	for (struct br_room_leg *leg = room->first_leg; leg; leg = leg->next)
		leg->connected = leg->in_plane;
	for (struct br_room_leg *leg = room->first_leg; leg; leg = leg->next) {
		if (!leg->in_plane)
			continue;
		/* whatever the plane has counts as present, so that it is written over */
		leg->route_length = 1;
		apply_leg(rooms, leg, MODE_FORCE, NULL);
		for (struct br_room_stream *s = leg->streams; s; s = s->next_of_leg) {
			s->routed = true;
			apply_stream(rooms, s, MODE_FORCE, NULL);
		}
	}
}

void br_routes_forget(struct br_rooms *rooms, struct br_room_leg *leg)
{
	set_dirty(rooms, leg->room, &leg->dirty, false);
	for (struct br_room_stream *s = leg->streams; s; s = s->next_of_leg)
		set_dirty(rooms, leg->room, &s->dirty, false);
}
