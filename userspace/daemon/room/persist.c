// SPDX-License-Identifier: BSD-2-Clause
/*
 * Rooms that outlive the daemon: remembered in the plane's store, restored at start. What
 * the plane has adopted and what is remembered may differ by the step during which the
 * earlier daemon was killed; the record decides what was meant.
 */
#include "room/persist.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"

/* A leg that was remembered, until it is in its room. */
struct remembered_leg {
	struct br_leg_record record;
	uint32_t slot;
	struct br_room_leg *leg; /* NULL: not restored */
	bool in_plane;		 /* the plane has adopted it */
};

struct remembered_room {
	struct br_room_record record;
	uint32_t id;
};

struct restore {
	struct br_rooms *rooms;
	struct remembered_room *room_list;
	size_t room_count, room_capacity;
	struct remembered_leg *leg_list;
	size_t leg_count, leg_capacity;
	struct br_room *last_room;
	int err;
	struct br_rooms_restored *result;
};

/* Rooms are told apart by the low half of their order, which is free unless 2^32 rooms later. */
static uint32_t room_id(struct br_rooms *rooms)
{
	for (;;) {
		uint32_t id = (uint32_t)rooms->next_order++;
		const struct br_room *room = NULL;

		if (rooms->next_order > UINT32_MAX)
			for (room = rooms->first; room && room->id != id;)
				room = room->next;
		if (!room)
			return id;
	}
}

int br_persist_room(struct br_rooms *rooms, struct br_room *room, struct br_error *error)
{
	struct br_room_record record = {.created_ms = room->created_ms};
	uint8_t bytes[BR_ROOM_RECORD_MAX];

	room->id = room_id(rooms);
	room->order = record.order = rooms->next_order - 1;
	strcpy(record.name, room->name);
	return br_plane_store_put(rooms->plane, BR_STORE_ROOM, room->id, bytes,
				  br_record_write_room(&record, bytes), error);
}

int br_persist_leg_again(struct br_rooms *rooms, const struct br_room_leg *leg,
			 struct br_error *error)
{
	struct br_leg_record record = {
		.spec = leg->spec,
		.room = leg->room->id,
		.created_ms = leg->created_ms,
		.order = leg->order,
	};
	uint8_t bytes[BR_LEG_RECORD_MAX];

	return br_plane_store_put(rooms->plane, BR_STORE_LEG, leg->slot, bytes,
				  br_record_write_leg(&record, bytes), error);
}

int br_persist_leg(struct br_rooms *rooms, struct br_room_leg *leg, struct br_error *error)
{
	leg->order = rooms->next_order++;
	return br_persist_leg_again(rooms, leg, error);
}

static void *grow(void *list, size_t count, size_t *capacity, size_t size)
{
	void *grown;

	if (count < *capacity)
		return list;
	grown = reallocarray(list, *capacity ? *capacity * 2 : 64, size);
	if (grown)
		*capacity = *capacity ? *capacity * 2 : 64;
	return grown;
}

/* A record that makes no sense is dropped; one of another format stops the restoration. */
static void take(struct restore *restore, enum br_store_kind kind, uint32_t id, int err)
{
	if (err == -EBADMSG) {
		br_log_warn("state: a record of a %s makes no sense; dropped",
			    kind == BR_STORE_ROOM ? "room" : "leg");
		br_plane_store_delete(restore->rooms->plane, kind, id);
		restore->result->dropped++;
	} else if (err) {
		restore->err = err;
	}
}

static void remember_room(void *context, uint32_t id, const void *data, size_t size)
{
	struct restore *restore = context;
	struct remembered_room room = {.id = id}, *list;
	int err = br_record_read_room(data, size, &room.record);

	take(restore, BR_STORE_ROOM, id, err);
	if (err)
		return;
	list = grow(restore->room_list, restore->room_count, &restore->room_capacity,
		    sizeof(*list));
	if (!list) {
		restore->err = -ENOMEM;
		return;
	}
	restore->room_list = list;
	list[restore->room_count++] = room;
}

