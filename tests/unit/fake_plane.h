/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plane without a kernel, for tests of rooms: records routes, refuses what the real one
 * refuses, and fails when told to. A call that breaks the contract of plane/plane.h fails
 * the running test. Slots are reused at once: the harshest case for whoever keeps them.
 */
#ifndef BR_FAKE_PLANE_H
#define BR_FAKE_PLANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plane/plane.h"

struct br_plane *fake_plane_new(uint32_t max_legs, uint32_t max_streams);
void fake_plane_free(struct br_plane *plane);

/** fake_plane_fail_at - the @call-th call from now that may fail does, with @err; 0: none */
void fake_plane_fail_at(struct br_plane *plane, unsigned int call, int err);
/** fake_plane_full - from now on there are no edges (-ENOSPC for every route but empty ones) */
void fake_plane_full(struct br_plane *plane, bool full);
/** fake_plane_failed - failures since fake_plane_fail_at or fake_plane_full was called */
unsigned int fake_plane_failed(const struct br_plane *plane);

/** fake_plane_receivers - who gets a packet of this SSRC from this leg; sorted by slot */
size_t fake_plane_receivers(const struct br_plane *plane, uint32_t leg, uint32_t ssrc,
			    const uint32_t **receivers);
/** fake_plane_own_route - receivers of the leg's own route; sorted by slot */
size_t fake_plane_own_route(const struct br_plane *plane, uint32_t leg, const uint32_t **receivers);
/** fake_plane_inherits - has the stream no route of its own? */
bool fake_plane_inherits(const struct br_plane *plane, uint32_t leg, uint32_t ssrc);
/** fake_plane_spec - NULL when the slot is empty */
const struct br_leg_spec *fake_plane_spec(const struct br_plane *plane, uint32_t leg);
/** fake_plane_learn - the kernel learns an SSRC: as br_plane_dispatch would report it */
void fake_plane_learn(struct br_plane *plane, uint32_t leg, uint32_t ssrc);
/** fake_plane_repeat - only the report: an event that is late or comes twice */
void fake_plane_repeat(struct br_plane *plane, uint32_t leg, uint32_t ssrc);
/** fake_plane_snapshot - everything the kernel would act on, as text; freed by the caller */
char *fake_plane_snapshot(const struct br_plane *plane);

/** fake_plane_lose_leg - the leg and every edge to it are gone, and nobody was told */
void fake_plane_lose_leg(struct br_plane *plane, uint32_t leg);
/** fake_plane_records - records in the store; fake_plane_store_room - how many more it takes */
size_t fake_plane_records(const struct br_plane *plane);
void fake_plane_store_room(struct br_plane *plane, size_t records);

/** fake_plane_legs, fake_plane_streams - how many there are */
uint32_t fake_plane_legs(const struct br_plane *plane);
uint32_t fake_plane_streams(const struct br_plane *plane);
/** fake_plane_edges_written - edges of all runs ever written; fake_plane_route_calls - calls */
uint64_t fake_plane_edges_written(const struct br_plane *plane);
uint64_t fake_plane_route_calls(const struct br_plane *plane);

#endif
