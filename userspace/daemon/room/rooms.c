/* SPDX-License-Identifier: BSD-2-Clause */
/* The set of rooms, and what the plane tells about streams. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/log.h"
#include "room/persist.h"
#include "room/state.h"

int64_t br_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void stream_learned(void *context, uint32_t slot, __be32 ssrc_be)
{
	struct br_rooms *rooms = context;
	struct br_room_leg *leg = slot < rooms->slot_count ? rooms->slots[slot] : NULL;
	uint32_t ssrc = ntohl(ssrc_be);
	struct br_room_stream *stream;

	/* the leg may have gone since the kernel wrote the event */
	if (!leg || !br_leg_publishes(leg) || leg->spec.ssrc_count)
		return;
	for (stream = leg->streams; stream; stream = stream->next_of_leg)
		if (stream->source->ssrc == ssrc)
			return;
	stream = br_sources_add_stream(&leg->room->sources, ssrc, leg);
	if (!stream) {
		br_log_warn("room %s: no memory for SSRC %u of leg %s", leg->room->name, ssrc,
			    leg->spec.name);
		return;
	}
	br_routes_stream(rooms, stream);
}

struct br_rooms *br_rooms_new(struct br_plane *plane, const struct br_rooms_options *options)
{
	struct br_rooms *rooms = calloc(1, sizeof(*rooms));
	struct br_plane_events events = {.stream_learned = stream_learned, .context = rooms};
	size_t networks = options->static_allow_count;

	if (!rooms)
		return NULL;
	rooms->plane = plane;
	rooms->options = *options;
	if (rooms->options.max_legs_per_room > BR_ROUTE_MAX + 1)
		rooms->options.max_legs_per_room = BR_ROUTE_MAX + 1;
	rooms->receivers = calloc(BR_ROUTE_MAX, sizeof(*rooms->receivers));
	if (networks)
		rooms->static_allow = calloc(networks, sizeof(*rooms->static_allow));
	if (!rooms->receivers || (networks && !rooms->static_allow)) {
		free(rooms->static_allow);
		free(rooms->receivers);
		free(rooms);
		return NULL;
	}
	if (networks)
		memcpy(rooms->static_allow, options->static_allow,
		       networks * sizeof(*rooms->static_allow));
	rooms->options.static_allow = rooms->static_allow;
	br_plane_set_events(plane, &events);
	return rooms;
}

void br_rooms_free(struct br_rooms *rooms)
{
	static const struct br_plane_events none;

	if (!rooms)
		return;
	br_plane_set_events(rooms->plane, &none);
	while (rooms->first)
		br_room_delete(rooms, rooms->first);
	br_names_clear(&rooms->names);
	free(rooms->slots);
	free(rooms->static_allow);
	free(rooms->receivers);
	free(rooms);
}

void br_rooms_set_events(struct br_rooms *rooms, const struct br_rooms_events *events)
{
	rooms->events = events ? *events : (struct br_rooms_events){0};
}

void br_rooms_tick(struct br_rooms *rooms)
{
	br_terms_tick(rooms);
	for (struct br_room *room = rooms->first; room && rooms->dirty; room = room->next)
		if (room->dirty)
			br_routes_retry(rooms, room);
}

int br_room_create(struct br_rooms *rooms, const char *name, struct br_room **room,
		   struct br_error *error)
{
	struct br_room *fresh;
	int err;

	if (!br_name_valid(name))
		return br_error_set(error, -EINVAL, "room",
				    "a room name is 1 to %d characters of A-Z a-z 0-9 _ . - and "
				    "neither \".\" nor \"..\"",
				    BR_NAME_MAX);
	if (br_room_find(rooms, name))
		return br_error_set(error, -EEXIST, "room", "room %s exists already", name);
	if (rooms->count >= rooms->options.max_rooms)
		return br_error_set(error, -ENOSPC, "max_rooms",
				    "there are %zu rooms already, as many as max_rooms allows",
				    rooms->count);
	fresh = br_room_insert(rooms, name);
	if (!fresh)
		return br_error_set(error, -ENOMEM, NULL, "no memory for another room");
	err = br_persist_room(rooms, fresh, error);
	if (err) {
		br_room_delete(rooms, fresh);
		return err;
	}
	*room = fresh;
	return 0;
}

struct br_room *br_room_insert(struct br_rooms *rooms, const char *name)
{
	struct br_room *fresh = calloc(1, sizeof(*fresh));

	if (!fresh)
		return NULL;
	strcpy(fresh->name, name);
	fresh->by_name.name = fresh->name;
	fresh->created_ms = br_now_ms();
	if (br_names_insert(&rooms->names, &fresh->by_name)) {
		free(fresh);
		return NULL;
	}
	fresh->previous = rooms->last;
	if (rooms->last)
		rooms->last->next = fresh;
	else
		rooms->first = fresh;
	rooms->last = fresh;
	rooms->count++;
	return fresh;
}

void br_room_delete(struct br_rooms *rooms, struct br_room *room)
{
	if (rooms->events.room_goes)
		rooms->events.room_goes(rooms->events.context, room);
	/* once nothing leads anywhere, legs go one by one without a route being computed */
	if (!rooms->abandoned)
		br_routes_empty(rooms, room);
	while (room->first_leg) {
		struct br_room_leg *leg = room->first_leg;

		room->first_leg = leg->next;
		br_room_leg_forget(rooms, leg);
	}
	/* after its legs: a leg whose room is gone would be dropped with a warning */
	if (!rooms->abandoned)
		br_plane_store_delete(rooms->plane, BR_STORE_ROOM, room->id);
	br_names_remove(&rooms->names, &room->by_name);
	if (room->previous)
		room->previous->next = room->next;
	else
		rooms->first = room->next;
	if (room->next)
		room->next->previous = room->previous;
	else
		rooms->last = room->previous;
	rooms->count--;
	br_sources_clear(&room->sources);
	br_leg_list_clear(&room->publishing);
	br_leg_list_clear(&room->unfiltered);
	br_leg_list_clear(&room->listening);
	br_names_clear(&room->leg_names);
	free(room);
}

struct br_room *br_room_find(const struct br_rooms *rooms, const char *name)
{
	return (struct br_room *)br_names_find(&rooms->names, name);
}

struct br_room *br_room_next(const struct br_rooms *rooms, const struct br_room *room)
{
	return room ? room->next : rooms->first;
}

size_t br_rooms_count(const struct br_rooms *rooms)
{
	return rooms->count;
}

const char *br_room_name(const struct br_room *room)
{
	return room->name;
}

size_t br_room_leg_count(const struct br_room *room)
{
	return room->leg_count;
}

int64_t br_room_created_ms(const struct br_room *room)
{
	return room->created_ms;
}

uint64_t br_room_order(const struct br_room *room)
{
	return room->order;
}
