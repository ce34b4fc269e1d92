/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of rooms and legs in the plane's store: what they look like, when they are written. */
#ifndef BR_ROOM_PERSIST_H
#define BR_ROOM_PERSIST_H

#include <stddef.h>
#include <stdint.h>

#include "room/state.h"

/* What a record of a room says; its id is that of the record. */
struct br_room_record {
	char name[BR_NAME_MAX + 1];
	int64_t created_ms;
	uint64_t order;
};

/* What a record of a leg says; its id is the slot of the plane. */
struct br_leg_record {
	struct br_static_leg spec;
	uint32_t room; /* id */
	int64_t created_ms;
	uint64_t order;
};

#define BR_ROOM_RECORD_MAX 128u	 /* bytes */
#define BR_LEG_RECORD_MAX  1024u /* bytes */

/** br_record_write_room - into @out; returns the size */
size_t br_record_write_room(const struct br_room_record *room,
			    uint8_t out[static BR_ROOM_RECORD_MAX]);
/** br_record_write_leg - into @out; returns the size */
size_t br_record_write_leg(const struct br_leg_record *leg, uint8_t out[static BR_LEG_RECORD_MAX]);
/**
 * br_record_read_room - understand a record
 *
 * Return: 0; -EPROTO when it is of another format, -EBADMSG when it makes no sense.
 */
int br_record_read_room(const uint8_t *data, size_t size, struct br_room_record *room);
/** br_record_read_leg - as br_record_read_room */
int br_record_read_leg(const uint8_t *data, size_t size, struct br_leg_record *leg);

/** br_persist_room - give the room an id and remember it; 0, or -ENOSPC */
int br_persist_room(struct br_rooms *rooms, struct br_room *room, struct br_error *error);
/** br_persist_leg - remember a leg that is in the plane; 0, or -ENOSPC */
int br_persist_leg(struct br_rooms *rooms, struct br_room_leg *leg, struct br_error *error);
/** br_persist_leg_again - remember what has changed about a leg; 0, or -ENOSPC */
int br_persist_leg_again(struct br_rooms *rooms, const struct br_room_leg *leg,
			 struct br_error *error);

#endif
