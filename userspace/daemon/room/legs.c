/* SPDX-License-Identifier: BSD-2-Clause */
/* Legs of a room: coming, going, looking up. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "room/persist.h"
#include "room/state.h"

/* Put the leg into everything the room knows; on failure unlist_leg takes it out again. */
static int list_leg(struct br_room *room, struct br_room_leg *leg)
{
	const struct br_static_leg *spec = &leg->spec;
	int err = br_names_insert(&room->leg_names, &leg->by_name);

	if (!err && br_leg_publishes(leg))
		err = br_leg_list_add(&room->publishing, leg);
	if (!err && br_leg_receives(leg) && !br_leg_filters(leg))
		err = br_leg_list_add(&room->unfiltered, leg);
	if (!err && !br_leg_publishes(leg))
		err = br_leg_list_add(&room->listening, leg);
	for (size_t i = 0; !err && i < spec->receive_ssrc_count; i++)
		err = br_sources_want(&room->sources, spec->receive_ssrcs[i], leg);
	for (size_t i = 0; !err && i < spec->ssrc_count; i++) {
		struct br_room_stream *stream =
			br_sources_add_stream(&room->sources, spec->ssrcs[i], leg);

		if (stream)
			stream->declared = true;
		else
			err = -ENOMEM;
	}
	return err;
}

static void unlist_leg(struct br_room *room, struct br_room_leg *leg)
{
	br_sources_remove_streams(&room->sources, leg);
	for (size_t i = 0; i < leg->spec.receive_ssrc_count; i++)
		br_sources_unwant(&room->sources, leg->spec.receive_ssrcs[i], leg);
	br_leg_list_remove(&room->listening, leg);
	br_leg_list_remove(&room->unfiltered, leg);
	br_leg_list_remove(&room->publishing, leg);
	br_names_remove(&room->leg_names, &leg->by_name);
}

/* So that the plane's events find the leg. */
static int register_slot(struct br_rooms *rooms, struct br_room_leg *leg)
{
	if (leg->slot >= rooms->slot_count) {
		uint32_t count = rooms->slot_count ? rooms->slot_count : 64;
		struct br_room_leg **slots;

		while (count <= leg->slot)
			count *= 2;
		slots = reallocarray(rooms->slots, count, sizeof(*slots));
		if (!slots)
			return -ENOMEM;
		memset(slots + rooms->slot_count, 0, (count - rooms->slot_count) * sizeof(*slots));
		rooms->slots = slots;
		rooms->slot_count = count;
	}
	rooms->slots[leg->slot] = leg;
	return 0;
}

static int add_to_plane(struct br_rooms *rooms, struct br_room_leg *leg, struct br_error *error)
{
	const struct br_static_leg *spec = &leg->spec;
	struct br_leg_spec plane_spec = {
		.remote = spec->remote,
		.local = spec->source,
		.hop = spec->hop,
		.publish = br_leg_publishes(leg),
		.fixed_ssrcs = spec->ssrc_count > 0,
		.ssrc_limit = spec->ssrc_count ? 0 : rooms->options.ssrc_limit,
		.terms = spec->terms,
	};
	char text[BR_ENDPOINT_TEXT];
	int err = br_plane_leg_add(rooms->plane, &plane_spec, &leg->slot, error);

	if (err == -EEXIST)
		return br_error_set(error, err, "address",
				    "%s belongs to another leg; every leg needs an address and "
				    "port of its own",
				    br_endpoint_format(&spec->remote, text));
	if (err)
		return err;
	leg->in_plane = true;
	err = register_slot(rooms, leg);
	for (size_t i = 0; !err && i < spec->ssrc_count; i++)
		err = br_plane_stream_add(rooms->plane, leg->slot, htonl(spec->ssrcs[i]), error);
	return err;
}

/* The plane speaks of its tables; a caller of the API thinks in JSON keys. */
static int explain(const struct br_rooms *rooms, const struct br_room_leg *leg, int err,
		   struct br_error *error)
{
	char text[BR_ADDR_TEXT], detail[sizeof(error->detail)];
	struct br_plane_fill fill;