static void remember_leg(void *context, uint32_t id, const void *data, size_t size)
{
	struct restore *restore = context;
	struct remembered_leg leg = {.slot = id}, *list;
	int err = br_record_read_leg(data, size, &leg.record);

	take(restore, BR_STORE_LEG, id, err);
	if (err)
		return;
	list = grow(restore->leg_list, restore->leg_count, &restore->leg_capacity, sizeof(*list));
	if (!list) {
		restore->err = -ENOMEM;
		return;
	}
	restore->leg_list = list;
	list[restore->leg_count++] = leg;
}

static int by_room_order(const void *a, const void *b)
{
	const struct remembered_room *left = a, *right = b;

	return left->record.order < right->record.order ? -1
							: left->record.order > right->record.order;
}

static int by_leg_order(const void *a, const void *b)
{
	const struct remembered_leg *left = a, *right = b;

	return left->record.order < right->record.order ? -1
							: left->record.order > right->record.order;
}

static void restore_rooms(struct restore *restore)
{
	struct br_rooms *rooms = restore->rooms;

	if (restore->room_count)
		qsort(restore->room_list, restore->room_count, sizeof(*restore->room_list),
		      by_room_order);
	for (size_t i = 0; i < restore->room_count && !restore->err; i++) {
		const struct remembered_room *from = &restore->room_list[i];
		struct br_room *room;

		if (br_room_find(rooms, from->record.name)) {
			take(restore, BR_STORE_ROOM, from->id, -EBADMSG);
			continue;
		}
		room = br_room_insert(rooms, from->record.name);
		if (!room) {
			restore->err = -ENOMEM;
			return;
		}
		room->id = from->id;
		room->created_ms = from->record.created_ms;
		room->order = from->record.order;
		if (from->record.order >= rooms->next_order)
			rooms->next_order = from->record.order + 1;
		restore->result->rooms++;
	}
}

/* Legs of one room often follow each other: the room of the last one is looked at first. */
static struct br_room *find_room(struct restore *restore, uint32_t id)
{
	struct br_room *room = restore->last_room;

	if (!room || room->id != id)
		for (room = restore->rooms->first; room && room->id != id;)
			room = room->next;
	restore->last_room = room;
	return room;
}

/* Has the plane adopted this very leg? */
static bool is_in_plane(const struct br_rooms *rooms, const struct remembered_leg *from)
{
	const struct br_static_leg *spec = &from->record.spec;
	struct br_leg_spec held;

	return !br_plane_leg_spec(rooms->plane, from->slot, &held) &&
	       held.remote.port == spec->remote.port &&
	       br_addr_equal(&held.remote.addr, &spec->remote.addr) &&
	       !strcmp(held.hop.interface, spec->hop.interface) &&
	       held.publish == !!(spec->role & BR_ROLE_PUBLISHER) &&
	       held.fixed_ssrcs == (spec->ssrc_count > 0);
}

/* Into its room, if it may still be there; a limit that was lowered counts for new legs only. */
static void restore_leg(struct restore *restore, struct remembered_leg *from)
{
	struct br_rooms *rooms = restore->rooms;
	struct br_room *room = find_room(restore, from->record.room);
	struct br_error error = {0};
	int err = room ? br_room_validate_leg(rooms, room, &from->record.spec, &error) : -ENOENT;

	if (err && err != -ENOSPC) {
		br_log_warn("state: leg %s is dropped: %s", from->record.spec.name,
			    room ? error.detail : "its room is gone");
		br_plane_store_delete(rooms->plane, BR_STORE_LEG, from->slot);
		restore->result->dropped++;
		return;
	}
	from->in_plane = is_in_plane(rooms, from);
	from->leg = br_room_leg_restore(rooms, room, &from->record.spec,
					from->in_plane ? &from->slot : NULL);
	if (!from->leg) {
		restore->err = -ENOMEM;
		return;
	}
	from->leg->created_ms = from->record.created_ms;
	from->leg->order = from->record.order;
	if (from->record.order >= rooms->next_order)
		rooms->next_order = from->record.order + 1;
	restore->result->legs++;
}

