/* SPDX-License-Identifier: BSD-2-Clause */
/* What rooms, legs and streams are made of: shared by the files of room/ and nobody else. */
#ifndef BR_ROOM_STATE_H
#define BR_ROOM_STATE_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "room/names.h"
#include "room/room.h"

/* Legs in no particular order. All zero: empty. */
struct br_leg_list {
	struct br_room_leg **legs;
	uint32_t count, capacity;
};

/* One SSRC that a leg sends: listed in its spec or learned by the kernel. */
struct br_room_stream {
	struct br_room_leg *leg;
	struct br_source *source;
	struct br_room_stream *next_of_leg;
	struct br_room_stream *next_of_source;
	bool declared; /* listed in the spec of the leg */
	bool routed;   /* has a route of its own in the plane; false: inherits */
	bool dirty;    /* the plane refused its route; to be tried again */
};

/*
 * An SSRC somebody sends or somebody asks for. Tells in one look-up whose routes change
 * when a receiver that picks streams comes or goes, or a stream is learned.
 */
struct br_source {
	uint32_t ssrc;
	struct br_source *next; /* in its bucket */
	struct br_room_stream *streams;
	struct br_leg_list wanted_by; /* legs with the SSRC in receive_ssrcs */
};

struct br_sources {
	struct br_source **buckets;
	uint32_t bucket_count; /* a power of two, or 0 */
	uint32_t count;
};

struct br_room_leg {
	struct br_name_entry by_name;
	struct br_room *room;
	struct br_room_leg *previous, *next; /* by order of creation */
	/* beside each other: who looks at all legs reads these, one cache line each */
	uint64_t order; /* among all rooms and legs */
	uint32_t slot;	/* of the plane */
	struct br_static_leg spec;
	struct br_room_stream *streams;
	int64_t created_ms;
	uint32_t route_length; /* receivers of the leg's route in the plane */
	bool in_plane;	       /* slot is valid */
	bool connected;	       /* counts as a receiver when routes are computed */
	bool dirty;	       /* the plane refused its route; to be tried again */
};

struct br_room {
	struct br_name_entry by_name;
	char name[BR_NAME_MAX + 1];
	struct br_room *previous, *next; /* by order of creation */
	int64_t created_ms;
	uint64_t order; /* among all rooms and legs */
	uint32_t id;	/* of its record */
	struct br_names leg_names;
	struct br_room_leg *first_leg, *last_leg;
	struct br_sources sources;
	struct br_leg_list publishing; /* publisher, both */
	struct br_leg_list unfiltered; /* receive everything */
	struct br_leg_list listening;  /* subscriber only: they send nothing but feedback */
	size_t leg_count;
	size_t dirty; /* legs and streams whose route is to be tried again */
};

struct br_rooms {
	struct br_plane *plane;
	struct br_rooms_options options;
	struct br_network *static_allow;
	struct br_names names;
	struct br_room *first, *last;
	size_t count;
	size_t dirty;	       /* sum over rooms */
	uint64_t first_end_ns; /* no leg expires before; 0: none expires */
	uint64_t next_order;   /* of the room or leg that comes next */
	bool abandoned;	       /* being freed; the plane stays as it is */
	struct br_rooms_events events;
	struct br_room_leg **slots; /* legs by slot of the plane */
	uint32_t slot_count;
	uint32_t *receivers; /* scratch for one route: BR_ROUTE_MAX slots */
};

static inline bool br_leg_publishes(const struct br_room_leg *leg)
{
	return leg->spec.role & BR_ROLE_PUBLISHER;
}

static inline bool br_leg_receives(const struct br_room_leg *leg)
{
	return leg->spec.role & BR_ROLE_SUBSCRIBER;
}

static inline bool br_leg_filters(const struct br_room_leg *leg)
{
	return leg->spec.receive_ssrc_count > 0;
}

/** br_now_ms - Unix time in milliseconds */
int64_t br_now_ms(void);

/* sources.c */

/** br_leg_list_add - -ENOMEM */
int br_leg_list_add(struct br_leg_list *list, struct br_room_leg *leg);
/** br_leg_list_remove - nothing happens when @leg is not on the list */
void br_leg_list_remove(struct br_leg_list *list, const struct br_room_leg *leg);
/** br_leg_list_clear - free the memory of the list, not the legs */
void br_leg_list_clear(struct br_leg_list *list);