	if (!error)
		return err;
	memcpy(detail, error->detail, sizeof(detail));
	switch (err) {
	case -ENOMEM:
		return br_error_set(error, err, NULL, "no memory for another leg");
	case -EHOSTUNREACH:
		if (error->code == err && detail[0])
			return br_error_set(error, err, "address", "%s", detail);
		return br_error_set(error, err, "address",
				    "no route leads to %s over a media interface",
				    br_addr_format(&leg->spec.remote.addr, text));
	case -ENOSPC:
		if (error->code == err && detail[0])
			return br_error_set(error, err, NULL, "%s", detail);
		br_plane_fill(rooms->plane, &fill);
		return br_error_set(error, err, NULL,
				    "a table of the relay is full: legs %u of %u, streams %u of "
				    "%u, edges %u of %u",
				    fill.legs, fill.max_legs, fill.streams, fill.max_streams,
				    fill.edges, fill.max_edges);
	default:
		return err;
	}
}

static void append(struct br_room *room, struct br_room_leg *leg)
{
	leg->previous = room->last_leg;
	if (room->last_leg)
		room->last_leg->next = leg;
	else
		room->first_leg = leg;
	room->last_leg = leg;
	room->leg_count++;
}

int br_room_leg_add(struct br_rooms *rooms, struct br_room *room, const struct br_static_leg *spec,
		    struct br_room_leg **leg, struct br_error *error)
{
	int err = br_room_validate_leg(rooms, room, spec, error);
	struct br_room_leg *fresh;

	if (err)
		return err;
	if (error)
		*error = (struct br_error){0};
	fresh = calloc(1, sizeof(*fresh));
	if (!fresh)
		return br_error_set(error, -ENOMEM, NULL, "no memory for another leg");
	fresh->room = room;
	fresh->spec = *spec;
	fresh->by_name.name = fresh->spec.name;
	fresh->created_ms = br_now_ms();
	err = list_leg(room, fresh);
	if (!err)
		err = add_to_plane(rooms, fresh, error);
	if (!err)
		err = br_persist_leg(rooms, fresh, error);
	if (!err && rooms->events.leg_joined)
		rooms->events.leg_joined(rooms->events.context, room, fresh);
	if (!err)
		err = br_routes_connect(rooms, fresh, error);
	if (err) {
		err = explain(rooms, fresh, err, error);
		unlist_leg(room, fresh);
		br_room_leg_forget(rooms, fresh);
		return err;
	}
	append(room, fresh);
	br_terms_note_end(rooms, spec->terms.expires_ns);
	*leg = fresh;
	return 0;
}

/*
 * The SSRCs that the plane has: those of the list, and those that the kernel has learned.
 * `routed` says so until br_routes_restore decides.
 */
struct restore_streams {
	struct br_room_leg *leg;
	int err;
};

static void restore_stream(void *context, const struct br_stream_info *info)
{
	struct restore_streams *restore = context;
	struct br_room_leg *leg = restore->leg;
	uint32_t ssrc = ntohl(info->ssrc);

	for (struct br_room_stream *stream = leg->streams; stream; stream = stream->next_of_leg)
		if (stream->source->ssrc == ssrc) {
			stream->routed = true;
			return;
		}
	if (!br_sources_add_stream(&leg->room->sources, ssrc, leg))
		restore->err = -ENOMEM;
	else
		leg->streams->routed = true;
}

static int restore_in_plane(struct br_rooms *rooms, struct br_room_leg *leg)
{
	struct restore_streams restore = {.leg = leg};
	struct br_error error = {0};
	int err = register_slot(rooms, leg);

	if (err)
		return err;
	leg->in_plane = true;
	br_plane_leg_set_terms(rooms->plane, leg->slot, &leg->spec.terms);
	if (leg->spec.hop.interface[0] &&
	    br_plane_leg_name_hop(rooms->plane, leg->slot, &leg->spec.hop, &error))
		br_log_warn("state: leg %s keeps the next hop it has: %s", leg->spec.name,
			    error.detail);
	br_plane_streams(rooms->plane, leg->slot, restore_stream, &restore);
	/* one that is missing: the earlier daemon was killed while it added the leg */
	for (struct br_room_stream *s = leg->streams; s && !restore.err; s = s->next_of_leg)
		if (!s->routed &&
		    br_plane_stream_add(rooms->plane, leg->slot, htonl(s->source->ssrc), NULL))
			br_log_warn("state: SSRC %u of leg %s cannot be added again",
				    s->source->ssrc, leg->spec.name);
	return restore.err;
}