/*
 * The earlier daemon did not get as far as the plane, or lost the leg there. All their
 * records go before the first is written anew: a new slot may be the old one of another.
 */
static void restore_missing(struct restore *restore)
{
	struct br_rooms *rooms = restore->rooms;

	for (size_t i = 0; i < restore->leg_count; i++) {
		const struct remembered_leg *from = &restore->leg_list[i];

		if (from->leg && !from->in_plane)
			br_plane_store_delete(rooms->plane, BR_STORE_LEG, from->slot);
	}
	for (size_t i = 0; i < restore->leg_count; i++) {
		struct remembered_leg *from = &restore->leg_list[i];
		struct br_error error = {0};
		int err;

		if (!from->leg || from->in_plane)
			continue;
		err = br_room_leg_put_back(rooms, from->leg, &error);
		if (!err)
			err = br_persist_leg_again(rooms, from->leg, &error);
		if (!err) {
			br_log_warn("state: leg %s of room %s was not in the kernel; added again",
				    from->leg->spec.name, from->leg->room->name);
			restore->result->readded++;
			continue;
		}
		br_log_warn("state: leg %s of room %s was not in the kernel and is dropped: %s",
			    from->leg->spec.name, from->leg->room->name, error.detail);
		br_room_leg_remove(rooms, from->leg->room, from->leg);
		from->leg = NULL;
		restore->result->legs--;
		restore->result->dropped++;
	}
}

/* Legs that no record speaks of: nobody was told that they exist. */
static void remove_strangers(struct restore *restore)
{
	struct br_rooms *rooms = restore->rooms;
	struct br_plane_fill fill;
	struct br_leg_spec spec;

	br_plane_fill(rooms->plane, &fill);
	for (uint32_t slot = 0; slot < fill.max_legs; slot++) {
		if (br_plane_leg_spec(rooms->plane, slot, &spec) ||
		    (slot < rooms->slot_count && rooms->slots[slot]))
			continue;
		br_plane_leg_remove(rooms->plane, slot);
		restore->result->strangers++;
	}
	if (restore->result->strangers)
		br_log_warn("state: %zu leg%s in the kernel without a room; removed",
			    restore->result->strangers,
			    restore->result->strangers == 1 ? " was" : "s were");
}

int br_rooms_restore(struct br_rooms *rooms, struct br_rooms_restored *result,
		     struct br_error *error)
{
	struct restore restore = {.rooms = rooms, .result = result};
	int err;

	memset(result, 0, sizeof(*result));
	err = br_plane_store_each(rooms->plane, BR_STORE_ROOM, remember_room, &restore);
	if (!err)
		err = br_plane_store_each(rooms->plane, BR_STORE_LEG, remember_leg, &restore);
	if (!restore.err)
		restore.err = err;
	if (!restore.err)
		restore_rooms(&restore);
	if (restore.leg_count)
		qsort(restore.leg_list, restore.leg_count, sizeof(*restore.leg_list), by_leg_order);
	for (size_t i = 0; i < restore.leg_count && !restore.err; i++)
		restore_leg(&restore, &restore.leg_list[i]);
	if (!restore.err) {
		/* strangers before: a leg that is missing may want the address of one */
		for (struct br_room *room = rooms->first; room; room = room->next)
			br_routes_restore(rooms, room);
		remove_strangers(&restore);
		restore_missing(&restore);
	}
	free(restore.room_list);
	free(restore.leg_list);
	if (restore.err == -EPROTO)
		return br_error_set(error, -EPROTO, "state.path",
				    "the rooms were written by a version that keeps other records. "
				    "Start that version again, or throw its rooms away with "
				    "blindrelayd --reset");
	return restore.err
		       ? br_error_set(error, restore.err, "state.path",
				      "the rooms cannot be restored: %s", strerror(-restore.err))
		       : 0;
}

void br_rooms_abandon(struct br_rooms *rooms)
{
	if (!rooms)
		return;
	rooms->abandoned = true;
	br_rooms_free(rooms);
}
