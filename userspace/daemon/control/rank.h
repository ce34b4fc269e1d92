/* SPDX-License-Identifier: BSD-2-Clause */
/* The busiest of many: keeps the first N by a key, whatever the number that is offered. */
#ifndef BR_RANK_H
#define BR_RANK_H

#include <stddef.h>
#include <stdint.h>

#include "control/sampler.h"

enum br_rank_key {
	BR_RANK_OUT, /* packets sent per second */
	BR_RANK_OUT_BITS,
	BR_RANK_IN,
	BR_RANK_IN_BITS,
	BR_RANK_DROPS,
	BR_RANK_LEGS, /* members */
	BR_RANK_NAME, /* A first */
	BR_RANK_KEYS
};

/** br_rank_names - of the keys, as in the API */
extern const char *const br_rank_names[BR_RANK_KEYS];

struct br_ranked {
	const char *room; /* name; names are not copied */
	const char *name; /* of a leg; "" for a room */
	const void *what; /* the caller's */
	uint64_t order;	  /* decides between equals: the oldest first */
	size_t legs;
	struct br_counts counts;
	struct br_rates rates;
};

struct br_rank {
	enum br_rank_key key;
	size_t count, max;
	struct br_ranked *entries; /* a heap, the last in rank on top, until br_rank_sort */
};

/** br_rank_begin - keep @max entries; -ENOMEM */
int br_rank_begin(struct br_rank *rank, enum br_rank_key key, size_t max);
/** br_rank_offer - keep @entry if it is among the first; copied */
void br_rank_offer(struct br_rank *rank, const struct br_ranked *entry);
/** br_rank_sort - the first to the front; nothing can be offered any more */
void br_rank_sort(struct br_rank *rank);
void br_rank_end(struct br_rank *rank);

#endif