/** br_sources_find - NULL when nobody sends the SSRC and nobody asks for it */
struct br_source *br_sources_find(const struct br_sources *sources, uint32_t ssrc);
/** br_sources_want - @leg receives the SSRC; -ENOMEM */
int br_sources_want(struct br_sources *sources, uint32_t ssrc, struct br_room_leg *leg);
/** br_sources_unwant - the opposite; nothing happens when it was not wanted by @leg */
void br_sources_unwant(struct br_sources *sources, uint32_t ssrc, const struct br_room_leg *leg);
/** br_sources_add_stream - @leg sends the SSRC; NULL without memory; owned by the leg's list */
struct br_room_stream *br_sources_add_stream(struct br_sources *sources, uint32_t ssrc,
					     struct br_room_leg *leg);
/** br_sources_remove_streams - free all streams of a leg */
void br_sources_remove_streams(struct br_sources *sources, struct br_room_leg *leg);
/** br_sources_clear - free the table and what it holds, streams of all legs included */
void br_sources_clear(struct br_sources *sources);

/* routes.c */

/**
 * br_routes_connect - write the routes from and to a leg that is new in the plane
 *
 * Return: 0, or the plane's error; then @leg is not connected and all routes of others
 * are what they were before.
 */
int br_routes_connect(struct br_rooms *rooms, struct br_room_leg *leg, struct br_error *error);
/** br_routes_disconnect - take a leg out of the routes of all others; cannot fail */
void br_routes_disconnect(struct br_rooms *rooms, struct br_room_leg *leg);
/** br_routes_stream - write the route of a new stream; what fails is tried again */
void br_routes_stream(struct br_rooms *rooms, struct br_room_stream *stream);
/** br_routes_empty - nobody in the room receives anything any more; cannot fail */
void br_routes_empty(struct br_rooms *rooms, struct br_room *room);
/** br_routes_retry - try again what the plane refused */
void br_routes_retry(struct br_rooms *rooms, struct br_room *room);
/** br_routes_restore - connect all legs; the plane has routes of them, right ones or not */
void br_routes_restore(struct br_rooms *rooms, struct br_room *room);
/** br_routes_forget - @leg and its streams go away: nothing of them is to be tried again */
void br_routes_forget(struct br_rooms *rooms, struct br_room_leg *leg);

/* validate.c */

/** br_room_validate_leg - 0, or the error that br_room_leg_add documents; changes nothing */
int br_room_validate_leg(const struct br_rooms *rooms, const struct br_room *room,
			 const struct br_static_leg *spec, struct br_error *error);

/** br_room_validate_terms - 0, or the error that br_room_leg_set_terms documents */
int br_room_validate_terms(const struct br_leg_terms *terms, struct br_error *error);

/* terms.c */

/** br_terms_note_end - a leg expires then; 0: never */
void br_terms_note_end(struct br_rooms *rooms, uint64_t expires_ns);
/** br_terms_tick - remove legs that have been expired for expired_grace_s */
void br_terms_tick(struct br_rooms *rooms);

/* rooms.c */

/** br_room_insert - a room without a record, name not in use; NULL without memory */
struct br_room *br_room_insert(struct br_rooms *rooms, const char *name);

/* legs.c */

/**
 * br_room_leg_restore - list a leg of an earlier daemon, not connected
 * @slot: of the leg in the plane; NULL: it is not there, and br_room_leg_put_back follows
 *
 * Return: NULL without memory.
 */
struct br_room_leg *br_room_leg_restore(struct br_rooms *rooms, struct br_room *room,
					const struct br_static_leg *spec, const uint32_t *slot);
/** br_room_leg_put_back - add a listed leg to the plane and connect it; error as br_room_leg_add */
int br_room_leg_put_back(struct br_rooms *rooms, struct br_room_leg *leg, struct br_error *error);

/** br_room_leg_forget - remove from the plane, free; the room's lists and table are cleared later
 */
void br_room_leg_forget(struct br_rooms *rooms, struct br_room_leg *leg);

#endif
