/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the plane does for packets that the daemon forwards itself: the same decisions from
 * the same tables as in the kernel, and counters beside the kernel's. The daemon forwards
 *
 *   packets from the tap       already admitted; to those receivers of their route that the
 *                              kernel cannot serve now
 *   packets from its socket    passed up by XDP (fragments, IP options, extension headers), or
 *                              all of them where no XDP runs; to all receivers of their route
 */
#ifndef BR_SLOW_H
#define BR_SLOW_H

#include <stdint.h>

#include <blindrelay/abi.h>
#include <blindrelay/reasons.h>

#include "lib/addr.h"
#include "lib/datagram.h"

struct br_plane;

/* Who gets a packet. */
struct br_slow_route {
	uint32_t leg;		     /* of the sender */
	const struct br_edge *edges; /* of the kernel's table: read at once, never kept */
	uint32_t count;
};

/* Where a copy goes. */
struct br_slow_target {
	struct br_endpoint remote;
	struct br_addr local; /* source address */
	uint32_t ifindex;     /* of a link-local remote address; else 0 */
};

/**
 * br_plane_slow_admit - decide on a datagram that the daemon's socket has read
 * @route: set on success
 *
 * Counts the stream and the leg, not the reason.
 *
 * Return: 0, or the enum br_reason why it is not forwarded, as the kernel would have found it.
 */
int br_plane_slow_admit(struct br_plane *plane, const struct br_datagram *datagram,
			struct br_slow_route *route);

/**
 * br_plane_slow_target - may a leg receive a copy, and where?
 * @from: leg of the sender
 *
 * Return: 0, BR_OWN_PACKET or BR_RECEIVER_EXPIRED.
 */
int br_plane_slow_target(const struct br_plane *plane, uint32_t leg, uint32_t from,
			 struct br_slow_target *target);

/** br_plane_slow_count - a datagram that the socket has read; @reason 0: forwarded */
void br_plane_slow_count(struct br_plane *plane, int reason, uint64_t bytes);
/** br_plane_slow_count_copy - a copy to @leg; @reason 0: sent, else why not */
void br_plane_slow_count_copy(struct br_plane *plane, uint32_t leg, int reason, uint64_t bytes);
/** br_plane_slow_totals - counters since the tables were made, not only by this daemon */
const struct br_slow_totals *br_plane_slow_totals(const struct br_plane *plane);

/**
 * br_plane_tapped - a packet from the tap
 * @route: the receivers that the daemon serves
 *
 * Return: copies made, so that the plane knows when to let others have their turn.
 */
typedef uint32_t (*br_plane_tapped)(void *context, const struct br_datagram *datagram,
				    const struct br_slow_route *route);
/** br_plane_set_tapped - who gets packets from the tap; called by br_plane_dispatch */
void br_plane_set_tapped(struct br_plane *plane, br_plane_tapped tapped, void *context);

#endif
