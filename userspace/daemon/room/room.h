/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rooms: who is in, who may send, who receives whom. Turns membership into legs and
 * routes of the plane. No sockets here.
 */
#ifndef BR_ROOM_H
#define BR_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"
#include "lib/error.h"
#include "plane/plane.h"

#define BR_NAME_MAX	 64 /* characters of a room or leg name: [A-Za-z0-9_.-], not "." or ".." */
#define BR_LEG_SSRCS_MAX 64 /* SSRCs on a leg's lists */

enum br_role {
	BR_ROLE_PUBLISHER = 1,	/* sends */
	BR_ROLE_SUBSCRIBER = 2, /* receives */
	BR_ROLE_BOTH = 3,
};

struct br_rooms_options {
	uint32_t max_rooms;
	uint32_t max_legs_per_room;	       /* up to BR_ROUTE_MAX + 1 */
	uint16_t ssrc_limit;		       /* learned on a leg without a list */
	struct br_leg_terms terms;	       /* of a leg that asks for nothing else */
	uint32_t expired_grace_s;	       /* an expired leg can be renewed so long */
	const struct br_network *static_allow; /* copied */
	size_t static_allow_count;
};

/* A leg with an address given by the operator, as in POST /v1/rooms/{room}/legs. */
struct br_static_leg {
	char name[BR_NAME_MAX + 1];
	struct br_endpoint remote;
	/* Beside the routing table: a next hop by name, and what it is sent from (family 0: any).
	 */
	struct br_named_hop hop;
	struct br_addr source;
	enum br_role role;
	/* SSRCs the leg may send; none listed: learned. Publishers only. */
	uint32_t ssrcs[BR_LEG_SSRCS_MAX];
	size_t ssrc_count;
	/* SSRCs the leg receives; none listed: all. Subscribers only. */
	uint32_t receive_ssrcs[BR_LEG_SSRCS_MAX];
	size_t receive_ssrc_count;
	struct br_leg_terms terms;
};

struct br_rooms;
struct br_room;
struct br_room_leg;

/** br_rooms_new - empty set of rooms on @plane, which must outlive it; takes the plane's events */
struct br_rooms *br_rooms_new(struct br_plane *plane, const struct br_rooms_options *options);
/** br_rooms_free - delete all rooms and their legs; NULL is ignored */
void br_rooms_free(struct br_rooms *rooms);
/** br_rooms_abandon - free the memory only: legs, routes and records stay for the next daemon */
void br_rooms_abandon(struct br_rooms *rooms);

/* What happens to rooms; for one listener. It must not change rooms from within. */
struct br_rooms_events {
	/* a leg is in the plane, and not connected yet: nothing has been sent to it */
	void (*leg_joined)(void *context, const struct br_room *room,
			   const struct br_room_leg *leg);
	/* a leg goes; it is still in the plane */
	void (*leg_leaves)(void *context, const struct br_room *room,
			   const struct br_room_leg *leg);
	/* a room goes, before its legs do */
	void (*room_goes)(void *context, const struct br_room *room);
	void *context;
};
/** br_rooms_set_events - who is told; @events is copied, NULL: nobody */
void br_rooms_set_events(struct br_rooms *rooms, const struct br_rooms_events *events);

/* What br_rooms_restore found. */
struct br_rooms_restored {
	size_t rooms, legs; /* there are now */
	size_t readded;	    /* of the legs: were missing in the plane */
	size_t dropped;	    /* records that could not become rooms or legs */
	size_t strangers;   /* legs of the plane without a record; removed */
};

/**
 * br_rooms_restore - the rooms of an earlier daemon, on a plane that was adopted
 * @rooms: empty
 * @result: set on success
 *
 * Names, times of creation, order and slots stay; routes that are right are not touched.
 *
 * Return: 0; -EPROTO when the records are of another version, -ENOMEM. After a failure call
 * br_rooms_abandon: the plane goes on with what it has.
 */
int br_rooms_restore(struct br_rooms *rooms, struct br_rooms_restored *result,
		     struct br_error *error);
/**
 * br_rooms_tick - remove expired legs; try again what the plane refused for want of edges
 *
 * Call every 100 ms or so, after br_plane_tick; costs nothing when nothing is pending.
 * A leg that leaves is always taken out of all routes: should the plane have no edges for
 * the shorter route, that route is empty (or a stream inherits) until this succeeds.
 */
void br_rooms_tick(struct br_rooms *rooms);

/** br_name_valid - 1..BR_NAME_MAX characters of [A-Za-z0-9_.-], neither "." nor ".." */
bool br_name_valid(const char *name);