struct br_room_leg *br_room_leg_restore(struct br_rooms *rooms, struct br_room *room,
					const struct br_static_leg *spec, const uint32_t *slot)
{
	struct br_room_leg *leg = calloc(1, sizeof(*leg));
	int err;

	if (!leg)
		return NULL;
	leg->room = room;
	leg->spec = *spec;
	leg->by_name.name = leg->spec.name;
	err = list_leg(room, leg);
	if (!err && slot) {
		leg->slot = *slot;
		err = restore_in_plane(rooms, leg);
	}
	if (err) {
		unlist_leg(room, leg);
		free(leg);
		return NULL;
	}
	append(room, leg);
	br_terms_note_end(rooms, spec->terms.expires_ns);
	return leg;
}

int br_room_leg_put_back(struct br_rooms *rooms, struct br_room_leg *leg, struct br_error *error)
{
	int err = add_to_plane(rooms, leg, error);

	if (!err)
		err = br_routes_connect(rooms, leg, error);
	return err ? explain(rooms, leg, err, error) : 0;
}

void br_room_leg_forget(struct br_rooms *rooms, struct br_room_leg *leg)
{
	br_routes_forget(rooms, leg);
	if (leg->in_plane && rooms->events.leg_leaves)
		rooms->events.leg_leaves(rooms->events.context, leg->room, leg);
	if (leg->in_plane && !rooms->abandoned) {
		if (leg->slot < rooms->slot_count && rooms->slots[leg->slot] == leg)
			rooms->slots[leg->slot] = NULL;
		/* a leg without a record is removed at the next start, should we end here */
		br_plane_store_delete(rooms->plane, BR_STORE_LEG, leg->slot);
		br_plane_leg_remove(rooms->plane, leg->slot);
	}
	free(leg);
}

void br_room_leg_remove(struct br_rooms *rooms, struct br_room *room, struct br_room_leg *leg)
{
	br_routes_disconnect(rooms, leg);
	br_routes_forget(rooms, leg);
	unlist_leg(room, leg);
	if (leg->previous)
		leg->previous->next = leg->next;
	else
		room->first_leg = leg->next;
	if (leg->next)
		leg->next->previous = leg->previous;
	else
		room->last_leg = leg->previous;
	room->leg_count--;
	br_room_leg_forget(rooms, leg);
}

struct br_room_leg *br_room_leg_find(const struct br_room *room, const char *name)
{
	return (struct br_room_leg *)br_names_find(&room->leg_names, name);
}

struct br_room_leg *br_room_leg_next(const struct br_room *room, const struct br_room_leg *leg)
{
	return leg ? leg->next : room->first_leg;
}

const struct br_static_leg *br_room_leg_spec(const struct br_room_leg *leg)
{
	return &leg->spec;
}

uint32_t br_room_leg_slot(const struct br_room_leg *leg)
{
	return leg->slot;
}

int64_t br_room_leg_created_ms(const struct br_room_leg *leg)
{
	return leg->created_ms;
}

uint64_t br_room_leg_order(const struct br_room_leg *leg)
{
	return leg->order;
}

struct br_room *br_room_leg_room(const struct br_room_leg *leg)
{
	return leg->room;
}

size_t br_room_leg_stream_count(const struct br_room_leg *leg)
{
	size_t count = 0;

	for (const struct br_room_stream *s = leg->streams; s; s = s->next_of_leg)
		count++;
	return count;
}

struct br_room_leg *br_room_leg_at(const struct br_rooms *rooms, uint32_t slot)
{
	return slot < rooms->slot_count ? rooms->slots[slot] : NULL;
}
