// SPDX-License-Identifier: BSD-2-Clause
/*
 * Legs by remote address, so that a route change costs what moves and not what there is. A
 * hash with chains through the legs: as many heads as there can be legs, and no memory to
 * run out of afterwards.
 */
#include "plane/plane_private.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

struct br_leg_index {
	uint64_t seed; /* addresses are chosen by strangers */
	uint32_t mask; /* heads less one; a power of two less one */
	uint32_t heads[];
};

struct br_leg_index *br_leg_index_new(uint32_t legs)
{
	struct br_leg_index *index;
	uint32_t heads = 2;

	while (heads < legs)
		heads *= 2;
	index = malloc(sizeof(*index) + heads * sizeof(index->heads[0]));
	if (!index)
		return NULL;
	index->mask = heads - 1;
	for (uint32_t i = 0; i < heads; i++)
		index->heads[i] = BR_NO_LEG;
	if (getrandom(&index->seed, sizeof(index->seed), 0) != sizeof(index->seed))
		index->seed = br_now_ns();
	return index;
}

static uint32_t *br_leg_index_head(const struct br_plane *plane, const struct br_addr *remote)
{
	struct br_leg_index *index = plane->leg_index;

	return &index->heads[br_addr_hash(remote, index->seed) & index->mask];
}

uint32_t br_leg_index_first(const struct br_plane *plane, const struct br_addr *remote)
{
	return *br_leg_index_head(plane, remote);
}

void br_leg_index_add(struct br_plane *plane, uint32_t leg)
{
	struct br_plane_leg *entry = &plane->legs[leg];
	uint32_t *head = br_leg_index_head(plane, &entry->spec.remote.addr);

	entry->remote_previous = BR_NO_LEG;
	entry->remote_next = *head;
	if (*head != BR_NO_LEG)
		plane->legs[*head].remote_previous = leg;
	*head = leg;
}

void br_leg_index_remove(struct br_plane *plane, uint32_t leg)
{
	struct br_plane_leg *entry = &plane->legs[leg];

	if (entry->remote_next != BR_NO_LEG)
		plane->legs[entry->remote_next].remote_previous = entry->remote_previous;
	if (entry->remote_previous != BR_NO_LEG)
		plane->legs[entry->remote_previous].remote_next = entry->remote_next;
	else
		*br_leg_index_head(plane, &entry->spec.remote.addr) = entry->remote_next;
}