/** br_room_create - -EEXIST, -ENOSPC (field "max_rooms"), -EINVAL (field "room") */
int br_room_create(struct br_rooms *rooms, const char *name, struct br_room **room,
		   struct br_error *error);
/** br_room_delete - remove all legs and the room */
void br_room_delete(struct br_rooms *rooms, struct br_room *room);
/** br_room_find - NULL when there is none */
struct br_room *br_room_find(const struct br_rooms *rooms, const char *name);
/**
 * br_room_next - iterate: NULL gives the first, the last gives NULL; by order of creation
 *
 * Any room may go or come during the iteration but the one whose successor is asked for:
 * to delete rooms on the way, take the next one first.
 */
struct br_room *br_room_next(const struct br_rooms *rooms, const struct br_room *room);
size_t br_rooms_count(const struct br_rooms *rooms);
const char *br_room_name(const struct br_room *room);
size_t br_room_leg_count(const struct br_room *room);
/** br_room_created_ms - time of creation, Unix time in milliseconds */
int64_t br_room_created_ms(const struct br_room *room);
/**
 * br_room_order - a number of its own among all rooms and legs
 *
 * Ascends along br_room_next, is never given again and outlives a restart that adopts.
 */
uint64_t br_room_order(const struct br_room *room);

/**
 * br_room_leg_add - add a static leg and connect it
 * @leg: set on success; valid until removed
 *
 * Errors name the JSON key at fault: "name" (-EINVAL, -EEXIST), "role", "port" (-EINVAL),
 * "address" (-EINVAL no unicast address, -EACCES outside of static_allow, -EEXIST taken by
 * another leg, -EHOSTUNREACH), "ssrcs" (-EINVAL, -EEXIST listed by another leg of the
 * room), "next_hop" and what is in it (-EINVAL), "receive_ssrcs", "max_packets_per_s",
 * "max_bits_per_s" (-EINVAL); "" with -ENOSPC when a limit is reached, or -ENOMEM.
 *
 * On error nothing has changed, as long as the plane can put back a route it had.
 */
int br_room_leg_add(struct br_rooms *rooms, struct br_room *room, const struct br_static_leg *spec,
		    struct br_room_leg **leg, struct br_error *error);
/** br_rooms_default_terms - of a leg that asks for nothing else */
struct br_leg_terms br_rooms_default_terms(const struct br_rooms *rooms);
/**
 * br_room_leg_set_terms - other rates, another end, other feedback; its packets go on
 *
 * A leg that has expired can be renewed until it is removed (expired_grace_s).
 *
 * Return: 0; -EINVAL with the field at fault, -ENOSPC when it cannot be remembered, and then
 * nothing has changed.
 */
int br_room_leg_set_terms(struct br_rooms *rooms, struct br_room_leg *leg,
			  const struct br_leg_terms *terms, struct br_error *error);
/** br_now_monotonic_ns - CLOCK_MONOTONIC, by which legs expire */
uint64_t br_now_monotonic_ns(void);
/** br_room_leg_remove - disconnect and remove */
void br_room_leg_remove(struct br_rooms *rooms, struct br_room *room, struct br_room_leg *leg);
/** br_room_leg_at - the leg in a slot of the plane; NULL when there is none */
struct br_room_leg *br_room_leg_at(const struct br_rooms *rooms, uint32_t slot);
/** br_room_leg_find - by name; NULL when there is none */
struct br_room_leg *br_room_leg_find(const struct br_room *room, const char *name);
/** br_room_leg_next - iterate as br_room_next */
struct br_room_leg *br_room_leg_next(const struct br_room *room, const struct br_room_leg *leg);
/** br_room_leg_spec - what was asked for */
const struct br_static_leg *br_room_leg_spec(const struct br_room_leg *leg);
/** br_room_leg_slot - of the plane */
uint32_t br_room_leg_slot(const struct br_room_leg *leg);
/** br_room_leg_room - the room it is in */
struct br_room *br_room_leg_room(const struct br_room_leg *leg);
/** br_room_leg_stream_count - SSRCs that it sends: listed ones, and those learned so far */
size_t br_room_leg_stream_count(const struct br_room_leg *leg);
/** br_room_leg_created_ms - Unix time in milliseconds */
int64_t br_room_leg_created_ms(const struct br_room_leg *leg);
/** br_room_leg_order - as br_room_order, along br_room_leg_next */
uint64_t br_room_leg_order(const struct br_room_leg *leg);

#endif
